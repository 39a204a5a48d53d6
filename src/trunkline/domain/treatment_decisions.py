"""What follows a call: the step of a treatment that is carried out, and why this one.

The sequence is read from where the record's history says; a step that cannot be carried out (no attempt left, no
next record, a date that is over) is passed over, and behind the last one the result is final.

Why every plan ends, whatever the results: each decision either ends the chain, or makes this larger, in this order:
the pass through the chain, the place in the chain, the attempts of the record there, whether the last result was
none (``UNCOUNTED``), the times that steps were carried out for such results. The first is bounded by ``passes``, the
third by the list's ``max_attempts``; the last goes on from sequence to sequence until one of them is used up.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from trunkline.domain.enums import CallResult, RecordAction, RecordStatus, RecordType, Treatment
from trunkline.domain.records import Happening, Record, is_open, moved
from trunkline.domain.treatment_times import MAX_DUE_S, at_s, field_s, is_same_day
from trunkline.domain.treatments import (
    AFTER_A_MISSED_CALLBACK,
    DIALS_AGAIN,
    ENDS,
    GOES_ON,
    MISSED,
    READ_BACK,
    UNCOUNTED,
    History,
    Step,
    TreatmentPlan,
    TreatmentRule,
    read_history,
)

_A = RecordAction


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A record whose call is over, with its chain.

    ``chain`` are all records by place as they stand, the worked one (``chain_n``) already with its result and its
    attempts. ``whom`` says for whom a retry is; ``agent_id`` is the agent of a personal one. ``ending`` is what befalls
    the record when the sequence is used up; None leaves it where it is (a missed callback).
    """

    chain: Sequence[Record]
    chain_n: int
    max_attempts: int
    now_s: int
    whom: Treatment = Treatment.CAMPAIGN
    agent_id: int | None = None
    ending: Happening | None = Happening.FINISHED

    @property
    def record(self) -> Record:
        """The worked record."""
        return next(record for record in self.chain if record.chain_n == self.chain_n)

    def has_attempts(self, record: Record) -> bool:
        """True while the list allows a further call of the record."""
        return record.attempts < self.max_attempts


class Move(msgspec.Struct, frozen=True):
    """What befalls one record of the chain, with the fields that change."""

    chain_n: int
    happening: Happening
    changes: dict[str, object] = {}


class Treated(msgspec.Struct, frozen=True, kw_only=True):
    """A decision.

    ``rule`` names the sequence, ``step`` what was carried out (None: nothing was left). ``due_at_s`` and
    ``next_chain_n`` are None when the chain is finished. ``hooks`` are the names to send to. ``why`` is one sentence.
    """

    moves: tuple[Move, ...]
    rule: str
    step: Step | None
    why: str
    due_at_s: int | None = None
    next_chain_n: int | None = None
    history: str = ""
    hooks: tuple[str, ...] = ()

    def records(self, chain: Sequence[Record]) -> list[Record]:
        """The records that change, changed. Raises ``InvalidState`` when the chain is not the one decided about."""
        by_place = {record.chain_n: record for record in chain}
        return [moved(by_place[move.chain_n], move.happening, **move.changes) for move in self.moves]


def decide(plan: TreatmentPlan, rule: TreatmentRule, case: Case) -> Treated:
    """Carry out the step of ``rule`` (see ``TreatmentPlan.rule_for``) that is next."""
    place, attempt, chain_pass = _position(plan, rule, case)
    passed_over: list[str] = []
    hooks: list[str] = []
    for at in range(place, len(rule.steps)):
        step = rule.steps[at]
        if step.action is _A.EXECUTE_SQL_STATEMENT:
            hooks.append(step.hook)
            continue
        turn = _Turn(case, step, attempt if at == place else 1, chain_pass)
        made = turn.carry_out()
        if isinstance(made, Treated):
            why = f"{rule.name}, step {at + 1}: {made.why}" + _also(passed_over)
            return msgspec.structs.replace(made, rule=rule.name, hooks=tuple(hooks), why=why)
        passed_over.append(f"step {at + 1} is passed over: {made}")
    why = f"{rule.name}: no step is left, the result is final" + _also(passed_over)
    return Treated(moves=_ended(case), rule=rule.name, step=None, hooks=tuple(hooks), why=why)


def ended(case: Case, why: str) -> Treated:
    """The decision where no plan says anything: the result is final, the siblings are ended with it."""
    return Treated(moves=_ended(case), rule="", step=None, why=why)


def _also(passed_over: list[str]) -> str:
    return "".join(f"; {one}" for one in passed_over)


def histories(chain: Sequence[Record]) -> dict[int, History]:
    """The histories that count, by place (outbound domain 5.3)."""
    found = {r.chain_n: read_history(r.treatments) for r in chain if r.record_type in READ_BACK}
    return {place: history for place, history in found.items() if history is not None}


