"""Rule files as the auditor reads them: spans of hours for each day, holidays spelled out for each year.

Like the rest of the auditor it shares no code with the rules that the server runs on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_MONTHS = [
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
]  # fmt: skip
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

Rule = dict[str, Any]


def read_rule_files(folders: Iterable[Path]) -> dict[str, Rule]:
    """The documents of all rule files in the folders, by their names; later folders replace.

    ``ValueError`` names a file that is none, with line or place: an audit by half of the rules would be worth nothing.
    """
    documents: dict[str, Rule] = {}
    for folder in folders:
        names = set()
        for file in sorted(folder.glob("*.yaml")):
            place = ""
            try:
                document = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - texts only
                name = document["name"]
                for n, entry in enumerate(document["regions"]):
                    place = f" regions[{n}]:"
                    _of_entry(entry, document)["holidays"](2028)  # a leap year: every day that can be named is there
            except (yaml.YAMLError, OSError, TypeError, KeyError, ValueError, AttributeError, IndexError) as error:
                told = f"there is no {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
                raise ValueError(f"the rule file {file}:{place} {told}") from None
            if name in names:
                raise ValueError(f"the rule file {file}: another file has the name {name} already")
            names.add(name)
            documents[name] = document
    return documents


def of_file(files: Mapping[str, Rule], name: str) -> list[Rule]:
    """The rules of a file, spelled out; a file that is missing allows nothing."""
    document = files.get(name)
    if document is None:
        return [_rule({"region": "*"}, [[]] * 7, [], [])]
    return [_of_entry(entry, document) for entry in document["regions"]]


def _of_entry(entry: Rule, document: Rule) -> Rule:
    week: list[list[tuple[int, int]]] = [[] if "hours" in entry else [(0, 86_400)] for _ in _DAYS]
    for days, spans in entry.get("hours", {}).items():
        first, _, last = days.partition("-")
        for day in range(_DAYS.index(first), _DAYS.index(last or first) + 1):
            week[day] = _spans(spans)
    holidays = [when for name in entry.get("holidays", []) for when in document["holidays"][name].values()]
    return _rule(entry, week, [_in_words(when) for when in holidays], _spans(entry.get("on_holidays", [])))


def of_object(entry: Rule) -> Rule:
    """A rule of a rule set's own, spelled out."""
    week = [[(span["from_s"], span["until_s"]) for span in day] for day in entry["week"]]
    on_holidays = [(span["from_s"], span["until_s"]) for span in entry["on_holidays"]]
    return _rule(entry, week, entry["holidays"], on_holidays)


def _rule(
    entry: Rule, week: list[list[tuple[int, int]]], holidays: list[Rule], on_holidays: list[tuple[int, int]]
) -> Rule:
    @cache
    def days_of(year: int) -> frozenset[date]:
        return frozenset(day for holiday in holidays for day in _days_of(holiday, year))

    return {
        "region": entry["region"],
        "from": date.fromisoformat(entry.get("valid_from") or "0001-01-01"),
        "until": date.fromisoformat(entry.get("valid_until") or "9999-12-31"),
        "week": week,
        "holidays": days_of,
        "on_holidays": on_holidays,
    }


def _spans(entry: Any) -> list[tuple[int, int]]:
    spans = []
    for text in entry if isinstance(entry, list) else [entry]:
        if text != "closed":
            begin, end = (part.strip().split(":") for part in text.split("-"))
            spans.append((int(begin[0]) * 3600 + int(begin[1]) * 60, int(end[0]) * 3600 + int(end[1]) * 60))
    return spans


def _in_words(when: Any) -> Rule:
    """A holiday of a file in the fields of an object's one."""
    entry = when if isinstance(when, dict) else {"when": when}
    words = entry["when"].lower().split()
    found: Rule = {"observed": entry.get("observed", "none"), "month": None, "day": None, "weekday": None, "nth": None}
    found["from_year"], found["until_year"] = int(entry.get("from_year", 1)), int(entry.get("until_year", 9999))
    found["easter"] = None
    if words[0] == "easter":
        found["easter"] = int("".join(words[1:]) or 0)
    elif "before" in words:
        found["weekday"] = _LONG_DAYS.index(words[0])
        found["day"], found["month"] = int(words[2]), _MONTHS.index(words[3]) + 1
    elif "of" in words:
        found["nth"] = -1 if words[0] == "last" else int(words[0][0])
        found["weekday"], found["month"] = _LONG_DAYS.index(words[1]), _MONTHS.index(words[3]) + 1
    else:
        found["day"], found["month"] = int(words[0]), _MONTHS.index(words[1]) + 1
    return found


def _days_of(holiday: Rule, year: int) -> list[date]:
    """Look through the days of the year for the holiday, and add the one on which it is kept."""
    if not holiday["from_year"] <= year <= holiday["until_year"] or not 2 <= year <= 9990:
        return []
    if holiday["easter"] is not None:
        days = [_easter(year) + timedelta(days=holiday["easter"])]
    else:
        every = [date(year, 1, 1) + timedelta(days=n) for n in range(366)]
        month = [day for day in every if day.year == year and day.month == holiday["month"]]
        if holiday["weekday"] is None:
            days = [day for day in month if day.day == holiday["day"]]
        elif holiday["day"] is not None:
            end = date(year, holiday["month"], holiday["day"])
            week = [end - timedelta(days=n) for n in range(1, 8)]
            days = [day for day in week if day.weekday() == holiday["weekday"]]
        else:
            same = [day for day in month if day.weekday() == holiday["weekday"]]
            place = holiday["nth"] - 1 if holiday["nth"] > 0 else len(same) - 1
            days = same[place : place + 1]
    for day in list(days):
        if day.weekday() == 6 and holiday["observed"] != "none":
            days.append(day + timedelta(days=1))
        if day.weekday() == 5 and holiday["observed"] == "nearest weekday":
            days.append(day - timedelta(days=1))
    return days


def _easter(year: int) -> date:
    """Easter Sunday. Source: Knuth, The Art of Computer Programming, volume 1, exercise 1.3.2-14."""
    golden, century = year % 19 + 1, year // 100 + 1
    dropped = 3 * century // 4 - 12
    sunday = 5 * year // 4 - dropped - 10
    epact = (11 * golden + 20 + (8 * century + 5) // 25 - 5 - dropped) % 30
    if epact == 24 or (epact == 25 and golden > 11):
        epact += 1
    moon = 44 - epact if 44 - epact >= 21 else 74 - epact
    return date(year, 3, 1) + timedelta(days=moon + 7 - (sunday + moon) % 7 - 1)
