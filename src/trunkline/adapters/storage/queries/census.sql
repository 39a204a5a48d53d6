-- The census of a list: records counted by what the rules tell apart. Open are the statuses 1, 2, 8 and 9.

-- name: census
SELECT json_group_array(json_object(
  'window', json(iif(w.window_id IS NULL, 'null', json_array(
    w.time_zone, w.from_s, w.until_s, w.region, json(coalesce(w.other_zones, '[]'))
  ))),
  'status', g.status, 'record_type', g.record_type, 'hold', g.hold,
  'is_dialable', json(iif(g.is_dialable, 'true', 'false')),
  'is_exhausted', json(iif(g.is_exhausted, 'true', 'false')),
  'due_hour', g.due_hour, 'passes_filter', json(iif(g.passes_filter, 'true', 'false')), 'records', g.records
))
FROM (
  SELECT
    iif(r.status IN (1, 2, 8, 9), r.window_id, NULL) AS window_id, r.status, r.record_type, r.hold,
    r.phone_type NOT IN (10, 11) AS is_dialable,
    r.status IN (1, 2, 8, 9) AND r.attempts >= :max_attempts AS is_exhausted,
    CASE
      WHEN r.due_at_s IS NULL OR r.status NOT IN (1, 2, 8, 9) THEN -1
      WHEN r.due_at_s <= :now_s THEN 0
      ELSE min((r.due_at_s - :now_s + 3599) / 3600, 25)
    END AS due_hour,
    coalesce($condition, 0) AS passes_filter,
    count(*) AS records
  FROM record r $with_window
  WHERE r.contact_centre_id = :contact_centre_id AND r.list_id = :list_id
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
) g
LEFT JOIN calling_window w
  ON w.contact_centre_id = :contact_centre_id AND w.list_id = :list_id AND w.window_id = g.window_id

-- name: chain_span
-- The first and the last chain of a list.
SELECT json_array(
  (SELECT min(chain_id) FROM record WHERE contact_centre_id = :contact_centre_id AND list_id = :list_id),
  (SELECT max(chain_id) FROM record WHERE contact_centre_id = :contact_centre_id AND list_id = :list_id)
)

-- name: first_ready
-- The first record of some chains that waits to be called.
SELECT coalesce((
  SELECT json_array($record) FROM record r $with_window
  WHERE r.contact_centre_id = :contact_centre_id AND r.list_id = :list_id
    AND r.chain_id >= :first AND r.chain_id < :last
    AND r.status = 1 AND r.record_type <> 7 AND r.phone_type NOT IN (10, 11)
  ORDER BY r.chain_id, r.chain_n
  LIMIT 1
), '[]')

-- name: records_by_id
-- Records of some lists with one record id; no index holds it, so the lists are read.
SELECT json_group_array($record) FROM record r $with_window
WHERE r.contact_centre_id = :contact_centre_id AND r.list_id IN (SELECT value FROM json_each(:list_ids))
  AND r.record_id = :record_id
