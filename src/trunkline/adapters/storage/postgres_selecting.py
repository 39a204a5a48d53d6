"""Records that a condition selects, and recyclings, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable

import asyncpg
import msgspec

from trunkline.adapters.storage import rows
from trunkline.adapters.storage.filter_sql import PostgresCompiler
from trunkline.adapters.storage.postgres_desks import built
from trunkline.adapters.storage.postgres_rows import columns, record_of
from trunkline.adapters.storage.postgres_server import QUERIES, Connection
from trunkline.adapters.storage.postgres_windows import Windows
from trunkline.app.ports import Changes, Conflict, RecordQuery, RecycleRun, RecycleState, Undo
from trunkline.domain.records import Record

_record: Callable[[str], Record] = msgspec.json.Decoder(Record).decode


async def records_where(connection: Connection, windows: Windows, query: RecordQuery) -> list[Record]:
    """See ``Unit.records_where``."""
    compiler = PostgresCompiler(query.now_s, 6)
    text = QUERIES["records_where"].replace("$condition", compiler.condition(query.condition))
    found: list[asyncpg.Record] = await connection.fetch(
        text, query.contact_centre_id, query.list_id, *query.after, query.limit, *compiler.parameters
    )
    return await built(connection, windows, found, lambda row: record_of(row, windows))


async def count(connection: Connection, name: str, query: RecordQuery) -> int:
    """See ``Store.count_records`` and ``Store.count_chains``, which are the statements' names too."""
    compiler = PostgresCompiler(query.now_s, 3)
    text = QUERIES[name].replace("$condition", compiler.condition(query.condition))
    found: int = await connection.fetchval(text, query.contact_centre_id, query.list_id, *compiler.parameters)
    return found


async def recycle_runs(connection: Connection, contact_centre_id: int, list_id: int, limit: int) -> list[RecycleRun]:
    """See ``Unit.recycle_runs``."""
    return [
        RecycleRun(
            contact_centre_id=centre,
            list_id=list_number,
            run_id=run_id,
            made_at_ms=made_at_ms,
            made_by=made_by,
            what=what,
            records=count,
            state=RecycleState(state),
        )
        for centre, list_number, run_id, made_at_ms, made_by, what, count, state in await connection.fetch(
            QUERIES["recycle_runs"], contact_centre_id, list_id, limit
        )
    ]


async def undo_of(connection: Connection, contact_centre_id: int, list_id: int, run_id: int, limit: int) -> list[Undo]:
    """See ``Unit.undo_of``."""
    found = await connection.fetch(QUERIES["undo_of"], contact_centre_id, list_id, run_id, limit)
    return [Undo(run_id, _record(row[0])) for row in found]


async def remove(connection: Connection, changes: Changes) -> None:
    """Take records out. Raises ``Conflict``."""
    if changes.removed:
        keys = sorted((*record.key, record.version) for record in changes.removed)
        tag = await connection.execute(QUERIES["remove_records"], *columns(keys))
        if tag != f"DELETE {len(keys)}":
            raise Conflict


async def keep(connection: Connection, changes: Changes) -> None:
    """Write recyclings and what undoes them."""
    for name, values in (
        ("put_recycle_runs", [rows.recycle_row(run) for run in changes.recycle_runs]),
        ("keep_undo", [rows.undo_row(undo) for undo in changes.undo]),
        ("drop_undo", [(*key, run_id) for key, run_id in changes.undone]),
    ):
        if values:
            await connection.execute(QUERIES[name], *columns(values))
