"""Structs as rows: the values of one row, in the order of the statements' columns.

Databases take plain numbers and text, so enumerations are turned into these here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from trunkline.app.ports import AgentSession, ImportProgress, JournalRow, RecycleRun, Suppression, Undo
from trunkline.app.stored import ScheduleRun
from trunkline.domain.campaigns import TYPE_PRIORITY, GroupState
from trunkline.domain.desk import DeskEntry
from trunkline.domain.eligibility import Window
from trunkline.domain.enums import RecordType
from trunkline.domain.numbers import canonical_number
from trunkline.domain.objects import OBJECT_TYPES, ObjectKind, ObjectValue, StoredObject
from trunkline.domain.records import Record
from trunkline.domain.suppression import contact_key
from trunkline.errors import OutOfRange

Row = tuple[Any, ...]

WHOLE_CENTRE = 0
"""Stands for "no campaign" in the key of a suppression."""

PRIORITIES_FOR_ANYONE = sorted(
    {
        priority
        for record_type, priority in TYPE_PRIORITY.items()
        if not record_type.is_personal and record_type is not RecordType.NO_CALL
    }
)
"""Priorities of records that a group may take for any of its agents."""

encode = msgspec.json.Encoder().encode


def as_json(value: object) -> str:
    """JSON text of a struct or container."""
    return encode(value).decode()


def result_row(record: Record) -> Row:
    """The key and the columns that no index has, then the version."""
    fields = record.other_fields
    return (
        record.contact_centre_id,
        record.list_id,
        record.chain_id,
        record.chain_n,
        int(record.phone_type),
        int(record.call_result),
        record.attempts,
        record.called_at_s,
        record.campaign_id,
        record.treatments,
        encode(fields).decode() if fields else None,
        record.version,
    )


def record_row(record: Record, window_id: int) -> Row:
    """All columns: those of ``result_row``, then the indexed ones."""
    return (
        *result_row(record),
        record.record_id,
        record.phone_number,
        canonical_number(record.phone_number),
        int(record.record_type),
        TYPE_PRIORITY[record.record_type],
        int(record.status),
        record.due_at_s,
        window_id,
        record.agent_id,
        record.customer_id,
        int(record.hold),
    )


def indexed_differ(old: Record, new: Record) -> bool:
    """True when a column changed that ``result_row`` leaves out."""
    return (
        old.status is not new.status
        or old.phone_number != new.phone_number
        or old.record_type is not new.record_type
        or old.due_at_s != new.due_at_s
        or old.agent_id != new.agent_id
        or old.from_s != new.from_s
        or old.until_s != new.until_s
        or old.time_zone != new.time_zone
        or old.customer_id != new.customer_id
        or old.record_id != new.record_id
        or old.hold is not new.hold
        or old.region != new.region
        or old.other_zones != new.other_zones
    )


def desk_row(entry: DeskEntry) -> Row:
    """A desk entry."""
    return (
        entry.contact_centre_id,
        entry.handle,
        entry.list_id,
        entry.chain_id,
        entry.chain_n,
        entry.user_id,
        entry.device_id,
        entry.campaign_id,
        entry.attempt_guid,
        entry.lease_until_ms,
        int(entry.is_settled),
        as_json(entry.shares) if entry.shares else None,
        entry.permitted_at_ms,
    )


def journal_row(row: JournalRow, seq: int) -> Row:
    """A journal row under its number; without events the last column is empty."""
    return (
        seq,
        row.contact_centre_id,
        row.user_id,
        row.at_ms,
        int(row.request_type),
        int(row.door),
        row.campaign_id,
        row.list_id,
        row.handle,
        row.outcome,
        row.reference,
        row.request_key,
        row.elapsed_ns,
        encode(row.events) if row.events else None,
    )


def suppression_row(entry: Suppression) -> Row:
    """A do-not-call entry."""
    return (
        entry.contact_centre_id,
        entry.kind.value,
        contact_key(entry.kind, entry.value),
        entry.suppression_list_id,
        WHOLE_CENTRE if entry.campaign_id is None else entry.campaign_id,
        entry.value,
        entry.expires_at_s,
        entry.added_at_ms,
        entry.added_by,
        entry.source,
        entry.reason,
    )


def agent_session_row(session: AgentSession) -> Row:
    """A log-in."""
    return (
        session.contact_centre_id,
        session.user_id,
        session.device_id,
        session.state_name,
        session.started_at_ms,
        session.place,
    )


def import_row(progress: ImportProgress) -> Row:
    """How far an import is."""
    return (
        progress.contact_centre_id,
        progress.list_id,
        progress.import_id,
        progress.state.value,
        progress.source_rows_done,
        progress.records_added,
        progress.rows_refused,
        progress.file_digest,
        progress.started_at_ms,
        progress.source_rows,
    )


def is_open_now(window: Window, opens: Callable[[Window], bool]) -> bool:
    """True while records of that window may be called.

    A zone that has left the time-zone database keeps its own records back, not the whole list.
    """
    try:
        return opens(window)
    except OutOfRange:
        return False


_DECODERS: dict[ObjectKind, msgspec.json.Decoder[ObjectValue]] = {
    kind: msgspec.json.Decoder(kept.struct) for kind, kept in OBJECT_TYPES.items()
}


def object_row(stored: StoredObject) -> Row:
    """An object."""
    return (
        stored.contact_centre_id,
        stored.kind.value,
        stored.object_id,
        stored.value.name,
        stored.reference,
        stored.version,
        as_json(stored.value),
        stored.changed_at_ms,
        stored.changed_by,
    )


def object_of(
    kind: str, reference: str | None, version: int, definition: str | bytes, changed_at_ms: int, changed_by: int | None
) -> StoredObject:
    """The object of a row."""
    known = ObjectKind(kind)
    return StoredObject(
        kind=known,
        value=_DECODERS[known].decode(definition),
        version=version,
        reference=reference,
        changed_at_ms=changed_at_ms,
        changed_by=changed_by,
    )


def history_row(stored: StoredObject, reason: str) -> Row:
    """A version of an object."""
    return (
        stored.contact_centre_id,
        stored.kind.value,
        stored.object_id,
        stored.version,
        as_json(stored.value),
        stored.changed_at_ms,
        stored.changed_by,
        reason,
    )


def schedule_run_row(run: ScheduleRun) -> Row:
    """An item of a schedule that had its turn."""
    return (run.contact_centre_id, run.schedule_id, run.item_n, run.due_at_s, run.done_at_ms, run.outcome)


def state_row(state: GroupState) -> Row:
    """Where a campaign group stands."""
    return (
        state.contact_centre_id,
        state.campaign_group_id,
        int(state.status),
        int(state.dial_mode),
        int(state.optimize_by),
        state.optimize_goal,
        state.changed_at_ms,
        state.schedule_id,
        int(state.is_completing),
        state.loaded_at_ms,
    )


def recycle_row(run: RecycleRun) -> Row:
    """A recycling."""
    return (
        run.contact_centre_id,
        run.list_id,
        run.run_id,
        run.made_at_ms,
        run.made_by,
        run.what,
        run.records,
        run.state.value,
    )


def undo_row(undo: Undo) -> Row:
    """A record as it was before a recycling."""
    record = undo.record
    return (
        record.contact_centre_id,
        record.list_id,
        undo.run_id,
        record.chain_id,
        record.chain_n,
        record.version,
        as_json(record),
    )
