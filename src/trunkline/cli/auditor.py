"""An auditor of the attempt log: from the log and the rule files alone it recomputes whether each attempt was allowed.

It shares no code with the rules that the server runs on: zones come from ``zoneinfo``, hours and holidays are spelled
out day by day, attempts are counted one by one. Where both agree, an error would have to be made twice.

It reads JSON lines, each an object with a ``kind``: ``rule-set`` and ``rule-override`` (the objects' own fields and
``version``), ``attempt`` (the fields of a row of the log and ``seq``), in the order of the log. Rule files are YAML.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

PERMITTED, ENDED, RELEASED = 0, 1, 5
"""Steps of the log that make attempts."""
CALLBACKS = (5, 6)
"""Record types of calls that the person asked for: personal and campaign callback."""
CONVERSATIONS = (33, 1, 2)
"""Results of calls in which the person was spoken to: answer, transferred, conferenced."""
NO_CALL_MADE = (10, 35, 41, 43, 44, 47, 48, 52)
"""Results that say that no telephone rang."""
ALIASES = {
    "PST": "America/Los_Angeles", "MST": "America/Denver", "CST": "America/Chicago", "EST": "America/New_York",
    "GMT": "Etc/GMT", "UTC": "Etc/UTC",
}  # fmt: skip
MAX_FINDINGS = 1000
"""Findings kept with their text; further ones are counted."""
_MONTHS = [
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
]  # fmt: skip
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

Rule = dict[str, Any]


@dataclass
class Finding:
    """An attempt that was not allowed: which row of the log, which rule, and what is wrong."""

    seq: int
    at_ms: int
    rule: str
    text: str


@dataclass(slots=True)
class Made:
    """An attempt as counted: ``state`` is open, made or void."""

    at_s: int
    campaign_id: int
    is_callback: bool
    state: str = "open"
    is_conversation: bool = False


@dataclass
class Audit:
    """The auditor's books. Give it every line in order; findings and counts are there at any time."""

    rule_files: Mapping[str, Rule]
    since_ms: int = 0
    attempts: int = 0
    illegal_attempts: int = 0
    illegal: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    rule_sets: dict[tuple[int, int], Rule] = field(default_factory=dict)
    overrides: list[Rule] = field(default_factory=list)
    _by_number: dict[str, list[Made]] = field(default_factory=dict)
    _by_person: dict[str, list[Made]] = field(default_factory=dict)
    _by_guid: dict[str, dict[str, Made]] = field(default_factory=dict)
    _regions: dict[tuple[int, int], list[Rule]] = field(default_factory=dict)
    _days: dict[tuple[int, int, str, date], tuple[list[list[tuple[int, int]]], bool]] = field(default_factory=dict)

    def read(self, line: str) -> None:
        """Take one line of the export; ``ValueError`` when it is none."""
        entry = json.loads(line)
        kind = entry.get("kind") if isinstance(entry, dict) else None
        if kind == "rule-set":
            self.rule_sets[entry["rule_set_id"], entry["version"]] = entry
        elif kind == "rule-override":
            self.overrides.append(entry)
        elif kind == "attempt":
            self.take(entry)
        else:
            raise ValueError(f"a line of kind {kind!r} is no part of an export")

    def take(self, row: Rule) -> None:
        """Judge a row of the log, then enter it."""
        if row["step"] == PERMITTED:
            if row["at_ms"] >= self.since_ms:
                self.attempts += 1
                before = self.illegal.total()
                self._judge(row)
                self.illegal_attempts += self.illegal.total() > before
            made = Made(row["at_ms"] // 1000, row["campaign_id"] or 0, row["record_type"] in CALLBACKS)
            self._enter(row, made)
        elif row["step"] == ENDED:
            self._end(row)
        elif row["step"] == RELEASED:
            for made in self._by_guid.get(row["attempt_guid"], {}).values():
                if made.state == "open":
                    made.state = "void"

    def _enter(self, row: Rule, made: Made) -> None:
        self._by_guid.setdefault(row["attempt_guid"], {})[row["number_key"]] = made
        self._by_number.setdefault(row["number_key"], []).append(made)
        self._by_person.setdefault(row["person_key"], []).append(made)

    def _end(self, row: Rule) -> None:
        of_attempt = self._by_guid.setdefault(row["attempt_guid"], {})
        made = of_attempt.get(row["number_key"])
        if made is None:
            if of_attempt:
                self._judge_sibling(row)
            made = Made(row["at_ms"] // 1000, row["campaign_id"] or 0, row["record_type"] in CALLBACKS)
            self._enter(row, made)
        made.state = "void" if row["call_result"] in NO_CALL_MADE else "made"
        made.at_s = row["at_ms"] // 1000
        made.is_conversation = row["call_result"] in CONVERSATIONS
        for other in of_attempt.values():
            if other.state == "open":
                other.state = "void"

    def _judge_sibling(self, row: Rule) -> None:
        """A call to another number of the chain than the one that was handed out to be called.

        Of a person whose data were erased the log does not tell any more which of them were permitted.
        """
        is_call = row["call_result"] not in NO_CALL_MADE
        detail = row.get("detail")
        if row["at_ms"] >= self.since_ms and is_call and detail and "permitted_at_ms" not in detail:
            self.attempts += 1
            self.illegal_attempts += 1
            self._find(row, "hand-out", "a number of the chain that no rules had let go was called")

    def _judge(self, row: Rule) -> None:
        key = (row["rule_set_id"], row["rule_set_version"])
        rule_set = self.rule_sets.get(key)
        if rule_set is None:
            self._find(row, "rule set", f"the rule set {key[0]} of version {key[1]} is not in the export")
            return
        self._judge_hours(row, rule_set, key)
        self._judge_attempts(row, rule_set)

    # Hours

    def _judge_hours(self, row: Rule, rule_set: Rule, key: tuple[int, int]) -> None:
        region = row["region"] or rule_set["default_region"]
        for name in (row["time_zone"], *row["other_zones"]):
            local = datetime.fromtimestamp(row["at_ms"] // 1000, tz=_zone(name))
            at_s = local.hour * 3600 + local.minute * 60 + local.second
            if not _covers(row["from_s"], row["until_s"], at_s):
                self._find(
                    row, "record window", f"{local:%a %Y-%m-%d %H:%M:%S} in {name} is outside the record's window"
                )
            hours, is_holiday = self._day(key, rule_set, region, local.date())
            is_within = all(any(a <= at_s < b for a, b in spans) for spans in hours)
            if not is_within and not self._is_overridden(row, "calling time"):
                self._find(
                    row, "calling time", f"{local:%a %Y-%m-%d %H:%M:%S} in {name}: outside the hours of {region}"
                )
            if is_holiday and not self._is_overridden(row, "holiday"):
                self._find(row, "holiday", f"{local:%a %Y-%m-%d} is a holiday of {region}")

    def _day(
        self, key: tuple[int, int], rule_set: Rule, region: str, day: date
    ) -> tuple[list[list[tuple[int, int]]], bool]:
        """The hours that each rule allows on a day, and whether a rule forbids the whole day as a holiday."""
        known = self._days.get((*key, region, day))
        if known is not None:
            return known
        if key not in self._regions:
            self._regions[key] = [
                rule for name in rule_set["calling_times"] for rule in _of_file(self.rule_files, name)
            ]
            self._regions[key] += [_of_object(rule) for rule in rule_set["regions"]]
        hours, is_holiday = [], False
        for rule in self._regions[key]:
            if not _is_within(region, rule["region"]) or not rule["from"] <= day <= rule["until"]:
                continue
            hours.append(rule["week"][day.weekday()])
            if any(day in rule["holidays"](year) for year in (day.year - 1, day.year, day.year + 1)):
                if rule["on_holidays"]:
                    hours.append(rule["on_holidays"])
                else:
                    is_holiday = True
        for closed in rule_set["closed"]:
            first, last = date.fromisoformat(closed["from_date"]), date.fromisoformat(closed["until_date"])
            if _is_within(region, closed["region"]) and first <= day <= last:
                is_holiday = True
        self._days[*key, region, day] = hours, is_holiday
        return hours, is_holiday

    # Attempts

    def _judge_attempts(self, row: Rule, rule_set: Rule) -> None:
        region = row["region"] or rule_set["default_region"]
        is_callback = row["record_type"] in CALLBACKS
        for rule in rule_set["attempt_rules"]:
            if rule["regions"] and not any(_is_within(region, named) for named in rule["regions"]):
                continue
            if is_callback and not rule["includes_callbacks"]:
                continue
            count = self._count(row, rule)
            is_quiet_time = rule["at_most"] == 0
            if count >= max(rule["at_most"], 1):
                name = "quiet time" if is_quiet_time else "attempt limit"
                if not self._is_overridden(row, name, rule["name"]):
                    self._find(row, name, f"{rule['name']}: {count} before this one")

    def _count(self, row: Rule, rule: Rule) -> int:
        if rule["counts"] == "number":
            made = self._by_number.get(row["number_key"], [])
        else:
            made = self._by_person.get(row["person_key"], [])
        after_s = row["at_ms"] // 1000 - rule["within_s"]
        count = 0
        for one in made:
            if one.state == "void" or (one.state == "made" and one.at_s <= after_s):
                continue
            if rule["scope"] == "campaign" and one.campaign_id != (row["campaign_id"] or 0):
                continue
            if one.is_callback and not rule["includes_callbacks"]:
                continue
            if rule["at_most"] == 0 and not one.is_conversation:
                continue
            count += 1
        return count

    def _is_overridden(self, row: Rule, rule: str, attempt_rule: str = "") -> bool:
        at_s = row["at_ms"] // 1000
        return any(
            one["rule"] == rule
            and one["attempt_rule"] in ("", attempt_rule)
            and one["is_enabled"]
            and one["from_s"] <= at_s < one["until_s"]
            and all(one[key] in (None, row[key]) for key in ("campaign_id", "list_id", "chain_id", "number_key"))
            for one in self.overrides
        )

    def _find(self, row: Rule, rule: str, text: str) -> None:
        self.illegal[rule] += 1
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Finding(row["seq"], row["at_ms"], rule, text))


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


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(ALIASES.get(name, name))


def _covers(from_s: int, until_s: int, at_s: int) -> bool:
    if from_s % 86_400 == until_s % 86_400:
        return True
    return from_s <= at_s < until_s if from_s < until_s else not until_s <= at_s < from_s


def _is_within(region: str, named: str) -> bool:
    return named in ("*", region) or region.split("-", maxsplit=1)[0] == named


def _of_file(files: Mapping[str, Rule], name: str) -> list[Rule]:
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


def _of_object(entry: Rule) -> Rule:
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
