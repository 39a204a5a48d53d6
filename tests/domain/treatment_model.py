"""A small model of treatments, and drawn plans.

The model keeps its own state (how far each record is) instead of reading it from the history strings, and writes a
sequence out as a flat list of turns. It knows nothing of the module under test but the plan's own values.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import strategies as st

from trunkline.domain.enums import CallResult, RecordAction
from trunkline.domain.treatments import Step, TreatmentPlan, TreatmentRule, numbered

A, R = RecordAction, CallResult
ERRORS = {3, 4, 41, 42, 43, 44, 45, 46, 47, 48}
"""No attempt was made."""


class Contact(msgspec.Struct):
    """One number of the customer as the model sees it."""

    attempts: int = 0
    is_open: bool = True
    is_dialable: bool = True
    turn: tuple[TreatmentRule, int] | None = None
    """The sequence that scheduled the next call of this number, and how many of its turns are done; None: fresh."""


class Expected(msgspec.Struct):
    """What the model expects of one decision."""

    action: RecordAction | None
    next_n: int | None = None
    due_s: int | None = None
    hooks: tuple[str, ...] = ()


class Model(msgspec.Struct):
    """A chain under a plan."""

    plan: TreatmentPlan
    max_attempts: int
    zone: str
    from_s: int
    until_s: int
    contacts: list[Contact]
    chain_pass: int = 1
    is_finished: bool = False

    def befalls(self, n: int, result: CallResult, now_s: int) -> Expected | None:
        """The call of number ``n`` ended so; None when the plan says nothing about it."""
        contact = self.contacts[n]
        contact.attempts += int(result) not in ERRORS
        rule = next((rule for rule in self.plan.rules if rule.call_result is result), None)
        if rule is None:
            self.is_finished = True
            return None
        turns = [
            (place, k)
            for place, step in enumerate(rule.steps)
            if step.action is not A.EXECUTE_SQL_STATEMENT
            for k in range(step.attempts)
        ]
        begin, hooks_from = 0, 0
        if contact.turn is not None:
            was, done = contact.turn
            if was is rule:
                begin = done
                is_within = begin < len(turns) and turns[begin][1] > 0
                hooks_from = turns[begin][0] if is_within else turns[done - 1][0] + 1
            elif {int(was.call_result or 0), int(result)} <= ERRORS:
                begin = done
                hooks_from = turns[begin][0] if begin < len(turns) else len(rule.steps)
        for at in range(begin, len(turns)):
            place, k = turns[at]
            expected = self._try(n, rule.steps[place], k, result, now_s)
            if expected is not None:
                expected.hooks = _hooks(rule, hooks_from, place)
                if expected.next_n == n:
                    contact.turn = (rule, at + 1)
                return expected
        self.is_finished = True
        return Expected(None, hooks=_hooks(rule, hooks_from, len(rule.steps)))

    def _try(self, n: int, step: Step, k: int, result: CallResult, now_s: int) -> Expected | None:
        contact, action = self.contacts[n], step.action
        if action in (A.MARK_DB, A.MARK_ALL_CHAIN, A.MARK_AS_AGENT_ERROR, A.DELEGATE_FOR_PROCESSING):
            self.is_finished = True
            return Expected(action)
        due_s = self._due(step, k, now_s)
        if due_s is None:
            return None
        if action in (A.NEXT_IN_CHAIN, A.NEXT_IN_CHAIN_AFTER, A.NEXT_IN_CHAIN_AT_DATE):
            able = [
                m
                for m, other in enumerate(self.contacts)
                if m != n and other.is_open and other.is_dialable and other.attempts < self.max_attempts
            ]
            later = [m for m in able if m > n]
            if not able or (not later and self.chain_pass >= step.passes):
                return None
            if self.chain_pass >= step.passes or contact.attempts >= self.max_attempts:
                contact.is_open = False
            contact.turn = None
            if not later:
                self.chain_pass += 1
            target = (later or able)[0]
            self.contacts[target].turn = None
            return Expected(action, target, due_s)
        if contact.attempts >= self.max_attempts:
            return None
        return Expected(action, n, due_s)

    def _due(self, step: Step, k: int, now_s: int) -> int | None:
        wait_s = 60 * (step.interval_min or 0)
        if step.action is A.CYCLE:
            return now_s + wait_s + 60 * step.increment_min * k
        if step.action in (A.RETRY_AT_DATE, A.NEXT_IN_CHAIN_AT_DATE):
            here = datetime.fromtimestamp(now_s, tz=ZoneInfo(self.zone))
            wanted = datetime.fromisoformat(step.at).replace(tzinfo=ZoneInfo(self.zone))
            return int(wanted.timestamp()) if wanted.astimezone(UTC) > here.astimezone(UTC) else None
        if step.action is A.RETRY_IN and not self._is_callable_today(now_s, now_s + wait_s):
            return None
        return now_s + wait_s

    def _is_callable_today(self, now_s: int, due_s: int) -> bool:
        """Look at every minute from then until the date changes."""
        zone = ZoneInfo(self.zone)
        today = datetime.fromtimestamp(now_s, tz=zone).date()
        moment = datetime.fromtimestamp(due_s, tz=UTC)
        while moment.astimezone(zone).date() == today:
            here = moment.astimezone(zone)
            second = here.hour * 3600 + here.minute * 60 + here.second
            inside = self.from_s <= second < self.until_s
            if self.from_s == self.until_s:
                inside = True
            elif self.from_s > self.until_s:
                inside = second >= self.from_s or second < self.until_s
            if inside:
                return True
            moment += timedelta(minutes=1)
        return False


def _hooks(rule: TreatmentRule, begin: int, end: int) -> tuple[str, ...]:
    return tuple(step.hook for step in rule.steps[begin:end] if step.action is A.EXECUTE_SQL_STATEMENT)


_waits = st.integers(0, 3000)
_ends = st.sampled_from([A.MARK_DB, A.MARK_ALL_CHAIN, A.MARK_AS_AGENT_ERROR, A.DELEGATE_FOR_PROCESSING])
_cycles = st.builds(
    lambda attempts, wait, more: Step(
        action=A.CYCLE, attempts=attempts, interval_min=wait, increment_min=more if attempts > 1 else 0
    ),
    st.integers(1, 4),
    _waits,
    st.integers(0, 30),
)
_retries = st.builds(lambda wait: Step(action=A.RETRY_IN, interval_min=wait), st.integers(1, 1439))
_dates = st.sampled_from(["2026-11-22 10:00", "2026-11-23 18:30", "2026-11-25 09:00", "2027-01-01 00:00"])
_at_dates = st.builds(lambda at: Step(action=A.RETRY_AT_DATE, at=at), _dates)
_groups = st.builds(lambda wait: Step(action=A.ASSIGN_TO_GROUP, interval_min=wait), _waits)
_after_missed = st.one_of(_cycles, _retries, _at_dates, _groups)
_anything = st.one_of(
    _after_missed,
    st.builds(lambda passes: Step(action=A.NEXT_IN_CHAIN, passes=passes), st.integers(1, 3)),
    st.builds(
        lambda wait, passes: Step(action=A.NEXT_IN_CHAIN_AFTER, interval_min=wait, passes=passes),
        st.integers(1, 600),
        st.integers(1, 2),
    ),
    st.builds(lambda at: Step(action=A.NEXT_IN_CHAIN_AT_DATE, at=at), _dates),
    st.sampled_from("ab").map(lambda name: Step(action=A.EXECUTE_SQL_STATEMENT, hook=name)),
)
RESULTS = [R.BUSY, R.NO_ANSWER, R.ANSWER, R.WRONG_NUMBER, R.GENERAL_ERROR, R.DIAL_ERROR, R.STALE]
MISSES = [R.AGENT_CALL_BACK_ERROR, R.GROUP_CALL_BACK_ERROR]


@st.composite
def plans(draw: st.DrawFn) -> TreatmentPlan:
    """A plan that the checks accept, over a few results."""
    rules = []
    for result in draw(st.lists(st.sampled_from(RESULTS + MISSES), min_size=1, max_size=6, unique=True)):
        steps = draw(st.lists(_after_missed if result in MISSES else _anything, min_size=1, max_size=4))
        if draw(st.booleans()) and result not in MISSES:
            steps.append(Step(action=draw(_ends)))
        rules.append(TreatmentRule(call_result=result, steps=tuple(steps)))
    return numbered(TreatmentPlan(contact_centre_id=1, treatment_id=1, name="drawn", rules=tuple(rules)))
