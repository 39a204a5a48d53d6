"""Use cases about records on a desk: update, complete, reject, reschedule, read the chain."""

from __future__ import annotations

from datetime import datetime

import msgspec

from trunkline.app.access import Work, work_of
from trunkline.app.asking import Asked, Rules
from trunkline.app.judging.desk_numbers import DeskNumber, is_another_number, judged_number
from trunkline.app.judging.number_places import located
from trunkline.app.treating import Outcome, counted, ended_row, ending_of, log_row, treat
from trunkline.app.view import Decision, View
from trunkline.domain.attempts import AttemptStep
from trunkline.domain.campaigns import CallingList
from trunkline.domain.chains import given_back
from trunkline.domain.commands import CompleteRecord, ReadChain, RejectRecord, RescheduleRecord, UpdateRecord
from trunkline.domain.desk import DeskEntry, touched
from trunkline.domain.eligibility import check_bounds, local_to_unix_s, offset_s, zone
from trunkline.domain.enums import CallbackType, Door, Hold, RecordStatus, RecordType, Treatment
from trunkline.domain.events import Acknowledgement, Appearance, RecordAcknowledged, RecordShown
from trunkline.domain.field_values import checked_fields
from trunkline.domain.records import FieldChanges, Happening, Record, check_phone_number, moved
from trunkline.errors import InvalidState, OutOfRange

MAX_DUE_S = 4_102_444_800
"""2100-01-01: a callback beyond the working life of everybody concerned is a mistaken unit."""


async def update_record(view: View, asked: Asked, command: UpdateRecord, rules: Rules) -> Decision:
    """Write fields into a record; it stays on the desk, no treatment runs (outbound domain 2.2).

    Another number is judged anew; one that may not be called now is stored without a permission. Raises
    ``InvalidState`` for one that is on a do-not-call list: the agent is about to dial it.
    """
    work = await work_of(view, asked.caller, command)
    changes = command.changes
    if work.held.entry.is_settled and changes.call_result is not None:
        changes = msgspec.structs.replace(changes, call_result=None)
    record = changed(work.held.record, changes, work.calling_list, asked.door)
    await check_may_be_called(view, work, record)
    entry, number = await numbered(view, work, record)
    entry = touched(entry, view.now_ms, rules.lease_ms)
    return decided(
        work,
        acknowledged(asked, work, Acknowledgement.UPDATED, call_result=record.call_result),
        records=(record,),
        desk=() if entry is work.held.entry else (entry,),
        attempts=number.attempts,
    )


async def complete_record(view: View, asked: Asked, command: CompleteRecord, rules: Rules) -> Decision:
    """Store the result, let the list's treatment decide what follows, and take the chain off the desk.

    The first Complete of a chain decides: without a treatment the result is final, and its open siblings become
    CHAIN_UPDATED. A record whose fate was settled before keeps it (decisions 5); its result goes into the log only.
    A number that is named with the result alone was not judged before its call; it is judged now.
    """
    work = await work_of(view, asked.caller, command)
    record = changed(work.held.record, command.changes, work.calling_list, asked.door)
    entry, _ = await numbered(view, work, record)
    entries, chain = await on_same_desk(view, entry)
    record = msgspec.structs.replace(record, called_at_s=view.now_s, campaign_id=entry.campaign_id)
    whom, agent_id = command.treatment or Treatment.CAMPAIGN, asked.caller.user_id
    ending = ending_of(entry, work.campaign, whom=whom, agent_id=agent_id)
    if is_worked(entry, chain):
        record = counted(msgspec.structs.replace(record, agent_id=agent_id))
        outcome = treat(view, work.calling_list, list(chain.values()), record, ending)
        records = outcome.records
    else:
        outcome = Outcome([], [])
        worked = [chain[other.chain_n] for other in entries if is_worked(other, chain)]
        records = [moved(other, Happening.CHAIN_ENDED) for other in worked]
    acknowledgement = acknowledged(
        asked, work, Acknowledgement.PROCESSED, call_result=record.call_result, treatment=command.treatment
    )
    return decided(
        work,
        acknowledgement,
        records=records,
        off_desk=entries,
        attempts=[ended_row(view, record, ending, chain.values(), records), *outcome.attempts],
    )


