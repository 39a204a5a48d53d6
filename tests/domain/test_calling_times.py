"""Calling-time rules: holidays, dates, what binds whom, and documents with faults."""

from __future__ import annotations

import copy
from contextlib import suppress
from datetime import date, timedelta
from importlib.resources import files
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.app.countries import COUNTRIES
from trunkline.domain.calling_times import (
    EPOCH,
    WHOLE_DAY,
    ClosedDays,
    Holiday,
    Limits,
    Observed,
    RegionRule,
    Span,
    clock,
    common,
    easter_sunday,
)
from trunkline.domain.regions import region_fault
from trunkline.domain.rule_documents import MAX_FAULTS, read_document
from trunkline.errors import OutOfRange


def number(year: int, month: int, day: int) -> int:
    """The number of a local day."""
    return (date(year, month, day) - EPOCH).days


@pytest.mark.parametrize(
    "sunday",
    [(1961, 4, 2), (2000, 4, 23), (2008, 3, 23), (2019, 4, 21), (2025, 4, 20), (2026, 4, 5), (2038, 4, 25)],
)
def test_easter(sunday: tuple[int, int, int]) -> None:
    """Easter Sundays as almanacs print them, the earliest and the latest among them."""
    assert easter_sunday(sunday[0]) == date(*sunday)


@given(st.integers(1900, 2200), st.integers(1, 12), st.integers(0, 6), st.sampled_from([1, 2, 3, 4, 5, -1]))
def test_the_nth_weekday(year: int, month: int, weekday: int, nth: int) -> None:
    """The n-th weekday of a month is the one that counting through the month finds."""
    days = [date(year, month, 1) + timedelta(days=n) for n in range(31)]
    mine = [day for day in days if day.month == month and day.weekday() == weekday]
    holiday = Holiday(name="h", month=month, weekday=weekday, nth=nth)
    expected = [mine[nth - 1 if nth > 0 else -1]] if nth <= len(mine) else []
    assert holiday.days_of(year) == expected


@given(st.integers(1900, 2200), st.integers(1, 12), st.integers(1, 28), st.integers(0, 6))
def test_the_weekday_before_a_day(year: int, month: int, day: int, weekday: int) -> None:
    """The weekday before a day lies one to seven days before it."""
    (found,) = Holiday(name="h", month=month, day=day, weekday=weekday).days_of(year)
    assert found.weekday() == weekday
    assert timedelta(days=1) <= date(year, month, day) - found <= timedelta(days=7)


def test_observed_days() -> None:
    """A holiday on a weekend is kept on that day and on the one that is observed, over the turn of the year too."""
    new_year = Holiday(name="New Year's Day", month=1, day=1, observed=Observed.NEAREST)
    assert new_year.days_of(2028) == [date(2028, 1, 1), date(2027, 12, 31)]
    rule = RegionRule(region="US", source="x", holidays=(new_year,))
    assert rule.holiday_on(date(2027, 12, 31)) is new_year
    sunday = Holiday(name="h", month=7, day=4, observed=Observed.MONDAY)
    assert sunday.days_of(2027) == [date(2027, 7, 4), date(2027, 7, 5)]
    assert sunday.days_of(2026) == [date(2026, 7, 4)]
    assert Holiday(name="h", month=2, day=29).days_of(2027) == []
    assert Holiday(name="h", month=6, day=19, from_year=2021).days_of(2020) == []


def test_what_binds_whom() -> None:
    """A record of a state is bound by the rules of everywhere, its country and its state, and by no other's."""
    floor = RegionRule(region="*", source="floor", week=((Span(28_800, 75_600),),) * 7)
    country = RegionRule(region="US", source="federal", week=((Span(32_400, 79_200),),) * 7)
    state = RegionRule(
        region="US-TX", source="state", week=(*[(Span(36_000, 72_000),)] * 6, ()), valid_from=date(2027, 1, 1)
    )
    limits = Limits([floor, country, state], default_region="US")
    friday = number(2027, 1, 8)
    assert limits.day("US-TX", friday).spans == (Span(36_000, 72_000),)
    assert limits.day("US-TX", friday).sources == ("*: floor", "US: federal", "US-TX: state")
    assert limits.day("US-T", friday).spans == (Span(32_400, 75_600),)
    assert limits.day("", friday).spans == (Span(32_400, 75_600),)
    assert limits.day("FR", friday).spans == (Span(28_800, 75_600),)
    assert limits.day("US-TX", number(2026, 12, 31)).spans == (Span(32_400, 75_600),)
    assert limits.day("US-TX", friday + 2).spans == ()