def _position(plan: TreatmentPlan, rule: TreatmentRule, case: Case) -> tuple[int, int, int]:
    """Where to go on: place in the sequence, how often its step will have been carried out, pass of the chain."""
    known = histories(case.chain)
    chain_pass = max((history.chain_pass for history in known.values()), default=1)
    history = known.get(case.chain_n)
    if history is None or history.chain_n != case.chain_n:
        return 0, 1, chain_pass
    found = plan.find(history.step_id)
    if found is None:
        return 0, 1, chain_pass
    was, place = found
    step = was.steps[place]
    if step.action in GOES_ON:
        return 0, 1, chain_pass  # the record was reached by that step: it begins
    if was is rule:
        if step.is_repeated and history.attempt < step.attempts:
            return place, history.attempt + 1, chain_pass
        return place + 1, 1, chain_pass
    if case.record.call_result in UNCOUNTED and was.call_result in UNCOUNTED:
        return *_after(rule, _done(was, place, history.attempt)), chain_pass
    return 0, 1, chain_pass


def _turns(step: Step) -> int:
    if step.action is _A.EXECUTE_SQL_STATEMENT:
        return 0
    return step.attempts if step.is_repeated else 1


def _done(rule: TreatmentRule, place: int, attempt: int) -> int:
    """How many times steps of a sequence were carried out."""
    return sum(_turns(step) for step in rule.steps[:place]) + min(attempt, _turns(rule.steps[place]))


def _after(rule: TreatmentRule, done: int) -> tuple[int, int]:
    """Place and attempt in a sequence after ``done`` turns."""
    for place, step in enumerate(rule.steps):
        if done < _turns(step):
            return place, done + 1
        done -= _turns(step)
    return len(rule.steps), 1


