"""Bodies, versions and answers of the administration API, as they are on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from trunkline.contract.admin_kinds import Kind
from trunkline.contract.admin_limits import MAX_DESCRIPTION
from trunkline.contract.admin_shapes import Schema
from trunkline.contract.values import INT32_MAX, MAX_REFERENCE
from trunkline.domain.people import MAX_PASSWORD, MIN_PASSWORD, features_of
from trunkline.errors import MissingParameter, OutOfRange, TooLarge

Json = dict[str, Any]

SHOWN = ("id", "uri", "version", "referenceId", "changedAt", "changedBy")
"""What every object shows beside its own fields. A body may hold all of it, so that an answer can be sent back."""
REASON = "changeReason"
PASSWORD = "password"  # noqa: S105 - the name of a key
MAX_VERSION = INT32_MAX
MAX_REASON = MAX_DESCRIPTION


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A body: the object's own fields, and what is said about the change. None stands for what was not said."""

    fields: Json
    version: int | None
    reference: str | None
    reason: str
    password: str | None
    object_id: int | None

    def __repr__(self) -> str:
        return f"Written(version={self.version})"


def written(kind: Kind, body: Json) -> Written:
    """A body taken apart. Raises ``OutOfRange`` or ``TooLarge`` naming the key."""
    fields = {name: value for name, value in body.items() if name not in (*SHOWN, REASON)}
    password = fields.pop(PASSWORD, None) if kind.is_user else None
    if password is not None:
        password = _text(password, PASSWORD, MAX_PASSWORD)
    reference = body.get("referenceId")
    if reference is not None:
        reference = _text(reference, "referenceId", MAX_REFERENCE)
        if not reference or not reference.isprintable():
            raise OutOfRange("referenceId must be printable and not empty")
    return Written(
        fields=fields,
        version=_version(body.get("version")),
        reference=reference,
        reason=reason_of(body.get(REASON)),
        password=password,
        object_id=_number(body.get("id"), "id"),
    )


def reason_of(value: Any) -> str:
    """Why something is changed; empty when nobody said."""
    return "" if value is None else _text(value, REASON, MAX_REASON)


def new_value(kind: Kind, contact_centre_id: int, object_id: int, fields: Json) -> Any:
    """The struct of a whole object; what is left out is the default."""
    value = kind.shape.read_with(fields, "", {"contact_centre_id": contact_centre_id, kind.key: object_id})
    if kind.is_user and "features" not in fields:
        features = sorted(features_of(value.roles))
        value = msgspec.structs.replace(value, features=tuple(features))
    return value


def replaced_value(kind: Kind, contact_centre_id: int, object_id: int, before: Any, fields: Json) -> Any:
    """The struct after PUT: as ``new_value``, but secrets that are left out stay."""
    return new_value(kind, contact_centre_id, object_id, {**_secrets(kind, before), **fields})


def patched_value(kind: Kind, contact_centre_id: int, object_id: int, before: Any, fields: Json) -> Any:
    """The struct after PATCH: fields that are given replace those that were, whole; all others stay."""
    return new_value(kind, contact_centre_id, object_id, {**kind.shape.write(before, secrets=True), **fields})


def _secrets(kind: Kind, before: Any) -> Json:
    whole = kind.shape.write(before, secrets=True)
    return {field.wire_name: whole[field.wire_name] for field in kind.shape.fields if field.is_secret}


def seen_version(body: int | None, header: bytes | None, query: Mapping[str, str]) -> int:
    """The version that a change was made of: ``version`` of the body or the query, or ``If-Match``.

    Raises ``MissingParameter`` when nothing says it, ``OutOfRange`` when two say different things.
    """
    said = {body, _version_text(query.get("version"), "version"), _matched(header)} - {None}
    if not said:
        raise MissingParameter("version is required: the one that you read, in the body or as If-Match")
    if len(said) > 1:
        raise OutOfRange("version and If-Match name different versions")
    (version,) = said
    assert version is not None
    return version


def entity_tag(version: int) -> str:
    """The ``ETag`` of a version."""
    return f'"{version}"'


def _matched(header: bytes | None) -> int | None:
    if header is None:
        return None
    text = header.decode("latin-1").strip()
    if len(text) < 3 or text[0] != '"' or text[-1] != '"':
        raise OutOfRange('If-Match must be the ETag of the object, such as "3"')
    return _version_text(text[1:-1], "If-Match")


def _version_text(text: str | None, place: str) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 10 or not 1 <= int(text) <= MAX_VERSION:
        raise OutOfRange(f"{place} must be the number of a version")
    return int(text)


def _version(value: Any) -> int | None:
    return _number(value, "version")


def _number(value: Any, name: str) -> int | None:
    if value is None:
        return None
    if type(value) is not int or not 1 <= value <= MAX_VERSION:
        raise OutOfRange(f"{name} must be an integer between 1 and {MAX_VERSION}")
    return value


def _text(value: Any, name: str, limit: int) -> str:
    if type(value) is not str:
        raise OutOfRange(f"{name} must be a string")
    if len(value) > limit:
        raise TooLarge(f"{name} is longer than {limit} characters")
    return value


# --- what it looks like, for the description ---------------------------------------------------------------------


def object_schema(kind: Kind) -> Schema:
    """An object as answers show it."""
    own = kind.shape.whole_schema()
    shown = {name: value for name, value in own["properties"].items() if not value.get("writeOnly")}
    number = {"type": "integer", "minimum": 1, "maximum": INT32_MAX}
    head: Json = {
        "id": {**number, "description": "Its number among those of its kind. It never comes again."},
        "uri": {"type": "string", "description": "Its address."},
    }
    tail: Json = {
        "version": {**number, "description": "Grows with every change."},
        "referenceId": {
            "type": ["string", "null"],
            "maxLength": MAX_REFERENCE,
            "description": "The mark of whoever created it.",
        },
        "changedAt": {"type": ["integer", "null"], "description": "Unix milliseconds of the last change, if known."},
        "changedBy": {"type": ["string", "null"], "description": "Name of the user who changed it last, if known."},
    }
    properties = {**head, **shown, **tail}
    return {
        "type": "object",
        "description": own["description"],
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def write_schema(kind: Kind, *, is_patch: bool = False) -> Schema:
    """A body that creates, replaces or (``is_patch``) changes an object."""
    own = kind.shape.whole_schema()
    properties: Json = dict(own["properties"])
    if kind.is_user:
        properties[PASSWORD] = {
            "type": "string",
            "minLength": MIN_PASSWORD,
            "maxLength": MAX_PASSWORD,
            "writeOnly": True,
            "description": "Needed for a new user; kept when it is left out.",
        }
    properties |= {
        "version": {"type": "integer", "minimum": 1, "description": "The version that the change was made of."},
        "referenceId": {
            "type": ["string", "null"],
            "maxLength": MAX_REFERENCE,
            "description": "A mark of your own, unique in the kind: creating twice with it creates once.",
        },
        REASON: {"type": "string", "maxLength": MAX_REASON, "description": "Why, for the history."},
        **{name: {"description": "Not looked at.", "readOnly": True} for name in ("uri", "changedAt", "changedBy")},
        "id": {"type": "integer", "minimum": 1, "description": "Must be the object's when it is given."},
    }
    if is_patch:
        for shown in properties.values():
            shown.pop("default", None)
    return {
        "type": "object",
        "properties": properties,
        "required": [] if is_patch else own["required"],
        "additionalProperties": False,
    }
