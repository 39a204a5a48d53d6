"""Suppression lists in and out: files that are taken, refused row by row, or as a whole."""

from __future__ import annotations

from typing import Any

import hypothesis
import msgspec
import pytest
from hypothesis import strategies as st

from tests.app.harness import CENTRE, NOON_S, House, run_in_house
from tests.app.suppressing import ACCOUNT, CUSTOMER, bring, entries_of, make_list
from trunkline.app.suppression.entries import (
    EntryMaker,
    Given,
    Wrong,
    list_named,
)
from trunkline.app.suppression.exporting import exported
from trunkline.domain.import_specifications import ImportMode
from trunkline.errors import OutOfRange

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
