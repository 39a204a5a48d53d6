"""Reading an imported list: from bytes to rows, from rows to chains, one pass, a row at a time.

Nothing is held but the chain being read, so that the length of a file does not matter. What is wrong with a row is
told with the row; what makes the rows themselves uncertain (a quote that never ends, a line without an end, text
in another encoding's form) refuses the file.

Rows are numbered as spreadsheets do: the header is row 1, a cell with line breaks does not count twice, empty rows
count but are neither good nor bad. Adjacent rows with the same chain key are one chain.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Protocol

import msgspec

from trunkline.app.ports import MAX_CHAIN
from trunkline.app.seen_keys import SeenKeys
from trunkline.contract.names import is_custom_field
from trunkline.domain.campaigns import CallingList
from trunkline.domain.columns import Column, RowPlan, plan_columns
from trunkline.domain.eligibility import Window
from trunkline.domain.numbers import canonical_number
from trunkline.domain.rows import Fault, RowValues, read_row
from trunkline.errors import OutOfRange, TooLarge

if TYPE_CHECKING:
    from typing_extensions import Buffer  # in collections.abc from Python 3.12 on

MAX_ROW_CHARACTERS = 65_536
"""A row with 100 short notes fits ten times; past it a quote is missing, and the whole file would be one cell."""
MAX_WINDOWS = 1000
"""Different calling windows (zone, from, until) in one file: the hand-out goes through all windows of a list each
time, so a column of random times would slow every agent down."""
_BLOCK_BYTES = 1 << 20

ENCODINGS = frozenset(
    codecs.lookup(name).name
    for name in (
        *("ascii", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp437", "cp850", "mac-roman"),
        *(f"cp125{n}" for n in range(9)),
        *(f"iso8859-{n}" for n in (*range(1, 12), *range(13, 17))),
        *("koi8-r", "koi8-u", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr", "tis-620"),
    )
)
"""Encodings of text that spreadsheets write. The interpreter knows others that are no text (zlib, hex) or no use."""


class Source(Protocol):
    """A file that can be read more than once; every ``iter`` begins at its first line."""

    def __iter__(self) -> Iterator[str]:
        """The lines with their ends."""

    def digest(self) -> str:
        """Digest of the content and of how it is decoded. Cost: reads all of it."""


class CsvFile:
    """A ``Source`` over an open, seekable binary file, which stays the caller's to close."""

    def __init__(self, file: IO[bytes], encoding: str = "utf-8") -> None:
        try:
            self.encoding = codecs.lookup(encoding).name
        except (LookupError, ValueError, UnicodeError):
            self.encoding = ""
        if self.encoding not in ENCODINGS:
            raise OutOfRange("encoding is not one that this server reads, such as utf-8, utf-16 or windows-1252")
        self._file = file

    def __iter__(self) -> Iterator[str]:
        self._file.seek(0)
        # What cannot be decoded goes on as half a surrogate pair: the row that holds it is refused, not the file.
        raw = io.BufferedReader(_Unclosed(self._file))
        text = io.TextIOWrapper(raw, encoding=self.encoding, errors="surrogateescape", newline="")
        number = 0
        while True:
            number += 1
            try:
                line = text.readline(MAX_ROW_CHARACTERS + 1)
            except UnicodeError:
                raise OutOfRange(f"line {number} is not text in the encoding {self.encoding}") from None
            if not line:
                return
            yield line

    def digest(self) -> str:
        """Digest of bytes and encoding, 64 hexadecimal digits."""
        self._file.seek(0)
        found = hashlib.blake2b(self.encoding.encode(), digest_size=32)
        while block := self._file.read(_BLOCK_BYTES):
            found.update(block)
        return found.hexdigest()


class _Unclosed(io.RawIOBase):
    """The file as the decoder sees it: the decoder closes what it reads from, and the file is read again."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer)
        block = self._file.read(len(view))
        view[: len(block)] = block
        return len(block)


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """How a file is read. ``check`` may add a reason why a good row's number is refused."""

    calling_list: CallingList
    mapping: Mapping[str, str] = {}
    delimiter: str = ","
    check: Callable[[RowValues], str | None] | None = None


class NumberedRow(msgspec.Struct, frozen=True):
    """A good row. ``place`` is its place in the chain."""

    row: int
    place: int
    values: RowValues


class Chain(msgspec.Struct, frozen=True):
    """The good rows of one chain, in the file's order. ``end_row`` is the last row before the next chain's first."""

    rows: list[NumberedRow]
    end_row: int


class RefusedRow(msgspec.Struct, frozen=True):
    """A row that cannot be taken, with every reason."""

    row: int
    faults: tuple[Fault, ...]


Found = Chain | RefusedRow | None
"""What a pass finds next; None after a row that is empty or goes on with the chain."""


