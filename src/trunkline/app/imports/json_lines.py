"""Reading JSON lines: one object a line, whose keys are columns. Objects need not have the same keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from trunkline.app.imports.files import MAX_ROW_CHARACTERS, Source
from trunkline.app.imports.reading import CellBlock, RefusedRow, checked_plan
from trunkline.domain.columns import RowPlan
from trunkline.domain.records import MAX_FIELD_TEXT, FieldValue
from trunkline.domain.row_cells import Cell
from trunkline.domain.rows import Fault
from trunkline.errors import OutOfRange, Refused, TooLarge

MAX_SHAPES = 1000
"""Different sets of keys in one file: exports leave out what a record has not, and that differs in few ways."""

_decode = msgspec.json.Decoder(dict[str, FieldValue]).decode
_NO_PLAN = RowPlan(header=(), known={}, custom=())


class JsonReader:
    """A file of JSON lines as blocks; ``plan`` grows with the keys that come."""

    def __init__(self, source: Source, mapping: Mapping[str, str]) -> None:
        self._texts = source.pieces()
        self._mapping = mapping
        self._row = 0
        self._header: dict[str, None] = {}
        self._shapes: set[tuple[str, ...]] = set()
        self._plan = _NO_PLAN
        # Blank lines alone are no rows: what holds nothing else is empty, however long it is.
        self._first = next((block for block in iter(self) if block.rows or block.refused), None)
        if self._first is None:
            raise OutOfRange("the file is empty")

    @property
    def plan(self) -> RowPlan:
        """See ``BlockReader.plan``."""
        return self._plan

    def __iter__(self) -> Iterator[CellBlock]:
        first, self._first = getattr(self, "_first", None), None
        if first is not None:
            yield first
        for text in self._texts:
            yield self._read(text)

    def _read(self, text: str) -> CellBlock:
        rows: list[int] = []
        objects: list[dict[str, FieldValue]] = []
        refused: list[RefusedRow] = []
        longest = 0
        for line in text.replace("\r", "\n").split("\n") if "\r" in text and "\n" not in text else text.split("\n"):
            self._row += 1
            if not line.strip():
                continue
            longest = max(longest, len(line))
            try:
                objects.append(_decode(line))
                rows.append(self._row)
            except msgspec.ValidationError:
                refused.append(self._refused("is no object whose values are texts, numbers, true, false or null"))
            except msgspec.DecodeError:
                refused.append(self._refused("is no JSON"))
            except UnicodeError:
                refused.append(self._refused("holds bytes that are not text in this encoding"))
        if text.endswith("\n"):
            self._row -= 1  # what stands behind the last end is no line
        if longest > MAX_ROW_CHARACTERS:
            raise TooLarge(f"a line is longer than {MAX_ROW_CHARACTERS} characters")
        self._learn(rows, objects)
        return CellBlock(
            plan=self._plan,
            rows=rows,
            columns=self._columns(objects),
            refused=refused,
            end_row=self._row,
            is_clean=longest <= MAX_FIELD_TEXT and "\\u" not in text and "\0" not in text,
            is_text=False,
        )

    def _refused(self, reason: str) -> RefusedRow:
        return RefusedRow(self._row, (Fault("", reason),))

    def _learn(self, rows: list[int], objects: list[dict[str, FieldValue]]) -> None:
        """Make the plan anew when there are keys that it does not know."""
        fresh = set(map(tuple, objects)) - self._shapes
        if not fresh:
            return
        self._shapes |= fresh
        if len(self._shapes) > MAX_SHAPES:
            raise TooLarge(f"the objects of the file have more than {MAX_SHAPES} different sets of keys")
        before = len(self._header)
        row = rows[0]
        for at, found in zip(rows, objects, strict=True):
            if not found.keys() <= self._header.keys():
                row = at
                self._header.update(dict.fromkeys(found))
        if len(self._header) == before:
            return
        try:
            self._plan = checked_plan(tuple(self._header), self._mapping)
        except Refused as error:
            raise type(error)(f"up to line {row}: {error}") from None

    def _columns(self, objects: list[dict[str, FieldValue]]) -> list[list[Cell]]:
        custom = {place for place, _ in self._plan.custom}
        columns: list[list[Cell]] = []
        for place, key in enumerate(self._header):
            if place in custom:
                columns.append([found.get(key, msgspec.UNSET) for found in objects])
            else:
                columns.append([_text(found.get(key)) for found in objects])
        return columns


def _text(value: FieldValue) -> str:
    """A value of the list's own columns as CSV would hold it."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).lower() if isinstance(value, bool) else str(value)
