-- Desks: who holds which record under which handle.

-- fragment: desk_columns
d.contact_centre_id, d.handle, d.list_id, d.chain_id, d.chain_n, d.user_id, d.device_id, d.campaign_id,
d.attempt_guid, d.lease_until_ms, d.is_settled, d.shares, d.permitted_at_ms

-- fragment: record_of_desk
JOIN record AS r ON r.contact_centre_id = d.contact_centre_id AND r.list_id = d.list_id
    AND r.chain_id = d.chain_id AND r.chain_n = d.chain_n

-- name: held
-- Desk entries with their records by contact centre ($1) and handle ($2), pairwise.
SELECT $record_columns, $desk_columns
FROM unnest($1::integer[], $2::bigint[]) AS k (contact_centre_id, handle)
JOIN desk AS d ON d.contact_centre_id = k.contact_centre_id AND d.handle = k.handle
$record_of_desk

-- name: entries_of_chain
-- All desk entries of one chain.
SELECT $desk_columns
FROM desk AS d
WHERE d.contact_centre_id = $1 AND d.list_id = $2 AND d.chain_id = $3
ORDER BY d.handle

-- name: desk_of
-- Everything on one agent's desk.
SELECT $record_columns, $desk_columns
FROM desk AS d
$record_of_desk
WHERE d.contact_centre_id = $1 AND d.user_id = $2
ORDER BY d.handle

-- name: expired
-- Entries whose lease ended by $1, oldest first, at most $2.
SELECT $record_columns, $desk_columns
FROM (
    SELECT * FROM desk
    WHERE lease_until_ms IS NOT NULL AND lease_until_ms <= $1
    ORDER BY lease_until_ms, contact_centre_id, handle
    LIMIT $2
) AS d
$record_of_desk
ORDER BY d.lease_until_ms, d.contact_centre_id, d.handle

-- name: desk_page
-- Entries behind contact centre $1 and handle $2 whose fate is open, at most $3.
SELECT $record_columns, $desk_columns
FROM (
    SELECT * FROM desk AS k
    WHERE (contact_centre_id, handle) > ($1::integer, $2::integer) AND NOT is_settled
        AND EXISTS (
            SELECT FROM record AS r WHERE r.contact_centre_id = k.contact_centre_id AND r.list_id = k.list_id
                AND r.chain_id = k.chain_id AND r.chain_n = k.chain_n
        )
    ORDER BY contact_centre_id, handle
    LIMIT $3
) AS d
$record_of_desk
ORDER BY d.contact_centre_id, d.handle

-- name: put_on_desk
-- Write desk entries; what exists is replaced.
INSERT INTO desk (
    contact_centre_id, handle, list_id, chain_id, chain_n, user_id, device_id, campaign_id,
    attempt_guid, lease_until_ms, is_settled, shares, permitted_at_ms
)
SELECT * FROM unnest(
    $1::integer[], $2::integer[], $3::integer[], $4::bigint[], $5::integer[], $6::integer[], $7::text[],
    $8::integer[], $9::text[], $10::bigint[], $11::boolean[], $12::text[], $13::bigint[]
)
ON CONFLICT (contact_centre_id, handle) DO UPDATE SET
    list_id = EXCLUDED.list_id, chain_id = EXCLUDED.chain_id, chain_n = EXCLUDED.chain_n,
    user_id = EXCLUDED.user_id, device_id = EXCLUDED.device_id, campaign_id = EXCLUDED.campaign_id,
    attempt_guid = EXCLUDED.attempt_guid, lease_until_ms = EXCLUDED.lease_until_ms,
    is_settled = EXCLUDED.is_settled, shares = EXCLUDED.shares, permitted_at_ms = EXCLUDED.permitted_at_ms

-- name: take_off_desk
-- Remove desk entries by contact centre ($1) and handle ($2), pairwise.
DELETE FROM desk AS d
USING unnest($1::integer[], $2::integer[]) AS k (contact_centre_id, handle)
WHERE d.contact_centre_id = k.contact_centre_id AND d.handle = k.handle

-- name: has_preview_session
-- Whether an agent takes preview records of a campaign.
SELECT EXISTS (
    SELECT FROM preview_session WHERE contact_centre_id = $1 AND user_id = $2 AND campaign_id = $3
)

-- name: preview_sessions
-- The campaigns of an agent's preview sessions.
SELECT campaign_id FROM preview_session WHERE contact_centre_id = $1 AND user_id = $2 ORDER BY campaign_id

-- name: open_preview_sessions
-- Begin preview sessions; one that exists stays.
INSERT INTO preview_session (contact_centre_id, user_id, campaign_id)
SELECT * FROM unnest($1::integer[], $2::integer[], $3::integer[])
ON CONFLICT DO NOTHING

-- name: close_preview_sessions
-- End preview sessions.
DELETE FROM preview_session AS p
USING unnest($1::integer[], $2::integer[], $3::integer[]) AS k (contact_centre_id, user_id, campaign_id)
WHERE p.contact_centre_id = k.contact_centre_id AND p.user_id = k.user_id AND p.campaign_id = k.campaign_id

-- name: agent_session
-- An agent's log-in.
SELECT contact_centre_id, user_id, device_id, state_name, started_at_ms, place
FROM agent_session
WHERE contact_centre_id = $1 AND user_id = $2

-- name: log_in_agents
-- Write log-ins; what exists is replaced.
INSERT INTO agent_session (contact_centre_id, user_id, device_id, state_name, started_at_ms, place)
SELECT * FROM unnest($1::integer[], $2::integer[], $3::text[], $4::text[], $5::bigint[], $6::text[])
ON CONFLICT (contact_centre_id, user_id) DO UPDATE SET
    device_id = EXCLUDED.device_id, state_name = EXCLUDED.state_name,
    started_at_ms = EXCLUDED.started_at_ms, place = EXCLUDED.place

-- name: log_out_agents
-- Remove log-ins.
DELETE FROM agent_session AS a
USING unnest($1::integer[], $2::integer[]) AS k (contact_centre_id, user_id)
WHERE a.contact_centre_id = k.contact_centre_id AND a.user_id = k.user_id
