"""Calling-time rules as people write them: a document (decoded YAML or JSON, every leaf a text) to ``CallingTimes``.

::

    name: us-telemarketing
    title: United States, telephone solicitation
    version: "2025.2"
    checked_on: 2025-11-25
    holidays:
      federal: {New Year's Day: 1 january, Thanksgiving Day: 4th thursday of november, Good Friday: easter - 2}
    regions:
      - region: US-RI
        source: R.I. Gen. Laws 5-61-3.6
        hours: {mon-fri: 09:00-18:00, sat: 10:00-17:00}
        holidays: [federal]

Days that ``hours`` leaves out are closed; without ``hours`` all days are open. On holidays nobody is called, unless
``on_holidays`` gives hours. A wrong document is refused as a whole, each fault with its place ("regions[3].hours.sat").
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from datetime import date
from typing import Any

import msgspec

from trunkline.domain.calling_times import (
    MAX_FROM_EASTER,
    CallingTimes,
    Holiday,
    Observed,
    RegionRule,
    Span,
)
from trunkline.domain.eligibility import SECONDS_A_DAY
from trunkline.domain.regions import region_fault
from trunkline.errors import OutOfRange

MAX_REGIONS = 2000
"""Rules in one document: the parts of every large country together are some hundred."""
MAX_HOLIDAYS = 100
"""Holidays of one calendar: the longest legal calendars have about thirty."""
MAX_FAULTS = 20
"""Faults told at once: who gets more mends these first."""
MAX_TEXT = 500
"""Characters of a text in a document."""

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FIXED = re.compile(r"(\d{1,2}) ([a-z]+)")
_NTH = re.compile(r"(1st|2nd|3rd|4th|5th|last) ([a-z]+) of ([a-z]+)")
_BEFORE = re.compile(r"([a-z]+) before (\d{1,2}) ([a-z]+)")
_EASTER = re.compile(r"easter(?: ([+-]) (\d{1,2}))?")
_NTHS = {"1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "5th": 5, "last": -1}
_SPAN = re.compile(r"(\d{2}):(\d{2})\s*-\s*(\d{2}):(\d{2})")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_KEYS = {"name", "title", "version", "checked_on", "holidays", "regions"}
_REGION_KEYS = {"region", "source", "hours", "holidays", "on_holidays", "valid_from", "valid_until", "note"}


class _Fault(Exception):
    """A fault with its place."""


def read_document(document: Any, countries: Container[str]) -> CallingTimes:
    """The rules of a document; ``OutOfRange`` tells the faults, each with its place, one a line.

    ``countries`` are the two-letter codes that there are: a rule for a region that is nowhere would bind nobody.
    """
    faults: list[str] = []
    try:
        top = _mapping(document, "document", _KEYS)
        name = _matching(top, "name", _NAME, "small letters, digits and hyphens")
        title, version = _text(top.get("title"), "title"), _text(top.get("version"), "version")
        checked_on = _date(top.get("checked_on"), "checked_on")
        calendars = _calendars(top.get("holidays", {}), faults)
        entries = _list(top.get("regions"), "regions", MAX_REGIONS)
    except _Fault as fault:
        raise OutOfRange(str(fault)) from None
    regions = []
    for index, entry in enumerate(entries):
        try:
            regions.append(_region(entry, f"regions[{index}]", calendars, countries))
        except _Fault as fault:
            faults.append(str(fault))
    if not entries:
        faults.append("regions: there is no rule")
    if faults:
        more = f"\nand {len(faults) - MAX_FAULTS} more" if len(faults) > MAX_FAULTS else ""
        raise OutOfRange("\n".join(faults[:MAX_FAULTS]) + more)
    return CallingTimes(name=name, title=title, version=version, checked_on=checked_on, regions=tuple(regions))


def _region(
    entry: Any, place: str, calendars: Mapping[str, tuple[Holiday, ...]], countries: Container[str]
) -> RegionRule:
    values = _mapping(entry, place, _REGION_KEYS)
    region = values.get("region")
    fault = region_fault(region, countries)
    if fault is not None:
        raise _Fault(f"{place}.region: {fault}")
    holidays: list[Holiday] = []
    for index, name in enumerate(_list(values.get("holidays", []), f"{place}.holidays", MAX_HOLIDAYS)):
        if not isinstance(name, str) or name not in calendars:
            raise _Fault(f"{place}.holidays[{index}]: there is no calendar of holidays named {_shown(name)}")
        holidays += calendars[name]
    on_holidays = values.get("on_holidays")
    if on_holidays is not None and not holidays:
        raise _Fault(f"{place}.on_holidays: the rule names no holidays")
    rule = RegionRule(
        region=str(region),
        source=_text(values.get("source"), f"{place}.source"),
        week=_week(values["hours"], f"{place}.hours") if "hours" in values else RegionRule(region="", source="").week,
        holidays=tuple(holidays),
        on_holidays=() if on_holidays is None else _spans(on_holidays, f"{place}.on_holidays"),
        valid_from=_date(values["valid_from"], f"{place}.valid_from") if "valid_from" in values else None,
        valid_until=_date(values["valid_until"], f"{place}.valid_until") if "valid_until" in values else None,
        note=_text(values["note"], f"{place}.note") if "note" in values else "",
    )
    if rule.valid_from and rule.valid_until and rule.valid_from > rule.valid_until:
        raise _Fault(f"{place}.valid_until: lies before valid_from")
    return rule


def _week(entry: Any, place: str) -> tuple[tuple[Span, ...], ...]:
    week: list[tuple[Span, ...]] = [()] * 7
    said: set[int] = set()
    for days, spans in _mapping(entry, place, None).items():
        numbers = _day_range(str(days), place)
        if said & set(numbers):
            raise _Fault(f"{place}.{days}: a day is given twice")
        said |= set(numbers)
        for number in numbers:
            week[number] = _spans(spans, f"{place}.{days}")
    if not said:
        raise _Fault(f"{place}: no day is given; leave hours out for days without bounds")
    return tuple(week)


def _day_range(text: str, place: str) -> range:
    first, dash, last = text.partition("-")
    if first not in _DAYS or (dash and last not in _DAYS):
        raise _Fault(f"{place}.{_shown(text)}: give days as {_DAYS[0]} or {_DAYS[0]}-{_DAYS[4]}")
    begin, end = _DAYS.index(first), _DAYS.index(last or first)
    if begin > end:
        raise _Fault(f"{place}.{text}: the week begins with {_DAYS[0]}")
    return range(begin, end + 1)


def _spans(entry: Any, place: str) -> tuple[Span, ...]:
    texts = entry if isinstance(entry, list) else [entry]
    if texts == ["closed"]:
        return ()
    spans: list[Span] = []
    for text in texts[:10]:  # a day with more pauses than that is a mistake, and is told as one below
        found = _SPAN.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            raise _Fault(f"{place}: {_shown(text)} is no span; give 09:00-18:00, a list of such, or closed")
        from_h, from_m, until_h, until_m = map(int, found.groups())
        span = Span(from_h * 3600 + from_m * 60, until_h * 3600 + until_m * 60)
        if from_m > 59 or until_m > 59 or span.until_s > SECONDS_A_DAY or span.from_s >= span.until_s:
            raise _Fault(f"{place}: {text} does not lie within one day, 00:00 to 24:00")
        if spans and span.from_s < spans[-1].until_s:
            raise _Fault(f"{place}: {text} begins before the one in front of it ends")
        spans.append(span)
    if not 0 < len(texts) <= 10:
        raise _Fault(f"{place}: give one to ten spans")
    return tuple(spans)


def _calendars(entry: Any, faults: list[str]) -> dict[str, tuple[Holiday, ...]]:
    calendars: dict[str, tuple[Holiday, ...]] = {}
    for calendar, days in _mapping(entry, "holidays", None).items():
        found: list[Holiday] = []
        place = f"holidays.{_shown(calendar)}"
        entries = _mapping(days, place, None)
        if len(entries) > MAX_HOLIDAYS:
            raise _Fault(f"{place}: at most {MAX_HOLIDAYS} holidays")
        for name, when in entries.items():
            try:
                found.append(read_holiday(str(name), when, f"{place}.{_shown(name)}"))
            except _Fault as fault:
                faults.append(str(fault))
        calendars[calendar] = tuple(found)
    return calendars


def read_holiday(name: str, when: Any, place: str) -> Holiday:
    """A holiday from its text: ``1 january``, ``last monday of may``, ``monday before 25 may``, ``easter - 2``.

    A mapping with ``when`` may give ``observed`` (``monday after sunday``, ``nearest weekday``) and the years.
    """
    values = _mapping(when, place, {"when", "observed", "from_year", "until_year"}) if isinstance(when, dict) else None
    text = values.get("when") if values is not None else when
    holiday = _day_in_words(name, text, place)
    if values is None:
        return holiday
    try:
        observed = Observed(values.get("observed", "none"))
    except ValueError:
        raise _Fault(f"{place}.observed: give one of {', '.join(Observed)}") from None
    years = {}
    for key in ("from_year", "until_year"):
        if key in values:
            text = values[key]
            if not isinstance(text, str) or not re.fullmatch(r"[1-9]\d{3}", text):
                raise _Fault(f"{place}.{key}: give a year")
            years[key] = int(text)
    return msgspec.structs.replace(holiday, observed=observed, **years)


def _day_in_words(name: str, text: Any, place: str) -> Holiday:
    text = " ".join(text.lower().split()) if isinstance(text, str) and len(text) < 64 else ""
    if (found := _EASTER.fullmatch(text)) is not None:
        days = int(f"{found[1] or ''}{found[2] or 0}")
        if abs(days) <= MAX_FROM_EASTER:
            return Holiday(name=name, easter=days)
    if (found := _FIXED.fullmatch(text)) is not None and _is_date(found[1], found[2]):
        return Holiday(name=name, month=_MONTHS.index(found[2]) + 1, day=int(found[1]))
    if (found := _NTH.fullmatch(text)) is not None and found[2] in _WEEKDAYS and found[3] in _MONTHS:
        month, weekday = _MONTHS.index(found[3]) + 1, _WEEKDAYS.index(found[2])
        return Holiday(name=name, month=month, weekday=weekday, nth=_NTHS[found[1]])
    found = _BEFORE.fullmatch(text)
    if found is not None and found[1] in _WEEKDAYS and _is_date(found[2], found[3]) and not _is_leap_day(found):
        month, weekday = _MONTHS.index(found[3]) + 1, _WEEKDAYS.index(found[1])
        return Holiday(name=name, month=month, day=int(found[2]), weekday=weekday)
    raise _Fault(
        f"{place}: give a day as '1 january', '3rd monday of january', 'last monday of may', 'monday before 25 may' "
        "or 'easter - 2'"
    )


def _is_leap_day(found: re.Match[str]) -> bool:
    return (found[2], found[3]) == ("29", "february")


def _is_date(day: str, month: str) -> bool:
    return month in _MONTHS and 1 <= int(day) <= _LENGTHS[_MONTHS.index(month)]


def _mapping(entry: Any, place: str, known: set[str] | None) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise _Fault(f"{place}: must be a mapping of names to values")
    if known is not None and (unknown := set(map(str, entry)) - known):
        raise _Fault(f"{place}.{_shown(min(unknown))}: unknown; there are {', '.join(sorted(known))}")
    return entry


def _list(entry: Any, place: str, limit: int) -> list[Any]:
    if not isinstance(entry, list):
        raise _Fault(f"{place}: must be a list")
    if len(entry) > limit:
        raise _Fault(f"{place}: at most {limit}")
    return entry


def _text(entry: Any, place: str) -> str:
    if not isinstance(entry, str) or not 0 < len(entry) <= MAX_TEXT:
        raise _Fault(f"{place}: must be a text of 1 to {MAX_TEXT} characters")
    return " ".join(entry.split())


def _matching(values: dict[str, Any], key: str, pattern: re.Pattern[str], form: str) -> str:
    text = values.get(key)
    if not isinstance(text, str) or not pattern.fullmatch(text):
        raise _Fault(f"{key}: must be a text of {form}")
    return text


def _date(entry: Any, place: str) -> date:
    try:
        return date.fromisoformat(entry if isinstance(entry, str) and len(entry) == 10 else "")
    except ValueError:
        raise _Fault(f"{place}: give a date as 2025-11-25") from None


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