async def reject_record(view: View, asked: Asked, command: RejectRecord, rules: Rules) -> Decision:
    """Give a chain back unworked; it is handed out again with the next set."""
    work = await work_of(view, asked.caller, command)
    entries, chain = await on_same_desk(view, work.held.entry)
    in_hands = [chain[e.chain_n] for e in entries if is_worked(e, chain)]
    # Whose fate was settled had its call; what is rejected unworked had none.
    ending, back = ending_of(work.held.entry, work.campaign), given_back(in_hands)
    if work.held.entry.is_settled:
        row = ended_row(view, work.held.record, ending, chain.values(), back)
    else:
        row = log_row(view, work.held.record, AttemptStep.RELEASED, ending)
    return decided(
        work,
        acknowledged(asked, work, Acknowledgement.REJECTED),
        records=back,
        off_desk=entries,
        attempts=[row],
    )


async def reschedule_record(view: View, asked: Asked, command: RescheduleRecord, rules: Rules) -> Decision:
    """Set a callback for the agent or for anyone of the campaign; siblings wait with it.

    A number that the request brings along must be one that may be called. A person's decision begins the treatment
    anew. Raises ``InvalidState`` for a time in the past, a record whose fate is decided otherwise, and a number on a
    do-not-call list.
    """
    work = await work_of(view, asked.caller, command)
    entry = work.held.entry
    record = changed(work.held.record, command.changes, work.calling_list, asked.door)
    due_at_s = due_time(record, command.due_at_s, command.local_time, view.now_s)
    is_personal = command.callback_type is CallbackType.PERSONAL
    entries, chain = await on_same_desk(view, entry)
    if chain[entry.chain_n].status is RecordStatus.READY and not entry.is_settled:
        raise InvalidState("the record is not being worked")
    await check_may_be_called(view, work, record)
    numbered_entry, _ = await numbered(view, work, record)
    postponed = [
        moved(chain[other.chain_n], Happening.CHAIN_POSTPONED, due_at_s=None)
        for other in entries
        if other.handle != entry.handle and is_worked(other, chain)
    ]
    record = moved(
        record,
        Happening.CALLBACK_SET,
        record_type=RecordType.PERSONAL_CALL_BACK if is_personal else RecordType.CAMPAIGN_CALL_BACK,
        due_at_s=due_at_s,
        agent_id=asked.caller.user_id,
        campaign_id=entry.campaign_id,
        treatments="",
        hold=Hold.NONE,
    )
    return decided(
        work,
        acknowledged(
            asked,
            work,
            Acknowledgement.CALLBACK_MOVED if command.is_scheduled else Acknowledgement.RESCHEDULED,
            callback_type=command.callback_type,
            local_time=command.local_time,
        ),
        records=[*postponed, record],
        desk=[
            settled(touched(numbered_entry if other is entry else other, view.now_ms, rules.lease_ms))
            for other in entries
        ],
    )


async def read_chain(view: View, asked: Asked, command: ReadChain, rules: Rules) -> Decision:
    """Show the other records of the chain, then say that this was all."""
    work = await work_of(view, asked.caller, command, to_read=True)
    entry = work.held.entry
    entries, chain = await on_same_desk(view, entry)
    shown = [
        record_shown(view, asked, work, other, chain[other.chain_n], Appearance.CHAINED)
        for other in entries
        if other.handle != entry.handle
    ]
    end = acknowledged(asked, work, Acknowledgement.CHAIN_END, chain_id=entry.chain_id)
    return Decision(events=[*shown, end], list_id=entry.list_id, campaign_id=entry.campaign_id, handle=entry.handle)


def changed(
    record: Record, changes: FieldChanges, calling_list: CallingList, door: Door, *, is_new: bool = False
) -> Record:
    """The record with the changes, checked: number, zone, window and declared custom fields must make sense.

    Another number is somewhere else: the record gets its time zones, unless one is named, and its state.
    """
    if changes.other_fields or is_new:
        given = calling_list.own_fields(changes.other_fields or {})
        before = None if is_new else record.other_fields
        checked = checked_fields(calling_list.fields, given, before, by_agent=door is not Door.HTTP)
        changes = msgspec.structs.replace(changes, other_fields=checked or None)
    if changes.phone_number is not None:
        check_phone_number(changes.phone_number, changes.phone_type or record.phone_type)
    if changes.time_zone is not None:
        zone(changes.time_zone)
    if changes.from_s is not None or changes.until_s is not None:
        check_bounds(
            record.from_s if changes.from_s is None else changes.from_s,
            record.until_s if changes.until_s is None else changes.until_s,
        )
    after = changes.apply(record)
    if not is_another_number(after, record):
        return after
    return located(after, calling_list.default_region, is_zone_named=changes.time_zone is not None)


