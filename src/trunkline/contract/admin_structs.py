"""Structs of the domain as JSON objects: names, defaults, limits, and which fields name other objects.

Names follow from the struct's: ``is_enabled`` is ``isEnabled``; the object's own number is ``id``; seconds of a day or
of an epoch lose their unit (``hours_from_s``: ``hoursFrom``) as everywhere in the API; other units are spelled out
(``interval_min``: ``intervalMinutes``). The contact centre is the caller's and does not appear.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from trunkline.contract.admin_limits import Limit, limit_of, text_of
from trunkline.contract.admin_shapes import (
    BoolShape,
    ChoiceShape,
    DateShape,
    EnumShape,
    Json,
    ListShape,
    MapShape,
    NullableShape,
    NumberShape,
    RowShape,
    ScalarShape,
    Schema,
    Shape,
    TextShape,
)
from trunkline.errors import Defect, MissingParameter, OutOfRange

SECRET_FIELDS = frozenset({"secret", "password"})
"""Fields that go in and never out."""
GIVEN_FIELDS = frozenset({"contact_centre_id", "public_id"})
"""Fields that the server gives; a request may repeat them and they are not looked at."""
_DAY_TIMES = ("from_s", "until_s")
_UNITS = {"s": "Seconds", "ms": "Milliseconds", "min": "Minutes"}
_SCALARS: dict[type[inspect.Type], type] = {
    inspect.StrType: str,
    inspect.IntType: int,
    inspect.FloatType: float,
    inspect.BoolType: bool,
    inspect.NoneType: type(None),
}


class FieldShape(msgspec.Struct, frozen=True):
    """A field of a struct: its name in JSON, its shape, and what it is when it is left out."""

    name: str
    wire_name: str
    shape: Shape
    is_required: bool
    default: Callable[[], Any]
    text: str
    is_secret: bool = False
    is_given: bool = False


class StructShape(Shape):
    """An object with the fields of a struct."""

    def __init__(self, struct: type[msgspec.Struct], fields: tuple[FieldShape, ...], text: str) -> None:
        self.struct = struct
        self.fields = fields
        self.text = text
        self._by_name = {field.wire_name: field for field in fields}

    def parts(self) -> Iterable[Shape]:
        """See ``Shape``."""
        return [field.shape for field in self.fields]

    def field(self, wire_name: str) -> FieldShape | None:
        """A field by its name in JSON."""
        return self._by_name.get(wire_name)

    def read(self, value: Json, path: str) -> Any:
        """See ``Shape``."""
        return self.read_with(value, path, {})

    def read_with(self, value: Json, path: str, given: Mapping[str, Any]) -> Any:
        """The struct of a JSON object; ``given`` are the fields that the server knows."""
        if type(value) is not dict:
            raise OutOfRange(f"{path or 'the body'} must be an object")
        for name in value:
            if name not in self._by_name:
                known = ", ".join(self._by_name)
                raise OutOfRange(f"{_at(path, name[:64])} is not known here; there are {known}")
        values = dict(given)
        for field in self.fields:
            if field.name in values or field.is_given:
                continue
            place = _at(path, field.wire_name)
            if field.wire_name in value:
                values[field.name] = field.shape.read(value[field.wire_name], place)
            elif field.is_required:
                raise MissingParameter(f"{place} is required")
            else:
                values[field.name] = field.default()
        return self.struct(**values)

    def write(self, value: Any, *, secrets: bool = False) -> dict[str, Json]:
        """See ``Shape``."""
        return {
            field.wire_name: field.shape.write(getattr(value, field.name), secrets=secrets)
            for field in self.fields
            if secrets or not field.is_secret
        }

    def schema(self) -> Schema:
        """See ``Shape``: where it is described once for all."""
        return {"$ref": f"#/components/schemas/{self.struct.__name__}"}

    def whole_schema(self) -> Schema:
        """The schema itself."""
        properties: dict[str, Schema] = {}
        for field in self.fields:
            shown = field.shape.schema()
            if field.text:
                shown["description"] = field.text
            if field.is_secret:
                shown["writeOnly"] = True
            if field.is_given:
                shown["readOnly"] = True
            if not field.is_required and not field.is_given:
                default = field.default()
                shown["default"] = field.shape.write(default)
            properties[field.wire_name] = shown
        required = [field.wire_name for field in self.fields if field.is_required and not field.is_given]
        return {
            "type": "object",
            "description": self.text,
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }


def _at(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


@cache
def struct_shape(struct: type[msgspec.Struct], key: str = "") -> StructShape:
    """The shape of a struct; ``key`` is the field that holds the object's own number, shown apart from the others."""
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    fields = []
    for field in info.fields:
        if field.name in (key, "contact_centre_id"):
            continue
        limit = limit_of(struct.__name__, field.name)
        if type(field.default) is int and field.default < limit.low:
            limit = msgspec.structs.replace(limit, low=field.default)
        fields.append(
            FieldShape(
                field.name,
                wire_name(field.name),
                _shape(field.type, limit),
                field.required,
                _default(field),
                text_of(struct.__name__, field.name),
                field.name in SECRET_FIELDS,
                field.name in GIVEN_FIELDS,
            )
        )
    text = (struct.__doc__ or "").strip().split("\n\n")[0]
    return StructShape(struct, tuple(fields), " ".join(text.split()).replace("``", "`"))


