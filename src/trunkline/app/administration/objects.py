"""Administration: read, create, change and delete objects of every kind, and who did it when and why.

Changes are judged one after the other by the reference data of that moment, and written only if these are still what
they were judged by; another program's change in between means that they are judged again. The server's own book is
renewed before the answer, so that a read that begins after it sees the change.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from trunkline.app.administration import rules as admin_rules
from trunkline.app.administration.accounts import Accounts
from trunkline.app.administration.checks import check_object
from trunkline.app.administration.items import Draft, Item, Version, check_version, version_of
from trunkline.app.administration.names import check_names
from trunkline.app.administration.store import AdminStore
from trunkline.app.directory import ReferenceBook
from trunkline.app.ports import Clock, Conflict, ObjectChanges, ObjectWrite, RecordQuery, SuppressionQuery
from trunkline.contract.admin_kinds import USER, Kind, references
from trunkline.domain.campaigns import CallingList
from trunkline.domain.objects import ObjectValue, StoredObject
from trunkline.domain.people import Caller
from trunkline.domain.suppression import SuppressionList
from trunkline.errors import AlreadyExists, AlreadyInUse, NotFound, TooLarge, Unavailable

MAX_TRIES = 5
"""Times a change is judged anew when another program was faster; groups change state a few times a minute at most."""
MAX_OBJECTS = 10_000
"""Objects of one kind in a contact centre: all are kept in memory, and the largest sites of the field have hundreds."""

Make = Callable[[Item], Draft]
"""What an object is to become, from what it is."""


class Administration:
    """The use cases. ``refresh`` renews the server's book and tells those who lost their access.

    ``validation_urls`` are those that the configuration opens.
    """

    def __init__(
        self,
        store: AdminStore,
        clock: Clock,
        book: Callable[[], ReferenceBook],
        refresh: Callable[[], Awaitable[None]],
        accounts: Accounts,
        validation_urls: frozenset[str],
    ) -> None:
        self._store = store
        self._clock = clock
        self._book = book
        self._refresh = refresh
        self._accounts = accounts
        self._validation_urls = validation_urls
        self._turn = asyncio.Lock()

    # Reads

    async def items(self, caller: Caller, kind: Kind) -> list[Item]:
        """All objects of a kind, by number."""
        if kind.is_user:
            return await self._accounts.items(caller.contact_centre_id)
        return [_item(stored) for stored in self._book().objects_of(caller.contact_centre_id, kind.object_kind)]

    async def item(self, caller: Caller, kind: Kind, object_id: int) -> Item:
        """One object; ``NotFound`` in the same words for unknown and foreign ones."""
        if kind.is_user:
            return await self._accounts.item(caller.contact_centre_id, object_id)
        return _item(_stored(self._book(), caller, kind, object_id))

    async def history(
        self, caller: Caller, kind: Kind, object_id: int, before_version: int | None, limit: int
    ) -> list[Version]:
        """The newest versions of an object, deletions too; ``NotFound`` for one that never was."""
        centre = caller.contact_centre_id
        found = await self._store.object_history(centre, kind.kind, object_id, before_version, limit)
        if not found and before_version is None:
            await self.item(caller, kind, object_id)
        return [version_of(kind, entry) for entry in found]

    async def names(self, caller: Caller, user_ids: set[int]) -> dict[int, str]:
        """Names of users by number; those who are gone are missing."""
        users = await self._store.users(caller.contact_centre_id, sorted(user_ids)) if user_ids else []
        return {user.caller.user_id: user.caller.user_name for user in users}

    # Changes

    async def create(self, caller: Caller, kind: Kind, draft: Draft) -> Item:
        """Make an object. The same reference and content again give the object that there is.

        Raises ``AlreadyExists`` for a name that is taken and for a reference with other content.
        """
        async with self._turn:
            if kind.is_user:
                item = await self._accounts.create(caller, draft, self._book())
            else:
                item = await self._judged(lambda book: self._create(caller, kind, draft, book))
            await self._refresh()
        return item

    async def replace(self, caller: Caller, kind: Kind, object_id: int, version: int, make: Make) -> Item:
        """Change an object that is still at ``version``; ``StaleVersion`` when it is not."""
        async with self._turn:
            if kind.is_user:
                item = await self._accounts.replace(caller, object_id, version, make, self._book())
            else:
                item = await self._judged(lambda book: self._replace(caller, kind, object_id, version, make, book))
            await self._refresh()
        if kind.is_user:
            await self._accounts.log_out_if_disabled(caller.contact_centre_id, object_id)
        return item

    async def delete(self, caller: Caller, kind: Kind, object_id: int, version: int, reason: str) -> None:
        """Delete an object that is still at ``version``; see ``admin_rules.deletion``."""
        async with self._turn:
            if kind.is_user:
                await self._judged(lambda book: self._accounts.delete(caller, object_id, version, reason, book))
            else:
                await self._judged(lambda book: self._delete(caller, kind, object_id, version, reason, book))
            await self._refresh()

    async def _judged(self, judge: Callable[[ReferenceBook], Awaitable[Any]]) -> Any:
        """Judge and write; again with fresh reference data when they moved in between."""
        for _ in range(MAX_TRIES):
            try:
                return await judge(self._book())
            except Conflict:
                await self._refresh()
        raise Unavailable("others are changing the configuration; try again")

    async def _create(self, caller: Caller, kind: Kind, draft: Draft, book: ReferenceBook) -> Item:
        value: ObjectValue = draft.value
        there = book.objects_of(caller.contact_centre_id, kind.object_kind)
        known = next((one for one in there if draft.reference is not None and one.reference == draft.reference), None)
        if known is not None:
            return await self._again(kind, draft, known)
        if len(there) >= MAX_OBJECTS:
            raise TooLarge(f"there are {MAX_OBJECTS} of this kind already")
        value = await self._checked(book, kind, value, None)
        admin_rules.check_among_others(book, value, 0)
        write = ObjectWrite(
            contact_centre_id=caller.contact_centre_id,
            kind=kind.object_kind,
            object_id=0,
            expected_version=0,
            value=value,
            reference=draft.reference,
        )
        return await self._write(caller, book, (write,), draft.reason)

    async def _again(self, kind: Kind, draft: Draft, known: StoredObject) -> Item:
        """The object that was made with the same reference and content before."""
        key = (known.contact_centre_id, kind.kind, known.object_id)
        (first,) = await self._store.object_history(*key, 2, 1) or (None,)
        made = version_of(kind, first).value if first is not None else None
        wanted = check_object(kind.object_kind, draft.value, self._clock.now_s())
        if made != msgspec.structs.replace(wanted, **{kind.key: known.object_id}):
            raise AlreadyExists(f"referenceId is that of another {kind.title}")
        return _item(known)

    async def _replace(
        self, caller: Caller, kind: Kind, object_id: int, version: int, make: Make, book: ReferenceBook
    ) -> Item:
        stored = _stored(book, caller, kind, object_id)
        check_version(kind, version, stored.version)
        draft = make(_item(stored))
        if draft.value == stored.value and draft.reference in (None, stored.reference):
            return _item(stored)
        value = await self._checked(book, kind, draft.value, stored.value)
        admin_rules.check_among_others(book, value, object_id)
        admin_rules.check_change(book, stored, value)
        admin_rules.check_reason(stored.value, value, draft.reason)
        await self._check_fields(book, stored, value)
        write = admin_rules.rewrite(stored, value)
        if draft.reference is not None:
            write = msgspec.structs.replace(write, reference=draft.reference)
        return await self._write(caller, book, (write,), draft.reason)

    async def _delete(
        self, caller: Caller, kind: Kind, object_id: int, version: int, reason: str, book: ReferenceBook
    ) -> None:
        stored = _stored(book, caller, kind, object_id)
        check_version(kind, version, stored.version)
        writes = admin_rules.deletion(book, stored)
        if isinstance(stored.value, CallingList) and await self._has_records(stored.value):
            raise AlreadyInUse("the calling list has records; empty it first")
        if isinstance(stored.value, SuppressionList) and await self._has_entries(stored.value):
            raise AlreadyInUse("the suppression list has entries; empty it first")
        await self._store.change_objects(
            ObjectChanges(
                at_ms=self._clock.now_ms(),
                changed_by=caller.user_id,
                writes=writes,
                reason=reason,
                seen_version=book.version,
            )
        )

    async def _check_fields(self, book: ReferenceBook, stored: StoredObject, value: ObjectValue) -> None:
        """Raise ``AlreadyInUse`` when records would not bear a change of their custom fields."""
        said, lists = admin_rules.fields_at_stake(book, stored, value)
        for called in lists:
            if await self._has_records(called):
                raise AlreadyInUse(f"{said}: the calling list {called.name} has records")

    async def _has_records(self, calling_list: CallingList) -> bool:
        query = RecordQuery(
            contact_centre_id=calling_list.contact_centre_id,
            list_id=calling_list.list_id,
            condition=None,
            now_s=self._clock.now_s(),
            limit=1,
        )
        async with self._store.begin() as unit:
            return bool(await unit.records_where(query))

    async def _has_entries(self, target: SuppressionList) -> bool:
        query = SuppressionQuery(
            contact_centre_id=target.contact_centre_id, suppression_list_id=target.suppression_list_id, limit=1
        )
        return bool(await self._store.suppression_entries(query))

    async def _write(self, caller: Caller, book: ReferenceBook, writes: tuple[ObjectWrite, ...], reason: str) -> Item:
        changes = ObjectChanges(
            at_ms=self._clock.now_ms(),
            changed_by=caller.user_id,
            writes=writes,
            reason=reason,
            seen_version=book.version,
        )
        return _item((await self._store.change_objects(changes))[-1])

    async def _checked(
        self, book: ReferenceBook, kind: Kind, value: ObjectValue, before: ObjectValue | None
    ) -> ObjectValue:
        """The object as it is to be kept."""
        value = check_object(kind.object_kind, value, self._clock.now_s())
        named = {one.number for one in references(kind, value) if one.kind.kind == USER}
        users = await self._store.users(value.contact_centre_id, sorted(named)) if named else []
        admin_rules.check_references(book, kind, value, {user.caller.user_id for user in users})
        check_names(book, value, before, self._validation_urls)
        return value


def _stored(book: ReferenceBook, caller: Caller, kind: Kind, object_id: int) -> StoredObject:
    stored = book.object(caller.contact_centre_id, kind.object_kind, object_id)
    if stored is None:
        raise NotFound(f"there is no {kind.title} with this id")
    return stored


def number_of(text: str, kind: Kind) -> int:
    """An object's number as an address holds it; ``NotFound`` for what no number can be."""
    if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) >= 2**31:
        raise NotFound(f"there is no {kind.title} with this id")
    return int(text)


def _item(stored: StoredObject) -> Item:
    return Item(
        object_id=stored.object_id,
        value=stored.value,
        version=stored.version,
        reference=stored.reference,
        changed_at_ms=stored.changed_at_ms,
        changed_by=stored.changed_by,
    )
