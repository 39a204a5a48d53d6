"""The census of a list on SQLite."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from trunkline.adapters.storage.filter_sql import SqliteCompiler
from trunkline.adapters.storage.rows import as_json
from trunkline.adapters.storage.sqlite_connection import Statements
from trunkline.app.explain.census import CensusGroup, CensusQuery, equal_parts
from trunkline.domain.eligibility import Window
from trunkline.domain.records import Record


class _Group(CensusGroup, frozen=True, kw_only=True):
    """A group with its window as JSON has it."""

    window: tuple[str, int, int, str, tuple[str, ...]] | None  # type: ignore[assignment]


_groups = msgspec.json.Decoder(list[_Group]).decode
_span = msgspec.json.Decoder(tuple[int | None, int | None]).decode
_records = msgspec.json.Decoder(list[Record]).decode


def census(statements: Statements, query: CensusQuery) -> list[CensusGroup]:
    """See ``Store.census``."""
    compiler = SqliteCompiler(query.now_s)
    condition = compiler.condition(query.condition)
    names = {
        "contact_centre_id": query.contact_centre_id,
        "list_id": query.list_id,
        "max_attempts": query.max_attempts,
        "now_s": query.now_s,
    }
    found = statements.read_with("census", condition, _groups, {**names, **compiler.parameters})
    return [
        CensusGroup(
            **{
                **msgspec.structs.asdict(group),
                "window": None if group.window is None else Window(*group.window),
            }
        )
        for group in found
    ]


def records_by_id(
    statements: Statements, contact_centre_id: int, list_ids: Sequence[int], record_id: int
) -> list[Record]:
    """See ``Store.records_by_id``."""
    names = {"contact_centre_id": contact_centre_id, "list_ids": as_json(list_ids), "record_id": record_id}
    return sorted(statements.read("records_by_id", _records, names), key=lambda record: record.key)


def sample(statements: Statements, contact_centre_id: int, list_id: int, size: int) -> list[Record]:
    """See ``Store.sample``."""
    names = {"contact_centre_id": contact_centre_id, "list_id": list_id}
    first, last = statements.read("chain_span", _span, names)
    if first is None or last is None:
        return []
    found: list[Record] = []
    for begin, end in equal_parts(first, last, size):
        found += statements.read("first_ready", _records, {**names, "first": begin, "last": end})
    return found
