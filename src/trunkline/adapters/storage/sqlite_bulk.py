"""Many records at once on SQLite: blocks of an import in the writer's turn, questions and pages on the reader."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any, Protocol

import msgspec

from trunkline.adapters.storage.rows import as_json
from trunkline.adapters.storage.sqlite_connection import Statements
from trunkline.adapters.storage.sqlite_numbers import NumberPools
from trunkline.adapters.storage.sqlite_windows import WindowBook
from trunkline.app.ports import Conflict
from trunkline.app.record_columns import RecordBlock, RecordColumns
from trunkline.domain.campaigns import TYPE_PRIORITY
from trunkline.domain.enums import DoNotCallKind
from trunkline.domain.records import Record

ROWS_AT_ONCE = 1000
"""Records of one transaction: some 20 ms, which is how long an agent's request may wait behind it."""

_texts = msgspec.json.Decoder(set[str]).decode
_each = msgspec.json.Decoder(list[str]).decode
_integers = msgspec.json.Decoder(list[int]).decode
_records = msgspec.json.Decoder(list[Record]).decode
_PRIORITIES = {int(kind): priority for kind, priority in TYPE_PRIORITY.items()}


class Reads(Protocol):
    """Runs a function with the statements of the reading connection."""

    def __call__(self, function: Callable[[Statements], Any], /) -> Awaitable[Any]:
        """Its result."""


class SqliteBulk:
    """See ``app.bulk.Bulk``. ``write`` runs ``add_block`` in a transaction of its own, in turn."""

    rows_at_once = ROWS_AT_ONCE

    def __init__(self, read: Reads, write: Callable[[RecordBlock], Awaitable[None]]) -> None:
        self._read = read
        self._write = write
        self._lists: list[int] | None = None

    async def known(
        self, contact_centre_id: int, list_id: int | None, kind: DoNotCallKind, keys: Sequence[str]
    ) -> set[str]:
        """See ``Bulk.known``."""
        names: dict[str, Any] = {"contact_centre_id": contact_centre_id, "keys": as_json(keys), "list_id": list_id}
        query = "known_numbers"
        if kind is DoNotCallKind.CUSTOMER:
            query = "known_customers"
            if self._lists is None and list_id is None:
                self._lists = await self._read(lambda s: s.read("lists_with_records", _integers, names))
            names["list_ids"] = as_json(self._lists if list_id is None else [list_id])
        found: set[str] = await self._read(lambda s: s.read(query, _texts, names))
        return found

    async def all_suppressed(
        self, contact_centre_id: int, list_ids: Sequence[int], kind: DoNotCallKind, now_s: int, limit: int
    ) -> set[str] | None:
        """See ``Bulk.all_suppressed``."""
        names = {
            "contact_centre_id": contact_centre_id,
            "list_ids": as_json(list(list_ids)),
            "kind": kind.value,
            "now_s": now_s,
            "limit": limit + 1,
        }
        found: list[str] = await self._read(lambda s: s.read("all_suppressed", _each, names))
        return set(found) if len(found) <= limit else None

    async def suppressed(
        self, contact_centre_id: int, list_ids: Sequence[int], kind: DoNotCallKind, keys: Sequence[str], now_s: int
    ) -> set[str]:
        """See ``Bulk.suppressed``."""
        names = {
            "contact_centre_id": contact_centre_id,
            "list_ids": as_json(list(list_ids)),
            "kind": kind.value,
            "keys": as_json(keys),
            "now_s": now_s,
        }
        found: set[str] = await self._read(lambda s: s.read("suppressed_keys", _texts, names))
        return found

    async def page(
        self, contact_centre_id: int, list_id: int, after: tuple[int, int] | None, limit: int
    ) -> list[Record]:
        """See ``Bulk.page``."""
        chain_id, chain_n = after or (-1, -1)
        names = {
            "contact_centre_id": contact_centre_id,
            "list_id": list_id,
            "chain_id": chain_id,
            "chain_n": chain_n,
            "limit": limit,
        }
        found: list[Record] = await self._read(lambda s: s.read("records_after", _records, names))
        return sorted(found, key=lambda record: record.key)

    async def add(self, block: RecordBlock) -> None:
        """See ``Bulk.add``."""
        await self._write(block)


def add_block(statements: Statements, windows: WindowBook, numbers: NumberPools, block: RecordBlock) -> None:
    """Write a block inside a transaction; raises ``Conflict``."""
    moved = statements.run(
        "move_import",
        {
            "contact_centre_id": block.contact_centre_id,
            "list_id": block.list_id,
            "import_id": block.import_id,
            "row_before": block.row_before,
            "row_after": block.row_after,
            "records": len(block),
            "rows_refused": block.rows_refused,
            "file_digest": block.file_digest,
        },
    )
    if moved != 1:
        raise Conflict
    windows.refresh()
    stored = {
        place: windows.number_of(block.contact_centre_id, block.list_id, block.windows[place])
        for place in {place for piece in block.pieces for place in piece.column("window")}
    }
    shift = numbers.take("chain", block.chains).start - block.first_chain
    for piece in block.pieces:
        rows = _rows_of(block, piece, stored, shift, numbers.take("record", len(piece)))
        statements.write("add_records", list(rows))


def _rows_of(
    block: RecordBlock, columns: RecordColumns, stored: Mapping[int, int], shift: int, record_ids: Iterable[int]
) -> Iterable[tuple[Any, ...]]:
    """The parameters of ``add_records`` for each record of a piece."""
    count = len(columns)

    def each(name: str) -> Any:
        values = columns.values[name]
        return values if isinstance(values, list) else repeat(values, count)

    kinds = columns.values["record_type"]
    return zip(
        repeat(block.contact_centre_id, count),
        repeat(block.list_id, count),
        map(shift.__add__, columns.column("chain")),
        *map(each, ("chain_n", "phone_type", "call_result", "attempts", "called_at_s", "campaign_id")),
        *map(each, ("treatments", "other_fields")),
        repeat(1, count),
        record_ids,
        *map(each, ("phone_number", "number_key", "record_type")),
        map(_PRIORITIES.__getitem__, kinds) if isinstance(kinds, list) else repeat(_PRIORITIES[kinds], count),
        *map(each, ("status", "due_at_s")),
        map(stored.__getitem__, columns.column("window")),
        *map(each, ("agent_id", "customer_id")),
        repeat(0, count),
        strict=True,
    )
