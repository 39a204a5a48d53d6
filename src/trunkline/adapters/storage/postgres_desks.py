"""Desks and log-ins on PostgreSQL: the same reads for units, on the writing connection, and for the store's readers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import asyncpg

from trunkline.adapters.storage.postgres_rows import Fetched, agent_session_of, held_of
from trunkline.adapters.storage.postgres_server import QUERIES, Connection
from trunkline.adapters.storage.postgres_windows import Windows
from trunkline.app.ports import AgentSession, DeskKey, Held

T = TypeVar("T")


async def held(connection: Connection, windows: Windows, keys: Sequence[DeskKey]) -> list[Held]:
    """See ``DeskReads.held``."""
    found = await connection.fetch(
        QUERIES["held"], [key.contact_centre_id for key in keys], [key.handle for key in keys]
    )
    return await all_held(connection, windows, found)


async def desk_of(connection: Connection, windows: Windows, contact_centre_id: int, user_id: int) -> list[Held]:
    """See ``DeskReads.desk_of``."""
    found = await connection.fetch(QUERIES["desk_of"], contact_centre_id, user_id)
    return await all_held(connection, windows, found)


async def desk_page(connection: Connection, windows: Windows, after: DeskKey, limit: int) -> list[Held]:
    """See ``DeskPages.desk_page``."""
    found = await connection.fetch(QUERIES["desk_page"], after.contact_centre_id, after.handle, limit)
    return await all_held(connection, windows, found)


async def agent_session(connection: Connection, contact_centre_id: int, user_id: int) -> AgentSession | None:
    """See ``DeskReads.agent_session``."""
    row = await connection.fetchrow(QUERIES["agent_session"], contact_centre_id, user_id)
    return None if row is None else agent_session_of(row)


async def all_held(connection: Connection, windows: Windows, found: Sequence[asyncpg.Record]) -> list[Held]:
    """Desk entries of rows."""
    return await built(connection, windows, found, lambda row: held_of(row, windows))


async def built(
    connection: Connection, windows: Windows, found: Sequence[asyncpg.Record], build: Callable[[Fetched], T]
) -> list[T]:
    """Structs of rows; windows that somebody added and that are not known yet are read on the way."""
    try:
        return [build(row) for row in found]
    except KeyError:
        await windows.load(connection, {(row["contact_centre_id"], row["list_id"]) for row in found})
        return [build(row) for row in found]