def _default(field: inspect.Field) -> Callable[[], Any]:
    if field.default_factory is not msgspec.NODEFAULT:
        factory: Callable[[], Any] = field.default_factory
        return factory
    return lambda: field.default


def wire_name(name: str) -> str:
    """The JSON name of a struct's field."""
    if name.endswith(_DAY_TIMES):
        name = name.removesuffix("_s")
    head, *parts = name.split("_")
    if parts and parts[-1] in _UNITS:
        parts[-1] = _UNITS[parts[-1]]
    return head + "".join(part[:1].upper() + part[1:] for part in parts)


def _shape(kind: inspect.Type, limit: Limit) -> Shape:
    """The shape of an annotation."""
    match kind:
        case inspect.Metadata():
            return _shape(kind.type, limit)
        case inspect.BoolType():
            return BoolShape()
        case inspect.IntType() | inspect.FloatType():
            low = limit.low if kind.ge is None else kind.ge
            high = limit.high if kind.le is None else kind.le
            return NumberShape(low, high, is_whole=isinstance(kind, inspect.IntType))
        case inspect.StrType():
            return TextShape(kind.max_length or limit.length, kind.min_length or limit.min_length)
        case inspect.DateType():
            return DateShape()
        case inspect.EnumType():
            return EnumShape(kind.cls)
        case inspect.StructType():
            return struct_shape(kind.cls)
        case inspect.FrozenSetType():
            return ListShape(_shape(kind.item_type, limit), frozenset, limit.items)
        case inspect.VarTupleType():
            return ListShape(_shape(kind.item_type, limit), tuple, limit.items)
        case inspect.ListType():
            return ListShape(_shape(kind.item_type, limit), list, limit.items)
        case inspect.TupleType():
            return RowShape(tuple(_shape(item, limit) for item in kind.item_types))
        case inspect.DictType():
            return MapShape(_shape(kind.key_type, limit), _shape(kind.value_type, limit), limit.items)
        case inspect.UnionType():
            return _union(kind, limit)
    raise Defect(f"the administration API has no shape for {kind}")


def _union(kind: inspect.UnionType, limit: Limit) -> Shape:
    """The shape of alternatives: one or nothing, scalars, or structs told apart by their tags."""
    others = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
    if len(others) == 1:
        return NullableShape(_shape(others[0], limit))
    if all(type(one) in _SCALARS for one in others):
        return ScalarShape(TextShape(limit.length), frozenset(_SCALARS[type(one)] for one in kind.types))
    structs = [one for one in others if isinstance(one, inspect.StructType)]
    if len(structs) != len(others):
        raise Defect(f"the administration API has no shape for {kind}")
    tags = {str(one.tag): one for one in structs}
    choice = ChoiceShape(
        str(structs[0].tag_field),
        {tag: struct_shape(one.cls) for tag, one in tags.items()},
        lambda value: str(type(value).__struct_config__.tag),
    )
    return NullableShape(choice) if len(others) < len(kind.types) else choice


def nested_structs(shape: Shape) -> dict[str, StructShape]:
    """Every struct below a shape by its name."""
    found: dict[str, StructShape] = {}
    for inner in shape.parts():
        if isinstance(inner, StructShape):
            found[inner.struct.__name__] = inner
        found |= nested_structs(inner)
    return found
