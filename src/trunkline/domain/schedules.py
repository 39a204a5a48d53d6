"""What happens to campaign groups at which time.

A schedule is read on the wall clock of its zone. An item happens at the first moment at which that clock shows its time
or, in the night in which the hour is skipped, a later one: what lies in a skipped hour happens when the clock jumps,
what lies in a doubled hour happens once, the first time. Source: outbound domain 4.1, Outbound Schedule.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from trunkline.domain.eligibility import zone
from trunkline.domain.enums import DialMode, OptimizeBy
from trunkline.domain.group_control import Control, ControlRefused, ServerError, Wish, check_goal
from trunkline.errors import Refused

MAX_ITEMS = 200
"""Items of a schedule: load, start, stop and unload for each of seven days are 28."""
MAX_DATES = 400
"""Dates of an item or a calendar of exceptions: every day of a year, and a month more."""
MAX_GROUPS = 500
"""Groups of one schedule."""
LOOK_BACK_S = 8 * 86_400
"""How far back missed items are looked for: a week and a day, so that each weekday's items are among them."""
DAY_S = 86_400


class ScheduleAction(StrEnum):
    """What an item does."""

    LOAD = "load"
    START = "start"
    STOP = "stop"
    SET_MODE = "set-mode"
    COMPLETE = "complete"
    UNLOAD = "unload"
    FORCE_UNLOAD = "force-unload"

    @property
    def control(self) -> Control:
        """What is asked of the group."""
        return Control(self.value.replace("-", " "))


_WITH_MODE = (ScheduleAction.LOAD, ScheduleAction.START, ScheduleAction.SET_MODE)
_ENDS = (ScheduleAction.COMPLETE, ScheduleAction.UNLOAD, ScheduleAction.FORCE_UNLOAD)


class ScheduleItem(msgspec.Struct, frozen=True, kw_only=True):
    """One timed action. ``at_s`` is seconds after local midnight.

    It happens on the ``weekdays`` (Monday is 0) that are no exception of the schedule, and on its ``dates``
    (YYYY-MM-DD) whatever they are. Mode and goal go with load, start and set-mode. Without groups of its own it is
    about all groups of the schedule.
    """

    action: ScheduleAction
    at_s: int
    weekdays: tuple[int, ...] = ()
    dates: tuple[str, ...] = ()
    dial_mode: DialMode | None = None
    optimize_by: OptimizeBy | None = None
    optimize_goal: int | None = None
    campaign_group_ids: tuple[int, ...] = ()


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """Timed actions on campaign groups. ``except_dates`` (YYYY-MM-DD) are days on which weekdays do not count."""

    contact_centre_id: int
    schedule_id: int
    name: str
    description: str = ""
    time_zone: str = "UTC"
    campaign_group_ids: tuple[int, ...] = ()
    items: tuple[ScheduleItem, ...] = ()
    except_dates: tuple[str, ...] = ()
    is_enabled: bool = True


class Due(NamedTuple):
    """An item's turn: when (Unix seconds), and which item by its place in the schedule."""

    at_s: int
    item_n: int


def check_schedule(schedule: Schedule) -> None:
    """Raise ``ControlRefused`` (InvalidCampaignSchedule) that names the first place at fault."""
    try:
        zone(schedule.time_zone)
    except Refused:
        raise _wrong("time_zone", f"there is no time zone {schedule.time_zone!r}") from None
    if len(schedule.items) > MAX_ITEMS:
        raise _wrong("items", f"a schedule has at most {MAX_ITEMS} items")
    _check_dates("except_dates", schedule.except_dates)
    _check_groups("campaign_group_ids", schedule.campaign_group_ids)
    for n, item in enumerate(schedule.items):
        _check_item(f"items[{n}]", item, has_groups=bool(schedule.campaign_group_ids))


def due(schedule: Schedule, after_s: int, until_s: int) -> list[Due]:
    """Turns of the schedule's items in (after_s, until_s], in their order; at most ``LOOK_BACK_S`` before the end.

    Items of the same moment come in the order of their local times, then of the schedule.
    """
    after_s = max(after_s, until_s - LOOK_BACK_S)
    if after_s >= until_s:
        return []
    where = zone(schedule.time_zone)
    # A day earlier and later than the clock shows: a moment's local date is not the date of its item when days are
    # skipped or the clock jumps over midnight.
    day = datetime.fromtimestamp(after_s, where).date() - timedelta(days=1)
    last = datetime.fromtimestamp(until_s, where).date() + timedelta(days=1)
    found: list[tuple[int, int, int]] = []
    while day <= last:
        for n, item in enumerate(schedule.items):
            if _is_on(item, day, schedule.except_dates):
                at_s = moment_s(where, day, item.at_s)
                if after_s < at_s <= until_s:
                    found.append((at_s, item.at_s + day.toordinal() * DAY_S, n))
        day += timedelta(days=1)
    return [Due(at_s, n) for at_s, _, n in sorted(found)]


def next_due_s(schedule: Schedule, after_s: int) -> int:
    """When something is due next, or when to look again (after ``LOOK_BACK_S``) because nothing is before."""
    coming = due(schedule, after_s, after_s + LOOK_BACK_S)
    return coming[0].at_s if coming else after_s + LOOK_BACK_S


