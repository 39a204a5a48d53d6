"""Rule sets and overrides: what is accepted, what is refused and where."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from trunkline.app.countries import COUNTRIES
from trunkline.app.rule_files import builtin
from trunkline.contract.admin_kinds import KINDS
from trunkline.contract.admin_requests import new_value
from trunkline.domain.attempt_rules import AttemptRule
from trunkline.domain.calling_times import ClosedDays, Holiday, RegionRule, Span
from trunkline.domain.rule_sets import (
    DAY_S,
    MAX_OVERRIDE_S,
    PRESETS,
    RuleOverride,
    RuleSet,
    check_override,
    check_rule_set,
    limits_of,
    overrides_about,
    overrides_as_they_were,
)
from trunkline.errors import OutOfRange

NOW_S = 1_800_000_000
RULE = AttemptRule(name="a", at_most=1, within_s=DAY_S)


def of(*holidays: Holiday) -> RegionRule:
    """A rule with these holidays."""
    return RegionRule(region="US", source="x", holidays=holidays)


OVERRIDE = RuleOverride(
    contact_centre_id=1,
    override_id=1,
    name="recall",
    rule="attempt limit",
    reason="product recall, ordered by the board",
    until_s=NOW_S + DAY_S,
    campaign_id=4,
)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_can_be_used(name: str) -> None:
    """Every preset is accepted and survives being stored; "none" only with a reason."""
    preset = PRESETS[name]
    if preset.limits_nothing:
        with pytest.raises(OutOfRange, match="needs a reason"):
            check_rule_set(preset, builtin(), COUNTRIES)
        preset = msgspec.structs.replace(preset, reason="tests of the switch")
    check_rule_set(preset, builtin(), COUNTRIES)
    stored = msgspec.json.decode(msgspec.json.encode(preset), type=RuleSet)
    assert stored == preset
    assert limits_of(stored, builtin()).day("US-TX", 20_000) == limits_of(preset, builtin()).day("US-TX", 20_000)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": ""}, "name"),
        ({"calling_times": ("basic", "basic")}, "calling_times: a name is given twice"),
        ({"calling_times": ("nowhere",)}, "calling_times: there are no calling-time rules named nowhere"),
        ({"attempt_rules": (RULE, RULE)}, "attempt_rules[1].name: a is given twice"),
        ({"attempt_rules": (msgspec.structs.replace(RULE, name="\n"),)}, "attempt_rules[0].name"),
        ({"attempt_rules": (msgspec.structs.replace(RULE, at_most=-1),)}, "attempt_rules[0].at_most"),
        ({"attempt_rules": (msgspec.structs.replace(RULE, within_s=1),)}, "attempt_rules[0].within_s"),
        (
            {"attempt_rules": tuple(msgspec.structs.replace(RULE, name=str(n)) for n in range(51))},
            "attempt_rules: at most",
        ),
        ({"regions": (RegionRule(region="Texas", source="x"),)}, "regions[0].region"),
        ({"regions": (RegionRule(region="US-QQ", source="x"),)}, "regions[0].region: US has no part QQ"),
        (
            {"attempt_rules": (msgspec.structs.replace(RULE, regions=("FR", "ZZ")),)},
            "attempt_rules[0].regions[1]",
        ),
        ({"regions": (of(Holiday(name=" ", month=1, day=1)),)}, "regions[0].holidays[0].name"),
        ({"regions": (of(Holiday(name="h")),)}, "regions[0].holidays[0]: give month and day, or"),
        ({"regions": (of(Holiday(name="h", month=1, day=1, easter=1)),)}, "regions[0].holidays[0]: give"),
        ({"regions": (of(Holiday(name="h", month=1, weekday=1, nth=0)),)}, "regions[0].holidays[0].nth"),
        ({"regions": (of(Holiday(name="h", month=2, day=30)),)}, "regions[0].holidays[0].day: 1 to 29"),
        ({"regions": (of(Holiday(name="h", month=2, day=29, weekday=0)),)}, "regions[0].holidays[0].day: 1 to 28"),
        ({"regions": (of(*[Holiday(name="h", easter=1)] * 101),)}, "regions[0].holidays: at most 100"),
        ({"regions": (RegionRule(region="US", source=" "),)}, "regions[0].source"),
        ({"regions": (RegionRule(region="US", source="x", week=()),)}, "regions[0].week"),
        ({"regions": (RegionRule(region="US", source="x", week=((Span(5, 5),), *[()] * 6)),)}, "regions[0].week[0]"),
        ({"regions": (RegionRule(region="US", source="x", on_holidays=(Span(9, 5),)),)}, "regions[0].on_holidays"),
        ({"regions": (RegionRule(region="US", source="x"),) * 201}, "at most 200"),
        (
            {"closed": (ClosedDays(from_date=date(2027, 1, 2), until_date=date(2027, 1, 1), reason="x"),)},
            "closed[0].until_date",
        ),
        (
            {"closed": (ClosedDays(region="ZZ", from_date=date(2027, 1, 2), until_date=date(2027, 1, 3), reason="x"),)},
            "closed[0].region: there is no country ZZ",
        ),
        (
            {"closed": (ClosedDays(from_date=date(2027, 1, 2), until_date=date(2027, 1, 3), reason=""),)},
            "closed[0].reason",
        ),
        ({"reason": "x" * 1001}, "reason"),
    ],
)
def test_a_rule_set_is_refused_with_its_place(changes: dict[str, Any], told: str) -> None:
    """Each fault of a rule set is told with its place."""
    with pytest.raises(OutOfRange) as refused:
        check_rule_set(msgspec.structs.replace(PRESETS["default"], **changes), builtin(), COUNTRIES)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"rule": "suppression"}, "rule: only these"),
        ({"reason": "  "}, "reason: an override needs a reason"),
        ({"until_s": NOW_S}, "until_s: must lie in the future"),
        ({"until_s": NOW_S + MAX_OVERRIDE_S + 1}, "until_s: an override holds at most 31 days"),
        ({"rule": "holiday", "number_key": "1"}, "rule: hours are overridden for a campaign or a list"),
        ({"rule": "holiday", "attempt_rule": "a"}, "attempt_rule: belongs to"),
        ({"number_key": "+1 646 555 0100"}, "number_key: write the number as 16465550100"),
        ({"chain_id": 5}, "chain_id: a chain is named together with its list_id"),
        ({"campaign_id": None}, "name at least one"),
    ],
)
def test_an_override_is_refused_with_its_place(changes: dict[str, Any], told: str) -> None:
    """Each fault of an override is told with its place; without faults it is accepted."""
    check_override(OVERRIDE, NOW_S)
    with pytest.raises(OutOfRange) as refused:
        check_override(msgspec.structs.replace(OVERRIDE, **changes), NOW_S)
    assert told in str(refused.value)


def test_whom_an_override_is_about() -> None:
    """All that it names must agree, it holds only in its time, and a switched-off one never."""
    narrow = msgspec.structs.replace(OVERRIDE, list_id=7, chain_id=9)
    both = (OVERRIDE, narrow)
    assert overrides_about(both, NOW_S, campaign_id=4, list_id=7, chain_id=9) == both
    assert overrides_about(both, NOW_S, campaign_id=4, list_id=7) == (OVERRIDE,)
    assert overrides_about(both, NOW_S, campaign_id=5, list_id=7, chain_id=9) == ()
    assert overrides_about(both, NOW_S + DAY_S, campaign_id=4, list_id=7, chain_id=9) == ()
    off = msgspec.structs.replace(OVERRIDE, is_enabled=False)
    assert overrides_about((off,), NOW_S, campaign_id=4, list_id=7) == ()


def test_an_override_permits_nothing_that_was_before_it() -> None:
    """Each version holds from when it was saved until the next one, within its own time."""
    second = msgspec.structs.replace(OVERRIDE, from_s=0, until_s=NOW_S + DAY_S, reason="longer")
    first = msgspec.structs.replace(second, until_s=NOW_S + 900)
    late = msgspec.structs.replace(second, from_s=NOW_S + 700)
    told = overrides_as_they_were([(NOW_S * 1000 + 1, first), ((NOW_S + 600) * 1000 + 1, late)])
    assert [(one.from_s, one.until_s) for one in told] == [(NOW_S + 700, NOW_S + DAY_S), (NOW_S, NOW_S + 601)]
    (early,) = overrides_as_they_were([(NOW_S * 1000, second)])
    assert not early.holds(NOW_S - 1)
    assert early.holds(NOW_S)
    assert overrides_as_they_were([((NOW_S + 900) * 1000, first)]) == []


def test_everything_survives_the_administration_api() -> None:
    """Rules, holidays, closed days and attempt rules of one's own come back from the wire as they were."""
    whole = msgspec.structs.replace(
        PRESETS["international"],
        contact_centre_id=1,
        rule_set_id=7,
        regions=builtin()["us-telemarketing"].regions,
        closed=(ClosedDays(region="US-LA", from_date=date(2027, 1, 1), until_date=date(2027, 1, 2), reason="storm"),),
    )
    kind = KINDS["rule-set"]
    assert new_value(kind, 1, 7, kind.shape.write(whole)) == whole
    check_rule_set(whole, builtin(), COUNTRIES)
