-- What goes when its time is over.

-- name: drop_attempts
-- Remove the old ones among the first rows. Numbers grow with time, so the old ones are at the front.
DELETE FROM attempt_log WHERE seq IN (
  SELECT seq FROM (SELECT seq, at_ms FROM attempt_log ORDER BY seq LIMIT :limit) WHERE at_ms < :before_ms
)

-- name: drop_suppressions
-- Remove entries that ended before a moment.
DELETE FROM suppression WHERE rowid IN (
  SELECT rowid FROM suppression INDEXED BY suppression_by_expiry
  WHERE expires_at_s IS NOT NULL AND expires_at_s < :before_s ORDER BY expires_at_s LIMIT :limit
)
