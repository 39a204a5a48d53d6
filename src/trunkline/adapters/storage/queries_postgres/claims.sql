-- The hand-out: chains claimed for a campaign group, and the buffer in which they wait.
--
-- Status 1 is READY, 2 RETRIEVED, 8 MISSED_CALL_BACK, 9 CHAIN_READY; the contact types 10 and 11 are never dialed;
-- the record types 4 and 5 are personal, priority 2 is that of callbacks for anyone. A window and a priority are a slot:
-- slots are given in the order in which they are to be emptied. "/* condition */ true", "/* order */" and "/* window */"
-- stand where a filter's condition and order are put in, and the calling window of which they may speak.

-- fragment: ready
r.is_claimable AND r.status = 1 AND r.phone_type NOT IN (10, 11)

-- fragment: records_of_chain
-- Of a record that is known to be alone nothing is read, and nothing is counted.
CASE WHEN r.is_alone THEN 0 ELSE (
    SELECT count(*) FROM record AS s
    WHERE s.contact_centre_id = r.contact_centre_id AND s.list_id = r.list_id AND s.chain_id = r.chain_id
) END

-- fragment: none_out
CASE WHEN r.is_alone THEN 0 ELSE (
    SELECT count(*) FROM record AS s
    WHERE s.contact_centre_id = r.contact_centre_id AND s.list_id = r.list_id AND s.chain_id = r.chain_id
        AND s.status = 2
) END = 0

-- fragment: claimable
$ready AND r.attempts < $5 AND NOT r.chain_id = ANY ($6::bigint[]) AND $none_out AND /* condition */ true

-- name: fresh_first
-- The first READY record of each slot of a list ($2), whether it may be taken or not: window ($3), priority ($4), and
-- the chain before which there is none ($5), pairwise. The last row (window 0) tells the greatest window number there is:
-- more windows than the caller knows mean that another program added some. "is_held": by a transaction that is running.
SELECT s.window_id, s.priority, h.due_at_s, h.chain_id, h.chain_n,
    h.held_by <> '0'::xid
    AND h.held_by IN (SELECT xip::xid FROM pg_snapshot_xip(pg_current_snapshot()) AS xip) AS is_held
FROM unnest($3::integer[], $4::smallint[], $5::bigint[]) AS s (window_id, priority, mark)
CROSS JOIN LATERAL (
    SELECT 0::bigint AS due_at_s, r.chain_id, r.chain_n, r.xmax AS held_by
    FROM record AS r
    WHERE r.contact_centre_id = $1 AND r.list_id = $2 AND r.window_id = s.window_id AND r.priority = s.priority
        AND r.due_at_s IS NULL AND r.chain_id >= s.mark AND $ready
    ORDER BY r.chain_id, r.chain_n
    LIMIT 1
) AS h
UNION ALL
SELECT 0, 0::smallint, 0, coalesce(max(w.window_id), 0), 0, false
FROM calling_window AS w
WHERE w.contact_centre_id = $1 AND w.list_id = $2

-- name: due_first
-- The same for records whose time has come by $6; $5 are due times before which there is none.
SELECT s.window_id, s.priority, h.due_at_s, h.chain_id, h.chain_n, false AS is_held
FROM unnest($3::integer[], $4::smallint[], $5::bigint[]) AS s (window_id, priority, mark)
CROSS JOIN LATERAL (
    SELECT r.due_at_s, r.chain_id, r.chain_n
    FROM record AS r
    WHERE r.contact_centre_id = $1 AND r.list_id = $2 AND r.window_id = s.window_id AND r.priority = s.priority
        AND r.due_at_s >= s.mark AND r.due_at_s <= $6 AND $ready
    ORDER BY r.due_at_s, r.chain_id, r.chain_n
    LIMIT 1
) AS h
UNION ALL
SELECT 0, 0::smallint, 0, coalesce(max(w.window_id), 0), 0, false
FROM calling_window AS w
WHERE w.contact_centre_id = $1 AND w.list_id = $2

-- name: fresh_heads
-- The first record of each slot of a list ($2) that may be taken: of every window ($3) and priority ($4). Limit of
-- attempts $5, chains passed over $6.
SELECT s.window_id, p.priority, h.due_at_s, h.chain_id, h.chain_n
FROM unnest($3::integer[]) AS s (window_id)
CROSS JOIN unnest($4::smallint[]) AS p (priority)
CROSS JOIN LATERAL (
    SELECT 0::bigint AS due_at_s, r.chain_id, r.chain_n
    FROM record AS r /* window */
    WHERE r.contact_centre_id = $1 AND r.list_id = $2 AND r.window_id = s.window_id AND r.priority = p.priority
        AND r.due_at_s IS NULL AND $claimable
    ORDER BY r.chain_id, r.chain_n
    LIMIT 1
) AS h

