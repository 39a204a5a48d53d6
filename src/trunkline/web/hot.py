"""The door for the requests that come most: record operations and CometD, without ASGI; and that for WebSockets.

Takes a request whose caller is known without waiting and whose path is plain; all others, with whatever is wrong with
them, go the long way through ``web.app``, on the same functions.
"""

from __future__ import annotations

import asyncio
from typing import Any

from trunkline.bayeux.messages import protocol_error
from trunkline.bayeux_asgi.bodies import JSON_HEADERS
from trunkline.contract.answers import SUCCESS, HttpAnswer, refusal
from trunkline.domain.people import Caller
from trunkline.errors import Defect, NotFound, OutOfRange, TooLarge, TrunklineError
from trunkline.web.direct import DirectRequest
from trunkline.web.exchange import FIXED, wire_headers
from trunkline.web.guards import address_of, check_origin, check_source
from trunkline.web.outbound import begin, parse_record
from trunkline.web.services import Services
from trunkline.web.websocket import Listener, SocketConnection, Upgrade

NOTIFICATIONS = "/api/v2/notifications"
NOTIFICATION_SUFFIXES = ("", "/", "/handshake", "/connect", "/disconnect", "/subscribe", "/unsubscribe", "/publish")
"""What CometD clients append to the endpoint (conformance item 3)."""
SOCKETS = frozenset((NOTIFICATIONS + suffix).encode() for suffix in NOTIFICATION_SUFFIXES)
POLLS = SOCKETS - {f"{NOTIFICATIONS}/handshake".encode()}
"""Requests that take the door: a handshake by its own path is answered with a session cookie besides."""
RECORDS = b"/api/v2/me/outbound-records/"
MAX_HANDLE_DIGITS = 9
"""Every number with so many digits is a possible handle; longer ones go the long way."""


class HotRoutes:
    """See ``web.direct.Door``."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def __call__(self, request: DirectRequest) -> bool:
        """Serve a record operation or a CometD request of a caller who is known."""
        url = request.url
        if url.startswith(RECORDS):
            digits = url[len(RECORDS) :]
            if not digits.isdigit() or len(digits) > MAX_HANDLE_DIGITS:
                return False
        elif url not in POLLS:
            return False
        settings = self._services.settings
        if settings.csrf_protection:
            return False
        caller = self._services.auth.known_caller(request)
        if caller is None:
            return False
        try:
            if request.header(b"origin") is not None:
                check_origin(request, settings)
            if url in POLLS:
                self._poll(request, caller)
            else:
                self._record(request, caller, int(url[len(RECORDS) :]))
        except Exception as error:  # noqa: BLE001 - becomes an answer
            self._refuse(request, error)
        return True

    async def gate(self, upgrade: Upgrade, line: SocketConnection) -> Listener | HttpAnswer:
        """See ``web.websocket.Gate``: the endpoint's own path, no foreign origin, a caller who is who they say."""
        services = self._services
        if upgrade.url.partition(b"?")[0] not in SOCKETS:
            return self._refusal(NotFound("there is no WebSocket at this path"), "websocket")
        try:
            check_source(upgrade, services.settings)
            caller = await services.auth.caller(upgrade)
        except Exception as error:  # noqa: BLE001 - becomes an answer
            return self._refusal(error, "websocket")
        auth = services.auth
        return services.notifications.open_socket(
            line,
            caller,
            address_of(upgrade, upgrade.address, services.settings.trusted_proxies),
            lambda: auth.known_caller(upgrade) is not None,
        )

    def _record(self, request: DirectRequest, caller: Caller, handle: int) -> None:
        path = request.url.decode("ascii")
        parse = parse_record(handle, caller.features)
        _, done = begin(self._services, caller, path, bytes(request.body), parse)

        def answer(done: asyncio.Future[Any]) -> None:
            error = done.exception()
            if error is None:
                request.answer(200, SUCCESS, FIXED)
            else:
                self._refuse(request, error)

        done.add_done_callback(answer)

    def _poll(self, request: DirectRequest, caller: Caller) -> None:
        try:
            address = address_of(request, request.line.address(), self._services.settings.trusted_proxies)
            self._services.notifications.serve(request, caller, address)
        except TooLarge as error:
            request.answer(413, protocol_error(413, error.message), JSON_HEADERS, is_last=True)
        except OutOfRange as error:
            request.answer(400, protocol_error(400, error.message), JSON_HEADERS)

    def _refuse(self, request: DirectRequest, error: BaseException) -> None:
        answer = self._refusal(error, request.url.rpartition(b"/")[0].decode("ascii", "replace"))
        request.answer(answer.http_status, answer.body, [*FIXED, *wire_headers(answer)])

    def _refusal(self, error: BaseException, where: str) -> HttpAnswer:
        incident_id = ""
        if not isinstance(error, TrunklineError):
            incident_id = self._services.report_defect(error, where)
        return refusal(error if isinstance(error, Exception) else Defect(), incident_id)
