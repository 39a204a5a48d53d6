"""Routes that are not hot: everything but record operations and CometD, through Starlette's router."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from starlette.routing import Match, Route

from trunkline.contract.answers import answer, method_not_allowed
from trunkline.domain.people import Caller
from trunkline.domain.permissions import Permission, check_permission
from trunkline.errors import NotFound
from trunkline.web import (
    admin,
    admin_objects,
    agent,
    callbacks,
    documents,
    explain,
    exports,
    group_control,
    imports,
    list_work,
    openapi,
    persons,
    resources,
    suppression,
    webhooks,
)
from trunkline.web.exchange import Exchange
from trunkline.web.rows import Row
from trunkline.web.services import Services

Routed = Callable[[Exchange, Caller | None], Awaitable[None]]


def table() -> list[Row]:
    """Every route that is not hot; handlers get exchange, services, caller and the path's parameters.

    Who may use a route, and what the parameters of its path name, stands beside it.
    """
    api, inner = "/api/v2", "/internal-api"
    own, public, supervise = Permission.OWN, Permission.PUBLIC, Permission.SUPERVISE
    lists = [
        Row("GET", f"{api}/me/{name}", partial(resources.get_list, name=name), own)
        for name in ("devices", "features", "channels", "settings", "calls", "chats", "interactions", "skills")
    ]
    empty = [
        Row("GET", f"{api}/me/groups", partial(resources.get_nothing, name="groups"), own),
        Row("GET", f"{api}/groups", partial(resources.get_nothing, name="groups"), own),
        Row("GET", f"{api}/workbins", partial(resources.get_nothing, name="workbins"), own),
    ]
    device = {"device_id": "device"}
    return [
        Row("GET", f"{api}/diagnostics/version", get_version, public),
        Row("GET", "/metrics", get_metrics, public),
        Row("GET", "/", get_root, public),
        Row("GET", f"{api}/me", resources.get_me, own),
        Row("POST", f"{api}/me", agent.post_me, own),
        *lists,
        *empty,
        Row("POST", f"{api}/me/channels/{{channel}}", agent.post_channel, own, {"channel": "channel"}),
        Row("GET", f"{api}/me/devices/{{device_id}}", resources.get_device, own, device),
        Row("GET", f"{api}/me/devices/{{device_id}}/settings/tserver", resources.get_device_settings, own, device),
        Row("GET", f"{api}/devices/{{device_id}}/settings/tserver", resources.get_device_settings, own, device),
        Row("POST", f"{api}/me/devices/{{device_id}}/calls", post_device_call, own, device),
        Row("POST", f"{api}/me/calls/{{call_id}}", post_call, own, {"call_id": "call"}),
        Row("GET", f"{inner}/me/settings", resources.get_settings, own),
        Row("GET", f"{inner}/contact-center", resources.get_contact_centre, own),
        Row("GET", f"{api}/contacts/{{user_id}}", resources.get_contact, own, {"user_id": "public user"}),
        Row("GET", f"{api}/services", resources.get_services, own),
        Row("GET", f"{api}/features", resources.get_features, own),
        *admin.rows(),
        *imports.rows(),
        *exports.rows(),
        Row("GET", f"{api}/admin/openapi.json", partial(openapi.get_openapi, rows=rows), supervise),
        # Before the objects: what is below their addresses and is no object.
        *group_control.rows(),
        *list_work.rows(),
        *documents.rows(),
        *admin_objects.rows(),
        *callbacks.rows(),
        *explain.rows(),
        *suppression.rows(),
        *persons.rows(),
        *webhooks.rows(),
    ]


def build_router(services: Services) -> Routed:
    """The function that finds a route and calls its handler; raises ``NotFound`` for an unknown path."""
    routes = [(Route(row.path, endpoint=_unused), row) for row in rows()]

    async def serve(exchange: Exchange, caller: Caller | None) -> None:
        path = exchange.path.rstrip("/") or "/"
        scope = {"type": "http", "method": exchange.method, "path": path, "root_path": ""}
        method = "GET" if exchange.method == "HEAD" else exchange.method
        allowed: list[str] = []
        for route, row in routes:
            match, child = route.matches(scope)
            if match is Match.NONE:
                continue
            if row.method == method:
                if caller is not None:
                    check_permission(row.needs, caller)
                await row.handler(exchange, services, caller, **child["path_params"])
                return
            allowed.append(row.method)
        if allowed:
            await exchange.answer_with(method_not_allowed(allowed))
            return
        raise NotFound("there is nothing at this path")

    return serve


def rows() -> list[Row]:
    """The table."""
    return table()


async def _unused(_: Any) -> None:
    """Route objects match paths only; their endpoints are never called."""


async def get_version(exchange: Exchange, services: Services, caller: Caller | None) -> None:
    """``GET /diagnostics/version``, without credentials."""
    await exchange.answer(answer(version=services.settings.version))


async def get_root(exchange: Exchange, services: Services, caller: Caller | None) -> None:
    """``GET /``: what this is and where the API begins, for a person with a browser."""
    await exchange.answer(
        answer(
            name="Trunkline", version=services.settings.version, api="/api/v2", notifications="/api/v2/notifications"
        )
    )


async def get_metrics(exchange: Exchange, services: Services, caller: Caller | None) -> None:
    """``GET /metrics`` in Prometheus' text format, without credentials; counts only, no names."""
    if services.metrics is None:
        raise NotFound("there is nothing at this path")
    body = services.metrics()
    headers = [(b"content-type", b"text/plain; version=0.0.4; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    await exchange.send({"type": "http.response.start", "status": 200, "headers": headers})
    await exchange.send({"type": "http.response.body", "body": body})


async def post_device_call(exchange: Exchange, services: Services, caller: Caller, device_id: str) -> None:
    """``POST /me/devices/<id>/calls``."""
    resources.own_device(caller, device_id)
    await resources.post_call(exchange, services, caller)


async def post_call(exchange: Exchange, services: Services, caller: Caller, call_id: str) -> None:
    """``POST /me/calls/<id>``."""
    await resources.post_call(exchange, services, caller)