class Pass:
    """One pass over a file. Iterate it once; ``plan`` is known from the start, the counts grow."""

    def __init__(self, source: Iterable[str], reader: Reader) -> None:
        check_delimiter(reader.delimiter)
        self.row = 0
        self.rows_read = 0
        self._reader = reader
        self._row_characters = 0
        self._lines_of_row = 0
        self._rows = csv.reader(self._bounded(source), delimiter=reader.delimiter, strict=True)
        self._chain: list[NumberedRow] = []
        self._places: set[int] = set()
        self._next_place = 0
        self._chains_seen = SeenKeys()
        self._numbers_seen = SeenKeys()
        self._windows: set[Window] = set()
        self.plan = self._read_header()

    def __iter__(self) -> Iterator[Found]:
        for cells in self._data_rows():
            if isinstance(cells, str):
                yield RefusedRow(self.row, (Fault("", cells),))
                continue
            if not any(cell.strip() for cell in cells):
                yield None
                continue
            self.rows_read += 1
            values = read_row(self.plan, cells, self._reader.calling_list)
            if isinstance(values, RowValues):
                yield self._place(values)
            else:
                yield RefusedRow(self.row, values)
        if self._chain:
            yield self._finish(self.row)

    def _bounded(self, lines: Iterable[str]) -> Iterator[str]:
        """The lines as the parser gets them: without a byte-order mark, and no row without an end."""
        first = True
        for line in lines:
            text = line.removeprefix("\ufeff") if first else line
            first = False
            self._row_characters += len(text)
            self._lines_of_row += 1
            if self._row_characters > MAX_ROW_CHARACTERS:
                raise TooLarge(
                    f"row {self.row + 1} is longer than {MAX_ROW_CHARACTERS} characters; is a quote missing?"
                )
            yield text

    def _next_row(self) -> list[str] | None:
        self._row_characters = self._lines_of_row = 0
        cells = next(self._rows, None)
        if cells is not None:
            self.row += 1
        return cells

    def _read_header(self) -> RowPlan:
        try:
            cells = self._next_row()
        except csv.Error:
            raise OutOfRange("the quotes in the header are wrong") from None
        if cells is None:
            raise OutOfRange("the file is empty")
        plan = plan_columns(cells, self._reader.mapping)
        for _, name in plan.custom:
            if not is_custom_field(name):
                raise OutOfRange(
                    f"the column {name!r} has a name that agents' desktops use otherwise; map it to another"
                )
        return plan

    def _data_rows(self) -> Iterator[list[str] | str]:
        """Rows, or the reason why the parser refuses one."""
        while True:
            try:
                cells = self._next_row()
            except csv.Error:
                self.row += 1
                if self._lines_of_row > 1:
                    # Nobody knows where such a row ends: what follows would be read shifted.
                    raise OutOfRange(f"the quotes in row {self.row} are wrong: it runs over several lines") from None
                self.rows_read += 1
                yield "has quotes in the wrong places"
                continue
            if cells is None:
                return
            yield cells

    def _place(self, values: RowValues) -> Found:
        """Put a good row into its chain; returns the chain before it when the row begins another."""
        chain = self._chain
        goes_on = bool(chain) and values.chain_key != "" and values.chain_key == chain[0].values.chain_key
        fault = self._fault(values, chain if goes_on else [])
        if fault is not None:
            return RefusedRow(self.row, (fault,))
        finished = None if goes_on or not chain else self._finish(self.row - 1)
        if values.chain_key and not goes_on:
            self._chains_seen.add(values.chain_key)
        self._windows.add(values.window)
        if self._reader.calling_list.refuses_duplicates:
            self._numbers_seen.add(canonical_number(values.phone_number))
        place = self._next_place if values.chain_n is None else values.chain_n
        self._places.add(place)
        self._next_place = max(self._next_place, place + 1)
        self._chain.append(NumberedRow(self.row, place, values))
        return finished

    def _finish(self, end_row: int) -> Chain:
        chain = Chain(self._chain, end_row)
        self._chain = []
        self._places = set()
        self._next_place = 0
        return chain

    def _fault(self, values: RowValues, chain: Sequence[NumberedRow]) -> Fault | None:
        """Why a row that is good by itself cannot be taken here."""
        name_of = self.plan.name_of
        check = self._reader.check
        reason = None if check is None else check(values)
        if reason is not None:
            return Fault(name_of(Column.PHONE), reason)
        if len(self._windows) >= MAX_WINDOWS and values.window not in self._windows:
            return Fault(
                name_of(Column.FROM), f"begins a calling window after {MAX_WINDOWS} different ones in this file"
            )
        if self._reader.calling_list.refuses_duplicates and canonical_number(values.phone_number) in self._numbers_seen:
            return Fault(name_of(Column.PHONE), "is in the file already, and the list refuses duplicates")
        if not chain:
            if values.chain_key and values.chain_key in self._chains_seen:
                return Fault(name_of(Column.CHAIN), "ended in an earlier row: the rows of a chain must stand together")
        elif len(chain) >= MAX_CHAIN:
            return Fault(name_of(Column.CHAIN), f"has more than {MAX_CHAIN} rows")
        elif values.chain_n in self._places:
            return Fault(name_of(Column.CHAIN_N), "comes twice in its chain")
        return None


def check_delimiter(delimiter: str) -> None:
    """Raise ``OutOfRange`` unless the text is one character that can stand between cells."""
    is_sign = len(delimiter) == 1 and delimiter.isascii() and delimiter.isprintable() and not delimiter.isalnum()
    if delimiter != "\t" and (not is_sign or delimiter in '" '):
        raise OutOfRange("delimiter must be one sign, such as a comma, a semicolon or a tab")
