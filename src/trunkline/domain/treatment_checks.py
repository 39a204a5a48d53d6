"""What a treatment plan may not say, and where it says so.

A fault names its place as a path through the document: ``rules.Busy[2].interval_min`` is the wait of the third step
(counted from 0) of the sequence for Busy.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from trunkline.domain.enums import CallAction, CallResult, RecordAction
from trunkline.domain.records import MAX_FIELD_NAME
from trunkline.domain.treatment_times import is_clock, read_date
from trunkline.domain.treatments import (
    ACTION_NAMES,
    AFTER_A_MISSED_CALLBACK,
    ENDS,
    GOES_ON,
    MAX_CYCLES,
    MAX_DESCRIPTION,
    MAX_DISPOSITION,
    MAX_INCREMENT_MIN,
    MAX_INTERVAL_MIN,
    MAX_NAME,
    MAX_PASSES,
    MAX_RULES,
    MAX_SAME_DAY_MIN,
    MAX_STEP_ID,
    MAX_STEPS,
    MAX_TARGET,
    MISSED,
    Step,
    TreatmentPlan,
    TreatmentRule,
    numbered,
)
from trunkline.errors import OutOfRange

MAX_FAULTS = 50
"""Faults told at once: whoever has more has sent something else than a plan."""

_A = RecordAction
_WAITS = frozenset({_A.CYCLE, _A.RETRY_IN, _A.NEXT_IN_CHAIN_AFTER, _A.ASSIGN_TO_GROUP, _A.RESCHEDULE})
_NEEDS_A_WAIT = frozenset({_A.RETRY_IN, _A.NEXT_IN_CHAIN_AFTER})
_HAS_A_DATE = frozenset({_A.RETRY_AT_DATE, _A.NEXT_IN_CHAIN_AT_DATE})
_MISPLACED = frozenset({CallResult.DO_NOT_CALL, CallResult.CANCEL_RECORD})
"""Results whose records are closed before any treatment could run."""


class Fault(msgspec.Struct, frozen=True):
    """What is wrong, and where."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class PlanRefused(OutOfRange):
    """A treatment plan is not accepted; ``faults`` are in the order of the document."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(f"{faults[0]}{more}" if faults else "the treatment plan is not accepted")


def check(plan: TreatmentPlan) -> TreatmentPlan:
    """The plan with a number for every step; ``PlanRefused`` when it cannot be accepted."""
    faults = faults_of(plan)
    if faults:
        raise PlanRefused(faults)
    return numbered(plan)


def faults_of(plan: TreatmentPlan) -> list[Fault]:
    """Everything that is wrong with a plan, the first ``MAX_FAULTS`` in the order of the document."""
    found: list[Fault] = []
    for fault in _faults(plan):
        found.append(fault)
        if len(found) == MAX_FAULTS:
            break
    return found


def _faults(plan: TreatmentPlan) -> Iterator[Fault]:
    yield from _text("name", plan.name, MAX_NAME, is_required=True)
    yield from _text("description", plan.description, MAX_DESCRIPTION)
    yield from _text("disposition_field", plan.disposition_field, MAX_FIELD_NAME)
    if not plan.rules:
        yield Fault("rules", "a plan needs a sequence for at least one call result or disposition")
    if len(plan.rules) > MAX_RULES:
        yield Fault("rules", f"a plan holds at most {MAX_RULES} sequences")
        return
    seen: set[tuple[CallResult | None, str | None]] = set()
    for rule in plan.rules:
        key = (rule.call_result, rule.disposition)
        if key in seen:
            yield Fault(rule.path, "there are two sequences for this")
        seen.add(key)
        yield from _rule(plan, rule)
    yield from _numbers(plan)


def _text(path: str, text: str, limit: int, *, is_required: bool = False) -> Iterator[Fault]:
    if is_required and not text.strip():
        yield Fault(path, "is required")
    elif len(text) > limit:
        yield Fault(path, f"is longer than {limit} characters")
    elif not all(character.isprintable() or character == "\n" for character in text):
        yield Fault(path, "may hold printable characters only")


def _rule(plan: TreatmentPlan, rule: TreatmentRule) -> Iterator[Fault]:
    if (rule.call_result is None) is (rule.disposition is None):
        yield Fault(rule.path, "a sequence is for one call result or one disposition")
    if rule.disposition is not None:
        yield from _text(rule.path, rule.disposition, MAX_DISPOSITION, is_required=True)
        if rule.disposition != rule.disposition.strip():
            yield Fault(rule.path, "a disposition neither begins nor ends with a space")
        if not plan.disposition_field:
            yield Fault("disposition_field", "is required: which custom field holds the disposition?")
    if rule.call_result in _MISPLACED:
        yield Fault(rule.path, "is never treated: the record is closed by the request itself")
    if not rule.steps:
        yield Fault(rule.path, "a sequence needs at least one step")
    if len(rule.steps) > MAX_STEPS:
        yield Fault(rule.path, f"a sequence holds at most {MAX_STEPS} steps")
        return
    for place, step in enumerate(rule.steps):
        path = f"{rule.path}[{place}]"
        yield from _step(path, rule, step)
        if place and rule.steps[place - 1].action in ENDS:
            yield Fault(path, f"is never reached: step {place - 1} ends the treatment")


def _step(path: str, rule: TreatmentRule, step: Step) -> Iterator[Fault]:
    action = step.action
    if action not in ACTION_NAMES:
        yield Fault(f"{path}.action", "is not an action")
        return
    if rule.call_result in MISSED and action not in AFTER_A_MISSED_CALLBACK:
        allowed = ", ".join(sorted(ACTION_NAMES[one] for one in AFTER_A_MISSED_CALLBACK))
        yield Fault(f"{path}.action", f"nobody was called; allowed are {allowed}")
    if not 0 <= step.step_id <= MAX_STEP_ID:
        yield Fault(f"{path}.id", f"must lie between 1 and {MAX_STEP_ID}")
    yield from _counts(path, step)
    yield from _times(path, step)
    yield from _targets(path, step)


def _counts(path: str, step: Step) -> Iterator[Fault]:
    name = ACTION_NAMES[step.action]
    if not 1 <= step.attempts <= MAX_CYCLES:
        yield Fault(f"{path}.attempts", f"must lie between 1 and {MAX_CYCLES}")
    elif step.attempts != 1 and step.action is not _A.CYCLE:
        yield Fault(f"{path}.attempts", f"{name} is done once; only Cycle is repeated")
    if not 1 <= step.passes <= MAX_PASSES:
        yield Fault(f"{path}.passes", f"must lie between 1 and {MAX_PASSES}")
    elif step.passes != 1 and step.action not in GOES_ON:
        yield Fault(f"{path}.passes", f"{name} does not go through the chain")


def _times(path: str, step: Step) -> Iterator[Fault]:
    name = ACTION_NAMES[step.action]
    if step.interval_min is None:
        if step.action in _NEEDS_A_WAIT:
            yield Fault(f"{path}.interval_min", f"{name} needs it: how many minutes to wait?")
    elif step.action not in _WAITS:
        yield Fault(f"{path}.interval_min", f"{name} does not wait for a number of minutes")
    else:
        least = 1 if step.action in _NEEDS_A_WAIT else 0
        most = MAX_SAME_DAY_MIN if step.action is _A.RETRY_IN else MAX_INTERVAL_MIN
        if not least <= step.interval_min <= most:
            yield Fault(f"{path}.interval_min", f"must lie between {least} and {most} minutes")
    if not 0 <= step.increment_min <= MAX_INCREMENT_MIN:
        yield Fault(f"{path}.increment_min", f"must lie between 0 and {MAX_INCREMENT_MIN} minutes")
    elif step.increment_min and not (step.action is _A.CYCLE and step.attempts > 1):
        yield Fault(f"{path}.increment_min", "has a meaning for a Cycle of two or more attempts only")
    if step.action in _HAS_A_DATE:
        if not is_clock(step.at) and read_date(step.at) is None:
            yield Fault(f"{path}.at", "must have the form hh:mm or yyyy-mm-dd hh:mm")
    elif step.at:
        yield Fault(f"{path}.at", f"{name} has no date")


def _targets(path: str, step: Step) -> Iterator[Fault]:
    name = ACTION_NAMES[step.action]
    for key, text, owner, limit, question in (
        ("field", step.field, _A.RESCHEDULE, MAX_FIELD_NAME, "which custom field holds the time?"),
        ("hook", step.hook, _A.EXECUTE_SQL_STATEMENT, MAX_NAME, "which webhook is to be told?"),
    ):
        if step.action is not owner:
            if text:
                yield Fault(f"{path}.{key}", f"{name} has none")
        elif not text.strip():
            yield Fault(f"{path}.{key}", f"{name} needs it: {question}")
        else:
            yield from _text(f"{path}.{key}", text, limit)
    if "," in step.hook:
        yield Fault(f"{path}.hook", "may hold no comma; a webhook with one cannot be named by a plan")
    yield from _text(f"{path}.call_target", step.call_target, MAX_TARGET)
    if step.call_target and step.call_action is CallAction.NO_CALL_ACTION_CODE:
        yield Fault(f"{path}.call_target", "has a meaning with a call_action only")


def _numbers(plan: TreatmentPlan) -> Iterator[Fault]:
    """Two steps with one number would be one step to a history."""
    owners: dict[int, str] = {}
    for rule in numbered(plan).rules:
        for place, step in enumerate(rule.steps):
            path = f"{rule.path}[{place}]"
            if step.step_id in owners:
                yield Fault(
                    f"{path}.id", f"{step.step_id} is the number of {owners[step.step_id]} too; give it another"
                )
            owners.setdefault(step.step_id, path)
