"""Values of declared custom fields, window meetings, and what objects may not say by themselves."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.domain.campaigns import CallingList, ListField
from trunkline.domain.eligibility import covers
from trunkline.domain.enums import FieldType
from trunkline.domain.field_values import checked_fields, checked_value
from trunkline.domain.object_checks import windows_meet
from trunkline.domain.people import Role, check_password, features_of
from trunkline.domain.time_zones import PST_ID, TimeZoneAlias, usual_aliases, zones_by_text
from trunkline.errors import MissingParameter, OutOfRange, Refused, TooLarge


def field(kind: FieldType = FieldType.VARCHAR, **values: Any) -> ListField:
    """A field."""
    return ListField(name="f", field_type=kind, **values)


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        (FieldType.INT, 5, 5),
        (FieldType.INT, "5", 5),
        (FieldType.INT, " -7 ", -7),
        (FieldType.INT, 5.0, 5),
        (FieldType.INT, "", None),
        (FieldType.INT, None, None),
        (FieldType.FLOAT, 2.5, 2.5),
        (FieldType.FLOAT, "2.5", 2.5),
        (FieldType.FLOAT, "1e3", 1000.0),
        (FieldType.FLOAT, 3, 3),
        (FieldType.CHAR, "x", "x"),
        (FieldType.VARCHAR, "", ""),
        (FieldType.VARCHAR, 12.5, 12.5),
        (FieldType.VARCHAR, True, True),
        (FieldType.DATE_TIME, "2031-05-01T09:30", "2031-05-01T09:30"),
        (FieldType.DATE_TIME, "2031-05-01", "2031-05-01"),
        (FieldType.DATE_TIME, "05/01/2031 09:30", "05/01/2031 09:30"),
        (FieldType.DATE_TIME, 1_900_000_000, 1_900_000_000),
        (FieldType.DATE_TIME, "1900000000", "1900000000"),
        (FieldType.DATE_TIME, "", None),
    ],
)
def test_values_that_a_field_takes(kind: FieldType, value: Any, kept: Any) -> None:
    """Texts that read as numbers are numbers; text fields take any plain value as it comes."""
    found = checked_value(field(kind), value, "f")
    assert (found, type(found)) == (kept, type(kept))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *((FieldType.INT, wrong) for wrong in ("x", "5.5", 5.5, True, "0x10", "9" * 25, 2**70)),
        *((FieldType.FLOAT, wrong) for wrong in ("x", "nan", "inf", True, "1,5")),
        *(
            (FieldType.DATE_TIME, wrong)
            for wrong in ("soon", "2031-13-01", "13/01/2031 09:30", "02/30/2031 09:30", 1.5)
        ),
    ],
)
def test_values_that_a_field_refuses(kind: FieldType, value: Any) -> None:
    """What is of another type is refused with the field's name."""
    with pytest.raises(OutOfRange, match=r"^f must be"):
        checked_value(field(kind), value, "f")


def test_length_and_presence() -> None:
    """A text over its length is too large; what must have a value may not be emptied."""
    with pytest.raises(TooLarge, match="longer than 3"):
        checked_value(field(max_length=3), "long", "f")
    assert checked_value(field(max_length=3), 123, "f") == 123
    for empty in (None, "", "  "):
        with pytest.raises(MissingParameter):
            checked_value(field(is_mandatory=True), empty, "f")
    with pytest.raises(MissingParameter):
        checked_value(field(FieldType.INT, is_nullable=False), "", "f")
    assert checked_value(field(is_nullable=False), "", "f") == ""


def test_fields_of_a_record() -> None:
    """Defaults come with new records; undeclared fields pass; agents send read-only fields back but change none."""
    fields = (
        ListField(name="age", field_type=FieldType.INT),
        ListField(name="account", is_read_only=True),
        ListField(name="state", default="new"),
        ListField(name="name", is_mandatory=True),
    )
    assert checked_fields(fields, {"age": "7", "other": "x"}, None, by_agent=True) == {
        "age": 7,
        "other": "x",
        "state": "new",
    }
    before = {"account": "A-1", "name": "Ann"}
    assert checked_fields(fields, {"account": "A-1"}, before, by_agent=True) == {"account": "A-1"}
    with pytest.raises(Refused, match="account may only be read") as refusal:
        checked_fields(fields, {"account": "A-2"}, before, by_agent=True)
    assert refusal.value.code == 11
    assert checked_fields(fields, {"account": "A-2"}, before, by_agent=False) == {"account": "A-2"}
    with pytest.raises(MissingParameter, match="name must have a value"):
        checked_fields(fields, {"name": ""}, before, by_agent=True)


def test_fields_travel_under_their_keys() -> None:
    """A field goes out under its key and comes back under its own name; what is not sent stays here."""
    called = CallingList(
        contact_centre_id=1,
        list_id=1,
        name="L",
        fields=(ListField(name="balance", sent_as="Saldo"), ListField(name="score", is_sent=False)),
    )
    sent = called.sent_fields({"balance": 5, "score": 1, "free": "x"})
    assert sent == {"Saldo": 5, "free": "x"}
    assert called.own_fields(sent) == {"balance": 5, "free": "x"}


@given(
    st.tuples(st.integers(0, 47), st.integers(1, 48)),
    st.tuples(st.integers(0, 47), st.integers(1, 48)),
)
def test_windows_meet_when_some_second_is_in_both(one: tuple[int, int], other: tuple[int, int]) -> None:
    """Compared with a look at every half hour of the day."""
    half = 1800
    first, second = (tuple(bound * half for bound in bounds) for bounds in (one, other))
    both = any(covers(*first, at * half) and covers(*second, at * half) for at in range(48))  # type: ignore[call-arg]
    assert windows_meet(first, second) == both  # type: ignore[arg-type]


def test_zones_by_number_and_name() -> None:
    """122 is PST; usual names stay as they are given; a contact centre's own names and numbers are its zones."""
    aliases = usual_aliases(1)
    assert (aliases[0].time_zone_id, aliases[0].name, PST_ID) == (122, "PST", 122)
    own = TimeZoneAlias(contact_centre_id=1, time_zone_id=7, name="Head office", time_zone="Europe/Paris")
    off = TimeZoneAlias(contact_centre_id=1, time_zone_id=8, name="Old", time_zone="Europe/Paris", is_enabled=False)
    found = zones_by_text([*aliases, own, off])
    assert found["122"] == "America/Los_Angeles"
    assert found["7"] == found["Head office"] == "Europe/Paris"
    assert not {"PST", "UTC", "8", "Old"} & set(found)


def test_passwords_and_features() -> None:
    """Eight characters at least, not the name; agents get the agents' features, all others every one."""
    for wrong in ("", "short", "x" * 257, "        ", "a\0bcdefgh", "somebody1"):
        with pytest.raises(OutOfRange):
            check_password(wrong, "somebody1")
    check_password("long enough", "somebody1")
    assert {feature.value for feature in features_of([Role.AGENT])} == {"api-voice", "api-voice-outbound"}
    assert features_of([Role.AGENT, Role.SUPERVISOR]) > features_of([Role.AGENT])
