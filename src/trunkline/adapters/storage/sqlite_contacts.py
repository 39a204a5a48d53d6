"""Entries of suppression lists and the attempt log on SQLite."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from trunkline.adapters.storage.attempt_rows import attempt_row
from trunkline.adapters.storage.rows import WHOLE_CENTRE, as_json, suppression_row
from trunkline.adapters.storage.sqlite_connection import Statements
from trunkline.app.ports import (
    AttemptQuery,
    Suppression,
    SuppressionCount,
    SuppressionKey,
    SuppressionQuery,
)
from trunkline.domain.attempts import MAX_PAST_ATTEMPTS, AttemptRow, PastAttempt, StoredAttempt
from trunkline.domain.suppression import CENTRE_LIST, Contact

_suppressions = msgspec.json.Decoder(list[Suppression]).decode
_counts = msgspec.json.Decoder(list[tuple[int, int, int]]).decode
_past = msgspec.json.Decoder(list[PastAttempt]).decode
_stored = msgspec.json.Decoder(list[StoredAttempt]).decode
_FOREVER = 2**63 - 1


def suppressed(
    statements: Statements,
    contact_centre_id: int,
    campaign_id: int | None,
    suppression_list_ids: Collection[int],
    now_s: int,
    contacts: Collection[Contact],
) -> dict[Contact, list[Suppression]]:
    """See ``Unit.suppressed``."""
    found: dict[Contact, list[Suppression]] = {}
    names = {
        "contact_centre_id": contact_centre_id,
        "campaign_id": WHOLE_CENTRE if campaign_id is None else campaign_id,
        "suppression_list_ids": as_json(sorted({CENTRE_LIST, *suppression_list_ids})),
        "now_s": now_s,
        "contacts": as_json(sorted(set(contacts))),
    }
    entries = statements.read("suppressed", _suppressions, names)
    for entry in sorted(entries, key=lambda one: (one.suppression_list_id, one.campaign_id or 0)):
        found.setdefault(entry.contact, []).append(entry)
    return found


def change(statements: Statements, lifted: Collection[SuppressionKey], added: Sequence[Suppression]) -> None:
    """Remove entries, then add others."""
    if lifted:
        statements.write("lift", [(key.contact_centre_id, key.kind.value, *key[2:]) for key in lifted])
    if added:
        statements.write("suppress", [suppression_row(entry) for entry in added])


def page(statements: Statements, query: SuppressionQuery) -> list[Suppression]:
    """See ``Store.suppression_entries``."""
    after = query.after
    names = {
        "contact_centre_id": query.contact_centre_id,
        "suppression_list_id": query.suppression_list_id,
        "kind": query.kind,
        "value_key": query.value_key,
        "campaign_id": query.campaign_id,
        "ends_after_s": query.ends_after_s,
        "ends_until_s": query.ends_until_s,
        "after_kind": "" if after is None else after.kind.value,
        "after_key": "" if after is None else after.value_key,
        "after_campaign_id": -1 if after is None else after.campaign_id,
        "limit": query.limit,
    }
    found = statements.read("suppression_entries", _suppressions, names)
    return sorted(found, key=lambda entry: (entry.key.kind, entry.key.value_key.encode(), entry.key.campaign_id))


def counts(statements: Statements, contact_centre_id: int, now_s: int) -> dict[int, SuppressionCount]:
    """See ``Store.suppression_counts``."""
    names = {"contact_centre_id": contact_centre_id, "now_s": now_s}
    found = statements.read("suppression_counts", _counts, names)
    return {list_id: SuppressionCount(entries, ended) for list_id, entries, ended in found}


def write_attempts(statements: Statements, rows: Sequence[AttemptRow]) -> None:
    """Append to the attempt log, inside a transaction."""
    first: int = statements.value("first_attempt_seq", {})
    statements.write("write_attempts", [(seq, *attempt_row(row)) for seq, row in enumerate(rows, start=first)])


def attempts_of(
    statements: Statements,
    contact_centre_id: int,
    number_keys: Collection[str],
    person_keys: Collection[str],
    since_ms: int,
) -> list[PastAttempt]:
    """See ``Unit.attempts_of``."""
    names = {
        "contact_centre_id": contact_centre_id,
        "number_keys": as_json(sorted(set(number_keys))),
        "person_keys": as_json(sorted(set(person_keys))),
        "since_ms": since_ms,
        "limit": MAX_PAST_ATTEMPTS,
    }
    return sorted(statements.read("attempts_of", _past, names), key=lambda past: past.seq)


def of_chain(statements: Statements, chain: tuple[int, int, int], limit: int) -> list[StoredAttempt]:
    """See ``Unit.attempts_of_chain``."""
    centre, list_id, chain_id = chain
    names = {"contact_centre_id": centre, "list_id": list_id, "chain_id": chain_id, "limit": limit}
    found = statements.read("attempts_of_chain", _stored, names)
    return sorted(found, key=lambda stored: (stored.row.at_ms, stored.seq), reverse=True)


def portion(statements: Statements, query: AttemptQuery) -> list[StoredAttempt]:
    """See ``Store.attempts``."""
    names = {
        "contact_centre_id": query.contact_centre_id,
        "after_seq": query.after_seq,
        "since_ms": -_FOREVER if query.since_ms is None else query.since_ms,
        "until_ms": _FOREVER if query.until_ms is None else query.until_ms,
        "steps": as_json([int(step) for step in query.steps]),
        "limit": query.limit,
    }
    return sorted(statements.read("attempts", _stored, names), key=lambda stored: stored.seq)
