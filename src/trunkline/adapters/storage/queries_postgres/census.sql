-- The census of a list: records counted by what the rules tell apart. Open are the statuses 1, 2, 8 and 9.

-- name: census
-- $3 is now, $4 the attempts that the list allows.
SELECT
    w.time_zone, w.from_s, w.until_s, w.region, w.other_zones,
    g.status, g.record_type, g.hold, g.is_dialable, g.is_exhausted, g.due_hour, g.passes_filter, g.records
FROM (
    SELECT
        CASE WHEN r.status IN (1, 2, 8, 9) THEN r.window_id END AS window_id,
        r.status, r.record_type, r.hold,
        r.phone_type NOT IN (10, 11) AS is_dialable,
        r.status IN (1, 2, 8, 9) AND r.attempts >= $4::integer AS is_exhausted,
        CASE
            WHEN r.due_at_s IS NULL OR r.status NOT IN (1, 2, 8, 9) THEN -1
            WHEN r.due_at_s <= $3::bigint THEN 0
            ELSE least((r.due_at_s - $3::bigint + 3599) / 3600, 25)::integer
        END AS due_hour,
        coalesce($condition, false) AS passes_filter,
        count(*) AS records
    FROM record AS r
    $window_of_record
    WHERE r.contact_centre_id = $1 AND r.list_id = $2
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
) AS g
LEFT JOIN calling_window AS w ON w.contact_centre_id = $1 AND w.list_id = $2 AND w.window_id = g.window_id

-- name: chain_span
-- The first and the last chain of a list.
SELECT
    (SELECT min(chain_id) FROM record WHERE contact_centre_id = $1 AND list_id = $2) AS first,
    (SELECT max(chain_id) FROM record WHERE contact_centre_id = $1 AND list_id = $2) AS last

-- name: first_ready
-- Of each range of chains ($3 to $4, end exclusive) the first record that waits to be called.
SELECT r.*
FROM unnest($3::bigint[], $4::bigint[]) AS part (first, last)
CROSS JOIN LATERAL (
    SELECT $record_columns
    FROM record AS r
    WHERE r.contact_centre_id = $1 AND r.list_id = $2 AND r.chain_id >= part.first AND r.chain_id < part.last
        AND r.status = 1 AND r.record_type <> 7 AND r.phone_type NOT IN (10, 11)
    ORDER BY r.chain_id, r.chain_n
    LIMIT 1
) AS r
ORDER BY r.chain_id

-- name: records_by_id
-- Records of some lists ($2) with one record id ($3); no index holds it, so the lists are read.
SELECT $record_columns
FROM record AS r
WHERE r.contact_centre_id = $1 AND r.list_id = ANY ($2::integer[]) AND r.record_id = $3
ORDER BY r.list_id, r.chain_id, r.chain_n
