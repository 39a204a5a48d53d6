-- Callbacks by time, and who is there to take them.

-- name: callbacks
-- A page of callbacks of contact centre $1 in status $2, due by $3, behind due time $4, list $5, chain $6 and place $7,
-- oldest first.
SELECT $record_columns
FROM record AS r
WHERE r.contact_centre_id = $1 AND r.callback_status = $2::smallint AND r.due_at_s <= $3
    AND (r.due_at_s, r.list_id, r.chain_id, r.chain_n) > ($4::bigint, $5::integer, $6::bigint, $7::integer)
    AND ($8::integer IS NULL OR r.list_id = $8) AND ($9::integer IS NULL OR r.agent_id = $9)
    AND ($10::integer IS NULL OR r.campaign_id = $10) AND ($11::smallint IS NULL OR r.record_type = $11)
ORDER BY r.due_at_s, r.list_id, r.chain_id, r.chain_n
LIMIT $12

-- name: presences
-- Everybody of contact centre $1 who is logged in or takes preview records, by user.
SELECT
    coalesce(a.user_id, p.user_id) AS user_id, a.device_id,
    coalesce(array_agg(p.campaign_id) FILTER (WHERE p.campaign_id IS NOT NULL), '{}') AS campaign_ids
FROM (SELECT user_id, device_id FROM agent_session WHERE contact_centre_id = $1) AS a
FULL JOIN (SELECT user_id, campaign_id FROM preview_session WHERE contact_centre_id = $1) AS p ON p.user_id = a.user_id
GROUP BY 1, 2
ORDER BY 1
