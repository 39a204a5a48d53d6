"""What a treatment does: against a small model, that it always ends, and the cases that the manual shows."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.domain.treatment_model import ERRORS, MISSES, RESULTS, Contact, Model, plans
from trunkline.domain.enums import CallResult, PhoneType, RecordAction, RecordStatus, RecordType, Treatment
from trunkline.domain.records import Happening, Record, is_open, moved
from trunkline.domain.treatment_checks import check, faults_of
from trunkline.domain.treatment_decisions import Case, Treated, decide
from trunkline.domain.treatments import MISSED, Step, TreatmentPlan, TreatmentRule, read_history

NOON_S = 1_795_435_200
"""2026-11-23 12:00 UTC."""
A, R, S, H = RecordAction, CallResult, RecordStatus, Happening
MINUTE = 60


def row(n: int = 0, **values: Any) -> Record:
    """A record in somebody's hands."""
    fields: dict[str, Any] = {"status": S.RETRIEVED, "time_zone": "UTC", "from_s": 0, "until_s": 86_400, **values}
    return Record(
        contact_centre_id=1, list_id=2, chain_id=3, chain_n=n, record_id=n, phone_number=f"+1212555010{n}", **fields
    )


def plan_of(*steps: Step, result: CallResult = R.BUSY, **more: tuple[Step, ...]) -> TreatmentPlan:
    """A plan with one sequence, and others by name of the result."""
    rules = [TreatmentRule(call_result=result, steps=steps)]
    rules += [TreatmentRule(call_result=CallResult[name], steps=given) for name, given in more.items()]
    return check(TreatmentPlan(contact_centre_id=1, treatment_id=1, name="p", rules=tuple(rules)))


def treated(plan: TreatmentPlan, chain: list[Record], n: int = 0, **values: Any) -> Treated:
    """The decision about record ``n`` of a chain."""
    record = next(record for record in chain if record.chain_n == n)
    rule = plan.rule_for(record.call_result)
    assert rule is not None
    return decide(plan, rule, Case(chain=chain, chain_n=n, **{"max_attempts": 10, "now_s": NOON_S, **values}))


def after(chain: list[Record], decision: Treated) -> list[Record]:
    """The chain after a decision, taken out again, so that the next call can end."""
    changed = {record.chain_n: record for record in decision.records(chain)}
    return [changed.get(record.chain_n, record) for record in chain]


def taken(chain: list[Record]) -> list[Record]:
    """The chain in somebody's hands."""
    return [moved(r, H.TAKEN) if is_open(r.status) and r.status is not S.RETRIEVED else r for r in chain]


