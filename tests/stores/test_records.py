"""Records: every column, changes under their version, chains, contacts, callbacks."""

from __future__ import annotations

from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest

from tests.stores.storage import AGENT, CENTRE, LIST, NOON_S, Storage, add, ask, by_key, record, save
from trunkline.app.ports import Changes, Conflict, Store
from trunkline.domain.enums import CallResult, DoNotCallKind, PhoneType, RecordStatus, RecordType

FULL: dict[str, Any] = {
    "record_id": 2**40,
    "phone_number": "+49 (30) 1234-5",
    "phone_type": PhoneType.MOBILE,
    "record_type": RecordType.PERSONAL_CALL_BACK,
    "status": RecordStatus.RETRIEVED,
    "call_result": CallResult.BUSY,
    "attempts": 4,
    "due_at_s": 4_102_444_800,
    "called_at_s": 1_700_000_000,
    "time_zone": "EST",
    "from_s": 79_200,
    "until_s": 3_600,
    "campaign_id": 100,
    "agent_id": 8,
    "customer_id": "c/1 'quoted' \"twice\"",
    "treatments": "1;2",
    "other_fields": {"name": "Zoë 😀\n\u2028", "balance": 12.5, "whole": 1.0, "big": 2**63 - 1, "vip": True, "x": None},
}


def test_a_record_comes_back_as_it_was_written(storage: Storage) -> None:
    """Every field of a record survives, with its type; also those of a record with the fewest values."""

    async def check(store: Store) -> None:
        full, bare = record(2**40, 1, **FULL), record(2**40, 2)
        await add(store, full, bare)
        found = await ask(store, "chain", CENTRE, LIST, 2**40)
        assert found == [full, bare]
        fields = found[0].other_fields
        assert [type(value) for value in fields.values()] == [str, float, float, int, bool, type(None)]
        assert type(found[0].status) is RecordStatus
        assert type(found[0].record_type) is RecordType

    storage.run(check)


@pytest.mark.parametrize("field", FULL)
def test_each_field_can_be_changed(storage: Storage, field: str) -> None:
    """A change of any one field is stored, when the unit has read the record before and when it has not."""

    async def check(store: Store) -> None:
        await add(store, record(1), record(2))
        blind = record(1, version=2, **{field: FULL[field]})
        await save(store, records=by_key(blind))
        seen = record(2, version=2, **{field: FULL[field]})
        async with store.begin() as unit:
            await unit.chain(CENTRE, LIST, 2)
            await unit.save(Changes(records=by_key(seen)))
        assert await ask(store, "chain", CENTRE, LIST, 1) == [blind]
        assert await ask(store, "chain", CENTRE, LIST, 2) == [seen]

    storage.run(check)


def test_a_stale_version_is_a_conflict(storage: Storage) -> None:
    """Only the next version is taken: an older, an equal, a skipped one and an unknown record are conflicts."""

    async def check(store: Store) -> None:
        await add(store, record(1), record(2, version=5))
        await save(store, records=by_key(record(1, attempts=1, version=2)))
        for changed in (record(1, version=2), record(1, version=1), record(1, version=4), record(3, version=2)):
            with pytest.raises(Conflict):
                await save(store, records=by_key(record(2, attempts=9, version=6), changed))
        assert await ask(store, "chain", CENTRE, LIST, 1) == [record(1, attempts=1, version=2)]
        assert await ask(store, "chain", CENTRE, LIST, 2) == [record(2, version=5)]

    storage.run(check)


def test_a_key_that_exists_is_a_conflict(storage: Storage) -> None:
    """A new record never replaces one; nothing of its unit is stored."""

    async def check(store: Store) -> None:
        await add(store, record(1))
        with pytest.raises(Conflict):
            await add(store, record(2), record(1, attempts=3))
        with pytest.raises(Conflict):
            await add(store, record(4), record(4, attempts=3))
        assert await ask(store, "chain", CENTRE, LIST, 1) == [record(1)]
        assert await ask(store, "chain", CENTRE, LIST, 2) == []
        assert await ask(store, "chain", CENTRE, LIST, 4) == []

    storage.run(check)


def test_a_record_added_and_changed_in_one_unit(storage: Storage) -> None:
    """The change counts: what is new is written first."""

    async def check(store: Store) -> None:
        await save(store, new_records=[record(1)], records=by_key(record(1, attempts=2, version=2)))
        assert await ask(store, "chain", CENTRE, LIST, 1) == [record(1, attempts=2, version=2)]

    storage.run(check)


def test_chains_are_apart(storage: Storage) -> None:
    """A chain is read by place, without those of the same number in another list or contact centre."""

    async def check(store: Store) -> None:
        chain = [record(1, n) for n in (2, 0, 1)]
        await add(store, *chain, record(1, list_id=11), record(1, contact_centre_id=2), record(2))
        assert [r.chain_n for r in await ask(store, "chain", CENTRE, LIST, 1)] == [0, 1, 2]
        assert await ask(store, "chain", CENTRE, 11, 1) == [record(1, list_id=11)]
        assert await ask(store, "chain", CENTRE, 12, 1) == []

    storage.run(check)


