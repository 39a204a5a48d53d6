"""The hand-out of the reference model: every record is looked at."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

import msgspec

from trunkline.adapters.storage.rows import PRIORITIES_FOR_ANYONE, is_open_now
from trunkline.app.ports import Buffered, BufferEntry, CallbackClaim, ChainKey, Claim, ClaimKind
from trunkline.domain.campaigns import TYPE_PRIORITY
from trunkline.domain.eligibility import Window
from trunkline.domain.enums import RecordStatus, RecordType
from trunkline.domain.filter_evaluation import matches, ordered
from trunkline.domain.records import Happening, Record, is_open, moved


def claimed(records: Iterable[Record], wanted: Claim) -> list[ChainKey]:
    """The chains that a claim takes, in order."""
    everything = list(records)
    out = _chains_out(everything)
    found = [
        record
        for record in everything
        if record.list_id == wanted.list_id
        and record.chain_id not in wanted.passed_over
        and record.key[:3] not in out
        and _may_be_taken(record, wanted, wanted.max_attempts, wanted.opens)
        and TYPE_PRIORITY[record.record_type] in PRIORITIES_FOR_ANYONE
        and _is_of_kind(record, wanted)
        and matches(wanted.selection.condition, record, wanted.now_s)
    ]
    chains: dict[ChainKey, None] = {}
    for record in _in_order(everything, found, wanted):
        chains[record.key[:3]] = None
    return list(chains)[: wanted.limit]


def _in_order(everything: list[Record], found: list[Record], wanted: Claim) -> list[Record]:
    if wanted.selection.order:
        own = ordered(sorted(found, key=_place), wanted.selection.order)
        return sorted(own, key=lambda record: TYPE_PRIORITY[record.record_type])
    first: dict[tuple[int, Window], tuple[int, ...]] = {}
    for record in sorted(everything, key=_place):
        if record.list_id == wanted.list_id and _is_ready(record, wanted) and _is_of_kind(record, wanted):
            first.setdefault((TYPE_PRIORITY[record.record_type], record.window), _place(record))

    def place(record: Record) -> tuple[Any, ...]:
        priority = TYPE_PRIORITY[record.record_type]
        return priority, first[priority, record.window], _place(record)

    return sorted(found, key=place)


def _place(record: Record) -> tuple[int, ...]:
    return record.due_at_s or 0, record.chain_id, record.chain_n


def callback(records: Iterable[Record], wanted: CallbackClaim) -> list[ChainKey]:
    """The chain of the callback that an agent is to get next; none or one."""
    everything = list(records)
    out = _chains_out(everything)
    lists = {entry.list_id: (place, entry) for place, entry in enumerate(wanted.lists)}
    found = []
    for record in everything:
        place, entry = lists.get(record.list_id, (0, None))
        if (
            entry is not None
            and record.key[1:3] not in wanted.passed_over
            and record.key[:3] not in out
            and _may_be_taken(record, wanted, entry.max_attempts, entry.opens)
            and _is_callback_for(record, wanted.user_id)
            and matches(entry.condition, record, wanted.now_s)
        ):
            found.append((TYPE_PRIORITY[record.record_type], record.due_at_s or 0, place, record.key))
    return [key[:3] for *_, key in sorted(found)[:1]]


def _is_callback_for(record: Record, user_id: int) -> bool:
    if record.record_type.is_personal:
        return record.agent_id == user_id
    return record.record_type is RecordType.CAMPAIGN_CALL_BACK and record.due_at_s is not None


def _chains_out(records: Iterable[Record]) -> set[ChainKey]:
    return {record.key[:3] for record in records if record.status is RecordStatus.RETRIEVED}


def _may_be_taken(
    record: Record, wanted: Claim | CallbackClaim, max_attempts: int, opens: Callable[[Window], bool]
) -> bool:
    return _is_ready(record, wanted) and record.attempts < max_attempts and is_open_now(record.window, opens)


def _is_ready(record: Record, wanted: Claim | CallbackClaim) -> bool:
    return (
        record.contact_centre_id == wanted.contact_centre_id
        and record.status is RecordStatus.READY
        and record.phone_type.is_dialable
        and (record.due_at_s is None or record.due_at_s <= wanted.now_s)
    )


def _is_of_kind(record: Record, wanted: Claim) -> bool:
    return (record.due_at_s is None) is (wanted.kind is ClaimKind.FRESH)


def taken(records: Iterable[Record], chains: Collection[ChainKey], campaign_id: int) -> list[Record]:
    """The open records of the chains after they were taken."""
    return [
        msgspec.structs.replace(moved(record, Happening.TAKEN), campaign_id=campaign_id, version=record.version + 1)
        for record in records
        if record.key[:3] in chains and is_open(record.status)
    ]


def entries(wanted: Claim | CallbackClaim, chains: Collection[ChainKey]) -> list[BufferEntry]:
    """The buffer entries of what a claim took."""
    first, step = (wanted.first_place, wanted.place_step) if isinstance(wanted, Claim) else (wanted.place, 1)
    return [
        BufferEntry(
            contact_centre_id=centre,
            list_id=list_id,
            chain_id=chain_id,
            campaign_group_id=wanted.campaign_group_id,
            place=first + n * step,
            taken_at_ms=wanted.taken_at_ms,
            lease_until_ms=wanted.lease_until_ms,
        )
        for n, (centre, list_id, chain_id) in enumerate(chains)
    ]


def with_records(records: Iterable[Record], found: Iterable[BufferEntry]) -> list[Buffered]:
    """Entries with the records of their chains."""
    everything = list(records)
    return [Buffered(one, [record for record in everything if record.key[:3] == one.chain_key]) for one in found]
