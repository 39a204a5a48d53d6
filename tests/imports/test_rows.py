"""Rows: values with the list's defaults, and every reason why a row is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.imports.harness import LIST
from trunkline.domain.columns import plan_columns
from trunkline.domain.eligibility import Window
from trunkline.domain.enums import CallResult, PhoneType, RecordStatus, RecordType
from trunkline.domain.records import MAX_FIELD_TEXT
from trunkline.domain.row_cells import RowRules
from trunkline.domain.rows import Fault, RowValues, read_row

HEADER = (
    *("phone", "phone_type", "record_type", "record_status", "call_result", "attempt", "call_time"),
    *("dial_sched_time", "daily_from", "daily_till", "tz_name", "customer_id", "chain", "chain_n", "note"),
    *("other_time_zones", "calling_region", "agent_user_name", "campaign_name", "treatments", "phone2", "phone2_type"),
)
PLAN = plan_columns(HEADER, {})
RULES = RowRules(calling_list=LIST, agents={"ann": 4}, campaigns={"C": 9}, zone_aliases={"122": "America/Los_Angeles"})


def cells(**given_cells: str) -> list[str]:
    """A row of ``HEADER`` with a good number and the given cells."""
    return [{"phone": "+1 646 555 0100", **given_cells}.get(name, "") for name in HEADER]


def good(**given_cells: str) -> RowValues:
    """The values of a row that must be good."""
    values = read_row(PLAN, cells(**given_cells), RULES)
    assert isinstance(values, RowValues), values
    return values


def faults(**given_cells: str) -> tuple[Fault, ...]:
    """The faults of a row that must be refused."""
    found = read_row(PLAN, cells(**given_cells), RULES)
    assert not isinstance(found, RowValues)
    return found


def test_an_empty_row_takes_everything_from_the_list() -> None:
    """With only a number given, window and zone are the list's and the rest is the format's default."""
    values = good(note=" as it is ")
    (number,) = values.numbers
    assert number.window == Window("Europe/Paris", 3600, 7200)
    assert number.phone_type is PhoneType.HOME_PHONE
    assert values.status is RecordStatus.READY
    assert values.record_type is RecordType.GENERAL
    assert values.call_result is CallResult.UNKNOWN
    assert (values.attempts, values.due_at_s, values.called_at_s, values.customer_id) == (0, None, None, None)
    assert (values.agent_id, values.campaign_id, values.treatments) == (None, None, "")
    assert values.other_fields == {"note": " as it is "}
    assert (values.chain_key, values.chain_n) == ("", None)


def test_a_full_row_is_taken_as_it_is() -> None:
    """Names and numbers of the enumerations, both forms of times, the zone's name as given."""
    values = good(
        phone_type="Mobile",
        record_type="6",
        record_status="Ready",
        call_result="NoAnswer",
        attempt="3",
        call_time="1700000000",
        dial_sched_time="2030-07-01T12:00",
        daily_from="9:30",
        daily_till="72000",
        tz_name="PST",
        customer_id=" C1 ",
        chain="K",
        chain_n="4",
    )
    (number,) = values.numbers
    assert number.phone_type is PhoneType.MOBILE
    assert values.record_type is RecordType.CAMPAIGN_CALL_BACK
    assert values.call_result is CallResult.NO_ANSWER
    assert (values.attempts, values.called_at_s) == (3, 1_700_000_000)
    assert values.due_at_s == 1_909_162_800  # noon in Los Angeles, in summer
    assert number.window == Window("PST", 34_200, 72_000)
    assert (values.customer_id, values.chain_key, values.chain_n) == ("C1", "K", 4)


