"""The statements as the server sees them: all can be prepared, none reads a whole table, updates stay in place."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from tests.stores.storage import add, ask, entry, key, on_desk, record, row
from trunkline.adapters.storage import postgres
from trunkline.adapters.storage.postgres import PostgresStore
from trunkline.adapters.storage.postgres_server import QUERIES, Connection, connect
from trunkline.app.ports import Changes

pytestmark = pytest.mark.postgres

WHOLE_TABLES = {"contact_centres", "schema_version", "buffer_sizes", "buffers_ended"}
"""Statements whose answer is the whole table, or that read one of few rows."""

LOOKUPS = (
    "held",
    "repeats",
    "change_results",
    "change_records",
    "change_results_and_write_journal",
    "chain",
    "records_of_number",
    "due_callbacks",
    "callbacks",
    "take_off_desk",
    "entries_of_chain",
    "desk_of",
    "expired",
    "newest",
    "rows_after",
    "audit_of_user",
)
"""Statements that look up keys in tables that grow."""

BY_PRIMARY_KEY = ("change_results", "change_records", "change_results_and_write_journal", "chain", "held", "desk_of")
"""Statements that find records by chain and place, or a chain: never by reading the list."""


def test_no_statement_of_a_unit_reads_a_whole_table(url: str) -> None:
    """No statement scans a table that grows; once there are rows, all look them up by key, statistics or not."""

    async def plans(connection: asyncpg.Connection[asyncpg.Record]) -> dict[str, str]:
        found = {}
        for name in QUERIES:
            text = QUERIES[name].replace("$condition", "r.attempts < 3")
            if text.split(None, 1)[0] not in ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE"):
                continue
            parameters = len((await connection.prepare(text)).get_parameters())
            await connection.execute(f'PREPARE "{name}" AS {text}')
            values = f"({', '.join(['NULL'] * parameters)})" if parameters else ""
            lines = await connection.fetch(f'EXPLAIN EXECUTE "{name}"{values}')
            found[name] = "\n".join(line[0] for line in lines)
        return found

    async def main() -> None:
        connection = await connect(url)
        try:
            empty = await plans(connection)
        finally:
            await connection.close()
        assert len(empty) > 40
        assert {name for name, plan in empty.items() if "Seq Scan" in plan} <= WHOLE_TABLES
        for name in BY_PRIMARY_KEY:
            assert "record_pkey" in empty[name], empty[name]
            assert "record_by_number" not in empty[name]
        for name in ("fresh_heads", "claim_fresh"):
            assert "record_claim_fresh" in empty[name], empty[name]
        for name in ("due_heads", "claim_due", "callback_head"):
            assert "record_claim_due" in empty[name], empty[name]
        await mislead(url)
        await fill(url)
        connection = await connect(url)
        try:
            grown = await plans(connection)
        finally:
            await connection.close()
        for name in LOOKUPS:
            assert "Index Cond" in grown[name], grown[name]
        for name in BY_PRIMARY_KEY:
            assert "chain_id = " in grown[name].partition("record_pkey")[2].partition("Filter")[0], grown[name]

    asyncio.run(main())


def test_reads_beside_units_look_up_keys_too(url: str) -> None:
    """A plan that a reading connection made for empty tables still looks up keys when there are many rows."""

    async def plans(connection: Connection) -> dict[str, str]:
        found = {}
        for name, values in (
            ("desk_of", "1, 7"),
            ("held", "'{1}', '{5}'"),
            ("newest", "1, 7, NULL, 5"),
            ("rows_after", "1, 7, 2990, 5"),
        ):
            await connection.execute(f'PREPARE "{name}" AS {QUERIES[name]}')
            for _ in range(8):  # after five the server may keep one plan for all values
                await connection.execute(f'EXECUTE "{name}"({values})')
            found[name] = values
        await fill(url)
        for name, values in found.items():
            lines = await connection.fetch(f'EXPLAIN EXECUTE "{name}"({values})')
            found[name] = "\n".join(line[0] for line in lines)
        return found

    async def main() -> None:
        await mislead(url)
        store = PostgresStore(url)
        await store.open()
        for plan in (await store._read(plans)).values():
            assert "Index Cond" in plan
            assert "Seq Scan" not in plan, plan
        await store.close()

    asyncio.run(main())


async def mislead(url: str) -> None:
    """Make statistics that say that all tables are empty: the worst that a planner can be told."""
    connection = await connect(url)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


async def fill(url: str) -> None:
    """Fill the tables that grow."""
    store = PostgresStore(url)
    await store.open()
    records = [record(n, due_at_s=n if n % 2 else None) for n in range(1, 3001)]
    desk = on_desk(*(entry(n, records[n - 1], lease_until_ms=n) for n in range(1, 3001)))
    journal = [row(request_key=n) for n in range(1, 3001)]
    async with store.begin() as unit:
        await unit.save(Changes(new_records=records, desk=desk, journal=journal))
    await store.close()


def test_plans_are_made_anew(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its time the plan that was made for an empty table is dropped for one that fits the table as it is."""

    async def plan(store: PostgresStore) -> str:
        assert store._writer is not None
        lines = await store._writer.fetch("EXPLAIN EXECUTE change(1, 10, 1)")
        return "\n".join(line[0] for line in lines)

    async def main() -> None:
        store = PostgresStore(url)
        await store.open()
        assert store._writer is not None
        await store._writer.execute(
            "PREPARE change (integer, integer, bigint) AS SELECT r.version "
            "FROM unnest(ARRAY[$1], ARRAY[$2], ARRAY[$3]) AS k (centre, list, chain), record AS r "
            "WHERE r.contact_centre_id = k.centre AND r.list_id = k.list AND r.chain_id = k.chain OFFSET 0"
        )
        await mislead(url)
        before = await plan(store)
        await fill(url)
        monkeypatch.setattr(postgres, "REPLAN_S", 3600)
        store._replan_at_s = 0
        await ask(store, "chain", 1, 10, 1)
        assert await plan(store) != before
        used: list[str] = []
        store._writer.add_query_logger(lambda query: used.append(query.query))
        await ask(store, "chain", 1, 10, 1)
        assert "DISCARD PLANS" not in used
        await store.close()

    asyncio.run(main())


def test_an_update_stays_on_its_page(url: str) -> None:
    """Changing columns that no index has makes heap-only tuples: no index is written."""

    async def main() -> None:
        store = PostgresStore(url)
        await store.open()
        await add(store, record(1))
        async with store.begin() as unit:
            await unit.save(Changes(desk=on_desk(entry(5))))
        for version in range(2, 22):
            async with store.begin() as unit:
                (held,) = await unit.held([key(5)])
                assert held.record.version == version - 1
                changed = record(1, treatments=str(version), version=version)
                await unit.save(Changes(records={changed.key: changed}, journal=[row()]))
        await store.close()  # the server adds a connection's counters up when it ends
        assert await updates_of(url) == (20, 20)

    async def updates_of(url: str) -> tuple[int, int]:
        connection = await asyncpg.connect(url)
        try:
            while True:
                found = await connection.fetchrow(
                    "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'record'"
                )
                assert found is not None
                if found[0]:
                    return (found[0], found[1])
        finally:
            await connection.close()

    asyncio.run(main())