class Bench:
    """The module under test and the model side by side over one chain."""

    def __init__(self, plan: TreatmentPlan, size: int, max_attempts: int, zone: str, window: tuple[int, int]) -> None:
        self.plan, self.max_attempts, self.now_s = plan, max_attempts, NOON_S
        from_s, until_s = window
        self.chain = [row(n, time_zone=zone, from_s=from_s, until_s=until_s) for n in range(size)]
        self.model = Model(plan, max_attempts, zone, from_s, until_s, [Contact() for _ in range(size)])

    def befalls(self, n: int, result: CallResult, whom: Treatment) -> Treated | None:
        """Let a call end in both; compare; None when the plan has no sequence."""
        record = self.chain[n]
        is_missed = result in MISSED
        if is_missed:
            record = moved(record, H.CALLBACK_MISSED)
        attempts = record.attempts + (int(result) not in ERRORS)
        self.chain[n] = msgspec.structs.replace(record, call_result=result, attempts=attempts)
        expected = self.model.befalls(n, result, self.now_s)
        rule = self.plan.rule_for(result)
        if rule is None:
            assert expected is None
            return None
        assert expected is not None
        ending = None if is_missed else H.LEASE_ENDED if result is R.STALE else H.FINISHED
        case = Case(
            chain=self.chain,
            chain_n=n,
            max_attempts=self.max_attempts,
            now_s=self.now_s,
            whom=whom,
            agent_id=7,
            ending=ending,
        )
        decision = decide(self.plan, rule, case)
        assert (decision.step.action if decision.step else None) is expected.action, decision.why
        assert (decision.next_chain_n, decision.due_at_s) == (expected.next_n, expected.due_s), decision.why
        assert decision.hooks == expected.hooks
        self.chain = after(self.chain, decision)
        self.check(decision, whom)
        return decision

    def check(self, decision: Treated, whom: Treatment) -> None:
        """Compare the chain with the model's."""
        if decision.next_chain_n is None:
            return
        carrier = self.chain[decision.next_chain_n]
        assert carrier.status is S.READY
        assert read_history(carrier.treatments) == read_history(decision.history)
        history = read_history(decision.history)
        assert history is not None
        assert (history.chain_n, history.chain_pass) == (carrier.chain_n, self.model.chain_pass)
        if decision.step is not None and decision.step.action is A.ASSIGN_TO_GROUP:
            assert carrier.record_type is RecordType.CAMPAIGN_CALL_BACK
        else:
            personal = whom is Treatment.PERSONAL
            assert carrier.record_type is (
                RecordType.PERSONAL_RESCHEDULED if personal else RecordType.CAMPAIGN_RESCHEDULED
            )
            assert not personal or carrier.agent_id == 7
        for record, contact in zip(self.chain, self.model.contacts, strict=True):
            assert is_open(record.status) is contact.is_open
            assert record.attempts == contact.attempts
            if record is not carrier and contact.is_open:
                assert (record.status, record.due_at_s) == (S.CHAIN_READY, None)


