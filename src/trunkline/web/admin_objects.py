"""Routes of administration: ``/admin/<kinds>``, ``/admin/<kinds>/<id>`` and its versions, one set for every kind."""

from __future__ import annotations

from functools import partial
from typing import Any

from trunkline.app.administration.items import Draft, Item
from trunkline.app.administration.objects import number_of
from trunkline.contract.admin_kinds import KINDS, Kind
from trunkline.contract.admin_limits import MAX_OBJECT_BYTES
from trunkline.contract.admin_listing import check_fields, page
from trunkline.contract.admin_requests import (
    SHOWN,
    Written,
    entity_tag,
    new_value,
    patched_value,
    replaced_value,
    seen_version,
    written,
)
from trunkline.contract.admin_shapes import BoolShape, EnumShape, NullableShape, NumberShape, Shape, TextShape
from trunkline.contract.answers import SUCCESS, answer
from trunkline.contract.listings import count, selected
from trunkline.domain.people import Caller
from trunkline.errors import OutOfRange
from trunkline.strict_json import decode_object
from trunkline.web.exchange import Exchange, only
from trunkline.web.rows import Row
from trunkline.web.services import Services

Json = dict[str, Any]
MAX_VERSIONS = 1000
"""Versions of one page of a history."""
DEFAULT_VERSIONS = 100
ADMIN = "/api/v2/admin"


def rows() -> list[Row]:
    """The routes of every kind."""
    made: list[Row] = []
    for kind in KINDS.values():
        all_of_them, one = f"{ADMIN}/{kind.path}", f"{ADMIN}/{kind.path}/{{object_id}}"
        ids = {"object_id": kind.kind}
        made += [
            Row("GET", all_of_them, partial(get_objects, kind=kind), kind.reads),
            Row("POST", all_of_them, partial(post_object, kind=kind), kind.writes),
            Row("GET", one, partial(get_object, kind=kind), kind.reads, ids),
            Row("PUT", one, partial(put_object, kind=kind), kind.writes, ids),
            Row("PATCH", one, partial(patch_object, kind=kind), kind.writes, ids),
            Row("DELETE", one, partial(delete_object, kind=kind), kind.writes, ids),
            Row("GET", f"{one}/versions", partial(get_versions, kind=kind), kind.reads, ids),
        ]
    return made


async def get_objects(exchange: Exchange, services: Services, caller: Caller, kind: Kind) -> None:
    """``GET /admin/<kinds>``: filter by any plain field, sort, and page; see ``contract.admin_listing``."""
    query = exchange.query()
    check_fields(query.get("fields"), shown_fields(kind))
    items = await services.administration.items(caller, kind)
    names = await services.administration.names(caller, {one.changed_by for one in items if one.changed_by})
    found = page([shown(services, kind, item, names) for item in items], query, listed_fields(kind))
    await exchange.answer(answer(**{kind.names: found.items, "total": found.total, "nextCursor": found.next_cursor}))


async def get_object(exchange: Exchange, services: Services, caller: Caller, kind: Kind, object_id: str) -> None:
    """``GET /admin/<kinds>/<id>``."""
    item = await services.administration.item(caller, kind, number_of(object_id, kind))
    query = exchange.query()
    only(query, "fields")
    fields = query.get("fields")
    check_fields(fields, shown_fields(kind))
    await _answer(exchange, services, caller, kind, item, fields)


async def post_object(exchange: Exchange, services: Services, caller: Caller, kind: Kind) -> None:
    """``POST /admin/<kinds>``: create one; with ``referenceId`` at most once."""
    body = written(kind, await _body(exchange))
    value = new_value(kind, caller.contact_centre_id, 0, body.fields)
    draft = Draft(value=value, reference=body.reference, reason=body.reason, password=body.password)
    item = await services.administration.create(caller, kind, draft)
    await _answer(exchange, services, caller, kind, item)


async def put_object(exchange: Exchange, services: Services, caller: Caller, kind: Kind, object_id: str) -> None:
    """``PUT /admin/<kinds>/<id>``: the whole object; what is left out becomes its default."""
    await _change(exchange, services, caller, kind, object_id, is_patch=False)


async def patch_object(exchange: Exchange, services: Services, caller: Caller, kind: Kind, object_id: str) -> None:
    """``PATCH /admin/<kinds>/<id>``: some fields; what is left out stays."""
    await _change(exchange, services, caller, kind, object_id, is_patch=True)


