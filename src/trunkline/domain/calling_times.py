"""Calling-time rules of regions: at which hours of which local days a number of a region may be called.

The rules are data (``trunkline/rules/*.yaml``), dated and with the source of each. Several rules that name a region
apply together: what one of them forbids is forbidden. A rule names ``*`` (everywhere), a country ("US") or a part of
one ("US-TX"); a record of "US-TX" is bound by all three.

Days are numbered from 1970-01-01 as the person called counts them: ``(unix_s + offset_s) // 86_400``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from trunkline.domain.eligibility import SECONDS_A_DAY

EVERYWHERE = "*"
"""The region of a rule that binds every record."""
EPOCH = date(1970, 1, 1)
MAX_FROM_EASTER = 90
"""Days before or after Easter: Septuagesima is 63 before, Corpus Christi 60 after."""
MAX_DAYS_REMEMBERED = 20_000
"""Entries of a memory of days: 60 regions for a year fit; a larger one starts afresh, which costs little."""


_REGION = re.compile(r"\*|[A-Z]{2}(-[A-Z0-9]{1,3})?")


def is_region(text: str) -> bool:
    """True for ``*``, a country ("US") and a part of one ("US-TX"), by their form (ISO 3166)."""
    return _REGION.fullmatch(text) is not None


class Span(msgspec.Struct, frozen=True, order=True):
    """A stretch of a local day: ``from_s`` 0..86399 to ``until_s`` 1..86400 seconds after midnight, end exclusive."""

    from_s: int
    until_s: int

    def __str__(self) -> str:
        return f"{clock(self.from_s)}-{clock(self.until_s)}"


WHOLE_DAY = (Span(0, SECONDS_A_DAY),)


def clock(local_s: int) -> str:
    """Seconds after midnight as people write them: 28800 is "08:00"."""
    hours, rest = divmod(local_s, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours:02}:{minutes:02}" + (f":{seconds:02}" if seconds else "")


def common(ours: Sequence[Span], others: Sequence[Span]) -> tuple[Span, ...]:
    """What two lists of spans, sorted and apart, have in common."""
    if ours is WHOLE_DAY or others is WHOLE_DAY:
        return tuple(others if ours is WHOLE_DAY else ours)
    found = [
        Span(max(a.from_s, b.from_s), min(a.until_s, b.until_s))
        for a in ours
        for b in others
        if max(a.from_s, b.from_s) < min(a.until_s, b.until_s)
    ]
    return tuple(sorted(found))


class Observed(StrEnum):
    """On which further day a holiday is kept that falls on a weekend."""

    NONE = "none"
    MONDAY = "monday after sunday"
    NEAREST = "nearest weekday"


class Holiday(msgspec.Struct, frozen=True, kw_only=True):
    """A holiday: a fixed day (``month``, ``day``), the n-th weekday of a month, or counted from Easter.

    ``weekday`` is 0 (Monday) to 6; ``nth`` 1 to 5, or -1 for the last one; with a ``day`` as well, it is the last such
    weekday before that day ("Monday before 25 May"). ``easter`` is days after Easter Sunday (Good Friday: -2).
    ``years`` bounds the years in which it is kept, both inclusive.
    """

    name: str
    month: Annotated[int, Meta(ge=1, le=12)] | None = None
    day: Annotated[int, Meta(ge=1, le=31)] | None = None
    weekday: Annotated[int, Meta(ge=0, le=6)] | None = None
    nth: Annotated[int, Meta(ge=-1, le=5)] | None = None
    easter: Annotated[int, Meta(ge=-MAX_FROM_EASTER, le=MAX_FROM_EASTER)] | None = None
    observed: Observed = Observed.NONE
    from_year: Annotated[int, Meta(ge=1, le=9999)] = 1
    until_year: Annotated[int, Meta(ge=1, le=9999)] = 9999

    def days_of(self, year: int) -> list[date]:
        """The day in that year and, when it is kept on another one too, that one; empty when it is not kept."""
        if not self.from_year <= year <= self.until_year:
            return []
        found = self._day_of(year)
        if found is None:
            return []
        kept = [found]
        if found.weekday() == 6 and self.observed is not Observed.NONE:
            kept.append(found + timedelta(days=1))
        if found.weekday() == 5 and self.observed is Observed.NEAREST:
            kept.append(found - timedelta(days=1))
        return kept

    def _day_of(self, year: int) -> date | None:
        if self.easter is not None:
            return easter_sunday(year) + timedelta(days=self.easter)
        assert self.month is not None
        if self.weekday is None:
            assert self.day is not None
            return (
                None if (self.month, self.day) == (2, 29) and not _is_leap(year) else date(year, self.month, self.day)
            )
        if self.day is not None:
            limit = date(year, self.month, self.day)
            return limit - timedelta(days=(limit.weekday() - self.weekday - 1) % 7 + 1)
        assert self.nth is not None
        return _nth_weekday(year, self.month, self.weekday, self.nth)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _nth_weekday(year: int, month: int, weekday: int, nth: int) -> date | None:
    if nth < 0:
        last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        return last - timedelta(days=(last.weekday() - weekday) % 7)
    first = date(year, month, 1)
    found = first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))
    return found if found.month == month else None


def easter_sunday(year: int) -> date:
    """Easter Sunday of the Gregorian calendar.

    Source: the method of Meeus, Jones and Butcher, valid for every year of that calendar.
    """
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * weekday) // 451
    month, day = divmod(h + weekday - 7 * m + 114, 31)
    return date(year, month, day + 1)


class RegionRule(msgspec.Struct, frozen=True, kw_only=True):
    """What one law or guidance says of one region. ``week`` are the spans of Monday to Sunday; none means no calls.

    On a day of its ``holidays`` only what ``on_holidays`` leaves of them (none: no calls). ``valid_from`` and
    ``valid_until`` are local dates, both inclusive; None is open. ``source`` names the text.
    """

    region: str
    source: str
    week: tuple[tuple[Span, ...], ...] = (WHOLE_DAY,) * 7
    holidays: tuple[Holiday, ...] = ()
    on_holidays: tuple[Span, ...] = ()
    valid_from: date | None = None
    valid_until: date | None = None
    note: str = ""

    def binds(self, region: str) -> bool:
        """True when a record of that region is bound by the rule."""
        return self.region in (EVERYWHERE, region) or region.startswith(f"{self.region}-")

    def is_valid_on(self, day: date) -> bool:
        """True while the rule is in force."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_until is None or day <= self.valid_until
        )

    def holiday_on(self, day: date) -> Holiday | None:
        """The holiday that the rule keeps on that day."""
        years = (day.year, day.year + 1)  # New Year's Day may be kept on 31 December
        return next((h for h in self.holidays if any(day in h.days_of(year) for year in years)), None)


