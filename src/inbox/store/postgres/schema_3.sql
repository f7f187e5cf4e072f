-- Several deliveries that wait at the same time share a call.

-- As `accept_1`, or no row: then nothing of it has happened, since one of them cannot be stored, or is behind somebody who has its
-- lane, and whoever asks asks for each alone.
CREATE FUNCTION inbox.accept_3(
    a_keys bytea[], a_fingerprints bytea[], a_untils bigint[], a_occurred bigint[], a_readable text[], a_receivers text[],
    a_tenants text[], a_providers text[], a_events text[], a_lanes text[], a_lane_keys bigint[], a_key_ids text[],
    a_headers text[], a_payloads bytea[], a_now bigint, a_due bigint, a_is_full boolean
) RETURNS TABLE (what integer, number bigint, is_new boolean) LANGUAGE plpgsql SET lock_timeout = '100ms' AS $$
BEGIN
    RETURN QUERY SELECT * FROM inbox.accept_1(
        a_keys, a_fingerprints, a_untils, a_occurred, a_readable, a_receivers, a_tenants, a_providers,
        a_events, a_lanes, a_lane_keys, a_key_ids, a_headers, a_payloads, a_now, a_due, a_is_full
    );
EXCEPTION WHEN OTHERS THEN
    RETURN;
END $$;

UPDATE inbox.version SET version = 3;
