"""Rule sets: which calling-time rules and which attempt rules bind a campaign, and what was overridden, why, how long.

A campaign that chooses none is bound by ``DEFAULT``. Nothing is unbound by silence: a rule set that limits
nothing needs a reason, and so does every override.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

import msgspec

from trunkline.domain.attempt_rules import (
    MAX_AT_MOST,
    MAX_ATTEMPT_RULES,
    MAX_WITHIN_S,
    AttemptRule,
)
from trunkline.domain.calling_times import CallingTimes, ClosedDays, Holiday, Limits, RegionRule
from trunkline.domain.numbers import canonical_number
from trunkline.domain.regions import region_fault
from trunkline.errors import OutOfRange, TooLarge

DAY_S = 86_400
MAX_NAME = 64
MAX_REASON = 1000
"""Characters of a reason: some sentences; it is read by people and kept for ever."""
MAX_OWN_RULES = 200
"""Calling-time rules and closings of one's own in a rule set; laws come as files."""
MAX_HOLIDAYS = 100
"""Holidays of one rule: the longest legal calendars have about thirty."""
MAX_OVERRIDE_S = 31 * DAY_S
"""The longest an override holds: what is needed longer is a rule set of its own."""

THREE_A_DAY = AttemptRule(
    name="3 in 24 h",
    at_most=3,
    within_s=DAY_S,
    source="the strictest of the state limits (Fla. Stat. 501.616(6)(b)), taken for everybody",
)
SEVEN_A_WEEK = AttemptRule(
    name="7 in 7 d",
    at_most=7,
    within_s=7 * DAY_S,
    source="the number that 12 CFR 1006.14(b)(2)(i)(A) presumes not to be harassment, taken for everybody",
)


class RuleSet(msgspec.Struct, frozen=True, kw_only=True):
    """Calling-time rules by the names of their files, rules of one's own, attempt rules.

    ``default_region`` is taken for records without a region. ``reason`` is why a set that limits nothing exists.
    """

    contact_centre_id: int
    rule_set_id: int
    name: str
    is_enabled: bool = True
    description: str = ""
    calling_times: tuple[str, ...] = ("basic",)
    regions: tuple[RegionRule, ...] = ()
    closed: tuple[ClosedDays, ...] = ()
    attempt_rules: tuple[AttemptRule, ...] = (THREE_A_DAY, SEVEN_A_WEEK)
    default_region: str = ""
    reason: str = ""

    @property
    def limits_nothing(self) -> bool:
        """True when neither hours nor attempts are limited."""
        return not (self.calling_times or self.regions or self.closed or self.attempt_rules)


DEFAULT = RuleSet(
    contact_centre_id=0,
    rule_set_id=0,
    name="default",
    description="8:00 to 21:00 local time everywhere; a person is called at most 3 times in 24 hours and 7 in 7 days.",
)

PRESETS: dict[str, RuleSet] = {
    "default": DEFAULT,
    "us-telemarketing": RuleSet(
        contact_centre_id=0,
        rule_set_id=0,
        name="us-telemarketing",
        description="Federal and state hours, Sundays and holidays for telephone solicitation; 3 in 24 hours.",
        calling_times=("basic", "us-telemarketing"),
        default_region="US",
    ),
    "us-debt-collection": RuleSet(
        contact_centre_id=0,
        rule_set_id=0,
        name="us-debt-collection",
        description="8:00 to 21:00; 7 attempts in 7 days about a debt, and 7 quiet days after a conversation.",
        calling_times=("basic", "us-debt-collection"),
        default_region="US",
        attempt_rules=(
            AttemptRule(
                name="7 in 7 d", at_most=7, within_s=7 * DAY_S, source="12 CFR 1006.14(b)(2)(i)(A)",
            ),
            AttemptRule(
                name="7 d after a conversation", at_most=0, within_s=7 * DAY_S, includes_callbacks=False,
                source="12 CFR 1006.14(b)(2)(i)(B); callbacks that the person asked for: 1006.14(b)(3)(i)",
            ),
        ),
    ),
    "international": RuleSet(
        contact_centre_id=0,
        rule_set_id=0,
        name="international",
        description="Hours and holidays of Australia, Canada, France, Italy, United Kingdom; 8:00 to 21:00 elsewhere.",
        calling_times=("basic", "international"),
        attempt_rules=(
            THREE_A_DAY,
            SEVEN_A_WEEK,
            AttemptRule(
                name="4 in 30 d", at_most=4, within_s=30 * DAY_S, regions=("FR",),
                source="Code de la consommation D. 223-9, decree 2022-1313",
            ),
        ),
    ),
    "none": RuleSet(
        contact_centre_id=0,
        rule_set_id=0,
        name="none",
        description="No limits beside the record's window and do-not-call. Needs a reason.",
        calling_times=(),
        attempt_rules=(),
    ),
}  # fmt: skip
"""Rule sets to begin with. Copied, not referred to: an update of the program changes a campaign through ``DEFAULT`` and
through the dated files alone."""


