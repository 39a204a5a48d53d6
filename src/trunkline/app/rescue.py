"""What must happen though nobody asks: leases that ran out, stale records reset, refusals that go out as events."""

from __future__ import annotations

import msgspec

from trunkline.app.asking import Asked, Rules
from trunkline.app.hand_out import released_rows
from trunkline.app.records import is_worked
from trunkline.app.view import Decision, View
from trunkline.domain.desk import DeskEntry
from trunkline.domain.enums import CallResult, RecordStatus
from trunkline.domain.events import AnyEvent, RecordWithdrawn, RequestFailed
from trunkline.domain.people import Caller, Role
from trunkline.domain.records import Happening, Record, moved
from trunkline.errors import Forbidden, NotFound

MAX_EXPIRED = 200
"""Leases ended in one transaction; the loop comes back at once while there are more."""

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
    """Turn records whose agent left or never reported into STALE, and tell the agent that they are gone."""
    expired = await view.unit.expired(view.now_ms, command.limit)
    records: list[Record] = []
    entries: list[DeskEntry] = []
    notices: list[tuple[DeskEntry, AnyEvent]] = []
    for stored in expired:
        held = await view.held(stored.entry.contact_centre_id, stored.entry.handle)
        if held is None or held.entry.lease_until_ms is None or held.entry.lease_until_ms > view.now_ms:
            continue
        if is_worked(held.entry, {held.record.chain_n: held.record}):
            records.append(moved(held.record, Happening.LEASE_ENDED, call_result=CallResult.STALE))
        entries.append(held.entry)
        notice = withdrawn(view, held.entry)
        if notice is not None:
            notices.append((held.entry, notice))
    released = released_rows(view, entries, records)
    return Decision(records=records, off_desk=entries, notices=notices, attempts=released, is_silent=True)


def withdrawn(view: View, entry: DeskEntry) -> RecordWithdrawn | None:
    """What tells an agent that a record is gone; None when its campaign was deleted."""
    campaign = view.book.campaign_by_id(entry.contact_centre_id, entry.campaign_id, entry.user_id)
    if campaign is None:
        return None
    return RecordWithdrawn(
        device_id=entry.device_id,
        application_id=campaign.application_id,
        campaign_name=campaign.name,
        list_name=view.book.list_by_id(entry.contact_centre_id, entry.list_id).name,
        handle=entry.handle,
    )


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
