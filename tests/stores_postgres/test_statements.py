"""The statements as the server sees them: all can be prepared, none reads a whole table, updates stay in place."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from tests.stores.storage import add, entry, key, on_desk, record, row
from trunkline.adapters.storage.postgres import PostgresStore
from trunkline.adapters.storage.postgres_server import QUERIES, connect
from trunkline.app.ports import Changes

pytestmark = pytest.mark.postgres

WHOLE_TABLES = {"contact_centres", "lists", "campaigns", "schema_version"}
"""Statements whose answer is the whole table."""


def test_no_statement_of_a_unit_reads_a_whole_table(url: str) -> None:
    """Each statement has a plan that looks up keys, on a database that is still empty and without statistics too."""

    async def plans(connection: asyncpg.Connection[asyncpg.Record]) -> dict[str, str]:
        found = {}
        for name in QUERIES:
            text = QUERIES[name]
            if text.split(None, 1)[0] not in ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE"):
                continue
            parameters = len((await connection.prepare(text)).get_parameters())
            await connection.execute(f'PREPARE "{name}" AS {text}')
            values = f"({', '.join(['NULL'] * parameters)})" if parameters else ""
            lines = await connection.fetch(f'EXPLAIN EXECUTE "{name}"{values}')
            found[name] = "\n".join(line[0] for line in lines)
        return found

    async def main(before: str) -> None:
        connection = await connect(url)
        try:
            await connection.execute(before)
            found = await plans(connection)
        finally:
            await connection.close()
        assert len(found) > 40
        assert {name for name, plan in found.items() if "Seq Scan" in plan} <= WHOLE_TABLES
        for name in ("held", "repeats", "change_results", "change_records", "chain", "take_off_desk", "newest"):
            assert "Index Cond" in found[name], found[name]
        assert "record_fresh" in found["next_record"]
        assert "record_due" in found["next_record"]

    for before in ("SELECT", "VACUUM ANALYZE"):
        asyncio.run(main(before))


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
                changed = record(1, attempts=version, version=version)
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
