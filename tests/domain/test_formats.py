"""Formats whose lists have records: what they may gain, and what they may not lose."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trunkline.domain.campaigns import ListField
from trunkline.domain.enums import FieldType
from trunkline.domain.field_values import checked_value
from trunkline.domain.formats import is_gain, loss
from trunkline.errors import Refused

CITY = ListField(name="city", max_length=20)
BALANCE = ListField(name="balance", field_type=FieldType.FLOAT)
AGE = ListField(name="age", field_type=FieldType.INT, is_mandatory=True)
BEFORE = (CITY, BALANCE, AGE)


def other(field: ListField, **values: Any) -> ListField:
    """A field that is different in some way."""
    return msgspec.structs.replace(field, **values)


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (BEFORE, ""),
        ((AGE, CITY, BALANCE), ""),
        ((*BEFORE, ListField(name="plan")), ""),
        ((other(CITY, max_length=None, label="City"), BALANCE, other(AGE, is_mandatory=False)), ""),
        ((other(CITY, sent_as="Town", is_read_only=True, default="Paris"), BALANCE, AGE), ""),
        ((CITY, AGE), "fields: balance must stay"),
        ((CITY, other(BALANCE, name="saldo"), AGE), "fields: balance must stay"),
        ((CITY, other(BALANCE, field_type=FieldType.INT), AGE), "fields[1].fieldType (balance)"),
        ((AGE, other(CITY, max_length=19), BALANCE), "fields[1].maxLength (city)"),
        ((other(CITY, is_mandatory=True), BALANCE, AGE), "fields[0]: city"),
        ((CITY, other(BALANCE, is_nullable=False), AGE), "fields[1]: balance"),
        ((*BEFORE, ListField(name="plan", is_mandatory=True)), "fields[3]: the new field plan"),
        ((*BEFORE, ListField(name="plan", is_nullable=False)), "fields[3]: the new field plan"),
    ],
)
def test_what_records_bear(after: tuple[ListField, ...], said: str) -> None:
    """Optional fields come, fields get wider; none goes, gets another type, gets shorter or must suddenly be filled."""
    assert loss(BEFORE, after).startswith(said)
    assert bool(loss(BEFORE, after)) is bool(said)


def test_what_a_loaded_group_bears() -> None:
    """New optional fields and other labels; nothing that an agent's form would meet in the middle of a call."""
    assert is_gain(BEFORE, (other(CITY, label="City"), AGE, BALANCE, ListField(name="plan")))
    for after in (
        (CITY, BALANCE),
        (other(CITY, sent_as="Town"), BALANCE, AGE),
        (other(CITY, is_read_only=True), BALANCE, AGE),
        (*BEFORE, ListField(name="plan", is_mandatory=True)),
    ):
        assert not is_gain(BEFORE, after)


PARTS: dict[str, st.SearchStrategy[Any]] = {
    "field_type": st.sampled_from([FieldType.VARCHAR] * 3 + list(FieldType)),
    "max_length": st.sampled_from([2, 1, 2, None]),
    "is_nullable": st.booleans(),
    "is_mandatory": st.booleans(),
    "label": st.sampled_from(["", "x"]),
}


@st.composite
def changes(draw: st.DrawFn) -> tuple[tuple[ListField, ...], tuple[ListField, ...]]:
    """Fields before and after: one that changes in one way and, sometimes, a new one."""
    field = draw(st.builds(ListField, name=st.just("a"), **PARTS))
    what = draw(st.sampled_from(["max_length", *PARTS]))
    new = [draw(st.builds(ListField, name=st.just("b"), **PARTS))] if draw(st.booleans()) else []
    return (field,), (*new, other(field, **{what: draw(PARTS[what])}))


VALUES = st.sampled_from(["aa", "11", 11, "1", "", None, 1, 1.5])


@settings(max_examples=500)
@given(changes(), st.fixed_dictionaries({"a": VALUES}))
def test_what_was_good_stays_good(
    change: tuple[tuple[ListField, ...], tuple[ListField, ...]], values: dict[str, str | int | float | None]
) -> None:
    """A record that was good by the fields before is good by those after, whenever nothing is said to be lost.

    Whatever a loaded group bears, records bear too.
    """
    before, after = change
    if is_gain(before, after):
        assert not loss(before, after)
    if loss(before, after):
        return
    kept = {}
    for field in before:
        try:
            kept[field.name] = checked_value(field, values.get(field.name), field.name)
        except Refused:
            return
    assert {field.name for field in before} <= {field.name for field in after}
    for field in after:
        assert checked_value(field, kept.get(field.name), field.name) == kept.get(field.name)
