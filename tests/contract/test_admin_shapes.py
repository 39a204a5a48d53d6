"""JSON of administered objects: read, written back and described by the same shapes, whatever the struct."""

from __future__ import annotations

from datetime import date
from enum import Enum
from functools import cache
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from trunkline.contract.admin_kinds import KINDS, Kind, kind_of_reference, references
from trunkline.contract.admin_requests import (
    new_value,
    patched_value,
    replaced_value,
    seen_version,
    write_schema,
    written,
)
from trunkline.contract.admin_shapes import (
    BoolShape,
    DateShape,
    EnumShape,
    ListShape,
    MapShape,
    NullableShape,
    NumberShape,
    RowShape,
    ScalarShape,
    Shape,
    TextShape,
    names_of,
)
from trunkline.contract.admin_structs import StructShape, nested_structs, struct_shape, wire_name
from trunkline.contract.names import CALL_RESULT_NAMES
from trunkline.domain.campaigns import CampaignDefinition, CampaignList
from trunkline.domain.enums import CallResult, DialMode, FieldType, OptimizeBy
from trunkline.domain.objects import OBJECT_TYPES
from trunkline.errors import Defect, MissingParameter, OutOfRange, Refused, TooLarge

Json = Any
JUNK: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


class One(msgspec.Struct, frozen=True, tag="one"):
    """A part with a number."""

    number: int


class Two(msgspec.Struct, frozen=True, tag="two"):
    """A part with a word."""

    word: str


class Both(msgspec.Struct, frozen=True):
    """Parts of either kind."""

    parts: tuple[One | Two, ...]
    levels: dict[int, str]
    pair: tuple[int, str]
    last: One | Two | None = None
    rate: float = 0.5


@cache
def values(shape: Shape) -> st.SearchStrategy[Json]:
    """JSON that a shape takes."""
    match shape:
        case BoolShape():
            return st.booleans()
        case NumberShape():
            low, high = int(shape.low), int(shape.high)
            return st.integers(low, high) if shape.is_whole else st.floats(shape.low, shape.high)
        case TextShape():
            letters = st.characters(codec="utf-8", categories=("L", "N", "P", "Zs"))
            return st.text(letters, min_size=shape.min_length, max_size=min(8, shape.max_length)).filter(
                lambda text: not shape.min_length or bool(text.strip())
            )
        case EnumShape():
            return st.sampled_from(list(shape.names.values()))
        case DateShape():
            return st.dates(date(1900, 1, 1), date(2100, 1, 1)).map(date.isoformat)
        case NullableShape():
            return st.none() | values(shape.inner)
        case ListShape():
            return st.lists(values(shape.item), max_size=3, unique_by=repr if shape.is_set else None)
        case RowShape():
            return st.tuples(*(values(part) for part in shape.parts())).map(list)
        case MapShape():
            keys = st.text("abc", min_size=1, max_size=3)
            return st.dictionaries(keys, values(shape.item), max_size=2)
        case ScalarShape():
            return st.none() | st.integers(0, 99) | st.text("xyz", max_size=4)
        case StructShape():
            fields = {field.wire_name: field for field in shape.fields if not field.is_given}
            required = {name: values(field.shape) for name, field in fields.items() if field.is_required}
            optional = {name: values(field.shape) for name, field in fields.items() if not field.is_required}
            return st.fixed_dictionaries(required, optional=optional)
    raise AssertionError(shape)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.kind)
@given(data=st.data())
def test_what_is_written_is_read_back(kind: Kind, data: st.DataObject) -> None:
    """Any good body is taken, fits its own schema, and what is shown of it means the same struct again."""
    body = data.draw(values(kind.shape))
    value = new_value(kind, 1, 7, body)
    assert (value.contact_centre_id, getattr(value, kind.key)) == (1, 7)
    whole = kind.shape.write(value, secrets=True)
    given_fields = {field.wire_name for field in kind.shape.fields if field.is_given}
    assert new_value(kind, 1, 7, whole) == value
    assert set(whole) == {field.wire_name for field in kind.shape.fields}
    assert patched_value(kind, 1, 7, value, {}) == value
    shown = kind.shape.write(value)
    assert replaced_value(kind, 1, 7, value, shown) == value
    validator(kind).validate({name: item for name, item in body.items() if name not in given_fields})
    assert msgspec.json.decode(msgspec.json.encode(value), type=type(value)) == value


