"""The OpenAPI 3.1 description of the administration API, made from the table of routes and the shapes of the kinds.

What a route is, who may use it and what its path holds come from its row; bodies and answers of the kinds from the same
shapes that read and write them, those of routes beside the kinds from ``web.described``. Summaries are the docstrings
of the handlers.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from trunkline.contract.admin_kinds import KINDS, Kind
from trunkline.contract.admin_listing import DEFAULT_PAGE, MAX_PAGE
from trunkline.contract.admin_requests import object_schema, write_schema
from trunkline.contract.admin_structs import nested_structs
from trunkline.contract.answers import StatusCode
from trunkline.domain.people import Caller
from trunkline.web import admin_objects, described
from trunkline.web.exchange import Exchange
from trunkline.web.rows import Row
from trunkline.web.services import Services

Json = dict[str, Any]
PREFIX = "/api/v2/admin/"
JSON = "application/json"
_WORD = re.compile(r"[^A-Za-z0-9]+")

_REFUSALS: dict[str, tuple[str, tuple[StatusCode, ...]]] = {
    "400": (
        "A parameter is missing, malformed or out of range, or contradicts the state.",
        (StatusCode.MISSING_PARAMETER, StatusCode.INVALID_STATE, StatusCode.OUT_OF_RANGE, StatusCode.READ_ONLY),
    ),
    "403": (
        "Not authenticated, or not permitted.",
        (StatusCode.FORBIDDEN, StatusCode.NO_PERMISSION, StatusCode.NOT_AUTHENTICATED),
    ),
    "404": ("There is no such thing, or it is another contact centre's.", (StatusCode.NOT_FOUND,)),
    "409": (
        "It exists already, is in use, or was changed since it was read.",
        (StatusCode.ALREADY_EXISTS, StatusCode.ALREADY_IN_USE),
    ),
    "413": ("A body, text or list is over its limit.", (StatusCode.OUT_OF_RANGE,)),
    "500": ("A defect; the message names an incident.", (StatusCode.INTERNAL_ERROR,)),
    "503": ("Too much at once; try again after Retry-After seconds.", (StatusCode.INTERNAL_ERROR,)),
}


async def get_openapi(
    exchange: Exchange, services: Services, caller: Caller, rows: Callable[[], Iterable[Row]]
) -> None:
    """``GET /admin/openapi.json``: this API as an OpenAPI 3.1 description."""
    made = document(rows(), services.settings.version, services.settings.external_prefix)
    await exchange.answer(msgspec.json.encode(made))


def document(rows: Iterable[Row], version: str, server_url: str, kinds: Sequence[Kind] = tuple(KINDS.values())) -> Json:
    """The description of the routes below ``/api/v2/admin/`` and of these kinds."""
    paths: Json = {}
    for row in rows:
        if row.path.startswith(PREFIX):
            paths.setdefault(row.path, {})[row.method.lower()] = _operation(row)
    schemas: Json = {
        "Success": _envelope({}),
        "Refusal": {
            "type": "object",
            "properties": {
                "statusCode": {"type": "integer"},
                "statusMessage": {"type": "string"},
                "errorCode": {"type": "integer", "description": "Of the control of campaign groups alone."},
                "errorName": {"type": "string", "description": "Of the control of campaign groups alone."},
            },
            "required": ["statusCode", "statusMessage"],
        },
        **described.COMPONENTS,
    }
    for kind in kinds:
        name = schema_name(kind)
        for nested, shape in nested_structs(kind.shape).items():
            schemas[nested] = shape.whole_schema()
        schemas[name] = object_schema(kind)
        part = {**object_schema(kind), "description": f"Some fields of a {name}: those that `fields` names."}
        schemas[f"{name}Part"] = {**part, "required": []}
        schemas[f"{name}Write"] = write_schema(kind)
        schemas[f"{name}Patch"] = write_schema(kind, is_patch=True)
        schemas[f"{name}Version"] = _version_schema(kind)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Trunkline administration",
            "version": version,
            "description": "What is configured in a contact centre. Every answer has statusCode; 0 is success.",
        },
        "servers": [{"url": server_url or "/"}],
        "security": [{"basic": []}, {"session": []}],
        "tags": [{"name": kind.title, "description": kind.shape.text} for kind in kinds],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {f"Refusal{status}": _refusal(status) for status in _REFUSALS},
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "session": {"type": "apiKey", "in": "cookie", "name": "JSESSIONID"},
            },
        },
    }


def schema_name(kind: Kind) -> str:
    """The name of a kind's schema: ``CallingList``."""
    return kind.name[0].upper() + kind.name[1:]


