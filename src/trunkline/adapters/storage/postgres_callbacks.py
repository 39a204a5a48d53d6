"""Callbacks on PostgreSQL, as the store's readers ask for them."""

from __future__ import annotations

from trunkline.adapters.storage.postgres_desks import built
from trunkline.adapters.storage.postgres_rows import record_of
from trunkline.adapters.storage.postgres_server import QUERIES, Connection
from trunkline.adapters.storage.postgres_windows import Windows
from trunkline.app.callbacks.reads import CallbackQuery, Presence
from trunkline.domain.records import Record


async def callbacks(connection: Connection, windows: Windows, query: CallbackQuery) -> list[Record]:
    """See ``CallbackReads.callbacks``."""
    found = await connection.fetch(
        QUERIES["callbacks"],
        query.contact_centre_id,
        int(query.status),
        query.last_due_s,
        *query.begin,
        query.list_id,
        query.agent_id,
        query.campaign_id,
        None if query.record_type is None else int(query.record_type),
        query.limit,
    )
    return await built(connection, windows, found, lambda row: record_of(row, windows))


async def presences(connection: Connection, contact_centre_id: int) -> list[Presence]:
    """See ``CallbackReads.presences``."""
    found = await connection.fetch(QUERIES["presences"], contact_centre_id)
    return [
        Presence(user_id=user_id, device_id=device_id, campaign_ids=frozenset(campaign_ids))
        for user_id, device_id, campaign_ids in found
    ]
