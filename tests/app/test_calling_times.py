"""Which windows are open for a campaign's list: rule sets, hours, overrides, and files that are missing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.app.directory import ReferenceBook
from trunkline.app.judging.calling_times import Gate, gate_of, opens, rules_of
from trunkline.app.reference_data import Directory
from trunkline.app.rule_files import IN_USE
from trunkline.domain.calling_times import Limits, RegionRule, Span
from trunkline.domain.campaigns import CallingList, Campaign, CampaignList
from trunkline.domain.eligibility import Window
from trunkline.domain.objects import ObjectKind, ObjectValue, StoredObject
from trunkline.domain.openings import is_open
from trunkline.domain.rule_sets import DEFAULT, PRESETS, RuleOverride

SUNDAY_S = int(datetime(2027, 1, 10, 16, tzinfo=UTC).timestamp())  # 10:00 in Texas, Utah an hour earlier
LIST = CallingList(contact_centre_id=1, list_id=2, name="Leads")
CAMPAIGN = Campaign(contact_centre_id=1, campaign_id=9, name="Sales", application_id=1, lists=(CampaignList(2),))
TELEMARKETING = msgspec.structs.replace(PRESETS["us-telemarketing"], contact_centre_id=1, rule_set_id=4)
OVERRIDE = RuleOverride(
    contact_centre_id=1,
    override_id=1,
    name="flood",
    rule="calling time",
    reason="warning of a flood",
    until_s=SUNDAY_S + 3600,
    campaign_id=9,
)
TEXAS = Window("America/Chicago", 0, 86_400, "US-TX")


def book(*values: ObjectValue) -> ReferenceBook:
    """A book of rule sets and overrides."""
    objects = []
    for value in values:
        kind = ObjectKind.RULE_OVERRIDE if isinstance(value, RuleOverride) else ObjectKind.RULE_SET
        objects.append(StoredObject(kind=kind, value=value, version=3))
    return ReferenceBook(Directory(version=1, contact_centres={1: "main"}, objects=tuple(objects)))


def is_called(of: ReferenceBook, window: Window = TEXAS, now_s: int = SUNDAY_S, **changes: Any) -> bool:
    """Whether the campaign with rule set 4 may call the window."""
    campaign = msgspec.structs.replace(CAMPAIGN, **{"rule_set_id": 4, **changes})
    return opens(campaign, LIST, of, now_s)(window)


def test_the_rule_set_of_the_campaign_counts() -> None:
    """On a Sunday at ten Texas is closed under its state's law, open under the default."""
    assert not is_called(book(TELEMARKETING))
    assert is_called(book(TELEMARKETING), now_s=SUNDAY_S + 2 * 3600)
    assert is_called(book(TELEMARKETING), rule_set_id=None)


@pytest.mark.parametrize("rule_set_id", [None, 5])
def test_without_a_rule_set_the_safe_one_counts(rule_set_id: int | None) -> None:
    """No rule set, one that does not exist or one that is switched off: the built-in one binds."""
    of = book(msgspec.structs.replace(TELEMARKETING, is_enabled=False))
    for campaign in (msgspec.structs.replace(CAMPAIGN, rule_set_id=rule_set_id or 4), None):
        rules = rules_of(campaign, of)
        assert (rules.rule_set, rules.version) == (DEFAULT, 0)
    assert not is_called(of, now_s=SUNDAY_S - 3 * 3600, rule_set_id=rule_set_id)
    assert rules_of(msgspec.structs.replace(CAMPAIGN, rule_set_id=4), book(TELEMARKETING)).version == 3


def test_hours_of_list_and_campaign_count() -> None:
    """List and campaign bound what the rules leave, on the clock of the person called."""
    of = book()
    noon = CallingList(contact_centre_id=1, list_id=2, name="Leads", from_s=43_200, until_s=50_400)
    assert not opens(CAMPAIGN, noon, of, SUNDAY_S)(TEXAS)
    assert opens(CAMPAIGN, noon, of, SUNDAY_S + 2 * 3600)(TEXAS)
    assert not is_called(of, weekdays=(0, 1, 2, 3, 4))
    assert not is_called(of, hours_from_s=43_200, hours_until_s=50_400)


def test_an_override_counts_while_it_holds() -> None:
    """Hours that were overridden for the campaign are open until the moment named, for nobody else."""
    assert is_called(book(TELEMARKETING, OVERRIDE))
    assert is_called(book(TELEMARKETING, OVERRIDE), now_s=SUNDAY_S + 3599)
    assert not is_called(book(TELEMARKETING, OVERRIDE), campaign_id=10)
    night_s = SUNDAY_S + 15 * 3600
    assert not is_called(book(TELEMARKETING, OVERRIDE), now_s=night_s)
    utah = Window("America/Denver", 0, 86_400, "US-PA")
    christmas_s = int(datetime(2026, 12, 25, 20, tzinfo=UTC).timestamp())
    day = msgspec.structs.replace(OVERRIDE, rule="holiday", until_s=christmas_s + 60, from_s=christmas_s - 60)
    assert not is_called(book(TELEMARKETING), utah, christmas_s)
    assert is_called(book(TELEMARKETING, day), utah, christmas_s)
    both = msgspec.structs.replace(day, override_id=2, rule="calling time")
    at_night_s = christmas_s + 30
    assert not is_called(book(TELEMARKETING, both), utah, at_night_s)
    assert is_called(book(TELEMARKETING, day, both), utah, at_night_s)


def test_a_missing_file_calls_nobody() -> None:
    """A rule set that names a file which is not there closes the campaign until it is there again."""
    lost = msgspec.structs.replace(TELEMARKETING, calling_times=("basic", "ours"))
    of = book(lost)
    assert not is_called(of, now_s=SUNDAY_S + 2 * 3600)
    text = 'name: ours\ntitle: o\nversion: "1"\nchecked_on: 2025-11-25\nregions:\n  - {region: US, source: o}\n'
    try:
        assert IN_USE.replace({"ours.yaml": text}) == []
        assert is_called(of, now_s=SUNDAY_S + 2 * 3600)
        assert IN_USE.replace({"ours.yaml": "name: ["}) != []
        assert is_called(of, now_s=SUNDAY_S + 2 * 3600)
    finally:
        IN_USE.replace({})
    assert not is_called(of, now_s=SUNDAY_S + 2 * 3600)


def test_a_window_of_an_unknown_zone_never_opens() -> None:
    """A zone that the machine does not know is closed, not an error in the middle of a hand-out."""
    lost = Window("Mars/Olympus", 0, 86_400)
    assert not opens(CAMPAIGN, LIST, book(), SUNDAY_S)(lost)
    gate = gate_of(CAMPAIGN, LIST, book(), SUNDAY_S)
    assert gate.opens_next_s(lost, SUNDAY_S) is None
    assert gate.opens_next_s(TEXAS, SUNDAY_S) == SUNDAY_S


@given(st.lists(st.integers(0, 3 * 86_400), min_size=1, max_size=20), st.sampled_from(["", "US-TX", "US-RI"]))
def test_what_is_remembered_is_right(steps: list[int], region: str) -> None:
    """Asked at any moments in any order, a gate answers as if it remembered nothing."""
    limits = Limits([RegionRule(region="US-RI", source="x", week=((Span(33_000, 60_000),),) * 6 + ((),))])
    gate = Gate((), limits)
    window = Window("America/New_York", 30_000, 70_000, region, ("America/Los_Angeles",))
    for step in steps:
        now_s = SUNDAY_S + step
        assert gate.opens(window, now_s) is is_open(window, (), limits, now_s)
