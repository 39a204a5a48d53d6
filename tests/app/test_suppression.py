"""Suppression lists at work: which record an entry holds back, and lists in and out."""

from __future__ import annotations

import asyncio
import io

import hypothesis
import msgspec
import pytest
from hypothesis import strategies as st

from tests.app.harness import CENTRE, LIST_ID, NOON_S, House, record, run_in_house
from tests.app.suppressing import ACCOUNT, ANN, BOB, CHIEF, CUSTOMER, NUMBER, enter, entries_of, make_list
from trunkline.app.ports import Changes
from trunkline.app.spellings import e164, number_keys, spelled
from trunkline.app.suppression.entries import (
    AddEntries,
    RemoveEntries,
    list_named,
    look_up,
)
from trunkline.app.suppression.importing import SuppressionOrder, import_entries
from trunkline.app.suppression.matching import contacts_of
from trunkline.domain import commands
from trunkline.domain.enums import ChainAttribute
from trunkline.domain.events import NothingToPreview, RecordShown
from trunkline.errors import Forbidden, NotFound, TooLarge


@pytest.mark.parametrize(
    ("given", "region", "keys"),
    [
        ("+1 212 555 0020", "US", ("12125550020",)),
        ("(212) 555-0020", "US", ("2125550020", "12125550020")),
        ("06 12 34 56 78", "FR", ("0612345678", "33612345678")),
        ("011 44 20 7946 0018", "US", ("01144207946" + "0018", "442079460018")),
        ("5550020", "US", ("5550020",)),
        ("Ann@Example.com", "US", ("ann@example.com",)),
        ("212 555 0020", "", ("2125550020",)),
    ],
)
def test_the_keys_of_a_number(given: str, region: str, keys: tuple[str, ...]) -> None:
    """A national spelling is looked up as it stands and in E.164; what cannot be read so only as it stands."""
    assert number_keys(given, region) == keys


def test_spellings_under_which_numbers_are_entered() -> None:
    """E.164 as each region reads it, once; the number as given when no region can."""
    assert spelled("(212) 555-0020", ["US", "CA", "US"]) == ("+12125550020",)
    assert spelled("+1 212 555 0020", []) == ("+12125550020",)
    assert spelled("0612345678", ["FR", "US"]) == ("+33612345678",)
    assert spelled("*99#", ["US"]) == ("*99#",)
    assert e164("a@b.c", "US") is None


@hypothesis.given(
    st.from_regex(r"[2-9][0-9]{2}[2-9][0-9]{6}", fullmatch=True),
    st.sampled_from(["({}) {}-{}", "{} {} {}", "1-{}-{}-{}"]),
)
def test_spellings_of_one_number_meet(digits: str, spelling: str) -> None:
    """Whichever way a national number is written, one of its keys is that of the number with its country code."""
    national = spelling.format(digits[:3], digits[3:6], digits[6:])
    assert set(number_keys(f"+1{digits}", "US")) <= set(number_keys(national, "US"))
    assert spelled(national, ["US"]) == (f"+1{digits}",)


@pytest.mark.parametrize(
    ("entered", "in_list"),
    [
        ("+12125550020", "(212) 555-0020"),
        ("212-555-0020", "+1 212 555 0020"),
        ("212 555 0020", "2125550020"),
        ("1 212 555 0020", "2125550020"),
    ],
)
def test_national_and_international_spellings_are_one_contact(entered: str, in_list: str) -> None:
    """An entry in one spelling holds back a record in the other, by the list's region."""

    async def test(house: House) -> None:
        await house.ask(ANN, commands.SuppressContact, phone_number=entered)
        assert isinstance((await house.preview(BOB))[0], NothingToPreview)

    run_in_house(test, [record(1, phone_number=in_list)])


def test_a_number_of_another_country_is_another_contact() -> None:
    """The same digits in a list of another region are somebody else's number."""

    async def test(house: House) -> None:
        await enter(house, list_named(house.writer.book, CENTRE, "own"), "+33612345678")
        assert isinstance((await house.preview(BOB))[0], RecordShown)

    run_in_house(test, [record(1, phone_number="0612345678")], list_changes={"default_region": "DE"})


def test_a_campaign_obeys_its_lists_and_required_ones() -> None:
    """Lists that the campaign does not name have no effect, unless they are required; switched off ones never."""

    async def test(house: House) -> None:
        others = await make_list(house, "Others")
        off = await make_list(house, "Off", is_required=True, is_enabled=False)
        await enter(house, others, "+12125550010")
        await enter(house, off, "+12125550010")
        assert isinstance((await house.preview(ANN))[0], RecordShown)
        await enter(house, await make_list(house, "Register", is_required=True), "+12125550020")
        assert isinstance((await house.preview(ANN))[0], NothingToPreview)

    run_in_house(test, [record(1), record(2)])


def test_a_list_named_by_the_campaign_applies() -> None:
    """The first list that is made has the number 1, which the campaign names."""

    async def test(house: House) -> None:
        named = await make_list(house)
        assert named.suppression_list_id == 1
        await enter(house, named, "+12125550010", expires="2026-11-24")
        assert isinstance((await house.preview(ANN))[0], NothingToPreview)

    run_in_house(test, [record(1)], campaign={"suppression_list_ids": (1,)})


def test_an_entry_for_another_campaign_has_no_effect() -> None:
    """An entry that names a campaign holds in it alone."""

    async def test(house: House) -> None:
        own = list_named(house.writer.book, CENTRE, "own")
        await enter(house, own, "+12125550010", campaign="Elsewhere")
        await enter(house, own, "+12125550020", campaign="Campaign")
        events = await house.preview(ANN)
        assert isinstance(events[0], RecordShown)
        assert events[0].record.chain_id == 1
        assert isinstance((await house.preview(ANN))[0], NothingToPreview)

    run_in_house(test, [record(1), record(2)])


