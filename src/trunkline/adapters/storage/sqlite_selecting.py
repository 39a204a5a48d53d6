"""Records that a condition selects, and recyclings, on SQLite."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from trunkline.adapters.storage import rows
from trunkline.adapters.storage.filter_sql import SqliteCompiler
from trunkline.adapters.storage.sqlite_connection import Statements
from trunkline.app.ports import Changes, Conflict, RecordQuery, RecycleRun, Undo
from trunkline.domain.records import Record

_records = msgspec.json.Decoder(list[Record]).decode
_runs = msgspec.json.Decoder(list[RecycleRun]).decode
_count = msgspec.json.Decoder(int).decode


def records_where(statements: Statements, query: RecordQuery) -> list[Record]:
    """See ``Unit.records_where``."""
    chain_id, chain_n = query.after
    more = {"after_chain": chain_id, "after_place": chain_n, "limit": query.limit}
    condition, names = _compiled(query)
    found = statements.read_with("records_where", condition, _records, {**names, **more})
    return sorted(found, key=lambda record: record.key)


def count(statements: Statements, name: str, query: RecordQuery) -> int:
    """See ``Store.count_records`` and ``Store.count_chains``, which are the statements' names too."""
    condition, names = _compiled(query)
    return statements.read_with(name, condition, lambda found: _count(str(found)), names)


def recycle_runs(statements: Statements, contact_centre_id: int, list_id: int, limit: int) -> list[RecycleRun]:
    """See ``Unit.recycle_runs``."""
    names = {"contact_centre_id": contact_centre_id, "list_id": list_id, "limit": limit}
    return sorted(statements.read("recycle_runs", _runs, names), key=lambda run: -run.run_id)


def undo_of(statements: Statements, contact_centre_id: int, list_id: int, run_id: int, limit: int) -> list[Undo]:
    """See ``Unit.undo_of``."""
    names = {"contact_centre_id": contact_centre_id, "list_id": list_id, "run_id": run_id, "limit": limit}
    found = sorted(statements.read("undo_of", _records, names), key=lambda record: record.key)
    return [Undo(run_id, record) for record in found]


def remove(statements: Statements, changes: Changes) -> None:
    """Take records out. Raises ``Conflict``."""
    if changes.removed:
        gone = statements.write("remove_records", [(*record.key, record.version) for record in changes.removed])
        if gone != len(changes.removed):
            raise Conflict("a record was changed meanwhile")


def keep(statements: Statements, changes: Changes) -> None:
    """Write recyclings and what undoes them."""
    if changes.recycle_runs:
        statements.write("put_recycle_runs", [rows.recycle_row(run) for run in changes.recycle_runs])
    if changes.undo:
        statements.write("keep_undo", [rows.undo_row(undo) for undo in changes.undo])
    if changes.undone:
        statements.write("drop_undo", [(*key, run_id) for key, run_id in changes.undone])


def _compiled(query: RecordQuery) -> tuple[str, Mapping[str, object]]:
    compiler = SqliteCompiler(query.now_s)
    condition = compiler.condition(query.condition)
    names = {"contact_centre_id": query.contact_centre_id, "list_id": query.list_id}
    return condition, {**names, **compiler.parameters}
