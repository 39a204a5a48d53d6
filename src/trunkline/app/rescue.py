"""What must happen though nobody asks: leases that ran out, stale records reset, refusals that go out as events."""

from __future__ import annotations

import msgspec

from trunkline.app.asking import Asked, Rules
from trunkline.app.ports import PreviewSession
from trunkline.app.records import is_worked, on_same_desk
from trunkline.app.treating import Outcome, counted, ended_row, ending_of, is_promised, log_row, miss, treat
from trunkline.app.view import Decision, View
from trunkline.domain.attempts import AttemptStep
from trunkline.domain.chains import worked_record
from trunkline.domain.desk import DeskEntry
from trunkline.domain.enums import CallResult, RecordStatus
from trunkline.domain.events import RecordWithdrawn, RequestFailed
from trunkline.domain.people import Caller, Role
from trunkline.domain.records import Happening, Record, moved
from trunkline.errors import Forbidden, NotFound

MAX_EXPIRED = 200
"""Leases ended in one transaction; the loop comes back at once while there are more."""

REPORT_MS = 1_800_000
"""How long a call about a record that was taken away can still be reported: longer than calls last. Desktops close such
a record and never finish it, and a group that unloads would wait for its usual lease."""

SYSTEM = Caller(contact_centre_id=0, contact_centre_name="", user_id=0, public_id="", user_name="")
"""Who asks when nobody asks."""


class ExpireLeases(msgspec.Struct, frozen=True, kw_only=True):
    """End the leases that ran out. ``limit`` entries at most."""

    limit: int = MAX_EXPIRED


class ReportFailure(msgspec.Struct, frozen=True, kw_only=True):
    """Tell the agent that a request over the desktop's door was refused (decisions 2)."""

    device_id: str
    failure: RequestFailed


class ResetStale(msgspec.Struct, frozen=True, kw_only=True):
    """Make the stale records of a chain callable again (a supervisor's request)."""

    list_name: str
    chain_id: int


async def expire_leases(view: View, asked: Asked, command: ExpireLeases, rules: Rules) -> Decision:
    """Take chains whose agent left or never reported off the desk, and tell the agent that they are gone.

    A chain has one lease, the longest of its entries: whoever works one record keeps the others with it.
    """
    expired = await view.unit.expired(view.now_ms, command.limit)
    decision = Decision(records=[], off_desk=[], notices=[], desk=[], attempts=[], is_silent=True)
    seen: set[tuple[int, ...]] = set()
    for stored in expired:
        held = await view.held(stored.entry.contact_centre_id, stored.entry.handle)
        if held is None or held.entry.lease_until_ms is None or held.entry.lease_until_ms > view.now_ms:
            continue
        whose = (*held.entry.record_key[:3], held.entry.user_id)
        if whose in seen:
            continue
        seen.add(whose)
        entries, chain = await on_same_desk(view, held.entry)
        until_ms = _lease_of(entries)
        if until_ms is None or until_ms > view.now_ms:
            decision.desk = [*decision.desk, *_kept(entries, until_ms, view.now_ms)]
            continue
        outcome = await _abandoned(view, entries, chain, rules)
        decision.records = [*decision.records, *outcome.records]
        decision.attempts = [*decision.attempts, *outcome.attempts]
        decision.off_desk = [*decision.off_desk, *entries]
        notices = [(entry, withdrawn(view, entry)) for entry in entries]
        told = [(entry, event) for entry, event in notices if event is not None]
        decision.notices = [*decision.notices, *told]
    return decision


def _lease_of(entries: list[DeskEntry]) -> int | None:
    """Until when a chain stays on the desk; None for ever."""
    leases = [entry.lease_until_ms for entry in entries]
    return None if None in leases else max(lease for lease in leases if lease is not None)


def _kept(entries: list[DeskEntry], until_ms: int | None, now_ms: int) -> list[DeskEntry]:
    return [
        msgspec.structs.replace(entry, lease_until_ms=until_ms)
        for entry in entries
        if entry.lease_until_ms is not None and entry.lease_until_ms <= now_ms
    ]


