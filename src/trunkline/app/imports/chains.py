"""Rows of an import as chains: adjacent rows with the same key, or the numbers of one row."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat
from typing import Any

import msgspec

from trunkline.app.imports.reading import RefusedRow
from trunkline.app.record_columns import RecordColumns
from trunkline.app.stored import MAX_CHAIN
from trunkline.domain.columns import Column, RowPlan
from trunkline.domain.rows import Fault


class PlacedBlock(msgspec.Struct, kw_only=True):
    """Records with their ``chain`` and ``chain_n``, and the rows refused; ``begins`` are places of first records."""

    records: RecordColumns
    refused: list[RefusedRow]
    begins: list[int]


class ChainPlacer:
    """Puts the records of one file into chains, block by block.

    A chain takes records until a row with another key comes; rows that were refused before do not end it. ``chains``
    counts those begun.
    """

    def __init__(self) -> None:
        self.chains = 0
        self._key = ""
        self._row = 0
        self._count = 0
        self._next_place = 0
        self._places: set[int] = set()

    def place(self, records: RecordColumns, plan: RowPlan) -> PlacedBlock:
        """Place the records of a block."""
        keys = records.values.get("chain_key")
        given = records.values["chain_n"]
        rows = records.rows
        if keys is None and given is None and not plan.further:
            begin = self.chains
            self.chains += len(rows)
            self._key, self._row = "", rows[-1] if rows else self._row
            records.values["chain"] = list(range(begin, self.chains))
            records.values["chain_n"] = 0
            return PlacedBlock(records=records, refused=[], begins=list(range(len(rows))))
        refused: dict[int, Fault] = {}
        begins: list[int] = []
        chains: list[int] = []
        places: list[int] = []
        for at, (row, key, named) in enumerate(zip(rows, _each(keys), _each(given), strict=False)):
            fault: Fault | None = None
            # Only the row's first number has the place that the row names.
            wanted = None if row == self._row else named
            if row != self._row and (not key or key != self._key):
                begins.append(at)
                self._begin(key or "")
            if self._count >= MAX_CHAIN:
                fault = Fault(plan.name_of(Column.CHAIN), f"has more than {MAX_CHAIN} rows")
            elif wanted is not None and wanted in self._places:
                fault = Fault(plan.name_of(Column.CHAIN_N), "comes twice in its chain")
            self._row = row
            place = self._next_place if wanted is None else wanted
            chains.append(self.chains - 1)
            places.append(place)
            if fault is not None:
                refused.setdefault(row, fault)
                continue
            self._count += 1
            self._places.add(place)
            self._next_place = max(self._next_place, place + 1)
        records.values["chain"] = chains
        records.values["chain_n"] = places
        if not refused:
            return PlacedBlock(records=records, refused=[], begins=begins)
        first = set(begins)
        keep = [row not in refused for row in rows]
        kept_before = 0
        begins = []
        is_due = False
        for at, is_kept in enumerate(keep):
            is_due |= at in first
            if is_kept:
                if is_due:
                    begins.append(kept_before)
                    is_due = False
                kept_before += 1
        return PlacedBlock(
            records=records.kept(keep),
            refused=[RefusedRow(row, (fault,)) for row, fault in refused.items()],
            begins=begins,
        )

    def _begin(self, key: str) -> None:
        self.chains += 1
        self._key = key
        self._count = self._next_place = 0
        self._places.clear()


def _each(column: Any) -> Iterable[Any]:
    return column if isinstance(column, list) else repeat(column)
