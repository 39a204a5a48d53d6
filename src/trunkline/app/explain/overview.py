"""A whole list or campaign explained: how many records each rule holds back, and when they become free.

The database counts records by what the rules tell apart (``app.explain.census``); one record stands for each group
and is judged by the same table of rules as every other. What only a look at the single contact can tell (suppression,
attempt rules) is estimated from a sample: what it holds back becomes free when it lets go. When the sample is
everything, all figures about time are taken from it, to the second.

What somebody must switch on first (``SWITCHES``) says nothing of the records: it is told apart, and the rest of the
figures is as if everything were on from now, because that is what whoever is about to start a group wants to know.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from trunkline.app.explain.census import HOURS_AHEAD, LATER, CensusGroup
from trunkline.app.judging.calling_times import Gate
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
_NOW, _LATER, _NEVER = -1, HOURS_AHEAD, HOURS_AHEAD + 1
"""When records become free, beside the hours 0 to ``HOURS_AHEAD - 1``."""


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
    records are counted as RETRIEVED. ``time_zone`` is the list's own, for whoever reads hours.
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
    time_zone: str = "UTC"


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
    looks = _Looks(tally, is_whole=is_whole)
    for one in sample:
        looks.add(msgspec.structs.replace(one, validation=facts.validation))
    free = looks.free()
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
        callable_now=looks.callable_now(),
        callable_if_on=free[_NOW],
        personal=min(looks.personal(), free[_NOW]),
        held=[*(tally.held(rule) for rule in Rule if tally.records[rule]), *looks.held()],
        free_per_hour=[free[hour] for hour in range(HOURS_AHEAD)],
        free_later=free[_LATER],
        never_free=free[_NEVER],
        sampled=len(sample),
        time_zone=facts.calling_list.default_time_zone,
    )


class _Tally:
    """Counts of the groups met so far. ``workable`` are records that only time, contact and switches hold back."""

    def __init__(self, gate: Gate, now_s: int) -> None:
        self._gate = gate
        self._now_s = now_s
        self._openings: dict[tuple[Window, int], int | None] = {}
        self.records: Counter[Rule] = Counter()
        self._alone: Counter[Rule] = Counter()
        self.callable_now = self.personal = self.workable = 0
        self.free: Counter[int] = Counter()

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
        self.free[self.when(facts.record.window, group.due_hour, is_free=not own)] += group.records
        if not own:
            self.callable_now += group.records if not blocking else 0
            self.personal += group.records if group.record_type.is_personal else 0

    def when(self, window: Window, due_hour: int, *, is_free: bool) -> int:
        """When records of a window that are due in that hour become free; ``is_free``: nothing holds them back."""
        if is_free:
            return _NOW
        hour = self.hour_of(self._opens_s(window, max(0, due_hour)))
        return _LATER if due_hour == LATER and hour != _NEVER else hour

    def when_exactly(self, window: Window, from_s: int) -> int:
        """When a record of a window becomes free that nothing else holds back from that moment on."""
        return self.hour_of(self._gate.opens_next_s(window, from_s))

    def hour_of(self, opens_s: int | None) -> int:
        if opens_s is None:
            return _NEVER
        return min((opens_s - self._now_s) // 3600, _LATER)

    def _opens_s(self, window: Window, due_hour: int) -> int | None:
        """When records of a window that are due in that hour can be called, taken as due at its end."""
        key = (window, due_hour)
        if key not in self._openings:
            due_s = self._now_s + due_hour * 3600 - (1 if due_hour else 0)
            self._openings[key] = self._gate.opens_next_s(window, due_s)
        return self._openings[key]


class _Looks:
    """What suppression and attempt rules hold back of the workable records, by the looks at single ones.

    Several of these rules may hold the same record, and a window may hold it beside them: it becomes free when all
    have let go. Of a sample the share counts for the whole, by which the figures of the census are moved.
    """

    def __init__(self, tally: _Tally, *, is_whole: bool) -> None:
        self._tally = tally
        self._is_whole = is_whole
        self._met: Counter[Rule] = Counter()
        self._alone: Counter[Rule] = Counter()
        self._looked_at = self._barred_now = self._callable_now = self._personal = 0
        self._moves: Counter[int] = Counter()
        self._exactly: Counter[int] = Counter()

    def add(self, facts: Facts) -> None:
        """Look at a record."""
        blocking = {rule for rule, entry in RULES.items() if entry.blocks(facts)}
        own, by_contact = blocking - SWITCHES, blocking & set(BY_CONTACT)
        if own - BY_TIME - by_contact:
            return
        self._looked_at += 1
        self._met.update(by_contact)
        if len(own) == 1:
            self._alone.update(own & by_contact)
        self._callable_now += not blocking
        self._personal += not own and facts.record.record_type.is_personal
        self._barred_now += bool(by_contact) and blocking == by_contact
        window, due_at_s = facts.record.window, facts.record.due_at_s or 0
        ends = [_end_s(rule, facts) for rule in by_contact]
        if None in ends:
            free = _NEVER
        else:
            from_s = max([facts.now_s, due_at_s, *(end_s for end_s in ends if end_s is not None)])
            free = self._tally.when_exactly(window, from_s) if own else _NOW
        self._exactly[free] += 1
        if by_contact:
            due_hour = min(max(0, (due_at_s - facts.now_s + 3599) // 3600), LATER)
            self._moves[self._tally.when(window, due_hour, is_free=not own - by_contact)] -= 1
            self._moves[free] += 1

    @property
    def _factor(self) -> float:
        return 1.0 if self._is_whole or not self._looked_at else self._tally.workable / self._looked_at

    def held(self) -> list[Held]:
        """What each of these rules holds back."""
        return [
            Held(
                rule=rule,
                records=round(self._met[rule] * self._factor),
                alone=round(self._alone[rule] * self._factor),
                is_estimate=not self._is_whole,
            )
            for rule in BY_CONTACT
            if self._met[rule]
        ]

    def free(self) -> Counter[int]:
        """How many records become free when."""
        if self._is_whole:
            return self._exactly
        hours = range(_NOW, _NEVER + 1)
        return Counter(
            {hour: max(0, self._tally.free[hour] + round(self._moves[hour] * self._factor)) for hour in hours}
        )

    def callable_now(self) -> int:
        """How many go out with the switches as they are."""
        if self._is_whole:
            return self._callable_now
        return max(0, self._tally.callable_now - round(self._barred_now * self._factor))

    def personal(self) -> int:
        """How many of those that could be called are personal."""
        return self._personal if self._is_whole else self._tally.personal


def _end_s(rule: Rule, facts: Facts) -> int | None:
    """When a rule that blocks lets go; None when time alone will not do."""
    ends = [verdict.until_s for verdict in RULES[rule].tell(facts, True) if verdict.is_blocking]
    return None if None in ends else max(end_s for end_s in ends if end_s is not None)


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
