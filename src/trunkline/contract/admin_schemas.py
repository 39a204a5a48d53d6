"""JSON schemas of bodies and answers that are no plain objects: the words in which they are written down.

Every object is closed and says which of its keys are always there, so that a test that holds real answers against it
notices a key too many as well as one too few.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from trunkline.contract.admin_shapes import Schema
from trunkline.contract.values import INT32_MAX, INT64_MAX

COMPONENTS = "#/components/schemas/"
KEPT = "Kept"
"""Before the names of structs that answers hold as the server keeps them."""
BOOL: Schema = {"type": "boolean"}
TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "integer", "minimum": 1, "maximum": INT32_MAX}
"""The number of an object, a record, a list."""
LONG: Schema = {"type": "integer", "minimum": 0, "maximum": INT64_MAX}
RATIO: Schema = {"type": "number"}
TIME_S: Schema = {"type": "integer", "description": "Unix seconds."}
TIME_MS: Schema = {"type": "integer", "description": "Unix milliseconds."}


def closed(optional: Iterable[str] = (), text: str = "", /, **properties: Schema) -> Schema:
    """An object with these keys and no other; all but the ``optional`` ones are always there."""
    left_out = set(optional)
    made: Schema = {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in left_out],
        "additionalProperties": False,
    }
    return {**made, "description": text} if text else made


def body(required: Iterable[str] = (), text: str = "", /, **properties: Schema) -> Schema:
    """A body with these keys, of which some are needed."""
    needed = set(required)
    return closed([name for name in properties if name not in needed], text, **properties)


def many(item: Schema, most: int | None = None) -> Schema:
    """An array."""
    return {"type": "array", "items": item} | ({} if most is None else {"maxItems": most})


def named(item: Schema) -> Schema:
    """An object whose keys are names of things."""
    return {"type": "object", "additionalProperties": item}


def one_of(names: Iterable[str]) -> Schema:
    """One of some texts."""
    return {"type": "string", "enum": list(names)}


def text(most: int, least: int = 0) -> Schema:
    """A text of limited length."""
    return {"type": "string", "maxLength": most} | ({"minLength": least} if least else {})


def whole(low: int, high: int, default: int | None = None) -> Schema:
    """A whole number between two bounds."""
    made: Schema = {"type": "integer", "minimum": low, "maximum": high}
    return made if default is None else {**made, "default": default}


def nullable(inner: Schema) -> Schema:
    """A value or null."""
    if isinstance(inner.get("type"), str) and "enum" not in inner:
        return {**inner, "type": [inner["type"], "null"]}
    return {"anyOf": [inner, {"type": "null"}]}


def said(inner: Schema, about: str) -> Schema:
    """A schema with a sentence."""
    return {**inner, "description": about}


def of_struct(struct: type[msgspec.Struct]) -> Schema:
    """The schema of a struct as it is encoded, with those of its parts inside."""
    (found,), parts = msgspec.json.schema_components([struct], ref_template="{name}")
    made: Schema = _inlined(found, parts, omits=struct.__struct_config__.omit_defaults)
    return made


def _inlined(schema: Any, parts: dict[str, Any], *, omits: bool) -> Any:
    """The schema with parts in the places that name them; keys are always there unless defaults are left out."""
    if isinstance(schema, list):
        return [_inlined(one, parts, omits=omits) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(parts[schema["$ref"]], parts, omits=omits)
    plain = {name: value for name, value in schema.items() if name not in ("title", "default")}
    made = {name: _inlined(value, parts, omits=omits) for name, value in plain.items()}
    if isinstance(schema.get("properties"), dict):
        made["properties"] = {name: _inlined(one, parts, omits=omits) for name, one in schema["properties"].items()}
        made["additionalProperties"] = False
        if not omits:
            made["required"] = list(schema["properties"])
        if "description" in schema:
            made["description"] = " ".join(schema["description"].split("\n\n")[0].split()).replace("``", "`")
    return made


def kept(struct: type[msgspec.Struct], **others: Schema) -> Schema:
    """The schema of a struct as the server keeps it, its fields named as in JSON; ``others`` replace or join them.

    Parts are named by reference; see ``kept_components``.
    """
    _, parts = msgspec.json.schema_components([struct], ref_template=f"{COMPONENTS}{KEPT}{{name}}")
    own = _without_defaults(parts[struct.__name__])["properties"]
    return closed((), "", **{camel(name): schema for name, schema in own.items()} | others)


def kept_components(*structs: type[msgspec.Struct]) -> dict[str, Schema]:
    """The parts of such structs by name."""
    _, parts = msgspec.json.schema_components(structs, ref_template=f"{COMPONENTS}{KEPT}{{name}}")
    return {f"{KEPT}{name}": _without_defaults(part) for name, part in sorted(parts.items())}


def _without_defaults(schema: Any) -> Any:
    """The schema of an answer: a default is for what may be left out, and here nothing is."""
    if isinstance(schema, list):
        return [_without_defaults(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _without_defaults(value) for name, value in schema.items() if name not in ("default", "properties")}
    if "properties" in schema:
        made["properties"] = {name: _without_defaults(one) for name, one in schema["properties"].items()}
    return made


def camel(name: str) -> str:
    """``chain_id`` as ``chainId``."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
