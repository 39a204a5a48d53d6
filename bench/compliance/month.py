"""A month of attempts in a simulated contact centre: real rules, a turnable clock, a seed.

People in many zones and regions, with one to three numbers, some of them customers of two campaigns, are called by
several campaigns at once, each under another rule set. March 2027 has the change of the clock in America and in
Europe, Good Friday and Easter Monday. Some people are called again and again, so that limits bite; some ask for a
callback; some attempts fail without a call, are released, or stay open for hours.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import msgspec

from trunkline.app.directory import ReferenceBook
from trunkline.app.judging.calling_times import gate_of, overrides_of, rules_of
from trunkline.app.reference_data import Directory
from trunkline.domain.attempt_history import attempts_of
from trunkline.domain.attempt_rules import longest_s
from trunkline.domain.attempts import AttemptRow, AttemptStep, attempt_row
from trunkline.domain.campaigns import CallingList, Campaign, CampaignList
from trunkline.domain.eligibility import Window
from trunkline.domain.enums import CallResult, GroupStatus, RecordType
from trunkline.domain.facts import Facts
from trunkline.domain.objects import ObjectKind, StoredObject
from trunkline.domain.records import Record
from trunkline.domain.rule_sets import DEFAULT, PRESETS, RuleOverride
from trunkline.domain.verdicts import may_be_called

BEGIN_S = int(datetime(2027, 3, 1, tzinfo=UTC).timestamp())
END_S = int(datetime(2027, 4, 1, tzinfo=UTC).timestamp())
TICK_S = 60
CENTRE = 1

PLACES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("US-NY", "America/New_York", ()),
    ("US-FL", "America/New_York", ("America/Chicago",)),
    ("US-TX", "America/Chicago", ()),
    ("US-TX", "America/Chicago", ("America/Denver",)),
    ("US-CA", "America/Los_Angeles", ()),
    ("US-RI", "America/New_York", ()),
    ("US-UT", "America/Denver", ()),
    ("US-PA", "America/New_York", ()),
    ("US-LA", "America/Chicago", ()),
    ("US-KY", "America/New_York", ("America/Chicago",)),
    ("US-AZ", "America/Phoenix", ()),
    ("US-HI", "Pacific/Honolulu", ()),
    ("US", "America/New_York", ("America/Los_Angeles",)),
    ("FR", "Europe/Paris", ()),
    ("IT", "Europe/Rome", ()),
    ("GB", "Europe/London", ()),
    ("DE", "Europe/Berlin", ()),
    ("AU", "Australia/Sydney", ()),
    ("AU", "Australia/Perth", ()),
    ("CA-NL", "America/St_Johns", ()),
    ("CA-BC", "America/Vancouver", ()),
    ("IN", "Asia/Kolkata", ()),
    ("NP", "Asia/Kathmandu", ()),
    ("", "PST", ()),
)
"""Regions with their zone and the further zones that a number of the place may stand for."""

HOURS = ((0, 86_400), (28_800, 72_000), (61_200, 79_200), (64_800, 7_200), (43_200, 50_400))
"""Windows of records: the whole day, office hours, evenings, over midnight, lunch."""

RESULTS = (
    (CallResult.NO_ANSWER, 34), (CallResult.ANSWERING_MACHINE, 24), (CallResult.ANSWER, 18), (CallResult.BUSY, 10),
    (CallResult.UNKNOWN, 3), (CallResult.DIAL_ERROR, 2), (CallResult.ALL_TRUNKS_BUSY, 2), (CallResult.WRONG_PARTY, 1),
)  # fmt: skip
RELEASED_IN_100 = 6
STUCK_IN_1000 = 5
"""Attempts whose agent never reports: they stay open for hours."""
CALLBACKS_IN_100 = 15
"""Conversations in which the person asks to be called again."""

Twist = Callable[[Facts], Facts]


def untouched(facts: Facts) -> Facts:
    """The facts as they are."""
    return facts


class Month:
    """One simulated month. ``lines`` yields the export that the auditor reads; ``refused`` counts what rules held back.

    ``twist`` changes what the rules are told: a way to break them.
    """

    def __init__(self, seed: int, attempts: int, twist: Twist = untouched) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - a simulation that can be repeated
        self.wanted = attempts
        self.twist = twist
        self.permitted = 0
        self.refused = 0
        self.callbacks = 0
        self.book, self.campaigns = _reference_data()
        self.list = CallingList(contact_centre_id=CENTRE, list_id=2, name="Everybody", max_attempts=10**9)
        self.people = [self._chain(number) for number in range(max(20, attempts // 4))]
        self._by_class = self._classes()
        self._windows = list(self._by_class)
        self._log: dict[str, list[tuple[int, AttemptRow]]] = {}
        self._seq = itertools.count(1)
        self._guid = itertools.count(1)
        self._later: list[tuple[int, int, AttemptRow | Record]] = []
        self._due: list[Record] = []
        self._longest_s = max(longest_s(rules_of(c, self.book).rule_set.attempt_rules) for c in self.campaigns)

    def lines(self) -> Iterator[bytes]:
        """The month as lines of an export: rule sets and overrides, then every row of the log in order."""
        for kind, stored in _exported(self.book):
            yield _line(kind, stored.value, version=stored.version)
        yield _line("rule-set", DEFAULT, version=0)
        ticks = range(BEGIN_S, END_S - 3600, TICK_S)
        for done, tick_s in enumerate(ticks):
            quota = int((self.wanted - self.permitted) / (len(ticks) - done) + self.chance.random())
            for now_s in sorted(self.chance.randrange(tick_s, tick_s + TICK_S) for _ in range(quota * 3)):
                yield from self._happened(now_s)
                if quota > 0 and (row := self._attempt(now_s)) is not None:
                    quota -= 1
                    yield self._written(row)
        yield from self._happened(END_S + 86_400)

    def _attempt(self, now_s: int) -> AttemptRow | None:
        """Ask the rules about a callback that is due or about somebody whose window is open; the row, or None."""
        campaign = self.chance.choice(self.campaigns)
        if self._due and self.chance.random() < 0.5:
            record = self._due.pop(self.chance.randrange(len(self._due)))
        else:
            record = self._somebody(campaign, now_s)
        rules = rules_of(campaign, self.book)
        number_key = attempt_row(record, AttemptStep.PERMITTED, 0, "").number_key
        facts = Facts(
            record=record,
            calling_list=self.list,
            now_s=now_s,
            campaign=campaign,
            limits=rules.limits,
            rule_set=rules.rule_set,
            overrides=overrides_of(
                self.book, CENTRE, now_s, campaign_id=campaign.campaign_id, list_id=2, chain_id=record.chain_id,
                number_key=number_key,
            ),
        )  # fmt: skip
        rows = self._rows(facts.candidate.number_key, facts.candidate.person_key, now_s)
        facts = self.twist(msgspec.structs.replace(facts, attempts=tuple(attempts_of(rows))))
        if not may_be_called(facts):
            self.refused += 1
            if record.due_at_s is not None:
                heapq.heappush(self._later, (now_s + 3600, next(self._seq), record))
            return None
        self.permitted += 1
        self.callbacks += record.due_at_s is not None
        row = attempt_row(
            record, AttemptStep.PERMITTED, now_s * 1000, f"{next(self._guid):x}", campaign_id=campaign.campaign_id,
            rule_set_id=rules.rule_set.rule_set_id, rule_set_version=rules.version,
        )  # fmt: skip
        self._plan(record, row, now_s)
        return row

    def _somebody(self, campaign: Campaign, now_s: int) -> Record:
        """Mostly one of a window class that is open, as the hand-out would find it; at times anybody."""
        if self.twist is untouched and self.chance.random() < 0.9:
            gate = gate_of(campaign, self.list, self.book, now_s)
            tried = (self.chance.choice(self._windows) for _ in range(20))
            opened = next((window for window in tried if gate.opens(window, now_s)), None)
            if opened is not None:
                chains = self._by_class[opened]
                # A few of each class are called again and again.
                some = chains[: max(1, len(chains) // 50)] if self.chance.random() < 0.25 else chains
                return self.chance.choice(self.chance.choice(some))
        return self.chance.choice(self.chance.choice(self.people))

    def _plan(self, record: Record, row: AttemptRow, now_s: int) -> None:
        """What comes of a permitted attempt, and when."""
        ends_s = now_s + self.chance.randrange(5, 400)
        if self.chance.randrange(1000) < STUCK_IN_1000:
            ends_s += 8 * 3600
        step, result = AttemptStep.ENDED, self.chance.choices([r for r, _ in RESULTS], [w for _, w in RESULTS])[0]
        if self.chance.randrange(100) < RELEASED_IN_100:
            step, result = AttemptStep.RELEASED, CallResult.UNKNOWN
        end = msgspec.structs.replace(row, step=step, at_ms=ends_s * 1000, call_result=result)
        heapq.heappush(self._later, (ends_s, next(self._seq), end))
        if result is CallResult.ANSWER and self.chance.randrange(100) < CALLBACKS_IN_100:
            due_s = ends_s + self.chance.randrange(1800, 5 * 86_400)
            back = msgspec.structs.replace(record, record_type=RecordType.CAMPAIGN_CALL_BACK, due_at_s=due_s)
            heapq.heappush(self._later, (due_s, next(self._seq), back))

    def _happened(self, now_s: int) -> Iterator[bytes]:
        """Results that came in, and callbacks that became due, up to this moment."""
        while self._later and self._later[0][0] <= now_s:
            what = heapq.heappop(self._later)[2]
            if isinstance(what, Record):
                self._due.append(what)
            else:
                yield self._written(what)

    def _written(self, row: AttemptRow) -> bytes:
        seq = next(self._seq)
        for key in (f"n{row.number_key}", f"p{row.person_key}"):
            self._log.setdefault(key, []).append((seq, row))
        return _line("attempt", row, seq=seq)

    def _rows(self, number_key: str, person_key: str, now_s: int) -> list[AttemptRow]:
        """What a store answers: the rows of the number and of the person, as far back as a rule looks, in order."""
        since_ms = (now_s - self._longest_s - 86_400) * 1000
        found: dict[int, AttemptRow] = {}
        for key in (f"n{number_key}", f"p{person_key}"):
            found.update((seq, row) for seq, row in self._log.get(key, ()) if row.at_ms >= since_ms)
        return [found[seq] for seq in sorted(found)]

    def _chain(self, number: int) -> list[Record]:
        region, time_zone, other_zones = self.chance.choice(PLACES)
        from_s, until_s = self.chance.choice(HOURS)
        customer = f"K{number // 2}" if self.chance.random() < 0.2 else None
        return [
            Record(
                contact_centre_id=CENTRE,
                list_id=2,
                chain_id=number + 1,
                chain_n=place,
                record_id=number * 3 + place,
                # Some numbers belong to two people: a household, a switchboard.
                phone_number=f"+1{(number - number % 7 if place == 2 else number) * 3 + place:010}",
                time_zone=time_zone,
                other_zones=other_zones,
                region=region,
                from_s=from_s,
                until_s=until_s,
                customer_id=customer,
            )
            for place in range(self.chance.randrange(1, 4))
        ]

    def _classes(self) -> dict[Window, list[list[Record]]]:
        classes: dict[Window, list[list[Record]]] = {}
        for chain in self.people:
            classes.setdefault(chain[0].window, []).append(chain)
        return classes


def _reference_data() -> tuple[ReferenceBook, list[Campaign]]:
    """Campaigns, each under another rule set, and an override of each kind."""
    objects, campaigns = [], []
    for number, name in enumerate((None, "us-telemarketing", "us-debt-collection", "international"), start=1):
        if name is not None:
            rule_set = msgspec.structs.replace(PRESETS[name], contact_centre_id=CENTRE, rule_set_id=number)
            objects.append(StoredObject(kind=ObjectKind.RULE_SET, value=rule_set, version=number))
        campaigns.append(
            Campaign(
                contact_centre_id=CENTRE, campaign_id=number, name=name or "default", application_id=1,
                status=GroupStatus.RUNNING, lists=(CampaignList(2),), rule_set_id=number if name else None,
            )
        )  # fmt: skip
    for number, rule in enumerate(("calling time", "holiday", "attempt limit", "quiet time"), start=1):
        override = RuleOverride(
            contact_centre_id=CENTRE, override_id=number, name=rule, rule=rule, reason="recall", campaign_id=number,
            from_s=BEGIN_S + 9 * 86_400 + number * 7200, until_s=BEGIN_S + 10 * 86_400,
        )  # fmt: skip
        objects.append(StoredObject(kind=ObjectKind.RULE_OVERRIDE, value=override, version=1))
    book = ReferenceBook(Directory(version=1, contact_centres={CENTRE: "main"}, objects=tuple(objects)))
    return book, campaigns


def _exported(book: ReferenceBook) -> Iterator[tuple[str, StoredObject]]:
    for kind in (ObjectKind.RULE_SET, ObjectKind.RULE_OVERRIDE):
        for stored in book.objects_of(CENTRE, kind):
            yield kind.value, stored


def _line(kind: str, value: object, **more: int) -> bytes:
    fields = msgspec.to_builtins(value)
    return msgspec.json.encode({"kind": kind, **fields, **more})
