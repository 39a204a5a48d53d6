"""Use cases about a contact wherever its records lie: do-not-call, cancel, add."""

from __future__ import annotations

import msgspec

from trunkline.app.access import Work, campaign_of, check_application, list_named, work_on
from trunkline.app.asking import Asked, Rules
from trunkline.app.judging.desk_numbers import judged_number
from trunkline.app.judging.number_places import located
from trunkline.app.ports import MAX_CHAIN, Suppression
from trunkline.app.records import changed, due_time, on_same_desk, settled
from trunkline.app.rescue import soon_gone, withdrawn
from trunkline.app.spellings import spelled
from trunkline.app.suppression.matching import account_of, list_of
from trunkline.app.view import Decision, View
from trunkline.domain.campaigns import CallingList, Campaign
from trunkline.domain.chains import carries, left_waiting
from trunkline.domain.commands import AddRecord, Aim, CancelRecord, SuppressContact
from trunkline.domain.desk import DeskEntry
from trunkline.domain.eligibility import check_bounds, zone
from trunkline.domain.enums import (
    CallResult,
    ChainAttribute,
    DoNotCallKind,
    RecordStatus,
    RecordType,
    SuppressionScope,
)
from trunkline.domain.events import Acknowledgement, RecordAcknowledged
from trunkline.domain.records import FieldChanges, Happening, Record, check_phone_number, is_open, moved
from trunkline.errors import AlreadyExists, InvalidState, MissingParameter, NotFound, OutOfRange, TooLarge

MAX_CONTACT_RECORDS = 1000
"""Open records of one number or customer that a request may touch: more are a shared switchboard, and the
hand-out checks the do-not-call list anyway."""

MAX_CUSTOMER_ID = 64
"""Column customer_id of the original do-not-call table."""


AGENT_SOURCE = "agent"
"""Where an entry comes from that an agent made."""


class Target(msgspec.Struct, frozen=True):
    """A record that a request aims at, with the desk it lies on, if any."""

    record: Record
    entry: DeskEntry | None


class Aimed(msgspec.Struct, frozen=True, kw_only=True):
    """What a request at a handle, number or customer came down to."""

    campaign: Campaign
    calling_list: CallingList | None
    work: Work | None
    targets: list[Target]


async def suppress_contact(view: View, asked: Asked, command: SuppressContact, rules: Rules) -> Decision:
    """Enter numbers (or a customer) into the do-not-call list and take their open records out of dialing."""
    aimed = await aim(view, asked, command)
    is_narrow = aimed.campaign.suppression_scope is SuppressionScope.CAMPAIGN
    entries = [
        Suppression(
            contact_centre_id=asked.caller.contact_centre_id,
            kind=kind,
            value=value,
            campaign_id=aimed.campaign.campaign_id if is_narrow else None,
            added_at_ms=view.now_ms,
            added_by=asked.caller.user_id,
            source=AGENT_SOURCE,
            reason="asked by the contact",
        )
        for kind, value in _values(view, command, aimed)
    ]
    records = [
        moved(t.record, Happening.DO_NOT_CALL, record_type=RecordType.NO_CALL, call_result=CallResult.DO_NOT_CALL)
        for t in aimed.targets
        if is_open(t.record.status)
    ]
    records += await _freed(view, aimed, records)
    return aimed_decision(view, asked, command, aimed, Acknowledgement.SUPPRESSED, records, entries)


async def _freed(view: View, aimed: Aimed, closed: list[Record]) -> list[Record]:
    """Records that waited for a callback or retry of one that is closed now, and have nothing to wait for any more."""
    gone = {record.key: record for record in closed}
    chains = sorted({target.record.key[:3] for target in aimed.targets if carries(target.record)})
    freed: list[Record] = []
    for key in chains:
        freed += left_waiting([gone.get(record.key, record) for record in await view.chain(*key)])
    return freed


def _values(view: View, command: SuppressContact, aimed: Aimed) -> list[tuple[DoNotCallKind, str]]:
    """What is entered: the customer, or numbers in their international spelling; for a whole chain its account too."""
    if command.customer_id is not None and command.handle is None:
        return [(DoNotCallKind.CUSTOMER, command.customer_id)]
    is_whole = command.chain_attribute is ChainAttribute.ALL_CHAIN
    values: list[tuple[DoNotCallKind, str]] = []
    if command.phone_number is not None:
        regions = [found.default_region for found in _lists(view, aimed)]
        values += [(DoNotCallKind.NUMBER, number) for number in spelled(command.phone_number, regions)]
    for target in aimed.targets:
        calling_list = list_of(view.book, target.record)
        if command.phone_number is None or is_whole:
            region = "" if calling_list is None else calling_list.default_region
            values += [(DoNotCallKind.NUMBER, number) for number in spelled(target.record.phone_number, [region])]
        account = account_of(target.record, calling_list) if is_whole else None
        if account is not None:
            values.append((DoNotCallKind.ACCOUNT, account))
    return list(dict.fromkeys(values))


