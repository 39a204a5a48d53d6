"""Calling lists of any length, made by the database itself: loading them the usual way would take too long.

Forty window classes, of which 24 are open; one record in twenty has a due time (of one in a hundred it has come), one
in a hundred is on the do-not-call list, one in ten shares its chain with another.
"""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

CENTRE = 1
NOW_S = 1_795_435_200
"""2026-11-23 12:00 UTC."""
WINDOWS, OPEN_WINDOWS = 40, 24

_WINDOWS = """
INSERT INTO calling_window (contact_centre_id, list_id, window_id, time_zone, from_s, until_s)
SELECT 1, $1, n, 'UTC', CASE WHEN n <= $2 THEN n ELSE 60000 + n END, CASE WHEN n <= $2 THEN 80000 ELSE 80000 + n END
FROM generate_series(1, $3) AS n
"""

_RECORDS = """
INSERT INTO record (
    contact_centre_id, list_id, chain_id, chain_n, record_id, phone_number, number_key, phone_type, record_type,
    priority, status, call_result, attempts, due_at_s, window_id, customer_id, treatments, other_fields, version,
    is_alone
)
SELECT 1, $1, n - (n % 20 = 1)::integer, (n % 20 = 1)::integer, n, '+1' || (2000000000 + n), '+1' || (2000000000 + n),
    4, CASE WHEN n % 20 = 7 THEN 3 ELSE 2 END, CASE WHEN n % 20 = 7 THEN 3 ELSE 4 END, 1, 28, 0,
    CASE WHEN n % 20 = 7 THEN $2 + CASE WHEN n % 2000 = 7 THEN -(n % 86400) ELSE 3600 + n % 86400 END END,
    1 + (n * 7 + n / 40) % $3, 'C' || n, '', '{"first_name":"Alex","last_name":"Doe","balance":12.5}', 1,
    n % 20 NOT IN (0, 1)
FROM generate_series($4::bigint, $5::bigint) AS n
"""

_SUPPRESSIONS = """
INSERT INTO suppression (
    contact_centre_id, kind, value_key, suppression_list_id, campaign_id, value, added_at_ms, reason
)
SELECT 1, 'number', '+1' || (2000000000 + n), 0, 0, '+1' || (2000000000 + n), 0, 'asked'
FROM generate_series(100, $1::bigint, 100) AS n
"""

_PORTION = 1_000_000


async def load(url: str, list_id: int, records: int) -> None:
    """Make a list in an empty database: rows first, then the indexes, as after a restore; then fresh statistics."""
    connection = await asyncpg.connect(url, command_timeout=3600)
    try:
        await connection.execute("SET maintenance_work_mem = '512MB'")
        await connection.execute("SET synchronous_commit = off")
        indexes = await connection.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'record' AND indexname <> 'record_pkey'"
        )
        for name, _ in indexes:
            await connection.execute(f'DROP INDEX "{name}"')
        await connection.execute("ALTER TABLE record DROP CONSTRAINT record_pkey")
        await connection.execute(_WINDOWS, list_id, OPEN_WINDOWS, WINDOWS)
        for first in range(1, records + 1, _PORTION):
            last = min(records, first + _PORTION - 1)
            await connection.execute(_RECORDS, list_id, NOW_S, WINDOWS, first, last)
        await connection.execute(_SUPPRESSIONS, records)
        await connection.execute(
            "ALTER TABLE record ADD CONSTRAINT record_pkey PRIMARY KEY (contact_centre_id, list_id, chain_id, chain_n)"
        )
        for _, definition in indexes:
            await connection.execute(definition)
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def retrieved(url: str, list_id: int, chains: Sequence[int]) -> int:
    """How many records of these chains are RETRIEVED; each chain must be there once."""
    connection = await asyncpg.connect(url)
    try:
        statement = "SELECT count(*) FROM record WHERE contact_centre_id = $1 AND list_id = $2 AND chain_id = ANY ($3)"
        count: int = await connection.fetchval(f"{statement} AND status = 2", CENTRE, list_id, sorted(set(chains)))
    finally:
        await connection.close()
    if len(set(chains)) != len(chains) or count < len(chains):
        raise RuntimeError("a chain was claimed twice, or not at all")
    return count


async def plan_of(url: str, statement: str, values: str) -> str:
    """The plan that serves a statement whatever its values are."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        await connection.execute(f"PREPARE shown AS {statement}")
        lines = await connection.fetch(f"EXPLAIN (COSTS OFF) EXECUTE shown({values})")
    finally:
        await connection.close()
    return "\n".join(line[0] for line in lines)
