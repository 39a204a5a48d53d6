"""Control of campaign groups over HTTP, their states and statistics; for supervisors and administrators."""

from __future__ import annotations

from trunkline.app.stored import ScheduleRun
from trunkline.contract.answers import answer
from trunkline.contract.group_control import group_object, group_statistics, list_statistics, parse_control
from trunkline.domain.campaigns import Campaign
from trunkline.domain.group_control import ControlRefused, ServerError
from trunkline.domain.objects import ObjectKind
from trunkline.domain.people import Caller
from trunkline.domain.permissions import Permission
from trunkline.domain.schedules import LOOK_BACK_S
from trunkline.errors import NotFound
from trunkline.web.admin import require_supervisor
from trunkline.web.exchange import Exchange
from trunkline.web.outbound import read_object, request_key
from trunkline.web.rows import Row
from trunkline.web.services import Services

MAX_ID_DIGITS = 10
"""Digits of an object's number, which fits 32 bits."""

ADMIN = "/api/v2/admin"


def rows() -> list[Row]:
    """The routes. The states of all groups come before ``/<id>`` of whoever serves the objects themselves."""
    one = f"{ADMIN}/campaign-groups/{{object_id}}"
    supervise = Permission.SUPERVISE
    group, by_list = {"object_id": "campaign-group"}, {"list_name": "list name"}
    return [
        Row("GET", f"{ADMIN}/campaign-groups/status", get_all_status, supervise),
        Row("POST", one, post_group, supervise, group),
        Row("GET", f"{one}/status", get_status, supervise, group),
        Row("GET", f"{one}/statistics", get_statistics, supervise, group),
        Row("GET", f"{ADMIN}/calling-lists/{{list_name}}/statistics", get_list_statistics, supervise, by_list),
        Row("GET", f"{ADMIN}/schedules/{{object_id}}/runs", get_runs, supervise, {"object_id": "schedule"}),
    ]


async def get_all_status(exchange: Exchange, services: Services, caller: Caller) -> None:
    """``GET /admin/campaign-groups/status``: how all groups of the contact centre stand, by number."""
    require_supervisor(caller)
    groups = services.book.groups_of(caller.contact_centre_id)
    await exchange.answer(answer(campaignGroups=[_shown(services, campaign) for campaign in groups]))


async def post_group(exchange: Exchange, services: Services, caller: Caller, object_id: str) -> None:
    """``POST /admin/campaign-groups/<id>`` with Load, Start, Stop, SetDialingMode, Complete, Unload or ForceUnload.

    The answer holds the group as it stands then. A refusal has the control protocol's ``errorCode`` and ``errorName``.
    """
    require_supervisor(caller)
    body, content = await read_object(exchange, services)
    request = parse_control(content)
    campaign = await services.groups.control(
        caller,
        _number(object_id),
        request.wish,
        reference=request.reference,
        request_key=None if request.reference is None else request_key(caller, exchange.path, body),
    )
    await exchange.answer(answer(campaignGroup=_shown(services, campaign)))


async def get_status(exchange: Exchange, services: Services, caller: Caller, object_id: str) -> None:
    """``GET /admin/campaign-groups/<id>/status``."""
    campaign = _group(services, caller, object_id)
    await exchange.answer(answer(campaignGroup=_shown(services, campaign)))


async def get_statistics(exchange: Exchange, services: Services, caller: Caller, object_id: str) -> None:
    """``GET /admin/campaign-groups/<id>/statistics``."""
    campaign = _group(services, caller, object_id)
    figures = await services.statistics.of_group(campaign)
    state = services.book.group_state(campaign.contact_centre_id, campaign.group_id)
    await exchange.answer(answer(statistics=group_statistics(figures, state)))


async def get_list_statistics(exchange: Exchange, services: Services, caller: Caller, list_name: str) -> None:
    """``GET /admin/calling-lists/<list>/statistics``."""
    require_supervisor(caller)
    calling_list = services.book.list_named(caller.contact_centre_id, list_name)
    figures = await services.statistics.of_list(calling_list)
    await exchange.answer(answer(statistics=list_statistics(figures, is_whole=True)))


async def get_runs(exchange: Exchange, services: Services, caller: Caller, object_id: str) -> None:
    """``GET /admin/schedules/<id>/runs``: what came of the schedule's turns of the last eight days, newest first."""
    require_supervisor(caller)
    is_number = object_id.isascii() and object_id.isdigit() and len(object_id) <= MAX_ID_DIGITS
    stored = services.book.object(caller.contact_centre_id, ObjectKind.SCHEDULE, int(object_id) if is_number else 0)
    if stored is None:
        raise NotFound("there is no schedule with this id")
    since_s = services.clock.now_s() - LOOK_BACK_S
    runs = await services.store.schedule_runs(caller.contact_centre_id, since_s)
    shown = [run_object(run) for run in reversed(runs) if run.schedule_id == stored.object_id]
    await exchange.answer(answer(runs=shown))


def run_object(run: ScheduleRun) -> dict[str, object]:
    """A turn of a schedule: which item, when it was due (Unix seconds) and done, what came of it for each group."""
    return {"item": run.item_n, "dueAt": run.due_at_s, "doneAt": run.done_at_ms, "outcome": run.outcome}


def _group(services: Services, caller: Caller, object_id: str) -> Campaign:
    require_supervisor(caller)
    return services.groups.status(caller, _number(object_id))


def _shown(services: Services, campaign: Campaign) -> dict[str, object]:
    return group_object(campaign, services.book.group_state(campaign.contact_centre_id, campaign.group_id))


def _number(object_id: str) -> int:
    if object_id.isascii() and object_id.isdigit() and len(object_id) <= MAX_ID_DIGITS:
        return int(object_id)
    raise ControlRefused(ServerError.CAMPAIGN_GROUP_NOT_FOUND, "there is no campaign group with this id")
