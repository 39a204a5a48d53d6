-- What goes when its time is over.

-- name: attempt_parts
-- Tables of the attempt log's parts.
SELECT c.relname::text FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE i.inhparent = 'attempt_log'::regclass

-- name: oldest_stray
-- When the oldest row was written that lies in no month's part. Reads the default part, which is empty as a rule.
SELECT min(at_ms) FROM attempt_log_rest

-- name: drop_suppressions
-- Delete at most $2 entries that ended before $1; how many went.
WITH gone AS (
    DELETE FROM suppression AS s
    USING (
        SELECT contact_centre_id, kind, value_key, suppression_list_id, campaign_id FROM suppression
        WHERE expires_at_s < $1 ORDER BY expires_at_s LIMIT $2
    ) AS k
    WHERE s.contact_centre_id = k.contact_centre_id AND s.kind = k.kind AND s.value_key = k.value_key
        AND s.suppression_list_id = k.suppression_list_id AND s.campaign_id = k.campaign_id
    RETURNING 1
)
SELECT count(*) FROM gone
