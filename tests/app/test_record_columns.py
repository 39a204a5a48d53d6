"""Columns of records: what is taken out is the same however few it is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trunkline.app.record_columns import FEW, RecordColumns


@given(st.integers(0, 3 * FEW), st.sets(st.integers(0, 3 * FEW + 4)), st.booleans(), st.integers(1, 3))
def test_records_without_some_rows(rows: int, gone: set[int], is_range: bool, each: int) -> None:  # noqa: FBT001 - drawn
    """Those of all other rows stay in order, with what all have; several may come from one row; nothing changes."""
    numbers = range(2, rows + 2) if is_range else [2 + n // each for n in range(rows)]
    records = RecordColumns(numbers, {"place": list(range(rows)), "all": 7})
    left = records.without(gone)
    assert list(left.rows) == [row for row in numbers if row not in gone]
    assert left.values == {"place": [n for n, row in enumerate(numbers) if row not in gone], "all": 7}
    assert records.values["place"] == list(range(rows))