async def _change(
    exchange: Exchange, services: Services, caller: Caller, kind: Kind, object_id: str, *, is_patch: bool
) -> None:
    number = number_of(object_id, kind)
    body = written(kind, await _body(exchange))
    before = await services.administration.item(caller, kind, number)
    _check_id(body, number)
    version = seen_version(body.version, exchange.header(b"if-match"), exchange.query())
    merge = patched_value if is_patch else replaced_value

    def make(present: Item) -> Draft:
        value = merge(kind, caller.contact_centre_id, number, present.value, body.fields)
        return Draft(value=value, reference=body.reference, reason=body.reason, password=body.password)

    make(before)  # what is wrong with the body is said before its version is looked at
    item = await services.administration.replace(caller, kind, number, version, make)
    await _answer(exchange, services, caller, kind, item)


async def delete_object(exchange: Exchange, services: Services, caller: Caller, kind: Kind, object_id: str) -> None:
    """``DELETE /admin/<kinds>/<id>?version=<version>&changeReason=<text>``, or with ``If-Match``."""
    number = number_of(object_id, kind)
    await services.administration.item(caller, kind, number)
    query = exchange.query()
    version = seen_version(None, exchange.header(b"if-match"), query)
    reason = written(kind, {"changeReason": query.get("changeReason")}).reason
    await services.administration.delete(caller, kind, number, version, reason)
    await exchange.answer(SUCCESS)


async def get_versions(exchange: Exchange, services: Services, caller: Caller, kind: Kind, object_id: str) -> None:
    """``GET /admin/<kinds>/<id>/versions[?limit=&before=]``: who changed it, when and why, newest first."""
    query = exchange.query()
    limit = count(query, "limit", DEFAULT_VERSIONS, 1, MAX_VERSIONS)
    before = count(query, "before", 0, 1, 2**31 - 1) or None
    number = number_of(object_id, kind)
    found = await services.administration.history(caller, kind, number, before, limit)
    names = await services.administration.names(caller, {one.changed_by for one in found if one.changed_by})
    versions = [
        {
            "version": one.version,
            "changedAt": one.changed_at_ms,
            "changedBy": names.get(one.changed_by or 0),
            "changeReason": one.reason,
            "isDeleted": one.value is None,
            kind.name: None if one.value is None else kind.shape.write(one.value),
        }
        for one in found
    ]
    await exchange.answer(answer(versions=versions))


def shown(services: Services, kind: Kind, item: Item, names: dict[int, str]) -> Json:
    """An object as answers show it."""
    return {
        "id": item.object_id,
        "uri": f"{services.settings.external_prefix}{ADMIN}/{kind.path}/{item.object_id}",
        **kind.shape.write(item.value),
        "version": item.version,
        "referenceId": item.reference,
        "changedAt": item.changed_at_ms,
        "changedBy": names.get(item.changed_by or 0),
    }


def listed_fields(kind: Kind) -> list[str]:
    """Fields that lists can be filtered and sorted by: those that hold one plain value."""
    own = [field.wire_name for field in kind.shape.fields if not field.is_secret and _is_plain(field.shape)]
    return [*own, *(name for name in SHOWN if name != "uri")]


def shown_fields(kind: Kind) -> list[str]:
    """Fields that an object shows."""
    return [*SHOWN, *(field.wire_name for field in kind.shape.fields if not field.is_secret)]


def _is_plain(shape: Shape) -> bool:
    inner = shape.inner if isinstance(shape, NullableShape) else shape
    return isinstance(inner, BoolShape | EnumShape | NumberShape | TextShape)


async def _body(exchange: Exchange) -> Json:
    body = await exchange.body(MAX_OBJECT_BYTES)
    return decode_object(body, max_bytes=MAX_OBJECT_BYTES)


def _check_id(body: Written, number: int) -> None:
    if body.object_id not in (None, number):
        raise OutOfRange("id is not the one of the address")


async def _answer(
    exchange: Exchange, services: Services, caller: Caller, kind: Kind, item: Item, fields: str | None = None
) -> None:
    names = await services.administration.names(caller, {item.changed_by} if item.changed_by else set())
    whole = shown(services, kind, item, names)
    exchange.extra.append((b"etag", entity_tag(item.version).encode()))
    await exchange.answer(answer(**{kind.name: whole if fields is None else selected(whole, fields)}))
