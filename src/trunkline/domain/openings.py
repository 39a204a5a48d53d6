"""When a calling window is open: the record's hours in all its zones, within further hours and the rules of its region.

Everything is computed on stretches of time with one offset, so that nights in which the clock jumps are exact: an hour
that is skipped is nowhere, an hour that comes twice counts twice. Intervals are ``(from_s, until_s)`` in Unix seconds,
end exclusive, sorted and apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from trunkline.domain.calling_times import WHOLE_DAY, Limits, Span, common
from trunkline.domain.eligibility import SECONDS_A_DAY, Window, covers, offset_s

Interval = tuple[int, int]

HORIZON_S = 14 * SECONDS_A_DAY
"""How far ahead an opening is looked for. The longest closing in the rules is a holiday before a weekend; what does not
open within two weeks never opens as far as a supervisor is concerned."""
LOOK_BACK_S = 4 * SECONDS_A_DAY
"""How far back the begin of the present state is looked for: over a long weekend."""
STATE_S = 7200
"""How long an answer of ``state_at`` may be good for at most."""
_STEP_S = 6 * 3600
"""Between two looks at a zone's offset: no zone changes it twice within six hours."""
_QUARTER_S = 900


class DailyHours(msgspec.Struct, frozen=True):
    """Hours that bound dialing from outside the record: of its list, of the campaign.

    Read in ``time_zone``, or in each zone of the record when that is "". ``from_s`` > ``until_s`` crosses midnight,
    equal bounds are the whole day. ``weekdays`` holds 0 (Monday) to 6.
    """

    from_s: int
    until_s: int
    time_zone: str = ""
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)

    @property
    def are_whole(self) -> bool:
        """True when nothing is bounded."""
        return self.from_s % SECONDS_A_DAY == self.until_s % SECONDS_A_DAY and len(self.weekdays) == 7

    def on(self, day_number: int) -> tuple[Span, ...]:
        """The spans of a local day. A window over midnight belongs, after it, to the weekday on which it began."""
        today = (day_number + 3) % 7 in self.weekdays
        if self.from_s % SECONDS_A_DAY == self.until_s % SECONDS_A_DAY:
            return WHOLE_DAY if today else ()
        if self.from_s < self.until_s:
            return (Span(self.from_s, self.until_s),) if today else ()
        early = (Span(0, self.until_s),) if (day_number + 2) % 7 in self.weekdays else ()
        late = (Span(self.from_s, SECONDS_A_DAY),) if today else ()
        return (*early, *late)


class Permission(msgspec.Struct, frozen=True):
    """Whether something is open at a moment; since when (None: longer than looked back) and until when it stays so.

    ``until_s`` None means that it stays so for all of ``HORIZON_S``: what is closed then never opens.
    """

    is_open: bool
    since_s: int | None
    until_s: int | None


def openings(
    window: Window, hours: Sequence[DailyHours], limits: Limits | None, begin_s: int, end_s: int
) -> list[Interval]:
    """The intervals between the two moments in which the window, the hours and the limits are all open.

    Cost: some microseconds for each zone and day between.
    """
    found: list[Interval] = [(begin_s, end_s)]
    own = DailyHours(window.from_s, window.until_s)
    local = [own, *(entry for entry in hours if not entry.time_zone)]
    for zone in dict.fromkeys(window.zones):
        found = _meet(found, _in_zone(zone, local, limits, window.region, begin_s, end_s))
    for entry in hours:
        if entry.time_zone and found:
            found = _meet(found, _in_zone(entry.time_zone, [entry], None, "", begin_s, end_s))
    return _joined(found)


