"""When a callback counts as missed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.domain.callbacks import is_missed

DAY = 86_400
GRACE = 1800


def always(at_s: int) -> bool:
    """Never closed."""
    return at_s is not None


@pytest.mark.parametrize(
    ("due", "able", "now", "missed"),
    [
        (0, -99, 1799, False),
        (0, -99, 1800, True),
        (0, 600, 2399, False),  # nobody could keep it before
        (0, 600, 2400, True),
        (3600, -99, 3600, False),
    ],
)
def test_the_grace_time_begins_when_it_could_be_kept(*, due: int, able: int, now: int, missed: bool) -> None:
    """From the due time, or from when a group is loaded and the server serves."""
    assert is_missed(always, due, able, now, GRACE) is missed


@given(
    st.integers(0, 23), st.integers(1, 24), st.integers(0, 2 * DAY), st.integers(0, 2 * DAY), st.integers(0, 5 * DAY)
)
def test_nobody_is_late_while_nobody_may_call(begin: int, hours: int, due: int, able: int, now: int) -> None:
    """With a window every day: never missed while it is closed, nor before it was open for the whole grace time."""

    def opens(at_s: int) -> bool:
        return (at_s - begin * 3600) % DAY < hours * 3600

    missed = is_missed(opens, due, able, now, GRACE)
    waited = sum(60 for at_s in range(max(due, able), now, 60) if opens(at_s))
    if missed:
        assert opens(now)
        assert waited >= GRACE - 120
    elif opens(now) and now >= max(due, able) + GRACE:
        opened = next(at_s for at_s in range(now, now - DAY - 60, -60) if not opens(at_s - 60) or hours == 24)
        assert now - opened < GRACE


def test_what_may_be_called_for_a_few_minutes_a_day_is_missed_after_a_day() -> None:
    """Ten minutes are less than the grace time: the second opening after a day misses it."""

    def opens(at_s: int) -> bool:
        return at_s % DAY < 600

    assert not is_missed(opens, 0, 0, 599, GRACE)
    assert not is_missed(opens, 0, 0, DAY, GRACE)
    assert not is_missed(opens, 0, 0, DAY + GRACE, GRACE)
    assert is_missed(opens, 0, 0, 2 * DAY, GRACE)
