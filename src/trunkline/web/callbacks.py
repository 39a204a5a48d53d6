"""Callbacks for supervisors: ``/admin/callbacks`` lists them, ``/admin/callbacks/<list>/<chain>/<place>`` moves one."""

from __future__ import annotations

from typing import Any

from trunkline.app.asking import Asked
from trunkline.app.callbacks.deciding import ReassignCallback
from trunkline.app.callbacks.reads import CallbackQuery, place_of
from trunkline.app.ports import User
from trunkline.contract import callbacks as contract
from trunkline.contract.answers import SUCCESS, answer
from trunkline.domain.enums import Door, RequestType
from trunkline.domain.people import Caller
from trunkline.domain.permissions import Permission
from trunkline.domain.records import Record
from trunkline.errors import InvalidState, NotFound
from trunkline.web.admin import MAX_NUMBER_DIGITS, require_supervisor
from trunkline.web.exchange import Exchange
from trunkline.web.outbound import read_object
from trunkline.web.rows import Row
from trunkline.web.services import Services

PATH = "/api/v2/admin/callbacks"


def rows() -> list[Row]:
    """The routes of callbacks."""
    one = f"{PATH}/{{list_name}}/{{chain_id}}/{{chain_n}}"
    ids = {"list_name": "list name", "chain_id": "chain", "chain_n": "any"}
    return [
        Row("GET", PATH, get_callbacks, Permission.SUPERVISE),
        Row("POST", one, post_callback, Permission.SUPERVISE, ids),
    ]


async def get_callbacks(exchange: Exchange, services: Services, caller: Caller) -> None:
    """``GET /admin/callbacks``: callbacks by their time, oldest first.

    Query: ``state`` (waiting, due, onDesk, missed), ``callbackType``, ``callingList``, ``campaignName``, ``userName``,
    ``since`` and ``until`` (Unix seconds of the due time), ``limit`` (100, at most 1000), ``cursor`` (the page before
    gave it as ``nextCursor``).
    """
    require_supervisor(caller)
    asked = contract.parse_query(exchange.query())
    book, centre, now_s = services.book, caller.contact_centre_id, services.clock.now_s()
    until_s = asked.until_s
    if asked.state == contract.DUE:
        until_s = now_s if until_s is None else min(until_s, now_s)
    query = CallbackQuery(
        contact_centre_id=centre,
        status=contract.STATES[asked.state],
        list_id=None if asked.list_name is None else book.list_named(centre, asked.list_name).list_id,
        campaign_id=None if asked.campaign_name is None else book.campaign(centre, asked.campaign_name).campaign_id,
        agent_id=await _user_id(services, caller, asked.user_name),
        record_type=asked.record_type,
        since_s=asked.since_s,
        until_s=until_s,
        after=asked.after,
        limit=asked.limit,
    )
    found = await services.store.callbacks(query)
    shown = await _shown(services, caller, found, now_s)
    is_last = len(found) < asked.limit
    await exchange.answer(
        answer(callbacks=shown, nextCursor=None if is_last else contract.cursor_of(place_of(found[-1])))
    )


async def _user_id(services: Services, caller: Caller, user_name: str | None) -> int | None:
    return None if user_name is None else (await _user(services, caller, user_name)).caller.user_id


async def _user(services: Services, caller: Caller, user_name: str) -> User:
    user = await services.store.user(caller.contact_centre_id, user_name)
    if user is None:
        raise NotFound("there is no user with this userName")
    return user


async def _shown(services: Services, caller: Caller, found: list[Record], now_s: int) -> list[dict[str, Any]]:
    book, centre = services.book, caller.contact_centre_id
    owners = sorted({record.agent_id for record in found if record.agent_id is not None})
    users = {u.caller.user_id: u.caller.user_name for u in await services.store.users(centre, owners)} if owners else {}
    lists = {calling_list.list_id: calling_list.name for calling_list in book.lists_of(centre)}
    shown = []
    for record in found:
        campaign = None if record.campaign_id is None else book.campaign_by_id(centre, record.campaign_id)
        names = contract.Names(
            list_name=lists.get(record.list_id),
            campaign_name=campaign.name if campaign is not None else None,
            user_name=users.get(record.agent_id) if record.agent_id is not None else None,
        )
        shown.append(contract.callback_object(record, names, now_s))
    return shown


async def post_callback(
    exchange: Exchange, services: Services, caller: Caller, list_name: str, chain_id: str, chain_n: str
) -> None:
    """``POST /admin/callbacks/<list>/<chain>/<place>`` with ``ReassignCallback``: another agent, the campaign, a time.

    Body: ``userName`` (absent: anyone of the campaign), ``timestamp`` (Unix seconds; absent: as it is, or now),
    ``version`` (as listed; 409 when the callback changed since).
    """
    require_supervisor(caller)
    _, content = await read_object(exchange, services)
    wanted = contract.parse_reassignment(content)
    owner = None
    if wanted.user_name is not None:
        user = await _user(services, caller, wanted.user_name)
        if not user.is_enabled:
            raise InvalidState("userName is disabled")
        owner = user.caller
    command = ReassignCallback(
        list_name=list_name,
        chain_id=_number(chain_id),
        chain_n=_number(chain_n),
        owner=owner,
        due_at_s=wanted.due_at_s,
        version=wanted.version,
    )
    asked = Asked(caller=caller, command=command, request_type=RequestType.CALLBACK_REASSIGN, door=Door.REST)
    await services.writer.submit(asked)
    await exchange.answer(SUCCESS)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > MAX_NUMBER_DIGITS:
        raise NotFound("there is no callback at this place of the list")
    return int(text)