def _lists(view: View, aimed: Aimed) -> list[CallingList]:
    """The calling lists that a number without a country code may belong to."""
    if aimed.calling_list is not None:
        return [aimed.calling_list]
    centre = aimed.campaign.contact_centre_id
    mine = {entry.list_id for entry in aimed.campaign.lists}
    return [entry for entry in view.book.lists_of(centre) if entry.list_id in mine]


async def cancel_record(view: View, asked: Asked, command: CancelRecord, rules: Rules) -> Decision:
    """Take records out of dialing for good; ``NotFound`` when a number or customer has none that is open."""
    aimed = await aim(view, asked, command)
    records = [
        moved(t.record, Happening.CANCELLED, call_result=CallResult.CANCEL_RECORD)
        for t in aimed.targets
        if is_open(t.record.status)
    ]
    if not records and aimed.work is None:
        raise NotFound("there is no open record of this contact in the campaign")
    records += await _freed(view, aimed, records)
    return aimed_decision(view, asked, command, aimed, Acknowledgement.CANCELLED, records, ())


async def aim(view: View, asked: Asked, command: Aim) -> Aimed:
    """Find what a request aims at: a record on the desk, or every open record of a number or customer."""
    if command.phone_number is not None:
        check_phone_number(command.phone_number, None)
    if command.handle is not None:
        work = await work_on(view, asked.caller, command, command.handle, command.list_name)
        targets = await _targets_of_work(view, work, command.chain_attribute)
        return Aimed(campaign=work.campaign, calling_list=work.calling_list, work=work, targets=targets)
    campaign = campaign_of(view, asked.caller, command)
    check_application(campaign, command.application_id)
    named = list_named(view, asked.caller, command.list_name)
    if named is not None and not campaign.has_list(named.list_id):
        raise InvalidState("callingList is not a list of this campaign")
    if command.customer_id is not None:
        if not 0 < len(command.customer_id) <= MAX_CUSTOMER_ID:
            raise OutOfRange(f"the customer id must have 1 to {MAX_CUSTOMER_ID} characters")
        kind, value = DoNotCallKind.CUSTOMER, command.customer_id
    elif command.phone_number is not None:
        kind, value = DoNotCallKind.NUMBER, command.phone_number
    else:
        raise MissingParameter("a record handle, a phoneNumber or a customer id is required")
    lists = [named.list_id] if named else [entry.list_id for entry in campaign.lists]
    found = await view.records_of_contact(campaign.contact_centre_id, lists, kind, value, MAX_CONTACT_RECORDS)
    targets = await _targets_of_records(view, found, command.chain_attribute)
    return Aimed(campaign=campaign, calling_list=named, work=None, targets=targets)


async def _targets_of_work(view: View, work: Work, attribute: ChainAttribute | None) -> list[Target]:
    entry = work.held.entry
    if attribute is not ChainAttribute.ALL_CHAIN:
        return [Target(work.held.record, entry)]
    entries, chain = await on_same_desk(view, entry)
    return [Target(chain[other.chain_n], other) for other in entries]


async def _targets_of_records(view: View, found: list[Record], attribute: ChainAttribute | None) -> list[Target]:
    """The open ones of the records (or of their chains), each with the undecided entry it lies under."""
    targets: list[Target] = []
    chains: dict[tuple[int, int, int], set[int]] = {}
    for record in found:
        chains.setdefault(record.key[:3], set()).add(record.chain_n)
    for key, places in chains.items():
        entries = {e.chain_n: e for e in await view.entries_of_chain(*key) if not e.is_settled}
        for record in await view.chain(*key):
            is_meant = attribute is ChainAttribute.ALL_CHAIN or record.chain_n in places
            if is_meant and is_open(record.status):
                targets.append(Target(record, entries.get(record.chain_n)))
    return targets


def aimed_decision(
    view: View,
    asked: Asked,
    command: Aim,
    aimed: Aimed,
    what: Acknowledgement,
    records: list[Record],
    suppressions: tuple[Suppression, ...] | list[Suppression],
) -> Decision:
    """Settle the entries of the targets, tell other agents that their record is gone, acknowledge."""
    mine = asked.caller.user_id
    by_number = command.handle is None
    event = RecordAcknowledged(
        **asked.base(),
        what=what,
        application_id=aimed.campaign.application_id,
        campaign_name=aimed.campaign.name,
        list_name=aimed.calling_list.name if aimed.calling_list else None,
        handle=command.handle,
        phone_number=command.phone_number if by_number else None,
        customer_id=command.customer_id if by_number else None,
        chain_attribute=command.chain_attribute,
    )
    entries = [target.entry for target in aimed.targets if target.entry is not None]
    others = [(entry, withdrawn(view, entry)) for entry in entries if entry.user_id != mine]
    return Decision(
        events=(event,),
        notices=[(entry, event) for entry, event in others if event is not None],
        records=records,
        desk=[settled(entry) if entry.user_id == mine else soon_gone(settled(entry), view.now_ms) for entry in entries],
        suppressions=suppressions,
        list_id=aimed.calling_list.list_id if aimed.calling_list else None,
        campaign_id=aimed.campaign.campaign_id,
        handle=command.handle,
    )