class _Turn:
    """One attempt to carry out a step."""

    def __init__(self, case: Case, step: Step, attempt: int, chain_pass: int) -> None:
        self.case = case
        self.step = step
        self.attempt = attempt
        self.chain_pass = chain_pass
        self.record = case.record

    def carry_out(self) -> Treated | str:
        """The decision, or why the step cannot be carried out."""
        action = self.step.action
        if self.record.call_result in MISSED and action not in AFTER_A_MISSED_CALLBACK:
            return "nobody was called"
        if action in ENDS:
            return self._end()
        due_s = self._due_s()
        if isinstance(due_s, str):
            return due_s
        if due_s >= MAX_DUE_S:
            return "the time lies beyond the year 2100"
        if action in GOES_ON:
            return self._go_on(due_s)
        if action in DIALS_AGAIN:
            return self._dial_again(due_s)
        return "the action is unknown"

    def _due_s(self) -> int | str:
        """When the next call is due, or why there is no such time."""
        step, record, now_s = self.step, self.record, self.case.now_s
        interval_min = step.interval_min or 0
        match step.action:
            case _A.CYCLE:
                return now_s + 60 * (interval_min + step.increment_min * (self.attempt - 1))
            case _A.RETRY_IN:
                due_s = now_s + 60 * interval_min
                return due_s if is_same_day(record.window, now_s, due_s) else "the day would be over"
            case _A.RETRY_AT_DATE | _A.NEXT_IN_CHAIN_AT_DATE:
                due = at_s(step.at, record.time_zone, now_s)
                return due if due is not None else "its date is over"
            case _A.RESCHEDULE:
                due = field_s(record.other_fields.get(step.field), record.time_zone, now_s)
                if due is None and step.interval_min is None:
                    return f"field {step.field} names no time to come"
                return due if due is not None else now_s + 60 * interval_min
            case _A.NEXT_IN_CHAIN:
                return now_s
            case _:
                return now_s + 60 * interval_min

    def _dial_again(self, due_s: int) -> Treated | str:
        if not self.case.has_attempts(self.record):
            return "no attempt is left"
        to_group = self.step.action is _A.ASSIGN_TO_GROUP
        happening = Happening.CALLBACK_SET if to_group else Happening.RETRY_SCHEDULED
        kind = RecordType.CAMPAIGN_CALL_BACK if to_group else self._record_type()
        history = History(self.step.step_id, self.attempt, self.record.chain_n, self.chain_pass)
        move = Move(self.record.chain_n, happening, self._carried(kind, due_s, history, self.record))
        what = "a callback for the campaign" if to_group else "dial again"
        count = f" ({self.attempt} of {self.step.attempts})" if self.step.is_repeated else ""
        return self._retry((move, *self._postponed(self.record.chain_n)), history, due_s, f"{what}{count}")

    def _go_on(self, due_s: int) -> Treated | str:
        case, record, step = self.case, self.record, self.step
        others = [r for r in case.chain if r.chain_n != record.chain_n and self._may_be_next(r)]
        following = [r for r in others if r.chain_n > record.chain_n]
        chain_pass = self.chain_pass if following else self.chain_pass + 1
        if not others:
            return "the chain has no other record to call"
        if chain_pass > max(step.passes, self.chain_pass):
            return "the chain is through"
        target = min(following or others, key=lambda r: r.chain_n)
        history = History(step.step_id, 1, target.chain_n, chain_pass)
        own = Move(record.chain_n, Happening.FINISHED, {"due_at_s": None})
        if self.chain_pass < step.passes and case.has_attempts(record):
            own = Move(record.chain_n, Happening.CHAIN_POSTPONED, {"due_at_s": None})
        carried = Move(
            target.chain_n, Happening.RETRY_SCHEDULED, self._carried(self._record_type(), due_s, history, target)
        )
        rest = [move for move in self._postponed(record.chain_n) if move.chain_n != target.chain_n]
        what = f"dial record {target.chain_n} of the chain" + (f", pass {chain_pass}" if chain_pass > 1 else "")
        return self._retry((own, carried, *rest), history, due_s, what)

    def _may_be_next(self, record: Record) -> bool:
        return (
            is_open(record.status)
            and record.status is not RecordStatus.MISSED_CALL_BACK
            and record.phone_type.is_dialable
            and record.record_type is not RecordType.NO_CALL
            and self.case.has_attempts(record)
        )

    def _record_type(self) -> RecordType:
        is_personal = self.case.whom is Treatment.PERSONAL and self.case.agent_id is not None
        return RecordType.PERSONAL_RESCHEDULED if is_personal else RecordType.CAMPAIGN_RESCHEDULED

    def _carried(self, kind: RecordType, due_s: int, history: History, record: Record) -> dict[str, object]:
        """The fields of the record that carries the retry."""
        agent_id = self.case.agent_id if kind is RecordType.PERSONAL_RESCHEDULED else record.agent_id
        return {"record_type": kind, "due_at_s": due_s, "treatments": str(history), "agent_id": agent_id}

    def _postponed(self, chain_n: int) -> list[Move]:
        return [
            Move(r.chain_n, Happening.CHAIN_POSTPONED, {"due_at_s": None})
            for r in self.case.chain
            if r.chain_n != chain_n and r.status in (RecordStatus.RETRIEVED, RecordStatus.READY)
        ]

    def _retry(self, moves: tuple[Move, ...], history: History, due_s: int, what: str) -> Treated:
        wait_min = (due_s - self.case.now_s) // 60
        when = "now" if due_s == self.case.now_s else f"in {wait_min} min"
        return Treated(
            moves=moves,
            rule="",
            step=self.step,
            due_at_s=due_s,
            next_chain_n=history.chain_n,
            history=str(history),
            why=f"{what} {when}",
        )

    def _end(self) -> Treated:
        """Finish the chain as the step says."""
        case, record = self.case, self.record
        happening, what = {
            _A.MARK_DB: (Happening.FINISHED, "the result is stored, no more calls"),
            _A.MARK_ALL_CHAIN: (Happening.FINISHED, "the result is stored in the whole chain, no more calls"),
            _A.MARK_AS_AGENT_ERROR: (Happening.AGENT_FAILED, "marked as an agent's error"),
            _A.DELEGATE_FOR_PROCESSING: (Happening.DELEGATED, "delegated to another system"),
        }[self.step.action]
        history = str(History(self.step.step_id, 1, record.chain_n, self.chain_pass))
        own = Move(record.chain_n, happening, {"due_at_s": None, "treatments": history})
        result = record.call_result if self.step.action is _A.MARK_ALL_CHAIN else None
        return Treated(moves=(own, *_siblings_ended(case, result)), rule="", step=self.step, history=history, why=what)


def _siblings_ended(case: Case, result: CallResult | None = None) -> list[Move]:
    changes: dict[str, object] = {"due_at_s": None} | ({} if result is None else {"call_result": result})
    return [
        Move(r.chain_n, Happening.CHAIN_ENDED, changes)
        for r in case.chain
        if r.chain_n != case.chain_n and is_open(r.status)
    ]


def _ended(case: Case) -> tuple[Move, ...]:
    """What befalls the chain when nothing more is to be done."""
    others = [r for r in case.chain if r.chain_n != case.chain_n]
    in_hands = [r for r in others if r.status is RecordStatus.RETRIEVED]
    if case.ending is None:
        return tuple(Move(r.chain_n, Happening.CHAIN_POSTPONED, {"due_at_s": None}) for r in in_hands)
    if case.ending is Happening.LEASE_ENDED:
        stale = {"call_result": CallResult.STALE}
        siblings = [Move(r.chain_n, Happening.LEASE_ENDED, dict(stale)) for r in in_hands]
    else:
        siblings = _siblings_ended(case)
    return (Move(case.chain_n, case.ending, {"due_at_s": None}), *siblings)
