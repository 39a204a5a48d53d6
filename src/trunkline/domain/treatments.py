"""Treatments: what follows a call result.

A plan holds, for a call result or for a disposition (the value of one custom field), a sequence of steps. Each
decision takes the first step of the sequence that is not used up and can be carried out; ``treatment_decisions``
says which, ``treatment_checks`` what a plan may not say, ``treatment_documents`` how people write it.
Source: outbound domain 5; what the sources leave open is decided in ``docs/topics/treatments.md``.
"""

from __future__ import annotations

import zlib

import msgspec

from trunkline.domain.enums import CallAction, CallResult, RecordAction, RecordType

MAX_RULES = 200
"""Sequences of one plan: every call result once, and as many dispositions as an agent can choose from."""
MAX_STEPS = 20
"""Steps of one sequence: more than anybody can foresee by reading them."""
MAX_CYCLES = 100
"""Times one step may dial again: far above any law and any list's own limit."""
MAX_PASSES = 10
"""Passes through a chain."""
MAX_INTERVAL_MIN = 43_200
"""Thirty days: what is to come later than that is a date."""
MAX_SAME_DAY_MIN = 1_439
"""A minute less than a day: a longer wait never ends on the same day."""
MAX_INCREMENT_MIN = 1_440
"""A day."""
MAX_NAME = 128
MAX_DESCRIPTION = 1_000
MAX_DISPOSITION = 64
"""Characters of a disposition: a code or a short phrase out of an agent's list."""
MAX_TARGET = 128
"""Characters of a destination: a number or an address."""
MAX_STEP_ID = 999_999_999
"""Ids have at most nine digits, so that a history stays short."""

_A = RecordAction
DIALS_AGAIN = frozenset({_A.CYCLE, _A.RETRY_IN, _A.RETRY_AT_DATE, _A.RESCHEDULE, _A.ASSIGN_TO_GROUP})
"""Actions after which this very record is to be called again; each needs an attempt that is left."""
GOES_ON = frozenset({_A.NEXT_IN_CHAIN, _A.NEXT_IN_CHAIN_AFTER, _A.NEXT_IN_CHAIN_AT_DATE})
"""Actions after which another record of the chain is called."""
ENDS = frozenset({_A.MARK_DB, _A.MARK_ALL_CHAIN, _A.MARK_AS_AGENT_ERROR, _A.DELEGATE_FOR_PROCESSING})
"""Actions that can always be carried out and after which nothing is called: what follows them is never reached."""
AFTER_A_MISSED_CALLBACK = frozenset(
    {_A.ASSIGN_TO_GROUP, _A.MARK_AS_AGENT_ERROR, _A.CYCLE, _A.RETRY_AT_DATE, _A.RETRY_IN}
)
"""What may follow results 47 and 48, for which nobody was called (outbound domain 2.4)."""

READ_BACK = frozenset(
    {
        RecordType.CAMPAIGN_RESCHEDULED,
        RecordType.PERSONAL_RESCHEDULED,
        RecordType.PERSONAL_CALL_BACK,
        RecordType.CAMPAIGN_CALL_BACK,
    }
)
"""Record types whose treatment history counts (outbound domain 1.4)."""

_R = CallResult
UNCOUNTED = frozenset(
    {
        *(_R.GENERAL_ERROR, _R.SYSTEM_ERROR, _R.DIAL_ERROR, _R.CALL_DROP_ERROR, _R.SWITCH_ERROR),
        *(_R.NO_FREE_PORT_ERROR, _R.TRANSFER_ERROR, _R.STALE, _R.AGENT_CALL_BACK_ERROR, _R.GROUP_CALL_BACK_ERROR),
    }
)
"""Results that are no attempt: errors (outbound domain 1.1, attempt), and those for which nobody dialed."""
MISSED = frozenset({_R.AGENT_CALL_BACK_ERROR, _R.GROUP_CALL_BACK_ERROR})

ACTION_NAMES: dict[RecordAction, str] = {
    _A.MARK_DB: "MarkDB",
    _A.MARK_ALL_CHAIN: "MarkAllChain",
    _A.CYCLE: "Cycle",
    _A.RETRY_IN: "RetryIn",
    _A.RETRY_AT_DATE: "RetryAtDate",
    _A.NEXT_IN_CHAIN: "NextInChain",
    _A.NEXT_IN_CHAIN_AFTER: "NextInChainAfter",
    _A.NEXT_IN_CHAIN_AT_DATE: "NextInChainAtDate",
    _A.ASSIGN_TO_GROUP: "AssignToGroup",
    _A.MARK_AS_AGENT_ERROR: "MarkAsAgentError",
    _A.RESCHEDULE: "Reschedule",
    _A.DELEGATE_FOR_PROCESSING: "DelegateForProcessing",
    _A.EXECUTE_SQL_STATEMENT: "HttpHook",
}
"""How documents name the actions."""
CALL_ACTION_NAMES: dict[CallAction, str] = {
    action: "".join(part.title() for part in action.name.split("_"))
    for action in CallAction
    if action is not CallAction.NO_CALL_ACTION_CODE
}


