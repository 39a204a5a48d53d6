"""Treatment plans as people write them: decoded YAML or JSON in, a checked plan out, and back.

::

    name: Standard
    disposition_field: outcome
    rules:
      Busy:
        - {action: Cycle, attempts: 3, interval_min: 30, increment_min: 5}
        - {action: NextInChain}
    dispositions:
      wrong person:
        - {action: MarkDB}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from trunkline.domain.enums import CallAction, CallResult, RecordAction
from trunkline.domain.treatment_checks import MAX_FAULTS, Fault, PlanRefused, check
from trunkline.domain.treatments import (
    ACTION_NAMES,
    CALL_ACTION_NAMES,
    ENDS,
    MAX_RULES,
    MAX_STEPS,
    Step,
    TreatmentPlan,
    TreatmentRule,
    result_name,
    step_number,
)


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())


RESULTS: dict[str, CallResult] = {
    **{_plain(result.name): result for result in CallResult},
    **{str(result.value): result for result in CallResult},
    "answered": CallResult.ANSWER,
}
ACTIONS: dict[str, RecordAction] = {
    **{_plain(name): action for action, name in ACTION_NAMES.items()},
    **{str(action.value): action for action in ACTION_NAMES if action is not RecordAction.EXECUTE_SQL_STATEMENT},
    "redial": RecordAction.CYCLE,
}
CALL_ACTIONS: dict[str, CallAction] = {_plain(name): action for action, name in CALL_ACTION_NAMES.items()}
_SQL = {_plain(RecordAction.EXECUTE_SQL_STATEMENT.name), str(RecordAction.EXECUTE_SQL_STATEMENT.value)}

_PLAN_KEYS = ("name", "description", "is_enabled", "disposition_field", "rules", "dispositions")
_NUMBERS = ("attempts", "passes", "interval_min", "increment_min")
_TEXTS = ("at", "field", "hook", "call_target")
_STEP_KEYS = ("id", "action", *_NUMBERS, *_TEXTS, "call_action")


def plan_of(document: object, *, contact_centre_id: int, treatment_id: int, name: str = "") -> TreatmentPlan:
    """The plan that a decoded document describes, checked; ``name`` stands in for a name that it does not give.

    Raises ``PlanRefused``, whose faults name each place; nothing of a faulty document is used.
    """
    reader = _Reader()
    plan = reader.plan(document, contact_centre_id, treatment_id, name)
    if plan is None or reader.faults:
        raise PlanRefused(reader.faults[:MAX_FAULTS])
    return check(plan)


def document_of(plan: TreatmentPlan) -> dict[str, Any]:
    """The document of a plan; ``plan_of`` makes the same plan of it."""
    found: dict[str, Any] = {"name": plan.name}
    if plan.description:
        found["description"] = plan.description
    if not plan.is_enabled:
        found["is_enabled"] = False
    if plan.disposition_field:
        found["disposition_field"] = plan.disposition_field
    rules = {rule.name: _steps_of(rule) for rule in plan.rules if rule.call_result is not None}
    dispositions = {rule.name: _steps_of(rule) for rule in plan.rules if rule.call_result is None}
    return found | {"rules": rules} | ({"dispositions": dispositions} if dispositions else {})


def _steps_of(rule: TreatmentRule) -> list[dict[str, Any]]:
    steps = []
    for place, step in enumerate(rule.steps):
        said: dict[str, Any] = {"action": ACTION_NAMES[step.action]}
        if step.step_id not in (0, step_number(rule, place)):
            said["id"] = step.step_id
        defaults = Step(action=step.action)
        for key in (*_NUMBERS, *_TEXTS):
            if getattr(step, key) != getattr(defaults, key):
                said[key] = getattr(step, key)
        if step.call_action is not CallAction.NO_CALL_ACTION_CODE:
            said["call_action"] = CALL_ACTION_NAMES[step.call_action]
        steps.append(said)
    return steps


class _Reader:
    """One reading: collects what is wrong and goes on, so that an author sees all of it at once."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def fault(self, path: str, message: str) -> None:
        self.faults.append(Fault(path, message))

    def plan(self, document: object, contact_centre_id: int, treatment_id: int, name: str) -> TreatmentPlan | None:
        """The plan as far as it could be read."""
        if not isinstance(document, Mapping):
            self.fault("", "the document must be a mapping with name and rules")
            return None
        self.unknown_keys("", document, _PLAN_KEYS)
        is_enabled = document.get("is_enabled", True)
        if not isinstance(is_enabled, bool):
            self.fault("is_enabled", "must be true or false")
            is_enabled = True
        rules: list[TreatmentRule] = []
        for key, is_result in (("rules", True), ("dispositions", False)):
            rules += self.rules(key, document.get(key), is_result=is_result)
        return TreatmentPlan(
            contact_centre_id=contact_centre_id,
            treatment_id=treatment_id,
            name=self.text("name", document.get("name"), name),
            is_enabled=is_enabled,
            description=self.text("description", document.get("description")),
            disposition_field=self.text("disposition_field", document.get("disposition_field")),
            rules=tuple(rules),
        )

    def unknown_keys(self, path: str, mapping: Mapping[Any, Any], known: tuple[str, ...]) -> None:
        """A key that is misspelt would be a rule that nobody follows: it is a fault."""
        for key in mapping:
            if key not in known:
                where = f"{path}.{key}" if path else str(key)
                self.fault(where[:200], f"is not known here; known are {', '.join(known)}")

    def text(self, path: str, value: object, default: str = "") -> str:
        """A text; None and what is absent are the default."""
        if value is None:
            return default
        if not isinstance(value, str):
            self.fault(path, "must be a text; write it in quotes")
            return default
        return value

    def rules(self, key: str, value: object, *, is_result: bool) -> list[TreatmentRule]:
        """The sequences under ``rules`` or ``dispositions``."""
        if value is None:
            return []
        if not isinstance(value, Mapping):
            self.fault(key, "must be a mapping from a name to a list of steps")
            return []
        if len(value) > MAX_RULES:
            self.fault(key, f"holds more than {MAX_RULES} sequences")
            return []
        found: list[TreatmentRule] = []
        seen: dict[CallResult, str] = {}
        for name, steps in value.items():
            path = f"{key}.{str(name)[:64]}"
            if not is_result:
                if isinstance(name, bool) or not isinstance(name, str | int):
                    self.fault(path, "a disposition must be a text; write it in quotes")
                    continue
                found.append(TreatmentRule(disposition=str(name), steps=self.steps(path, steps)))
                continue
            is_name = isinstance(name, str | int) and not isinstance(name, bool)
            result = RESULTS.get(_plain(str(name))) if is_name else None
            if result is None:
                self.fault(path, "is not a call result")
                continue
            if result in seen:
                self.fault(path, f"there are two sequences for {result_name(result)}: here and {seen[result]}")
                continue
            seen[result] = path
            found.append(TreatmentRule(call_result=result, steps=self.steps(path, steps)))
        return found

    def steps(self, path: str, value: object) -> tuple[Step, ...]:
        """A list of steps; a single step may stand without the list."""
        if isinstance(value, Mapping):
            value = [value]
        if not isinstance(value, list):
            self.fault(path, "must be a list of steps")
            return ()
        if len(value) > MAX_STEPS:
            self.fault(path, f"holds more than {MAX_STEPS} steps")
            return ()
        read = [self.step(f"{path}[{place}]", step) for place, step in enumerate(value)]
        return tuple(step for step in read if step is not None)

    def step(self, path: str, value: object) -> Step | None:
        """One step, or None when there is no telling what it does."""
        if not isinstance(value, Mapping):
            self.fault(path, "must be a mapping with an action")
            return None
        self.unknown_keys(path, value, _STEP_KEYS)
        action = self.action(f"{path}.action", value.get("action"))
        if action is None:
            return None
        fields: dict[str, Any] = {}
        for key in ("id", *_NUMBERS):
            number = value.get(key)
            if number is None:
                continue
            if isinstance(number, bool) or not isinstance(number, int):
                self.fault(f"{path}.{key}", "must be a whole number")
            elif key == "id" and number < 1:
                self.fault(f"{path}.id", "must be 1 or more")
            else:
                fields["step_id" if key == "id" else key] = number
        for key in _TEXTS:
            fields[key] = self.text(f"{path}.{key}", value.get(key))
        said = value.get("call_action")
        if said is not None:
            call_action = CALL_ACTIONS.get(_plain(said)) if isinstance(said, str) else None
            if call_action is None:
                self.fault(f"{path}.call_action", f"must be one of {', '.join(CALL_ACTION_NAMES.values())}")
            else:
                fields["call_action"] = call_action
        return Step(action=action, **fields)

    def action(self, path: str, said: object) -> RecordAction | None:
        """The action of that name."""
        if said is None:
            self.fault(path, "is required")
            return None
        known = None if isinstance(said, bool) or not isinstance(said, str | int) else _plain(str(said))
        if known in _SQL:
            self.fault(path, "a plan runs no SQL here; let an HttpHook tell the program that does")
            return None
        action = ACTIONS.get(known) if known is not None else None
        if action is None:
            self.fault(path, f"must be one of {', '.join(ACTION_NAMES.values())}")
        return action


