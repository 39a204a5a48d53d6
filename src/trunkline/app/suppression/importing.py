"""Import of a suppression list: CSV with a header, or one contact a line.

The file is read twice: the first pass checks every row and writes nothing, the second adds entries in portions. An
entry that is there already stays, so an import that was interrupted is simply given again, and a file that is imported
every night adds what is new.
"""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import IO

import msgspec

from trunkline.app.asking import Asked
from trunkline.app.directory import ReferenceBook
from trunkline.app.imports.report import Refusal
from trunkline.app.ports import Clock, Store, Suppression
from trunkline.app.suppression.entries import (
    MAX_ENTRIES_AT_ONCE,
    AddEntries,
    EntryMaker,
    Given,
    Submit,
    Wrong,
    check_may_suppress,
)
from trunkline.domain.enums import Door, RequestType
from trunkline.domain.import_specifications import ImportMode
from trunkline.domain.people import Caller
from trunkline.domain.suppression import SuppressionList
from trunkline.errors import OutOfRange, TooLarge

MAX_ROW_CHARACTERS = 65_536
"""Of one row: a contact with a reason has two hundred; a longer one is a quote that is missing."""
MAX_COLUMNS = 50
"""A register has a handful; more is another kind of file."""
MAX_REFUSALS = 1000
"""Refusals kept in the report; the counts are always complete."""
PAUSE_ROWS = 200
"""Rows read before others get the processor: about 2 ms."""
ENCODINGS = {"utf-8": "utf-8", "utf8": "utf-8", "ascii": "ascii", "us-ascii": "ascii"}
ENCODINGS |= dict.fromkeys(("iso-8859-1", "iso8859-1", "latin-1", "latin1"), "iso-8859-1")
ENCODINGS |= dict.fromkeys(("windows-1252", "cp1252"), "cp1252")
"""Encodings by the names that people give them."""

_NAMES = {
    **dict.fromkeys(("value", "number", "phone", "phone_number", "contact_info", "telephone"), "value"),
    **dict.fromkeys(("kind", "campaign", "reason", "source"), ""),
    **dict.fromkeys(("expires_at", "expires", "expiry", "until"), "expires"),
    **dict.fromkeys(("added_at", "added"), "added"),
    **dict.fromkeys(("added_by",), "-"),
}
_OF_KIND = {"customer_id": "customer", "customer": "customer", "account": "account", "account_id": "account"}


class SuppressionOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. ``mapping`` is meaning -> column of the file; ``reason`` and ``source`` fill empty cells."""

    mode: ImportMode = ImportMode.ALL
    is_dry_run: bool = False
    region: str = ""
    delimiter: str = ","
    encoding: str = "utf-8"
    mapping: Mapping[str, str] = {}
    reason: str = ""
    source: str = ""
    door: Door = Door.INSIDE


class SuppressionReport(msgspec.Struct, kw_only=True, rename="camel"):
    """The outcome. ``entries_*`` count the list before and after; whoever else works on it meanwhile counts too."""

    list_name: str
    mode: ImportMode
    is_dry_run: bool
    rows_read: int = 0
    rows_good: int = 0
    rows_refused: int = 0
    entries_before: int = 0
    entries_after: int = 0
    columns: dict[str, str] = {}
    refusals: list[Refusal] = []
    refusals_left_out: int = 0

    @property
    def is_refused(self) -> bool:
        """True when all rows were asked for and at least one was refused."""
        return self.mode is ImportMode.ALL and self.rows_refused > 0

    def note(self, refusal: Refusal) -> None:
        """Keep a refusal, or count it when there are enough."""
        self.rows_refused += 1
        if len(self.refusals) < MAX_REFUSALS:
            self.refusals.append(refusal)
        else:
            self.refusals_left_out += 1


OnStep = Callable[[bool, int], None]
"""Told whether entries are being written, and how many rows have passed."""


async def import_entries(
    store: Store,
    submit: Submit,
    clock: Clock,
    book: ReferenceBook,
    caller: Caller,
    target: SuppressionList,
    order: SuppressionOrder,
    file: IO[bytes],
    on_step: OnStep = lambda _writes, _rows: None,
    make_list: Callable[[], Awaitable[SuppressionList]] | None = None,
) -> SuppressionReport:
    """Carry out an import of an open, seekable file and report.

    With ``make_list`` the list is not there yet; it is made when the file was checked and entries are to be added.

    Raises ``OutOfRange`` or ``TooLarge`` for a file that cannot be read as a list at all; then nothing was written.
    Memory does not grow with the file.
    """
    check_may_suppress(caller)
    report = SuppressionReport(list_name=target.name, mode=order.mode, is_dry_run=order.is_dry_run)
    maker = _maker(book, target, clock, caller, order)
    report.entries_before = report.entries_after = await _size(store, clock, target)
    rows = _Rows(file, order)
    report.columns = rows.columns
    async for item in _judged(rows, maker, lambda done: on_step(False, done)):
        report.rows_read += 1
        if isinstance(item, Refusal):
            report.note(item)
        else:
            report.rows_good += 1
    if order.is_dry_run or report.is_refused:
        return report
    if make_list is not None:
        target = await make_list()
        maker = _maker(book, target, clock, caller, order)
    list_id = target.suppression_list_id
    portion: list[Suppression] = []

    async def send(*, is_last: bool) -> None:
        command = AddEntries(suppression_list_id=list_id, entries=portion, is_last=is_last)
        note = f"{report.rows_good} rows into {target.name}"
        kind = RequestType.SUPPRESSION_IMPORT
        await submit(Asked(caller=caller, command=command, request_type=kind, door=order.door, reference=note))

    async for item in _judged(_Rows(file, order), maker, lambda done: on_step(True, done)):
        if isinstance(item, Refusal):
            continue
        portion.append(item)
        if len(portion) >= MAX_ENTRIES_AT_ONCE:
            await send(is_last=False)
            portion = []
    await send(is_last=True)
    report.entries_after = await _size(store, clock, target)
    return report


def _maker(
    book: ReferenceBook, target: SuppressionList, clock: Clock, caller: Caller, order: SuppressionOrder
) -> EntryMaker:
    return EntryMaker(
        book,
        target,
        clock.now_ms(),
        caller.user_id,
        region=order.region,
        default_reason=order.reason,
        source=order.source,
    )


async def _size(store: Store, clock: Clock, target: SuppressionList) -> int:
    found = await store.suppression_counts(target.contact_centre_id, clock.now_s())
    list_id = target.suppression_list_id
    return found[list_id].entries if list_id in found else 0


async def _judged(
    rows: _Rows, maker: EntryMaker, on_rows: Callable[[int], None]
) -> AsyncIterator[Suppression | Refusal]:
    done = 0
    for row in rows:
        done += 1
        if done % PAUSE_ROWS == 0:
            on_rows(done)
            await asyncio.sleep(0)
        if isinstance(row, Refusal):
            yield row
            continue
        try:
            yield maker.entry(row)
        except Wrong as wrong:
            yield Refusal(rows.row, rows.name_of(wrong.field), wrong.reason)
    on_rows(done)


class _Rows:
    """The rows of a file, from its beginning. ``row`` is the number of the present one, the first of the file is 1."""

    def __init__(self, file: IO[bytes], order: SuppressionOrder) -> None:
        self.encoding = ENCODINGS.get(order.encoding.strip().lower(), "")
        if not self.encoding:
            raise OutOfRange("encoding must be utf-8, iso-8859-1 or windows-1252")
        if len(order.delimiter) != 1 or not order.delimiter.isascii() or order.delimiter in '"\r\n ':
            raise OutOfRange("delimiter must be one sign, such as a comma, a semicolon or a tab")
        self.row = 0
        self._file = file
        self._characters = self._lines_of_row = 0
        file.seek(0)
        self._cells = csv.reader(self._lines(), delimiter=order.delimiter, strict=True)
        first = self._next()
        if first is None:
            raise OutOfRange("the file is empty")
        if isinstance(first, Refusal):
            raise OutOfRange(f"the first row {first.reason}")
        self._plan, self._kind = self._planned(first, order.mapping)
        self._first: list[str] | None = None if self.columns else first

    def _planned(self, header: list[str], mapping: Mapping[str, str]) -> tuple[dict[str, int], str]:
        """What each field is read from; without a header the first column is the contact."""
        names = [cell.strip() for cell in header]
        places = {_plain(name): place for place, name in enumerate(names)}
        self.columns: dict[str, str] = {}
        self._header = names
        if not mapping and not any(name in _NAMES or name in _OF_KIND for name in places):
            return {"value": 0}, ""
        if len(names) > MAX_COLUMNS:
            raise TooLarge(f"the file has more than {MAX_COLUMNS} columns")
        plan: dict[str, int] = {}
        kind = ""
        meant = {_plain(column): meaning.strip().lower() for meaning, column in mapping.items()}
        for column in meant:
            if column not in places:
                raise OutOfRange(f"the file has no column {column!r}, which the mapping names")
        for name, place in places.items():
            meaning = meant.get(name, name)
            of_kind = _OF_KIND.get(meaning, "")
            field = "value" if of_kind else _NAMES.get(meaning)
            if field is None or field == "-":
                if name in meant:
                    raise OutOfRange(f"the mapping names {meaning!r}, which no entry has")
                self.columns[names[place]] = "left out"
                continue
            field = field or meaning
            if field in plan:
                raise OutOfRange(f"two columns could be {field}; map one of them")
            kind = of_kind or kind
            plan[field] = place
            self.columns[names[place]] = of_kind or field
        if "value" not in plan:
            raise OutOfRange("no column holds the contacts; name it number, customer_id, account or value, or map it")
        return plan, kind

    def name_of(self, field: str) -> str:
        """What the file calls a field of an entry."""
        place = self._plan.get({"expires_at": "expires", "added_at": "added"}.get(field, field))
        return self._header[place] if place is not None and self.columns else field

    def __iter__(self) -> Iterator[Given | Refusal]:
        if self._first is not None:
            yield self._given(self._first)
        while (cells := self._next()) is not None:
            if isinstance(cells, Refusal):
                yield cells
            elif any(cell.strip() for cell in cells):
                yield self._given(cells)

    def _given(self, cells: list[str]) -> Given | Refusal:
        if self.columns and len(cells) != len(self._header):
            return Refusal(self.row, "", f"has {len(cells)} cells, the header has {len(self._header)}")
        if any("\udc80" <= sign <= "\udcff" for cell in cells for sign in cell):
            return Refusal(self.row, "", f"is not text in the encoding {self.encoding}")
        found = {field: cells[place] for field, place in self._plan.items()}
        found.setdefault("kind", "")
        return Given(**{**found, "kind": found["kind"] or self._kind})

    def _next(self) -> list[str] | Refusal | None:
        self._characters = self._lines_of_row = 0
        try:
            cells = next(self._cells, None)
        except csv.Error:
            self.row += 1
            if self._lines_of_row > 1:
                # Where such a row ends nobody knows: what follows would be read shifted.
                raise OutOfRange(f"the quotes in row {self.row} are wrong: it runs over several lines") from None
            return Refusal(self.row, "", "has quotes in the wrong places")
        if cells is not None:
            self.row += 1
        return cells

    def _lines(self) -> Iterator[str]:
        is_first = True
        while line := self._file.readline(MAX_ROW_CHARACTERS + 1):
            text = line.decode(self.encoding, "surrogateescape")
            if is_first:
                text = text.removeprefix("\ufeff")
                is_first = False
            self._lines_of_row += 1
            self._characters += len(line)
            if self._characters > MAX_ROW_CHARACTERS:
                long = f"row {self.row + 1} is longer than {MAX_ROW_CHARACTERS} characters"
                raise TooLarge(f"{long}; is a quote missing?")
            yield text


def _plain(name: str) -> str:
    return name.strip().casefold().replace(" ", "_")