def moment_s(where: ZoneInfo, day: date, at_s: int) -> int:
    """The first moment (Unix seconds) at which the wall clock shows that time of that day, or a later one."""
    wanted = datetime(day.year, day.month, day.day) + timedelta(seconds=at_s)  # noqa: DTZ001 - a wall clock
    early = int(wanted.replace(tzinfo=where, fold=0).timestamp())
    if _shown(where, early) == wanted:
        return early
    # Skipped. Read with the offset before the jump it lies behind it, with the one afterwards before it.
    late, early = early, int(wanted.replace(tzinfo=where, fold=1).timestamp())
    while late - early > 1:
        middle = (early + late) // 2
        if _shown(where, middle) >= wanted:
            late = middle
        else:
            early = middle
    return late


def settled(turns: Sequence[tuple[Due, ScheduleItem]]) -> set[Due]:
    """Of turns that are due together for one group those that still matter, so that what was missed is not replayed.

    What ends a group's work makes everything before it void, and is itself void when something comes after it. Of the
    rest the first load counts, the last start or stop, and the last change of mode.
    """
    last_end = max((n for n, (_, item) in enumerate(turns) if item.action in _ENDS), default=-1)
    rest = turns[last_end + 1 :]
    if not rest:
        return {turns[last_end][0]} if turns else set()
    kept: dict[str, Due] = {}
    for turn, item in rest:
        if item.action is ScheduleAction.LOAD:
            kept.setdefault("load", turn)
        elif item.action is ScheduleAction.SET_MODE:
            kept["mode"] = turn
        else:
            kept["run"] = turn
    return set(kept.values())


def groups_of(schedule: Schedule, item: ScheduleItem) -> tuple[int, ...]:
    """The groups that an item is about."""
    return item.campaign_group_ids or schedule.campaign_group_ids


def wish_of(schedule: Schedule, item: ScheduleItem) -> Wish:
    """What an item asks of its groups."""
    return Wish(
        control=item.action.control,
        dial_mode=item.dial_mode,
        optimize_by=item.optimize_by,
        optimize_goal=item.optimize_goal,
        schedule_id=schedule.schedule_id,
    )


def _shown(where: ZoneInfo, at_s: int) -> datetime:
    """What the wall clock shows."""
    return datetime.fromtimestamp(at_s, where).replace(tzinfo=None, fold=0)


def _is_on(item: ScheduleItem, day: date, exceptions: Collection[str]) -> bool:
    name = day.isoformat()
    return name in item.dates or (day.weekday() in item.weekdays and name not in exceptions)


def _check_item(place: str, item: ScheduleItem, *, has_groups: bool) -> None:
    if not 0 <= item.at_s < DAY_S:
        raise _wrong(f"{place}.at_s", f"must be 0 to {DAY_S - 1}, seconds after midnight")
    if not item.weekdays and not item.dates:
        raise _wrong(place, "names neither weekdays nor dates")
    if not set(item.weekdays) <= set(range(7)):
        raise _wrong(f"{place}.weekdays", "must be 0 (Monday) to 6")
    _check_dates(f"{place}.dates", item.dates)
    _check_groups(f"{place}.campaign_group_ids", item.campaign_group_ids)
    if not item.campaign_group_ids and not has_groups:
        raise _wrong(place, "has no campaign groups, and the schedule names none")
    has_aim = item.optimize_by is not None or item.optimize_goal is not None
    if item.action not in _WITH_MODE and (has_aim or item.dial_mode is not None):
        raise _wrong(place, f"mode and goal do not go with {item.action.value}")
    if item.action is ScheduleAction.SET_MODE and not has_aim and item.dial_mode is None:
        raise _wrong(place, "set-mode needs a dial mode or a goal")
    if item.dial_mode is DialMode.NO_DIAL_MODE:
        raise _wrong(f"{place}.dial_mode", "must be one of the dialing modes")
    if item.optimize_goal is not None and item.optimize_by is not None:
        try:
            check_goal(item.optimize_by, item.optimize_goal)
        except ControlRefused as error:
            raise _wrong(f"{place}.optimize_goal", str(error)) from None


def _check_dates(place: str, names: Iterable[str]) -> None:
    names = tuple(names)
    if len(names) > MAX_DATES:
        raise _wrong(place, f"at most {MAX_DATES} dates")
    for n, name in enumerate(names):
        try:
            is_date = date.fromisoformat(name).isoformat() == name
        except ValueError:
            is_date = False
        if not is_date:
            raise _wrong(f"{place}[{n}]", f"{name[:20]!r} is no date of the form YYYY-MM-DD")


def _check_groups(place: str, ids: Sequence[int]) -> None:
    if len(ids) > MAX_GROUPS:
        raise _wrong(place, f"at most {MAX_GROUPS} groups")
    if len(set(ids)) < len(ids) or any(one < 1 for one in ids):
        raise _wrong(place, "must be ids of campaign groups, each once")


def _wrong(place: str, sentence: str) -> ControlRefused:
    return ControlRefused(ServerError.INVALID_CAMPAIGN_SCHEDULE, f"{place}: {sentence}")
