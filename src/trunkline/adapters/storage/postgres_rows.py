"""PostgreSQL's rows as structs, and structs as the columns that its statements take.

Many rows go to the server as one array for each column: one round trip and one plan, whatever their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import asyncpg
import msgspec

from trunkline.adapters.storage.postgres_windows import Windows
from trunkline.adapters.storage.rows import Row
from trunkline.app.ports import AgentSession, Held, ImportProgress, ImportState, JournalRow, StoredRow, User
from trunkline.domain.desk import DeskEntry, Share
from trunkline.domain.enums import CallResult, Door, Hold, PhoneType, RecordStatus, RecordType, RequestType
from trunkline.domain.events import AnyEvent
from trunkline.domain.people import Caller, Device, Role
from trunkline.domain.records import FieldValue, Record

Fetched: TypeAlias = asyncpg.Record | tuple[Any, ...]
"""A row as it comes, or a part of one."""

RECORD_COLUMNS = 21
"""Columns of the fragment ``record_columns``; those of a desk entry come behind them."""

# Tables of members: a look-up costs a third of the enumeration's own call, and a batch makes hundreds.
_PHONE_TYPES = {int(member): member for member in PhoneType}
_RECORD_TYPES = {int(member): member for member in RecordType}
_STATUSES = {int(member): member for member in RecordStatus}
_CALL_RESULTS = {int(member): member for member in CallResult}
_REQUEST_TYPES = {int(member): member for member in RequestType}
_HOLDS = {int(member): member for member in Hold}
_DOORS = {int(member): member for member in Door}

_fields: Callable[[str], dict[str, FieldValue]] = msgspec.json.Decoder(dict[str, FieldValue]).decode
_shares: Callable[[str], dict[int, Share]] = msgspec.json.Decoder(dict[int, Share]).decode
_events: Callable[[bytes], tuple[AnyEvent, ...]] = msgspec.json.Decoder(tuple[AnyEvent, ...]).decode
_roles: Callable[[str], tuple[Role, ...]] = msgspec.json.Decoder(tuple[Role, ...]).decode
_features: Callable[[str], frozenset[str]] = msgspec.json.Decoder(frozenset[str]).decode


def columns(rows: Iterable[Row]) -> list[Sequence[Any]]:
    """Rows, at least one, as columns."""
    return list(zip(*rows, strict=True))


def record_of(row: Fetched, windows: Windows) -> Record:
    """A record from the fragment ``record_columns``; ``KeyError`` when its window is not known yet."""
    (
        centre,
        list_id,
        chain_id,
        chain_n,
        record_id,
        phone_number,
        phone_type,
        record_type,
        status,
        call_result,
        attempts,
        due_at_s,
        called_at_s,
        window_id,
        campaign_id,
        agent_id,
        customer_id,
        treatments,
        hold,
        other_fields,
        version,
    ) = row
    time_zone, from_s, until_s, region, other_zones = windows.value(centre, list_id, window_id)
    return Record(
        contact_centre_id=centre,
        list_id=list_id,
        chain_id=chain_id,
        chain_n=chain_n,
        record_id=record_id,
        phone_number=phone_number,
        phone_type=_PHONE_TYPES[phone_type],
        record_type=_RECORD_TYPES[record_type],
        status=_STATUSES[status],
        call_result=_CALL_RESULTS[call_result],
        attempts=attempts,
        due_at_s=due_at_s,
        called_at_s=called_at_s,
        time_zone=time_zone,
        from_s=from_s,
        until_s=until_s,
        region=region,
        other_zones=other_zones,
        campaign_id=campaign_id,
        agent_id=agent_id,
        customer_id=customer_id,
        treatments=treatments,
        hold=_HOLDS[hold],
        other_fields={} if other_fields is None else _fields(other_fields),
        version=version,
    )


def entry_of(row: Fetched) -> DeskEntry:
    """A desk entry from the fragment ``desk_columns``."""
    centre, handle, list_id, chain_id, chain_n, user_id, device_id, campaign_id, *rest = row
    guid, lease, is_settled, shares, permitted_at_ms = rest
    return DeskEntry(
        contact_centre_id=centre,
        handle=handle,
        list_id=list_id,
        chain_id=chain_id,
        chain_n=chain_n,
        user_id=user_id,
        device_id=device_id,
        campaign_id=campaign_id,
        attempt_guid=guid,
        lease_until_ms=lease,
        is_settled=is_settled,
        shares={} if shares is None else _shares(shares),
        permitted_at_ms=permitted_at_ms,
    )


def held_of(row: Fetched, windows: Windows) -> Held:
    """Both, from a row that has the record's columns first."""
    return Held(entry_of(row[RECORD_COLUMNS:]), record_of(row[:RECORD_COLUMNS], windows))


def stored_of(row: Fetched) -> StoredRow:
    """A journal row from the fragment ``journal_columns``."""
    seq, centre, user_id, at_ms, kind, door, campaign_id, list_id, handle, outcome, reference, key, elapsed, events = (
        row
    )
    return StoredRow(
        seq,
        JournalRow(
            contact_centre_id=centre,
            user_id=user_id,
            at_ms=at_ms,
            request_type=_REQUEST_TYPES[kind],
            door=_DOORS[door],
            campaign_id=campaign_id,
            list_id=list_id,
            handle=handle,
            outcome=outcome,
            reference=reference,
            request_key=key,
            elapsed_ns=elapsed,
            events=() if events is None else _events(events),
        ),
    )


def agent_session_of(row: Fetched) -> AgentSession:
    """A log-in."""
    centre, user_id, device_id, state_name, started_at_ms, place = row
    return AgentSession(
        contact_centre_id=centre,
        user_id=user_id,
        device_id=device_id,
        state_name=state_name,
        started_at_ms=started_at_ms,
        place=place,
    )


def import_of(row: Fetched) -> ImportProgress:
    """How far an import is."""
    centre, list_id, import_id, state, done, added, refused, digest, started_at_ms, source_rows = row
    return ImportProgress(
        contact_centre_id=centre,
        list_id=list_id,
        import_id=import_id,
        state=ImportState(state),
        source_rows_done=done,
        records_added=added,
        rows_refused=refused,
        file_digest=digest,
        started_at_ms=started_at_ms,
        source_rows=source_rows,
    )


levels_of: Callable[[str], dict[int, int]] = msgspec.json.Decoder(dict[int, int]).decode
"""Skills and levels of their text."""


def user_of(row: Fetched) -> User:
    """An account from the fragment ``user_columns``."""
    centre, centre_name, user_id, public_id, name, first, last, email, roles, features, digest, *more = row
    enabled, version, reference, skills, *device = more
    caller = Caller(
        contact_centre_id=centre,
        contact_centre_name=centre_name,
        user_id=user_id,
        public_id=public_id,
        user_name=name,
        first_name=first,
        last_name=last,
        email_address=email,
        roles=_roles(roles),
        features=_features(features),
        devices=tuple(Device(*both) for both in zip(*device, strict=True)),
    )
    return User(
        caller=caller,
        password_hash=digest,
        is_enabled=enabled,
        version=version,
        reference=reference,
        skills=levels_of(skills),
    )
