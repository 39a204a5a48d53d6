"""What administration needs of a store, and a store that only pretends to be written to.

Dry runs judge changes with the code that carries them out. What must not be written goes into a ``PretendedStore``:
reads see it from then on, and nobody else ever does.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from trunkline.app.directory import ReferenceBook
from trunkline.app.ports import (
    AgentSession,
    Held,
    ObjectChanges,
    ObjectVersion,
    Suppression,
    SuppressionQuery,
    Unit,
    User,
)
from trunkline.domain.objects import OBJECT_TYPES, StoredObject

PROVISIONAL = 2_000_000_000
"""Numbers from here on stand for objects that a dry run would make."""


class AdminStore(Protocol):
    """The part of ``Store`` that administration uses."""

    def begin(self) -> AbstractAsyncContextManager[Unit]:
        """See ``Store.begin``; records are only read."""

    async def change_objects(self, changes: ObjectChanges) -> list[StoredObject]:
        """See ``Store.change_objects``."""

    async def object_history(
        self, contact_centre_id: int, kind: str, object_id: int, before_version: int | None, limit: int
    ) -> list[ObjectVersion]:
        """See ``Store.object_history``."""

    async def user(self, contact_centre_id: int, user_name: str) -> User | None:
        """See ``Store.user``."""

    async def users(self, contact_centre_id: int, user_ids: Sequence[int] | None = None) -> list[User]:
        """See ``Store.users``."""

    async def suppression_entries(self, query: SuppressionQuery) -> list[Suppression]:
        """See ``Store.suppression_entries``."""

    async def desk_of(self, contact_centre_id: int, user_id: int) -> list[Held]:
        """See ``Reads.desk_of``."""

    async def agent_session(self, contact_centre_id: int, user_id: int) -> AgentSession | None:
        """See ``Reads.agent_session``."""


class PretendedStore:
    """An ``AdminStore`` over a real one, from which it only reads. ``book`` is how everything would be.

    Levels of skills are not followed into the book: nothing that is judged depends on who would be in a group by them.
    """

    def __init__(self, store: AdminStore, book: ReferenceBook) -> None:
        self.book = book
        self._store = store
        self._users: dict[tuple[int, int], User] = {}
        self._numbers = itertools.count(PROVISIONAL)

    async def change_objects(self, changes: ObjectChanges) -> list[StoredObject]:
        """Take in objects and accounts. Cost: for each object a new book, as after a change that is real."""
        kept = []
        for write in changes.writes:
            assert write.value is not None, "documents delete nothing"
            number = write.object_id or next(self._numbers)
            stored = StoredObject(
                kind=write.kind,
                value=msgspec.structs.replace(write.value, **{OBJECT_TYPES[write.kind].key: number}),
                version=write.expected_version + 1,
                reference=write.reference,
                changed_at_ms=changes.at_ms,
                changed_by=changes.changed_by,
            )
            self.book = self.book.with_object(stored)
            kept.append(stored)
        for account in changes.users:
            assert account.user is not None, "documents delete nobody"
            number = account.user_id or next(self._numbers)
            self._users[account.contact_centre_id, number] = msgspec.structs.replace(
                account.user,
                caller=msgspec.structs.replace(account.user.caller, user_id=number),
                version=account.expected_version + 1,
            )
        return kept

    async def users(self, contact_centre_id: int, user_ids: Sequence[int] | None = None) -> list[User]:
        """Accounts as they would be."""
        found = {user.caller.user_id: user for user in await self._store.users(contact_centre_id, user_ids)}
        for (centre, number), user in self._users.items():
            if centre == contact_centre_id and (user_ids is None or number in user_ids):
                found[number] = user
        return list(found.values())

    async def user(self, contact_centre_id: int, user_name: str) -> User | None:
        """An account as it would be."""
        mine = (user for (centre, _), user in self._users.items() if centre == contact_centre_id)
        pretended = next((user for user in mine if user.caller.user_name == user_name), None)
        return pretended or await self._store.user(contact_centre_id, user_name)

    async def agent_session(self, contact_centre_id: int, user_id: int) -> None:
        """None: whoever would be disabled is not logged out."""

    def begin(self) -> AbstractAsyncContextManager[Unit]:
        """See ``AdminStore.begin``."""
        return self._store.begin()

    async def object_history(
        self, contact_centre_id: int, kind: str, object_id: int, before_version: int | None, limit: int
    ) -> list[ObjectVersion]:
        """What there really was; what a dry run would make has no history."""
        return await self._store.object_history(contact_centre_id, kind, object_id, before_version, limit)

    async def suppression_entries(self, query: SuppressionQuery) -> list[Suppression]:
        """See ``AdminStore.suppression_entries``."""
        return await self._store.suppression_entries(query)

    async def desk_of(self, contact_centre_id: int, user_id: int) -> list[Held]:
        """See ``AdminStore.desk_of``."""
        return await self._store.desk_of(contact_centre_id, user_id)
