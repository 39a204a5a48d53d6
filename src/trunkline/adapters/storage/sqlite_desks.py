"""Desks and log-ins on SQLite: the same reads for units, on the write connection, and for the store's reader."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from trunkline.adapters.storage.rows import as_json
from trunkline.adapters.storage.sqlite_connection import Statements
from trunkline.app.ports import AgentSession, DeskKey, Held

_held = msgspec.json.Decoder(list[Held]).decode
_sessions = msgspec.json.Decoder(list[AgentSession]).decode


def held(statements: Statements, keys: Sequence[DeskKey]) -> list[Held]:
    """See ``DeskReads.held``."""
    handles: dict[int, list[int]] = {}
    for key in keys:
        handles.setdefault(key.contact_centre_id, []).append(key.handle)
    found: list[Held] = []
    for centre, wanted in handles.items():
        found += statements.read("held", _held, {"contact_centre_id": centre, "handles": as_json(wanted)})
    return found


def desk_of(statements: Statements, contact_centre_id: int, user_id: int) -> list[Held]:
    """See ``DeskReads.desk_of``."""
    found = statements.read("desk_of", _held, {"contact_centre_id": contact_centre_id, "user_id": user_id})
    return sorted(found, key=lambda one: one.entry.handle)


def agent_session(statements: Statements, contact_centre_id: int, user_id: int) -> AgentSession | None:
    """See ``DeskReads.agent_session``."""
    names = {"contact_centre_id": contact_centre_id, "user_id": user_id}
    return next(iter(statements.read("agent_session", _sessions, names)), None)


def desk_page(statements: Statements, after: DeskKey, limit: int) -> list[Held]:
    """See ``DeskPages.desk_page``."""
    names = {"contact_centre_id": after.contact_centre_id, "handle": after.handle, "limit": limit}
    found = statements.read("desk_page", _held, names)
    return sorted(found, key=lambda one: (one.entry.contact_centre_id, one.entry.handle))
