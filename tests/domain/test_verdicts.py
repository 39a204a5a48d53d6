"""Verdicts: every rule holds back what it should, tells until when, and the hand-out asks the same table."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.domain.attempt_rules import Attempt, AttemptRule
from trunkline.domain.calling_times import ClosedDays, Holiday, Limits, RegionRule, Span
from trunkline.domain.campaigns import CallingList, Campaign, CampaignList
from trunkline.domain.enums import DialMode, DoNotCallKind, GroupStatus, Hold, PhoneType, RecordStatus, RecordType
from trunkline.domain.facts import Busy, Facts, Rule, SuppressionHit, Validation, Verdict
from trunkline.domain.records import Record
from trunkline.domain.rule_sets import DEFAULT, OVERRIDABLE_NAMES, RuleOverride, RuleSet
from trunkline.domain.verdicts import AT_HAND_OUT, RULES, blocking, free_at_s, judge, may_be_called

NOON_S = int(datetime(2027, 1, 8, 17, tzinfo=UTC).timestamp())  # Friday noon in New York
RECORD = Record(
    contact_centre_id=1,
    list_id=2,
    chain_id=3,
    chain_n=0,
    record_id=4,
    phone_number="+12125550100",
    time_zone="America/New_York",
    from_s=0,
    until_s=86_400,
    region="US-NY",
)
LIST = CallingList(contact_centre_id=1, list_id=2, name="Leads")
CAMPAIGN = Campaign(
    contact_centre_id=1,
    campaign_id=9,
    name="Sales",
    application_id=1,
    status=GroupStatus.RUNNING,
    lists=(CampaignList(2),),
)
LAW = Limits(
    [
        RegionRule(
            region="US",
            source="law",
            week=((Span(28_800, 75_600),),) * 7,
            holidays=(Holiday(name="New Year's Day", month=1, day=1),),
        )
    ]
)
FACTS = Facts(record=RECORD, calling_list=LIST, campaign=CAMPAIGN, limits=LAW, now_s=NOON_S)
SPOKEN = Attempt(at_s=NOON_S - 3600, number_key="12125550100", person_key="#3", campaign_id=9, is_conversation=True)
QUIET = msgspec.structs.replace(
    DEFAULT, attempt_rules=(AttemptRule(name="quiet", at_most=0, within_s=86_400, source="x"),)
)
HIT = SuppressionHit(kind=DoNotCallKind.NUMBER, list_name="asked", reason="asked by the contact")


def facts(**changes: Any) -> Facts:
    """Facts of a record that may be called, changed; names with two underscores change the record, list or campaign."""
    parts: dict[str, dict[str, Any]] = {"record": {}, "calling_list": {}, "campaign": {}}
    for name in [name for name in changes if "__" in name]:
        part, _, field = name.partition("__")
        parts[part][field] = changes.pop(name)
    whole = {part: msgspec.structs.replace(getattr(FACTS, part), **values) for part, values in parts.items()}
    return msgspec.structs.replace(FACTS, **{**whole, **changes})


BLOCKED: list[tuple[Rule, dict[str, Any], int | None]] = [
    (Rule.CAMPAIGN_ENABLED, {"campaign__is_enabled": False}, None),
    (Rule.GROUP_STATE, {"campaign__status": GroupStatus.NOT_LOADED}, None),
    (Rule.GROUP_STATE, {"campaign__status": GroupStatus.ACTIVE, "campaign__dial_mode": DialMode.PREDICT}, None),
    (Rule.GROUP_STATE, {"campaign__status": GroupStatus.IN_ACTIVE}, None),
    (Rule.GROUP_STARTED, {"campaign__status": GroupStatus.ACTIVE}, None),
    (Rule.GROUP_STARTED, {"campaign__is_completing": True}, None),
    (Rule.LIST_ENABLED, {"calling_list__is_enabled": False}, None),
    (Rule.LIST_SHARE, {"campaign__lists": ()}, None),
    (Rule.LIST_SHARE, {"campaign__lists": (CampaignList(2, 0),)}, None),
    (Rule.LIST_SHARE, {"campaign__lists": (CampaignList(2, 10, is_active=False),)}, None),
    (Rule.STATUS, {"record__status": RecordStatus.UPDATED}, None),
    (Rule.STATUS, {"record__status": RecordStatus.CHAIN_READY}, None),
    (Rule.CHAIN_BUSY, {"busy": Busy(place="on the desk of anna", until_s=NOON_S + 60)}, NOON_S + 60),
    (Rule.NO_CALL, {"record__record_type": RecordType.NO_CALL}, None),
    (Rule.CONTACT_TYPE, {"record__phone_type": PhoneType.EMAIL_ADDRESS}, None),
    (
        Rule.OTHER_AGENT,
        {"record__record_type": RecordType.PERSONAL_CALL_BACK, "record__agent_id": 5, "user_id": 6},
        None,
    ),
    (Rule.DUE_TIME, {"record__due_at_s": NOON_S + 600}, NOON_S + 600),
    (Rule.HOLD, {"record__due_at_s": NOON_S + 600, "record__hold": Hold.ATTEMPT_RULE}, NOON_S + 600),
    (Rule.MAX_ATTEMPTS, {"record__attempts": 10}, None),
    (Rule.FILTER, {"passes_filter": False, "filter_name": "rich"}, None),
    (Rule.RECORD_WINDOW, {"record__from_s": 46_800, "record__until_s": 50_400}, NOON_S + 3600),
    (Rule.RECORD_WINDOW, {"record__from_s": 36_000, "record__other_zones": ("America/Los_Angeles",)}, NOON_S + 3600),
    (Rule.LIST_HOURS, {"calling_list__from_s": 46_800, "calling_list__until_s": 50_400}, NOON_S + 3600),
    (Rule.CAMPAIGN_HOURS, {"campaign__hours_from_s": 46_800, "campaign__hours_until_s": 50_400}, NOON_S + 3600),
    (Rule.CAMPAIGN_HOURS, {"campaign__weekdays": (0, 1, 2, 3, 5)}, NOON_S + 12 * 3600),
    (Rule.CALLING_TIME, {"now_s": NOON_S + 9 * 3600}, NOON_S + 20 * 3600),
    (Rule.HOLIDAY, {"now_s": NOON_S - 7 * 86_400}, NOON_S - 7 * 86_400 + 12 * 3600),
    (
        Rule.HOLIDAY,
        {"limits": Limits((), [ClosedDays(from_date=date(2027, 1, 8), until_date=date(2027, 1, 9), reason="storm")])},
        NOON_S + 36 * 3600,
    ),
    (Rule.ATTEMPT_LIMIT, {"attempts": (SPOKEN, SPOKEN, SPOKEN)}, NOON_S + 23 * 3600),
    (Rule.QUIET_TIME, {"attempts": (SPOKEN,), "rule_set": QUIET}, NOON_S + 23 * 3600),
    (Rule.SUPPRESSION, {"suppressions": (HIT,)}, None),
    (Rule.SUPPRESSION, {"suppressions": (msgspec.structs.replace(HIT, until_s=NOON_S + 5),)}, NOON_S + 5),
    (Rule.VALIDATION, {"validation": Validation(is_refused=True, answer="409", at_s=NOON_S - 5)}, None),
]


def test_a_group_that_is_not_started_hands_out_callbacks_only() -> None:
    """What was promised goes out; the hand-out, which asks for nothing else then, puts no sibling away for it."""
    stopped = {"campaign__status": GroupStatus.ACTIVE}
    for record_type in RecordType:
        is_promised = record_type.is_personal or record_type is RecordType.CAMPAIGN_CALL_BACK
        found = {verdict.rule for verdict in blocking(facts(record__record_type=record_type, **stopped))}
        assert (Rule.GROUP_STARTED not in found) is is_promised
    assert may_be_called(facts(**stopped), AT_HAND_OUT)


def test_the_buffer_of_the_group_itself_holds_nothing_back() -> None:
    """A chain that was fetched for the group goes to its agents next, also when it completes; to others it does not."""
    own, other = (Busy(place="in the buffer of Group", campaign_group_id=group_id) for group_id in (7, 8))
    fetched: dict[str, Any] = {"record__status": RecordStatus.RETRIEVED, "campaign__group_id": 7}
    assert may_be_called(facts(busy=own, **fetched))
    assert may_be_called(facts(busy=own, campaign__is_completing=True, **fetched))
    assert not may_be_called(facts(busy=own, campaign__status=GroupStatus.ACTIVE, **fetched))
    for busy in (other, Busy(place="on the desk of anna")):
        held = {verdict.rule for verdict in blocking(facts(busy=busy, **fetched))}
        assert held == {Rule.STATUS, Rule.CHAIN_BUSY}


def test_a_record_that_may_be_called() -> None:
    """With nothing against it every rule speaks and none blocks."""
    verdicts = judge(FACTS)
    assert not any(verdict.is_blocking for verdict in verdicts)
    assert {verdict.rule for verdict in verdicts} == set(Rule)
    assert all(verdict.sentence.endswith(".") and verdict.value for verdict in verdicts)
    assert may_be_called(FACTS)
    assert blocking(FACTS) == []
    assert free_at_s(verdicts) is None


def said(rule: Rule, **changes: Any) -> Verdict:
    """What a rule says of a record."""
    (verdict,) = [one for one in judge(facts(**changes)) if one.rule is rule]
    return verdict


def test_a_callback_is_told_as_such() -> None:
    """Due, late, put back by a rule, missed: the sentence is about the promise, and says since when."""
    callback: dict[str, Any] = {"record__record_type": RecordType.CAMPAIGN_CALL_BACK}
    due = said(Rule.DUE_TIME, record__due_at_s=NOON_S + 90, **callback)
    assert (due.is_blocking, due.value, due.until_s) == (True, "in 2 min", NOON_S + 90)
    assert due.sentence == "Its callback is due at Fri 2027-01-08 12:01 (America/New_York)."
    late = said(Rule.DUE_TIME, record__due_at_s=NOON_S - 720, **callback)
    assert (late.is_blocking, late.value, late.since_s) == (False, "12 min ago", NOON_S - 720)
    assert late.sentence.startswith("Its callback has been due since Fri 2027-01-08 11:48 ")
    held = {"record__due_at_s": NOON_S + 60, "record__hold": Hold.ATTEMPT_RULE}
    put_back = said(Rule.DUE_TIME, **held, **callback)
    assert (put_back.is_blocking, put_back.value) == (False, "put back")
    assert said(Rule.HOLD, **held, **callback).until_s == NOON_S + 60
    # Of a record that nobody was promised a hold is no time that was agreed on.
    assert said(Rule.DUE_TIME, **held).sentence == "Neither a callback nor a retry is scheduled."
    assert said(Rule.DUE_TIME, record__due_at_s=NOON_S + 60).sentence.startswith("Its next call is due at ")
    missed = said(Rule.STATUS, record__status=RecordStatus.MISSED_CALL_BACK, **callback)
    assert missed.is_blocking
    assert "was missed; a supervisor gives it an agent or another time" in missed.sentence


def test_whose_callback_it_is() -> None:
    """The agent is named; whoever works elsewhere gets nothing from this group, and that is said."""
    own: dict[str, Any] = {"record__record_type": RecordType.PERSONAL_CALL_BACK, "record__agent_id": 5}
    told = said(Rule.OTHER_AGENT, owner_name="anna", campaign__agents=frozenset({5}), **own)
    assert (told.is_blocking, told.value) == (False, "anna")
    assert told.sentence == "The record is the personal callback of anna, who alone may get it."
    assert said(Rule.OTHER_AGENT, **own).value == "agent 5"
    elsewhere = said(Rule.OTHER_AGENT, user_id=0, owner_name="anna", campaign__group_name="Evening", **own)
    assert elsewhere.is_blocking
    assert elsewhere.sentence.endswith("who alone may get it, and does not work in Evening.")


def test_what_is_not_asked_is_not_told_as_permitted() -> None:
    """A group that is not loaded hands nothing out; rules that a rule set does not have are told as missing."""
    assert said(Rule.GROUP_STARTED).sentence.endswith(" is started.")
    for status in (GroupStatus.NOT_LOADED, GroupStatus.IN_ACTIVE):
        told = said(Rule.GROUP_STARTED, campaign__status=status)
        assert (told.is_blocking, told.value) == (False, "not asked")
        assert "hands nothing out" in told.sentence
    waits: dict[str, Any] = {"campaign__status": GroupStatus.ACTIVE}
    assert said(Rule.GROUP_STARTED, record__record_type=RecordType.CAMPAIGN_CALL_BACK, **waits).value == "not needed"
    free = RuleSet(contact_centre_id=1, rule_set_id=1, name="free", calling_times=(), attempt_rules=())
    for rule in (Rule.ATTEMPT_LIMIT, Rule.QUIET_TIME):
        assert said(rule, rule_set=free).value == "none"
    assert said(Rule.CALLING_TIME, rule_set=free, limits=Limits()).sentence == (
        "The rule set free has no calling time for US-NY today."
    )
    everywhere = Limits([RegionRule(region="*", source="law")])
    assert said(Rule.CALLING_TIME, limits=everywhere).value.endswith(" by everywhere: law")
    assert said(Rule.VALIDATION).value == "none"


@pytest.mark.parametrize(("rule", "changes", "until_s"), BLOCKED)
def test_each_rule_blocks_alone(rule: Rule, changes: dict[str, Any], until_s: int | None) -> None:
    """Each rule holds back by itself, says until when, and lets go at that very second."""
    held = facts(**changes)
    assert not may_be_called(held)
    assert [verdict.rule for verdict in blocking(held)] == [rule]
    assert blocking(held) == [verdict for verdict in judge(held) if verdict.is_blocking]
    (verdict,) = blocking(held)
    assert verdict.until_s == until_s == free_at_s([verdict])
    assert verdict.sentence
    if until_s is not None and rule is not Rule.CHAIN_BUSY:
        later = msgspec.structs.replace(held, now_s=until_s)
        assert rule not in {one.rule for one in blocking(later)}
        assert rule in {one.rule for one in blocking(msgspec.structs.replace(held, now_s=until_s - 1))}


def test_a_chain_in_the_buffer_of_the_group_comes_next() -> None:
    """What was claimed for this very group may be called; for another group, and without its buffer, it may not."""
    mine = Busy(place="in the buffer of mine", campaign_group_id=FACTS.campaign.group_id if FACTS.campaign else None)
    for busy, rules in (
        (mine, []),
        (msgspec.structs.replace(mine, campaign_group_id=999), [Rule.STATUS, Rule.CHAIN_BUSY]),
        (msgspec.structs.replace(mine, campaign_group_id=None), [Rule.STATUS, Rule.CHAIN_BUSY]),
        (None, [Rule.STATUS]),
    ):
        claimed = facts(record__status=RecordStatus.RETRIEVED, busy=busy)
        assert [verdict.rule for verdict in blocking(claimed)] == rules
        assert may_be_called(claimed) is (not rules)
    finished = facts(record__status=RecordStatus.UPDATED, busy=mine)
    assert [verdict.rule for verdict in blocking(finished)] == [Rule.STATUS]


def test_every_rule_has_its_case() -> None:
    """The table of rules is complete, and so is the list of cases above."""
    assert set(RULES) == set(Rule) == {rule for rule, _, _ in BLOCKED}


@given(st.lists(st.sampled_from(BLOCKED), max_size=4))
def test_the_hand_out_and_the_explanation_agree(cases: list[tuple[Rule, dict[str, Any], int | None]]) -> None:
    """Whatever is against a record, the hand-out refuses exactly when the explanation shows something that blocks."""
    held = facts(**{name: value for _, changes, _ in cases for name, value in changes.items()})
    told = [verdict for verdict in judge(held) if verdict.is_blocking]
    assert blocking(held) == told
    assert may_be_called(held) is (not told)
    without = [verdict for verdict in told if verdict.rule not in AT_HAND_OUT]
    assert blocking(held, AT_HAND_OUT) == without
    assert may_be_called(held, AT_HAND_OUT) is (not without)


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("calling time", {"now_s": NOON_S + 9 * 3600}),
        ("holiday", {"now_s": NOON_S - 7 * 86_400}),
        ("attempt limit", {"attempts": (SPOKEN, SPOKEN, SPOKEN)}),
        ("quiet time", {"attempts": (SPOKEN,), "rule_set": QUIET}),
    ],
)
def test_an_override_lets_go_and_is_told(rule: str, changes: dict[str, Any]) -> None:
    """What was overridden no longer blocks, and the explanation shows who said so and why; other rules hold on."""
    override = RuleOverride(
        contact_centre_id=1, override_id=1, name="recall", rule=rule, reason="product recall", until_s=NOON_S + 10**6,
        campaign_id=9,
    )  # fmt: skip
    let_go = facts(**changes, overrides=(override,))
    assert may_be_called(let_go)
    told = [verdict for verdict in judge(let_go) if "product recall" in verdict.sentence]
    assert [verdict.rule for verdict in told] == [rule]
    for other in OVERRIDABLE_NAMES:
        wrong = facts(**changes, overrides=(msgspec.structs.replace(override, rule=other),))
        assert may_be_called(wrong) is (other == rule)


def test_night_on_a_holiday_needs_both_overrides() -> None:
    """Who overrides the hours on a holiday still keeps the holiday, and the other way round."""
    night = {"now_s": NOON_S - 7 * 86_400 + 10 * 3600}
    one = RuleOverride(
        contact_centre_id=1, override_id=1, name="n", rule="calling time", reason="r", until_s=NOON_S, campaign_id=9
    )
    other = msgspec.structs.replace(one, rule="holiday")
    assert [v.rule for v in blocking(facts(**night, overrides=(one,)))] == [Rule.HOLIDAY]
    assert [v.rule for v in blocking(facts(**night, overrides=(other,)))] == [Rule.CALLING_TIME]
    assert may_be_called(facts(**night, overrides=(one, other)))


@pytest.mark.parametrize("hold", [hold for hold in Hold if hold is not Hold.NONE])
def test_every_hold_is_told(hold: Hold) -> None:
    """Whatever put a record back, the explanation has words for it."""
    (verdict,) = blocking(facts(record__due_at_s=NOON_S + 60, record__hold=hold))
    assert (verdict.rule, verdict.until_s) == (Rule.HOLD, NOON_S + 60)


def test_outside_a_campaign() -> None:
    """A record without a campaign is judged by what is its own."""
    alone = facts(campaign=None, record__attempts=10)
    assert [verdict.rule for verdict in blocking(alone)] == [Rule.MAX_ATTEMPTS]
    assert Rule.GROUP_STATE not in {verdict.rule for verdict in judge(alone)}


def test_what_a_supervisor_reads() -> None:
    """Sentences say what, how many and until when, on the clock of the person called."""
    limit = blocking(facts(attempts=(SPOKEN, SPOKEN, SPOKEN)))[0]
    assert limit.value == "3 of 3 in 24 h"
    assert limit.sentence == (
        "3 in 24 h: 3 of 3 in 24 h for this person; free again at Sat 2027-01-09 11:00 (America/New_York)."
    )
    night = blocking(facts(now_s=NOON_S + 9 * 3600))[0]
    assert night.sentence == (
        "Calling time of US-NY (default) is closed, opens at Sat 2027-01-09 08:00 (America/New_York)."
    )
    assert night.value == "08:00-21:00 by US: law"
    never = blocking(facts(record__from_s=10_800, record__until_s=14_400))[0]
    assert never.value == "03:00 to 04:00 in America/New_York, now 12:00"
