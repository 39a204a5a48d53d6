"""What is kept about single persons on SQLite."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from trunkline.adapters.storage.rows import as_json, encode
from trunkline.adapters.storage.sqlite_connection import Statements
from trunkline.app.person_reads import ChainKey
from trunkline.app.ports import StoredRow
from trunkline.domain.attempts import StoredAttempt

_attempts = msgspec.json.Decoder(list[StoredAttempt]).decode
_rows = msgspec.json.Decoder(list[StoredRow]).decode


def attempts_about(
    statements: Statements,
    contact_centre_id: int,
    number_keys: Collection[str],
    person_keys: Collection[str],
    after_seq: int,
    limit: int,
) -> list[StoredAttempt]:
    """See ``PersonStore.attempts_about``."""
    names = {**_names(contact_centre_id, number_keys, person_keys), "after_seq": after_seq, "limit": limit}
    return sorted(statements.read("attempts_about", _attempts, names), key=lambda stored: stored.seq)


def rename_attempts(
    statements: Statements,
    contact_centre_id: int,
    about: Collection[str],
    numbers: Mapping[str, str],
    persons: Mapping[str, str],
    texts: Sequence[str],
) -> int:
    """See ``PersonStore.rename_attempts``; inside a transaction."""
    found = attempts_about(statements, contact_centre_id, about, list(persons), 0, -1)
    for stored in found:
        row = stored.row
        detail = as_json(row.detail) if row.detail else None
        names = {
            "seq": stored.seq,
            "number_key": numbers.get(row.number_key, row.number_key),
            "person_key": persons.get(row.person_key, row.person_key),
            "detail": None if detail is None or any(text in detail for text in texts) else detail,
        }
        statements.run("rename_attempt", names)
    return len(found)


def journal_about(
    statements: Statements, contact_centre_id: int, texts: Sequence[str], after_seq: int, until_seq: int
) -> list[StoredRow]:
    """See ``PersonStore.journal_about``."""
    names = {
        "contact_centre_id": contact_centre_id,
        "texts": as_json(texts),
        "after_seq": after_seq,
        "until_seq": until_seq,
    }
    return sorted(statements.read("journal_about", _rows, names), key=lambda stored: stored.seq)


def rewrite_journal(statements: Statements, rows: Sequence[StoredRow]) -> None:
    """See ``PersonStore.rewrite_journal``; inside a transaction."""
    for stored in rows:
        statements.run("rewrite_events", {"seq": stored.seq, "events": encode(stored.row.events)})


def forget_undo(statements: Statements, chains: Collection[ChainKey]) -> int:
    """See ``PersonStore.forget_undo``; inside a transaction."""
    keys = ("contact_centre_id", "list_id", "chain_id")
    return sum(statements.run("forget_undo", dict(zip(keys, chain, strict=True))) for chain in sorted(chains))


def _names(contact_centre_id: int, number_keys: Collection[str], person_keys: Collection[str]) -> dict[str, int | str]:
    return {
        "contact_centre_id": contact_centre_id,
        "number_keys": as_json(sorted(number_keys)),
        "person_keys": as_json(sorted(person_keys)),
    }
