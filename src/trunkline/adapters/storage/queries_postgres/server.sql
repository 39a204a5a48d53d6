-- The server itself: what it promises, who uses it.

-- name: settings
-- What decides whether a commit survives a crash.
SELECT
    current_setting('fsync') AS fsync,
    current_setting('full_page_writes') AS full_page_writes,
    current_setting('synchronous_commit') AS synchronous_commit,
    current_setting('server_encoding') AS server_encoding,
    pg_is_in_recovery() AS is_standby,
    to_regclass('alembic_version') IS NOT NULL AS has_schema

-- name: schema_version
-- Which migration the database is at.
SELECT version_num FROM alembic_version

-- name: flush_commits
-- Flush each commit of this connection, whatever the server's default.
SET synchronous_commit = on

-- name: serve_alone
-- Take the lock of the one server of this database, for as long as the connection lives.
SELECT pg_try_advisory_lock($1)

-- name: forget_plans
-- Make this connection plan each statement anew at its next use.
DISCARD PLANS