def _operation(row: Row) -> Json:
    handler = row.handler.func if isinstance(row.handler, partial) else row.handler
    kind = row.handler.keywords.get("kind") if isinstance(row.handler, partial) else None
    operation: Json = {
        "operationId": _operation_id(row),
        "summary": _summary(handler),
        "description": f"Permission: {row.needs.value}.",
        "parameters": [_path_parameter(name) for name in re.findall(r"{(\w+)}", row.path)],
        "responses": {"200": _success({"$ref": "#/components/schemas/Success"}), **_refused(row)},
    }
    if handler is get_openapi:
        operation["responses"]["200"] = _success({"type": "object", "required": ["openapi", "paths"]})
    if handler in described.DESCRIBED:
        _describe_other(operation, row, described.DESCRIBED[handler])
    if isinstance(kind, Kind):
        operation["tags"] = [kind.title]
        _describe(operation, row, kind, handler)
    return operation


def _describe_other(operation: Json, row: Row, told: described.Described) -> None:
    """Body, parameters and answers of a route beside the kinds."""
    tags = {"calling-lists": "list work", "suppression-lists": "suppression entries"}
    first = row.path.removeprefix(PREFIX).partition("/")[0]
    operation["tags"] = [tags.get(first, first.replace("-", " "))]
    operation["description"] += f" {told.notes}" if told.notes else ""
    operation["parameters"] += told.parameters
    if told.body:
        content = {media: {"schema": schema} for media, schema in told.body.items()}
        operation["requestBody"] = {"required": told.needs_body, "content": content}
    if told.files:
        content = {media: {"schema": described.FILE} for media in told.files}
        operation["responses"]["200"] = {"description": "The file.", "content": content}
    elif told.content:
        operation["responses"]["200"] = _success(_envelope(told.content, told.optional))
    for status, keys in told.others.items():
        if status < "300":
            operation["responses"][status] = _success(_envelope(keys))
        else:
            schema = {"allOf": [_refusal_schema(status), {"properties": keys}]}
            operation["responses"][status] = {
                "description": _REFUSALS[status][0],
                "content": {JSON: {"schema": schema}},
            }


def _describe(operation: Json, row: Row, kind: Kind, handler: Any) -> None:
    """Body, parameters and answer of a route of a kind."""
    name = schema_name(kind)
    refs = {suffix: {"$ref": f"#/components/schemas/{name}{suffix}"} for suffix in ("", "Part", "Version")}
    one = _envelope({kind.name: refs[""]})
    query, version = _query_parameter, _version_parameters()
    if handler is admin_objects.get_objects:
        operation["parameters"] += _list_parameters(kind)
        item = {"type": "array", "items": {"anyOf": [refs[""], refs["Part"]]}, "maxItems": MAX_PAGE}
        total = {"type": "integer", "minimum": 0, "description": "All objects that the filter takes."}
        cursor = {"type": ["string", "null"], "description": "For `cursor` of the next page; null on the last."}
        operation["responses"]["200"] = _success(_envelope({kind.names: item, "total": total, "nextCursor": cursor}))
    elif handler is admin_objects.get_versions:
        limit = {"type": "integer", "minimum": 1, "maximum": admin_objects.MAX_VERSIONS}
        operation["parameters"] += [
            query("limit", limit, "Versions of this page."),
            query("before", {"type": "integer", "minimum": 1}, "Only versions before this one."),
        ]
        versions = {"type": "array", "items": refs["Version"]}
        operation["responses"]["200"] = _success(_envelope({"versions": versions}))
    elif handler is admin_objects.delete_object:
        operation["parameters"] += [*version, query("changeReason", {"type": "string"}, "Why, for the history.")]
    elif row.method == "GET":
        operation["parameters"].append(query("fields", {"type": "string"}, "Names of fields to show, with commas."))
        shown = _envelope({kind.name: {"anyOf": [refs[""], refs["Part"]]}})
        operation["responses"]["200"] = _success(shown, has_tag=True)
    else:
        suffix = "Patch" if row.method == "PATCH" else "Write"
        operation["requestBody"] = {
            "required": True,
            "content": {JSON: {"schema": {"$ref": f"#/components/schemas/{name}{suffix}"}}},
        }
        operation["parameters"] += version if row.method != "POST" else []
        operation["responses"]["200"] = _success(one, has_tag=True)