class Overridable(msgspec.Struct, frozen=True):
    """The names of rules that may be overridden. Do-not-call, a record's own window and its state never are."""

    calling_time: str = "calling time"
    holiday: str = "holiday"
    attempt_limit: str = "attempt limit"
    quiet_time: str = "quiet time"


OVERRIDABLE = Overridable()
OVERRIDABLE_NAMES = tuple(msgspec.structs.astuple(OVERRIDABLE))


class RuleOverride(msgspec.Struct, frozen=True, kw_only=True):
    """A rule set aside for a campaign, a list, a chain or a number until a moment, with the reason.

    ``rule`` is one of ``OVERRIDABLE``, ``attempt_rule`` narrows it to the attempt rule of that name. What is named must
    all agree: a campaign and a list means that list in that campaign. ``number_key`` is a canonical number.
    """

    contact_centre_id: int
    override_id: int
    name: str
    rule: str
    reason: str
    until_s: int
    from_s: int = 0
    attempt_rule: str = ""
    campaign_id: int | None = None
    list_id: int | None = None
    chain_id: int | None = None
    number_key: str | None = None
    description: str = ""
    is_enabled: bool = True

    def holds(self, now_s: int) -> bool:
        """True while the override is in force."""
        return self.is_enabled and self.from_s <= now_s < self.until_s

    def is_about(self, campaign_id: int | None, list_id: int, chain_id: int | None, number_key: str | None) -> bool:
        """True when everything that it names is this campaign, list, chain and number."""
        return (
            self.campaign_id in (None, campaign_id)
            and self.list_id in (None, list_id)
            and self.chain_id in (None, chain_id)
            and self.number_key in (None, number_key)
        )


def limits_of(rule_set: RuleSet, library: Mapping[str, CallingTimes]) -> Limits:
    """The calling-time rules of a set put together; ``OutOfRange`` names a file that is not there."""
    rules: list[RegionRule] = []
    for name in rule_set.calling_times:
        times = library.get(name)
        if times is None:
            raise OutOfRange(f"calling_times: there are no calling-time rules named {name}")
        rules.extend(times.regions)
    return Limits((*rules, *rule_set.regions), rule_set.closed, rule_set.default_region)


def check_rule_set(rule_set: RuleSet, library: Mapping[str, CallingTimes], countries: Container[str]) -> None:
    """Raise ``OutOfRange`` or ``TooLarge``, naming the place, unless the rule set can be used.

    ``countries`` are the two-letter codes that there are.
    """
    if not 0 < len(rule_set.name) <= MAX_NAME or not rule_set.name.isprintable():
        raise OutOfRange(f"name: 1 to {MAX_NAME} printable characters")
    if len(set(rule_set.calling_times)) != len(rule_set.calling_times):
        raise OutOfRange("calling_times: a name is given twice")
    limits_of(rule_set, library)
    if len(rule_set.regions) > MAX_OWN_RULES or len(rule_set.closed) > MAX_OWN_RULES:
        raise TooLarge(f"regions, closed: at most {MAX_OWN_RULES} each")
    for index, closed in enumerate(rule_set.closed):
        if closed.from_date > closed.until_date:
            raise OutOfRange(f"closed[{index}].until_date: lies before from_date")
        _check_region(closed.region, f"closed[{index}].region", countries)
        if not closed.reason.strip():
            raise OutOfRange(f"closed[{index}].reason: say why")
    for index, rule in enumerate(rule_set.regions):
        _check_rule(rule, f"regions[{index}]", countries)
    _check_attempt_rules(rule_set.attempt_rules, countries)
    if rule_set.limits_nothing and not rule_set.reason.strip():
        raise OutOfRange("reason: a rule set without any limit needs a reason")
    _check_reason(rule_set.reason)


def _check_region(region: str, place: str, countries: Container[str]) -> None:
    fault = region_fault(region, countries)
    if fault is not None:
        raise OutOfRange(f"{place}: {fault}")


def _check_rule(rule: RegionRule, place: str, countries: Container[str]) -> None:
    _check_region(rule.region, f"{place}.region", countries)
    if not rule.source.strip():
        raise OutOfRange(f"{place}.source: say where the rule comes from")
    if len(rule.week) != 7:
        raise OutOfRange(f"{place}.week: seven days, from Monday")
    for day, spans in enumerate((*rule.week, rule.on_holidays)):
        where = f"{place}.on_holidays" if day == 7 else f"{place}.week[{day}]"
        last = 0
        for span in spans:
            if not last <= span.from_s < span.until_s <= DAY_S:
                raise OutOfRange(f"{where}: spans lie within one day, in order and apart")
            last = span.until_s

    if len(rule.holidays) > MAX_HOLIDAYS:
        raise TooLarge(f"{place}.holidays: at most {MAX_HOLIDAYS}")
    for index, holiday in enumerate(rule.holidays):
        _check_holiday(holiday, f"{place}.holidays[{index}]")