class CallingTimes(msgspec.Struct, frozen=True, kw_only=True):
    """One file of calling-time rules. ``version`` grows with each edition; ``checked_on`` is when it was compared."""

    name: str
    title: str
    version: str
    checked_on: date
    regions: tuple[RegionRule, ...]


class ClosedDays(msgspec.Struct, frozen=True, kw_only=True):
    """Days on which a region is not called at all: a state of emergency, a mourning, the company's own holidays."""

    region: str = EVERYWHERE
    from_date: date
    until_date: date
    reason: str

    def covers(self, region: str, day: date) -> bool:
        """True when records of the region are not called on that day."""
        is_here = self.region in (EVERYWHERE, region) or region.startswith(f"{self.region}-")
        return is_here and self.from_date <= day <= self.until_date


class DayLimits(msgspec.Struct, frozen=True):
    """What the rules leave of one local day of one region.

    ``holiday`` names the holiday or closing that narrows the day; ``sources`` are the texts that bind it.
    """

    spans: tuple[Span, ...]
    holiday: str = ""
    sources: tuple[str, ...] = ()


class Limits:
    """Calling-time rules put together, asked day by day. Answers are remembered: ``day`` costs one look-up."""

    def __init__(
        self, rules: Iterable[RegionRule] = (), closed: Iterable[ClosedDays] = (), default_region: str = ""
    ) -> None:
        self.rules = tuple(rules)
        self.closed = tuple(closed)
        self.default_region = default_region
        self._days: dict[tuple[str, int], DayLimits] = {}
        self._without_holidays: Limits | None = None
        self._only_holidays: Limits | None = None

    @property
    def are_empty(self) -> bool:
        """True when nothing is limited."""
        return not self.rules and not self.closed

    def day(self, region: str, day_number: int) -> DayLimits:
        """What is left of the local day (numbered from 1970-01-01) in that region; "" is the default region."""
        key = (region, day_number)
        known = self._days.get(key)
        if known is None:
            if len(self._days) >= MAX_DAYS_REMEMBERED:
                self._days.clear()
            known = self._days[key] = self._find(region or self.default_region, EPOCH + timedelta(days=day_number))
        return known

    def without_holidays(self) -> Limits:
        """The same rules as on ordinary days: what the hours alone allow."""
        if self._without_holidays is None:
            plain = [msgspec.structs.replace(rule, holidays=()) for rule in self.rules]
            self._without_holidays = Limits(plain, (), self.default_region)
        return self._without_holidays

    def only_holidays(self) -> Limits:
        """What holidays and closed days alone forbid. Together with ``without_holidays`` it is the whole."""
        if self._only_holidays is None:
            days = [msgspec.structs.replace(rule, week=(WHOLE_DAY,) * 7) for rule in self.rules if rule.holidays]
            self._only_holidays = Limits(days, self.closed, self.default_region)
        return self._only_holidays

    def _find(self, region: str, day: date) -> DayLimits:
        spans: tuple[Span, ...] = WHOLE_DAY
        holiday, sources = "", []
        for rule in self.rules:
            if not rule.binds(region) or not rule.is_valid_on(day):
                continue
            kept = rule.holiday_on(day)
            spans = common(spans, rule.week[day.weekday()])
            spans = common(spans, rule.on_holidays) if kept else spans
            holiday = holiday or (f"{kept.name} ({rule.region}: {rule.source})" if kept else "")
            sources.append(f"{rule.region}: {rule.source}")
        for closed in self.closed:
            if closed.covers(region, day):
                spans, holiday = (), holiday or closed.reason
        return DayLimits(spans, holiday, tuple(sources))
