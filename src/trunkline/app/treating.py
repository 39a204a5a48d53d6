"""What follows a call result: the list's treatment plan is asked, and its decision written down.

Every decision of a plan is a row of the attempt log (step TREATED), so that "why was it called again" has an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from trunkline.app.callbacks.reads import CALLBACK_TYPES
from trunkline.app.view import View
from trunkline.domain.attempts import AttemptRow, AttemptStep, attempt_row
from trunkline.domain.campaigns import CallingList, Campaign
from trunkline.domain.chains import carries
from trunkline.domain.desk import DeskEntry
from trunkline.domain.enums import CallResult, RecordAction, Treatment
from trunkline.domain.objects import ObjectKind
from trunkline.domain.records import Happening, Record, is_open, moved
from trunkline.domain.treatment_decisions import Case, Treated, decide, ended
from trunkline.domain.treatments import ACTION_NAMES, MISSED, UNCOUNTED, Step, TreatmentPlan, TreatmentRule, numbered

MISSED_PERSONAL = TreatmentRule(
    call_result=CallResult.AGENT_CALL_BACK_ERROR,
    steps=(Step(step_id=4701, action=RecordAction.ASSIGN_TO_GROUP),),
)
"""What follows a missed personal callback when the plan has nothing for it: the promise was the contact centre's, so
a colleague keeps it."""
BUILT_IN = TreatmentPlan(contact_centre_id=0, treatment_id=0, name="", rules=(MISSED_PERSONAL,))


class Outcome(msgspec.Struct, frozen=True):
    """What the end of a call changes: records, and rows of the attempt log."""

    records: list[Record]
    attempts: list[AttemptRow]


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a call ended: for whom a retry is, who worked it, and what becomes of the record at last (see ``Case``)."""

    whom: Treatment = Treatment.CAMPAIGN
    agent_id: int | None = None
    happening: Happening | None = Happening.FINISHED
    attempt_guid: str = ""
    campaign_group_id: int | None = None
    permitted_at_ms: int = 0


def plan_of(view: View, calling_list: CallingList) -> TreatmentPlan | None:
    """The plan of a list; None when it has none, or one that is switched off."""
    centre = calling_list.contact_centre_id
    plan = view.book.value(TreatmentPlan, centre, ObjectKind.TREATMENT, calling_list.treatment_id)
    if plan is None or not plan.is_enabled:
        return None
    return plan if plan.is_numbered else numbered(plan)


def counted(record: Record) -> Record:
    """The record with one attempt more, unless its result is none (outbound domain 1.1)."""
    if record.call_result in UNCOUNTED:
        return record
    return msgspec.structs.replace(record, attempts=record.attempts + 1)


def treat(view: View, calling_list: CallingList, chain: Sequence[Record], record: Record, ending: Ending) -> Outcome:
    """What becomes of a chain after the call of ``record`` (its values as they are after the call).

    Without a plan, or one that says nothing about the result, the result is final and its siblings end with it.
    """
    chain = [record if one.chain_n == record.chain_n else one for one in chain]
    case = Case(
        chain=chain,
        chain_n=record.chain_n,
        max_attempts=calling_list.max_attempts,
        now_s=view.now_s,
        whom=ending.whom,
        agent_id=ending.agent_id,
        ending=ending.happening,
    )
    plan = plan_of(view, calling_list)
    for asked in (plan, BUILT_IN):
        rule = None if asked is None else asked.rule_for(record.call_result, _disposition(asked, record))
        if asked is not None and rule is not None:
            treated = decide(asked, rule, case)
            records = treated.records(chain)
            if rule.disposition is not None and treated.next_chain_n is not None:
                records = [_without(one, asked.disposition_field) for one in records]
            return Outcome(records, [_row(view, asked, record, treated, ending)])
    treated = ended(case, "the plan says nothing about this result: it is final")
    return Outcome(treated.records(chain), [] if plan is None else [_row(view, plan, record, treated, ending)])


def _disposition(plan: TreatmentPlan, record: Record) -> object:
    """The value that chooses a sequence; None when there was no call that an agent could have judged."""
    is_judged = plan.disposition_field and record.call_result not in (*MISSED, CallResult.STALE)
    return record.other_fields.get(plan.disposition_field) if is_judged else None


