"""The door for the requests that come most: record operations, without ASGI.

Takes a request whose caller is known without waiting and whose path is plain; all others, with whatever is wrong with
them, go the long way through ``web.app``, on the same functions.
"""

from __future__ import annotations

import asyncio
from typing import Any

from trunkline.contract.answers import SUCCESS, refusal
from trunkline.domain.people import Caller
from trunkline.errors import Defect, TrunklineError
from trunkline.web.direct import DirectRequest
from trunkline.web.exchange import FIXED
from trunkline.web.outbound import begin, parse_record
from trunkline.web.services import Services

RECORDS = b"/api/v2/me/outbound-records/"
MAX_HANDLE_DIGITS = 9
"""Every number with so many digits is a possible handle; longer ones go the long way."""


class HotRoutes:
    """See ``web.direct.Door``."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def __call__(self, request: DirectRequest) -> bool:
        """Serve a record operation of a caller who is known."""
        if not request.url.startswith(RECORDS):
            return False
        digits = request.url[len(RECORDS) :]
        if not digits.isdigit() or len(digits) > MAX_HANDLE_DIGITS:
            return False
        caller = self._caller(request)
        if caller is None:
            return False
        try:
            self._record(request, caller, int(digits))
        except Exception as error:  # noqa: BLE001 - becomes an answer
            self._refuse(request, error)
        return True

    def _caller(self, request: DirectRequest) -> Caller | None:
        """The caller, if nothing but the caller has to be checked: no foreign origin, no cross-site token."""
        if request.header(b"origin") is not None or self._services.settings.csrf_protection:
            return None
        return self._services.auth.known_caller(request)

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

    def _refuse(self, request: DirectRequest, error: BaseException) -> None:
        incident_id = ""
        if not isinstance(error, TrunklineError):
            incident_id = self._services.report_defect(error, request.url.rpartition(b"/")[0].decode("ascii"))
        answer = refusal(error if isinstance(error, Exception) else Defect(), incident_id)
        extra = [(name.lower().encode(), value.encode()) for name, value in answer.headers.items()]
        request.answer(answer.http_status, answer.body, [*FIXED, *extra])
