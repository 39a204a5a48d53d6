"""Windows and zones, compared with the calendar itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.domain.eligibility import (
    SECONDS_A_DAY,
    ZONE_ALIASES,
    Window,
    check_bounds,
    covers,
    local_to_unix_s,
    offset_s,
    zone,
)
from trunkline.errors import OutOfRange

ZONES = ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns", "PST", "GMT"]
moments = st.integers(min_value=1_500_000_000, max_value=2_200_000_000)
seconds = st.integers(min_value=0, max_value=SECONDS_A_DAY - 1)
ends = st.integers(min_value=1, max_value=SECONDS_A_DAY)


def on_the_wall(name: str, now_s: int) -> int:
    """Seconds after local midnight as a wall clock shows them, by zoneinfo alone."""
    local = datetime.fromtimestamp(now_s, tz=UTC).astimezone(ZoneInfo(ZONE_ALIASES.get(name, name)))
    return local.hour * 3600 + local.minute * 60 + local.second


@given(st.sampled_from(ZONES), moments, seconds, ends)
def test_a_window_follows_the_wall_clock(name: str, now_s: int, from_s: int, until_s: int) -> None:
    """In any zone, at any moment, nights of clock changes included, the window is read on the wall clock."""
    assert Window(name, from_s, until_s).is_open(now_s) is covers(from_s, until_s, on_the_wall(name, now_s))


@pytest.mark.parametrize(
    ("name", "night"),
    [
        ("America/New_York", datetime(2026, 3, 8, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 1, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 3, 29, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 10, 4, tzinfo=UTC)),
    ],
)
def test_every_minute_of_a_night_of_change(name: str, night: datetime) -> None:
    """Around a change of the clock every minute agrees with the wall clock."""
    window = Window(name, 3600, 3 * 3600)
    for minute in range(-24 * 60, 48 * 60):
        now_s = int((night + timedelta(minutes=minute)).timestamp())
        assert window.is_open(now_s) is (3600 <= on_the_wall(name, now_s) < 3 * 3600)


@given(seconds, ends, seconds)
def test_covers_against_the_definition(from_s: int, until_s: int, local_s: int) -> None:
    """A window is the set of seconds met when walking from its start to its end, around midnight if need be."""
    length = (until_s - from_s) % SECONDS_A_DAY or SECONDS_A_DAY
    assert covers(from_s, until_s, local_s) is ((local_s - from_s) % SECONDS_A_DAY < length)


def test_the_end_is_exclusive() -> None:
    """At its very end a window is closed; 86400 is midnight."""
    assert covers(0, 86_400, 86_399)
    assert not covers(3600, 7200, 7200)
    assert covers(79_200, 21_600, 0)
    assert covers(100, 100, 50)


@pytest.mark.parametrize(("from_s", "until_s"), [(-1, 10), (86_400, 10), (0, 0), (0, 86_401)])
def test_bounds_out_of_range(from_s: int, until_s: int) -> None:
    """``from`` is 0..86399 and ``until`` 1..86400."""
    with pytest.raises(OutOfRange):
        check_bounds(from_s, until_s)


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "Europe/Berlin\x00", "é", "x" * 100])
def test_unknown_zones(name: str) -> None:
    """What is no zone is refused, path tricks included."""
    with pytest.raises(OutOfRange):
        zone(name)


@pytest.mark.parametrize("alias", list(ZONE_ALIASES))
def test_aliases(alias: str) -> None:
    """The original's names of zones are understood."""
    assert offset_s(alias, 1_700_000_000) == offset_s(ZONE_ALIASES[alias], 1_700_000_000)


@pytest.mark.parametrize(
    ("wall", "instant"),
    [("2026-03-08T02:30:00", "2026-03-08T07:30:00+00:00"), ("2026-11-01T01:30:00", "2026-11-01T05:30:00+00:00")],
)
def test_a_local_time_that_does_not_exist_or_comes_twice(wall: str, instant: str) -> None:
    """A skipped hour is read with the clock before the jump; of a doubled hour the first is meant."""
    assert local_to_unix_s(datetime.fromisoformat(wall), "EST") == datetime.fromisoformat(instant).timestamp()
