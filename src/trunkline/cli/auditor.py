"""An auditor of the attempt log: from the log and the rule files alone it recomputes whether each attempt was allowed.

It shares no code with the rules that the server runs on: zones come from ``zoneinfo``, hours and holidays are spelled
out day by day, attempts are counted one by one. Where both agree, an error would have to be made twice.

It reads JSON lines, each an object with a ``kind``: ``rule-set`` and ``rule-override`` (the objects' own fields and
``version``), ``attempt`` (the fields of a row of the log and ``seq``), in the order of the log. Rule files are YAML.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo

from trunkline.cli.auditor_files import Rule, of_file, of_object

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
            self._regions[key] = [rule for name in rule_set["calling_times"] for rule in of_file(self.rule_files, name)]
            self._regions[key] += [of_object(rule) for rule in rule_set["regions"]]
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


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(ALIASES.get(name, name))


def _covers(from_s: int, until_s: int, at_s: int) -> bool:
    if from_s % 86_400 == until_s % 86_400:
        return True
    return from_s <= at_s < until_s if from_s < until_s else not until_s <= at_s < from_s


def _is_within(region: str, named: str) -> bool:
    return named in ("*", region) or region.split("-", maxsplit=1)[0] == named
