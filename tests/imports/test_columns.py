"""Columns: what a header's names and a mapping come down to, and which headers are refused."""

from __future__ import annotations

import pytest

from trunkline.domain.columns import KNOWN_NAMES, MAX_COLUMNS, MAX_NUMBERS, Column, plan_columns
from trunkline.domain.records import MAX_FIELD_NAME, MAX_FIELDS
from trunkline.errors import MissingParameter, OutOfRange, TooLarge


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("contact_info", Column.PHONE),
        ("phone", Column.PHONE),
        ("Phone Number", Column.PHONE),
        ("CONTACT_INFO_TYPE", Column.PHONE_TYPE),
        ("record_type", Column.RECORD_TYPE),
        ("record_status", Column.RECORD_STATUS),
        ("call_result", Column.CALL_RESULT),
        ("attempt", Column.ATTEMPTS),
        ("call_time", Column.CALLED_AT),
        ("dial_sched_time", Column.DUE_AT),
        ("daily_from", Column.FROM),
        ("daily_till", Column.UNTIL),
        ("until", Column.UNTIL),
        ("tz_name", Column.TIME_ZONE),
        ("time-zone", Column.TIME_ZONE),
        ("customer_id", Column.CUSTOMER_ID),
        ("chain_id", Column.CHAIN),
        ("chain_n", Column.CHAIN_N),
        ("treatments", Column.TREATMENTS),
        ("calling_region", Column.REGION),
    ],
)
def test_a_column_is_known_by_its_name_in_the_format(name: str, column: Column) -> None:
    """Names of the calling-list format and their spellings are recognised without a mapping."""
    header = [name] if column is Column.PHONE else ["contact_info", name]
    assert plan_columns(header, {}).known[column] == len(header) - 1


def test_every_meaning_has_a_name() -> None:
    """No meaning is out of reach of a header."""
    further = {(column, n) for column in (Column.PHONE, Column.PHONE_TYPE) for n in range(2, MAX_NUMBERS + 1)}
    assert set(KNOWN_NAMES.values()) == set(Column) | further


def test_further_numbers_are_known_by_their_names() -> None:
    """phone2 and its type stand in any order; a type without its number is refused."""
    plan = plan_columns(["phone2_type", "phone", "Phone 2", "phone10"], {})
    assert plan.known == {(Column.PHONE_TYPE, 2): 0, Column.PHONE: 1, (Column.PHONE, 2): 2, (Column.PHONE, 10): 3}
    assert plan.further == (2, 10)
    assert plan.uses() == {"phone2_type": "phone2_type", "phone": "phone", "Phone 2": "phone2", "phone10": "phone10"}
    with pytest.raises(OutOfRange):
        plan_columns(["phone", "phone2_type"], {})


def test_unknown_columns_become_custom_fields_and_foreign_keys_are_left_out() -> None:
    """An unknown header names a custom field; numbers of another installation go nowhere, and the report says so."""
    plan = plan_columns(["phone", " First name ", "record_id", "tz_dbid"], {})
    assert plan.custom == ((1, "First name"),)
    assert plan.uses() == {
        "phone": "phone",
        "First name": "custom field First name",
        "record_id": "left out",
        "tz_dbid": "left out",
    }
    assert plan.name_of(Column.PHONE) == "phone"
    assert plan.name_of(Column.CHAIN) == "chain"


def test_a_mapping_wins_over_names() -> None:
    """What the caller says goes; a name that would have been known is a custom field then."""
    plan = plan_columns(["phone", "Mobil"], {"contact_info": "mobil"})
    assert plan.known == {Column.PHONE: 1}
    assert plan.custom == ((0, "phone"),)


def test_a_mapping_names_custom_fields() -> None:
    """A meaning that is no known column is the name of a custom field, also for a column that is left out else."""
    plan = plan_columns(["phone", "Vorname", "agent_id"], {"first_name": "Vorname", "owner": "agent_id"})
    assert plan.custom == ((1, "first_name"), (2, "owner"))


def test_an_empty_mapping_keeps_a_name_from_being_known() -> None:
    """``from=`` makes a column called from an ordinary field."""
    plan = plan_columns(["phone", "from"], {"from": ""})
    assert plan.known == {Column.PHONE: 0}
    assert plan.custom == ((1, "from"),)


@pytest.mark.parametrize(
    ("header", "mapping", "error"),
    [
        (["name"], {}, MissingParameter),
        ([], {}, MissingParameter),
        (["phone"], {"phone": ""}, MissingParameter),
        (["phone", "contact_info"], {}, OutOfRange),
        (["phone", "name", "NAME"], {}, OutOfRange),
        (["phone", ""], {}, OutOfRange),
        (["phone", "a\nb"], {}, OutOfRange),
        (["phone", "x" * (MAX_FIELD_NAME + 1)], {}, TooLarge),
        (["phone", *(f"f{n}" for n in range(MAX_FIELDS + 1))], {}, TooLarge),
        (["phone", *(f"f{n}" for n in range(MAX_COLUMNS))], {}, TooLarge),
        (["phone"], {"phone": "Telephone"}, OutOfRange),
        (["phone", "a"], {"phone": "a", "contact_info": "phone"}, OutOfRange),
        (["phone", "a"], {"chain": "a", "customer_id": "a"}, OutOfRange),
        (["phone", "a"], {"x": "a", "y": "a"}, OutOfRange),
        (["phone", "a", "b"], {"b": "a"}, OutOfRange),
        (["phone", "a"], {"x\n": "a"}, OutOfRange),
        (["phone", "a"], {"": "a"}, OutOfRange),
        (["phone", "a"], {"x" * (MAX_FIELD_NAME + 1): "a"}, OutOfRange),
    ],
)
def test_a_header_that_cannot_be_read_is_refused(
    header: list[str], mapping: dict[str, str], error: type[Exception]
) -> None:
    """Missing, doubled, empty, unprintable and too many columns are refused before any row is read."""
    with pytest.raises(error) as caught:
        plan_columns(header, mapping)
    assert type(caught.value) is error
    assert str(caught.value).isprintable()