def _without(record: Record, field: str) -> Record:
    """The record with that field emptied: the next call has a disposition of its own, or none."""
    if field not in record.other_fields:
        return record
    return msgspec.structs.replace(record, other_fields={**record.other_fields, field: None})


def _row(view: View, plan: TreatmentPlan, record: Record, treated: Treated, ending: Ending) -> AttemptRow:
    """The decision as a row; its ``detail`` names plan, version, sequence, step, the next call, and why."""
    stored = view.book.object(record.contact_centre_id, ObjectKind.TREATMENT, plan.treatment_id)
    step = treated.step
    detail: dict[str, str | int | float | bool | None] = {
        "treatment_id": plan.treatment_id,
        "treatment_version": stored.version if stored is not None else 0,
        "rule": treated.rule,
        "action": ACTION_NAMES[step.action] if step is not None else "",
        "step_id": step.step_id if step is not None else 0,
        "due_at_s": treated.due_at_s,
        "next_chain_n": treated.next_chain_n,
        "history": treated.history,
        "why": treated.why,
    }
    if treated.hooks:
        detail["hooks"] = ",".join(treated.hooks)
    return attempt_row(
        record,
        AttemptStep.TREATED,
        view.now_ms,
        ending.attempt_guid,
        campaign_group_id=ending.campaign_group_id,
        detail=detail,
    )


def ending_of(entry: DeskEntry, campaign: Campaign | None, **values: object) -> Ending:
    """An ending of what lay on a desk."""
    known: dict[str, object] = {
        "agent_id": entry.user_id,
        "attempt_guid": entry.attempt_guid,
        "permitted_at_ms": entry.permitted_at_ms,
        "campaign_group_id": campaign.group_id if campaign is not None else None,
    }
    return Ending(**{**known, **values})  # type: ignore[arg-type]


def log_row(view: View, record: Record, step: AttemptStep, ending: Ending, **detail: str | int | None) -> AttemptRow:
    """A row of the attempt log about a step of an attempt; with the facts that reports tell of it."""
    facts: dict[str, str | int | float | bool | None] = {
        "phone_number": record.phone_number,
        "phone_type": int(record.phone_type),
        **detail,
    }
    if ending.permitted_at_ms:
        facts["permitted_at_ms"] = ending.permitted_at_ms
    return attempt_row(
        record,
        step,
        view.now_ms,
        ending.attempt_guid,
        campaign_group_id=ending.campaign_group_id,
        agent_id=ending.agent_id,
        detail=facts,
    )


def ended_row(
    view: View, record: Record, ending: Ending, chain: Iterable[Record], changed: Iterable[Record] = ()
) -> AttemptRow:
    """The row of an attempt that has its result; ``changed`` are the records of the chain as they are after it."""
    after = {one.chain_n: one for one in (*chain, *changed)}
    row = log_row(view, record, AttemptStep.ENDED, ending)
    return msgspec.structs.replace(row, is_lead=not any(is_open(one.status) for one in after.values()))


def is_promised(record: Record) -> bool:
    """True for a callback, or a retry for one agent, that has its time."""
    return record.record_type in CALLBACK_TYPES and carries(record)


def miss(view: View, calling_list: CallingList, chain: Sequence[Record], record: Record, ending: Ending) -> Outcome:
    """A callback was not kept: result 47 or 48, status MISSED_CALL_BACK, then the treatment of that result.

    A personal one falls to the campaign when the plan says nothing else. A campaign's stays missed, for a supervisor.
    """
    is_personal = record.record_type.is_personal
    result = CallResult.AGENT_CALL_BACK_ERROR if is_personal else CallResult.GROUP_CALL_BACK_ERROR
    missed = moved(record, Happening.CALLBACK_MISSED, call_result=result)
    ending = msgspec.structs.replace(
        ending,
        whom=Treatment.PERSONAL if is_personal else Treatment.CAMPAIGN,
        agent_id=record.agent_id,
        happening=None,
    )
    outcome = treat(view, calling_list, chain, missed, ending)
    records = outcome.records
    if all(one.chain_n != missed.chain_n for one in records):
        records = [missed, *records]
    row = log_row(view, missed, AttemptStep.CALLBACK_MISSED, ending, due_at_s=record.due_at_s)
    return Outcome(records, [row, *outcome.attempts])
