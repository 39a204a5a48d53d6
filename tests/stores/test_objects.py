"""Objects and accounts with versions and history, and where campaign groups stand."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from tests.stores.storage import CENTRE, Storage, save
from tests.stores.test_directory import CENTRES, user
from trunkline.app.ports import Conflict, ObjectChanges, ObjectVersion, ObjectWrite, Provision, Store, User, UserWrite
from trunkline.domain.campaigns import CallingList, Format, GroupState, ListField
from trunkline.domain.enums import DialMode, GroupStatus, OptimizeBy
from trunkline.domain.objects import ObjectKind, ObjectValue, StoredObject
from trunkline.errors import AlreadyExists, NotFound, StaleVersion, TrunklineError

FORMAT = Format(contact_centre_id=CENTRE, format_id=0, name="Customers", fields=(ListField(name="note"),))
LIST = CallingList(contact_centre_id=CENTRE, list_id=0, name="Prospects")


def write(value: ObjectValue | None, kind: ObjectKind = ObjectKind.FORMAT, **values: Any) -> ObjectWrite:
    """A write of a new format."""
    default: dict[str, Any] = {"contact_centre_id": CENTRE, "object_id": 0, "expected_version": 0}
    return ObjectWrite(kind=kind, value=value, **{**default, **values})


def of_user(account: User | None, user_id: int = 0, expected_version: int = 0, centre: int = CENTRE) -> UserWrite:
    """A write of a new account."""
    return UserWrite(contact_centre_id=centre, user_id=user_id, expected_version=expected_version, user=account)


def changes(*writes: ObjectWrite | UserWrite, at_ms: int = 5, by: int | None = 9, **values: Any) -> ObjectChanges:
    """Changes by user 9."""
    objects = tuple(one for one in writes if isinstance(one, ObjectWrite))
    users = tuple(one for one in writes if isinstance(one, UserWrite))
    return ObjectChanges(at_ms=at_ms, changed_by=by, writes=objects, users=users, **values)


async def change(store: Store, *writes: ObjectWrite | UserWrite, **values: Any) -> list[StoredObject]:
    """Write."""
    return await store.change_objects(changes(*writes, **values))


async def refused(store: Store, error: type[TrunklineError], *writes: ObjectWrite | UserWrite, **values: Any) -> None:
    """Fail unless the change is refused and leaves nothing behind."""
    before = await store.directory(), await store.users(CENTRE)
    with pytest.raises(error):
        await change(store, *writes, **values)
    assert (await store.directory(), await store.users(CENTRE)) == before


def test_an_object_s_life(storage: Storage) -> None:
    """A new object gets the next number and version 1; each change the next version; deleting it frees its name."""

    async def check(store: Store) -> None:
        (made,) = await change(store, write(FORMAT, reference="r1"))
        assert made == StoredObject(
            kind=ObjectKind.FORMAT,
            value=msgspec.structs.replace(FORMAT, format_id=1),
            version=1,
            reference="r1",
            changed_at_ms=5,
            changed_by=9,
        )
        assert (await store.directory()).objects == (made,)
        renamed = msgspec.structs.replace(FORMAT, name="Others")
        (changed,) = await change(store, write(renamed, object_id=1, expected_version=1), at_ms=6, by=None)
        assert (changed.version, changed.reference, changed.value.name, changed.changed_by) == (2, "r1", "Others", None)
        assert (await store.directory()).objects == (changed,)
        assert await change(store, write(None, object_id=1, expected_version=2)) == []
        assert (await store.directory()).objects == ()
        (again,) = await change(store, write(renamed, reference="r1"))
        assert (again.object_id, again.version) == (2, 1)

    storage.run(check)


def test_numbers_belong_to_a_kind_and_a_contact_centre(storage: Storage) -> None:
    """Each kind counts by itself, in each contact centre; the same name may be there in all of them."""

    async def check(store: Store) -> None:
        elsewhere = msgspec.structs.replace(FORMAT, contact_centre_id=2)
        calling_list = msgspec.structs.replace(LIST, name=FORMAT.name)
        made = await change(
            store,
            write(FORMAT),
            write(msgspec.structs.replace(FORMAT, name="B")),
            write(elsewhere, contact_centre_id=2),
            write(calling_list, ObjectKind.CALLING_LIST),
        )
        assert [(one.contact_centre_id, one.kind.value, one.object_id) for one in made] == [
            (1, "format", 1),
            (1, "format", 2),
            (2, "format", 1),
            (1, "calling-list", 1),
        ]
        assert sorted(made, key=lambda one: one.key) == list((await store.directory()).objects)

    storage.run(check)


def test_what_is_refused_leaves_nothing(storage: Storage) -> None:
    """A stale version, an unknown number, a taken name or reference: everything of the same change stays out."""

    async def check(store: Store) -> None:
        await store.provision(Provision(contact_centres=CENTRES))
        await change(store, write(FORMAT, reference="r1"), write(msgspec.structs.replace(FORMAT, name="B")))
        other = write(msgspec.structs.replace(FORMAT, name="C"))
        await refused(store, StaleVersion, other, write(FORMAT, object_id=1, expected_version=2))
        await refused(store, StaleVersion, other, write(None, object_id=1, expected_version=7))
        await refused(store, NotFound, other, write(FORMAT, object_id=99, expected_version=1))
        await refused(store, NotFound, other, write(None, object_id=99, expected_version=1))
        await refused(store, AlreadyExists, other, write(FORMAT, object_id=1))
        await refused(store, AlreadyExists, other, write(FORMAT))
        taken = msgspec.structs.replace(FORMAT, name="B")
        await refused(store, AlreadyExists, other, write(taken, object_id=1, expected_version=1))
        await refused(store, AlreadyExists, write(msgspec.structs.replace(FORMAT, name="D"), reference="r1"))
        await refused(store, NotFound, other, of_user(user(5, "eve"), 5, 1))
        assert [entry.version for entry in await store.object_history(CENTRE, "format", 1, None, 9)] == [1]

    storage.run(check)


def test_the_history_says_who_when_and_why(storage: Storage) -> None:
    """Every version is kept with its reason, deletions too, newest first and in pages."""

    async def check(store: Store) -> None:
        await change(store, write(FORMAT), reason="begin")
        second = msgspec.structs.replace(FORMAT, description="now with a text")
        await change(store, write(second, object_id=1, expected_version=1), at_ms=6, by=None)
        await change(store, write(None, object_id=1, expected_version=2), at_ms=7, reason="not needed")
        found = await store.object_history(CENTRE, "format", 1, None, 10)
        assert [(e.version, e.changed_at_ms, e.changed_by, e.reason) for e in found] == [
            (3, 7, 9, "not needed"),
            (2, 6, None, ""),
            (1, 5, 9, "begin"),
        ]
        assert found[0].definition is None
        assert [msgspec.json.decode(e.definition or "", type=Format).description for e in found[1:]] == [
            "now with a text",
            "",
        ]
        assert await store.object_history(CENTRE, "format", 1, None, 1) == found[:1]
        assert await store.object_history(CENTRE, "format", 1, 3, 1) == found[1:2]
        assert await store.object_history(CENTRE, "format", 1, 1, 10) == []
        assert await store.object_history(2, "format", 1, None, 10) == []
        kept = await store.object_versions((CENTRE, ObjectKind.FORMAT, 1), 10)
        assert [(one.version, one.value.name) for one in kept] == [(2, "Customers"), (1, "Customers")]
        assert [one.version for one in await store.object_versions((CENTRE, ObjectKind.FORMAT, 1), 1)] == [2]

    storage.run(check)


def test_a_provisioned_object_goes_on_counting(storage: Storage) -> None:
    """What is provisioned under a number replaces what is there as its next version; the history knows."""

    async def check(store: Store) -> None:
        await store.provision(Provision(lists=[msgspec.structs.replace(LIST, list_id=4)]))
        later = msgspec.structs.replace(LIST, list_id=4, description="later")
        await store.provision(Provision(lists=[later]))
        (kept,) = (await store.directory()).objects
        assert (kept.version, kept.value) == (2, later)
        found = await store.object_history(CENTRE, "calling-list", 4, None, 9)
        assert [(entry.version, entry.reason) for entry in found] == [(2, "provisioned"), (1, "provisioned")]
        (made,) = await change(store, write(msgspec.structs.replace(LIST, name="B"), ObjectKind.CALLING_LIST))
        assert made.object_id == 5

    storage.run(check)


def test_the_directory_must_be_the_one_that_was_seen(storage: Storage) -> None:
    """A change that names the version it judged by is refused when anything moved since, and every change moves it."""

    async def check(store: Store) -> None:
        seen = await store.directory_version()
        await change(store, write(FORMAT), seen_version=seen)
        assert await store.directory_version() > seen
        await refused(store, Conflict, write(msgspec.structs.replace(FORMAT, name="B")), seen_version=seen)
        seen = await store.directory_version()
        await save(store, group_states={(CENTRE, 3): GroupState(contact_centre_id=CENTRE, campaign_group_id=3)})
        await refused(store, Conflict, write(msgspec.structs.replace(FORMAT, name="B")), seen_version=seen)
        seen = await store.directory_version()
        await change(store, of_user(user(0, "eve")), seen_version=seen)
        await refused(store, Conflict, write(msgspec.structs.replace(FORMAT, name="B")), seen_version=seen)

    async def with_centre(store: Store) -> None:
        await store.provision(Provision(contact_centres=CENTRES))
        await check(store)

    storage.run(with_centre)


# --- concurrent writers ------------------------------------------------------------------------------------------


def test_of_two_writers_of_one_object_one_wins(durable_storage: Storage) -> None:
    """Two programs that saw the same version: one change is kept, the other is refused as stale, in every round."""

    async def main() -> None:
        async with durable_storage.opened() as one, durable_storage.opened() as two:
            await change(one, write(FORMAT))
            for version in range(1, 8):
                outcomes = await asyncio.gather(
                    *(
                        change(
                            store,
                            write(
                                msgspec.structs.replace(FORMAT, description=f"{version} of {n}"),
                                object_id=1,
                                expected_version=version,
                            ),
                        )
                        for n, store in enumerate((one, two))
                    ),
                    return_exceptions=True,
                )
                assert [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)] == [StaleVersion]
                (kept,) = (await one.directory()).objects
                assert kept.version == version + 1
            assert len(await one.object_history(CENTRE, "format", 1, None, 99)) == 8

    asyncio.run(main())


def test_numbers_of_two_writers_differ(durable_storage: Storage) -> None:
    """Two programs that make objects and accounts at the same time get different numbers."""

    async def main() -> None:
        async with durable_storage.opened() as one, durable_storage.opened() as two:
            await one.provision(Provision(contact_centres=CENTRES))
            made = await asyncio.gather(
                *(
                    change(
                        store,
                        write(msgspec.structs.replace(FORMAT, name=f"F{n}")),
                        of_user(user(n + 100, f"u{n}"), 0) if n < 0 else of_user(user(0, f"u{n}", public_id=f"{n}")),
                    )
                    for n, store in enumerate((one, two) * 6)
                )
            )
            assert sorted(stored.object_id for (stored,) in made) == list(range(1, 13))
            assert [account.caller.user_id for account in await one.users(CENTRE)] == list(range(1, 13))

    asyncio.run(main())


def test_of_two_judgements_one_counts(durable_storage: Storage) -> None:
    """Of two programs that judged by the same directory one writes; the other is told to judge again."""

    async def main() -> None:
        async with durable_storage.opened() as one, durable_storage.opened() as two:
            seen = await one.directory_version()
            outcomes = await asyncio.gather(
                *(
                    change(store, write(msgspec.structs.replace(FORMAT, name=f"F{n}")), seen_version=seen)
                    for n, store in enumerate((one, two))
                ),
                return_exceptions=True,
            )
            assert [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)] == [Conflict]
            assert len((await one.directory()).objects) == 1

    asyncio.run(main())


# --- group states ------------------------------------------------------------------------------------------------


def test_group_states_are_kept_by_group(storage: Storage) -> None:
    """Where a group stands is written with a unit, replaces what was there, and moves the directory's version."""

    async def check(store: Store) -> None:
        loaded = GroupState(
            contact_centre_id=CENTRE,
            campaign_group_id=3,
            status=GroupStatus.RUNNING,
            dial_mode=DialMode.PREDICT,
            optimize_by=OptimizeBy.WAIT_TIME,
            optimize_goal=7,
            changed_at_ms=11,
            schedule_id=2,
        )
        other = msgspec.structs.replace(loaded, contact_centre_id=2)
        before = await store.directory_version()
        await save(store, group_states={state.key: state for state in (other, loaded)})
        directory = await store.directory()
        assert directory.group_states == (loaded, other)
        assert directory.version > before
        stopped = msgspec.structs.replace(loaded, status=GroupStatus.NOT_LOADED, schedule_id=0)
        await save(store, group_states={stopped.key: stopped})
        assert (await store.directory()).group_states == (stopped, other)

    storage.run(check)


def test_a_history_entry_is_plain(storage: Storage) -> None:
    """Entries compare by value, whatever kept them."""

    async def check(store: Store) -> None:
        await change(store, write(FORMAT), reason="r")
        (entry,) = await store.object_history(CENTRE, "format", 1, None, 9)
        definition = msgspec.json.encode(msgspec.structs.replace(FORMAT, format_id=1)).decode()
        assert entry == ObjectVersion(1, definition, 5, 9, "r")

    storage.run(check)
