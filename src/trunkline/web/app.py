"""The application: authenticates, finds the route, and answers every error in the documented form.

The few hot routes (record operations, CometD) are found by comparing prefixes; everything else goes through
Starlette's router in ``web.routes``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import unquote_to_bytes

from trunkline.contract.answers import method_not_allowed
from trunkline.domain.people import Caller
from trunkline.domain.permissions import Permission
from trunkline.errors import NotAuthenticated, NotFound, TrunklineError
from trunkline.web.door import is_door, post_door
from trunkline.web.exchange import ClientGone, Exchange, Receive, Scope, Send
from trunkline.web.guards import address_of, check_csrf, check_origin, check_script_source, preflight
from trunkline.web.hot import NOTIFICATION_SUFFIXES, NOTIFICATIONS, HotRoutes
from trunkline.web.operations import post_operation
from trunkline.web.outbound import post_campaign, post_record
from trunkline.web.outbound_reads import get_campaigns, get_record, get_records
from trunkline.web.routes import build_router
from trunkline.web.rows import Row
from trunkline.web.services import Services

RECORDS = "/api/v2/me/outbound-records"
CAMPAIGNS = "/api/v2/me/outbound-campaigns"
OPERATIONS = "/internal-api/operations"
PUBLIC = frozenset({"/api/v2/diagnostics/version", "/metrics", "/"})
"""Paths that answer without credentials."""
MAX_HANDLE = 2**31 - 1
MAX_HANDLE_DIGITS = 10

_RECORD, _CAMPAIGN = {"handle": "handle"}, {"campaign_name": "campaign name"}
HOT_ROWS: tuple[Row, ...] = (
    Row("GET", RECORDS, get_records, Permission.OWN),
    Row("POST", RECORDS, post_record, Permission.OWN),
    Row("GET", f"{RECORDS}/{{handle}}", get_record, Permission.OWN, _RECORD),
    Row("POST", f"{RECORDS}/{{handle}}", post_record, Permission.OWN, _RECORD),
    Row("GET", CAMPAIGNS, get_campaigns, Permission.OWN),
    Row("GET", f"{CAMPAIGNS}/{{campaign_name}}", get_campaigns, Permission.OWN, _CAMPAIGN),
    Row("POST", f"{CAMPAIGNS}/{{campaign_name}}", post_campaign, Permission.OWN, _CAMPAIGN),
    Row("POST", OPERATIONS, post_operation, Permission.OWN),
    Row("POST", "/lists/{list_name}", post_door, Permission.SUPERVISE, {"list_name": "list name"}),
    Row("POST", "/records/{handle}", post_door, Permission.SUPERVISE, {"handle": "handle"}),
    Row("POST", "/phones/{number}", post_door, Permission.SUPERVISE, {"number": "any"}),
    Row("POST", "/customer_ids/{customer_id}", post_door, Permission.SUPERVISE, {"customer_id": "any"}),
)
"""The routes that are found by their prefix, as rows: who may use them and what their paths name."""

Route = Callable[[Exchange, Services, Caller], Awaitable[None]]


class Application:
    """The ASGI application."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.door = HotRoutes(services)
        """What the socket layer asks first; its ``gate`` opens WebSockets."""
        self._router = build_router(services)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Upgrades to a websocket are refused at once, so that clients fall back."""
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})
            return
        if scope["type"] != "http":
            return
        exchange = Exchange(scope, receive, send)
        exchange.is_text = is_door(exchange.path)
        try:
            await self._serve(exchange)
        except ClientGone:
            return
        except TrunklineError as error:
            await exchange.refuse(error)
        except Exception as error:  # noqa: BLE001 - becomes an answer with an incident id, and a log line
            incident_id = self._services.report_defect(error, f"{exchange.method} {route_of(exchange.path)}")
            await exchange.refuse(error, incident_id)

    async def _serve(self, exchange: Exchange) -> None:
        services = self._services
        path = exchange.path
        if exchange.header(b"origin") is not None:
            if exchange.method == "OPTIONS":
                await preflight(exchange, services.settings)
                return
            check_origin(exchange, services.settings)
        if path in PUBLIC:
            await self._router(exchange, None)
            return
        try:
            caller = await services.auth.caller(exchange)
        except NotAuthenticated:
            exchange.extra.append((b"connection", b"close"))
            raise
        if services.settings.csrf_protection:
            check_csrf(exchange, services, caller)
        if path.startswith(RECORDS):
            await self._records(exchange, caller, path[len(RECORDS) :])
        elif path.startswith(NOTIFICATIONS) and path[len(NOTIFICATIONS) :] in NOTIFICATION_SUFFIXES:
            await self._notifications(exchange, caller, path)
        elif path.startswith(CAMPAIGNS):
            await self._campaigns(exchange, caller)
        elif path == OPERATIONS:
            if exchange.method == "POST":
                await post_operation(exchange, services, caller)
            else:
                await exchange.answer_with(method_not_allowed(["POST"]))
        elif exchange.is_text:
            await post_door(exchange, services, caller)
        else:
            await self._router(exchange, caller)

    async def _notifications(self, exchange: Exchange, caller: Caller, path: str) -> None:
        services = self._services
        if exchange.method == "GET" and services.settings.callback_polling:
            check_script_source(exchange, services.settings)
        elif exchange.method != "POST":
            await exchange.answer_with(method_not_allowed(["POST"]))
            return
        if path.endswith("/handshake"):
            services.auth.start_session(exchange, caller, is_secure=services.settings.session_cookie_secure)
        client = exchange.scope.get("client")
        address = address_of(exchange, client[0] if client else None, services.settings.trusted_proxies)
        await services.notifications.handle(exchange, caller, address)

    async def _records(self, exchange: Exchange, caller: Caller, rest: str) -> None:
        handle = None if rest in ("", "/") else handle_of(rest)
        if exchange.method == "POST":
            await post_record(exchange, self._services, caller, handle)
        elif exchange.method in ("GET", "HEAD"):
            if handle is None:
                await get_records(exchange, self._services, caller)
            else:
                await get_record(exchange, self._services, caller, handle)
        else:
            await exchange.answer_with(method_not_allowed(["GET", "POST"]))

    async def _campaigns(self, exchange: Exchange, caller: Caller) -> None:
        name = campaign_name_of(exchange)
        if exchange.method == "POST" and name is not None:
            await post_campaign(exchange, self._services, caller, name)
        elif exchange.method in ("GET", "HEAD"):
            await get_campaigns(exchange, self._services, caller, name)
        else:
            await exchange.answer_with(method_not_allowed(["GET"] if name is None else ["GET", "POST"]))


def handle_of(rest: str) -> int:
    """The record handle behind the slash; ``NotFound`` for what no handle can be."""
    text = rest[1:].removesuffix("/")
    if rest[0] != "/" or not text.isascii() or not text.isdigit() or len(text) > MAX_HANDLE_DIGITS:
        raise NotFound("there is no record with this recordHandle on your desk")
    handle = int(text)
    if handle > MAX_HANDLE:
        raise NotFound("there is no record with this recordHandle on your desk")
    return handle


def campaign_name_of(exchange: Exchange) -> str | None:
    """The campaign's name, percent-decoded from the path as it was sent; None for the collection.

    The undecoded path is used because a name may hold a slash.
    """
    raw: bytes = exchange.scope.get("raw_path") or exchange.path.encode()
    rest = raw.split(b"?", 1)[0][len(CAMPAIGNS) :]
    if rest in (b"", b"/"):
        return None
    if rest[:1] != b"/" or b"/" in rest[1:].removesuffix(b"/"):
        raise NotFound("there is nothing at this path")
    try:
        return unquote_to_bytes(rest[1:].removesuffix(b"/")).decode("utf-8")
    except UnicodeDecodeError:
        raise NotFound("there is no campaign with this campaignName") from None


def route_of(path: str) -> str:
    """The path without its last segment, for logs: that one may be a number or a name."""
    return path.rsplit("/", 1)[0]
