-- Entries of suppression lists. List 0 is the contact centre's own, campaign 0 stands for the whole contact centre.

-- fragment: suppression_columns
s.contact_centre_id, s.kind, s.value, s.campaign_id, s.suppression_list_id, s.expires_at_s, s.added_at_ms, s.added_by,
s.source, s.reason

-- name: suppressed
-- Entries that hold at $6 for the pairs of kind ($2) and key ($3), for all campaigns or for campaign $4, in the lists $5.
-- The key of a contact is the beginning of the primary key: one look-up a contact, however many entries there are.
SELECT $suppression_columns
FROM unnest($2::text[], $3::text[]) AS k (kind, value_key)
JOIN suppression AS s ON s.contact_centre_id = $1 AND s.kind = k.kind AND s.value_key = k.value_key
WHERE s.campaign_id IN (0, $4) AND s.suppression_list_id = ANY ($5::integer[])
    AND (s.expires_at_s IS NULL OR s.expires_at_s > $6)
ORDER BY s.suppression_list_id, s.campaign_id

-- name: suppress
-- Add entries; one that is there stays, unless the new one reaches further.
INSERT INTO suppression AS s (
    contact_centre_id, kind, value_key, suppression_list_id, campaign_id, value, expires_at_s, added_at_ms, added_by,
    source, reason
)
SELECT * FROM unnest(
    $1::integer[], $2::text[], $3::text[], $4::integer[], $5::integer[], $6::text[], $7::bigint[], $8::bigint[],
    $9::integer[], $10::text[], $11::text[]
)
ON CONFLICT (contact_centre_id, kind, value_key, suppression_list_id, campaign_id) DO UPDATE SET
    value = EXCLUDED.value, expires_at_s = EXCLUDED.expires_at_s, added_at_ms = EXCLUDED.added_at_ms,
    added_by = EXCLUDED.added_by, source = EXCLUDED.source, reason = EXCLUDED.reason
WHERE s.expires_at_s < coalesce(EXCLUDED.expires_at_s, 9223372036854775807)

-- name: lift
-- Remove entries by their keys.
DELETE FROM suppression AS s
USING unnest($1::integer[], $2::text[], $3::text[], $4::integer[], $5::integer[])
    AS k (contact_centre_id, kind, value_key, suppression_list_id, campaign_id)
WHERE s.contact_centre_id = k.contact_centre_id AND s.kind = k.kind AND s.value_key = k.value_key
    AND s.suppression_list_id = k.suppression_list_id AND s.campaign_id = k.campaign_id

-- name: suppression_entries
-- A page of a list ($2) behind kind $8, key $9 and campaign $10 (none for the first page): of kind $3, key $4 and
-- campaign $5 when these are given; that end after $6, or by $7, when these are given.
SELECT $suppression_columns
FROM suppression AS s
WHERE s.contact_centre_id = $1 AND s.suppression_list_id = $2
    AND ($3::text IS NULL OR s.kind = $3) AND ($4::text IS NULL OR s.value_key = $4)
    AND ($5::integer IS NULL OR s.campaign_id = $5)
    AND ($6::bigint IS NULL OR s.expires_at_s IS NULL OR s.expires_at_s > $6)
    AND ($7::bigint IS NULL OR s.expires_at_s <= $7)
    AND (s.kind, s.value_key) >= ($8::text, $9::text)
    AND (s.kind, s.value_key, s.campaign_id) > ($8::text, $9::text, $10::integer)
ORDER BY s.kind, s.value_key, s.campaign_id
LIMIT $11

-- name: suppression_counts
-- Entries by list, and how many of them have ended by $2.
SELECT s.suppression_list_id, count(*) AS entries, count(*) FILTER (WHERE s.expires_at_s <= $2) AS ended
FROM suppression AS s
WHERE s.contact_centre_id = $1
GROUP BY s.suppression_list_id