zones = st.sampled_from(["UTC", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe"])
windows = st.sampled_from([(0, 86_400), (28_800, 64_800), (72_000, 3_600), (50_000, 50_000)])


@settings(max_examples=200, deadline=None)
@given(data=st.data(), plan=plans(), size=st.integers(1, 4), max_attempts=st.integers(1, 6), zone=zones, window=windows)
def test_decisions_are_those_of_the_model(
    data: st.DataObject, plan: TreatmentPlan, size: int, max_attempts: int, zone: str, window: tuple[int, int]
) -> None:
    """Whatever plan, results and numbers dialed: same step, time, next record, pass, hooks and statuses."""
    assert faults_of(plan) == []
    bench = Bench(plan, size, max_attempts, zone, window)
    named = [rule.call_result for rule in plan.rules if rule.call_result is not None]
    carrier = 0
    for _ in range(12):
        result = data.draw(st.sampled_from(named) | st.sampled_from(named) | st.sampled_from(RESULTS + MISSES))
        whom = data.draw(st.sampled_from(Treatment))
        if result in MISSED:
            assume(bench.chain[carrier].status is not S.CHAIN_READY)
            n = carrier
        else:
            bench.chain = taken(bench.chain)
            in_hands = [r.chain_n for r in bench.chain if r.status is S.RETRIEVED]
            n = data.draw(st.sampled_from(in_hands))
        decision = bench.befalls(n, result, whom)
        if decision is None or decision.next_chain_n is None:
            return
        carrier = decision.next_chain_n
        bench.now_s = max(bench.now_s, decision.due_at_s or 0) + data.draw(st.integers(0, 90_000))


@settings(max_examples=100, deadline=None)
@given(data=st.data(), plan=plans(), size=st.integers(1, 4), max_attempts=st.integers(1, 4))
def test_every_plan_ends(data: st.DataObject, plan: TreatmentPlan, size: int, max_attempts: int) -> None:
    """However the calls end, each decision ends the chain or moves on in an order that has a last place."""
    named = [rule.call_result for rule in plan.rules if rule.call_result is not None]
    bench = Bench(plan, size, max_attempts, "UTC", (0, 86_400))
    carrier, before = 0, (0, 0, 0, False, 0)
    for _ in range(2000):
        result = data.draw(st.sampled_from(named))
        if result not in MISSED:
            bench.chain = taken(bench.chain)
        decision = bench.befalls(carrier, result, Treatment.CAMPAIGN)
        assert decision is not None
        if decision.next_chain_n is None:
            return
        carrier = decision.next_chain_n
        record, model = bench.chain[carrier], bench.model
        turn = model.contacts[carrier].turn
        assert record.attempts < max_attempts
        is_error = turn is not None and int(turn[0].call_result or 0) in ERRORS
        now = (model.chain_pass, carrier, record.attempts, is_error, turn[1] if turn is not None else 0)
        assert now > before
        before = now
        bench.now_s = max(bench.now_s, decision.due_at_s or 0)
    pytest.fail("two thousand calls and no end")


def test_the_plan_of_the_manual() -> None:
    """Busy: 30 min, +5, at most 3, then next number; the history counts along."""
    plan = plan_of(
        Step(action=A.CYCLE, attempts=3, interval_min=30, increment_min=5),
        Step(action=A.NEXT_IN_CHAIN),
    )
    chain = [row(0, call_result=R.BUSY), row(1, call_result=R.BUSY)]
    waits, said, following = [], [], None
    for _ in range(4):
        decision = treated(plan, chain)
        waits.append((decision.due_at_s or 0) - NOON_S)
        said.append(decision.history)
        chain, following = taken(after(chain, decision)), decision.next_chain_n
    assert waits == [30 * MINUTE, 35 * MINUTE, 40 * MINUTE, 0]
    assert said == ["601@1@0@1", "601@2@0@1", "601@3@0@1", "602@1@1@1"]
    assert following == 1
    assert [record.status for record in chain] == [S.UPDATED, S.RETRIEVED]
    assert treated(plan, chain, 1).history == "601@1@1@1"


def test_the_reason_is_a_sentence() -> None:
    """Why names the sequence, the step, and what was passed over."""
    plan = plan_of(Step(action=A.RETRY_AT_DATE, at="2020-01-01 10:00"), Step(action=A.CYCLE, interval_min=20))
    decision = treated(plan, [row(call_result=R.BUSY)])
    assert decision.why == "Busy, step 2: dial again (1 of 1) in 20 min; step 1 is passed over: its date is over"


@pytest.mark.parametrize(
    ("record", "begins"),
    [
        ({"record_type": RecordType.CAMPAIGN_RESCHEDULED}, False),
        ({"record_type": RecordType.PERSONAL_RESCHEDULED}, False),
        ({"record_type": RecordType.PERSONAL_CALL_BACK}, False),
        ({"record_type": RecordType.CAMPAIGN_CALL_BACK}, False),
        ({"record_type": RecordType.GENERAL}, True),
        ({"record_type": RecordType.UNKNOWN}, True),
        ({"record_type": RecordType.CAMPAIGN_RESCHEDULED, "treatments": "601@1@1@1"}, True),
        ({"record_type": RecordType.CAMPAIGN_RESCHEDULED, "treatments": "999@1@0@1"}, True),
        ({"record_type": RecordType.CAMPAIGN_RESCHEDULED, "treatments": "601@x"}, True),
    ],
)
def test_the_history_is_read_back_for_some_types_only(record: dict[str, Any], *, begins: bool) -> None:
    """Types 3 to 6 go on where they were; others, foreign histories and nonsense begin the sequence."""
    plan = plan_of(Step(action=A.CYCLE, attempts=3, interval_min=30))
    chain = [row(**{"call_result": R.BUSY, "treatments": "601@1@0@1", **record})]
    assert treated(plan, chain).history == ("601@1@0@1" if begins else "601@2@0@1")


@pytest.mark.parametrize(
    ("action", "status", "siblings", "result"),
    [
        (A.MARK_DB, S.UPDATED, S.CHAIN_UPDATED, R.UNKNOWN),
        (A.MARK_ALL_CHAIN, S.UPDATED, S.CHAIN_UPDATED, R.BUSY),
        (A.MARK_AS_AGENT_ERROR, S.AGENT_ERROR, S.CHAIN_UPDATED, R.UNKNOWN),
        (A.DELEGATE_FOR_PROCESSING, S.DELEGATED, S.CHAIN_UPDATED, R.UNKNOWN),
    ],
)
def test_what_ends_a_chain(
    action: RecordAction, status: RecordStatus, siblings: RecordStatus, result: CallResult
) -> None:
    """Each ending action leaves its status, ends the siblings, and only MarkAllChain gives them the result."""
    chain = [row(0, call_result=R.BUSY, due_at_s=5), row(1, status=S.CHAIN_READY), row(2, status=S.CANCELLED)]
    decision = treated(plan_of(Step(action=action)), chain)
    done = after(chain, decision)
    assert [r.status for r in done] == [status, siblings, S.CANCELLED]
    assert [r.call_result for r in done] == [R.BUSY, result, R.UNKNOWN]
    assert done[0].due_at_s is None


def test_a_lone_record_has_no_next() -> None:
    """Next-in-chain needs another record that can be called; without one the sequence goes on, or is over."""
    plan = plan_of(Step(action=A.NEXT_IN_CHAIN, passes=3), Step(action=A.CYCLE, interval_min=20))
    lone = [row(call_result=R.BUSY)]
    assert treated(plan, lone).history == "602@1@0@1"
    mail = [row(call_result=R.BUSY), row(1, phone_type=PhoneType.EMAIL_ADDRESS), row(2, attempts=10)]
    assert treated(plan, mail).history == "602@1@0@1"
    assert treated(plan_of(Step(action=A.NEXT_IN_CHAIN)), lone).next_chain_n is None


def test_passes_through_the_chain() -> None:
    """With two passes the chain begins again behind its last record; then it is through."""
    plan = plan_of(Step(action=A.NEXT_IN_CHAIN_AFTER, interval_min=10, passes=2))
    chain = [row(0, call_result=R.BUSY), row(1, call_result=R.BUSY)]
    n, order = 0, []
    for _ in range(3):
        decision = treated(plan, chain, n)
        order.append(decision.history)
        chain = taken(after(chain, decision))
        n = decision.next_chain_n or 0
    assert order == ["601@1@1@1", "601@1@0@2", "601@1@1@2"]
    assert treated(plan, chain, 1).next_chain_n is None


def test_attempts_of_the_list_cap_every_step() -> None:
    """A record without attempts is not dialed again, another record of the chain may be."""
    plan = plan_of(
        Step(action=A.CYCLE, attempts=9, interval_min=1),
        Step(action=A.RETRY_IN, interval_min=1),
        Step(action=A.ASSIGN_TO_GROUP),
        Step(action=A.NEXT_IN_CHAIN),
    )
    chain = [row(0, call_result=R.BUSY, attempts=3), row(1)]
    decision = treated(plan, chain, max_attempts=3)
    assert decision.next_chain_n == 1
    assert "no attempt is left" in decision.why
    assert treated(plan, chain[:1], max_attempts=3).next_chain_n is None


@pytest.mark.parametrize(
    ("zone", "interval_min", "window", "retried"),
    [
        ("UTC", 719, (0, 86_400), True),  # until a minute before midnight
        ("UTC", 720, (0, 86_400), False),
        ("Asia/Tokyo", 179, (0, 86_400), True),  # it is 21:00 there
        ("Asia/Tokyo", 180, (0, 86_400), False),
        ("UTC", 299, (32_400, 61_200), True),  # the window closes at 17:00
        ("UTC", 300, (32_400, 61_200), False),
        ("UTC", 60, (79_200, 21_600), True),  # the window opens again at 22:00
    ],
)
def test_retry_in_means_the_same_day(zone: str, interval_min: int, window: tuple[int, int], *, retried: bool) -> None:
    """RetryIn is passed over when the person could not be called on this day any more."""
    plan = plan_of(Step(action=A.RETRY_IN, interval_min=interval_min))
    chain = [row(call_result=R.BUSY, time_zone=zone, from_s=window[0], until_s=window[1])]
    assert (treated(plan, chain).next_chain_n is not None) is retried


@pytest.mark.parametrize(
    ("at", "zone", "due_s"),
    [
        ("14:30", "UTC", NOON_S + 9000),
        ("12:00", "UTC", NOON_S + 86_400),  # that is now, so tomorrow
        ("08:00", "America/New_York", NOON_S + 3600),
        ("2026-11-24 09:00", "Europe/Berlin", NOON_S + 72_000),
        ("2026-11-23 11:59", "UTC", None),
    ],
)
def test_dates_are_on_the_contact_s_clock(at: str, zone: str, due_s: int | None) -> None:
    """A time of day is the next such time in the record's zone, a date that is over is passed over."""
    plan = plan_of(Step(action=A.RETRY_AT_DATE, at=at))
    assert treated(plan, [row(call_result=R.BUSY, time_zone=zone)]).due_at_s == due_s


@pytest.mark.parametrize(
    ("value", "due_s"),
    [
        ("2026-11-24 09:00", NOON_S + 75_600),
        ("11/24/2026 09:00", NOON_S + 75_600),
        (NOON_S + 60, NOON_S + 60),
        (str(NOON_S + 60), NOON_S + 60),
        ("2020-01-01 09:00", NOON_S + 7200),
        ("soon", NOON_S + 7200),
        ("9999-12-31 23:59", NOON_S + 7200),
        (None, NOON_S + 7200),
        (True, NOON_S + 7200),
        (1e300, NOON_S + 7200),
    ],
)
def test_reschedule_takes_its_time_from_a_field(value: Any, due_s: int) -> None:
    """The custom field's time, or the interval when the field names no time to come."""
    plan = plan_of(Step(action=A.RESCHEDULE, field="again", interval_min=120))
    chain = [row(call_result=R.BUSY, other_fields={"again": value})]
    assert treated(plan, chain).due_at_s == due_s
    bare = plan_of(Step(action=A.RESCHEDULE, field="again"))
    assert treated(bare, chain).due_at_s == (None if due_s == NOON_S + 7200 else due_s)


def test_errors_are_no_attempts_and_still_end() -> None:
    """Two errors that take turns go on counting where the other stopped."""
    step = Step(action=A.CYCLE, attempts=2, interval_min=1)
    plan = plan_of(step, result=R.GENERAL_ERROR, SYSTEM_ERROR=(step,))
    chain = [row()]
    said = []
    for result in (R.GENERAL_ERROR, R.SYSTEM_ERROR, R.GENERAL_ERROR):
        chain = [msgspec.structs.replace(taken(chain)[0], call_result=result)]
        decision = treated(plan, chain)
        said.append(decision.history)
        chain = after(chain, decision)
    assert said == ["301@1@0@1", "401@2@0@1", ""]


def test_a_disposition_goes_before_the_result() -> None:
    """The value of the plan's field chooses the sequence; without one the call result does."""
    rules = (
        TreatmentRule(call_result=R.ANSWER, steps=(Step(action=A.MARK_DB),)),
        TreatmentRule(disposition="later", steps=(Step(action=A.CYCLE, interval_min=60),)),
    )
    plan = check(TreatmentPlan(contact_centre_id=1, treatment_id=1, name="p", disposition_field="outcome", rules=rules))
    for value, name in (("later", "later"), (" later ", "later"), ("sold", "Answer"), (None, "Answer")):
        rule = plan.rule_for(R.ANSWER, value)
        assert rule is not None
        assert rule.name == name
    assert plan.rule_for(R.BUSY) is None
