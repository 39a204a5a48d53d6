"""Reading an imported list: from text to blocks of rows, held as columns.

Nothing is held but one block, so that the length of a file does not matter. What is wrong with a row is told with the
row; what makes the rows themselves uncertain (a quote that never ends, a line without an end, text in another
encoding's form) refuses the file.

A block without quotes is cut at its delimiters by the text functions of the interpreter. One with quotes goes through
the ``csv`` module line by line, and one in which a row runs over several lines, or in which quotes are wrong, row by
row. All three ways give the same rows.

Rows are numbered as spreadsheets do: the header is row 1, a cell with line breaks does not count twice, empty rows
count but are neither good nor bad. In JSON lines the first object is row 1.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from operator import methodcaller
from typing import Protocol

import msgspec

from trunkline.app.imports.files import MAX_ROW_CHARACTERS, Source
from trunkline.contract.names import is_custom_field
from trunkline.domain.columns import RowPlan, plan_columns
from trunkline.domain.records import MAX_FIELD_TEXT
from trunkline.domain.row_cells import HALF_PAIR, Cell
from trunkline.domain.rows import Fault
from trunkline.errors import OutOfRange, TooLarge


class RefusedRow(msgspec.Struct, frozen=True):
    """A row that cannot be taken, with every reason."""

    row: int
    faults: tuple[Fault, ...]


class CellBlock(msgspec.Struct, kw_only=True):
    """Some rows of a file, as columns in the plan's order.

    ``rows`` are their numbers. ``refused`` are rows that were no rows; ``end_row`` is the last row read. Unless it
    ``is_clean`` a cell may be too long or hold what cannot be stored. ``is_text``: all cells are texts.
    """

    plan: RowPlan
    rows: Sequence[int]
    columns: Sequence[Sequence[Cell]]
    refused: list[RefusedRow] = []
    end_row: int
    is_clean: bool = True
    is_text: bool = True


class BlockReader(Protocol):
    """A file as blocks; iterate it once."""

    @property
    def plan(self) -> RowPlan:
        """What the columns are for; of JSON lines those met so far."""

    def __iter__(self) -> Iterator[CellBlock]:
        """The blocks."""


def checked_plan(header: Sequence[str], mapping: Mapping[str, str]) -> RowPlan:
    """``plan_columns``, without custom fields under names that the protocol uses."""
    plan = plan_columns(header, mapping)
    for _, name in plan.custom:
        if not is_custom_field(name):
            raise OutOfRange(f"the column {name!r} has a name that agents' desktops use otherwise; map it to another")
    return plan


class CsvReader:
    """A CSV file with a header as blocks; ``plan`` is known from the start."""

    def __init__(self, source: Source, mapping: Mapping[str, str], delimiter: str = ",") -> None:
        check_delimiter(delimiter)
        self._texts = source.pieces()
        self._delimiter = delimiter
        self._count = methodcaller("count", delimiter)
        self._row = 0
        self._lines: list[str] = []
        self._at = 0
        self._row_characters = 0
        self._lines_of_row = 0
        self._plan = self._read_header(mapping)
        self._width = len(self._plan.header)

    @property
    def plan(self) -> RowPlan:
        """See ``BlockReader.plan``."""
        return self._plan

    def __iter__(self) -> Iterator[CellBlock]:
        for text in self._texts:
            yield self._quoted(text) if '"' in text else self._plain(text)

    def _read_header(self, mapping: Mapping[str, str]) -> RowPlan:
        self._lines = _lines_of(next(self._texts, ""))
        try:
            cells = next(self._parser(), None)
        except csv.Error:
            raise OutOfRange("the quotes in the header are wrong") from None
        if cells is None:
            raise OutOfRange("the file is empty")
        self._row = 1
        rest = "".join(self._lines[self._at :])
        self._texts = chain([rest] if rest else [], self._texts)
        return checked_plan(cells, mapping)

    def _plain(self, text: str) -> CellBlock:
        """A block without quotes."""
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        if not text.endswith("\n"):
            text += "\n"
        lines = text.split("\n")
        lines.pop()
        longest = self._longest(lines)
        rows: Sequence[int] = range(self._row + 1, self._row + 1 + len(lines))
        self._row += len(lines)
        refused: list[RefusedRow] = []
        counts = list(map(self._count, lines))
        if self._width == 1 or counts.count(self._width - 1) != len(lines):
            kept: list[tuple[int, str]] = []
            for row, line, count in zip(rows, lines, counts, strict=True):
                if count == self._width - 1 and line:
                    kept.append((row, line))
                elif line.replace(self._delimiter, "").strip():
                    refused.append(self._ragged(row, count + 1))
            rows, lines = [row for row, _ in kept], [line for _, line in kept]
            text = "".join(f"{line}\n" for line in lines)
        cells = text.replace("\n", self._delimiter).split(self._delimiter)
        cells.pop()
        return self._block(rows, cells, refused, is_clean=longest <= MAX_FIELD_TEXT and _is_clean(text))

    def _quoted(self, text: str) -> CellBlock:
        """A block with quotes."""
        lines = _lines_of(text)
        longest = self._longest(lines)
        try:
            found = list(csv.reader(lines, delimiter=self._delimiter, strict=True))
        except csv.Error:
            found = []
        if len(found) != len(lines):
            return self._careful(lines)
        rows: Sequence[int] = range(self._row + 1, self._row + 1 + len(found))
        self._row += len(found)
        refused: list[RefusedRow] = []
        if set(map(len, found)) != {self._width}:
            rows, found = self._even(zip(rows, found, strict=True), refused)
        cells = list(chain.from_iterable(found))
        return self._block(rows, cells, refused, is_clean=longest <= MAX_FIELD_TEXT and _is_clean(text))

    def _careful(self, lines: list[str]) -> CellBlock:
        """A block row by row: one that goes on behind these lines is read to its end, and the rest of that text."""
        self._lines, self._at = lines, 0
        parser = self._parser()
        found: list[tuple[int, list[str]]] = []
        refused: list[RefusedRow] = []
        while self._at < len(self._lines):
            self._row_characters = self._lines_of_row = 0
            self._row += 1
            try:
                found.append((self._row, next(parser)))
            except csv.Error:
                if self._lines_of_row > 1:
                    # Nobody knows where such a row ends: what follows would be read shifted.
                    raise OutOfRange(f"the quotes in row {self._row} are wrong: it runs over several lines") from None
                refused.append(RefusedRow(self._row, (Fault("", "has quotes in the wrong places"),)))
        rows, even = self._even(iter(found), refused)
        refused.sort(key=lambda item: item.row)
        return self._block(rows, list(chain.from_iterable(even)), refused, is_clean=False)

    def _parser(self) -> Iterator[list[str]]:
        return csv.reader(self._feed(), delimiter=self._delimiter, strict=True)

    def _feed(self) -> Iterator[str]:
        """Lines for the parser; no row without an end."""
        while True:
            if self._at == len(self._lines):
                text = next(self._texts, None)
                if text is None:
                    return
                self._lines, self._at = _lines_of(text), 0
            line = self._lines[self._at]
            self._at += 1
            self._row_characters += len(line)
            self._lines_of_row += 1
            if self._row_characters > MAX_ROW_CHARACTERS:
                raise TooLarge(_too_long(max(self._row, 1)))
            yield line

    def _even(
        self, found: Iterator[tuple[int, list[str]]], refused: list[RefusedRow]
    ) -> tuple[list[int], list[list[str]]]:
        """The rows that have as many cells as the header; empty ones are left out, others refused."""
        rows: list[int] = []
        even: list[list[str]] = []
        for row, cells in found:
            if len(cells) == self._width:
                rows.append(row)
                even.append(cells)
            elif any(cell.strip() for cell in cells):
                refused.append(self._ragged(row, len(cells)))
        return rows, even

    def _ragged(self, row: int, cells: int) -> RefusedRow:
        return RefusedRow(row, (Fault("", f"has {cells} cells where the header has {self._width}"),))

    def _longest(self, lines: Sequence[str]) -> int:
        longest = max(map(len, lines), default=0)
        if longest > MAX_ROW_CHARACTERS:
            place = next(n for n, line in enumerate(lines) if len(line) > MAX_ROW_CHARACTERS)
            raise TooLarge(_too_long(self._row + 1 + place))
        return longest

    def _block(self, rows: Sequence[int], cells: list[str], refused: list[RefusedRow], *, is_clean: bool) -> CellBlock:
        width = self._width
        return CellBlock(
            plan=self._plan,
            rows=rows,
            columns=[cells[place::width] for place in range(width)],
            refused=refused,
            end_row=self._row,
            is_clean=is_clean,
        )


def _too_long(row: int) -> str:
    return f"row {row} is longer than {MAX_ROW_CHARACTERS} characters; is a quote missing?"


def _lines_of(text: str) -> list[str]:
    """The lines with their ends, whichever of the three these are."""
    return io.StringIO(text, newline="").readlines()


def _is_clean(text: str) -> bool:
    return "\0" not in text and (text.isascii() or not HALF_PAIR.search(text))


def check_delimiter(delimiter: str) -> None:
    """Raise ``OutOfRange`` unless the text is one character that can stand between cells."""
    is_sign = len(delimiter) == 1 and delimiter.isascii() and delimiter.isprintable() and not delimiter.isalnum()
    if delimiter != "\t" and (not is_sign or delimiter in '" '):
        raise OutOfRange("delimiter must be one sign, such as a comma, a semicolon or a tab")
