"""Objects and group states on SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

import msgspec

from trunkline.adapters.storage import rows, sqlite_accounts
from trunkline.adapters.storage.objects import PROVISIONED, TAKEN, check_seen, deletion_row, replacing, step_of
from trunkline.adapters.storage.sqlite_connection import Statements
from trunkline.app.ports import ObjectChanges, ObjectVersion
from trunkline.domain.campaigns import GroupState
from trunkline.domain.objects import ObjectKey, StoredObject
from trunkline.errors import AlreadyExists

_objects = msgspec.json.Decoder(list[tuple[str, str | None, int, str, int, int | None]]).decode
_history = msgspec.json.Decoder(list[tuple[int, str | None, int, int | None, str]]).decode
_states = msgspec.json.Decoder(list[GroupState]).decode
_skills = msgspec.json.Decoder(list[tuple[int, int, dict[int, int]]]).decode
_newest = msgspec.json.Decoder(tuple[int, int]).decode


def objects(statements: Statements) -> tuple[StoredObject, ...]:
    """All objects by key."""
    return tuple(rows.object_of(*row) for row in statements.read("objects", _objects, {}))


def versions(statements: Statements, key: ObjectKey, limit: int) -> list[StoredObject]:
    """See ``Store.object_versions``."""
    found = statements.read("object_versions", _objects, {**_names(key), "limit": limit})
    return sorted((rows.object_of(*row) for row in found), key=lambda stored: -stored.version)


def history(statements: Statements, key: tuple[int, str, int], before_version: int, limit: int) -> list[ObjectVersion]:
    """See ``Store.object_history``."""
    centre, kind, object_id = key
    names = {"contact_centre_id": centre, "kind": kind, "object_id": object_id}
    found = statements.read("object_history", _history, {**names, "before_version": before_version, "limit": limit})
    return sorted((ObjectVersion(*row) for row in found), key=lambda entry: -entry.version)


def group_states(statements: Statements) -> tuple[GroupState, ...]:
    """Where all groups stand, by key."""
    return tuple(statements.read("group_states", _states, {}))


def skills(statements: Statements) -> dict[tuple[int, int], dict[int, int]]:
    """Skills of those who have any."""
    return {(centre, user_id): levels for centre, user_id, levels in statements.read("skills", _skills, {})}


def put_states(statements: Statements, states: Iterable[GroupState]) -> None:
    """Write where groups stand."""
    new = [rows.state_row(state) for state in states]
    if new:
        statements.write("put_group_states", new)


def put_all(statements: Statements, new: Sequence[StoredObject]) -> None:
    """Write objects whatever is there; each becomes the next version of its number."""
    for stored in new:
        _, last_version = _last(statements, stored.key)
        _put(statements, replacing(stored, last_version), PROVISIONED.reason)


def change(statements: Statements, changes: ObjectChanges) -> list[StoredObject]:
    """See ``Store.change_objects``; to be run inside a transaction."""
    check_seen(changes, statements.value("directory_version", {}) or 0)
    kept: list[StoredObject] = []
    for write in changes.writes:
        key = (write.contact_centre_id, write.kind, write.object_id)
        found = statements.read("object", _objects, _names(key))
        before = rows.object_of(*found[0]) if found else None
        step = step_of(write, before, *_last(statements, key), changes)
        if step.stored is not None:
            _put(statements, step.stored, changes.reason)
            kept.append(step.stored)
        elif step.before is not None:
            statements.run("drop_object", _names(key))
            statements.write("note_object", [deletion_row(step.before, step.version, changes)])
    sqlite_accounts.change(statements, changes)
    statements.run("bump_directory", {})
    return kept


def _put(statements: Statements, stored: StoredObject, reason: str) -> None:
    try:
        statements.write("put_object", [rows.object_row(stored)])
    except sqlite3.IntegrityError as error:
        raise AlreadyExists(TAKEN) from error
    statements.write("note_object", [rows.history_row(stored, reason)])


def _last(statements: Statements, key: ObjectKey) -> tuple[int, int]:
    return statements.read("newest_object", _newest, _names(key))


def _names(key: ObjectKey) -> dict[str, int | str]:
    centre, kind, object_id = key
    return {"contact_centre_id": centre, "kind": kind.value, "object_id": object_id}
