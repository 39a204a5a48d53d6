"""Entries of suppression lists: which contacts they name, for how long, in which campaigns; pages and counts."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.stores.storage import CAMPAIGN, CENTRE, NOON_S, Storage, ask, hits, save, suppression
from trunkline.app.ports import Store, Suppression, SuppressionQuery
from trunkline.domain.enums import DoNotCallKind

NUMBER, CUSTOMER, ACCOUNT = DoNotCallKind.NUMBER, DoNotCallKind.CUSTOMER, DoNotCallKind.ACCOUNT


def test_numbers_and_customers_are_suppressed(storage: Storage) -> None:
    """Entries are found as asked for: numbers in any spelling, customers exactly, each kind for itself."""

    async def check(store: Store) -> None:
        await save(store, suppressions=[suppression("+1 415 555 0100"), suppression("c1", CUSTOMER)])
        numbers = ["0014155550100", "+14155550100", "4155550100", "c1"]
        found = await hits(store, numbers, ["c1", "C1", "+1 415 555 0100"])
        assert {value: one.kind for value, (one,) in found.items()} == {
            "0014155550100": NUMBER,
            "+14155550100": NUMBER,
            "c1": CUSTOMER,
        }
        assert await hits(store) == {}
        assert await hits(store, numbers, ["c1"], contact_centre_id=2) == {}

    storage.run(check)


def test_an_entry_says_who_made_it_and_why(storage: Storage) -> None:
    """What was entered comes back whole, also of accounts."""

    async def check(store: Store) -> None:
        entry = suppression(
            "A-7",
            ACCOUNT,
            campaign_id=CAMPAIGN,
            suppression_list_id=4,
            expires_at_s=NOON_S + 1,
            added_at_ms=5,
            added_by=9,
            source="court",
            reason="insolvency",
        )
        await save(store, suppressions=[entry])
        asked = (CENTRE, CAMPAIGN, [4], NOON_S, [(ACCOUNT, "A-7"), (CUSTOMER, "A-7")])
        assert await ask(store, "suppressed", *asked) == {(ACCOUNT, "A-7"): [entry]}

    storage.run(check)


def test_the_scope_of_an_entry(storage: Storage) -> None:
    """An entry for a campaign holds in it alone; one for the contact centre holds everywhere, also without campaign."""

    async def check(store: Store) -> None:
        entries = [
            suppression("+1001"),
            suppression("+1002", campaign_id=CAMPAIGN),
            suppression("+1003", campaign_id=200),
            suppression("+1004", campaign_id=200),
            suppression("+1004"),
        ]
        await save(store, suppressions=entries)
        numbers = ["+1001", "+1002", "+1003", "+1004"]
        assert set(await hits(store, numbers)) == {"+1001", "+1002", "+1004"}
        found = await hits(store, numbers, campaign_id=200)
        assert set(found) == {"+1001", "+1003", "+1004"}
        assert [entry.campaign_id for entry in found["+1004"]] == [None, 200]
        assert set(await hits(store, numbers, campaign_id=None)) == {"+1001", "+1004"}

    storage.run(check)


def test_only_the_lists_asked_for_apply(storage: Storage) -> None:
    """The contact centre's own list always applies, others when they are named."""

    async def check(store: Store) -> None:
        entries = [suppression("+1001"), suppression("+1001", suppression_list_id=3)]
        await save(store, suppressions=[*entries, suppression("+1002", suppression_list_id=4)])
        numbers = ["+1001", "+1002"]
        assert await hits(store, numbers) == {"+1001": entries[:1]}
        assert await hits(store, numbers, lists=[3, 7]) == {"+1001": entries}
        assert set(await hits(store, numbers, lists=[4])) == {"+1001", "+1002"}

    storage.run(check)


def test_an_entry_ends(storage: Storage) -> None:
    """An entry holds up to its last second and not in the one of its end."""

    async def check(store: Store) -> None:
        await save(store, suppressions=[suppression("+1001", expires_at_s=NOON_S)])
        assert set(await hits(store, ["+1001"], now_s=NOON_S - 1)) == {"+1001"}
        assert await hits(store, ["+1001"], now_s=NOON_S) == {}

    storage.run(check)


def test_an_entry_made_twice(storage: Storage) -> None:
    """Entering a contact again, in the same unit or later, is no error, and who entered it first stays on record."""

    async def check(store: Store) -> None:
        first = suppression("+1001", added_by=1, reason="asked")
        twice = [first, suppression("001001", added_by=2)]
        await save(store, suppressions=twice)
        await save(store, suppressions=[*twice, Suppression(contact_centre_id=2, kind=NUMBER, value="+1001")])
        assert await hits(store, ["+1001"]) == {"+1001": [first]}

    storage.run(check)