def result_name(result: CallResult) -> str:
    """How documents name a call result: ``NoAnswer``, ``SITDetected``."""
    name = "".join(part.title() for part in result.name.split("_"))
    return "SIT" + name[3:] if name.startswith("Sit") else name


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step of a sequence.

    ``step_id`` is what a history names; 0 stands for the number that ``numbered`` gives. ``attempts`` is how often a
    Cycle dials again before the sequence goes on, ``passes`` how often a next-in-chain step goes through the whole
    chain. ``interval_min`` is the wait in minutes, ``increment_min`` what each further cycle adds. ``at`` is
    ``hh:mm`` (the next time that the contact's clock shows it) or ``yyyy-mm-dd hh:mm`` in the record's zone.
    ``field`` names the custom field from which Reschedule takes its time, ``hook`` what an HttpHook step sends to.
    ``call_action`` and ``call_target`` are for the dialer while the call is still up.
    """

    step_id: int = 0
    action: RecordAction
    attempts: int = 1
    passes: int = 1
    interval_min: int | None = None
    increment_min: int = 0
    at: str = ""
    field: str = ""
    hook: str = ""
    call_action: CallAction = CallAction.NO_CALL_ACTION_CODE
    call_target: str = ""

    @property
    def is_repeated(self) -> bool:
        """True when the step counts how often it was carried out; all others are done once."""
        return self.action is RecordAction.CYCLE


class TreatmentRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A sequence of steps for one call result or one disposition: exactly one of the two is given."""

    steps: tuple[Step, ...]
    call_result: CallResult | None = None
    disposition: str | None = None

    @property
    def name(self) -> str:
        """What the sequence is for, as documents name it."""
        return result_name(self.call_result) if self.call_result is not None else str(self.disposition)

    @property
    def path(self) -> str:
        """Where the sequence stands in a document."""
        return f"rules.{self.name}" if self.call_result is not None else f"dispositions.{self.name}"


class TreatmentPlan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A treatment object: shared between lists, one plan for each list.

    ``disposition_field`` is the custom field whose value is looked up among the dispositions; a disposition goes
    before the call result.
    """

    contact_centre_id: int
    treatment_id: int
    name: str
    is_enabled: bool = True
    description: str = ""
    disposition_field: str = ""
    rules: tuple[TreatmentRule, ...] = ()

    def rule_for(self, result: CallResult, disposition: object = None) -> TreatmentRule | None:
        """The sequence for a result and a disposition (any custom field's value), or None."""
        if disposition is not None and self.disposition_field:
            said = str(disposition).strip()
            for rule in self.rules:
                if rule.disposition is not None and rule.disposition == said:
                    return rule
        return next((rule for rule in self.rules if rule.call_result is result), None)

    @property
    def is_numbered(self) -> bool:
        """True when every step has a number of its own."""
        return all(step.step_id for rule in self.rules for step in rule.steps)

    def find(self, step_id: int) -> tuple[TreatmentRule, int] | None:
        """The sequence and the place in it (from 0) of a step, or None when the plan has no such step."""
        for rule in self.rules:
            for place, step in enumerate(rule.steps):
                if step.step_id == step_id:
                    return rule, place
        return None


def step_number(rule: TreatmentRule, place: int) -> int:
    """The number of a step that was given none: the result's number, then the place (from 1) in two digits.

    Step 1 of Busy (6) is 601. A disposition has a number between 100 and 9,999,999 made of its text (CRC-32)
    instead of the result's. So a step keeps its number while others are added behind it or in other sequences.
    """
    if rule.call_result is not None:
        of = int(rule.call_result)
    else:
        of = 100 + zlib.crc32(str(rule.disposition).encode()) % 9_999_900
    return of * 100 + place + 1


def numbered(plan: TreatmentPlan) -> TreatmentPlan:
    """The plan with a number for every step."""
    replace = msgspec.structs.replace
    rules = tuple(
        replace(
            rule,
            steps=tuple(
                step if step.step_id else replace(step, step_id=step_number(rule, place))
                for place, step in enumerate(rule.steps)
            ),
        )
        for rule in plan.rules
    )
    return replace(plan, rules=rules)


class History(msgspec.Struct, frozen=True):
    """How far the treatment of a record is: column ``treatments``.

    ``attempt`` counts how often the step was carried out, ``chain_n`` is the record to dial next, ``chain_pass`` the
    pass through the chain; both counts begin at 1. Written ``601@2@0@1``.
    """

    step_id: int
    attempt: int
    chain_n: int
    chain_pass: int

    def __str__(self) -> str:
        return f"{self.step_id}@{self.attempt}@{self.chain_n}@{self.chain_pass}"


_MAX_HISTORY = 255
"""Column treatments of the original; what is longer was not written by a dialer."""


def read_history(text: str) -> History | None:
    """The history in a record's column; None for what is not one: imported rows may hold anything."""
    parts = text.split("@")
    if len(text) > _MAX_HISTORY or len(parts) != 4 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    step_id, attempt, chain_n, chain_pass = (int(part) for part in parts)
    if attempt < 1 or chain_pass < 1 or max(step_id, attempt, chain_n, chain_pass) > MAX_STEP_ID:
        return None
    return History(step_id, attempt, chain_n, chain_pass)
