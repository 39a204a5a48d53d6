"""Schedules against a model that looks at the wall clock minute by minute; nights in which the clock jumps."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trunkline.domain.enums import DialMode, OptimizeBy
from trunkline.domain.group_control import Control, ControlRefused, ServerError
from trunkline.domain.schedules import (
    MAX_DATES,
    MAX_GROUPS,
    MAX_ITEMS,
    Due,
    Schedule,
    ScheduleAction,
    ScheduleItem,
    check_schedule,
    due,
    moment_s,
    next_due_s,
    settled,
    wish_of,
)

A = ScheduleAction
EVERY_DAY = tuple(range(7))


def schedule(*items: ScheduleItem, **values: object) -> Schedule:
    """A schedule over group 7."""
    fields: dict[str, object] = {"campaign_group_ids": (7,), **values}
    return Schedule(contact_centre_id=1, schedule_id=3, name="s", items=items, **fields)  # type: ignore[arg-type]


def at(hour: int, minute: int = 0, action: ScheduleAction = A.START, **values: object) -> ScheduleItem:
    """An item of every day, unless it says other days."""
    days: dict[str, object] = {} if "dates" in values else {"weekdays": EVERY_DAY}
    return ScheduleItem(action=action, at_s=hour * 3600 + minute * 60, **{**days, **values})  # type: ignore[arg-type]


def utc_s(text: str) -> int:
    """Unix seconds of a time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def by_the_minute(one: Schedule, after_s: int, until_s: int) -> list[tuple[int, int]]:
    """Every item whose wall-clock time is reached for the first time within the window, by looking at each minute."""
    where = ZoneInfo(one.time_zone)
    found: list[tuple[int, int]] = []
    begin = after_s - 3 * 86_400
    highest = datetime.fromtimestamp(begin - 60, where).replace(tzinfo=None)
    for now_s in range(begin, until_s + 1, 60):
        shown = datetime.fromtimestamp(now_s, where).replace(tzinfo=None)
        if shown <= highest:
            continue
        for n, item in enumerate(one.items):
            day = highest.date()
            while day <= shown.date():
                wanted = datetime(day.year, day.month, day.day) + timedelta(seconds=item.at_s)  # noqa: DTZ001
                is_on = day.isoformat() in item.dates or (
                    day.weekday() in item.weekdays and day.isoformat() not in one.except_dates
                )
                if is_on and highest < wanted <= shown and after_s < now_s <= until_s:
                    found.append((now_s, n))
                day += timedelta(days=1)
        highest = shown
    return sorted(found)


ZONES = ["UTC", "America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu"]
JUMPS = ["2024-03-10", "2024-11-03", "2024-03-31", "2024-10-27", "2024-04-07", "2024-10-06", "2018-11-04", "2018-02-18"]


@given(
    zone=st.sampled_from(ZONES),
    around=st.sampled_from(JUMPS),
    minutes=st.lists(st.integers(0, 1439), min_size=1, max_size=4),
    weekdays=st.frozensets(st.integers(0, 6), min_size=1),
    exception=st.booleans(),
    begin=st.integers(-2 * 1440, 1440),
    length=st.integers(1, 2 * 1440),
)
@example("America/New_York", "2024-03-10", [150], frozenset({6}), False, 0, 1440)
@example("America/Sao_Paulo", "2018-11-04", [0, 30], frozenset({6}), False, -600, 2000)
@example("Australia/Lord_Howe", "2024-04-07", [105], frozenset({6}), False, -1440, 2880)
def test_due_is_what_the_wall_clock_shows(
    zone: str,
    around: str,
    minutes: list[int],
    weekdays: frozenset[int],
    exception: bool,  # noqa: FBT001 - drawn
    begin: int,
    length: int,
) -> None:
    """In every zone, through every jump of the clock, each item has its turn once, at the first minute of it."""
    items = [ScheduleItem(action=A.LOAD, at_s=m * 60, weekdays=tuple(weekdays)) for m in minutes]
    items.append(ScheduleItem(action=A.STOP, at_s=minutes[0] * 60, dates=(around,)))
    one = schedule(*items, time_zone=zone, except_dates=(around,) if exception else ())
    after_s = utc_s(around) + begin * 60
    until_s = after_s + length * 60
    assert sorted(due(one, after_s, until_s)) == by_the_minute(one, after_s, until_s)


@given(st.integers(0, 10), st.lists(st.integers(1, 5000), min_size=1, max_size=8))
def test_windows_join_without_gap_or_repetition(begin: int, lengths: list[int]) -> None:
    """However time is cut into looks, all turns together are those of one look."""
    one = schedule(at(2, 30), at(2, 45, A.STOP), at(0), time_zone="America/New_York")
    start_s = now_s = utc_s("2024-03-09") + begin
    together: list[Due] = []
    for minutes in lengths:
        together += due(one, now_s, now_s + minutes * 7)
        now_s += minutes * 7
    assert together == due(one, start_s, now_s)


def test_the_skipped_hour_comes_when_the_clock_jumps() -> None:
    """02:15 and 02:45 do not exist in that night: both happen at 03:00, in their order, and 03:00 with them."""
    one = schedule(at(3, 0, A.UNLOAD), at(2, 45, A.STOP), at(2, 15, A.START), time_zone="America/New_York")
    jump_s = utc_s("2024-03-10T07:00")
    turns = due(one, jump_s - 7200, jump_s + 7200)
    assert turns == [(jump_s, 2), (jump_s, 1), (jump_s, 0)]


