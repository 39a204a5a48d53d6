-- Many records at once: imports and exports. Keys come as one text with a line for each: the driver looks at every
-- element of an array, and no key holds a line's end.

-- name: known_numbers
-- Those of the canonical numbers $3 that records of list $2 have; of any list of the contact centre when that is NULL.
SELECT k.number_key FROM unnest(string_to_array($3, E'\n')) AS k (number_key)
WHERE EXISTS (
    SELECT FROM record AS r
    WHERE r.number_key = k.number_key AND r.contact_centre_id = $1 AND ($2::integer IS NULL OR r.list_id = $2)
)

-- name: known_customers
-- Those of the customer ids $3 that records of the lists $2 have.
SELECT k.customer_id FROM unnest(string_to_array($3, E'\n')) AS k (customer_id)
WHERE EXISTS (
    SELECT FROM unnest($2::integer[]) AS l (list_id)
    JOIN record AS r ON r.contact_centre_id = $1 AND r.list_id = l.list_id AND r.customer_id = k.customer_id
)

-- name: lists_with_records
-- Ids of the lists of a contact centre that have records: a jump from each to the next.
WITH RECURSIVE l (list_id) AS (
    SELECT (SELECT min(r.list_id) FROM record AS r WHERE r.contact_centre_id = $1)
    UNION ALL
    SELECT (SELECT min(r.list_id) FROM record AS r WHERE r.contact_centre_id = $1 AND r.list_id > l.list_id)
    FROM l WHERE l.list_id IS NOT NULL
)
SELECT list_id FROM l WHERE list_id IS NOT NULL

-- name: all_suppressed
-- The keys of kind $3 that the suppression lists $2 forbid for the whole contact centre at $4, each as often as it is
-- forbidden; $5 at most.
SELECT s.value_key
FROM unnest($2::integer[]) AS l (suppression_list_id)
JOIN suppression AS s
    ON s.contact_centre_id = $1 AND s.suppression_list_id = l.suppression_list_id AND s.kind = $3
WHERE s.campaign_id = 0 AND (s.expires_at_s IS NULL OR s.expires_at_s > $4)
LIMIT $5

-- name: suppressed_keys
-- Those of the keys $4 of kind $3 that the suppression lists $2 forbid for the whole contact centre at $5.
SELECT DISTINCT s.value_key
FROM unnest(string_to_array($4, E'\n')) AS k (value_key)
JOIN suppression AS s ON s.contact_centre_id = $1 AND s.kind = $3 AND s.value_key = k.value_key
WHERE s.suppression_list_id = ANY ($2::integer[]) AND s.campaign_id = 0
    AND (s.expires_at_s IS NULL OR s.expires_at_s > $5)

-- name: move_import
-- Note how far an import is: from $4 to $5, with $6 records more and $7 refused rows more; the file is $8.
-- The first statement of a block: another run of the import waits here, and finds the note elsewhere then.
UPDATE import_run SET
    source_rows_done = $5, records_added = records_added + $6, rows_refused = rows_refused + $7
WHERE contact_centre_id = $1 AND list_id = $2 AND import_id = $3
    AND state = 'running' AND source_rows_done = $4 AND file_digest = $8

-- name: records_after
-- Records of a list behind a chain ($3) and a place in it ($4), in their order.
SELECT $record_columns
FROM record AS r
WHERE r.contact_centre_id = $1 AND r.list_id = $2 AND (r.chain_id, r.chain_n) > ($3, $4)
ORDER BY r.chain_id, r.chain_n
LIMIT $5
