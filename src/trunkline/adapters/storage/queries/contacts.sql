-- name: suppressed
-- Those of the given contacts that the do-not-call list names, for the contact centre or for the campaign.
SELECT json_group_array(json_array(s.kind, s.value_key))
FROM json_each(:contacts) asked
CROSS JOIN suppression s ON s.contact_centre_id = :contact_centre_id
  AND s.kind = asked.value ->> 0 AND s.value_key = asked.value ->> 1 AND s.campaign_id IN (0, :campaign_id)

-- name: suppress
-- Enter contacts into the do-not-call list; who entered one first stays on record.
INSERT INTO suppression (
  contact_centre_id, kind, value_key, suppression_list_id, campaign_id, value, expires_at_s, added_at_ms, added_by,
  source, reason
) VALUES $rows
ON CONFLICT DO NOTHING
