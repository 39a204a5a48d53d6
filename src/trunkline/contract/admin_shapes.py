"""JSON of the administration API, made of the structs of the domain.

A shape reads a decoded JSON value into what a struct's field holds, writes it back, and describes itself as a JSON
schema. Shapes are made once of a struct's annotations (``shape_of``), so that requests, answers and the OpenAPI
description cannot differ. Whatever is wrong is named by its place: ``lists[2].share must lie between 0 and 1000``.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from enum import Enum, IntEnum
from typing import Any

from trunkline.contract.names import CALL_RESULT_NAMES, DIAL_MODE_NAMES, PHONE_TYPE_NAMES
from trunkline.domain.enums import CallAction, FieldType, RecordAction
from trunkline.domain.treatments import ACTION_NAMES, CALL_ACTION_NAMES
from trunkline.errors import MissingParameter, OutOfRange, TooLarge

Json = Any
"""A decoded JSON value."""
Schema = dict[str, Any]
"""A JSON schema (2020-12)."""

ENUM_NAMES: dict[type[Enum], Mapping[Any, str]] = {
    **{type(next(iter(names))): names for names in (CALL_RESULT_NAMES, DIAL_MODE_NAMES, PHONE_TYPE_NAMES)},
    RecordAction: ACTION_NAMES,
    CallAction: {CallAction.NO_CALL_ACTION_CODE: "None", **CALL_ACTION_NAMES},
    FieldType: {
        FieldType.INT: "Int",
        FieldType.FLOAT: "Float",
        FieldType.CHAR: "Char",
        FieldType.VARCHAR: "VarChar",
        FieldType.DATE_TIME: "DateTime",
    },
}
"""Numbered enumerations whose names are the original's; those of all others are made of their members' names."""


class Shape(ABC):
    """How one value looks in JSON."""

    @abstractmethod
    def read(self, value: Json, path: str) -> Any:
        """The value for the domain. Raises ``OutOfRange``, ``TooLarge`` or ``MissingParameter`` naming ``path``."""

    def write(self, value: Any, *, secrets: bool = False) -> Json:
        """The JSON; write-only parts only with ``secrets``."""
        return value

    @abstractmethod
    def schema(self) -> Schema:
        """The JSON schema."""

    def parts(self) -> Iterable[Shape]:
        """The shapes that this one is made of."""
        return ()


class BoolShape(Shape):
    """true or false."""

    def read(self, value: Json, path: str) -> bool:
        """See ``Shape``."""
        if type(value) is not bool:
            raise OutOfRange(f"{path} must be true or false")
        return value

    def schema(self) -> Schema:
        """See ``Shape``."""
        return {"type": "boolean"}


class NumberShape(Shape):
    """An integer, or with ``is_whole`` False any finite number, between two bounds."""

    def __init__(self, low: float, high: float, *, is_whole: bool = True) -> None:
        self.low = low
        self.high = high
        self.is_whole = is_whole

    def read(self, value: Json, path: str) -> Any:
        """See ``Shape``."""
        if type(value) is not int and (self.is_whole or type(value) is not float or not math.isfinite(value)):
            raise OutOfRange(f"{path} must be {'an integer' if self.is_whole else 'a number'}")
        if not self.low <= value <= self.high:
            raise OutOfRange(f"{path} must lie between {self.low} and {self.high}")
        return value if self.is_whole else float(value)

    def schema(self) -> Schema:
        """See ``Shape``."""
        return {"type": "integer" if self.is_whole else "number", "minimum": self.low, "maximum": self.high}


class TextShape(Shape):
    """A string of limited length without control characters but line breaks and tabs."""

    def __init__(self, max_length: int, min_length: int = 0) -> None:
        self.max_length = max_length
        self.min_length = min_length

    def read(self, value: Json, path: str) -> str:
        """See ``Shape``."""
        if type(value) is not str:
            raise OutOfRange(f"{path} must be a string")
        if len(value) > self.max_length:
            raise TooLarge(f"{path} is longer than {self.max_length} characters")
        if len(value) < self.min_length or (self.min_length and not value.strip()):
            raise OutOfRange(f"{path} must not be empty")
        if any(character < " " and character not in "\t\n\r" for character in value):
            raise OutOfRange(f"{path} holds a control character")
        return value

    def schema(self) -> Schema:
        """See ``Shape``."""
        return {"type": "string", "maxLength": self.max_length} | (
            {"minLength": self.min_length} if self.min_length else {}
        )


class DateShape(Shape):
    """A day of the calendar, ``2031-05-01``."""

    def read(self, value: Json, path: str) -> date:
        """See ``Shape``."""
        try:
            if type(value) is str and len(value) == 10:
                return date.fromisoformat(value)
        except ValueError:
            pass
        raise OutOfRange(f"{path} must be a day such as 2031-05-01")

    def write(self, value: Any, *, secrets: bool = False) -> str:
        """See ``Shape``."""
        day: date = value
        return day.isoformat()

    def schema(self) -> Schema:
        """See ``Shape``."""
        return {"type": "string", "format": "date"}


class EnumShape(Shape):
    """One of a few names. A numbered enumeration may be given by number too."""

    def __init__(self, enum: type[Enum]) -> None:
        self.names = names_of(enum)
        self._members: dict[Any, Enum] = {name: member for member, name in self.names.items()}
        if issubclass(enum, IntEnum):
            self._members |= {member.value: member for member in enum}

    def read(self, value: Json, path: str) -> Enum:
        """See ``Shape``."""
        found = self._members.get(value) if type(value) in (str, int) else None
        if found is None:
            raise OutOfRange(f"{path} must be one of {', '.join(self.names.values())}")
        return found

    def write(self, value: Any, *, secrets: bool = False) -> str:
        """See ``Shape``."""
        return self.names[value]

    def schema(self) -> Schema:
        """See ``Shape``. Answers hold names; numbers are a convenience of requests and are not described."""
        return {"type": "string", "enum": list(self.names.values())}


class NullableShape(Shape):
    """A value or null."""

    def __init__(self, inner: Shape) -> None:
        self.inner = inner

    def read(self, value: Json, path: str) -> Any:
        """See ``Shape``."""
        return None if value is None else self.inner.read(value, path)

    def write(self, value: Any, *, secrets: bool = False) -> Json:
        """See ``Shape``."""
        return None if value is None else self.inner.write(value, secrets=secrets)

    def parts(self) -> Iterable[Shape]:
        """See ``Shape``."""
        return (self.inner,)

    def schema(self) -> Schema:
        """See ``Shape``."""
        inner = self.inner.schema()
        if isinstance(inner.get("type"), str) and "enum" not in inner:  # a reference or an enumeration stays whole
            return {**inner, "type": [inner["type"], "null"]}
        return {"anyOf": [inner, {"type": "null"}]}


class ScalarShape(Shape):
    """A string, a number, true or false: what a custom field may hold."""

    def __init__(self, text: TextShape, kinds: frozenset[type]) -> None:
        self._text = text
        self._kinds = kinds

    def read(self, value: Json, path: str) -> Any:
        """See ``Shape``."""
        if type(value) is str and str in self._kinds:
            return self._text.read(value, path)
        if type(value) not in self._kinds or (type(value) is float and not math.isfinite(value)):
            raise OutOfRange(f"{path} must be {' or '.join(sorted(_TYPES[kind] for kind in self._kinds))}")
        return value

    def schema(self) -> Schema:
        """See ``Shape``."""
        names = {_TYPES[kind] for kind in self._kinds}
        if "number" in names:
            names.discard("integer")
        return {"type": sorted(names)}


_TYPES: dict[type, str] = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


class ListShape(Shape):
    """An array; ``make`` turns what was read into the container of the struct."""

    def __init__(self, item: Shape, make: Callable[[list[Any]], Any], max_items: int) -> None:
        self.item = item
        self.max_items = max_items
        self._make = make
        self.is_set = make in (set, frozenset)

    def read(self, value: Json, path: str) -> Any:
        """See ``Shape``."""
        if type(value) is not list:
            raise OutOfRange(f"{path} must be an array")
        if len(value) > self.max_items:
            raise TooLarge(f"{path} has more than {self.max_items} items")
        found = [self.item.read(item, f"{path}[{at}]") for at, item in enumerate(value)]
        made = self._make(found)
        if len(made) < len(found):
            raise OutOfRange(f"{path} holds a value twice")
        return made

    def write(self, value: Any, *, secrets: bool = False) -> Json:
        """See ``Shape``. Sets come in their order, so that equal ones look alike."""
        items = sorted(value) if self.is_set else value
        return [self.item.write(item, secrets=secrets) for item in items]

    def parts(self) -> Iterable[Shape]:
        """See ``Shape``."""
        return (self.item,)

    def schema(self) -> Schema:
        """See ``Shape``."""
        unique = {"uniqueItems": True} if self.is_set else {}
        return {"type": "array", "items": self.item.schema(), "maxItems": self.max_items, **unique}


class RowShape(Shape):
    """An array of a fixed length: one shape for each place."""

    def __init__(self, items: tuple[Shape, ...]) -> None:
        self._items = items

    def read(self, value: Json, path: str) -> tuple[Any, ...]:
        """See ``Shape``."""
        if type(value) is not list or len(value) != len(self._items):
            raise OutOfRange(f"{path} must be an array of {len(self._items)} items")
        return tuple(
            shape.read(item, f"{path}[{at}]") for at, (shape, item) in enumerate(zip(self._items, value, strict=True))
        )

    def write(self, value: Any, *, secrets: bool = False) -> Json:
        """See ``Shape``."""
        return [shape.write(item, secrets=secrets) for shape, item in zip(self._items, value, strict=True)]

    def parts(self) -> Iterable[Shape]:
        """See ``Shape``."""
        return self._items

    def schema(self) -> Schema:
        """See ``Shape``."""
        count = len(self._items)
        places = [shape.schema() for shape in self._items]
        return {"type": "array", "prefixItems": places, "minItems": count, "maxItems": count}


class MapShape(Shape):
    """An object with names of its own."""

    def __init__(self, key: Shape, item: Shape, max_items: int) -> None:
        self._key = key
        self.item = item
        self.max_items = max_items

    def read(self, value: Json, path: str) -> dict[Any, Any]:
        """See ``Shape``."""
        if type(value) is not dict:
            raise OutOfRange(f"{path} must be an object")
        if len(value) > self.max_items:
            raise TooLarge(f"{path} has more than {self.max_items} entries")
        return {self._read_key(key, path): self.item.read(item, f"{path}.{key}") for key, item in value.items()}

    def _read_key(self, key: str, path: str) -> Any:
        if isinstance(self._key, NumberShape):
            if not key.isascii() or not key.isdigit() or len(key) > 18:
                raise OutOfRange(f"{path} has a name that is no whole number")
            return self._key.read(int(key), path)
        return self._key.read(key, f"a name in {path}")

    def write(self, value: Any, *, secrets: bool = False) -> Json:
        """See ``Shape``."""
        return {
            str(self._key.write(key)): self.item.write(item, secrets=secrets) for key, item in sorted(value.items())
        }

    def parts(self) -> Iterable[Shape]:
        """See ``Shape``."""
        return (self.item,)

    def schema(self) -> Schema:
        """See ``Shape``."""
        return {
            "type": "object",
            "additionalProperties": self.item.schema(),
            "maxProperties": self.max_items,
        }


class ChoiceShape(Shape):
    """One of several structs, told apart by the value of ``tag``."""

    def __init__(self, tag: str, choices: dict[str, Shape], tag_of: Callable[[Any], str]) -> None:
        self._tag = tag
        self._choices = choices
        self._tag_of = tag_of

    def read(self, value: Json, path: str) -> Any:
        """See ``Shape``."""
        if type(value) is not dict:
            raise OutOfRange(f"{path} must be an object")
        if value.get(self._tag) is None:
            raise MissingParameter(f"{path}.{self._tag} is required")
        shape = self._choices.get(value[self._tag]) if type(value[self._tag]) is str else None
        if shape is None:
            raise OutOfRange(f"{path}.{self._tag} must be one of {', '.join(self._choices)}")
        return shape.read({name: item for name, item in value.items() if name != self._tag}, path)

    def write(self, value: Any, *, secrets: bool = False) -> Json:
        """See ``Shape``."""
        tag = self._tag_of(value)
        return {self._tag: tag, **self._choices[tag].write(value, secrets=secrets)}

    def parts(self) -> Iterable[Shape]:
        """See ``Shape``."""
        return self._choices.values()

    def schema(self) -> Schema:
        """See ``Shape``."""
        tagged = {"type": "object", "required": [self._tag]}
        return {"oneOf": [{**tagged, "properties": {self._tag: {"const": tag}}} for tag in self._choices]}


def names_of(enum: type[Enum]) -> Mapping[Any, str]:
    """Members of an enumeration and their names in JSON."""
    known = ENUM_NAMES.get(enum)
    if known is not None:
        return known
    if issubclass(enum, IntEnum):
        return {member: "".join(part.title() for part in member.name.split("_")) for member in enum}
    return {member: str(member.value) for member in enum}