def test_closed_days() -> None:
    """Days that somebody closed are closed for the region and its parts, with the reason."""
    limits = Limits(
        (), [ClosedDays(region="US-LA", from_date=date(2027, 9, 1), until_date=date(2027, 9, 3), reason="storm")]
    )
    assert limits.day("US-LA", number(2027, 9, 3)).holiday == "storm"
    assert limits.day("US-LA", number(2027, 9, 3)).spans == ()
    assert limits.day("US-LA", number(2027, 9, 4)).spans == WHOLE_DAY
    assert limits.day("US-TX", number(2027, 9, 3)).spans == WHOLE_DAY
    assert limits.without_holidays().day("US-LA", number(2027, 9, 3)).spans == WHOLE_DAY


_spans = st.lists(st.integers(0, 86_400), max_size=8, unique=True).map(
    lambda edges: tuple(Span(a, b) for a, b in zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False))
)


@given(_spans, _spans, st.integers(0, 86_399))
def test_what_spans_have_in_common(ours: tuple[Span, ...], others: tuple[Span, ...], at_s: int) -> None:
    """A second is common when both have it."""
    both = any(s.from_s <= at_s < s.until_s for s in ours) and any(s.from_s <= at_s < s.until_s for s in others)
    assert any(s.from_s <= at_s < s.until_s for s in common(ours, others)) is both


def test_clock() -> None:
    """Seconds after midnight as people write them."""
    assert (clock(28_800), clock(86_400), clock(45_296)) == ("08:00", "24:00", "12:34:56")


GOOD: dict[str, Any] = {
    "name": "test",
    "title": "Test",
    "version": "1",
    "checked_on": "2025-11-25",
    "holidays": {
        "mine": {"Christmas Day": {"when": "25 december", "observed": "nearest weekday"}, "Pause": "easter - 2"}
    },
    "regions": [
        {"region": "*", "source": "floor", "hours": {"mon-sun": "08:00-21:00"}},
        {
            "region": "FR",
            "source": "law",
            "hours": {"mon-fri": ["10:00-13:00", "14:00-20:00"]},
            "valid_from": "2023-03-01",
        },
        {"region": "US-RI", "source": "law", "holidays": ["mine"], "on_holidays": "10:00-12:00", "note": "n"},
    ],
}


def test_a_good_document() -> None:
    """Hours, pauses, dates and holidays arrive as they are written."""
    times = read_document(GOOD, COUNTRIES)
    assert times.checked_on == date(2025, 11, 25)
    france = times.regions[1]
    assert france.week[0] == (Span(36_000, 46_800), Span(50_400, 72_000))
    assert france.week[5] == ()
    assert france.valid_from == date(2023, 3, 1)
    island = times.regions[2]
    assert island.week[6] == WHOLE_DAY
    assert [holiday.name for holiday in island.holidays] == ["Christmas Day", "Pause"]
    assert Limits(times.regions).day("US-RI", number(2027, 12, 24)).spans == (Span(36_000, 43_200),)


@pytest.mark.parametrize("region", ["*", "US", "US-TX", "US-DC", "US-PR", "CA-QC", "AU-NSW", "GB", "FR-75", "DE-BY"])
def test_regions_that_there_are(region: str) -> None:
    """Countries, parts of countries whose parts are known, and anything in the form of a part elsewhere."""
    assert region_fault(region, COUNTRIES) is None


def test_every_state_that_an_area_code_stands_for_can_have_a_rule() -> None:
    """The regions that records get from their numbers are regions to the rules."""
    areas = msgspec.json.decode(files("trunkline.app.imports").joinpath("data/area_regions.json").read_bytes())
    assert [region for region in areas if region_fault(region, COUNTRIES)] == []