-- name: due_heads
-- The same for records whose time has come by $7.
SELECT s.window_id, p.priority, h.due_at_s, h.chain_id, h.chain_n
FROM unnest($3::integer[]) AS s (window_id)
CROSS JOIN unnest($4::smallint[]) AS p (priority)
CROSS JOIN LATERAL (
    SELECT r.due_at_s, r.chain_id, r.chain_n
    FROM record AS r /* window */
    WHERE r.contact_centre_id = $1 AND r.list_id = $2 AND r.window_id = s.window_id AND r.priority = p.priority
        AND r.due_at_s <= $7 AND $claimable
    ORDER BY r.due_at_s, r.chain_id, r.chain_n
    LIMIT 1
) AS h

-- fragment: take
-- What was picked is locked. The rest of its chain is locked too, or the chain is left: another program has a part of it.
chosen AS MATERIALIZED (
    SELECT p.chain_id, min(p.n) AS n, count(*) AS picks, max(p.records) AS records, max(p.slot) AS slot
    FROM picked AS p
    GROUP BY p.chain_id
),
siblings AS MATERIALIZED (
    SELECT s.*
    FROM chosen AS c
    CROSS JOIN LATERAL (
        SELECT r.chain_id, r.ctid AS row_at, r.status
        FROM record AS r
        WHERE r.contact_centre_id = $1 AND r.list_id = $2 AND r.chain_id = c.chain_id
        FOR UPDATE SKIP LOCKED
    ) AS s
    WHERE c.records > 1
),
whole AS MATERIALIZED (
    SELECT c.chain_id, c.n, c.picks, c.slot,
        c.records <= 1
        OR c.records = (SELECT count(*) FROM siblings AS s WHERE s.chain_id = c.chain_id AND s.status <> 2) AS is_whole,
        -- An entry that was left behind by a chain which was closed meanwhile, and opened again.
        (
            SELECT b.ctid FROM buffer AS b
            WHERE b.contact_centre_id = $1 AND b.list_id = $2 AND b.chain_id = c.chain_id
        ) AS entry_at
    FROM chosen AS c
),
opened AS MATERIALIZED (
    SELECT p.row_at FROM picked AS p WHERE p.records <= 1
    UNION ALL
    SELECT s.row_at FROM siblings AS s JOIN whole AS w ON w.chain_id = s.chain_id
    WHERE w.is_whole AND s.status IN (1, 8, 9)
),
taken AS (
    UPDATE record AS r SET status = 2, campaign_id = $9, version = r.version + 1
    FROM opened AS o
    WHERE r.ctid = o.row_at
),
moved AS (
    UPDATE buffer AS b
    SET campaign_group_id = $8, place = $10::bigint + (w.n - 1) * $11::bigint, taken_at_ms = $12::bigint,
        lease_until_ms = $13::bigint
    FROM whole AS w
    WHERE b.ctid = w.entry_at AND w.is_whole AND w.entry_at IS NOT NULL
),
buffered AS (
    INSERT INTO buffer (contact_centre_id, list_id, chain_id, campaign_group_id, place, taken_at_ms, lease_until_ms)
    SELECT $1, $2, w.chain_id, $8, $10::bigint + (w.n - 1) * $11::bigint, $12::bigint, $13::bigint
    FROM whole AS w
    WHERE w.is_whole AND w.entry_at IS NULL
)
SELECT w.chain_id, w.picks, w.slot, w.is_whole FROM whole AS w ORDER BY w.n

-- name: claim_fresh
-- Take chains of a list ($2) whose slots are the pairs of window ($3) and priority ($4), $7 records at most, for group
-- $8 and campaign $9; their places from $10 in steps of $11; taken at $12 until $13. Limit of attempts $5, chains
-- passed over $6. Of each slot the chain before which there is none: $14. Yields the chains in order, how many of their
-- records were picked, the place of the slot, and whether they were taken.
WITH picked AS MATERIALIZED (
    SELECT row_number() OVER () AS n, found.*
    FROM (
        SELECT c.*, s.slot
        FROM unnest($3::integer[], $4::smallint[], $14::bigint[]) WITH ORDINALITY AS s (window_id, priority, mark, slot)
        CROSS JOIN LATERAL (
            SELECT r.chain_id, r.ctid AS row_at, $records_of_chain AS records
            FROM record AS r /* window */
            WHERE r.contact_centre_id = $1 AND r.list_id = $2 AND r.window_id = s.window_id
                AND r.priority = s.priority AND r.due_at_s IS NULL AND r.chain_id >= s.mark AND $claimable
            ORDER BY r.chain_id, r.chain_n
            LIMIT 1000
            FOR UPDATE OF r SKIP LOCKED
        ) AS c
        LIMIT $7
    ) AS found
),
$take

