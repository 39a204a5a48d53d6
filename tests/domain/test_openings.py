"""Openings of calling windows, compared with the wall clock of zoneinfo, minute by minute."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.domain.calling_times import ClosedDays, Holiday, Limits, RegionRule, Span
from trunkline.domain.eligibility import ZONE_ALIASES, Window
from trunkline.domain.openings import (
    HORIZON_S,
    STATE_S,
    DailyHours,
    is_open,
    next_opening,
    openings,
    permission,
    state_at,
)

DAY_S = 86_400
EVERY_ZONE = sorted(available_timezones() - {"localtime", "Factory"})
SOME_ZONES = [
    "America/New_York", "America/Los_Angeles", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu",
    "Pacific/Apia", "Africa/Casablanca", "America/Santiago", "PST", "UTC",
]  # fmt: skip
LAW = Limits(
    [
        RegionRule(region="*", source="floor", week=((Span(28_800, 75_600),),) * 7),
        RegionRule(
            region="US-RI",
            source="test",
            week=(*[(Span(32_400, 64_800),)] * 5, (Span(36_000, 61_200),), ()),
            holidays=(Holiday(name="Christmas Day", month=12, day=25), Holiday(name="Friday", easter=-2)),
        ),
        RegionRule(region="FR", source="test", week=(*[(Span(36_000, 46_800), Span(50_400, 72_000))] * 5, (), ())),
    ],
    [ClosedDays(region="US", from_date=date(2027, 1, 5), until_date=date(2027, 1, 6), reason="storm")],
)

_CHANGES = [
    datetime(2026, 3, 8, 10, tzinfo=UTC), datetime(2026, 11, 1, 9, tzinfo=UTC), datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC), datetime(2026, 10, 3, 15, 30, tzinfo=UTC), datetime(2026, 9, 6, tzinfo=UTC),
]  # fmt: skip
moments = st.one_of(
    st.integers(min_value=1_735_689_600, max_value=2_145_916_800),  # 2025 to 2037
    st.builds(
        lambda change, before_s: int(change.timestamp()) - before_s,
        st.sampled_from(_CHANGES),
        st.integers(-2 * 86_400, 2 * 86_400),
    ),
)
seconds = st.integers(min_value=0, max_value=DAY_S - 1)
ends = st.integers(min_value=1, max_value=DAY_S)
windows = st.builds(
    Window,
    time_zone=st.sampled_from(SOME_ZONES),
    from_s=seconds,
    until_s=ends,
    region=st.sampled_from(["", "US", "US-RI", "FR", "FR-75"]),
    other_zones=st.lists(st.sampled_from(SOME_ZONES), max_size=2).map(tuple),
)
hours = st.lists(
    st.builds(
        DailyHours,
        from_s=seconds,
        until_s=ends,
        time_zone=st.sampled_from(["", "", "Europe/Paris", "America/Denver"]),
        weekdays=st.sampled_from([(0, 1, 2, 3, 4, 5, 6), (0, 1, 2, 3, 4), (5, 6)]),
    ),
    max_size=2,
)


def wall(zone: str, now_s: int) -> datetime:
    """The wall clock of a zone, by zoneinfo alone."""
    return datetime.fromtimestamp(now_s, tz=UTC).astimezone(ZoneInfo(ZONE_ALIASES.get(zone, zone)))


def covers(from_s: int, until_s: int, at_s: int) -> bool:
    """The definition of a daily window."""
    if from_s % DAY_S == until_s % DAY_S:
        return True
    return from_s <= at_s < until_s if from_s < until_s else at_s >= from_s or at_s < until_s


def hours_cover(entry: DailyHours, local: datetime) -> bool:
    """The definition of daily hours with weekdays: after midnight the day on which the window began decides."""
    at_s = local.hour * 3600 + local.minute * 60 + local.second
    if not covers(entry.from_s, entry.until_s, at_s):
        return False
    is_from_yesterday = entry.from_s > entry.until_s and entry.until_s % DAY_S != entry.from_s and at_s < entry.until_s
    return (local - timedelta(days=is_from_yesterday)).weekday() in entry.weekdays


def law_covers(region: str, local: datetime) -> bool:
    """What ``LAW`` says, written down a second time."""
    at_s = local.hour * 3600 + local.minute * 60 + local.second
    if not 28_800 <= at_s < 75_600:
        return False
    if region.startswith("US") and (local.year, local.month) == (2027, 1) and local.day in (5, 6):
        return False
    if region == "US-RI":
        good_fridays = {date(2025, 4, 18), date(2026, 4, 3), date(2027, 3, 26), date(2028, 4, 14), date(2029, 3, 30),
                        date(2030, 4, 19), date(2031, 4, 11), date(2032, 3, 26), date(2033, 4, 15), date(2034, 4, 7),
                        date(2035, 3, 23), date(2036, 4, 11), date(2037, 4, 3)}  # fmt: skip
        if (local.month, local.day) == (12, 25) or local.date() in good_fridays or local.weekday() == 6:
            return False
        return 32_400 <= at_s < 64_800 if local.weekday() < 5 else 36_000 <= at_s < 61_200
    if region.startswith("FR"):
        return local.weekday() < 5 and (36_000 <= at_s < 46_800 or 50_400 <= at_s < 72_000)
    return True


def brute(window: Window, bounds: Sequence[DailyHours], now_s: int, *, has_law: bool = True) -> bool:
    """Whether the window is open, from the definitions and the wall clocks."""
    for zone in (window.time_zone, *window.other_zones):
        local = wall(zone, now_s)
        at_s = local.hour * 3600 + local.minute * 60 + local.second
        if not covers(window.from_s, window.until_s, at_s) or (has_law and not law_covers(window.region, local)):
            return False
        if not all(hours_cover(entry, local) for entry in bounds if not entry.time_zone):
            return False
    return all(hours_cover(entry, wall(entry.time_zone, now_s)) for entry in bounds if entry.time_zone)


@given(windows, hours, moments)
def test_a_moment_agrees_with_the_wall_clocks(window: Window, bounds: list[DailyHours], now_s: int) -> None:
    """Open is what the definitions say of the wall clocks of all zones, with laws, hours, weekdays and holidays."""
    assert is_open(window, bounds, LAW, now_s) is brute(window, bounds, now_s)


@given(windows, hours, moments)
def test_intervals_are_sorted_apart_and_exact_at_their_edges(
    window: Window, bounds: list[DailyHours], begin_s: int
) -> None:
    """Each interval begins at the first open second and ends at the first closed one."""
    found = openings(window, bounds, LAW, begin_s, begin_s + 3 * DAY_S)
    assert all(a < b for a, b in found)
    assert all(first[1] < second[0] for first, second in pairwise(found))
    for from_s, until_s in found:
        assert brute(window, bounds, from_s)
        assert brute(window, bounds, until_s - 1)
        assert from_s == begin_s or not brute(window, bounds, from_s - 1)
        assert until_s == begin_s + 3 * DAY_S or not brute(window, bounds, until_s)


@pytest.mark.parametrize("year", [2026, pytest.param(2027, marks=pytest.mark.long)])
def test_every_zone_minute_by_minute_around_its_changes(year: int) -> None:
    """Of every zone there is, each minute of the nights in which its clock changes agrees with the wall clock."""
    begin = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
    for zone in EVERY_ZONE:
        window = Window(zone, 3600, 10_800)
        at_s, offset = begin, wall(zone, begin).utcoffset()
        for hour_s in range(begin, begin + 365 * DAY_S, 6 * 3600):
            if (now := wall(zone, hour_s).utcoffset()) == offset:
                continue
            at_s, offset = hour_s, now
            first_s = at_s - 16 * 3600
            found = openings(window, (), LAW.without_holidays(), first_s, first_s + 32 * 3600)
            plain = openings(window, (), None, first_s, first_s + 32 * 3600)
            assert found == []  # one to three at night is never within 8 to 21
            open_minutes = {m for a, b in plain for m in range(a, b, 60)}
            for minute_s in range(first_s, first_s + 32 * 3600, 60):
                assert (minute_s in open_minutes) is brute(window, (), minute_s, has_law=False), (zone, minute_s)


@pytest.mark.long
def test_every_zone_quarter_by_quarter_for_a_year() -> None:
    """Of every zone, every quarter of an hour of a year agrees with the wall clock."""
    begin = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    for zone in EVERY_ZONE:
        window = Window(zone, 28_800, 72_000)
        found = openings(window, (), LAW, begin, begin + 365 * DAY_S)
        is_open_at = {q for a, b in found for q in range(a, b, 900)}
        for quarter_s in range(begin, begin + 365 * DAY_S, 900):
            assert (quarter_s in is_open_at) is brute(window, (), quarter_s), (zone, quarter_s)


@given(windows, hours, moments)
def test_a_state_holds_as_long_as_it_says(window: Window, bounds: list[DailyHours], now_s: int) -> None:
    """The remembered answer is right at its first and last second, and at no second between does it change."""
    state, until_s = state_at(window, bounds, LAW, now_s)
    assert now_s < until_s <= now_s + STATE_S
    for at_s in (now_s, (now_s + until_s) // 2, until_s - 1):
        assert brute(window, bounds, at_s) is state
    assert until_s == now_s + STATE_S or brute(window, bounds, until_s) is not state


@given(windows, hours, moments)
def test_a_permission_tells_since_and_until(window: Window, bounds: list[DailyHours], now_s: int) -> None:
    """The moments of a permission are those at which the state changes."""
    told = permission(window, bounds, LAW, now_s)
    assert told.is_open is brute(window, bounds, now_s)
    if told.since_s is not None:
        assert told.since_s <= now_s
        assert brute(window, bounds, told.since_s) is told.is_open
        assert brute(window, bounds, told.since_s - 1) is not told.is_open
    if told.until_s is not None:
        assert now_s < told.until_s <= now_s + HORIZON_S
        assert brute(window, bounds, told.until_s) is not told.is_open
    opens_s = next_opening(window, bounds, LAW, now_s)
    assert opens_s == (now_s if told.is_open else told.until_s)


def test_a_day_without_bounds_is_one_interval() -> None:
    """Days that touch are one interval, over midnights, changes of the clock and zones."""
    always = Window("America/New_York", 0, 86_400, other_zones=("Europe/Berlin",))
    begin = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
    assert openings(always, (), None, begin, begin + 40 * DAY_S) == [(begin, begin + 40 * DAY_S)]
    assert openings(always, (), Limits(), begin, begin + 40 * DAY_S) == [(begin, begin + 40 * DAY_S)]


def test_hours_of_another_zone_bound_too() -> None:
    """Hours on the clock of a zone of their own are read there, wherever the person called is."""
    window = Window("America/New_York", 0, 86_400)
    berlin = [DailyHours(32_400, 36_000, "Europe/Berlin")]
    eight_s = int(datetime(2026, 6, 1, 7, 30, tzinfo=UTC).timestamp())  # 9:30 in Berlin
    assert is_open(window, berlin, None, eight_s)
    assert not is_open(window, berlin, None, eight_s + 1800)
    assert openings(window, berlin, None, eight_s, eight_s + DAY_S)[0] == (eight_s, eight_s + 1800)
    assert openings(window, [DailyHours(0, 0, "Europe/Berlin", ())], None, eight_s, eight_s + DAY_S) == []


def test_a_window_outside_the_law_never_opens() -> None:
    """Three to five at night within 8:00 to 21:00 is never."""
    window = Window("America/New_York", 10_800, 18_000)
    told = permission(window, (), LAW, 1_800_000_000)
    assert (told.is_open, told.until_s) == (False, None)
    assert next_opening(window, (), LAW, 1_800_000_000) is None


def test_a_number_of_two_zones_waits_for_both() -> None:
    """A number that may be in New York or in Los Angeles is called from 8:00 in the west to 21:00 in the east."""
    window = Window("America/New_York", 0, 86_400, other_zones=("America/Los_Angeles",))
    day = int(datetime(2027, 2, 1, tzinfo=UTC).timestamp())
    assert openings(window, (), LAW, day, day + DAY_S + 7200) == [
        (day, day + 7200),
        (day + 16 * 3600, day + DAY_S + 7200),
    ]