async def add_record(view: View, asked: Asked, command: AddRecord, rules: Rules) -> Decision:
    """Add a record to a list of the campaign, into a new chain or an existing one.

    A record that joins a chain on somebody's desk goes to that desk with it, one that joins a chain in a group's buffer
    goes into that, so that no chain is ever in two hands. Raises ``NotFound`` for an unknown list or chain,
    ``AlreadyExists`` when the list refuses duplicates.
    """
    centre = asked.caller.contact_centre_id
    campaign = campaign_of(view, asked.caller, command)
    check_application(campaign, command.application_id)
    calling_list = _list_to_fill(view, asked, command, campaign)
    if calling_list.refuses_duplicates and await view.records_of_contact(
        centre, [calling_list.list_id], DoNotCallKind.NUMBER, command.phone_number, 1
    ):
        raise AlreadyExists("the list has a record with this phoneNumber already")
    chain: list[Record] = []
    owner: DeskEntry | None = None
    if command.chain_id is not None:
        chain = await view.chain(centre, calling_list.list_id, command.chain_id)
        if not chain:
            raise NotFound("there is no chain with this chainId in the list")
        if len(chain) >= MAX_CHAIN:
            raise TooLarge(f"a chain holds at most {MAX_CHAIN} records")
        entries = await view.entries_of_chain(centre, calling_list.list_id, command.chain_id)
        owner = next((entry for entry in entries if not entry.is_settled), None)
    handles, record_ids, chain_ids = await view.unit.take_numbers(handles=1, records=1, chains=0 if chain else 1)
    record = await _new_record(view, asked, command, calling_list, rules)
    record = msgspec.structs.replace(
        record,
        chain_id=chain[0].chain_id if chain else chain_ids[0],
        chain_n=chain[-1].chain_n + 1 if chain else 0,
        record_id=record_ids[0],
    )
    desk: list[DeskEntry] = []
    is_buffered = bool(chain) and await view.buffer_entry(*record.key[:3]) is not None
    if owner is None and is_buffered and record.status is RecordStatus.READY:
        record = moved(record, Happening.TAKEN)
    if owner is not None and record.status is RecordStatus.READY:
        record = moved(record, Happening.TAKEN)
        place = {"handle": handles[0], "chain_n": record.chain_n, "shares": {}}
        number = await judged_number(view, owner, record)
        desk.append(msgspec.structs.replace(owner, **place, permitted_at_ms=number.permitted_at_ms))
    event = RecordAcknowledged(
        **asked.base(),
        what=Acknowledgement.ADDED,
        application_id=campaign.application_id,
        campaign_name=campaign.name,
        list_name=calling_list.name,
        handle=handles[0],
        chain_id=record.chain_id,
        record=record,
    )
    return Decision(
        events=(event,),
        new_records=(record,),
        desk=desk,
        list_id=calling_list.list_id,
        campaign_id=campaign.campaign_id,
        handle=handles[0],
    )


def _list_to_fill(view: View, asked: Asked, command: AddRecord, campaign: Campaign) -> CallingList:
    """The list that a command names, else the campaign's first."""
    calling_list = list_named(view, asked.caller, command.list_name)
    if calling_list is None:
        if not campaign.lists:
            raise InvalidState("the campaign has no calling list")
        calling_list = view.book.list_by_id(campaign.contact_centre_id, campaign.lists[0].list_id)
    if not campaign.has_list(calling_list.list_id):
        raise InvalidState("callingList is not a list of this campaign")
    return calling_list


async def _new_record(view: View, asked: Asked, command: AddRecord, calling_list: CallingList, rules: Rules) -> Record:
    """The row that a command describes, checked, still without its place."""
    if command.status is RecordStatus.RETRIEVED:
        raise OutOfRange("a new record cannot be on a desk already")
    if command.agent_name not in (None, asked.caller.user_name):
        raise NotFound("a record can be added for yourself only: the agent is not you")
    check_phone_number(command.phone_number, command.phone_type)
    time_zone = command.time_zone or calling_list.default_time_zone
    zone(time_zone)
    check_bounds(command.from_s, command.until_s)
    record = Record(
        contact_centre_id=calling_list.contact_centre_id,
        list_id=calling_list.list_id,
        chain_id=0,
        chain_n=0,
        record_id=0,
        phone_number=command.phone_number,
        phone_type=command.phone_type,
        record_type=command.record_type,
        status=command.status,
        call_result=command.call_result,
        attempts=command.attempts,
        called_at_s=command.called_at_s,
        time_zone=time_zone,
        from_s=command.from_s,
        until_s=command.until_s,
        customer_id=command.customer_id,
    )
    record = located(record, calling_list.default_region, is_zone_named=command.time_zone is not None)
    if command.local_time is not None or command.due_at_s is not None:
        due_at_s = due_time(record, command.due_at_s, command.local_time, view.now_s)
        record = msgspec.structs.replace(record, due_at_s=due_at_s)
    if command.record_type.is_personal:
        record = msgspec.structs.replace(record, agent_id=asked.caller.user_id)
    changes = FieldChanges(other_fields=command.other_fields or None)
    return changed(record, changes, calling_list, asked.door, is_new=True)