-- name: claim_due
-- The same for records whose time has come by $14; $15 are due times before which there is none.
WITH picked AS MATERIALIZED (
    SELECT row_number() OVER () AS n, found.*
    FROM (
        SELECT c.*, s.slot
        FROM unnest($3::integer[], $4::smallint[], $15::bigint[]) WITH ORDINALITY AS s (window_id, priority, mark, slot)
        CROSS JOIN LATERAL (
            SELECT r.chain_id, r.ctid AS row_at, $records_of_chain AS records
            FROM record AS r /* window */
            WHERE r.contact_centre_id = $1 AND r.list_id = $2 AND r.window_id = s.window_id
                AND r.priority = s.priority AND r.due_at_s >= s.mark AND r.due_at_s <= $14 AND $claimable
            ORDER BY r.due_at_s, r.chain_id, r.chain_n
            LIMIT 1000
            FOR UPDATE OF r SKIP LOCKED
        ) AS c
        LIMIT $7
    ) AS found
),
$take

-- name: claim_fresh_in_order
-- As claim_fresh in a filter's own order: for each priority ($4) through all open windows ($3). It looks at every
-- record that may be taken.
WITH picked AS MATERIALIZED (
    SELECT row_number() OVER () AS n, found.*
    FROM (
        SELECT c.*, 0::bigint AS slot
        FROM unnest($4::smallint[]) AS s (priority)
        CROSS JOIN LATERAL (
            SELECT r.chain_id, r.ctid AS row_at, $records_of_chain AS records
            FROM record AS r /* window */
            WHERE r.contact_centre_id = $1 AND r.list_id = $2 AND r.window_id = ANY ($3::integer[])
                AND r.priority = s.priority AND r.due_at_s IS NULL AND $claimable
            ORDER BY /* order */ r.chain_id, r.chain_n
            LIMIT 1000
            FOR UPDATE OF r SKIP LOCKED
        ) AS c
        LIMIT $7
    ) AS found
),
$take

-- name: claim_due_in_order
-- The same for records whose time has come by $14.
WITH picked AS MATERIALIZED (
    SELECT row_number() OVER () AS n, found.*
    FROM (
        SELECT c.*, 0::bigint AS slot
        FROM unnest($4::smallint[]) AS s (priority)
        CROSS JOIN LATERAL (
            SELECT r.chain_id, r.ctid AS row_at, $records_of_chain AS records
            FROM record AS r /* window */
            WHERE r.contact_centre_id = $1 AND r.list_id = $2 AND r.window_id = ANY ($3::integer[])
                AND r.priority = s.priority AND r.due_at_s <= $14 AND $claimable
            ORDER BY /* order */ r.due_at_s, r.chain_id, r.chain_n
            LIMIT 1000
            FOR UPDATE OF r SKIP LOCKED
        ) AS c
        LIMIT $7
    ) AS found
),
$take

-- fragment: promised
$ready AND r.attempts < l.max_attempts AND $none_out AND /* condition */ true
AND NOT (
    r.chain_id = ANY ($9::bigint[])
    AND EXISTS (
        SELECT FROM unnest($8::integer[], $9::bigint[]) AS p (list_id, chain_id)
        WHERE p.list_id = r.list_id AND p.chain_id = r.chain_id
    )
)

-- name: callback_head
-- The callback that an agent ($6) is to get next at $7: list, chain, place in it and version. Lists by place, pairwise:
-- id $2, limit of attempts $3, newest window known $10. Open windows: place of the list $4, window $5. Chains passed
-- over: list $8, chain $9. "unknown" are lists with windows that the caller does not know: its answer does not count.
WITH listed AS MATERIALIZED (
    SELECT * FROM unnest($2::integer[], $3::integer[], $10::integer[]) WITH ORDINALITY
        AS l (list_id, max_attempts, newest_window, place)
),
opened AS MATERIALIZED (
    SELECT l.list_id, l.max_attempts, l.place, s.window_id
    FROM unnest($4::bigint[], $5::integer[]) AS s (place, window_id)
    JOIN listed AS l ON l.place = s.place
)
SELECT head.list_id, head.chain_id, head.chain_n, head.version,
    ARRAY (
        SELECT l.list_id FROM listed AS l
        WHERE EXISTS (
            SELECT FROM calling_window AS w
            WHERE w.contact_centre_id = $1 AND w.list_id = l.list_id AND w.window_id > l.newest_window
        )
    ) AS unknown
