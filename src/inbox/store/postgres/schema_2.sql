-- What is due and still held was ended by nobody: a suspect. Suspects are leased one at a time in the whole inbox.

-- Of what is held: it is held as a suspect. Of what is not held it means nothing, and the next lease writes it anew, so that
-- nobody who ends one needs to know of it.
ALTER TABLE inbox.turns ADD COLUMN suspect boolean NOT NULL DEFAULT false;
-- What is held, and what was and has no end.
CREATE INDEX turns_held ON inbox.turns (due) WHERE state = 1;

-- Of the suspects that wait the one that may be leased now, locked. None: nobody waits, or another is held.
CREATE FUNCTION inbox.suspect_2(a_due bigint) RETURNS TABLE (id bigint, due bigint) LANGUAGE plpgsql ROWS 1 AS $$
#variable_conflict use_column
BEGIN
    PERFORM 1 FROM inbox.turns t WHERE t.state = 1 AND t.due <= a_due LIMIT 1;
    -- One looks at a time, until what is taken is committed. Each look sees what was committed before it.
    IF NOT FOUND OR NOT pg_try_advisory_xact_lock('inbox.turns'::regclass::oid::integer, 2) THEN
        RETURN;
    END IF;
    PERFORM 1 FROM inbox.turns t WHERE t.state = 1 AND t.suspect AND t.due > a_due LIMIT 1;
    IF NOT FOUND THEN
        RETURN QUERY SELECT t.id, t.due FROM inbox.turns t WHERE t.state = 1 AND t.due <= a_due ORDER BY t.due LIMIT 1
            FOR UPDATE SKIP LOCKED;
    END IF;
END $$;

-- What has ended and has a body is due again, unless somebody has held it since it was looked for: its fence says so.
CREATE FUNCTION inbox.again_2(a_ids bigint[], a_fences bigint[], a_by text, a_now bigint, a_due bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    ids bigint[];
BEGIN
    PERFORM pg_advisory_xact_lock(wanted.lane) FROM
        (SELECT DISTINCT t.lane FROM inbox.turns t WHERE t.id = ANY (a_ids) AND t.lane IS NOT NULL ORDER BY t.lane) AS wanted;
    ids := ARRAY(SELECT t.id FROM inbox.turns t JOIN unnest(a_ids, a_fences) AS a (id, fence) ON t.id = a.id
        WHERE t.id = ANY (a_ids) AND t.fence = a.fence ORDER BY t.id FOR UPDATE OF t);
    RETURN inbox.again_1(ids, a_by, a_now, a_due);
END $$;

UPDATE inbox.version SET version = 2;