_DELETE = object()


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ((), [], "document: must be a mapping"),
        (("name",), "Not Good", "name: must be"),
        (("title",), "", "title: must be a text"),
        (("checked_on",), "yesterday", "checked_on: give a date"),
        (("extra",), "1", "document.extra: unknown"),
        (("regions",), _DELETE, "regions: must be a list"),
        (("regions",), [], "regions: there is no rule"),
        (("regions", 0), "x", "regions[0]: must be a mapping"),
        (("regions", 0, "region"), "Texas", "regions[0].region: give"),
        (("regions", 0, "region"), None, "regions[0].region: give"),
        (("regions", 0, "region"), "QQ-1", "regions[0].region: there is no country QQ"),
        (("regions", 0, "region"), "QQ", "regions[0].region: there is no country QQ"),
        (("regions", 0, "region"), "US-QQ", "regions[0].region: US has no part QQ; there are AK, AL, AR, AS"),
        (("regions", 0, "source"), _DELETE, "regions[0].source: must be a text"),
        (("regions", 0, "hours"), {}, "regions[0].hours: no day"),
        (("regions", 0, "hours"), {"monday": "08:00-09:00"}, "regions[0].hours.monday: give days"),
        (("regions", 0, "hours"), {"fri-mon": "08:00-09:00"}, "regions[0].hours.fri-mon: the week begins"),
        (
            ("regions", 0, "hours"),
            {"mon": "08:00-09:00", "mon-tue": "closed"},
            "regions[0].hours.mon-tue: a day is given twice",
        ),
        (("regions", 0, "hours", "mon-sun"), "8-9", "regions[0].hours.mon-sun: 8-9 is no span"),
        (("regions", 0, "hours", "mon-sun"), "21:00-08:00", "does not lie within one day"),
        (("regions", 0, "hours", "mon-sun"), "08:00-25:00", "does not lie within one day"),
        (("regions", 0, "hours", "mon-sun"), ["10:00-12:00", "11:00-13:00"], "begins before the one in front"),
        (("regions", 0, "hours", "mon-sun"), [], "give one to ten spans"),
        (("regions", 0, "hours", "mon-sun"), 600, "600 is no span"),
        (("regions", 1, "valid_until"), "2022-01-01", "regions[1].valid_until: lies before"),
        (("regions", 1, "on_holidays"), "closed", "regions[1].on_holidays: the rule names no holidays"),
        (("regions", 2, "holidays"), ["theirs"], "regions[2].holidays[0]: there is no calendar"),
        (("holidays", "mine", "Pause"), "sometimes", "holidays.mine.Pause: give a day as"),
        (("holidays", "mine", "Pause"), "31 february", "holidays.mine.Pause: give a day as"),
        (("holidays", "mine", "Pause"), None, "holidays.mine.Pause: give a day as"),
        (
            ("holidays", "mine", "Pause"),
            {"when": "1 may", "observed": "maybe"},
            "holidays.mine.Pause.observed: give one of",
        ),
        (
            ("holidays", "mine", "Pause"),
            {"when": "1 may", "from_year": "soon"},
            "holidays.mine.Pause.from_year: give a year",
        ),
        (("holidays", "mine"), "x", "holidays.mine: must be a mapping"),
        (("holidays", "mine"), {str(n): "1 may" for n in range(101)}, "holidays.mine: at most 100 holidays"),
        (("holidays", "mine", "Pause"), "easter + 99", "holidays.mine.Pause: give a day as"),
        (("regions",), [{}] * 2001, "regions: at most 2000"),
        (("regions", 0, "hours", "mon-sun"), [f"{n:02}:00-{n:02}:30" for n in range(11)], "give one to ten spans"),
    ],
)
def test_a_fault_is_told_with_its_place(path: tuple[Any, ...], value: Any, told: str) -> None:
    """Each kind of fault is refused with a sentence that begins with its place."""
    document: Any = copy.deepcopy(GOOD)
    if not path:
        document = value
    else:
        at = document
        for key in path[:-1]:
            at = at[key]
        if value is _DELETE:
            del at[path[-1]]
        else:
            at[path[-1]] = value
    with pytest.raises(OutOfRange) as refused:
        read_document(document, COUNTRIES)
    assert told in str(refused.value)


def test_many_faults_are_told_at_once() -> None:
    """Faults of several regions come together, up to a limit."""
    document = {**GOOD, "regions": [{"region": "nowhere"}] * (MAX_FAULTS + 5)}
    with pytest.raises(OutOfRange) as refused:
        read_document(document, COUNTRIES)
    lines = str(refused.value).splitlines()
    assert len(lines) == MAX_FAULTS + 1
    assert lines[1].startswith("regions[1].region")
    assert lines[-1] == "and 5 more"


_trees = st.recursive(
    st.one_of(st.none(), st.text(max_size=8), st.integers(), st.sampled_from(["mon", "08:00-21:00", "*", "mine"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["name", "title", "checked_on", "regions", "holidays", "region", "hours", "mon"]),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=12,
)  # fmt: skip


@given(_trees, st.sampled_from(["name", "regions", "holidays", "checked_on"]))
def test_any_tree_is_read_or_refused(tree: Any, key: str) -> None:
    """Whatever a document holds, it is read or refused with the documented error."""
    for document in (tree, {**GOOD, key: tree}):
        with suppress(OutOfRange):
            assert read_document(document, COUNTRIES).regions