async def _abandoned(view: View, entries: list[DeskEntry], chain: dict[int, Record], rules: Rules) -> Outcome:
    """What becomes of a chain that its agent left: the treatment of Stale, of a missed callback, or as configured."""
    lying = [entry for entry in entries if is_worked(entry, chain)]
    worked = [chain[entry.chain_n] for entry in lying]
    # What the agent was to call is what a rule had let go; siblings lie there to be read.
    record = worked_record([chain[entry.chain_n] for entry in lying if entry.permitted_at_ms] or worked)
    entry = next((one for one in entries if record is not None and one.chain_n == record.chain_n), entries[0])
    campaign = view.book.campaign_by_id(entry.contact_centre_id, entry.campaign_id, entry.user_id)
    ending = ending_of(entry, campaign, happening=Happening.LEASE_ENDED)
    if record is None:
        return Outcome([], [ended_row(view, chain[entry.chain_n], ending, chain.values())])
    try:
        calling_list = view.book.list_by_id(entry.contact_centre_id, entry.list_id)
    except NotFound:  # deleted since: nobody is to be called from it any more
        stale = [moved(one, Happening.LEASE_ENDED, call_result=CallResult.STALE) for one in worked]
        return Outcome(stale, [log_row(view, record, AttemptStep.RELEASED, ending)])
    if is_promised(record):
        outcome = miss(view, calling_list, list(chain.values()), record, ending)
        return Outcome(outcome.records, [log_row(view, record, AttemptStep.RELEASED, ending), *outcome.attempts])
    result, step = CallResult.STALE, AttemptStep.RELEASED
    if rules.logout_call_result is not None and not await _is_here(view, entry):
        result, step = rules.logout_call_result, AttemptStep.ENDED
        ending = msgspec.structs.replace(ending, happening=Happening.FINISHED)
        record = msgspec.structs.replace(record, agent_id=entry.user_id, called_at_s=view.now_s)
    record = msgspec.structs.replace(record, call_result=result)
    if step is AttemptStep.ENDED:
        record = counted(record)
    outcome = treat(view, calling_list, list(chain.values()), record, ending)
    if step is AttemptStep.ENDED:
        row = ended_row(view, record, ending, chain.values(), outcome.records)
    else:
        row = log_row(view, record, step, ending)
    return Outcome(outcome.records, [row, *outcome.attempts])


async def _is_here(view: View, entry: DeskEntry) -> bool:
    """True while the agent is logged in, or takes preview records of the campaign."""
    if await view.agent_session(entry.contact_centre_id, entry.user_id) is not None:
        return True
    session = PreviewSession(entry.contact_centre_id, entry.user_id, entry.campaign_id)
    return await view.has_preview_session(session)


def withdrawn(view: View, entry: DeskEntry) -> RecordWithdrawn | None:
    """What tells an agent that a record is gone; None when its campaign or list was deleted."""
    campaign = view.book.campaign_by_id(entry.contact_centre_id, entry.campaign_id)
    try:
        calling_list = view.book.list_by_id(entry.contact_centre_id, entry.list_id)
    except NotFound:
        return None
    if campaign is None:
        return None
    return RecordWithdrawn(
        device_id=entry.device_id,
        application_id=campaign.application_id,
        campaign_name=campaign.name,
        list_name=calling_list.name,
        handle=entry.handle,
    )


def soon_gone(entry: DeskEntry, now_ms: int) -> DeskEntry:
    """The entry of a record that was taken away from its agent, who may still report a call."""
    until_ms = now_ms + REPORT_MS
    if entry.lease_until_ms is not None:
        until_ms = min(until_ms, entry.lease_until_ms)
    return msgspec.structs.replace(entry, lease_until_ms=until_ms)


async def report_failure(view: View, asked: Asked, command: ReportFailure, rules: Rules) -> Decision:
    """Store the refusal as an event, so that it is delivered like any answer."""
    failure = msgspec.structs.replace(command.failure, **asked.base())
    return Decision(events=(failure,), handle=failure.handle, outcome=failure.number)


async def reset_stale(view: View, asked: Asked, command: ResetStale, rules: Rules) -> Decision:
    """Make a chain's stale records READY again; for supervisors and administrators."""
    caller = asked.caller
    if not caller.has_role(Role.SUPERVISOR, Role.ADMINISTRATOR):
        raise Forbidden("only a supervisor resets records")
    calling_list = view.book.list_named(caller.contact_centre_id, command.list_name)
    chain = await view.chain(caller.contact_centre_id, calling_list.list_id, command.chain_id)
    stale = [record for record in chain if record.status is RecordStatus.STALE]
    if not stale:
        raise NotFound("there is no stale record in this chain")
    records = [moved(record, Happening.RESET, call_result=CallResult.UNKNOWN) for record in stale]
    return Decision(records=records, list_id=calling_list.list_id)
