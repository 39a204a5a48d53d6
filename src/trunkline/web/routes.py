"""Routes that are not hot: everything but record operations and CometD, through Starlette's router."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from starlette.routing import Match, Route

from trunkline.contract.answers import answer, method_not_allowed
from trunkline.domain.people import Caller
from trunkline.errors import NotFound
from trunkline.web import admin, agent, explain, exports, imports, resources, webhooks
from trunkline.web.exchange import Exchange
from trunkline.web.services import Services

Handler = Callable[..., Awaitable[None]]
Routed = Callable[[Exchange, Caller | None], Awaitable[None]]


def table() -> list[tuple[str, str, Handler]]:
    """Method, path and handler of each route; handlers get exchange, services, caller and the path's parameters."""
    api, inner = "/api/v2", "/internal-api"
    lists = [
        ("GET", f"{api}/me/{name}", partial(resources.get_list, name=name))
        for name in ("devices", "features", "channels", "settings", "calls", "chats", "interactions", "skills")
    ]
    empty = [
        ("GET", f"{api}/me/groups", partial(resources.get_nothing, name="groups")),
        ("GET", f"{api}/groups", partial(resources.get_nothing, name="groups")),
        ("GET", f"{api}/workbins", partial(resources.get_nothing, name="workbins")),
    ]
    return [
        ("GET", f"{api}/diagnostics/version", get_version),
        ("GET", "/metrics", get_metrics),
        ("GET", "/", get_root),
        ("GET", f"{api}/me", resources.get_me),
        ("POST", f"{api}/me", agent.post_me),
        *lists,
        *empty,
        ("POST", f"{api}/me/channels/{{channel}}", agent.post_channel),
        ("GET", f"{api}/me/devices/{{device_id}}", resources.get_device),
        ("GET", f"{api}/me/devices/{{device_id}}/settings/tserver", resources.get_device_settings),
        ("GET", f"{api}/devices/{{device_id}}/settings/tserver", resources.get_device_settings),
        ("POST", f"{api}/me/devices/{{device_id}}/calls", post_device_call),
        ("POST", f"{api}/me/calls/{{call_id}}", post_call),
        ("GET", f"{inner}/me/settings", resources.get_settings),
        ("GET", f"{inner}/contact-center", resources.get_contact_centre),
        ("GET", f"{api}/contacts/{{user_id}}", resources.get_contact),
        ("GET", f"{api}/services", resources.get_services),
        ("GET", f"{api}/features", resources.get_features),
        ("GET", f"{api}/admin/requests", admin.get_requests),
        ("GET", f"{api}/admin/explain/records", explain.get_records),
        ("GET", f"{api}/admin/explain/attempts", explain.get_attempts),
        ("GET", f"{api}/admin/explain/lists/{{list_name}}", explain.get_list),
        ("GET", f"{api}/admin/explain/campaigns/{{campaign_name}}", explain.get_campaign),
        ("POST", f"{api}/admin/calling-lists/{{list_name}}/chains/{{chain_id}}", admin.post_chain),
        ("GET", f"{api}/admin/webhooks/{{webhook_id}}/deliveries", webhooks.get_deliveries),
        ("POST", f"{api}/admin/webhooks/{{webhook_id}}/deliveries", webhooks.post_deliveries),
        ("POST", f"{api}/admin/calling-lists/{{list_name}}/imports", post_import),
        ("GET", f"{api}/admin/calling-lists/{{list_name}}/imports/{{import_id}}", get_import),
        ("GET", f"{api}/admin/calling-lists/{{list_name}}/export", get_export),
    ]


def build_router(services: Services) -> Routed:
    """The function that finds a route and calls its handler; raises ``NotFound`` for an unknown path."""
    routes = [(method, Route(path, endpoint=_unused), handler) for method, path, handler in table()]

    async def serve(exchange: Exchange, caller: Caller | None) -> None:
        path = exchange.path.rstrip("/") or "/"
        scope = {"type": "http", "method": exchange.method, "path": path, "root_path": ""}
        method = "GET" if exchange.method == "HEAD" else exchange.method
        allowed: list[str] = []
        for route_method, route, handler in routes:
            match, child = route.matches(scope)
            if match is Match.NONE:
                continue
            if route_method == method:
                await handler(exchange, services, caller, **child["path_params"])
                return
            allowed.append(route_method)
        if allowed:
            await exchange.answer_with(method_not_allowed(allowed))
            return
        raise NotFound("there is nothing at this path")

    return serve


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


async def post_import(exchange: Exchange, services: Services, caller: Caller, list_name: str) -> None:
    """``POST /admin/calling-lists/<list>/imports``."""
    await imports.import_list(exchange, caller, list_name, services)


async def get_export(exchange: Exchange, services: Services, caller: Caller, list_name: str) -> None:
    """``GET /admin/calling-lists/<list>/export``."""
    await exports.export_list(exchange, caller, list_name, services)


async def get_import(exchange: Exchange, services: Services, caller: Caller, list_name: str, import_id: str) -> None:
    """``GET /admin/calling-lists/<list>/imports/<import id>``."""
    await imports.show_import(exchange, caller, list_name, import_id, services)


async def post_device_call(exchange: Exchange, services: Services, caller: Caller, device_id: str) -> None:
    """``POST /me/devices/<id>/calls``."""
    resources.own_device(caller, device_id)
    await resources.post_call(exchange, services, caller)


async def post_call(exchange: Exchange, services: Services, caller: Caller, call_id: str) -> None:
    """``POST /me/calls/<id>``."""
    await resources.post_call(exchange, services, caller)
