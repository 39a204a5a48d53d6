"""Suppression lists at work: which record an entry holds back, and lists in and out."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import hypothesis
import msgspec
import pytest
from hypothesis import strategies as st

from tests.app.harness import CENTRE, LIST_ID, NOON_S, House, agent, record, run_in_house
from trunkline.app.directory import ReferenceBook
from trunkline.app.ports import Changes, ObjectChanges, ObjectWrite, Suppression, SuppressionQuery
from trunkline.app.spellings import e164, number_keys, spelled
from trunkline.app.suppression import contacts_of
from trunkline.app.suppression_export import exported
from trunkline.app.suppression_import import SuppressionOrder, SuppressionReport, import_entries
from trunkline.app.suppression_work import (
    AddEntries,
    EntryMaker,
    Given,
    RemoveEntries,
    Wrong,
    list_named,
    look_up,
)
from trunkline.domain import commands
from trunkline.domain.enums import ChainAttribute, DoNotCallKind
from trunkline.domain.events import NothingToPreview, RecordShown
from trunkline.domain.import_specifications import ImportMode
from trunkline.domain.objects import ObjectKind
from trunkline.domain.people import Role
from trunkline.domain.suppression import SuppressionList
from trunkline.errors import Forbidden, NotFound, OutOfRange, TooLarge

ANN, BOB, CHIEF = agent(1), agent(2), agent(9, Role.SUPERVISOR)
NUMBER, CUSTOMER, ACCOUNT = DoNotCallKind.NUMBER, DoNotCallKind.CUSTOMER, DoNotCallKind.ACCOUNT


async def make_list(house: House, name: str = "Register", **values: Any) -> SuppressionList:
    """A suppression list that the house knows of."""
    made = SuppressionList(contact_centre_id=CENTRE, suppression_list_id=0, name=name, **values)
    write = ObjectWrite(
        contact_centre_id=CENTRE, kind=ObjectKind.SUPPRESSION_LIST, object_id=0, expected_version=0, value=made
    )
    (stored,) = await house.store.change_objects(ObjectChanges(at_ms=1, changed_by=9, writes=(write,)))
    house.writer.adopt(ReferenceBook(await house.store.directory()))
    assert isinstance(stored.value, SuppressionList)
    return stored.value


async def enter(house: House, target: SuppressionList, *values: str, **about: str) -> None:
    """The chief enters contacts."""
    maker = EntryMaker(house.writer.book, target, house.clock.now_ms(), 9)
    entries = [maker.entry(Given(value=value, reason="asked", **about)) for value in values]
    await house.ask(CHIEF, AddEntries, suppression_list_id=target.suppression_list_id, entries=entries)


async def bring(house: House, target: SuppressionList, text: str | bytes, **order: Any) -> SuppressionReport:
    """The chief imports a file."""
    file = io.BytesIO(text if isinstance(text, bytes) else text.encode())
    about = (house.store, house.writer.submit, house.clock, house.writer.book, CHIEF, target)
    return await import_entries(*about, SuppressionOrder(**order), file)


async def entries_of(house: House, target: SuppressionList) -> list[Suppression]:
    """All entries of a list."""
    return await house.store.suppression_entries(
        SuppressionQuery(contact_centre_id=CENTRE, suppression_list_id=target.suppression_list_id, limit=1000)
    )


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


GOOD = """\ufeffNumber;Kind;Expires;Reason;Added at;Colour
212-555-0010;;2026-12-31;asked;2024-01-02;red
c-7;customer;never;"court; in writing";;
+33 6 12 34 56 78;number;2027-01-01T00:00+01:00;;;
"""


def test_a_file_is_imported_and_comes_back() -> None:
    """Rows become entries with their end, reason and date; the export of the list imports to the same entries."""

    async def test(house: House) -> None:
        register = await make_list(house, region="US", source="register", default_expiry_days=10)
        report = await bring(house, register, GOOD, delimiter=";", reason="file")
        assert (report.rows_read, report.rows_good, report.entries_before, report.entries_after) == (3, 3, 0, 3)
        assert report.columns["Colour"] == "left out"
        customer, american, french = await entries_of(house, register)
        assert (american.value, american.reason, american.source) == ("+12125550010", "asked", "register")
        assert (american.expires_at_s, american.added_at_ms) == (1_798_761_600, 1_704_153_600_000)
        assert (customer.kind, customer.reason, customer.expires_at_s) == (CUSTOMER, "court; in writing", None)
        assert (french.reason, french.expires_at_s, french.added_by) == ("file", 1_798_758_000, 9)
        again = await bring(house, register, GOOD, delimiter=";", reason="other")
        assert (again.entries_after, await entries_of(house, register)) == (3, [customer, american, french])

        book = house.writer.book
        text = "".join([part async for part in exported(house.store, book, register, NOON_S)])
        other = await make_list(house, "Copy")
        assert (await bring(house, other, text)).rows_refused == 0
        copied = [
            msgspec.structs.replace(one, suppression_list_id=register.suppression_list_id)
            for one in await entries_of(house, other)
        ]
        assert copied == [customer, american, french]
        safe = "".join([p async for p in exported(house.store, book, register, NOON_S, is_for_spreadsheets=True)])
        assert "'+12125550010" in safe

    run_in_house(test, [])


def test_one_contact_a_line() -> None:
    """A file without a header is one contact a line; empty lines are passed over; the list says how long they hold."""

    async def test(house: House) -> None:
        register = await make_list(house, region="US", default_expiry_days=10)
        report = await bring(house, register, "212-555-0010\n\n+1 212 555 0020\r\n")
        assert (report.rows_good, report.columns) == (2, {})
        assert {one.expires_at_s for one in await entries_of(house, register)} == {NOON_S + 864_000}
        accounts = await make_list(house, "Accounts", kind=ACCOUNT)
        await bring(house, accounts, "A 1\n=1+1\n")
        assert [one.value for one in await entries_of(house, accounts)] == ["=1+1", "A 1"]

    run_in_house(test, [])


def test_rows_that_cannot_be_taken() -> None:
    """Each refused row has its number, column and reason; nothing is written unless the good ones are asked for."""
    text = (
        b"phone,expires,campaign\n"
        b"+12125550010,,\n"  # good
        b"12,,\n"
        b"+12125550020,yesterday,\n"
        b"+12125550021,2020-01-01,\n"
        b"+12125550022,,Nowhere\n"
        b"+12125550023,\n"
        b"+1212555\xff024,,\n"
        b"2125550025,,\n"
        b"+12125550026,2027-01-01 10:00,\n"
        b",,\n"
        b" ,2027-01-01,\n"
    )
    refusals = [
        (3, "phone", "has no country code; give the region that its numbers are of"),
        (4, "expires", "must be a date such as 2027-01-31, or a moment such as 2027-01-31T17:00Z"),
        (5, "expires", "is over already"),
        (6, "campaign", "is no campaign of this contact centre"),
        (7, "", "has 2 cells, the header has 3"),
        (8, "", "is not text in the encoding utf-8"),
        (9, "phone", "has no country code; give the region that its numbers are of"),
        (10, "expires", "has a time of day but no zone; add Z or an offset such as +01:00"),
        (12, "phone", "is empty"),
    ]

    async def test(house: House) -> None:
        register = await make_list(house)
        report = await bring(house, register, text)
        assert [(one.row, one.field, one.reason) for one in report.refusals] == refusals
        assert report.is_refused
        assert await entries_of(house, register) == []
        dry = await bring(house, register, text, mode=ImportMode.GOOD, is_dry_run=True)
        assert (dry.rows_good, await entries_of(house, register)) == (1, [])
        report = await bring(house, register, text, mode=ImportMode.GOOD)
        assert (report.rows_good, report.entries_after) == (1, 1)

    run_in_house(test, [])


@pytest.mark.parametrize(
    ("text", "order", "error"),
    [
        (b"", {}, "the file is empty"),
        (b"+12125550010", {"encoding": "utf-16"}, "encoding must be"),
        (b"+12125550010", {"delimiter": ",,"}, "delimiter must be"),
        (b"+12125550010", {"region": "XX"}, "region must be"),
        (b"number,phone\n", {}, "two columns could be value"),
        (b"reason\nx\n", {}, "no column holds the contacts"),
        (b"a,b\n", {"mapping": {"value": "c"}}, "the file has no column"),
        (b"a,b\n", {"mapping": {"size": "a"}}, "which no entry has"),
        (b'"' + b"a\n" * 40_000, {}, "is longer than"),
        (b'number\n"a\n"b\n', {}, "the quotes in row 2 are wrong"),
        (b"1" * 200_000, {}, "is longer than"),
        (b"x," * 60 + b"number\n", {}, "more than 50 columns"),
    ],
)
def test_files_that_are_no_list(text: bytes, order: dict[str, Any], error: str) -> None:
    """What cannot be read as a list at all is refused as a whole, with the place or the parameter."""

    async def test(house: House) -> None:
        with pytest.raises(OutOfRange, match=error):
            await bring(house, list_named(house.writer.book, CENTRE, "own"), text, **order)

    run_in_house(test, [])


@hypothesis.given(text=st.binary(max_size=300))
@hypothesis.settings(max_examples=60, deadline=None)
def test_any_bytes_are_a_report_or_a_refusal(text: bytes) -> None:
    """Whatever a file holds, it is refused as a whole or row by row; good rows add up with refused ones."""

    async def test(house: House) -> None:
        own = list_named(house.writer.book, CENTRE, "own")
        try:
            report = await bring(house, own, b"number,reason\n" + text, mode=ImportMode.GOOD, region="US")
        except OutOfRange:
            return
        assert report.rows_read == report.rows_good + report.rows_refused
        assert report.entries_after <= report.rows_good

    run_in_house(test, [])


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (Given(value="+12125550010", kind="fax"), "kind"),
        (Given(value="x" * 129), "value"),
        (Given(value="abc"), "value"),
        (Given(value="+0"), "value"),
        (Given(value="\x07", kind="customer"), "value"),
        (Given(value="c" * 65, kind="customer"), "value"),
        (Given(value="+12125550010", reason="x" * 256), "reason"),
        (Given(value="+12125550010", source="a\nb"), "source"),
        (Given(value="+12125550010", expires="4102444800"), "expires_at"),
        (Given(value="+12125550010", added="12"), "added_at"),
    ],
)
def test_entries_that_cannot_be_taken(given: Given, field: str) -> None:
    """The error names the field at fault."""

    async def test(house: House) -> None:
        maker = EntryMaker(
            house.writer.book, list_named(house.writer.book, CENTRE, "own"), NOON_S * 1000, 9, region="US"
        )
        with pytest.raises(Wrong) as wrong:
            maker.entry(given)
        assert wrong.value.field == field

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
