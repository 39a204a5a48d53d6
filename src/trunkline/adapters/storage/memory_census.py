"""The census of a list in the reference model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from trunkline.app.explain.census import HOURS_AHEAD, LATER, NOT_SCHEDULED, CensusGroup, CensusQuery, equal_parts
from trunkline.domain.eligibility import Window
from trunkline.domain.enums import Hold, RecordStatus, RecordType
from trunkline.domain.filter_evaluation import matches
from trunkline.domain.records import Record, is_open

Kind = tuple[Window | None, RecordStatus, RecordType, Hold, bool, bool, int, bool]


def census(records: Iterable[Record], query: CensusQuery) -> list[CensusGroup]:
    """See ``Store.census``."""
    mine = _of_list(records, query.contact_centre_id, query.list_id)
    counts: Counter[Kind] = Counter(_kind(record, query) for record in mine)
    return [
        CensusGroup(
            window=window,
            status=status,
            record_type=record_type,
            hold=hold,
            is_dialable=is_dialable,
            is_exhausted=is_exhausted,
            due_hour=due_hour,
            passes_filter=passes_filter,
            records=count,
        )
        for (window, status, record_type, hold, is_dialable, is_exhausted, due_hour, passes_filter), count in (
            counts.items()
        )
    ]


def _kind(record: Record, query: CensusQuery) -> Kind:
    is_alive = is_open(record.status)
    return (
        record.window if is_alive else None,
        record.status,
        record.record_type,
        record.hold,
        record.phone_type.is_dialable,
        is_alive and record.attempts >= query.max_attempts,
        _due_hour(record.due_at_s, query.now_s) if is_alive else NOT_SCHEDULED,
        matches(query.condition, record, query.now_s),
    )


def _due_hour(due_at_s: int | None, now_s: int) -> int:
    if due_at_s is None:
        return NOT_SCHEDULED
    if due_at_s <= now_s:
        return 0
    hours = (due_at_s - now_s + 3599) // 3600
    return hours if hours <= HOURS_AHEAD else LATER


def records_by_id(
    records: Iterable[Record], contact_centre_id: int, list_ids: Collection[int], record_id: int
) -> list[Record]:
    """See ``Store.records_by_id``."""
    found = [
        one
        for one in records
        if one.contact_centre_id == contact_centre_id and one.list_id in list_ids and one.record_id == record_id
    ]
    return sorted(found, key=lambda record: record.key)


def sample(records: Iterable[Record], contact_centre_id: int, list_id: int, size: int) -> list[Record]:
    """See ``Store.sample``."""
    mine = sorted(_of_list(records, contact_centre_id, list_id), key=lambda record: record.key)
    if not mine:
        return []
    ready = [
        record
        for record in mine
        if record.status is RecordStatus.READY
        and record.record_type is not RecordType.NO_CALL
        and record.phone_type.is_dialable
    ]
    firsts = (
        next((record for record in ready if begin <= record.chain_id < end), None)
        for begin, end in equal_parts(mine[0].chain_id, mine[-1].chain_id, size)
    )
    return [record for record in firsts if record is not None]


def _of_list(records: Iterable[Record], contact_centre_id: int, list_id: int) -> list[Record]:
    return [one for one in records if (one.contact_centre_id, one.list_id) == (contact_centre_id, list_id)]
