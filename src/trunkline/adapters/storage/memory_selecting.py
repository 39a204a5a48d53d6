"""Records that a condition selects, and recyclings, in the reference model."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from trunkline.app.ports import Changes, Conflict, RecordQuery, RecycleRun, Undo
from trunkline.domain.filter_evaluation import matches
from trunkline.domain.records import Record, RecordKey

Runs = dict[tuple[int, int, int], RecycleRun]
Undos = dict[tuple[RecordKey, int], Record]


def selected(records: Iterable[Record], query: RecordQuery) -> list[Record]:
    """The selected records of a list, from its beginning, by key."""
    found = [
        record
        for record in records
        if (record.contact_centre_id, record.list_id) == (query.contact_centre_id, query.list_id)
        and matches(query.condition, record, query.now_s)
    ]
    return sorted(found, key=lambda record: record.key)


def page(records: Iterable[Record], query: RecordQuery) -> list[Record]:
    """See ``Unit.records_where``."""
    behind = [record for record in selected(records, query) if (record.chain_id, record.chain_n) > query.after]
    return behind[: query.limit]


def runs_of(runs: Runs, contact_centre_id: int, list_id: int, limit: int) -> list[RecycleRun]:
    """See ``Unit.recycle_runs``."""
    mine = [run for key, run in runs.items() if key[:2] == (contact_centre_id, list_id)]
    return sorted(mine, key=lambda run: -run.run_id)[:limit]


def undo_of(undos: Undos, contact_centre_id: int, list_id: int, run_id: int, limit: int) -> list[Undo]:
    """See ``Unit.undo_of``."""
    mine = sorted(key for key in undos if key[0][:2] == (contact_centre_id, list_id) and key[1] == run_id)
    return [Undo(run_id, undos[key]) for key in mine[:limit]]


def remove(stored: dict[RecordKey, Record], removed: Iterable[Record]) -> None:
    """Take records out; ``Conflict`` when one is not there in that version."""
    for record in removed:
        known = stored.get(record.key)
        if known is None or known.version != record.version:
            raise Conflict("a record was changed meanwhile")
        del stored[record.key]


def keep(runs: Runs, undos: Undos, changes: Changes) -> None:
    """Make recyclings visible."""
    for run in changes.recycle_runs:
        runs[run.contact_centre_id, run.list_id, run.run_id] = run
    for undo in changes.undo:
        undos[undo.record.key, undo.run_id] = msgspec.structs.replace(undo.record)
    for key in changes.undone:
        undos.pop(key, None)
