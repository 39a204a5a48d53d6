"""Callbacks on SQLite, as the store's reader asks for them."""

from __future__ import annotations

import msgspec

from trunkline.adapters.storage.sqlite_connection import Statements
from trunkline.app.callbacks.reads import CallbackQuery, Presence, place_of
from trunkline.domain.records import Record

_records = msgspec.json.Decoder(list[Record]).decode
_presences = msgspec.json.Decoder(list[Presence]).decode


def callbacks(statements: Statements, query: CallbackQuery) -> list[Record]:
    """See ``CallbackReads.callbacks``."""
    due_at_s, list_id, chain_id, chain_n = query.begin
    names = {
        "contact_centre_id": query.contact_centre_id,
        "status": int(query.status),
        "until_s": query.last_due_s,
        "list_id": query.list_id,
        "agent_id": query.agent_id,
        "campaign_id": query.campaign_id,
        "record_type": None if query.record_type is None else int(query.record_type),
        "after_due_at_s": due_at_s,
        "after_list_id": list_id,
        "after_chain_id": chain_id,
        "after_chain_n": chain_n,
        "limit": query.limit,
    }
    return sorted(statements.read("callbacks", _records, names), key=place_of)


def presences(statements: Statements, contact_centre_id: int) -> list[Presence]:
    """See ``CallbackReads.presences``."""
    found = statements.read("presences", _presences, {"contact_centre_id": contact_centre_id})
    return sorted(found, key=lambda one: one.user_id)
