-- What is asked for long after an event was done.

-- As `erase_4`, and of what has no body any more too: its lane, its headers and reasons stayed.
CREATE FUNCTION inbox.erase_5(a_key text, a_now bigint, a_due bigint) RETURNS bigint LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    its record;
    ids bigint[];
    erased bigint := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(wanted.lane) FROM
        (SELECT DISTINCT t.lane FROM inbox.events e JOIN inbox.turns t ON t.id = e.id
            WHERE e.readable = a_key AND t.lane IS NOT NULL ORDER BY t.lane) AS wanted;
    -- All of them before the first is changed: whose turn comes below would be passed over by who locks as it goes.
    ids := ARRAY(SELECT t.id FROM inbox.events e JOIN inbox.turns t ON t.id = e.id
        WHERE e.readable = a_key ORDER BY t.id FOR UPDATE OF t);
    FOR its IN
        SELECT t.id, t.lane, t.state = 2 AND t.reason = 'erased' AS is_so FROM inbox.turns t
            WHERE t.id = ANY (ids) ORDER BY t.id
    LOOP
        DELETE FROM inbox.bodies b WHERE b.id = its.id;
        CONTINUE WHEN NOT FOUND AND its.is_so;
        UPDATE inbox.turns t
            SET state = 2, due = NULL, token = NULL, lane = NULL, blocks = false, ended = coalesce(t.ended, a_now),
                reason = 'erased'
            WHERE t.id = its.id;
        UPDATE inbox.events e SET lane = NULL, occurred = NULL, headers = NULL WHERE e.id = its.id;
        UPDATE inbox.steps s SET why = NULL WHERE s.event = its.id;
        INSERT INTO inbox.steps (event, at, what) VALUES (its.id, a_now, 'erased');
        IF its.lane IS NOT NULL THEN
            PERFORM inbox.go_on_1(its.lane, a_due);
        END IF;
        erased := erased + 1;
    END LOOP;
    RETURN erased;
END $$;

-- As `again_2`, and of what was done it stays known when.
CREATE FUNCTION inbox.again_5(a_ids bigint[], a_fences bigint[], a_by text, a_now bigint, a_due bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    ids bigint[];
BEGIN
    PERFORM pg_advisory_xact_lock(wanted.lane) FROM
        (SELECT DISTINCT t.lane FROM inbox.turns t WHERE t.id = ANY (a_ids) AND t.lane IS NOT NULL ORDER BY t.lane) AS wanted;
    -- All of them, in the order in which others lock them. What is read below was committed before.
    ids := ARRAY(SELECT t.id FROM inbox.turns t JOIN unnest(a_ids, a_fences) AS a (id, fence) ON t.id = a.id
        WHERE t.id = ANY (a_ids) AND t.fence = a.fence ORDER BY t.id FOR UPDATE OF t);
    INSERT INTO inbox.steps (event, at, what) SELECT t.id, t.ended, 'done' FROM inbox.turns t
        WHERE t.id = ANY (ids) AND t.state = 2 AND t.ended IS NOT NULL
            AND EXISTS (SELECT 1 FROM inbox.bodies b WHERE b.id = t.id)
        ORDER BY t.id;
    RETURN inbox.again_2(a_ids, a_fences, a_by, a_now, a_due);
END $$;

UPDATE inbox.version SET version = 5;