class Row(msgspec.Struct, frozen=True):
    """One line of the table view."""

    name: str
    sentence: str


def table_of(plan: TreatmentPlan) -> list[Row]:
    """The plan in words, a row for each sequence: "30 min, +5, at most 3, then next number"."""
    return [Row(rule.name, ", then ".join(_words(step) for step in rule.steps)) for rule in plan.rules]


def _words(step: Step) -> str:
    said = _action_words(step)
    if step.call_action is not CallAction.NO_CALL_ACTION_CODE:
        to = f" {step.call_target}" if step.call_target else ""
        said += f" [call: {CALL_ACTION_NAMES[step.call_action]}{to}]"
    return said


def _action_words(step: Step) -> str:
    wait = _minutes(step.interval_min or 0)
    passes = f" ({step.passes} passes)" if step.passes > 1 else ""
    match step.action:
        case RecordAction.CYCLE:
            more = f", +{step.increment_min}" if step.increment_min else ""
            return f"{wait}{more}, at most {step.attempts}"
        case RecordAction.RETRY_IN:
            return f"{wait} the same day"
        case RecordAction.RETRY_AT_DATE:
            return f"at {step.at}"
        case RecordAction.RESCHEDULE:
            otherwise = f", else {wait}" if step.interval_min is not None else ""
            return f"at the time in {step.field}{otherwise}"
        case RecordAction.NEXT_IN_CHAIN:
            return f"next number{passes}"
        case RecordAction.NEXT_IN_CHAIN_AFTER:
            return f"next number after {wait}{passes}"
        case RecordAction.NEXT_IN_CHAIN_AT_DATE:
            return f"next number at {step.at}{passes}"
        case RecordAction.ASSIGN_TO_GROUP:
            return "callback for the campaign" + (f" after {wait}" if step.interval_min else "")
        case RecordAction.EXECUTE_SQL_STATEMENT:
            return f"tell {step.hook}"
    return _END_WORDS[step.action]


_END_WORDS = {
    RecordAction.MARK_DB: "no more calls",
    RecordAction.MARK_ALL_CHAIN: "no more calls, result for all numbers",
    RecordAction.MARK_AS_AGENT_ERROR: "agent error",
    RecordAction.DELEGATE_FOR_PROCESSING: "delegated",
}
assert set(_END_WORDS) == ENDS


def _minutes(number: int) -> str:
    if number == 0:
        return "at once"
    if number % 1440 == 0:
        days = number // 1440
        return f"{days} day" if days == 1 else f"{days} days"
    return f"{number // 60} h" if number % 60 == 0 and number >= 120 else f"{number} min"