def test_an_entry_that_has_ended_lets_go() -> None:
    """A record is held back up to the last second of an entry and may be called in the one of its end."""

    async def test(house: House) -> None:
        await enter(house, list_named(house.writer.book, CENTRE, "own"), "+12125550010", expires=str(NOON_S + 10))
        campaign = house.writer.book.campaign(CENTRE, "Campaign")
        house.clock.ms += 10_000
        assert isinstance((await house.preview(ANN))[0], RecordShown)
        async with house.store.begin() as unit:
            contacts = contacts_of(record(1), house.writer.book.list_by_id(CENTRE, LIST_ID))
            found = await unit.suppressed(CENTRE, campaign.campaign_id, [], NOON_S + 9, contacts)
            assert list(found) == contacts[:1]

    run_in_house(test, [record(1)])


def test_entries_are_removed() -> None:
    """A removed entry holds nothing back any more; those of another contact centre cannot be removed."""

    async def test(house: House) -> None:
        own = list_named(house.writer.book, CENTRE, "own")
        await enter(house, own, "+12125550010")
        (entry,) = await entries_of(house, own)
        foreign = msgspec.structs.replace(entry, contact_centre_id=2)
        async with house.store.begin() as unit:
            await unit.save(Changes(suppressions=[foreign]))
        await house.ask(CHIEF, RemoveEntries, keys=[entry.key, foreign.key])
        assert await entries_of(house, own) == []
        assert await house.store.suppression_counts(2, 0) == {0: (1, 0)}
        assert isinstance((await house.preview(ANN))[0], RecordShown)

    run_in_house(test, [record(1)])


def test_accounts_are_suppressed() -> None:
    """An entry for an account holds back every record whose field names it; AllChain of an agent enters it."""

    async def test(house: House) -> None:
        events = await house.preview(ANN)
        assert isinstance(events[0], RecordShown)
        await house.ask(
            ANN, commands.SuppressContact, handle=events[0].handle, chain_attribute=ChainAttribute.ALL_CHAIN
        )
        entries = await entries_of(house, list_named(house.writer.book, CENTRE, "own"))
        assert [(one.kind, one.value, one.source) for one in entries] == [
            (ACCOUNT, "77", "agent"),
            (NUMBER, "+12125550010", "agent"),
        ]
        assert isinstance((await house.preview(BOB))[0], NothingToPreview)

    records = [record(1, other_fields={"loan": 77}), record(2, other_fields={"loan": "77"})]
    run_in_house(test, records, list_changes={"account_field": "loan"})


def test_agents_may_not_work_on_lists() -> None:
    """Adding, removing and importing are for supervisors; a list that does not exist is not found."""

    async def test(house: House) -> None:
        own = list_named(house.writer.book, CENTRE, "own")
        for command, fields in ((AddEntries, {"suppression_list_id": 0, "entries": []}), (RemoveEntries, {"keys": []})):
            with pytest.raises(Forbidden):
                await house.ask(ANN, command, **fields)
        about = (house.store, house.writer.submit, house.clock, house.writer.book, ANN, own)
        with pytest.raises(Forbidden):
            await import_entries(*about, SuppressionOrder(), io.BytesIO(b"+12125550010"))
        with pytest.raises(NotFound):
            await house.ask(CHIEF, AddEntries, suppression_list_id=5, entries=[])
        with pytest.raises(NotFound):
            list_named(house.writer.book, CENTRE, "Register")

    run_in_house(test, [])


def test_a_contact_is_looked_up_in_every_list() -> None:
    """The answer names each list with its entries, ended ones too, in whatever spelling the number is given."""

    async def test(house: House) -> None:
        register = await make_list(house)
        own = list_named(house.writer.book, CENTRE, "own")
        await enter(house, register, "+12125550010", expires=str(NOON_S + 1))
        await enter(house, own, "+12125550010", campaign="Elsewhere")
        await enter(house, own, "+12125550010")
        book = house.writer.book
        found = await look_up(house.store, book, CENTRE, NUMBER, "212-555-0010", "US", NOON_S + 5)
        assert [(one.list_name, one.entry.campaign_id, one.holds) for one in found] == [
            ("own", None, True),
            ("own", 202, True),
            ("Register", None, False),
        ]
        assert await look_up(house.store, book, CENTRE, CUSTOMER, "+12125550010", "US", NOON_S) == []
        with pytest.raises(TooLarge):
            await look_up(house.store, book, CENTRE, NUMBER, " ", "US", NOON_S)

    run_in_house(test, [])


def test_what_a_batch_enters_and_lifts_holds_in_it() -> None:
    """Requests of one batch are judged by what those before them entered and removed."""

    async def test(house: House) -> None:
        own = list_named(house.writer.book, CENTRE, "own")
        await house.ask(ANN, commands.StartPreview)
        batches = house.writer.batches
        _, nothing = await asyncio.gather(enter(house, own, "+12125550010"), house.ask(ANN, commands.NextPreview))
        assert isinstance(nothing[0], NothingToPreview)
        await enter(house, own, "+12125550020")
        keys = [one.key for one in await entries_of(house, own)]
        async with house.store.begin() as unit:
            await unit.save(Changes(new_records=[record(2)]))
        _, shown = await asyncio.gather(
            house.ask(CHIEF, RemoveEntries, keys=keys), house.ask(ANN, commands.NextPreview)
        )
        assert isinstance(shown[0], RecordShown)
        assert house.writer.batches == batches + 3

    run_in_house(test, [record(1)])
