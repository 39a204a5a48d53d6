"""Checked blocks of an import on disk, between the pass that checks and the one that writes.

They are kept in the interpreter's own form for its objects, which is the fastest there is. It is read by the process
that wrote it and by nobody else: the file has no name.
"""

from __future__ import annotations

import marshal
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import IO, Any

import msgspec

from trunkline.app.record_columns import RecordColumns

_VERSION = 2
"""Of the form: later ones look for equal objects, which costs more than it saves here."""


class SpooledBlock(msgspec.Struct, kw_only=True):
    """Records of the rows after the block before up to ``end_row``, and how many of these rows were refused."""

    records: RecordColumns
    end_row: int
    rows_refused: int


class Spool:
    """Blocks in an open temporary file; they are read as often as is needed, in the order in which they came.

    A block is the length of its head, the head with the length of each column, and the columns, of which those that
    are not asked for stay unread.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._is_reading = False

    def add(self, block: SpooledBlock) -> None:
        """Keep a block."""
        rows: Any = block.records.rows
        if isinstance(rows, range):
            rows = ("range", rows.start, rows.stop)
        values = {name: marshal.dumps(_packed(value), _VERSION) for name, value in block.records.values.items()}
        lengths = [(name, len(text)) for name, text in values.items()]
        whole: Any = (rows, lengths, block.end_row, block.rows_refused)
        head = marshal.dumps(whole, _VERSION)
        self._file.write(len(head).to_bytes(8, "big"))
        self._file.write(b"".join((head, *values.values())))

    def __iter__(self) -> Iterator[SpooledBlock]:
        return self._read(None)

    def columns(self, *names: str) -> Iterator[SpooledBlock]:
        """The blocks with some of their columns only."""
        return self._read(frozenset(names))

    def _read(self, names: frozenset[str] | None) -> Iterator[SpooledBlock]:
        at = 0
        while True:
            self._file.seek(at)
            size = self._file.read(8)
            if not size:
                return
            length = int.from_bytes(size, "big")
            rows, lengths, end_row, rows_refused = _loaded(self._file.read(length))
            at += 8 + length
            values: dict[str, Any] = {}
            for name, length in lengths:
                if names is None or name in names:
                    self._file.seek(at)
                    values[name] = _unpacked(_loaded(self._file.read(length)))
                at += length
            if isinstance(rows, tuple):
                rows = range(rows[1], rows[2])
            yield SpooledBlock(records=RecordColumns(rows, values), end_row=end_row, rows_refused=rows_refused)


def _packed(value: Any) -> Any:
    """A column of texts as one text, which is read and written three times as fast; none of them has a line's end."""
    if not isinstance(value, list) or not value or not isinstance(value[0], str):
        return value
    try:
        return ("\n".join(value),)
    except TypeError:  # some are None
        return value


def _unpacked(value: Any) -> Any:
    return value[0].split("\n") if isinstance(value, tuple) else value


def _loaded(text: bytes) -> Any:
    return marshal.loads(text)  # noqa: S302 - this process wrote it into a file that nobody else can open


class DroppedRows:
    """Rows that later checks refused, by number; eight bytes for each."""

    def __init__(self) -> None:
        self._rows = array("Q")

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, rows: Sequence[int]) -> None:
        """Add rows, each new."""
        self._rows.extend(rows)
        self._rows = array("Q", sorted(self._rows))

    def between(self, after: int, until: int) -> set[int]:
        """Those behind ``after`` up to ``until``."""
        return set(self._rows[bisect_right(self._rows, after) : bisect_right(self._rows, until)])

    def __contains__(self, row: int) -> bool:
        at = bisect_left(self._rows, row)
        return at < len(self._rows) and bool(self._rows[at] == row)
