"""A whole list or campaign explained: how many records each rule holds back, and when they become free.

The database counts records by what the rules tell apart (``app.census``); one record stands for each group and is
judged by the same table of rules as every other. What only a look at the single contact can tell (suppression, attempt
rules) is estimated from a sample, unless the sample is everything.

What somebody must switch on first (``SWITCHES``) says nothing of the records: it is told apart, and the rest of the
figures is as if everything were on from now, because that is what whoever is about to start a group wants to know.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from trunkline.app.calling_times import Gate
from trunkline.app.census import HOURS_AHEAD, LATER, CensusGroup
from trunkline.domain.eligibility import Window
from trunkline.domain.enums import PhoneType, RecordStatus
from trunkline.domain.facts import Facts, Rule, Verdict
from trunkline.domain.records import Record, is_open
from trunkline.domain.verdicts import RULES

BY_TIME = frozenset(
    {
        Rule.DUE_TIME,
        Rule.HOLD,
        Rule.RECORD_WINDOW,
        Rule.LIST_HOURS,
        Rule.CAMPAIGN_HOURS,
        Rule.CALLING_TIME,
        Rule.HOLIDAY,
    }
)
"""Rules that let go by themselves at a moment that is known."""
SWITCHES = frozenset(
    {
        Rule.CAMPAIGN_ENABLED,
        Rule.GROUP_STATE,
        Rule.GROUP_STARTED,
        Rule.LIST_ENABLED,
        Rule.LIST_SHARE,
        Rule.VALIDATION,
    }
)
"""Rules that let go when somebody starts a group, switches something on or mends the configuration. Of the validation
only that counts here which the server does not know; what it says of a record is asked at the hand-out."""
BY_CONTACT = (Rule.SUPPRESSION, Rule.ATTEMPT_LIMIT, Rule.QUIET_TIME)
"""Rules that need a look at the single contact."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Open records that a rule holds back. Several may hold one record: ``alone`` counts what this one alone does.

    ``alone`` of a rule about records counts as if the switches were on. ``is_estimate`` figures come from a sample.
    """

    rule: Rule
    records: int
    alone: int
    is_estimate: bool = False


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """A list as a campaign works it (or by itself) at a moment.

    ``obstacles`` are the verdicts of ``SWITCHES`` that block; while there are any, ``callable_now`` counts what goes
    out all the same (callbacks of a group that is loaded and not started). ``callable_if_on`` counts what could be
    called if they were on from now, and so do the figures behind it: ``free_per_hour`` are records that become callable
    in each of the next 24 hours, those of ``callable_if_on`` apart; ``free_later`` after that, ``never_free`` not while
    rules and windows stay as they are. ``personal`` are among ``callable_if_on`` those that only their own agent gets.
    ``sampled`` contacts were looked at one by one.
    ``buffered_chains`` are those that the group has fetched from all its lists: they go to its agents next, and their
    records are counted as RETRIEVED.
    """

    list_name: str
    campaign_name: str
    group_name: str
    at_s: int
    records: int
    by_status: dict[str, int]
    open_records: int
    obstacles: list[Verdict]
    callable_now: int
    callable_if_on: int
    personal: int
    held: list[Held]
    free_per_hour: list[int]
    free_later: int
    never_free: int
    sampled: int
    buffered_chains: int = 0


def overview(
    facts: Facts, gate: Gate, groups: Iterable[CensusGroup], sample: Sequence[Facts], *, is_whole: bool
) -> Overview:
    """Put a census together. ``facts`` are those of any record of the list: all but the record's own are taken.

    ``sample`` are facts of records of the list with suppression and attempts; ``is_whole`` when they are all there are.
    """
    tally = _Tally(gate, facts.now_s)
    statuses: Counter[str] = Counter()
    for group in groups:
        statuses[group.status.name] += group.records
        if is_open(group.status) and group.window is not None:
            tally.add(group, _facts_of(group, group.window, facts))
    by_contact, barred_if_on, barred_now = _by_contact(sample, tally.workable, is_whole=is_whole)
    callable_if_on = max(0, tally.callable_if_on - barred_if_on)
    campaign = facts.campaign
    return Overview(
        list_name=facts.calling_list.name,
        campaign_name=campaign.name if campaign else "",
        group_name=campaign.group_name if campaign else "",
        at_s=facts.now_s,
        records=sum(statuses.values()),
        by_status=dict(sorted(statuses.items())),
        open_records=sum(count for name, count in statuses.items() if is_open(RecordStatus[name])),
        obstacles=_obstacles(facts),
        callable_now=max(0, tally.callable_now - barred_now),
        callable_if_on=callable_if_on,
        personal=min(tally.personal, callable_if_on),
        held=[*(tally.held(rule) for rule in Rule if tally.records[rule]), *by_contact],
        free_per_hour=tally.free_per_hour,
        free_later=tally.free_later,
        never_free=tally.never_free,
        sampled=len(sample),
    )


class _Tally:
    """Counts of the groups met so far. ``workable`` are records that only time, contact and switches hold back."""

    def __init__(self, gate: Gate, now_s: int) -> None:
        self._gate = gate
        self._now_s = now_s
        self._openings: dict[tuple[Window, int], int | None] = {}
        self.records: Counter[Rule] = Counter()
        self._alone: Counter[Rule] = Counter()
        self.callable_now = self.callable_if_on = self.personal = self.workable = 0
        self.free_per_hour = [0] * HOURS_AHEAD
        self.free_later = self.never_free = 0

    def held(self, rule: Rule) -> Held:
        return Held(rule=rule, records=self.records[rule], alone=self._alone[rule])

    def add(self, group: CensusGroup, facts: Facts) -> None:
        blocking = {rule for rule, entry in RULES.items() if entry.blocks(facts)}
        for rule in blocking:
            self.records[rule] += group.records
        own = blocking - SWITCHES
        alone = own or blocking
        if len(alone) == 1:
            self._alone[next(iter(alone))] += group.records
        if own - BY_TIME:
            return
        self.workable += group.records
        if not own:
            self.callable_now += group.records if not blocking else 0
            self.callable_if_on += group.records
            self.personal += group.records if group.record_type.is_personal else 0
            return
        opens_s = self._opens_s(facts.record.window, max(0, group.due_hour))
        if opens_s is None:
            self.never_free += group.records
        elif group.due_hour == LATER or opens_s >= self._now_s + HOURS_AHEAD * 3600:
            self.free_later += group.records
        else:
            self.free_per_hour[(opens_s - self._now_s) // 3600] += group.records

    def _opens_s(self, window: Window, due_hour: int) -> int | None:
        """When records of a window that are due in that hour can be called, taken as due at its end."""
        key = (window, due_hour)
        if key not in self._openings:
            due_s = self._now_s + due_hour * 3600 - (1 if due_hour else 0)
            self._openings[key] = self._gate.opens_next_s(window, due_s)
        return self._openings[key]


def _facts_of(group: CensusGroup, window: Window, facts: Facts) -> Facts:
    """Facts of a record that stands for all of a group."""
    due_at_s = None if group.due_hour < 0 else facts.now_s + group.due_hour * 3600
    record = Record(
        contact_centre_id=facts.calling_list.contact_centre_id,
        list_id=facts.calling_list.list_id,
        chain_id=0,
        chain_n=0,
        record_id=0,
        phone_number="0",
        phone_type=PhoneType.HOME_PHONE if group.is_dialable else PhoneType.EMAIL_ADDRESS,
        record_type=group.record_type,
        status=group.status,
        attempts=facts.calling_list.max_attempts if group.is_exhausted else 0,
        due_at_s=due_at_s,
        time_zone=window.time_zone,
        from_s=window.from_s,
        until_s=window.until_s,
        region=window.region,
        other_zones=window.other_zones,
        hold=group.hold,
    )
    passes = group.passes_filter if facts.passes_filter is not None else None
    return msgspec.structs.replace(facts, record=record, passes_filter=passes, attempts=(), suppressions=(), busy=None)


def _obstacles(facts: Facts) -> list[Verdict]:
    """What the switches say that are off, as of a fresh record."""
    found = (verdict for rule in Rule if rule in SWITCHES for verdict in _told(rule, facts))
    return [verdict for verdict in found if verdict.is_blocking]


def _told(rule: Rule, facts: Facts) -> Iterable[Verdict]:
    return RULES[rule].tell(facts, RULES[rule].blocks(facts))


def _by_contact(sample: Sequence[Facts], workable: int, *, is_whole: bool) -> tuple[list[Held], int, int]:
    """What suppression and attempt rules hold back of the workable records, by the sample's share.

    Behind it how many nothing else holds back, with the switches on and as they are: several of these rules may hold
    the same record.
    """
    met: Counter[Rule] = Counter()
    alone: Counter[Rule] = Counter()
    looked_at = barred_if_on = barred_now = 0
    for facts in sample:
        all_blocking = {rule for rule, entry in RULES.items() if entry.blocks(facts)}
        blocking = all_blocking - SWITCHES
        if blocking - BY_TIME - set(BY_CONTACT):
            continue
        looked_at += 1
        for rule in blocking & set(BY_CONTACT):
            met[rule] += 1
        if len(blocking) == 1:
            alone[next(iter(blocking))] += 1
        if blocking and blocking <= set(BY_CONTACT):
            barred_if_on += 1
            barred_now += 1 if blocking == all_blocking else 0
    factor = 1.0 if is_whole or not looked_at else workable / looked_at
    held = [
        Held(
            rule=rule,
            records=round(met[rule] * factor),
            alone=round(alone[rule] * factor),
            is_estimate=not is_whole,
        )
        for rule in BY_CONTACT
        if met[rule]
    ]
    return held, round(barred_if_on * factor), round(barred_now * factor)
