"""Columns of texts, read a whole column at a time by functions of the interpreter that loop in C.

Each reader gives a value for every cell and the places of cells that it does not read. Those rows go through
``domain.rows.read_row``, which knows what is wrong with them, if anything is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any

import msgspec

from trunkline.domain.campaigns import ListField
from trunkline.domain.numbers import canonical_number
from trunkline.domain.records import MAX_PHONE_NUMBER
from trunkline.domain.row_cells import Cell, read_field
from trunkline.errors import OutOfRange, TooLarge

MAX_REMEMBERED = 20_000
"""Different texts of a column that are remembered with their values, some 3 MB."""


class _Unread:
    """Stands for a cell that was not read."""


UNREAD = _Unread()
_encode = msgspec.json.Encoder().encode
_EDGE = re.compile(r"^ | $", re.MULTILINE)
_ESCAPED = re.compile(r'["\\\x00-\x1f\x7f]')
_DIALED = re.compile(
    rf"^(?=[^0-9\n]*[0-9])(?! )[0-9+()\-./ *#,;xXABCDabcd]{{1,{MAX_PHONE_NUMBER}}}(?<! )$", re.MULTILINE
)
_NOT_CANONICAL = bytes(set(range(128)) - set(b"0123456789*#\n"))


class CellValues(dict[str, Any]):
    """Text -> value, parsed once for each text; ``UNREAD`` for what ``parse`` refuses."""

    def __init__(self, parse: Callable[[str], Any]) -> None:
        super().__init__()
        self._parse = parse

    def __missing__(self, text: str) -> Any:
        try:
            value = self._parse(text)
        except (OutOfRange, TooLarge):
            value = UNREAD
        if len(self) >= MAX_REMEMBERED:
            self.clear()
        self[text] = value
        return value

    def read(self, texts: Sequence[str], odd: set[int]) -> list[Any]:
        """The values of a column; places of cells that are not read go into ``odd``."""
        values = list(map(self.__getitem__, texts))
        if UNREAD in values:
            odd.update(at for at, value in enumerate(values) if value is UNREAD)
        return values


def stripped(parse: Callable[[str], Any], default: Any) -> Callable[[str], Any]:
    """The parser of a cell, blanks around it left out; an empty one is ``default``."""

    def read(text: str) -> Any:
        inner = text.strip()
        return parse(inner) if inner else default

    return read


def lines_of(texts: Sequence[str]) -> tuple[Sequence[str], str]:
    """A column as ASCII lines; a cell that is none is empty among the texts given back."""
    whole = "\n".join(texts)
    if not whole.isascii() or whole.count("\n") != len(texts) - 1:
        texts = [text if text.isascii() and "\n" not in text else "" for text in texts]
        whole = "\n".join(texts)
    return texts, whole


def read_names(texts: Sequence[str], most: int, odd: set[int]) -> list[str]:
    """A column of texts of at most so many printable characters, without blanks around them."""
    whole = "\n".join(texts)
    if _EDGE.search(whole):
        texts = [text.strip() for text in texts]
        whole = "\n".join(texts)
    is_plain = whole.count("\n") == len(texts) - 1 and whole.replace("\n", "").isprintable()
    if not is_plain or max(map(len, texts), default=0) > most:
        odd.update(at for at, text in enumerate(texts) if len(text) > most or not text.isprintable())
        texts = [text.strip() for text in texts]
    return list(texts)


def read_dialed(texts: Sequence[str], odd: set[int]) -> tuple[list[str], list[str]]:
    """A column of numbers as they are given, and their canonical forms."""
    if not texts:
        return [], []
    texts, whole = lines_of(texts)
    found = _DIALED.findall(whole)
    if len(found) != len(texts):
        good = [_DIALED.match(text) is not None for text in texts]
        odd.update(at for at, is_good in enumerate(good) if not is_good)
    keys = whole.encode().translate(None, _NOT_CANONICAL).decode()
    column = keys.split("\n")
    if keys.startswith("00") or "\n00" in keys:
        column = [
            canonical_number(text) if key.startswith("00") else key for text, key in zip(texts, column, strict=True)
        ]
    return list(texts), column


class FieldColumns:
    """The custom fields of rows as JSON texts.

    ``columns`` are (place, field name), ``declared`` the fields of the list's format by name, ``constant`` those that
    have no column and get their default.
    """

    def __init__(
        self,
        columns: Sequence[tuple[int, str]],
        declared: Mapping[str, ListField],
        constant: Sequence[ListField] = (),
    ) -> None:
        self._constant = {field.name: field.default for field in constant}
        self._columns = columns
        self._declared = declared
        self._parsed = {name: CellValues(_fragment(declared[name])) for _, name in columns if name in declared}

    def read(self, cells: Sequence[Sequence[Cell]], odd: set[int], *, is_text: bool) -> list[str] | None:
        """A JSON text for each row; None for all of them when there are no custom fields."""
        if not self._columns and not self._constant:
            return None
        if is_text:
            return self._texts(cells, odd)  # type: ignore[arg-type]  # that is what is_text says
        return self._values(cells, odd)

    def _texts(self, cells: Sequence[Sequence[str]], odd: set[int]) -> list[str]:
        count = len(cells[0])
        columns: list[Iterable[str]] = []
        before = "{"
        for place, name in self._columns:
            before += _encode(name).decode() + ":"
            column = cells[place]
            if name in self._declared:
                columns += (repeat(before, count), self._declared_texts(name, column, odd))
                before = ","
            elif _ESCAPED.search("".join(column)):
                columns += (repeat(before, count), [_encode(cell).decode() for cell in column])
                before = ","
            else:
                columns += (repeat(before + '"', count), column)
                before = '",'
        constant = _encode(self._constant).decode()[1:-1]
        after = before.removesuffix(",") + ("," + constant if constant and columns else constant) + "}"
        columns.append(repeat(after, count))
        return list(map("".join, zip(*columns, strict=True)))

    def _declared_texts(self, name: str, column: Sequence[str], odd: set[int]) -> list[str]:
        values = self._parsed[name]
        found: list[Any] = list(map(values.__getitem__, column))
        if UNREAD in found:
            odd.update(at for at, value in enumerate(found) if value is UNREAD)
            return ["null" if value is UNREAD else value for value in found]
        return found

    def _values(self, cells: Sequence[Sequence[Cell]], odd: set[int]) -> list[str]:
        names = [name for _, name in self._columns]
        rows = zip(*(cells[place] for place, _ in self._columns), strict=True)
        if not self._declared and not self._constant:
            unset = msgspec.UNSET
            return [
                _encode({name: cell for name, cell in zip(names, row, strict=True) if cell is not unset}).decode()
                for row in rows
            ]
        odd.update(range(len(cells[0])))  # types and texts mixed: each row by itself
        return [""] * len(cells[0])


def _fragment(field: ListField) -> Callable[[str], str]:
    def parse(text: str) -> str:
        return _encode(read_field(text, field)).decode()

    return parse


def as_json(fields: Mapping[str, object]) -> str | None:
    """Custom fields as a store keeps them; None for none."""
    return _encode(fields).decode() if fields else None
