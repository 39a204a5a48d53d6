"""Reference data: contact centres, users, lists, campaigns."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.stores.storage import Storage
from trunkline.app.directory import ReferenceBook
from trunkline.app.ports import Directory, Provision, Store, User
from trunkline.domain.campaigns import CallingList, Campaign, CampaignList, ListField
from trunkline.domain.enums import DialMode, GroupStatus, SuppressionScope
from trunkline.domain.group_control import Obstacle
from trunkline.domain.objects import ObjectKind
from trunkline.domain.people import Caller, Device, Role
from trunkline.errors import AlreadyExists

CENTRES = {1: "North", 2: "South"}


def user(user_id: int, name: str, centre: int = 1, **values: Any) -> User:
    """An account."""
    default: dict[str, Any] = {"public_id": f"{centre:016x}{user_id:016x}", "user_name": name}
    caller = Caller(
        contact_centre_id=centre, contact_centre_name=CENTRES[centre], user_id=user_id, **{**default, **values}
    )
    return User(caller=caller, password_hash=f"$argon2id${user_id}")


ANN = user(
    3,
    "ann@north",
    first_name="Änn",
    last_name="O'Hara",
    email_address="ann@example.com",
    roles=(Role.SUPERVISOR, Role.AGENT),
    features=frozenset({"api-voice", "api-voice-outbound"}),
    devices=(Device("d9", "+1001"), Device("d1", "+1002")),
)
BOB = user(1, "bob@north")
SOUTHERN_BOB = user(1, "bob@north", centre=2, devices=(Device("d9", "+2001"),))

LIST = CallingList(
    contact_centre_id=1,
    list_id=10,
    name="Prospects",
    from_s=3600,
    until_s=7200,
    max_attempts=3,
    default_time_zone="Europe/Paris",
    default_region="FR",
    refuses_duplicates=True,
    fields=(ListField(name="note", is_sent=False, is_read_only=True, is_mandatory=True), ListField(name="sum")),
)
CAMPAIGN = Campaign(
    contact_centre_id=1,
    campaign_id=100,
    name="Sales",
    application_id=5,
    description="d",
    group_id=7,
    group_name="Sales@North",
    group_description="g",
    agent_group_id=7,
    dial_mode=DialMode.PREDICT,
    status=GroupStatus.RUNNING,
    suppression_scope=SuppressionScope.CAMPAIGN,
    lists=(CampaignList(10, 5), CampaignList(11, 0, is_active=False)),
    agents=frozenset({3, 1, 2**31 - 1}),
)


def all_of_it() -> Provision:
    """Some of everything."""
    others = [
        CallingList(contact_centre_id=2, list_id=10, name="Prospects"),
        CallingList(contact_centre_id=1, list_id=9, name="A"),
    ]
    plain = Campaign(contact_centre_id=2, campaign_id=1, name="Sales", application_id=5)
    return Provision(
        contact_centres=CENTRES, users=[ANN, BOB, SOUTHERN_BOB], lists=[LIST, *others], campaigns=[CAMPAIGN, plain]
    )


def test_an_empty_directory(storage: Storage) -> None:
    """A new database knows nobody."""

    async def check(store: Store) -> None:
        version = await store.directory_version()
        assert await store.directory() == Directory(version=version, contact_centres={})
        assert await store.users(1) == []
        assert await store.user(1, "ann@north") is None
        assert await store.user_by_name("ann@north") == []

    storage.run(check)


def test_reference_data_comes_back_by_key(storage: Storage) -> None:
    """Lists and campaigns come back as they were written, in the order of their keys."""

    async def check(store: Store) -> None:
        await store.provision(all_of_it())
        directory = await store.directory()
        assert directory.contact_centres == CENTRES
        assert [stored.key for stored in directory.objects] == sorted(stored.key for stored in directory.objects)
        book = ReferenceBook(directory)
        assert [entry.list_id for entry in book.lists_of(1)] == [9, 10]
        assert book.lists_of(1)[1] == book.list_by_id(1, 10) == LIST
        assert [(c.campaign_id, c.group_id) for c in book.groups_of(1) + book.groups_of(2)] == [(100, 7), (1, 1)]
        # Nothing dials in this mode, so the group is shown as one that cannot work.
        shown = {"status": GroupStatus.IN_ACTIVE, "obstacle": Obstacle.NO_DIALER.value}
        assert book.campaign(1, "Sales") == msgspec.structs.replace(CAMPAIGN, **shown)
        assert directory.version == await store.directory_version()

    storage.run(check)


def test_every_provision_moves_the_version(storage: Storage) -> None:
    """The version grows with lists, with users, and with nothing at all."""

    async def check(store: Store) -> None:
        versions = [await store.directory_version()]
        for provision in (all_of_it(), Provision(users=[BOB]), Provision()):
            await store.provision(provision)
            versions.append(await store.directory_version())
        assert versions == sorted(set(versions))

    storage.run(check)


def test_accounts(storage: Storage) -> None:
    """Accounts are found by exact name, by id, by contact centre, with devices in their order."""

    async def check(store: Store) -> None:
        await store.provision(all_of_it())
        assert await store.user(1, "ann@north") == ANN
        assert await store.user(2, "ann@north") is None
        assert await store.user(1, "Ann@North") is None
        assert await store.user(2, "bob@north") == SOUTHERN_BOB
        assert await store.user_by_name("bob@north") == [BOB, SOUTHERN_BOB]
        assert await store.users(1) == [BOB, ANN]
        assert await store.users(1, [3, 99]) == [ANN]
        assert await store.users(1, []) == []
        assert await store.users(3) == []

    storage.run(check)


def test_what_exists_is_replaced(storage: Storage) -> None:
    """A second provision of the same keys replaces every field, and a contact centre's new name is everybody's."""

    async def check(store: Store) -> None:
        await store.provision(all_of_it())
        changed = user(3, "ann.b@north", devices=(Device("d5", "+3"), Device("d9", "+4")))
        changed = msgspec.structs.replace(changed, is_enabled=False, password_hash="other")
        campaign = msgspec.structs.replace(CAMPAIGN, name="Service", agents=frozenset({1}), lists=())
        calling_list = CallingList(contact_centre_id=1, list_id=10, name="Customers")
        centres = {1: "Nord"}
        await store.provision(
            Provision(contact_centres=centres, users=[changed], lists=[calling_list], campaigns=[campaign])
        )
        caller = msgspec.structs.replace(changed.caller, contact_centre_name="Nord")
        assert await store.user(1, "ann@north") is None
        assert await store.user(1, "ann.b@north") == msgspec.structs.replace(changed, caller=caller, version=2)
        directory = await store.directory()
        book = ReferenceBook(directory)
        shown = {"status": GroupStatus.IN_ACTIVE, "obstacle": Obstacle.NO_LISTS.value}
        assert book.groups_of(1) == [msgspec.structs.replace(campaign, **shown)]
        assert book.list_by_id(1, 10) == calling_list
        kept = book.object(1, ObjectKind.CALLING_LIST, 10)
        assert kept is not None
        assert kept.version == 2
        assert directory.contact_centres == {1: "Nord", 2: "South"}

    storage.run(check)


def test_a_device_moves_to_whoever_gets_it(storage: Storage) -> None:
    """A device given to another user is no longer the first one's; the same id elsewhere is another device."""

    async def check(store: Store) -> None:
        await store.provision(all_of_it())
        await store.provision(Provision(users=[user(1, "bob@north", devices=(Device("d9", "+1"),))]))
        (bob, ann) = await store.users(1)
        assert bob.caller.devices == (Device("d9", "+1"),)
        assert ann.caller.devices == (Device("d1", "+1002"),)
        assert await store.users(2) == [SOUTHERN_BOB]

    storage.run(check)


@pytest.mark.parametrize(
    "clash",
    [
        Provision(contact_centres={3: "North"}),
        Provision(users=[user(50, "ann@north")]),
        Provision(users=[user(50, "new", public_id=ANN.caller.public_id)]),
        Provision(lists=[CallingList(contact_centre_id=1, list_id=50, name="Prospects")]),
        Provision(campaigns=[Campaign(contact_centre_id=1, campaign_id=50, name="Sales", application_id=5)]),
    ],
    ids=["contact centre", "user name", "public id", "list", "campaign"],
)
def test_names_that_are_taken(storage: Storage, clash: Provision) -> None:
    """A name or public id of something else is refused, and nothing of that provision is written."""

    async def check(store: Store) -> None:
        await store.provision(all_of_it())
        before = await store.directory()
        mixed = msgspec.structs.replace(clash, contact_centres={4: "West", **clash.contact_centres})
        with pytest.raises(AlreadyExists):
            await store.provision(mixed)
        assert await store.directory() == before
        assert await store.users(1) == [BOB, ANN]

    storage.run(check)
