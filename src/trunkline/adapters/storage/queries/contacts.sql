-- fragment: suppression
-- Alias s.
json_object(
  'contact_centre_id', s.contact_centre_id, 'kind', s.kind, 'value', s.value,
  'campaign_id', nullif(s.campaign_id, 0), 'suppression_list_id', s.suppression_list_id,
  'expires_at_s', s.expires_at_s, 'added_at_ms', s.added_at_ms, 'added_by', s.added_by,
  'source', s.source, 'reason', s.reason
)

-- name: suppressed
-- Entries that hold for the given contacts, for the contact centre or for the campaign, in the given lists.
SELECT json_group_array($suppression)
FROM json_each(:contacts) asked
CROSS JOIN suppression s ON s.contact_centre_id = :contact_centre_id
  AND s.kind = asked.value ->> 0 AND s.value_key = asked.value ->> 1
WHERE s.campaign_id IN (0, :campaign_id)
  AND +s.suppression_list_id IN (SELECT value FROM json_each(:suppression_list_ids))
  AND coalesce(s.expires_at_s, 9223372036854775807) > :now_s

-- name: suppress
-- Add entries; one that is there stays, unless the new one reaches further.
INSERT INTO suppression (
  contact_centre_id, kind, value_key, suppression_list_id, campaign_id, value, expires_at_s, added_at_ms, added_by,
  source, reason
) VALUES $rows
ON CONFLICT (contact_centre_id, kind, value_key, suppression_list_id, campaign_id) DO UPDATE SET
  value = excluded.value, expires_at_s = excluded.expires_at_s, added_at_ms = excluded.added_at_ms,
  added_by = excluded.added_by, source = excluded.source, reason = excluded.reason
WHERE suppression.expires_at_s < coalesce(excluded.expires_at_s, 9223372036854775807)

-- name: lift
-- Remove entries by their keys.
WITH gone (contact_centre_id, kind, value_key, suppression_list_id, campaign_id) AS (VALUES $rows)
DELETE FROM suppression WHERE rowid IN (
  SELECT s.rowid FROM gone CROSS JOIN suppression s ON s.contact_centre_id = gone.contact_centre_id
    AND s.kind = gone.kind AND s.value_key = gone.value_key
    AND s.suppression_list_id = gone.suppression_list_id AND s.campaign_id = gone.campaign_id
)

-- name: suppression_entries
-- A page of a list behind a key.
SELECT json_group_array($suppression)
FROM (
  SELECT rowid AS place FROM suppression INDEXED BY suppression_by_list
  WHERE contact_centre_id = :contact_centre_id AND suppression_list_id = :suppression_list_id
    AND (:kind IS NULL OR kind = :kind) AND (:value_key IS NULL OR value_key = :value_key)
    AND (:campaign_id IS NULL OR campaign_id = :campaign_id)
    AND (:ends_after_s IS NULL OR coalesce(expires_at_s, 9223372036854775807) > :ends_after_s)
    AND (:ends_until_s IS NULL OR expires_at_s <= :ends_until_s)
    AND (kind, value_key) >= (:after_kind, :after_key)
    AND (kind, value_key, campaign_id) > (:after_kind, :after_key, :after_campaign_id)
  ORDER BY kind, value_key, campaign_id
  LIMIT :limit
) found
CROSS JOIN suppression s ON s.rowid = found.place

-- name: suppression_counts
-- Entries by list, and how many of them have ended.
SELECT json_group_array(json_array(suppression_list_id, entries, ended))
FROM (
  SELECT suppression_list_id, count(*) AS entries, count(iif(expires_at_s <= :now_s, 1, NULL)) AS ended
  FROM suppression INDEXED BY suppression_by_list
  WHERE contact_centre_id = :contact_centre_id
  GROUP BY suppression_list_id
)