def test_an_entry_that_reaches_further_takes_the_place(storage: Storage) -> None:
    """A longer entry replaces a shorter one, in the same unit or later; a shorter one changes nothing."""

    async def check(store: Store) -> None:
        short, long = suppression("+1001", expires_at_s=NOON_S + 1), suppression("+1001", expires_at_s=NOON_S + 9)
        ever = suppression("+1001", reason="for good")
        await save(store, suppressions=[short, long, short])
        assert await hits(store, ["+1001"]) == {"+1001": [long]}
        await save(store, suppressions=[short])
        assert await hits(store, ["+1001"]) == {"+1001": [long]}
        await save(store, suppressions=[ever])
        await save(store, suppressions=[long])
        assert await hits(store, ["+1001"]) == {"+1001": [ever]}

    storage.run(check)


def test_entries_are_lifted(storage: Storage) -> None:
    """Only the entries named go; what is lifted and entered in one unit is there afterwards, as it was entered."""

    async def check(store: Store) -> None:
        entries = [suppression("+1001"), suppression("+1001", campaign_id=CAMPAIGN), suppression("+1002")]
        await save(store, suppressions=entries)
        await save(store, lifted={entries[0].key, suppression("+9").key})
        assert await hits(store, ["+1001", "+1002"]) == {"+1001": [entries[1]], "+1002": [entries[2]]}
        short = suppression("+1002", expires_at_s=NOON_S + 1)
        await save(store, lifted={short.key}, suppressions=[short])
        assert await hits(store, ["+1002"]) == {"+1002": [short]}

    storage.run(check)


def test_many_contacts_at_once(storage: Storage) -> None:
    """A question about hundreds of numbers finds exactly those entered."""

    async def check(store: Store) -> None:
        await save(store, suppressions=[suppression(f"+1{n:05d}") for n in range(0, 600, 3)])
        numbers = [f"+1{n:05d}" for n in range(600)]
        assert list(await hits(store, numbers)) == numbers[::3]

    storage.run(check)


def test_pages_of_a_list(storage: Storage) -> None:
    """Pages that begin behind each other show every entry of the list once, in order, and filters pick among them."""

    async def check(store: Store) -> None:
        entries = [suppression(f"+1{n:03d}", suppression_list_id=3) for n in range(7)]
        entries += [suppression("+1001", suppression_list_id=3, campaign_id=CAMPAIGN, expires_at_s=NOON_S)]
        entries += [suppression("c1", CUSTOMER, suppression_list_id=3)]
        await save(store, suppressions=[*entries, suppression("+1001"), suppression("+1002", suppression_list_id=4)])

        async def pages(**filters: Any) -> list[Suppression]:
            found: list[Suppression] = []
            query = SuppressionQuery(contact_centre_id=CENTRE, suppression_list_id=3, limit=2, **filters)
            while page := await store.suppression_entries(query):
                assert len(page) <= query.limit
                found += page
                query = msgspec.structs.replace(query, after=page[-1].key)
            return found

        assert await pages() == sorted(
            entries, key=lambda entry: (entry.kind, entry.key.value_key, entry.campaign_id or 0)
        )
        assert await pages(kind=CUSTOMER) == [entries[-1]]
        assert await pages(value_key="1001") == [entries[1], entries[-2]]
        assert await pages(campaign_id=CAMPAIGN) == await pages(ends_until_s=NOON_S) == [entries[-2]]
        assert await pages(ends_until_s=NOON_S - 1) == []
        assert len(await pages(ends_after_s=NOON_S)) == len(entries) - 1

    storage.run(check)


def test_counts_of_lists(storage: Storage) -> None:
    """Entries by list, and how many of them have ended."""

    async def check(store: Store) -> None:
        assert await store.suppression_counts(CENTRE, NOON_S) == {}
        entries = [suppression("+1001"), suppression("+1002", suppression_list_id=3, expires_at_s=NOON_S)]
        entries += [suppression("+1003", suppression_list_id=3), suppression("+1004", suppression_list_id=3)]
        await save(store, suppressions=entries)
        assert await store.suppression_counts(CENTRE, NOON_S) == {0: (1, 0), 3: (3, 1)}
        assert await store.suppression_counts(2, NOON_S) == {}

    storage.run(check)


def test_entries_that_ended_long_ago_go(storage: Storage) -> None:
    """Entries are deleted some time after their end, the oldest first; those that hold stay whatever their age."""

    async def check(store: Store) -> None:
        entries = [suppression(f"+{n}", expires_at_s=NOON_S + n) for n in (1, 2, 3)]
        await save(store, suppressions=[*entries, suppression("+9")])
        assert await store.drop_suppressions(NOON_S + 1, 10) == 0
        assert await store.drop_suppressions(NOON_S + 4, 2) == 2
        assert set(await hits(store, ["+1", "+2", "+3", "+9"], now_s=NOON_S)) == {"+3", "+9"}
        assert await store.drop_suppressions(NOON_S + 4, 2) == 1
        assert await store.suppression_counts(CENTRE, NOON_S) == {0: (1, 0)}

    storage.run(check)
