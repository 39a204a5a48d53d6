"""Many records as columns: how an import hands them on, and how a store takes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, compress
from typing import Any

import msgspec

from trunkline.domain.eligibility import Window

NAMES = (
    *("phone_number", "number_key", "phone_type", "record_type", "status", "call_result", "attempts"),
    *("due_at_s", "called_at_s", "window", "campaign_id", "agent_id", "customer_id", "treatments", "other_fields"),
    *("chain", "chain_n"),
)
"""Columns of a block. ``number_key`` is the canonical number, ``window`` a place in the block's windows, ``chain``
counts the chains of the whole import from 0; enumerations are numbers, ``other_fields`` is JSON text or None."""


FEW = 32
"""Up to one record in so many is taken out of a column by itself, which costs a move of what stands behind it."""


class RecordColumns(msgspec.Struct):
    """Records, one for each of ``rows``, the rows of a file (several records may come from one).

    ``values`` maps a name to a list with a value for each record, or to one value that all have.
    """

    rows: Sequence[int]
    values: dict[str, Any]

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> list[Any]:
        """A column as a list."""
        value = self.values[name]
        return value if isinstance(value, list) else [value] * len(self.rows)

    def kept(self, selectors: Sequence[bool]) -> RecordColumns:
        """Those records whose selector is true."""
        return RecordColumns(
            list(compress(self.rows, selectors)),
            {name: list(compress(v, selectors)) if isinstance(v, list) else v for name, v in self.values.items()},
        )

    def without(self, rows: set[int]) -> RecordColumns:
        """The records that come from none of some rows. Cost: that of copying the columns, while these rows are few."""
        places = list(compress(range(len(self)), map(rows.__contains__, self.rows)))
        if len(places) > len(self) // FEW:
            return self.kept([row not in rows for row in self.rows])
        return RecordColumns(
            _without(list(self.rows), places),
            {name: _without(v.copy(), places) if isinstance(v, list) else v for name, v in self.values.items()},
        )

    def taken(self, places: Sequence[int]) -> RecordColumns:
        """The records at some places, in that order."""
        rows = self.rows
        return RecordColumns(
            [rows[place] for place in places],
            {name: list(map(v.__getitem__, places)) if isinstance(v, list) else v for name, v in self.values.items()},
        )

    def part(self, begin: int, end: int) -> RecordColumns:
        """The records from one place to before another."""
        return RecordColumns(
            self.rows[begin:end], {name: v[begin:end] if isinstance(v, list) else v for name, v in self.values.items()}
        )


def _without(values: list[Any], places: Sequence[int]) -> list[Any]:
    for place in reversed(places):
        del values[place]
    return values


def joined(parts: Iterable[RecordColumns]) -> RecordColumns:
    """The records of all parts, which have the same columns, in order."""
    some = list(parts)
    if len(some) == 1:
        return some[0]
    rows: Sequence[int] = list(chain.from_iterable(part.rows for part in some))
    values: dict[str, Any] = {}
    for name, first in some[0].values.items():
        if not isinstance(first, list) and all(
            not isinstance(part.values[name], list) and part.values[name] == first for part in some
        ):
            values[name] = first
        else:
            values[name] = list(chain.from_iterable(part.column(name) for part in some))
    return RecordColumns(rows, values)


class RecordBlock(msgspec.Struct, frozen=True, kw_only=True):
    """A block of an import as a store writes it, with the note of how far the import is, in one transaction.

    The records are in ``pieces``, each with all ``NAMES`` and with whole chains: some thousand records are worked on
    faster than ten thousand, because the processor's cache holds them. The stored note must be at ``row_before``, of
    the same file and not done, else ``Conflict``; then it is at ``row_after``, with ``rows_refused`` more rows refused.
    """

    contact_centre_id: int
    list_id: int
    import_id: str
    file_digest: str
    row_before: int
    row_after: int
    rows_refused: int
    windows: Sequence[Window]
    pieces: Sequence[RecordColumns]

    def __len__(self) -> int:
        return sum(map(len, self.pieces))

    @property
    def chains(self) -> int:
        """How many numbers the chains need: the first to the last of them, whether or not all have records left."""
        return int(self.pieces[-1].column("chain")[-1] - self.first_chain + 1)

    @property
    def first_chain(self) -> int:
        """The ordinal of the first chain."""
        return int(self.pieces[0].column("chain")[0])
