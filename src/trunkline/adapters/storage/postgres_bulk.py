"""Many records at once on PostgreSQL: blocks of an import by COPY, on a connection of their own.

A block is one transaction: the note of the import moves, then the records come. It holds no lock that a unit waits for,
apart from the few milliseconds in which new windows are numbered and those in which the commit is flushed, so agents
are served while a million records go in.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import repeat
from typing import Any, TypeVar

import asyncpg

from trunkline.adapters.storage import postgres_desks
from trunkline.adapters.storage.postgres_rows import record_of
from trunkline.adapters.storage.postgres_server import (
    COMMIT_LOCK,
    NUMBERS_LOCK,
    QUERIES,
    Connection,
    connect,
    end,
    prepare_writer,
    translated,
)
from trunkline.adapters.storage.postgres_windows import Value, Windows
from trunkline.app.ports import Conflict
from trunkline.app.record_columns import RecordBlock, RecordColumns
from trunkline.domain.campaigns import TYPE_PRIORITY
from trunkline.domain.eligibility import Window
from trunkline.domain.enums import DoNotCallKind
from trunkline.domain.records import Record

T = TypeVar("T")

ROWS_AT_ONCE = 10_000
"""Records of one transaction: some 200 ms of the server's work, so that a run that is interrupted loses no more, and
the flush of the commit is a hundredth of it."""
COPY_S = 300
"""Seconds for the records of one block on a server that is busy with other things."""

_SMALL = list(map(str, range(1024)))
"""Texts of small numbers: places in a chain, enumerations."""
_PRIORITIES = {int(kind): str(priority) for kind, priority in TYPE_PRIORITY.items()}
_NULL = "\\N"
_INTEGERS = ("phone_type", "record_type", "status", "call_result", "attempts", "chain_n")
_NULLABLE_INTEGERS = ("due_at_s", "called_at_s", "campaign_id", "agent_id")
_TEXTS = ("phone_number", "number_key", "customer_id", "treatments", "other_fields")
_SOURCES = {
    "is_alone": "chain_n",
    "priority": "record_type",
    "window_id": "window",
    **{name: name for name in (*_INTEGERS, *_NULLABLE_INTEGERS, *_TEXTS)},
}
"""Columns of the table, and which column of a block each is made of."""


class PostgresBulk:
    """See ``app.bulk.Bulk``. The connection is made with the first block."""

    rows_at_once = ROWS_AT_ONCE

    def __init__(
        self, url: str, read: Callable[[Callable[[Connection], Awaitable[Any]]], Awaitable[Any]], windows: Windows
    ) -> None:
        self._url = url
        self._read = read
        self._windows = windows
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._numbers: dict[Window, int] = {}
        self._lists: list[int] | None = None

    async def close(self) -> None:
        """Let go of the connection; a block that is not committed is void."""
        if self._connection is not None:
            await end(self._connection)

    async def _rows(self, name: str, *values: object) -> list[asyncpg.Record]:
        found: list[asyncpg.Record] = await self._read(lambda connection: connection.fetch(QUERIES[name], *values))
        return found

    async def known(
        self, contact_centre_id: int, list_id: int | None, kind: DoNotCallKind, keys: Sequence[str]
    ) -> set[str]:
        """See ``Bulk.known``."""
        text = "\n".join(keys)
        if kind is DoNotCallKind.NUMBER:
            return {row[0] for row in await self._rows("known_numbers", contact_centre_id, list_id, text)}
        lists = [list_id]
        if list_id is None:
            if self._lists is None:
                self._lists = [row[0] for row in await self._rows("lists_with_records", contact_centre_id)]
            lists = list(self._lists)
        return {row[0] for row in await self._rows("known_customers", contact_centre_id, lists, text)}

    async def all_suppressed(
        self, contact_centre_id: int, list_ids: Sequence[int], kind: DoNotCallKind, now_s: int, limit: int
    ) -> set[str] | None:
        """See ``Bulk.all_suppressed``."""
        found = await self._rows("all_suppressed", contact_centre_id, list_ids, kind.value, now_s, limit + 1)
        return {row[0] for row in found} if len(found) <= limit else None

    async def suppressed(
        self, contact_centre_id: int, list_ids: Sequence[int], kind: DoNotCallKind, keys: Sequence[str], now_s: int
    ) -> set[str]:
        """See ``Bulk.suppressed``."""
        found = await self._rows("suppressed_keys", contact_centre_id, list_ids, kind.value, "\n".join(keys), now_s)
        return {row[0] for row in found}

    async def page(
        self, contact_centre_id: int, list_id: int, after: tuple[int, int] | None, limit: int
    ) -> list[Record]:
        """See ``Bulk.page``."""
        place = after or (-1, -1)

        async def work(connection: Connection) -> list[Record]:
            rows = await connection.fetch(QUERIES["records_after"], contact_centre_id, list_id, *place, limit)
            return await postgres_desks.built(
                connection,
                self._windows,
                rows,
                lambda row: record_of(row, self._windows),
            )

        found: list[Record] = await self._read(work)
        return found

    async def add(self, block: RecordBlock) -> None:
        """See ``Bulk.add``."""
        try:
            connection = await self._usable()
            windows = await self._window_numbers(connection, block)
            row = await connection.fetchrow(QUERIES["take_numbers"], 0, len(block), block.chains, NUMBERS_LOCK)
            assert row is not None
            text = _Text(block, windows, first_record=row[1], first_chain=row[2])
            async with connection.transaction():
                tag = await connection.execute(
                    QUERIES["move_import"],
                    *(block.contact_centre_id, block.list_id, block.import_id, block.row_before, block.row_after),
                    *(len(block), block.rows_refused, block.file_digest),
                )
                _check(tag)
                await connection.copy_to_table(
                    "record", source=text.pieces(), columns=text.names, format="text", timeout=COPY_S
                )
        except Exception as error:
            meaning = translated(error)
            if meaning is error:
                raise
            raise meaning from error

    async def _usable(self) -> asyncpg.Connection[asyncpg.Record]:
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self._url)
            await prepare_writer(self._connection, exclusive=False)
        return self._connection

    async def _window_numbers(self, connection: Connection, block: RecordBlock) -> list[int]:
        """The stored number of each of the block's windows; new ones are written first, in a transaction of their own.

        A window that no record has after all does no harm.
        """
        used = {place for piece in block.pieces for place in piece.column("window")}
        unknown = [block.windows[place] for place in used if block.windows[place] not in self._numbers]
        if unknown:
            values: list[Value] = [(w.time_zone, w.from_s, w.until_s, w.region, w.other_zones) for w in unknown]
            key = (block.contact_centre_id, block.list_id)
            async with connection.transaction():
                await connection.execute(f"SELECT pg_advisory_xact_lock({COMMIT_LOCK})")
                added = await self._windows.intern_values(connection, [(*key, value) for value in values])
            for list_key, number, value in added:
                self._windows.learn(list_key, number, value)
            for window, value in zip(unknown, values, strict=True):
                self._numbers[window] = self._windows.number_of(key, value)
        return [self._numbers.get(window, 0) for window in block.windows]


class _Text:
    """A block as the text format of COPY. What all records have in common stands in front, as one text for all rows."""

    def __init__(self, block: RecordBlock, windows: Sequence[int], *, first_record: int, first_chain: int) -> None:
        self._block = block
        self._windows = texts = list(map(str, windows))
        self._record = first_record
        self._shift = first_chain - block.first_chain
        first = block.pieces[0]
        common = {
            name
            for name, value in first.values.items()
            if not isinstance(value, list)
            and all(not isinstance(piece.values[name], list) and piece.values[name] == value for piece in block.pieces)
        }
        self._same: list[tuple[str, str]] = [
            ("contact_centre_id", str(block.contact_centre_id)),
            ("list_id", str(block.list_id)),
            ("version", "1"),
            ("hold", "0"),
        ]
        self._varying: list[str] = []
        for name, source in _SOURCES.items():
            if source in common:
                self._same.append((name, _texts(name, first, texts)))
            else:
                self._varying.append(name)
        self.names = [*(name for name, _ in self._same), "chain_id", "record_id", *self._varying]

    async def pieces(self) -> AsyncIterator[bytes]:
        """The text of each piece; made in a thread, because the event loop has agents to serve."""
        for piece in self._block.pieces:
            yield await asyncio.to_thread(self._text_of, piece)

    def _text_of(self, columns: RecordColumns) -> bytes:
        count = len(columns)
        lists: list[Any] = [
            repeat("\t".join(value for _, value in self._same), count),
            map(str, map(self._shift.__add__, columns.column("chain"))),
            map(str, range(self._record, self._record + count)),
        ]
        self._record += count
        for name in self._varying:
            values = _texts(name, columns, self._windows)
            lists.append(repeat(values, count) if isinstance(values, str) else values)
        lines = map("\t".join, zip(*lists, strict=True))
        return ("\n".join(lines) + "\n").encode()


def _alone(columns: RecordColumns) -> str | list[str]:
    """Which records are the only ones of their chains; the records of a chain are adjacent, all in one block."""
    if not isinstance(columns.values["chain_n"], list):
        return "t"
    ordinals = columns.column("chain")
    befores, afters = [-1, *ordinals[:-1]], [*ordinals[1:], -1]
    return ["f" if own in near else "t" for own, *near in zip(ordinals, befores, afters, strict=True)]


def _texts(name: str, columns: RecordColumns, windows: Sequence[str]) -> Any:
    """The texts of a column of the table, or one text for all rows; ``windows`` are the numbers of the windows."""
    values = columns.values[_SOURCES[name]]
    if name == "is_alone":
        return _alone(columns)
    if name == "priority":
        return _PRIORITIES[values] if isinstance(values, int) else map(_PRIORITIES.__getitem__, values)
    if name == "window_id":
        return windows[values] if isinstance(values, int) else map(windows.__getitem__, values)
    if name in _TEXTS:
        return _escaped(values)
    return _nullable(values) if name in _NULLABLE_INTEGERS else _numbers(values)


def _nullable(values: Any) -> Any:
    if not isinstance(values, list):
        return _NULL if values is None else str(values)
    return [_NULL if value is None else str(value) for value in values]


def _numbers(values: Any) -> Any:
    if not isinstance(values, list):
        return str(values)
    if max(values) < len(_SMALL):
        return map(_SMALL.__getitem__, values)
    return map(str, values)


def _escaped(values: Any) -> Any:
    """Texts as COPY reads them. None of them holds a tab or a line's end: such cells are refused, or JSON."""
    if not isinstance(values, list):
        return _NULL if values is None else values.replace("\\", "\\\\")
    if None in values:
        return [_NULL if value is None else value.replace("\\", "\\\\") for value in values]
    if "\\" in "".join(values):
        return [value.replace("\\", "\\\\") for value in values]
    return values


def _check(tag: str) -> None:
    if tag != "UPDATE 1":
        raise Conflict


class StoreBulk(ABC):
    """The part of a store that is about many records at once."""

    _url: str
    _windows: Windows

    @abstractmethod
    async def _read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do work on a connection for reading; of the class with this part."""

    @asynccontextmanager
    async def bulk(self) -> AsyncIterator[PostgresBulk]:
        """See ``Store.bulk``."""
        bulk = PostgresBulk(self._url, self._read, self._windows)
        try:
            yield bulk
        finally:
            await bulk.close()
