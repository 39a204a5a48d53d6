"""Callbacks in the reference model."""

from __future__ import annotations

from trunkline.adapters.storage.memory_unit import Tables
from trunkline.app.callbacks.reads import CallbackQuery, Presence, is_asked, place_of
from trunkline.domain.records import Record


def callbacks(tables: Tables, query: CallbackQuery) -> list[Record]:
    """See ``CallbackReads.callbacks``."""
    return sorted((one for one in tables.records.values() if is_asked(one, query)), key=place_of)[: query.limit]


def presences(tables: Tables, contact_centre_id: int) -> list[Presence]:
    """See ``CallbackReads.presences``."""
    devices = {
        user: one.device_id for (centre, user), one in tables.agent_sessions.items() if centre == contact_centre_id
    }
    campaigns: dict[int, set[int]] = {}
    for session in tables.preview_sessions:
        if session.contact_centre_id == contact_centre_id:
            campaigns.setdefault(session.user_id, set()).add(session.campaign_id)
    return [
        Presence(user_id=user, device_id=devices.get(user), campaign_ids=frozenset(campaigns.get(user, ())))
        for user in sorted({*devices, *campaigns})
    ]
