"""When a callback counts as missed, against a look at every minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.domain.callbacks import is_missed, opened_s
from trunkline.domain.eligibility import Window

NOON_S = 1_795_435_200
"""2026-11-23 12:00 UTC: no clock jumps near it."""
hours = st.integers(0, 23).map(lambda hour: hour * 3600)
windows = st.builds(
    lambda zone, begin, end, others: Window(zone, begin, end or 86_400, "", others),
    st.sampled_from(["UTC", "Asia/Kolkata", "America/St_Johns"]),
    hours,
    hours,
    st.lists(st.sampled_from(["Europe/Berlin", "America/New_York"]), max_size=2).map(tuple),
)


def is_open(window: Window, now_s: int) -> bool:
    """Look at the wall clocks."""
    for zone in (window.time_zone, *window.other_zones):
        here = datetime.fromtimestamp(now_s, tz=UTC).astimezone(ZoneInfo(zone))
        second = here.hour * 3600 + here.minute * 60 + here.second
        begin, end = window.from_s, window.until_s
        inside = begin == end or (begin <= second < end if begin < end else second >= begin or second < end)
        if not inside:
            return False
    return True


@given(windows, st.integers(0, 1440).map(lambda minute: NOON_S + minute * 60))
def test_since_when_a_window_is_open(window: Window, now_s: int) -> None:
    """Going back minute by minute from an open window, the first closed minute ends before the answer."""
    opened = opened_s(window, now_s)
    if not is_open(window, now_s):
        assert opened is None
        return
    assert opened is not None
    moment, least = now_s, now_s - int(timedelta(days=1).total_seconds())
    while moment - 60 > least and is_open(window, moment - 60):
        moment -= 60
    if moment - 60 > least:
        assert moment - 60 < opened <= moment
    else:
        assert opened <= moment


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
    window = Window("UTC", 0, 86_400)
    assert is_missed(window, NOON_S + due, NOON_S + able, NOON_S + now, 1800) is missed


def test_a_window_that_is_too_short_ends_the_wait_after_a_day() -> None:
    """Ten minutes a day are less than the grace time: the second opening misses it."""
    window = Window("UTC", 43_200, 43_800)
    day = 86_400
    assert not is_missed(window, NOON_S, 0, NOON_S + 599, 1800)
    assert not is_missed(window, NOON_S, 0, NOON_S + day, 1800)
    assert not is_missed(window, NOON_S, 0, NOON_S + day + 1800, 1800)  # closed
    assert is_missed(window, NOON_S, 0, NOON_S + 2 * day, 1800)