def _check_holiday(holiday: Holiday, place: str) -> None:
    """One of the four forms, and a day that there is."""
    if not holiday.name.strip():
        raise OutOfRange(f"{place}.name: say which")
    given = {name for name in ("month", "day", "weekday", "nth", "easter") if getattr(holiday, name) is not None}
    if given not in ({"month", "day"}, {"month", "weekday", "nth"}, {"month", "day", "weekday"}, {"easter"}):
        raise OutOfRange(
            f"{place}: give month and day, or month, weekday and nth, or month, day and weekday, or easter"
        )
    if holiday.nth == 0:
        raise OutOfRange(f"{place}.nth: 1 to 5, or -1 for the last one")
    if holiday.month is not None and holiday.day is not None:
        last = 29 if holiday.month == 2 and holiday.weekday is None else _MONTH_DAYS[holiday.month - 1]
        if not 1 <= holiday.day <= last:
            raise OutOfRange(f"{place}.day: 1 to {last} in that month")


_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _check_attempt_rules(rules: tuple[AttemptRule, ...], countries: Container[str]) -> None:
    if len(rules) > MAX_ATTEMPT_RULES:
        raise TooLarge(f"attempt_rules: at most {MAX_ATTEMPT_RULES}")
    names: set[str] = set()
    for index, rule in enumerate(rules):
        place = f"attempt_rules[{index}]"
        if not 0 < len(rule.name) <= MAX_NAME or not rule.name.isprintable():
            raise OutOfRange(f"{place}.name: 1 to {MAX_NAME} printable characters")
        if rule.name in names:
            raise OutOfRange(f"{place}.name: {rule.name} is given twice")
        names.add(rule.name)
        if not 0 <= rule.at_most <= MAX_AT_MOST:
            raise OutOfRange(f"{place}.at_most: 0 (quiet time after a conversation) to {MAX_AT_MOST}")
        if not 60 <= rule.within_s <= MAX_WITHIN_S:
            raise OutOfRange(f"{place}.within_s: 60 to {MAX_WITHIN_S} seconds")
        for at, region in enumerate(rule.regions):
            _check_region(region, f"{place}.regions[{at}]", countries)


def _check_reason(reason: str) -> None:
    if len(reason) > MAX_REASON:
        raise TooLarge(f"reason: at most {MAX_REASON} characters")


def check_override(override: RuleOverride, now_s: int) -> None:
    """Raise ``OutOfRange`` or ``TooLarge``, naming the place, unless the override can be used."""
    if override.rule not in OVERRIDABLE_NAMES:
        raise OutOfRange(f"rule: only these can be overridden: {', '.join(OVERRIDABLE_NAMES)}")
    if not override.reason.strip():
        raise OutOfRange("reason: an override needs a reason")
    _check_reason(override.reason)
    if override.until_s <= max(now_s, override.from_s):
        raise OutOfRange("until_s: must lie in the future, and behind from_s")
    if override.until_s - max(now_s, override.from_s) > MAX_OVERRIDE_S:
        raise OutOfRange(
            f"until_s: an override holds at most {MAX_OVERRIDE_S // DAY_S} days; change the rule set instead"
        )
    is_of_hours = override.rule in (OVERRIDABLE.calling_time, OVERRIDABLE.holiday)
    if is_of_hours and (override.chain_id is not None or override.number_key is not None):
        raise OutOfRange("rule: hours are overridden for a campaign or a list, not for one chain or number")
    if is_of_hours and override.attempt_rule:
        raise OutOfRange("attempt_rule: belongs to attempt limits and quiet times")
    if override.number_key is not None and canonical_number(override.number_key) != override.number_key:
        raise OutOfRange(f"number_key: write the number as {canonical_number(override.number_key)}")
    if override.chain_id is not None and override.list_id is None:
        raise OutOfRange("chain_id: a chain is named together with its list_id")
    if (override.campaign_id, override.list_id, override.number_key) == (None, None, None):
        raise OutOfRange(
            "campaign_id, list_id, number_key: name at least one; a rule is never overridden for everything"
        )


def overrides_about(
    overrides: Iterable[RuleOverride],
    now_s: int,
    *,
    campaign_id: int | None,
    list_id: int,
    chain_id: int | None = None,
    number_key: str | None = None,
) -> tuple[RuleOverride, ...]:
    """The overrides in force for a campaign's list, or for a chain and number of it."""
    return tuple(
        one for one in overrides if one.holds(now_s) and one.is_about(campaign_id, list_id, chain_id, number_key)
    )


def overrides_as_they_were(versions: Iterable[tuple[int, RuleOverride]]) -> list[RuleOverride]:
    """The versions of one override, each cut to the time in which it was the one that held.

    ``versions`` come with when each was saved, in Unix milliseconds. An override permits nothing that was before it: of
    what was done earlier, and by an earlier version, the log is judged as it was then.
    """
    found = []
    ends_s: int | None = None
    for saved_ms, override in sorted(versions, key=lambda one: one[0], reverse=True):
        until_s = override.until_s if ends_s is None else min(override.until_s, ends_s)
        from_s = max(override.from_s, saved_ms // 1000)
        ends_s = -(-saved_ms // 1000)  # the second in which two versions met belongs to both
        if from_s < until_s:
            found.append(msgspec.structs.replace(override, from_s=from_s, until_s=until_s))
    return found