FROM (SELECT) AS one
LEFT JOIN (
    SELECT c.list_id, c.chain_id, c.chain_n, c.version
    FROM (
        SELECT r.list_id, r.chain_id, r.chain_n, r.version, r.priority, coalesce(r.due_at_s, 0) AS due_at_s, l.place
        FROM record AS r
        JOIN opened AS l ON l.list_id = r.list_id AND l.window_id = r.window_id /* window */
        WHERE r.contact_centre_id = $1 AND r.agent_id = $6 AND r.callback_status = 1 AND r.record_type IN (4, 5)
            AND (r.due_at_s IS NULL OR r.due_at_s <= $7) AND $promised
        UNION ALL
        SELECT due.*, l.place
        FROM opened AS l
        CROSS JOIN LATERAL (
            SELECT r.list_id, r.chain_id, r.chain_n, r.version, r.priority, r.due_at_s
            FROM record AS r /* window */
            WHERE r.contact_centre_id = $1 AND r.list_id = l.list_id AND r.window_id = l.window_id AND r.priority = 2
                AND r.due_at_s <= $7 AND $promised
            ORDER BY r.due_at_s, r.chain_id, r.chain_n
            LIMIT 1
        ) AS due
    ) AS c
    ORDER BY c.priority, c.due_at_s, c.place, c.chain_id, c.chain_n
    LIMIT 1
) AS head ON true

-- name: claim_one
-- Take the chain of one record: list $2, chain $3, place in it $4, version $5; the rest as for claim_fresh.
WITH picked AS MATERIALIZED (
    SELECT 1::bigint AS n, r.chain_id, r.ctid AS row_at, $records_of_chain AS records, 0::bigint AS slot
    FROM record AS r
    WHERE r.contact_centre_id = $1 AND r.list_id = $2 AND r.chain_id = $3 AND r.chain_n = $4 AND r.version = $5
        AND r.status = 1 AND $none_out AND $6::bigint[] IS NULL AND $7::bigint IS NULL
    FOR UPDATE OF r SKIP LOCKED
),
$take

-- name: wait_a_little
-- Wait for $1 seconds.
SELECT pg_sleep($1)

-- fragment: buffer_columns
b.contact_centre_id, b.list_id, b.chain_id, b.campaign_group_id, b.place, b.taken_at_ms, b.lease_until_ms

-- name: buffered
-- The chains that a group's buffer hands out next, with their records (none when they were deleted): group $2, chains
-- to leave out: list $3, chain $4; $5 chains at most.
SELECT $buffer_columns, $record_columns
FROM (
    SELECT $buffer_columns FROM buffer AS b
    WHERE b.contact_centre_id = $1 AND b.campaign_group_id = $2
        AND NOT EXISTS (
            SELECT FROM unnest($3::integer[], $4::bigint[]) AS p (list_id, chain_id)
            WHERE p.list_id = b.list_id AND p.chain_id = b.chain_id
        )
    ORDER BY b.place, b.list_id, b.chain_id
    LIMIT $5
) AS b
LEFT JOIN LATERAL (
    SELECT r.* FROM record AS r
    WHERE r.contact_centre_id = b.contact_centre_id AND r.list_id = b.list_id AND r.chain_id = b.chain_id
) AS r ON true
ORDER BY b.place, b.list_id, b.chain_id, r.chain_n

-- name: buffers_ended
-- Buffered chains whose lease ended by $1, the first $2, with their records.
SELECT $buffer_columns, $record_columns
FROM (
    SELECT $buffer_columns FROM buffer AS b
    WHERE b.lease_until_ms <= $1
    ORDER BY b.lease_until_ms, b.contact_centre_id, b.list_id, b.chain_id
    LIMIT $2
) AS b
LEFT JOIN LATERAL (
    SELECT r.* FROM record AS r
    WHERE r.contact_centre_id = b.contact_centre_id AND r.list_id = b.list_id AND r.chain_id = b.chain_id
) AS r ON true
ORDER BY b.lease_until_ms, b.contact_centre_id, b.list_id, b.chain_id, r.chain_n

-- name: buffer_entry
-- The buffer entry of a chain.
SELECT $buffer_columns FROM buffer AS b WHERE b.contact_centre_id = $1 AND b.list_id = $2 AND b.chain_id = $3

-- name: buffer_sizes
-- Every group that has a buffer.
SELECT b.contact_centre_id, b.campaign_group_id, count(*)
FROM buffer AS b
GROUP BY b.contact_centre_id, b.campaign_group_id
ORDER BY b.contact_centre_id, b.campaign_group_id

-- name: buffer_size
-- Chains in a group's buffer.
SELECT count(*) FROM buffer AS b WHERE b.contact_centre_id = $1 AND b.campaign_group_id = $2

-- name: take_off_buffer
-- Remove chains from the buffer; the tag tells how many there were.
DELETE FROM buffer AS b
USING unnest($1::integer[], $2::integer[], $3::bigint[]) AS k (contact_centre_id, list_id, chain_id)
WHERE b.contact_centre_id = k.contact_centre_id AND b.list_id = k.list_id AND b.chain_id = k.chain_id