def _list_parameters(kind: Kind) -> list[Json]:
    fields = admin_objects.listed_fields(kind)
    shown = object_schema(kind)["properties"]
    return [
        _query_parameter("limit", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": DEFAULT_PAGE}, ""),
        _query_parameter("cursor", {"type": "string"}, "`nextCursor` of the page before."),
        _query_parameter("sortBy", {"type": "string", "enum": fields, "default": "id"}, ""),
        _query_parameter("order", {"type": "string", "enum": ["Ascending", "Descending"]}, ""),
        _query_parameter("fields", {"type": "string"}, "Names of fields to show, with commas."),
        *(
            _query_parameter(
                name,
                {key: value for key, value in shown[name].items() if key not in ("default", "description")},
                "Only objects with this value.",
            )
            for name in fields
        ),
    ]


def _version_schema(kind: Kind) -> Json:
    own = kind.shape.whole_schema()
    properties = {name: value for name, value in own["properties"].items() if not value.get("writeOnly")}
    value = {**own, "properties": properties, "required": list(properties)}
    entry = {
        "version": {"type": "integer", "minimum": 1},
        "changedAt": {"type": "integer", "description": "Unix milliseconds."},
        "changedBy": {"type": ["string", "null"], "description": "Name of the user; null for programs and users gone."},
        "changeReason": {"type": "string"},
        "isDeleted": {"type": "boolean"},
        kind.name: {"anyOf": [value, {"type": "null"}]},
    }
    return {"type": "object", "properties": entry, "required": list(entry), "additionalProperties": False}


def _envelope(content: Mapping[str, Json], optional: Sequence[str] = ()) -> Json:
    code = {"type": "integer", "const": 0}
    return {
        "type": "object",
        "properties": {"statusCode": code, **content},
        "required": ["statusCode", *(name for name in content if name not in optional)],
        "additionalProperties": False,
    }


def _success(schema: Json, *, has_tag: bool = False) -> Json:
    made: Json = {"description": "Done.", "content": {JSON: {"schema": schema}}}
    if has_tag:
        made["headers"] = {"ETag": {"description": "The version, for If-Match.", "schema": {"type": "string"}}}
    return made


def _refused(row: Row) -> Json:
    statuses = ["400", "403", "500", "503"]
    statuses += ["404"] if "{" in row.path else []
    statuses += ["409", "413"] if row.method != "GET" else []
    return {status: {"$ref": f"#/components/responses/Refusal{status}"} for status in sorted(statuses)}


def _refusal(status: str) -> Json:
    return {"description": _REFUSALS[status][0], "content": {JSON: {"schema": _refusal_schema(status)}}}


def _refusal_schema(status: str) -> Json:
    codes = [code.value for code in _REFUSALS[status][1]]
    return {
        "allOf": [{"$ref": "#/components/schemas/Refusal"}, {"properties": {"statusCode": {"enum": codes}}}],
    }


def _version_parameters() -> list[Json]:
    header = {
        "name": "If-Match",
        "in": "header",
        "schema": {"type": "string"},
        "description": "The ETag that was read.",
    }
    number = {"type": "integer", "minimum": 1}
    return [header, _query_parameter("version", number, "The version that was read, instead of If-Match.")]


def _path_parameter(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": described.PATH[name]}


def _query_parameter(name: str, schema: Json, text: str) -> Json:
    made: Json = {"name": name, "in": "query", "schema": schema}
    return {**made, "description": text} if text else made


def _operation_id(row: Row) -> str:
    words = [word for word in _WORD.split(row.path.removeprefix(PREFIX)) if word]
    return row.method.lower() + "".join(word[:1].upper() + word[1:] for word in words)


def _summary(handler: Any) -> str:
    text = (inspect.getdoc(handler) or "").split("\n\n")[0]
    _, _, said = text.partition(": ")
    return " ".join((said or text).split()).replace("``", "`")
