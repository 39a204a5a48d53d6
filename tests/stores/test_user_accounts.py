"""Accounts with versions, references, skills and a history, beside objects in one change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from tests.stores.storage import CENTRE, Storage
from tests.stores.test_directory import CENTRES, user
from tests.stores.test_objects import FORMAT, change, of_user, refused, write
from trunkline.app.accounts import USER_KIND, account_of
from trunkline.app.ports import Provision, Store
from trunkline.domain.campaigns import AgentGroup
from trunkline.domain.objects import ObjectKind
from trunkline.domain.people import Account, Device, Role
from trunkline.errors import AlreadyExists, NotFound, StaleVersion


def with_centres(check: Callable[[Store], Awaitable[None]]) -> Callable[[Store], Awaitable[None]]:
    """The check, after the contact centres were made."""

    async def run(store: Store) -> None:
        await store.provision(Provision(contact_centres=CENTRES))
        await check(store)

    return run


def test_an_account_s_life(storage: Storage) -> None:
    """An account gets the next number, is changed by version, with skills and reference; a number never comes again."""

    async def check(store: Store) -> None:
        eve = msgspec.structs.replace(
            user(0, "eve", devices=(Device("d1", "+1"),)), skills={3: 50, 1: 100}, reference="e-1"
        )
        await change(store, of_user(eve), reason="hired")
        (kept,) = await store.users(CENTRE)
        assert kept == msgspec.structs.replace(
            eve, caller=msgspec.structs.replace(eve.caller, user_id=1), version=1, reference="e-1"
        )
        assert (await store.directory()).skills == {(CENTRE, 1): {1: 100, 3: 50}}
        promoted = msgspec.structs.replace(
            kept, caller=msgspec.structs.replace(kept.caller, roles=(Role.SUPERVISOR,)), skills={}
        )
        await refused(store, StaleVersion, of_user(promoted, 1, 2))
        await change(store, of_user(promoted, 1, 1), at_ms=6)
        (kept,) = await store.users(CENTRE)
        assert (kept.version, kept.caller.roles, kept.skills, kept.reference) == (2, (Role.SUPERVISOR,), {}, "e-1")
        assert (await store.directory()).skills == {}
        await change(store, of_user(None, 1, 2), at_ms=7, reason="left")
        assert await store.users(CENTRE) == []
        await refused(store, NotFound, of_user(None, 1, 2))
        await change(store, of_user(user(0, "eve", devices=(Device("d1", "+1"),))))
        assert [(u.caller.user_id, u.version) for u in await store.users(CENTRE)] == [(2, 1)]
        found = await store.object_history(CENTRE, USER_KIND, 1, None, 9)
        assert [(e.version, e.changed_at_ms, e.reason) for e in found] == [(3, 7, "left"), (2, 6, ""), (1, 5, "hired")]
        assert found[0].definition is None
        assert msgspec.json.decode(found[1].definition or "", type=Account) == account_of(
            msgspec.structs.replace(promoted, version=2)
        )
        assert all("argon2" not in (entry.definition or "") for entry in found)

    storage.run(with_centres(check))


def test_names_and_references_of_accounts_are_taken_once(storage: Storage) -> None:
    """A name or a reference of another account of the contact centre is refused; elsewhere both are free."""

    async def check(store: Store) -> None:
        await change(store, of_user(msgspec.structs.replace(user(0, "eve"), reference="e-1")))
        await refused(store, AlreadyExists, of_user(user(0, "eve", public_id="x")))
        twin = msgspec.structs.replace(user(0, "adam", public_id="y"), reference="e-1")
        await refused(store, AlreadyExists, write(FORMAT), of_user(twin))
        await change(store, of_user(msgspec.structs.replace(user(0, "eve", 2), reference="e-1"), centre=2))
        assert len(await store.user_by_name("eve")) == 2
        assert [(one.user_name, one.contact_centre_id, one.user_id) for one in await store.namesakes()] == [
            ("eve", 1, 1),
            ("eve", 2, 1),
        ]
        (_, other) = await store.user_by_name("eve")
        assert (await store.namesakes())[1].password_hash == other.password_hash
        await change(store, of_user(msgspec.structs.replace(other, is_enabled=False), 1, other.version, centre=2))
        assert await store.namesakes() == []

    storage.run(with_centres(check))


def test_objects_and_accounts_change_together(storage: Storage) -> None:
    """One change may delete an account and take it out of a group; when one part is refused both stay."""

    async def check(store: Store) -> None:
        group = AgentGroup(contact_centre_id=CENTRE, agent_group_id=0, name="G", user_ids=frozenset({1}))
        await change(store, of_user(user(0, "eve")), write(group, ObjectKind.AGENT_GROUP))
        empty = msgspec.structs.replace(group, user_ids=frozenset())
        late = write(empty, ObjectKind.AGENT_GROUP, object_id=1, expected_version=9)
        await refused(store, StaleVersion, of_user(None, 1, 1), late)
        await refused(store, StaleVersion, of_user(None, 1, 9), msgspec.structs.replace(late, expected_version=1))
        await change(store, of_user(None, 1, 1), msgspec.structs.replace(late, expected_version=1))
        (kept,) = (await store.directory()).objects
        assert isinstance(kept.value, AgentGroup)
        assert (kept.value.user_ids, await store.users(CENTRE)) == (frozenset(), [])

    storage.run(with_centres(check))


def test_a_provisioned_account_is_in_the_history(storage: Storage) -> None:
    """What the command line writes is a version like any other."""

    async def check(store: Store) -> None:
        await store.provision(Provision(users=[user(4, "ann@north"), user(5, "bob@north")]))
        await store.provision(Provision(users=[user(4, "ann.b@north")]))
        found = await store.object_history(CENTRE, USER_KIND, 4, None, 9)
        assert [(e.version, e.reason, e.changed_by) for e in found] == [
            (2, "provisioned", None),
            (1, "provisioned", None),
        ]
        assert [u.version for u in await store.users(CENTRE)] == [2, 1]
        await change(store, of_user(user(0, "eve")))
        assert [u.caller.user_id for u in await store.users(CENTRE)] == [4, 5, 6]

    storage.run(with_centres(check))
