"""Figures from counts: ratios, rates, what a group waits for."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.domain.enums import CallResult
from trunkline.domain.statistics import (
    LIVE,
    NOT_DIALED,
    Counted,
    RecordCounts,
    Sample,
    Tally,
    Waiting,
    busy_factor,
    time_to_complete_s,
    waiting,
)

R = CallResult
results = st.dictionaries(st.sampled_from(R), st.integers(0, 1000))


@given(results)
def test_ratios_are_parts_of_what_was_counted(counted: dict[CallResult, int]) -> None:
    """Between 0 and 1, None without a whole; attempts without a call count nowhere."""
    tally = Tally(results=Counter(counted))
    dialed = sum(n for result, n in counted.items() if result not in NOT_DIALED)
    live = sum(counted.get(result, 0) for result in LIVE)
    assert tally.attempts == dialed
    assert tally.hit_ratio == (live / dialed if dialed else None)
    lost = counted.get(R.ABANDONED, 0) + counted.get(R.DROPPED, 0)
    assert tally.overdial_rate == (lost / live if live else None)
    for value in (tally.hit_ratio, tally.overdial_rate):
        assert value is None or 0 <= value <= 1


@given(st.lists(results, max_size=4))
def test_tallies_add_up(parts: list[dict[CallResult, int]]) -> None:
    """Lists together are the group."""
    total = Tally()
    for n, part in enumerate(parts):
        total.add(Tally(results=Counter(part), leads=n, callbacks_completed=1, callbacks_missed=2))
    assert total.attempts == sum(Tally(results=Counter(part)).attempts for part in parts)
    assert (total.callbacks_completed, total.callbacks_missed) == (len(parts), 2 * len(parts))
    assert total.leads == sum(range(len(parts)))


def test_busy_factor() -> None:
    """Agents with a record among those who take part, over all samples; unknown while nobody takes part."""
    assert busy_factor([]) is None
    assert busy_factor([Sample(1, 0, 0, {})]) is None
    assert busy_factor([Sample(1, 4, 4, {}), Sample(2, 4, 2, {}), Sample(3, 0, 0, {})]) == 0.75


@pytest.mark.parametrize(
    ("open_chains", "leads", "list_id", "expected"),
    [
        (0, 5, None, 0),
        (None, 5, None, None),
        (100, 15, None, 600),  # 10 of both lists in a minute
        (100, 10, 1, 600),  # 10 - 0
        (100, 12, 2, 857),  # 12 - 5
        (100, 5, None, None),
        (100, 4, None, None),
    ],
)
def test_time_to_complete(open_chains: int | None, leads: int, list_id: int | None, expected: int | None) -> None:
    """Open chains at the rate since the first sample; unknown without a count or a finished chain."""
    samples = [Sample(60_000, 1, 1, {2: 5}), Sample(90_000, 1, 1, {2: 7})]
    assert time_to_complete_s(open_chains, leads, samples, list_id, 120_000) == expected
    assert time_to_complete_s(5, leads, [], list_id, 120_000) is None


def test_what_a_group_waits_for() -> None:
    """Something that keeps it from working covers all else; one that does not run waits for nothing."""

    def found(*, run: bool = True, stuck: bool = False, people: int = 1, dry: bool = False) -> list[Waiting]:
        return waiting(is_running=run, has_obstacle=stuck, in_preview=people, is_dry=dry)

    assert found() == []
    assert found(run=False, people=0, dry=True) == []
    assert found(people=0) == [Waiting.AGENTS]
    assert found(dry=True) == [Waiting.RECORDS]
    assert found(people=0, dry=True) == [Waiting.RECORDS, Waiting.AGENTS]
    assert found(run=False, stuck=True, dry=True) == [Waiting.SYSTEM_ERROR]


@given(st.integers(0, 10**6), st.integers(0, 10**7))
def test_counting_takes_a_fiftieth_of_the_time(took_ms: int, passed_ms: int) -> None:
    """A count is old after ten seconds, or fifty times what it took."""
    one = Counted(counts=RecordCounts(), counted_at_ms=1000, took_ms=took_ms)
    assert one.is_old(1000 + passed_ms) is (passed_ms >= 10_000 and passed_ms >= 50 * took_ms)