def test_records_of_a_number(storage: Storage) -> None:
    """A number is found in every spelling, in the lists asked for, by key, up to the limit."""

    async def check(store: Store) -> None:
        spelled = [record(3, phone_number="+1 (415) 555-0100"), record(1, list_id=11, phone_number="0014155550100")]
        other = record(2, phone_number="+14155550101")
        elsewhere = record(4, contact_centre_id=2, phone_number="+14155550100")
        unlisted = record(5, list_id=12, phone_number="+14155550100")
        await add(store, *spelled, other, elsewhere, unlisted)
        number = (DoNotCallKind.NUMBER, "1-415-555-0100")
        assert await ask(store, "records_of_contact", CENTRE, [11, LIST], *number, 10) == spelled
        assert await ask(store, "records_of_contact", CENTRE, [11, LIST], *number, 1) == spelled[:1]
        assert await ask(store, "records_of_contact", CENTRE, [], *number, 10) == []
        changed = record(2, phone_number="+14155550100", version=2)
        await save(store, records=by_key(changed))
        found = await ask(store, "records_of_contact", CENTRE, [LIST], *number, 10)
        assert found == [changed, spelled[0]]

    storage.run(check)


def test_records_of_an_address(storage: Storage) -> None:
    """An e-mail address is compared without regard to case."""

    async def check(store: Store) -> None:
        address = record(1, phone_number="Ann@Example.com", phone_type=PhoneType.EMAIL_ADDRESS)
        await add(store, address, record(2))
        asked = (CENTRE, [LIST], DoNotCallKind.NUMBER, "ann@example.COM", 10)
        assert await ask(store, "records_of_contact", *asked) == [address]

    storage.run(check)


def test_records_of_a_customer(storage: Storage) -> None:
    """A customer id is compared exactly; records without one belong to nobody."""

    async def check(store: Store) -> None:
        mine = [record(1, 0, customer_id="c1"), record(1, 1, customer_id="c1"), record(7, customer_id="c1")]
        await add(
            store, *mine, record(2, customer_id="C1"), record(3), record(4, customer_id="c1", contact_centre_id=2)
        )
        customer = (DoNotCallKind.CUSTOMER, "c1")
        assert await ask(store, "records_of_contact", CENTRE, [LIST], *customer, 10) == mine
        assert await ask(store, "records_of_contact", CENTRE, [LIST], *customer, 2) == mine[:2]
        await save(store, records=by_key(record(7, version=2)))
        assert await ask(store, "records_of_contact", CENTRE, [LIST], *customer, 10) == mine[:2]

    storage.run(check)


def test_due_callbacks(storage: Storage) -> None:
    """Only ready personal records of that agent that are due, oldest first, then by key."""

    async def check(store: Store) -> None:
        personal, own = RecordType.PERSONAL_CALL_BACK, {"agent_id": AGENT}
        due = [
            record(5, record_type=personal, due_at_s=NOON_S - 9, **own),
            record(2, record_type=RecordType.PERSONAL_RESCHEDULED, due_at_s=NOON_S, list_id=9, **own),
            record(3, record_type=personal, due_at_s=NOON_S, **own),
            record(3, 1, record_type=personal, due_at_s=NOON_S, **own),
        ]
        others = [
            record(11, record_type=personal, due_at_s=NOON_S + 1, **own),
            record(12, record_type=personal, **own),
            record(13, record_type=personal, due_at_s=NOON_S, agent_id=8),
            record(14, record_type=RecordType.CAMPAIGN_CALL_BACK, due_at_s=NOON_S, **own),
            record(15, record_type=personal, due_at_s=NOON_S, status=RecordStatus.RETRIEVED, **own),
            record(16, record_type=personal, due_at_s=NOON_S, contact_centre_id=2, **own),
        ]
        await add(store, *others, *reversed(due))
        assert await ask(store, "due_callbacks", CENTRE, AGENT, NOON_S, 10) == due
        assert await ask(store, "due_callbacks", CENTRE, AGENT, NOON_S, 2) == due[:2]
        assert await ask(store, "due_callbacks", CENTRE, 99, NOON_S, 10) == []

    storage.run(check)


_texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)
_values = st.one_of(
    _texts,
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
)


@hypothesis.given(st.lists(st.dictionaries(_texts, _values, max_size=4), min_size=1, max_size=20), _texts)
@hypothesis.settings(max_examples=25, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_any_values_survive(sqlite_url: str, fields: list[dict[str, Any]], text: str) -> None:
    """Whatever text and numbers a record carries comes back exactly (SQLite builds JSON of them on the way)."""
    from trunkline.adapters.storage import make_store

    storage = Storage("sqlite", sqlite_url, lambda: make_store(sqlite_url))

    async def check(store: Store) -> None:
        async with store.begin() as unit:
            _, _, (chain_id,) = await unit.take_numbers(chains=1)
        records = [record(chain_id, n, other_fields=f, treatments=text) for n, f in enumerate(fields)]
        await add(store, *records)
        assert await ask(store, "chain", CENTRE, LIST, chain_id) == records

    storage.run(check)
