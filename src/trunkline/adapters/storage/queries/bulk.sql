-- Many records at once: imports and exports.

-- name: known_numbers
-- Those of the canonical numbers that records of a list have; of any list of the contact centre when that is null.
SELECT json_group_array(k.value) FROM json_each(:keys) k
WHERE EXISTS (
  SELECT 1 FROM record r INDEXED BY record_by_number
  WHERE r.number_key = k.value AND r.contact_centre_id = :contact_centre_id
    AND (:list_id IS NULL OR r.list_id = :list_id)
)

-- name: known_customers
-- Those of the customer ids that records of the lists have.
SELECT json_group_array(k.value) FROM json_each(:keys) k
WHERE EXISTS (
  SELECT 1 FROM json_each(:list_ids) l
  CROSS JOIN record r INDEXED BY record_by_customer
    ON r.contact_centre_id = :contact_centre_id AND r.list_id = l.value AND r.customer_id = k.value
)

-- name: lists_with_records
-- Ids of the lists of a contact centre that have records: a jump from each to the next.
WITH RECURSIVE l (list_id) AS (
  SELECT (SELECT min(r.list_id) FROM record r WHERE r.contact_centre_id = :contact_centre_id)
  UNION ALL
  SELECT (
    SELECT min(r.list_id) FROM record r WHERE r.contact_centre_id = :contact_centre_id AND r.list_id > l.list_id
  )
  FROM l WHERE l.list_id IS NOT NULL
)
SELECT json_group_array(list_id) FROM l WHERE list_id IS NOT NULL

-- name: all_suppressed
-- The keys of a kind that the suppression lists forbid for the whole contact centre, each as often as it is forbidden.
SELECT json_group_array(value_key) FROM (
  SELECT s.value_key FROM json_each(:list_ids) l
  CROSS JOIN suppression s INDEXED BY suppression_by_list
    ON s.contact_centre_id = :contact_centre_id AND s.suppression_list_id = l.value AND s.kind = :kind
  WHERE s.campaign_id = 0 AND (s.expires_at_s IS NULL OR s.expires_at_s > :now_s)
  LIMIT :limit
)

-- name: suppressed_keys
-- Those of the keys that the suppression lists forbid for the whole contact centre.
SELECT json_group_array(k.value) FROM json_each(:keys) k
WHERE EXISTS (
  SELECT 1 FROM suppression s
  WHERE s.contact_centre_id = :contact_centre_id AND s.kind = :kind AND s.value_key = k.value
    AND s.suppression_list_id IN (SELECT value FROM json_each(:list_ids)) AND s.campaign_id = 0
    AND (s.expires_at_s IS NULL OR s.expires_at_s > :now_s)
)

-- name: move_import
-- Note how far an import is, unless another run of it has gone on.
UPDATE import_run SET
  source_rows_done = :row_after, records_added = records_added + :records, rows_refused = rows_refused + :rows_refused
WHERE contact_centre_id = :contact_centre_id AND list_id = :list_id AND import_id = :import_id
  AND state = 'running' AND source_rows_done = :row_before AND file_digest = :file_digest

-- name: records_after
-- Records of a list behind a chain and a place in it, in their order.
SELECT json_group_array($record)
FROM (
  SELECT chain_id, chain_n FROM record
  WHERE contact_centre_id = :contact_centre_id AND list_id = :list_id
    AND (chain_id, chain_n) > (:chain_id, :chain_n)
  ORDER BY chain_id, chain_n
  LIMIT :limit
) found
CROSS JOIN record r ON r.contact_centre_id = :contact_centre_id AND r.list_id = :list_id
  AND r.chain_id = found.chain_id AND r.chain_n = found.chain_n
$with_window
