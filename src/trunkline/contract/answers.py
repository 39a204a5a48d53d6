"""Envelopes of HTTP answers: status codes, their HTTP statuses, and what a refusal says.

Every answer has ``statusCode``; on error also ``statusMessage`` and nothing else. Source: Web Services API 4;
decisions 1. All bodies are ``application/json``.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import msgspec

from trunkline.contract.parsed import INTERNAL_ERROR
from trunkline.contract.refusals import UnknownOperation
from trunkline.domain.group_control import ControlRefused
from trunkline.errors import OutOfRange, Refused, TooLarge, TooManyRequests, Unavailable

_encode = msgspec.json.Encoder().encode


class StatusCode(IntEnum):
    """What ``statusCode`` says (Web Services API 4)."""

    SUCCESS = 0
    MISSING_PARAMETER = 1
    INVALID_STATE = 2
    FORBIDDEN = 3
    INTERNAL_ERROR = 4
    NO_PERMISSION = 5
    NOT_FOUND = 6
    PARTIAL_SUCCESS = 7
    PASSWORD_CHANGE_DEMANDED = 8
    PROCESSING_INCOMPLETE = 9
    OUT_OF_RANGE = 10
    READ_ONLY = 11
    CANNOT_RETRIEVE = 12
    CANNOT_CREATE = 13
    CANNOT_DELETE = 14
    CANNOT_UPDATE = 15
    CANNOT_ASSIGN = 16
    CANNOT_UNASSIGN = 17
    ALREADY_EXISTS = 18
    ALREADY_IN_USE = 19
    NOT_AUTHENTICATED = 20


_C = StatusCode
HTTP_STATUS: dict[StatusCode, int] = {
    _C.SUCCESS: 200,
    _C.PARTIAL_SUCCESS: 200,
    _C.PROCESSING_INCOMPLETE: 200,
    **dict.fromkeys((_C.MISSING_PARAMETER, _C.INVALID_STATE, _C.OUT_OF_RANGE, _C.READ_ONLY), 400),
    **dict.fromkeys((_C.FORBIDDEN, _C.NO_PERMISSION, _C.PASSWORD_CHANGE_DEMANDED, _C.NOT_AUTHENTICATED), 403),
    _C.NOT_FOUND: 404,
    **dict.fromkeys((_C.ALREADY_EXISTS, _C.ALREADY_IN_USE), 409),
    _C.INTERNAL_ERROR: 500,
    **dict.fromkeys((_C.CANNOT_RETRIEVE, _C.CANNOT_CREATE, _C.CANNOT_DELETE), 500),
    **dict.fromkeys((_C.CANNOT_UPDATE, _C.CANNOT_ASSIGN, _C.CANNOT_UNASSIGN), 500),
}
"""Status code -> HTTP status, apart from the kinds of error that ``http_status`` knows better."""

SERVED_CHANNELS = frozenset({"voice"})
"""Channels of StartContactCenterSession that this server has."""

SUCCESS: bytes = b'{"statusCode":0}'
"""The whole answer to an accepted request."""


class HttpAnswer(NamedTuple):
    """An HTTP answer without what is the same for all (Content-Type, Content-Length)."""

    http_status: int
    headers: dict[str, str]
    body: bytes


def answer(**content: Any) -> bytes:
    """A successful answer with further keys, in the order given."""
    return _encode({"statusCode": 0, **content})


def http_status(error: Exception) -> int:
    """The HTTP status of an error (decisions 1)."""
    match error:
        case TooLarge():
            return 413
        case UnknownOperation():
            return 400
        case Refused():
            return HTTP_STATUS[StatusCode(error.code)]
        case TooManyRequests():
            return 429
        case Unavailable():
            return 503
        case _:
            return 500


def refusal(error: Exception, incident_id: str = "") -> HttpAnswer:
    """The answer to a request that failed.

    What is neither ``Refused`` nor ``Unavailable`` counts as a defect of ours: the caller sees ``incident_id``
    and nothing of the cause.
    """
    headers = {"Retry-After": str(error.retry_after_s)} if isinstance(error, Unavailable) else {}
    code = error.code if isinstance(error, Refused) else StatusCode.INTERNAL_ERROR.value
    body = {"statusCode": code, "statusMessage": refusal_text(error, incident_id)}
    if isinstance(error, ControlRefused):
        body |= {"errorCode": error.error.value, "errorName": error.error.title}
    return HttpAnswer(http_status(error), headers, _encode(body))


def refusal_text(error: Exception, incident_id: str = "") -> str:
    """The sentence that a caller may see of an error; of a defect nothing but ``incident_id``."""
    if isinstance(error, (Refused, Unavailable)):
        return str(error)
    return f"{INTERNAL_ERROR}, incident {incident_id}"


def method_not_allowed(allowed: Sequence[str]) -> HttpAnswer:
    """The answer to a method that the path does not serve; ``allowed`` names those that it does."""
    body = {"statusCode": StatusCode.FORBIDDEN.value, "statusMessage": "the method is not allowed on this resource"}
    return HttpAnswer(405, {"Allow": ", ".join(allowed)}, _encode(body))


def session_answer(channels: Sequence[str]) -> bytes:
    """The answer to StartContactCenterSession with these channels, at least one of which is served.

    Code 7 tells which succeeded and which did not. Source: Web Services API 4, partial success.
    """
    failed = [{**_UNSERVED, "channel": channel} for channel in channels if channel not in SERVED_CHANNELS]
    if not failed:
        return SUCCESS
    succeeded = [{"statusCode": 0, "channel": channel} for channel in channels if channel in SERVED_CHANNELS]
    return _encode({"statusCode": StatusCode.PARTIAL_SUCCESS.value, "failed": failed, "succeeded": succeeded})


_UNSERVED = {"statusCode": OutOfRange.code, "statusMessage": "this server has no such channel"}
