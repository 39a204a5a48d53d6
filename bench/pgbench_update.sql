-- What one UpdateRecord writes, as one statement of one transaction: the yardstick for the server's own path.
-- It resolves a demo agent's handle, changes the record, and appends the journal row with its event, in the same
-- columns. The reference id, its key and the elapsed time differ from row to row, as real ones do.
--
-- On a database with demo data of at least :agents agents:
--   pgbench --no-vacuum --protocol prepared --define agents=1000 --file bench/pgbench_update.sql ...
\set n random(1, :agents)
\set phone_type random(1, 9)
\set request_key random(-4000000000000000000, 4000000000000000000)
\set elapsed_ns random(100000, 9000000)
WITH held AS (
    SELECT contact_centre_id, handle, list_id, chain_id, chain_n, user_id, campaign_id
    FROM desk
    WHERE contact_centre_id = 1 AND handle = 1000000 + :n
),
changed AS (
    UPDATE record AS r SET phone_type = :phone_type, version = r.version + 1
    FROM held AS h
    WHERE r.contact_centre_id = h.contact_centre_id AND r.list_id = h.list_id AND r.chain_id = h.chain_id
        AND r.chain_n = h.chain_n
    RETURNING h.*
)
INSERT INTO journal (
    contact_centre_id, user_id, at_ms, request_type, door, campaign_id, list_id, handle, outcome, reference,
    request_key, elapsed_ns, events
)
SELECT
    contact_centre_id, user_id, (extract(epoch FROM clock_timestamp()) * 1000)::bigint, 9, 1, campaign_id, list_id,
    handle, 0, '"D12E8CE7-2A8F-4ADF-9A38-6D7CC0F3B2D4"', :request_key, :elapsed_ns,
    '[{"event":"record-acknowledged","device_id":"demo-device-123","door":1,"reference":"D12E8CE7-2A8F-4ADF-9A38-6D7CC0F3B2D4","what":"updated","application_id":134,"campaign_name":"Campaign1","list_name":"CallingList1","handle":1000123,"call_result":21}]'::bytea
FROM changed;
