-- What was kept apart does not stay for ever.

-- As `erase_1`, but what was kept apart counts as done too: it waits for nobody any more.
CREATE FUNCTION inbox.erase_4(a_key text, a_now bigint, a_due bigint) RETURNS bigint LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    erased bigint;
    ids bigint[];
BEGIN
    erased := inbox.erase_1(a_key, a_now, a_due);
    ids := ARRAY(SELECT t.id FROM inbox.events e JOIN inbox.turns t ON t.id = e.id
        WHERE e.readable = a_key AND t.state = 5);
    UPDATE inbox.turns t SET state = 2 WHERE t.id = ANY (ids) AND t.state = 5 AND t.reason = 'erased';
    RETURN erased;
END $$;

-- As `drop_keys_1`, and of what was kept apart too.
CREATE FUNCTION inbox.drop_keys_4(a_now bigint, a_most integer)
RETURNS TABLE (bodies bigint, keys bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    ids bigint[];
BEGIN
    SELECT d.bodies, d.keys INTO bodies, keys FROM inbox.drop_keys_1(a_now, a_most) AS d;
    IF keys = 0 THEN
        ids := ARRAY(SELECT t.id FROM inbox.turns t WHERE t.state = 5 AND t.state >= 3 AND t.until <= a_now
            ORDER BY t.id LIMIT a_most FOR UPDATE SKIP LOCKED);
        DELETE FROM inbox.bodies b WHERE b.id = ANY (ids);
        GET DIAGNOSTICS bodies = ROW_COUNT;
        DELETE FROM inbox.steps s WHERE s.event = ANY (ids);
        DELETE FROM inbox.events e WHERE e.id = ANY (ids);
        DELETE FROM inbox.turns t WHERE t.id = ANY (ids);
        GET DIAGNOSTICS keys = ROW_COUNT;
    END IF;
    RETURN NEXT;
END $$;

UPDATE inbox.version SET version = 4;