@pytest.mark.parametrize(
    ("column", "text", "attribute", "value"),
    [
        ("phone_type", "home_phone", "phone_type", PhoneType.HOME_PHONE),
        ("phone_type", "4", "phone_type", PhoneType.MOBILE),
        ("record_type", "General", "record_type", RecordType.GENERAL),
        ("record_type", "NoCall", "record_type", RecordType.NO_CALL),
        ("call_result", "Answered", "call_result", CallResult.ANSWER),
        ("call_result", "33", "call_result", CallResult.ANSWER),
        ("daily_from", "00:00", "from_s", 0),
        ("daily_from", "0", "from_s", 0),
        ("daily_from", "23:59:59", "from_s", 86_399),
        ("daily_till", "00:00", "until_s", 86_400),
        ("daily_till", "24:00", "until_s", 86_400),
        ("daily_till", "86400", "until_s", 86_400),
        ("daily_till", "00:00:01", "until_s", 1),
        ("dial_sched_time", "0", "due_at_s", None),
        ("dial_sched_time", "2030-01-01T00:00:00Z", "due_at_s", 1_893_456_000),
        ("dial_sched_time", "2030-01-01T01:00+01:00", "due_at_s", 1_893_456_000),
        ("dial_sched_time", "2030-01-01", "due_at_s", 1_893_452_400),
        ("tz_name", "Asia/Kathmandu", "time_zone", "Asia/Kathmandu"),
        ("tz_name", "122", "time_zone", "America/Los_Angeles"),
        ("record_status", "ChainUpdated", "status", RecordStatus.CHAIN_UPDATED),
        ("calling_region", "tx", "region", "US-TX"),
        ("calling_region", "US", "region", "US"),
        ("calling_region", "CA", "region", "US-CA"),
        ("calling_region", "ca-", "region", "CA"),
        ("calling_region", "ca-on", "region", "CA-ON"),
        ("calling_region", "-", "region", ""),
        ("agent_user_name", "ann", "agent_id", 4),
        ("campaign_name", "C", "campaign_id", 9),
        ("treatments", "6|1|", "treatments", "6|1|"),
    ],
)
def test_spellings(column: str, text: str, attribute: str, value: object) -> None:
    """Each way to write a value gives that value."""
    values = good(**{column: text})
    (number,) = values.numbers
    owner = next(part for part in (values, number, number.window) if hasattr(part, attribute))
    assert getattr(owner, attribute) == value


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("phone", ""),
        ("phone", "call me"),
        ("phone", "()"),
        ("phone", "1" * 129),
        ("phone", "someone@example.com"),
        ("phone_type", "Carrier pigeon"),
        ("phone_type", "12"),
        ("record_type", "PersonalCallBack"),
        ("record_type", "9"),
        ("record_status", "Retrieved"),
        ("other_time_zones", "Europe/Rome"),
        ("calling_region", "Texas"),
        ("agent_user_name", "bob"),
        ("campaign_name", "D"),
        ("treatments", "x" * 256),
        ("phone2", "call me"),
        ("record_status", "new"),
        ("call_result", "54"),
        ("attempt", "-1"),
        ("attempt", "10001"),
        ("attempt", "²"),
        ("attempt", "1" * 5000),
        ("call_time", "20250401"),
        ("call_time", "1" * 13),
        ("dial_sched_time", "tomorrow"),
        ("dial_sched_time", "1999-01-01"),
        ("dial_sched_time", "2100-06-01"),
        ("dial_sched_time", "9999-12-31T23:59-12:00"),
        ("daily_from", "24:00"),
        ("daily_from", "9"),
        ("daily_from", "09:60"),
        ("daily_from", "9 am"),
        ("daily_from", "86400"),
        ("daily_till", "0"),
        ("daily_till", "24:01"),
        ("daily_till", "99999"),
        ("tz_name", "Middle/Earth"),
        ("tz_name", "../etc/passwd"),
        ("customer_id", "c" * 65),
        ("chain", "k" * 129),
        ("chain", "a\nb"),
        ("chain_n", "10000"),
        ("chain_n", "one"),
        ("note", "x" * (MAX_FIELD_TEXT + 1)),
        ("note", "nul\0"),
        ("note", "half \ud800"),
    ],
)
def test_a_wrong_cell_is_named(column: str, text: str) -> None:
    """The fault names the column as the file calls it, and its reason neither repeats the value nor lacks words."""
    found = faults(**{column: text})
    assert [fault.field for fault in found] == [column]
    assert len(found[0].reason.split()) > 1
    assert len(text) < 4 or text not in found[0].reason


def test_a_row_may_hold_several_numbers() -> None:
    """Each filled column of numbers is one, with a type of its own; one that is there already is not there twice."""
    values = good(phone="", phone2="+1 646 555 0101", phone2_type="Mobile")
    assert [(n.phone_number, n.phone_type) for n in values.numbers] == [("+1 646 555 0101", PhoneType.MOBILE)]
    assert len(good(phone="1", phone2="2").numbers) == 2
    assert len(good(phone="1", phone2="1").numbers) == 1


def test_a_personal_type_needs_its_agent() -> None:
    """A record that is somebody's own comes with the name of that agent."""
    assert good(record_type="PersonalCallBack", agent_user_name="ann").agent_id == 4
    assert [fault.field for fault in faults(record_type="PersonalCallBack")] == ["record_type"]


def test_further_zones_need_a_first_one() -> None:
    """All zones that a row names are kept, in their order."""
    values = good(tz_name="Europe/Rome", other_time_zones="Europe/London  PST")
    assert values.numbers[0].window.zones == ("Europe/Rome", "Europe/London", "PST")


def test_an_address_is_good_where_the_type_says_so() -> None:
    """E-mail addresses are kept when the row says that it holds one."""
    assert good(phone="someone@example.com", phone_type="EmailAddress").numbers[0].phone_number == "someone@example.com"


def test_all_faults_of_a_row_are_told() -> None:
    """Whoever corrects a file wants every reason at once."""
    found = faults(phone="", attempt="x", tz_name="Nowhere", daily_from="25:00")
    assert [fault.field for fault in found] == ["tz_name", "daily_from", "phone", "attempt"]


@pytest.mark.parametrize("row", [[], ["+16465550100"], ["x"] * (len(HEADER) + 1)])
def test_a_ragged_row_is_refused(row: list[str]) -> None:
    """A row with fewer or more cells than the header is refused as a whole."""
    (fault,) = read_row(PLAN, row, RULES)  # type: ignore[misc]
    assert fault.field == ""
    assert str(len(row)) in fault.reason


@given(st.lists(st.text(st.characters(), max_size=12), min_size=len(HEADER), max_size=len(HEADER)))
def test_any_cells_give_values_or_faults(row: list[str]) -> None:
    """No text raises; good values fit a record."""
    found = read_row(PLAN, row, RULES)
    if isinstance(found, RowValues):
        assert all(number.window.is_open(0) in (True, False) for number in found.numbers)
    else:
        assert found