def test_the_doubled_hour_comes_once() -> None:
    """01:30 comes twice in that night; the item has its turn the first time."""
    one = schedule(at(1, 30), time_zone="America/New_York")
    assert due(one, utc_s("2024-11-03"), utc_s("2024-11-03T12:00")) == [(utc_s("2024-11-03T05:30"), 0)]


def test_a_day_that_does_not_exist() -> None:
    """Apia had no 30 December 2011: what was planned for it happens as the next day begins."""
    apia = ZoneInfo("Pacific/Apia")
    assert moment_s(apia, date(2011, 12, 30), 36_000) == moment_s(apia, date(2011, 12, 31), 0)


def test_exceptions_are_about_weekdays_only() -> None:
    """A holiday keeps the weekly items away, and a date that an item names wins over it."""
    one = schedule(at(8), at(9, dates=("2024-12-25",)), except_dates=("2024-12-25",))
    turns = due(one, utc_s("2024-12-25"), utc_s("2024-12-26"))
    assert turns == [(utc_s("2024-12-25T09:00"), 1)]


def test_looks_back_a_week_and_a_day() -> None:
    """After a long absence the last eight days are looked at, not years."""
    one = schedule(at(8))
    now_s = utc_s("2024-06-20")
    assert len(due(one, 0, now_s)) == 8
    assert due(one, now_s, now_s) == []
    assert next_due_s(one, now_s) == utc_s("2024-06-20T08:00")
    assert next_due_s(schedule(at(8, dates=("2030-01-01",))), now_s) == now_s + 8 * 86_400


@pytest.mark.parametrize(
    ("actions", "kept"),
    [
        ([A.LOAD, A.START], [0, 1]),
        ([A.LOAD, A.START, A.STOP], [0, 2]),
        ([A.LOAD, A.START, A.STOP, A.UNLOAD], [3]),
        ([A.UNLOAD, A.LOAD, A.START], [1, 2]),
        ([A.LOAD, A.START, A.UNLOAD, A.LOAD, A.SET_MODE, A.START, A.SET_MODE], [3, 5, 6]),
        ([A.START, A.COMPLETE], [1]),
        ([A.STOP, A.START], [1]),
        ([], []),
    ],
)
def test_missed_items_come_to_where_they_would_have_led(actions: list[ScheduleAction], kept: list[int]) -> None:
    """What was undone again is left out; what leads to the present state is done, in its order."""
    turns = [(Due(n, n), at(0, 0, action)) for n, action in enumerate(actions)]
    assert sorted(turn.item_n for turn in settled(turns)) == kept


def test_what_an_item_asks() -> None:
    """Mode, goal and the schedule's number go with the wish."""
    item = at(8, 0, A.SET_MODE, dial_mode=DialMode.PROGRESS, optimize_by=OptimizeBy.WAIT_TIME, optimize_goal=9)
    wish = wish_of(schedule(item), item)
    assert (wish.control, wish.dial_mode, wish.optimize_goal, wish.schedule_id) == (Control.SET_MODE, 2, 9, 3)
    assert {action.control for action in A} == set(Control)


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        (schedule(time_zone="Mars/Olympus"), "time_zone"),
        (schedule(*[at(1)] * (MAX_ITEMS + 1)), "items"),
        (schedule(at(24)), "items[0].at_s"),
        (schedule(at(1), at(1, weekdays=())), "items[1]"),
        (schedule(at(1, weekdays=(7,))), "items[0].weekdays"),
        (schedule(at(1, dates=("2024-02-30",))), "items[0].dates[0]"),
        (schedule(at(1, dates=("20240101",))), "items[0].dates[0]"),
        (schedule(except_dates=("x",)), "except_dates[0]"),
        (schedule(except_dates=("2024-01-01",) * (MAX_DATES + 1)), "except_dates"),
        (schedule(campaign_group_ids=(1, 1)), "campaign_group_ids"),
        (schedule(campaign_group_ids=tuple(range(1, MAX_GROUPS + 2))), "campaign_group_ids"),
        (schedule(at(1, campaign_group_ids=(0,))), "items[0].campaign_group_ids"),
        (schedule(at(1), campaign_group_ids=()), "items[0]"),
        (schedule(at(1, 0, A.STOP, dial_mode=DialMode.PREVIEW)), "items[0]"),
        (schedule(at(1, 0, A.SET_MODE)), "items[0]"),
        (schedule(at(1, dial_mode=DialMode.NO_DIAL_MODE)), "items[0].dial_mode"),
        (schedule(at(1, optimize_by=OptimizeBy.BUSY_FACTOR, optimize_goal=101)), "items[0].optimize_goal"),
    ],
)
def test_what_is_wrong_is_named(wrong: Schedule, place: str) -> None:
    """A schedule that cannot be kept is refused with the place at fault."""
    with pytest.raises(ControlRefused) as caught:
        check_schedule(wrong)
    assert caught.value.error is ServerError.INVALID_CAMPAIGN_SCHEDULE
    assert str(caught.value).startswith(f"{place}: ")


def test_a_good_schedule_passes() -> None:
    """Everything that a schedule may say, at once."""
    check_schedule(
        schedule(
            at(8, 0, A.LOAD, dial_mode=DialMode.PREVIEW),
            at(8, 5, optimize_goal=5),
            at(12, 0, A.SET_MODE, optimize_by=OptimizeBy.OVERDIAL_RATE, optimize_goal=3, campaign_group_ids=(9,)),
            at(18, 0, A.COMPLETE, dates=("2024-02-29",)),
            time_zone="EST",
            except_dates=("2024-12-25",),
        )
    )