@cache
def validator(kind: Kind) -> jsonschema.Draft202012Validator:
    """A validator of bodies of a kind."""
    nested = {name: shape.whole_schema() for name, shape in nested_structs(kind.shape).items()}
    resource: Resource[Any] = Resource.from_contents(
        {"components": {"schemas": nested}}, default_specification=DRAFT202012
    )
    registry: Any = Registry()
    text = msgspec.json.encode(write_schema(kind)).replace(b'"#/components', b'"urn:x#/components')
    return jsonschema.Draft202012Validator(
        msgspec.json.decode(text), registry=registry.with_resource("urn:x", resource)
    )


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.kind)
@given(data=st.data())
def test_anything_else_is_refused_or_fits(kind: Kind, data: st.DataObject) -> None:
    """One field with any JSON in it: a struct that comes back the same, or a refusal that names the field."""
    body = data.draw(values(kind.shape))
    field = data.draw(st.sampled_from(kind.shape.fields))
    body[field.wire_name] = data.draw(JUNK)
    try:
        value = new_value(kind, 1, 7, body)
    except Refused as error:
        assert field.wire_name in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert new_value(kind, 1, 7, kind.shape.write(value, secrets=True)) == value


def test_every_kind_of_object_is_administered() -> None:
    """No kind of stored object without an address; accounts beside them; names are what their addresses say."""
    assert {kind.value for kind in OBJECT_TYPES} | {"user"} == set(KINDS)
    listed = KINDS["calling-list"]
    assert (listed.path, listed.name, listed.names) == ("calling-lists", "callingList", "callingLists")
    names = [name for kind in KINDS.values() for name in nested_structs(kind.shape)]
    schemas = {kind.name[0].upper() + kind.name[1:] for kind in KINDS.values()}
    assert not schemas & set(names)


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("is_enabled", "isEnabled"),
        ("from_s", "from"),
        ("hours_until_s", "hoursUntil"),
        ("within_s", "withinSeconds"),
        ("interval_min", "intervalMinutes"),
        ("give_up_ms", "giveUpMilliseconds"),
        ("name", "name"),
        ("user_ids", "userIds"),
    ],
)
def test_names_of_fields(field: str, name: str) -> None:
    """Camel case; times of the day lose their unit, others are spelled out."""
    assert wire_name(field) == name


def test_names_of_enumerations() -> None:
    """The original's names where it has some; numbers are read too, unknown ones are refused with the choices."""
    results = EnumShape(CallResult)
    assert results.names == CALL_RESULT_NAMES
    assert results.read("NoAnswer", "x") is results.read(7, "x") is CallResult.NO_ANSWER
    assert EnumShape(OptimizeBy).write(OptimizeBy.OVERDIAL_RATE) == "OverdialRate"
    assert EnumShape(FieldType).read("VarChar", "x") is FieldType.VARCHAR
    for wrong in ("Nothing", 99, 7.0, True, None, [7]):
        with pytest.raises(OutOfRange, match=r"x\[0\] must be one of"):
            EnumShape(DialMode).read(wrong, "x[0]")
    for kind in KINDS.values():
        for shape in _enums(kind.shape):
            assert len(set(shape.names.values())) == len(shape.names)


def _enums(shape: Shape) -> list[EnumShape]:
    found = [shape] if isinstance(shape, EnumShape) else []
    for part in shape.parts():
        found += _enums(part)
    return found


def test_places_of_faults() -> None:
    """Refusals name the place at any depth."""
    shape = struct_shape(CampaignDefinition, "campaign_id")
    good = {"name": "A", "lists": [{"listId": 1}]}
    for change, error, place in (
        ({"lists": [{"listId": 1}, {"share": 3}]}, MissingParameter, r"lists\[1\]\.listId"),
        ({"lists": [{"listId": 1, "shares": 3}]}, OutOfRange, r"lists\[0\]\.shares"),
        ({"lists": [7]}, OutOfRange, r"lists\[0\] must be an object"),
        ({"lists": {}}, OutOfRange, "lists must be an array"),
        ({"lists": [{"listId": 1}] * 101}, TooLarge, "lists has more than 100"),
        ({"weekdays": [0, "1"]}, OutOfRange, r"weekdays\[1\] must be an integer"),
        ({"weekdays": [True]}, OutOfRange, r"weekdays\[0\] must be an integer"),
        ({"name": None}, OutOfRange, "name must be a string"),
        ({"ruleSetId": 0}, OutOfRange, "ruleSetId"),
    ):
        with pytest.raises(error, match=place):
            shape.read_with({**good, **change}, "", {"contact_centre_id": 1, "campaign_id": 1})
    with pytest.raises(OutOfRange, match="the body must be an object"):
        shape.read_with([], "", {})


