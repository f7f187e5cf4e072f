-- An event as it came. Only erasing changes it.
CREATE TABLE inbox.events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Of the first that came with it. Those that came with another payload have it as `other`.
    key bytea UNIQUE,
    other bytea,
    fingerprint bytea NOT NULL,
    until bigint NOT NULL,
    received bigint NOT NULL,
    occurred bigint,
    readable text NOT NULL,
    receiver text NOT NULL,
    tenant text,
    provider text NOT NULL,
    event text NOT NULL,
    lane text,
    key_id text,
    headers text
);
CREATE UNIQUE INDEX events_other ON inbox.events (other, fingerprint) WHERE other IS NOT NULL;
CREATE INDEX events_readable ON inbox.events USING hash (readable);

CREATE TABLE inbox.bodies (id bigint PRIMARY KEY, payload bytea NOT NULL);

-- Where an event stands: the one narrow row that changes.
CREATE TABLE inbox.turns (
    id bigint PRIMARY KEY,
    lane bigint,
    state smallint NOT NULL,
    blocks boolean NOT NULL DEFAULT false,
    attempts integer NOT NULL DEFAULT 0,
    due bigint,
    fence bigint NOT NULL DEFAULT 0,
    token bytea,
    until bigint NOT NULL,
    ended bigint,
    reason text,
    replayed_by text
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
-- What may be leased at some time, and nothing else.
CREATE INDEX turns_due ON inbox.turns (due) INCLUDE (state) WHERE due IS NOT NULL;
-- Whose turn it is in a lane: one, whatever happens.
CREATE UNIQUE INDEX turns_head ON inbox.turns (lane) WHERE lane IS NOT NULL AND (due IS NOT NULL OR blocks);
CREATE INDEX turns_waiting ON inbox.turns (lane, id) WHERE lane IS NOT NULL AND state = 0 AND due IS NULL;
CREATE INDEX turns_skipped ON inbox.turns (lane, id) WHERE lane IS NOT NULL AND state = 3;
CREATE INDEX turns_done ON inbox.turns (until) WHERE state = 2;
CREATE INDEX turns_aside ON inbox.turns (state, id) WHERE state >= 3;

CREATE TABLE inbox.steps (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event bigint NOT NULL,
    at bigint NOT NULL,
    what text NOT NULL,
    why text
);
CREATE INDEX steps_event ON inbox.steps (event);

-- One for all events, so that not even a key that was forgotten sees a fence twice.
CREATE SEQUENCE inbox.fences;

-- Stores the events of one delivery. `what`: 0 stored, 1 known, 2 kept apart.
CREATE FUNCTION inbox.accept_1(
    a_keys bytea[], a_fingerprints bytea[], a_untils bigint[], a_occurred bigint[], a_readable text[], a_receivers text[],
    a_tenants text[], a_providers text[], a_events text[], a_lanes text[], a_lane_keys bigint[], a_key_ids text[],
    a_headers text[], a_payloads bytea[], a_now bigint, a_due bigint, a_is_full boolean
) RETURNS TABLE (what integer, number bigint, is_new boolean) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    place integer;
    round integer;
    its_due bigint;
    its_reason text;
BEGIN
    -- Whoever accepts into a lane or ends a turn of it has the lane for himself. In one order, so that no two wait for each other.
    PERFORM pg_advisory_xact_lock(wanted.lane_key) FROM
        (SELECT DISTINCT lane_key FROM unnest(a_lane_keys) AS lane_key WHERE lane_key IS NOT NULL ORDER BY lane_key) AS wanted;
    FOR place IN 1..cardinality(a_keys) LOOP
        what := NULL;
        is_new := false;
        -- Somebody may purge or accept the same key between two looks.
        FOR round IN 1..8 LOOP
            SELECT e.id INTO number FROM inbox.events e WHERE e.key = a_keys[place] AND e.fingerprint = a_fingerprints[place];
            IF FOUND THEN
                what := 1;
                EXIT;
            END IF;
            IF a_is_full THEN
                SELECT e.id INTO number FROM inbox.events e
                    WHERE e.other = a_keys[place] AND e.fingerprint = a_fingerprints[place];
                IF NOT FOUND THEN
                    RAISE EXCEPTION 'a quota is reached' USING ERRCODE = 'WH001';
                END IF;
                what := 2;
                EXIT;
            END IF;
            INSERT INTO inbox.events
                (key, fingerprint, until, received, occurred, readable, receiver, tenant, provider, event, lane, key_id, headers)
                VALUES (a_keys[place], a_fingerprints[place], a_untils[place], a_now, a_occurred[place], a_readable[place],
                    a_receivers[place], a_tenants[place], a_providers[place], a_events[place], a_lanes[place],
                    a_key_ids[place], a_headers[place])
                ON CONFLICT (key) DO NOTHING RETURNING id INTO number;
            IF FOUND THEN
                what := 0;
                is_new := true;
                EXIT;
            END IF;
            SELECT e.id INTO number FROM inbox.events e WHERE e.other = a_keys[place] AND e.fingerprint = a_fingerprints[place];
            IF FOUND THEN
                what := 2;
                EXIT;
            END IF;
            PERFORM 1 FROM inbox.events e WHERE e.key = a_keys[place] AND e.fingerprint <> a_fingerprints[place];
            CONTINUE WHEN NOT FOUND;
            INSERT INTO inbox.events
                (other, fingerprint, until, received, occurred, readable, receiver, tenant, provider, event, lane, key_id, headers)
                VALUES (a_keys[place], a_fingerprints[place], a_untils[place], a_now, a_occurred[place], a_readable[place],
                    a_receivers[place], a_tenants[place], a_providers[place], a_events[place], a_lanes[place],
                    a_key_ids[place], a_headers[place])
                ON CONFLICT (other, fingerprint) WHERE other IS NOT NULL DO NOTHING RETURNING id INTO number;
            IF FOUND THEN
                what := 2;
                is_new := true;
                EXIT;
            END IF;
        END LOOP;
        IF what IS NULL THEN
            RAISE EXCEPTION 'a key changes all the time' USING ERRCODE = 'serialization_failure';
        END IF;
        IF is_new THEN
            its_due := NULL;
            its_reason := NULL;
            IF what = 2 THEN
                its_reason := 'its key came with another payload before';
            ELSIF a_lane_keys[place] IS NULL OR NOT EXISTS (
                SELECT 1 FROM inbox.turns t WHERE t.lane = a_lane_keys[place] AND (t.due IS NOT NULL OR t.blocks)
            ) THEN
                its_due := a_due;
            END IF;
            INSERT INTO inbox.turns (id, lane, state, due, until, reason)
                VALUES (number, a_lane_keys[place], CASE what WHEN 0 THEN 0 ELSE 5 END, its_due, a_untils[place], its_reason);
            INSERT INTO inbox.bodies (id, payload) VALUES (number, a_payloads[place]);
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

-- The next one's turn, where it is nobody's. The caller has the lane's lock.
CREATE FUNCTION inbox.go_on_1(a_lane bigint, a_due bigint) RETURNS void LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    IF EXISTS (SELECT 1 FROM inbox.turns t WHERE t.lane = a_lane AND (t.due IS NOT NULL OR t.blocks)) THEN
        RETURN;
    END IF;
    UPDATE inbox.turns t SET due = a_due WHERE t.id =
        (SELECT w.id FROM inbox.turns w WHERE w.lane = a_lane AND w.state = 0 AND w.due IS NULL ORDER BY w.id LIMIT 1);
END $$;

-- Ends a lease. False: it is not the caller's.
CREATE FUNCTION inbox.end_1(
    a_id bigint, a_token bytea, a_fence bigint, a_state smallint, a_due bigint, a_reason text, a_uncounted integer,
    a_blocks boolean, a_what text, a_now bigint, a_next bigint
) RETURNS boolean LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    its_lane bigint;
    its_attempts integer;
BEGIN
    SELECT t.lane INTO its_lane FROM inbox.turns t WHERE t.id = a_id;
    IF its_lane IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(its_lane);
    END IF;
    UPDATE inbox.turns t
        SET state = a_state, due = a_due, reason = coalesce(a_reason, t.reason), attempts = t.attempts - a_uncounted,
            ended = CASE WHEN a_due IS NULL THEN a_now END, blocks = a_blocks, token = NULL
        WHERE t.id = a_id AND t.token = a_token AND t.fence = a_fence AND t.state = 1
        RETURNING t.attempts INTO its_attempts;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF a_what IS NOT NULL THEN
        INSERT INTO inbox.steps (event, at, what, why) VALUES (a_id, a_now, format(a_what, its_attempts), a_reason);
    END IF;
    IF its_lane IS NOT NULL AND a_due IS NULL AND NOT a_blocks THEN
        PERFORM inbox.go_on_1(its_lane, a_next);
    END IF;
    RETURN true;
END $$;

-- What has ended and has a body is due again.
CREATE FUNCTION inbox.again_1(a_ids bigint[], a_by text, a_now bigint, a_due bigint) RETURNS bigint LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    its_id bigint;
    its_lane bigint;
    replayed bigint := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(wanted.lane) FROM
        (SELECT DISTINCT t.lane FROM inbox.turns t WHERE t.id = ANY (a_ids) AND t.lane IS NOT NULL ORDER BY t.lane) AS wanted;
    FOREACH its_id IN ARRAY a_ids LOOP
        SELECT t.lane INTO its_lane FROM inbox.turns t WHERE t.id = its_id AND t.state IN (2, 3, 4) FOR UPDATE;
        CONTINUE WHEN NOT FOUND;
        PERFORM 1 FROM inbox.bodies b WHERE b.id = its_id;
        CONTINUE WHEN NOT FOUND;
        UPDATE inbox.turns t
            SET state = 0, attempts = 0, blocks = false, ended = NULL, replayed_by = a_by,
                due = CASE WHEN its_lane IS NULL OR NOT EXISTS (
                    SELECT 1 FROM inbox.turns o
                        WHERE o.lane = its_lane AND (o.due IS NOT NULL OR o.blocks) AND o.id <> its_id
                ) THEN a_due END
            WHERE t.id = its_id;
        INSERT INTO inbox.steps (event, at, what, why) VALUES (its_id, a_now, 'replayed', a_by);
        replayed := replayed + 1;
    END LOOP;
    RETURN replayed;
END $$;

-- What events of this key said goes. What was not handled yet never will be, and counts as done.
CREATE FUNCTION inbox.erase_1(a_key text, a_now bigint, a_due bigint) RETURNS bigint LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    its record;
    erased bigint := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(wanted.lane) FROM
        (SELECT DISTINCT t.lane FROM inbox.events e JOIN inbox.turns t ON t.id = e.id
            WHERE e.readable = a_key AND t.lane IS NOT NULL ORDER BY t.lane) AS wanted;
    FOR its IN
        SELECT t.id, t.lane FROM inbox.events e JOIN inbox.turns t ON t.id = e.id WHERE e.readable = a_key
            ORDER BY t.id FOR UPDATE OF t
    LOOP
        DELETE FROM inbox.bodies b WHERE b.id = its.id;
        CONTINUE WHEN NOT FOUND;
        UPDATE inbox.turns t
            SET state = CASE t.state WHEN 5 THEN 5 ELSE 2 END, due = NULL, token = NULL, lane = NULL, blocks = false,
                ended = coalesce(t.ended, a_now), reason = 'erased'
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

-- Of so many bodies, those that are over. `last`: where to go on; none after the first that came too late to be over.
CREATE FUNCTION inbox.drop_bodies_1(a_after bigint, a_before bigint, a_most integer)
RETURNS TABLE (dropped bigint, last bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    ids bigint[];
    is_end boolean;
BEGIN
    SELECT array_agg(part.id) FILTER (WHERE part.received < a_before), max(part.id), bool_or(part.received >= a_before)
        INTO ids, last, is_end
        FROM (SELECT b.id, e.received FROM inbox.bodies b JOIN inbox.events e ON e.id = b.id
            WHERE b.id > a_after AND e.id > a_after ORDER BY b.id LIMIT a_most) AS part;
    -- Nobody replays it meanwhile.
    ids := ARRAY(SELECT t.id FROM inbox.turns t WHERE t.id = ANY (ids) AND t.state = 2 AND t.ended < a_before
        FOR UPDATE SKIP LOCKED);
    DELETE FROM inbox.bodies b WHERE b.id = ANY (ids);
    GET DIAGNOSTICS dropped = ROW_COUNT;
    IF is_end THEN
        last := NULL;
    END IF;
    RETURN NEXT;
END $$;

-- Of keys of what is done, so many that are over.
CREATE FUNCTION inbox.drop_keys_1(a_now bigint, a_most integer)
RETURNS TABLE (bodies bigint, keys bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    ids bigint[];
BEGIN
    ids := ARRAY(SELECT t.id FROM inbox.turns t WHERE t.state = 2 AND t.until <= a_now ORDER BY t.until LIMIT a_most
        FOR UPDATE SKIP LOCKED);
    DELETE FROM inbox.bodies b WHERE b.id = ANY (ids);
    GET DIAGNOSTICS bodies = ROW_COUNT;
    DELETE FROM inbox.steps s WHERE s.event = ANY (ids);
    DELETE FROM inbox.events e WHERE e.id = ANY (ids);
    DELETE FROM inbox.turns t WHERE t.id = ANY (ids);
    GET DIAGNOSTICS keys = ROW_COUNT;
    RETURN NEXT;
END $$;

CREATE TABLE inbox.version (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    -- Which of these files were the last.
    version integer NOT NULL,
    -- The lowest that a program must know to use it.
    needs integer NOT NULL
);
INSERT INTO inbox.version (version, needs) VALUES (1, 1);
