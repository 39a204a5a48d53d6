"""Desk entries: held, by agent, by chain, by lease."""

from __future__ import annotations

from tests.stores.storage import AGENT, CENTRE, LIST, Storage, add, ask, by_key, entry, key, on_desk, record, save
from trunkline.app.ports import Held, Store
from trunkline.domain.desk import Share


def test_held_finds_entries_with_their_records(storage: Storage) -> None:
    """Known handles come with the record as it is stored, unknown and foreign ones are left out."""

    async def check(store: Store) -> None:
        first, second = record(1, other_fields={"note": "ü"}), record(2, customer_id="c2")
        elsewhere = record(3, contact_centre_id=2)
        await add(store, first, second, elsewhere)
        one, two, three = entry(11, first), entry(12, second, is_settled=True), entry(11, elsewhere)
        await save(store, desk=on_desk(one, two, three))
        found = await ask(store, "held", [key(11), key(12), key(13), key(11, 2), key(12, 2)])
        assert sorted(found, key=lambda h: (h.entry.contact_centre_id, h.entry.handle)) == [
            Held(one, first),
            Held(two, second),
            Held(three, elsewhere),
        ]
        assert await ask(store, "held", []) == []

    storage.run(check)


def test_held_of_a_large_batch(storage: Storage) -> None:
    """Batches of any size are read and written whole, whatever number of rows a statement takes at once."""

    async def check(store: Store) -> None:
        records = [record(n) for n in range(1, 332)]
        entries = [entry(1000 + r.chain_id, r) for r in records]
        await save(store, new_records=records, desk=on_desk(*entries))
        found = await ask(store, "held", [key(e.handle) for e in entries])
        assert sorted(found, key=lambda h: h.entry.handle) == [
            Held(e, r) for e, r in zip(entries, records, strict=True)
        ]

    storage.run(check)


def test_an_entry_without_record_is_not_held(storage: Storage) -> None:
    """An entry whose record is gone shows nowhere but in its chain."""

    async def check(store: Store) -> None:
        lost = entry(5, record(9), lease_until_ms=1)
        await save(store, desk=on_desk(lost))
        assert await ask(store, "held", [key(5)]) == []
        assert await ask(store, "desk_of", CENTRE, AGENT) == []
        assert await ask(store, "expired", 10, 10) == []
        assert await ask(store, "entries_of_chain", CENTRE, LIST, 9) == [lost]

    storage.run(check)


def test_entries_are_replaced_and_removed(storage: Storage) -> None:
    """Saving an entry again replaces every column; an entry that is changed and removed at once is removed."""

    async def check(store: Store) -> None:
        first, second = record(1), record(2)
        await add(store, first, second)
        await save(store, desk=on_desk(entry(1, first), entry(2, first)))
        other = entry(
            1,
            second,
            user_id=8,
            device_id="d2",
            campaign_id=3,
            attempt_guid="a2",
            lease_until_ms=77,
            is_settled=True,
            shares={9: Share.CONFERENCE, 10: Share.CONSULTATION},
        )
        await save(store, desk=on_desk(other, entry(2, first, is_settled=True)), off_desk={key(2), key(3)})
        assert await ask(store, "held", [key(1), key(2)]) == [Held(other, second)]

    storage.run(check)


def test_the_desk_of_an_agent(storage: Storage) -> None:
    """An agent's desk is in the order of handles and holds nobody else's; shares do not count."""

    async def check(store: Store) -> None:
        first = record(1)
        await add(store, first, record(1, contact_centre_id=2))
        mine = [entry(handle, first) for handle in (5, 3, 20)]
        others = [entry(4, first, user_id=8, shares={AGENT: Share.CONFERENCE}), entry(6, first, contact_centre_id=2)]
        await save(store, desk=on_desk(*mine, *others))
        assert [held.entry.handle for held in await ask(store, "desk_of", CENTRE, AGENT)] == [3, 5, 20]
        assert await ask(store, "desk_of", CENTRE, 99) == []

    storage.run(check)


def test_all_desks_page_by_page(storage: Storage) -> None:
    """Entries whose fate is open, of every contact centre and agent, each once; a limit cuts what can be shown."""

    async def check(store: Store) -> None:
        first, foreign = record(1), record(1, contact_centre_id=2)
        await add(store, first, foreign)
        lost = entry(2, record(9))
        shown = [entry(1, first), entry(4, first, user_id=8), entry(3, foreign), entry(7, foreign)]
        await save(store, desk=on_desk(*shown, lost, entry(3, first, is_settled=True)))
        assert [held.entry for held in await store.desk_page(key(-1, -1), 9)] == shown
        assert await store.desk_page(key(-1, -1), 2) == [Held(shown[0], first), Held(shown[1], first)]
        assert [held.entry for held in await store.desk_page(key(4), 1)] == [shown[2]]
        assert [held.entry for held in await store.desk_page(key(3, 2), 2)] == [shown[3]]
        assert await store.desk_page(key(7, 2), 2) == []

    storage.run(check)


def test_the_entries_of_a_chain(storage: Storage) -> None:
    """All records' entries of the chain by handle, whoever holds them; other lists' chains of that number are not."""

    async def check(store: Store) -> None:
        entries = [
            entry(9, record(1, 1)),
            entry(4, record(1, 0), user_id=8),
            entry(5, record(2)),
            entry(6, record(1, list_id=11)),
            entry(7, record(1, contact_centre_id=2)),
        ]
        await save(store, desk=on_desk(*entries))
        assert await ask(store, "entries_of_chain", CENTRE, LIST, 1) == [entries[1], entries[0]]
        assert await ask(store, "entries_of_chain", CENTRE, LIST, 3) == []

    storage.run(check)


def test_expired_entries_oldest_first(storage: Storage) -> None:
    """A lease has ended when its moment has come; entries without one never expire; the limit cuts the youngest."""

    async def check(store: Store) -> None:
        first = record(1)
        await add(store, first, record(1, contact_centre_id=2))
        leases = {1: 300, 2: 100, 3: 200, 4: 201, 5: None}
        entries = [entry(handle, first, lease_until_ms=lease) for handle, lease in leases.items()]
        entries.append(entry(1, first, contact_centre_id=2, lease_until_ms=100))
        await save(store, desk=on_desk(*entries))
        found = await ask(store, "expired", 200, 10)
        assert [(h.entry.contact_centre_id, h.entry.handle) for h in found] == [(1, 2), (2, 1), (1, 3)]
        assert [h.entry.handle for h in await ask(store, "expired", 300, 4)] == [2, 1, 3, 4]
        assert await ask(store, "expired", 99, 10) == []

    storage.run(check)


def test_held_shows_a_changed_record(storage: Storage) -> None:
    """The record beside an entry is the one that was saved last."""

    async def check(store: Store) -> None:
        first = record(1)
        await save(store, new_records=[first], desk=on_desk(entry(1, first)))
        changed = record(1, attempts=3, time_zone="Europe/Paris", from_s=3600, version=2)
        await save(store, records=by_key(changed))
        assert await ask(store, "held", [key(1)]) == [Held(entry(1, first), changed)]

    storage.run(check)