def due_time(record: Record, due_at_s: int | None, local_time: str | None, now_s: int) -> int:
    """Unix seconds of a callback given as such or as ``mm/dd/yyyy hh:mm`` in the record's zone."""
    if due_at_s is None:
        try:
            # The text is wall-clock time in the record's zone; the zone is applied below.
            moment = datetime.strptime(local_time or "", "%m/%d/%Y %H:%M")  # noqa: DTZ007
        except ValueError:
            raise OutOfRange("the date must have the form mm/dd/yyyy hh:mm") from None
        due_at_s = local_to_unix_s(moment, record.time_zone)
    if due_at_s < now_s:
        raise InvalidState("timestamp lies in the past")
    if due_at_s >= MAX_DUE_S:
        raise OutOfRange("timestamp must be Unix seconds before the year 2100")
    return due_at_s


async def check_may_be_called(view: View, work: Work, record: Record) -> None:
    """Raise ``InvalidState`` when a record on the desk gets another number, and that is on a do-not-call list."""
    if is_another_number(record, work.held.record) and await view.suppressed(work.campaign, [record]):
        raise InvalidState("phoneNumber must not be called: it is on a do-not-call list")


async def numbered(view: View, work: Work, record: Record) -> tuple[DeskEntry, DeskNumber]:
    """The entry with the permission of the record's number, and what the rules said of it if it is another one."""
    entry = work.held.entry
    if not is_another_number(record, work.held.record):
        return entry, DeskNumber()
    number = await judged_number(view, entry, record)
    return msgspec.structs.replace(entry, permitted_at_ms=number.permitted_at_ms), number


async def on_same_desk(view: View, entry: DeskEntry) -> tuple[list[DeskEntry], dict[int, Record]]:
    """The chain's entries on the same desk, by place, and all its records by place."""
    key = (entry.contact_centre_id, entry.list_id, entry.chain_id)
    entries = [other for other in await view.entries_of_chain(*key) if other.user_id == entry.user_id]
    chain = {record.chain_n: record for record in await view.chain(*key)}
    return sorted(entries, key=lambda other: (other.chain_n, other.handle)), chain


def is_worked(entry: DeskEntry, chain: dict[int, Record]) -> bool:
    """True while the entry's record is really in this agent's hands and undecided."""
    return not entry.is_settled and chain[entry.chain_n].status is RecordStatus.RETRIEVED


def settled(entry: DeskEntry) -> DeskEntry:
    """The entry after its record's fate was decided."""
    return entry if entry.is_settled else msgspec.structs.replace(entry, is_settled=True)


def acknowledged(asked: Asked, work: Work, what: Acknowledgement, **facts: object) -> RecordAcknowledged:
    """The acknowledgement of a request about a record on the desk."""
    return RecordAcknowledged(
        **asked.base(),
        what=what,
        application_id=work.campaign.application_id,
        campaign_name=work.campaign.name,
        list_name=work.calling_list.name,
        handle=work.held.entry.handle,
        **facts,  # type: ignore[arg-type]
    )


def decided(work: Work, event: RecordAcknowledged, **changes: object) -> Decision:
    """A decision about a record on the desk."""
    entry = work.held.entry
    return Decision(
        events=(event,),
        list_id=entry.list_id,
        campaign_id=entry.campaign_id,
        handle=entry.handle,
        **changes,  # type: ignore[arg-type]
    )


def record_shown(
    view: View, asked: Asked, work: Work, entry: DeskEntry, record: Record, what: Appearance
) -> RecordShown:
    """A record put before the agent, with the custom fields that the list sends to agents."""
    sent = work.calling_list.sent_fields(record.other_fields)
    campaign = work.campaign
    callback_types = {
        RecordType.PERSONAL_CALL_BACK: CallbackType.PERSONAL,
        RecordType.PERSONAL_RESCHEDULED: CallbackType.PERSONAL,
        RecordType.CAMPAIGN_CALL_BACK: CallbackType.CAMPAIGN,
    }
    return RecordShown(
        **asked.base(),
        what=what,
        handle=entry.handle,
        record=msgspec.structs.replace(record, other_fields=sent),
        list_name=work.calling_list.name,
        campaign_name=campaign.name,
        application_id=campaign.application_id,
        group_id=campaign.group_id,
        group_name=campaign.group_name,
        group_description=campaign.group_description,
        attempt_guid=entry.attempt_guid,
        agent_name=asked.caller.user_name,
        offset_s=_offset_s(record, view.now_s),
        callback_type=callback_types.get(record.record_type),
    )


def _offset_s(record: Record, now_s: int) -> int:
    """Seconds east of UTC where the person is; 0 for a zone that has left the time-zone database."""
    try:
        return offset_s(record.time_zone, now_s)
    except OutOfRange:
        return 0
