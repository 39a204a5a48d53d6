"""What a supervisor reads and mends: the request audit, stale chains. Source: outbound domain 3.4; decisions 5."""

from __future__ import annotations

from typing import Any

import msgspec

from trunkline.app.asking import Asked
from trunkline.app.ports import AuditQuery, StoredRow
from trunkline.app.rescue import ResetStale
from trunkline.contract.answers import SUCCESS, answer
from trunkline.contract.audit import REQUEST_TYPE_NAMES
from trunkline.contract.values import MAX_TIME_S
from trunkline.domain.enums import Door, RequestType
from trunkline.domain.people import Caller, Role
from trunkline.domain.permissions import Permission
from trunkline.errors import Forbidden, MissingParameter, NotFound, OutOfRange
from trunkline.web.exchange import Exchange, only
from trunkline.web.outbound import read_object
from trunkline.web.rows import Row
from trunkline.web.services import Services

MAX_AUDIT_ROWS = 1000
"""Rows of one page of the audit: about 300 KB."""
DEFAULT_AUDIT_ROWS = 100
"""Rows when nothing else is asked for: a screenful."""
MAX_NUMBER_DIGITS = 18
"""Digits of a number in a query: what fits 64 bits."""

DOOR_NAMES = {Door.INSIDE: "Server", Door.REST: "REST", Door.USER_EVENT: "SendUserEvent", Door.HTTP: "HTTP"}


def rows() -> list[Row]:
    """The routes."""
    chain = {"list_name": "list name", "chain_id": "chain"}
    return [
        Row("GET", "/api/v2/admin/requests", get_requests, Permission.SUPERVISE),
        Row(
            "POST",
            "/api/v2/admin/calling-lists/{list_name}/chains/{chain_id}",
            post_chain,
            Permission.SUPERVISE,
            chain,
        ),
    ]


def require_supervisor(caller: Caller) -> None:
    """Raise ``Forbidden`` unless the caller is a supervisor or an administrator."""
    if not caller.has_role(Role.SUPERVISOR, Role.ADMINISTRATOR):
        raise Forbidden("this is for supervisors and administrators")


async def get_requests(exchange: Exchange, services: Services, caller: Caller) -> None:
    """``GET /admin/requests``: the request audit, newest first.

    Query: ``userName``, ``requestType`` (number), ``recordHandle``, ``since`` and ``until`` (Unix seconds), ``limit``
    (100, at most 1000), ``before`` (the last row's ``seq`` of the page before).
    """
    require_supervisor(caller)
    query = exchange.query()
    only(query, "userName", "requestType", "recordHandle", "since", "until", "limit", "before")
    user_id = None
    if "userName" in query:
        user = await services.store.user(caller.contact_centre_id, query["userName"])
        if user is None:
            raise NotFound("there is no user with this userName")
        user_id = user.caller.user_id
    since_s, until_s = number(query, "since", MAX_TIME_S), number(query, "until", MAX_TIME_S)
    rows = await services.store.audit(
        AuditQuery(
            contact_centre_id=caller.contact_centre_id,
            user_id=user_id,
            request_type=number(query, "requestType"),
            handle=number(query, "recordHandle"),
            since_ms=None if since_s is None else since_s * 1000,
            until_ms=None if until_s is None else until_s * 1000,
            before_seq=number(query, "before"),
            limit=limit_of(query),
        )
    )
    ids = sorted({row.row.user_id for row in rows})
    names = {u.caller.user_id: u.caller.user_name for u in await services.store.users(caller.contact_centre_id, ids)}
    await exchange.answer(answer(requests=[shown(services, row, names) for row in rows]))


def limit_of(query: dict[str, str]) -> int:
    """Rows of the page that is asked for; ``OutOfRange`` outside 1 to ``MAX_AUDIT_ROWS``."""
    limit = number(query, "limit")
    if limit is None:
        return DEFAULT_AUDIT_ROWS
    if not 1 <= limit <= MAX_AUDIT_ROWS:
        raise OutOfRange(f"limit must be an integer between 1 and {MAX_AUDIT_ROWS}")
    return limit


def shown(services: Services, stored: StoredRow, names: dict[int, str]) -> dict[str, Any]:
    """One row of the audit."""
    row = stored.row
    centre = row.contact_centre_id
    campaign = services.book.campaign_by_id(centre, row.campaign_id) if row.campaign_id is not None else None
    calling_list = services.book.list_by_id(centre, row.list_id) if row.list_id is not None else None
    return {
        "seq": stored.seq,
        "timestamp": row.at_ms,
        "userName": names.get(row.user_id),
        "requestType": row.request_type.value,
        "requestName": REQUEST_TYPE_NAMES[row.request_type],
        "door": DOOR_NAMES[row.door],
        "campaignName": campaign.name if campaign else None,
        "callingList": calling_list.name if calling_list else None,
        "recordHandle": row.handle,
        "errorNumber": row.outcome,
        "referenceId": None if row.reference is None else msgspec.json.decode(row.reference),
    }


def number(query: dict[str, str], name: str, high: int = 10**MAX_NUMBER_DIGITS) -> int | None:
    """A whole number of the query, at most ``high``; None when it is not there."""
    text = query.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > MAX_NUMBER_DIGITS:
        raise OutOfRange(f"{name} must be a whole number")
    if int(text) > high:
        raise OutOfRange(f"{name} must be at most {high}")
    return int(text)


async def post_chain(exchange: Exchange, services: Services, caller: Caller, list_name: str, chain_id: str) -> None:
    """``POST /admin/calling-lists/<list>/chains/<chain>`` with ``ResetStale``: make stale records callable again."""
    require_supervisor(caller)
    _, content = await read_object(exchange, services)
    if content.get("operationName") is None:
        raise MissingParameter("operationName is required")
    if content["operationName"] != "ResetStale":
        raise OutOfRange("operationName must be ResetStale")
    if not chain_id.isascii() or not chain_id.isdigit() or len(chain_id) > MAX_NUMBER_DIGITS:
        raise NotFound("there is no chain with this id")
    command = ResetStale(list_name=list_name, chain_id=int(chain_id))
    asked = Asked(caller=caller, command=command, request_type=RequestType.STALE_RESET, door=Door.REST)
    await services.writer.submit(asked)
    await exchange.answer(SUCCESS)