def test_references_are_found_at_any_depth() -> None:
    """Fields are references by their names; null and 0 name nothing."""
    value = CampaignDefinition(
        contact_centre_id=1,
        campaign_id=5,
        name="A",
        lists=(CampaignList(3), CampaignList(4)),
        suppression_list_ids=(9,),
    )
    found = [(one.path, one.kind.kind, one.number) for one in references(KINDS["campaign"], value)]
    assert found == [
        ("lists[0].listId", "calling-list", 3),
        ("lists[1].listId", "calling-list", 4),
        ("suppressionListIds", "suppression-list", 9),
    ]
    assert kind_of_reference("chain_id") is None
    assert kind_of_reference("user_ids") is KINDS["user"]


def test_a_struct_without_a_shape_is_a_defect() -> None:
    """An annotation that JSON has no form for is found when the shape is made, not when somebody asks."""

    class Odd(msgspec.Struct):
        value: bytes

    with pytest.raises(Defect):
        struct_shape(Odd)


def test_tagged_structs_and_maps() -> None:
    """Structs with tags are told apart by them; maps may have numbers as names."""
    shape = struct_shape(Both)
    wire = {
        "parts": [{"type": "one", "number": 1}, {"type": "two", "word": "w"}],
        "levels": {"3": "c"},
        "pair": [1, "a"],
        "last": None,
        "rate": 2.0,
    }
    value = shape.read(wire, "")
    assert value == Both((One(1), Two("w")), {3: "c"}, (1, "a"), None, 2.0)
    assert shape.write(value) == wire
    for change, place in (
        ({"parts": [{"number": 1}]}, r"parts\[0\]\.type is required"),
        ({"parts": [{"type": "three"}]}, r"parts\[0\]\.type must be one of one, two"),
        ({"parts": [5]}, r"parts\[0\] must be an object"),
        ({"levels": {"x": "c"}}, "levels has a name that is no whole number"),
        ({"levels": []}, "levels must be an object"),
        ({"pair": [1]}, "pair must be an array of 2"),
        ({"rate": "x"}, "rate must be a number"),
    ):
        with pytest.raises(Refused, match=place):
            shape.read({**wire, **change}, "")
    assert shape.whole_schema()["properties"]["last"]["anyOf"][1] == {"type": "null"}


def test_a_set_holds_nothing_twice() -> None:
    """A number that is given twice is a mistake, not one member."""
    with pytest.raises(OutOfRange, match="twice"):
        ListShape(NumberShape(1, 9), frozenset, 9).read([1, 1], "userIds")
    assert ListShape(NumberShape(1, 9), frozenset, 9).write(frozenset({3, 1})) == [1, 3]


def test_members_of_text_enumerations_are_their_values() -> None:
    """Enumerations of texts are what they say."""

    class Word(Enum):
        A = "a b"

    assert names_of(Word) == {Word.A: "a b"}


@pytest.mark.parametrize(
    ("body", "header", "query", "outcome"),
    [
        (3, None, {}, 3),
        (None, b'"3"', {}, 3),
        (None, None, {"version": "3"}, 3),
        (3, b'"3"', {"version": "3"}, 3),
        (None, None, {}, MissingParameter),
        (3, b'"4"', {}, OutOfRange),
        (None, b"3", {}, OutOfRange),
        (None, b"*", {}, OutOfRange),
        (None, b'W/"3"', {}, OutOfRange),
        (None, b'"x"', {}, OutOfRange),
        (None, None, {"version": "0"}, OutOfRange),
        (None, None, {"version": "9" * 11}, OutOfRange),
    ],
)
def test_the_version_that_was_seen(
    body: int | None, header: bytes | None, query: dict[str, str], outcome: int | type[Exception]
) -> None:
    """It stands in the body, the query or If-Match; once at least, and nowhere differently."""
    if isinstance(outcome, int):
        assert seen_version(body, header, query) == outcome
    else:
        with pytest.raises(outcome):
            seen_version(body, header, query)


def test_a_body_taken_apart() -> None:
    """What answers show beside the fields is left aside; a password belongs to users alone and shows nowhere."""
    kind = KINDS["user"]
    body = written(kind, {"name": "a", "uri": 1, "changedAt": 2, "version": 3, "password": "p" * 8, "referenceId": "r"})
    assert (body.fields, body.version, body.reference, body.password) == ({"name": "a"}, 3, "r", "p" * 8)
    assert "p" * 8 not in repr(body)
    assert written(KINDS["skill"], {"password": "x"}).fields == {"password": "x"}
    for wrong, error in (
        ({"version": "3"}, OutOfRange),
        ({"version": 0}, OutOfRange),
        ({"referenceId": ""}, OutOfRange),
        ({"referenceId": "a\nb"}, OutOfRange),
        ({"changeReason": "x" * 1001}, TooLarge),
        ({"password": 5}, OutOfRange),
    ):
        with pytest.raises(error):
            written(kind, wrong)
