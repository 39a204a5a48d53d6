"""Callbacks as supervisors see them: a page of the list, and the request that gives one to somebody else."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import msgspec

from trunkline.contract.names import CALL_RESULT_NAMES
from trunkline.contract.values import INT32_MAX, MAX_NAME, MAX_TIME_S, Body, integer, require, text
from trunkline.domain.enums import CallbackType, Hold, RecordStatus, RecordType
from trunkline.domain.records import Record
from trunkline.errors import OutOfRange

Json = dict[str, Any]

MAX_PAGE = 1000
"""Callbacks of one page: about 400 KB."""
DEFAULT_PAGE = 100
"""A screenful."""
MAX_CURSOR = 200
"""Characters: four numbers."""
MAX_DIGITS = 18
"""Digits of a number in a query: what fits 64 bits."""
PARAMETERS = (
    *("state", "callbackType", "callingList", "campaignName", "userName", "since", "until", "limit", "cursor"),
)

WAITING, DUE, ON_DESK, MISSED = "waiting", "due", "onDesk", "missed"
STATES: dict[str, RecordStatus] = {
    WAITING: RecordStatus.READY,
    DUE: RecordStatus.READY,
    ON_DESK: RecordStatus.RETRIEVED,
    MISSED: RecordStatus.MISSED_CALL_BACK,
}
"""``state`` -> status: waiting is every callback that nobody has, due those whose time has come."""
TYPES: dict[str, RecordType] = {
    CallbackType.PERSONAL.value: RecordType.PERSONAL_CALL_BACK,
    CallbackType.CAMPAIGN.value: RecordType.CAMPAIGN_CALL_BACK,
    "PersonalRetry": RecordType.PERSONAL_RESCHEDULED,
}
TYPE_NAMES = {kind: name for name, kind in TYPES.items()}


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A page that is asked for; names are as given, None asks for all. Times are Unix seconds."""

    state: str = WAITING
    record_type: RecordType | None = None
    list_name: str | None = None
    campaign_name: str | None = None
    user_name: str | None = None
    since_s: int | None = None
    until_s: int | None = None
    limit: int = DEFAULT_PAGE
    after: tuple[int, int, int, int] | None = None


class Reassigned(msgspec.Struct, frozen=True, kw_only=True):
    """What a supervisor asks for: ``user_name`` None gives the callback to anyone of the campaign."""

    user_name: str | None = None
    due_at_s: int | None = None
    version: int | None = None


def parse_query(query: Mapping[str, str]) -> Asked:
    """The page that a query asks for. Raises ``OutOfRange`` naming the parameter."""
    for name in query:
        if name not in PARAMETERS:
            raise OutOfRange(f"{name[:64]} is no parameter of this list; there are {', '.join(PARAMETERS)}")
    state = query.get("state", WAITING)
    if state not in STATES:
        raise OutOfRange(f"state must be one of {', '.join(STATES)}")
    kind = query.get("callbackType")
    if kind is not None and kind not in TYPES:
        raise OutOfRange(f"callbackType must be one of {', '.join(TYPES)}")
    limit = _number(query, "limit", MAX_PAGE)
    if limit == 0:
        raise OutOfRange(f"limit must lie between 1 and {MAX_PAGE}")
    return Asked(
        state=state,
        record_type=None if kind is None else TYPES[kind],
        list_name=_name(query, "callingList"),
        campaign_name=_name(query, "campaignName"),
        user_name=_name(query, "userName"),
        since_s=_number(query, "since", MAX_TIME_S),
        until_s=_number(query, "until", MAX_TIME_S),
        limit=DEFAULT_PAGE if limit is None else limit,
        after=_cursor(query.get("cursor")),
    )


def _name(query: Mapping[str, str], name: str) -> str | None:
    value = query.get(name)
    return None if value is None else text(value, name, MAX_NAME)


def _number(query: Mapping[str, str], name: str, high: int) -> int | None:
    value = query.get(name)
    if value is None:
        return None
    if not value.isascii() or not value.isdigit() or len(value) > MAX_DIGITS or int(value) > high:
        raise OutOfRange(f"{name} must be a whole number of at most {high}")
    return int(value)


def cursor_of(place: tuple[int, int, int, int]) -> str:
    """The place of a page's last callback, as a text that the next request brings along."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).rstrip(b"=").decode()


def _cursor(value: str | None) -> tuple[int, int, int, int] | None:
    if value is None:
        return None
    try:
        if len(value) > MAX_CURSOR:
            raise OutOfRange("cursor is not one that this server gave")
        raw = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
        place = msgspec.json.decode(raw, type=tuple[int, int, int, int])
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise OutOfRange("cursor is not one that this server gave") from None
    due_at_s, list_id, chain_id, chain_n = place
    if max(abs(due_at_s), abs(chain_id)) >= 2**63 or max(abs(list_id), abs(chain_n)) > INT32_MAX:
        raise OutOfRange("cursor is not one that this server gave")
    return place


def parse_reassignment(content: Body) -> Reassigned:
    """The body of ``ReassignCallback``."""
    require(content, ("operationName",))
    if content["operationName"] != "ReassignCallback":
        raise OutOfRange("operationName must be ReassignCallback")
    user_name, due_at_s, version = (content.get(name) for name in ("userName", "timestamp", "version"))
    return Reassigned(
        user_name=None if user_name is None else text(user_name, "userName", MAX_NAME),
        due_at_s=None if due_at_s is None else integer(due_at_s, "timestamp", 0, MAX_TIME_S - 1),
        version=None if version is None else integer(version, "version", 1, INT32_MAX),
    )


def callback_object(record: Record, names: Names, now_s: int) -> Json:
    """One callback of the list. ``heldBy``: a rule of that kind put it back, and ``timestamp`` is when it lets go."""
    due_at_s = record.due_at_s or 0
    return {
        "callingList": names.list_name,
        "chainId": record.chain_id,
        "chainN": record.chain_n,
        "recordId": record.record_id,
        "campaignName": names.campaign_name,
        "callbackType": TYPE_NAMES[record.record_type],
        "userName": names.user_name,
        "timestamp": due_at_s,
        "lateSeconds": max(0, now_s - due_at_s),
        "heldBy": None if record.hold is Hold.NONE else record.hold.name,
        "phoneNumber": record.phone_number,
        "timeZone": record.time_zone,
        "from": record.from_s,
        "until": record.until_s,
        "callResult": CALL_RESULT_NAMES[record.call_result],
        "attempts": record.attempts,
        "version": record.version,
    }


class Names(msgspec.Struct, frozen=True):
    """Names of what a record refers to; None for what was deleted since, or is nobody's."""

    list_name: str | None
    campaign_name: str | None
    user_name: str | None