def _in_zone(
    zone: str, hours: Sequence[DailyHours], limits: Limits | None, region: str, begin_s: int, end_s: int
) -> Iterator[Interval]:
    for from_s, until_s, offset in _stretches(zone, begin_s, end_s):
        for day in range((from_s + offset) // SECONDS_A_DAY, (until_s - 1 + offset) // SECONDS_A_DAY + 1):
            spans: tuple[Span, ...] = WHOLE_DAY if limits is None else limits.day(region, day).spans
            for entry in hours:
                spans = common(spans, entry.on(day))
            midnight_s = day * SECONDS_A_DAY - offset
            for span in spans:
                opens_s, closes_s = max(from_s, midnight_s + span.from_s), min(until_s, midnight_s + span.until_s)
                if opens_s < closes_s:
                    yield opens_s, closes_s


def _stretches(zone: str, begin_s: int, end_s: int) -> Iterator[tuple[int, int, int]]:
    """The time between as ``(from_s, until_s, offset_s)`` with one offset each."""
    start_s, offset = begin_s, offset_s(zone, begin_s)
    at_s = begin_s
    while at_s < end_s:
        next_s = min(at_s + _STEP_S, end_s)
        after = offset_s(zone, next_s)
        if after != offset:
            change_s = _change(zone, at_s, next_s, offset)
            if start_s < change_s:
                yield start_s, change_s, offset
            start_s, offset = change_s, after
        at_s = next_s
    if start_s < end_s:
        yield start_s, end_s, offset


def _change(zone: str, before_s: int, after_s: int, offset: int) -> int:
    """The first moment of another offset between the two; offsets change on quarter hours (see ``offset_s``)."""
    low, high = before_s // _QUARTER_S, after_s // _QUARTER_S
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset_s(zone, middle * _QUARTER_S) == offset else (low, middle)
    return high * _QUARTER_S


def _meet(ours: list[Interval], others: Iterator[Interval]) -> list[Interval]:
    found: list[Interval] = []
    at = 0
    for from_s, until_s in others:
        while at < len(ours) and ours[at][1] <= from_s:
            at += 1
        here = at
        while here < len(ours) and ours[here][0] < until_s:
            found.append((max(ours[here][0], from_s), min(ours[here][1], until_s)))
            here += 1
    return found


def _joined(intervals: list[Interval]) -> list[Interval]:
    joined: list[Interval] = []
    for from_s, until_s in intervals:
        if joined and joined[-1][1] == from_s:
            joined[-1] = (joined[-1][0], until_s)
        else:
            joined.append((from_s, until_s))
    return joined


def is_open(window: Window, hours: Sequence[DailyHours], limits: Limits | None, now_s: int) -> bool:
    """True when window, hours and limits are all open at the moment. Cost: some look-ups for each zone."""
    for zone in window.zones:
        day, at_s = divmod(now_s + offset_s(zone, now_s), SECONDS_A_DAY)
        if not covers(window.from_s, window.until_s, at_s):
            return False
        if limits is not None and not _is_in(limits.day(window.region, day).spans, at_s):
            return False
        if not all(_is_in(entry.on(day), at_s) for entry in hours if not entry.time_zone):
            return False
    for entry in hours:
        if entry.time_zone:
            day, at_s = divmod(now_s + offset_s(entry.time_zone, now_s), SECONDS_A_DAY)
            if not _is_in(entry.on(day), at_s):
                return False
    return True


def _is_in(spans: Sequence[Span], at_s: int) -> bool:
    return any(span.from_s <= at_s < span.until_s for span in spans)


def state_at(window: Window, hours: Sequence[DailyHours], limits: Limits | None, now_s: int) -> tuple[bool, int]:
    """Whether the window is open, and a moment before which that does not change (at most ``STATE_S`` ahead)."""
    end_s = now_s + STATE_S
    found = openings(window, hours, limits, now_s, end_s)
    if found and found[0][0] == now_s:
        return True, found[0][1]
    return False, found[0][0] if found else end_s


def permission(window: Window, hours: Sequence[DailyHours], limits: Limits | None, now_s: int) -> Permission:
    """Whether the window may be called, since when, and until when that stays so."""
    begin_s, end_s = now_s - LOOK_BACK_S, now_s + HORIZON_S
    found = openings(window, hours, limits, begin_s, end_s)
    for from_s, until_s in found:
        if from_s <= now_s < until_s:
            return Permission(True, from_s if from_s > begin_s else None, until_s if until_s < end_s else None)
    closed_s = max((until_s for _, until_s in found if until_s <= now_s), default=None)
    opens_s = min((from_s for from_s, _ in found if from_s > now_s), default=None)
    return Permission(False, closed_s, opens_s)


def next_opening(window: Window, hours: Sequence[DailyHours], limits: Limits | None, now_s: int) -> int | None:
    """The first moment from ``now_s`` on at which the window may be called; None when it never opens."""
    found = openings(window, hours, limits, now_s, now_s + HORIZON_S)
    return found[0][0] if found else None
