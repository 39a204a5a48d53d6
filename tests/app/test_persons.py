"""A person's data: everything that is kept is shown, and erased so that nothing brings it back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.app.harness import CENTRE, LIST_ID, House, agent, record, run_in_house
from trunkline.app.persons import EraseOrder, Person, Persons
from trunkline.app.ports import AttemptQuery, AuditQuery, Changes, SuppressionQuery
from trunkline.domain import commands
from trunkline.domain.attempts import AttemptRow, AttemptStep, attempt_row
from trunkline.domain.enums import CallResult, RecordStatus, RequestType
from trunkline.domain.events import NothingToPreview, RecordShown, RecordWithdrawn
from trunkline.domain.people import Role
from trunkline.domain.records import FieldChanges, Record
from trunkline.errors import Forbidden, MissingParameter, NotFound, OutOfRange, TooLarge

ANN, BOB, CHIEF = agent(1), agent(2), agent(9, Role.ADMINISTRATOR)
NUMBER = "+12125550010"
WHOLE = [record(1, 0, customer_id="c1", other_fields={"name": "Ann Other"}), record(1, 1), record(2)]
SECRETS = ("12125550010", "12125550011", "Ann Other", '"c1"', "cc1")


def persons(house: House) -> Persons:
    """The service over the house."""
    return Persons(house.store, house.writer.submit, house.clock, lambda: house.writer.book, house.rules.chance.uuid)


async def erase(house: House, person: Person, **order: Any) -> Any:
    """The chief erases."""
    return await persons(house).erase(CHIEF, person, EraseOrder(reason="asked by letter", **order))


async def everything(house: House) -> str:
    """All that the store holds, but for do-not-call, as text."""
    async with house.store.begin() as unit:
        records = [one for chain in (1, 2, 3) for one in await unit.chain(CENTRE, LIST_ID, chain)]
    log = await house.store.attempts(AttemptQuery(contact_centre_id=CENTRE))
    journal = await house.store.audit(AuditQuery(contact_centre_id=CENTRE, limit=1000))
    return msgspec.json.encode([records, log, journal]).decode()


async def log_of(house: House) -> list[AttemptRow]:
    """The attempt log."""
    return [one.row for one in await house.store.attempts(AttemptQuery(contact_centre_id=CENTRE))]


async def some_life(house: House) -> int:
    """Ann works the chain a little; attempts are in the log; the handle."""
    shown = await house.preview(ANN)
    assert isinstance(shown[0], RecordShown)
    handle = shown[0].handle
    await house.ask(ANN, commands.UpdateRecord, handle=handle, changes=FieldChanges(call_result=CallResult.BUSY))
    rows = [attempt_row(one, AttemptStep.ENDED, 5, "g", detail={"number": one.phone_number}) for one in WHOLE]
    async with house.store.begin() as unit:
        await unit.save(Changes(attempts=rows))
    return handle


def test_everything_is_shown() -> None:
    """Records of the chain, attempts, requests and do-not-call entries of the person, and of nobody else; audited."""

    async def test(house: House) -> None:
        await some_life(house)
        found = await persons(house).export(CHIEF, Person(number="(212) 555-0010", region="US"))
        assert [one["recordId"] for one in found["records"]] == [100, 101]
        assert found["records"][0]["otherFields"] == {"name": "Ann Other"}
        assert found["records"][0]["callingList"] == "List"
        assert {one["personKey"] for one in found["attempts"]} == {"cc1", "#1"}
        assert len(found["requests"]) >= 1
        assert found["suppressions"] == []
        (row, *_) = await house.store.audit(AuditQuery(contact_centre_id=CENTRE))
        assert (row.row.request_type, row.row.user_id) == (RequestType.PERSON_EXPORT, 9)
        by_customer = await persons(house).export(CHIEF, Person(customer_id="c1"))
        assert by_customer["records"] == found["records"]
        nobody = await persons(house).export(CHIEF, Person(number="+12125559999"))
        assert nobody == {"records": [], "attempts": [], "requests": [], "suppressions": []}

    run_in_house(test, WHOLE)


@pytest.mark.parametrize("person", [Person(number=NUMBER), Person(customer_id="c1")])
def test_everything_is_erased(person: Person) -> None:
    """Nothing in records, log and journal tells who it was; counts stay, others too; a dry run counts only."""

    async def test(house: House) -> None:
        await some_life(house)
        before = await log_of(house)
        text = await everything(house)
        assert all(secret in text for secret in SECRETS[:3])
        dry = await erase(house, person, is_dry_run=True)
        assert await everything(house) == text
        report = await erase(house, person, is_to_suppress=True)
        assert (report.records, report.attempts, report.suppressions_kept) == (2, dry.attempts, 0)
        assert report.journal_rows >= 1
        text = await everything(house)
        assert [secret for secret in SECRETS if secret in text] == []
        assert record(2).phone_number in text
        first, second = await house.chain(1)
        assert (first.status, first.phone_number, first.call_result) == (RecordStatus.CANCELLED, "", CallResult.BUSY)
        assert second.other_fields == {}
        after = await log_of(house)
        assert len(after) == len(before)
        renamed = {
            (a.number_key, a.person_key): (b.number_key, b.person_key) for a, b in zip(before, after, strict=True)
        }
        assert len(set(renamed.values())) == len(renamed)
        (row, *_) = await house.store.audit(
            AuditQuery(contact_centre_id=CENTRE, request_type=RequestType.PERSON_ERASE, limit=1)
        )
        assert (row.row.user_id, row.row.reference) == (9, '"asked by letter"')
        again = await erase(house, person)
        assert (again.records, again.attempts, again.suppressions_kept) == (0, 0, 1)
        entries = await house.store.suppression_entries(
            SuppressionQuery(contact_centre_id=CENTRE, suppression_list_id=0)
        )
        assert [entry.value for entry in entries] == [person.number or person.customer_id]

    run_in_house(test, WHOLE)


def test_an_erased_record_leaves_its_desk() -> None:
    """The agent is told that the record is gone; nothing that the agent does brings the data back."""

    async def test(house: House) -> None:
        handle = await some_life(house)
        house.published.clear()
        await erase(house, Person(number=NUMBER))
        news = [event for row in house.published if row.row.user_id == 1 for event in row.row.events]
        assert [type(event) for event in news] == [RecordWithdrawn] * 2
        with pytest.raises(NotFound):
            await house.ask(ANN, commands.UpdateRecord, handle=handle, changes=FieldChanges(attempts=3))
        assert await house.desk(ANN) == []
        assert [secret for secret in SECRETS if secret in await everything(house)] == []
        while not isinstance((events := await house.preview(ANN))[0], NothingToPreview):
            assert isinstance(events[0], RecordShown)
            assert events[0].record.chain_id != 1

    run_in_house(test, WHOLE)


def test_who_shares_a_number_is_erased_alone_as_a_customer() -> None:
    """Asked for by customer, others with the same number keep their records and the counts of their attempts."""

    async def test(house: House) -> None:
        rows = [attempt_row(one, AttemptStep.ENDED, 5, "g") for one in SHARED]
        async with house.store.begin() as unit:
            await unit.save(Changes(attempts=rows))
        await erase(house, Person(customer_id="c1"))
        assert (await house.chain(2))[0] == SHARED[1]
        after = await log_of(house)
        assert after[1] == rows[1]
        assert after[0].number_key.startswith("x")

    run_in_house(test, SHARED)


SHARED: list[Record] = [
    record(1, phone_number=NUMBER, customer_id="c1"),
    record(2, phone_number=NUMBER, customer_id="c2"),
]


@pytest.mark.parametrize(
    ("who", "person", "reason", "error"),
    [
        (ANN, Person(number=NUMBER), "x", Forbidden),
        (agent(9, Role.SUPERVISOR), Person(number=NUMBER), "x", Forbidden),
        (CHIEF, Person(), "x", MissingParameter),
        (CHIEF, Person(number=NUMBER, customer_id="c1"), "x", MissingParameter),
        (CHIEF, Person(number=NUMBER), " ", MissingParameter),
        (CHIEF, Person(number=NUMBER), "a\nb", OutOfRange),
        (CHIEF, Person(number="12", region="US"), "x", OutOfRange),
        (CHIEF, Person(number="1" * 200), "x", TooLarge),
    ],
)
def test_what_is_refused(who: Any, person: Person, reason: str, error: type[Exception]) -> None:
    """Only administrators, one person, and a reason; else nothing changes."""

    async def test(house: House) -> None:
        text = await everything(house)
        with pytest.raises(error):
            await persons(house).erase(who, person, EraseOrder(reason=reason))
        if error is Forbidden:
            with pytest.raises(Forbidden):
                await persons(house).export(who, person)
        assert await everything(house) == text

    run_in_house(test, WHOLE)


def test_a_number_is_recognised_as_it_was_typed() -> None:
    """A request that named the number without its country code is shown and loses it; others keep theirs."""

    async def test(house: House) -> None:
        for typed in ("(212) 555-0099", "+1 212 555 0099", "(212) 555-1199"):
            await house.ask(BOB, commands.SuppressContact, phone_number=typed)
        found = await persons(house).export(CHIEF, Person(number="+12125550099"))
        assert len(found["requests"]) == 2
        await erase(house, Person(number="+12125550099"))
        text = await everything(house)
        assert ("555-0099" in text, "555 0099" in text, "555-1199" in text) == (False, False, True)

    run_in_house(test, [])
