"""Objects and group states on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import asyncpg

from trunkline.adapters.storage import postgres_accounts, rows
from trunkline.adapters.storage.objects import PROVISIONED, TAKEN, check_seen, deletion_row, replacing, step_of
from trunkline.adapters.storage.postgres_rows import columns, levels_of
from trunkline.adapters.storage.postgres_server import QUERIES, Connection
from trunkline.app.ports import ObjectChanges, ObjectVersion
from trunkline.domain.campaigns import GroupState
from trunkline.domain.enums import DialMode, GroupStatus, OptimizeBy
from trunkline.domain.objects import ObjectKey, StoredObject
from trunkline.errors import AlreadyExists


async def objects(connection: Connection) -> tuple[StoredObject, ...]:
    """All objects by key."""
    return tuple(rows.object_of(*row) for row in await connection.fetch(QUERIES["objects"]))


async def versions(connection: Connection, key: ObjectKey, limit: int) -> list[StoredObject]:
    """See ``Store.object_versions``."""
    found = await connection.fetch(QUERIES["object_versions"], *_key(key), limit)
    return [rows.object_of(*row) for row in found]


async def history(
    connection: Connection, key: tuple[int, str, int], before_version: int | None, limit: int
) -> list[ObjectVersion]:
    """See ``Store.object_history``."""
    return [
        ObjectVersion(*row) for row in await connection.fetch(QUERIES["object_history"], *key, before_version, limit)
    ]


async def group_states(connection: Connection) -> tuple[GroupState, ...]:
    """Where all groups stand, by key."""
    return tuple(
        GroupState(
            contact_centre_id=centre,
            campaign_group_id=group_id,
            status=GroupStatus(status),
            dial_mode=DialMode(mode),
            optimize_by=OptimizeBy(optimize_by),
            optimize_goal=goal,
            changed_at_ms=changed_at_ms,
            schedule_id=schedule_id,
            is_completing=bool(is_completing),
            loaded_at_ms=loaded_at_ms,
        )
        for (
            *(centre, group_id, status, mode, optimize_by, goal, changed_at_ms, schedule_id),
            is_completing,
            loaded_at_ms,
        ) in await connection.fetch(QUERIES["group_states"])
    )


async def skills(connection: Connection) -> dict[tuple[int, int], dict[int, int]]:
    """Skills of those who have any."""
    found = await connection.fetch(QUERIES["skills"])
    return {(centre, user_id): levels_of(levels) for centre, user_id, levels in found}


async def put_states(connection: Connection, states: Iterable[GroupState]) -> None:
    """Write where groups stand."""
    new = [rows.state_row(state) for state in sorted(states, key=lambda state: state.key)]
    if new:
        await connection.execute(QUERIES["put_group_states"], *columns(new))


async def put_all(connection: Connection, new: Sequence[StoredObject]) -> None:
    """Write objects whatever is there; each becomes the next version of its number."""
    for stored in new:
        _, last_version = await _last(connection, stored.key)
        await _put(connection, replacing(stored, last_version), PROVISIONED.reason)


async def change(connection: Connection, changes: ObjectChanges) -> list[StoredObject]:
    """See ``Store.change_objects``; to be run inside a transaction."""
    # First, because its lock makes two processes that change objects take turns.
    await connection.execute(QUERIES["bump_version"])
    check_seen(changes, await connection.fetchval(QUERIES["directory_version"]) - 1)
    kept: list[StoredObject] = []
    for write in changes.writes:
        key = (write.contact_centre_id, write.kind, write.object_id)
        found = await connection.fetchrow(QUERIES["object"], *_key(key))
        before = rows.object_of(*found) if found is not None else None
        step = step_of(write, before, *await _last(connection, key), changes)
        if step.stored is not None:
            await _put(connection, step.stored, changes.reason)
            kept.append(step.stored)
        elif step.before is not None:
            await connection.execute(QUERIES["drop_object"], *_key(key))
            await connection.execute(QUERIES["note_object"], *deletion_row(step.before, step.version, changes))
    await postgres_accounts.change(connection, changes)
    return kept


async def _put(connection: Connection, stored: StoredObject, reason: str) -> None:
    try:
        await connection.execute(QUERIES["put_object"], *rows.object_row(stored))
    except asyncpg.UniqueViolationError as error:
        raise AlreadyExists(TAKEN) from error
    await connection.execute(QUERIES["note_object"], *rows.history_row(stored, reason))


async def _last(connection: Connection, key: ObjectKey) -> tuple[int, int]:
    row = await connection.fetchrow(QUERIES["newest_object"], *_key(key))
    assert row is not None
    number, version = row
    return number, version


def _key(key: ObjectKey) -> tuple[int, str, int]:
    return key[0], key[1].value, key[2]
