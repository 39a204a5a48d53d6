"""Work on whole lists over HTTP: what a filter selects, recycling and its undoing, moving chains to another list."""

from __future__ import annotations

from typing import Any

import msgspec

from trunkline.app.lists.filters import counted, explained, parsed_for
from trunkline.app.lists.work import ListWork, MoveOrder, RecycleOrder
from trunkline.contract.answers import answer
from trunkline.domain.campaigns import CallingList
from trunkline.domain.enums import Door
from trunkline.domain.people import Caller
from trunkline.domain.permissions import Permission
from trunkline.errors import MissingParameter, NotFound, OutOfRange
from trunkline.strict_json import decode_object
from trunkline.web.exchange import Exchange
from trunkline.web.outbound import read_object
from trunkline.web.rows import Row
from trunkline.web.services import Services

MAX_RUNS = 100
"""Recyclings of one answer, the newest: who looks further back knows the number."""
MAX_RUN_DIGITS = 9


def rows() -> list[Row]:
    """The routes; all are for supervisors."""
    api, supervise = "/api/v2/admin", Permission.SUPERVISE
    in_list, by_list = f"{api}/calling-lists/{{list_name}}", {"list_name": "list name"}
    run = {"list_name": "list name", "run_id": "recycling"}
    return [
        Row("POST", f"{api}/filters/check", post_check, supervise),
        Row("GET", f"{in_list}/recyclings", get_recyclings, supervise, by_list),
        Row("POST", f"{in_list}/recyclings", post_recycling, supervise, by_list),
        Row("POST", f"{in_list}/recyclings/{{run_id}}/undo", post_undo, supervise, run),
        Row("POST", f"{in_list}/moves", post_move, supervise, by_list),
        Row("POST", f"{in_list}/removals", post_removal, supervise, by_list),
    ]


class _Fields:
    """The fields of a body, each of one type; what is not there is None."""

    def __init__(self, content: dict[str, Any], *known: str) -> None:
        unknown = sorted(set(content) - set(known))
        if unknown:
            # A misspelled dryRun must not change a list.
            raise OutOfRange(f"the body may hold {', '.join(known)} alone" if known else "the body must be empty or {}")
        self._content = content

    def text(self, name: str) -> str:
        value = self._content.get(name)
        if value is not None and not isinstance(value, str):
            raise OutOfRange(f"{name} must be a text")
        return value or ""

    def switch(self, name: str) -> bool:
        value = self._content.get(name)
        if value is not None and not isinstance(value, bool):
            raise OutOfRange(f"{name} must be true or false")
        return bool(value)

    def number(self, name: str) -> int | None:
        value = self._content.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise OutOfRange(f"{name} must be a whole number")
        return value


def _list(services: Services, caller: Caller, name: str) -> CallingList:
    return services.book.list_named(caller.contact_centre_id, name)


def _work(services: Services) -> ListWork:
    return ListWork(services.store, services.clock, services.writer.submit)


async def post_check(exchange: Exchange, services: Services, caller: Caller) -> None:
    """``POST /admin/filters/check``: how a filter is understood, and how many records of a list it selects now.

    Body: ``criteria``, ``orderBy``, ``callingList``; without a list any custom field may be named, and nothing counted.
    """
    _, content = await read_object(exchange, services)
    fields = _Fields(content, "criteria", "orderBy", "callingList")
    name = fields.text("callingList")
    calling_list = _list(services, caller, name) if name else None
    parsed = parsed_for(calling_list, fields.text("criteria"), fields.text("orderBy"))
    found = None
    if calling_list is not None:
        found = await counted(services.store, calling_list, parsed, services.clock.now_s())
    await exchange.answer(answer(explanation=explained(parsed), records=found))


async def get_recyclings(exchange: Exchange, services: Services, caller: Caller, list_name: str) -> None:
    """``GET /admin/calling-lists/<list>/recyclings``: the newest first."""
    calling_list = _list(services, caller, list_name)
    async with services.store.begin() as unit:
        runs = await unit.recycle_runs(calling_list.contact_centre_id, calling_list.list_id, MAX_RUNS)
    shown = [
        {
            "runId": run.run_id,
            "madeAt": run.made_at_ms,
            "records": run.records,
            "state": run.state.value,
            "which": run.what,
        }
        for run in runs
    ]
    await exchange.answer(answer(recyclings=shown))


async def post_recycling(exchange: Exchange, services: Services, caller: Caller, list_name: str) -> None:
    """``POST /admin/calling-lists/<list>/recyclings``: make records callable again.

    Body: ``criteria`` (none: the whole list), ``keepAttempts``, ``dryRun``, which counts only.
    """
    calling_list = _list(services, caller, list_name)
    _, content = await read_object(exchange, services)
    fields = _Fields(content, "criteria", "keepAttempts", "dryRun")
    order = RecycleOrder(criteria=fields.text("criteria"), keeps_attempts=fields.switch("keepAttempts"))
    if fields.switch("dryRun"):
        report = await _work(services).count(caller, calling_list, order)
    else:
        report = await _work(services).recycle(caller, calling_list, order, Door.REST)
    await exchange.answer(answer(report=msgspec.to_builtins(report)))


async def post_undo(exchange: Exchange, services: Services, caller: Caller, list_name: str, run_id: str) -> None:
    """``POST /admin/calling-lists/<list>/recyclings/<run>/undo``: give records back what they had.

    No body, or an empty object. The report says how many records were ``left``, and why.
    """
    calling_list = _list(services, caller, list_name)
    body = await exchange.body(services.settings.max_body_bytes)
    if body.strip():
        _Fields(decode_object(body, max_bytes=services.settings.max_body_bytes))
    if not run_id.isascii() or not run_id.isdigit() or len(run_id) > MAX_RUN_DIGITS:
        raise NotFound("there is no recycling with this number in the list")
    report = await _work(services).undo(caller, calling_list, int(run_id), Door.REST)
    await exchange.answer(answer(report=msgspec.to_builtins(report)))


async def post_removal(exchange: Exchange, services: Services, caller: Caller, list_name: str) -> None:
    """``POST /admin/calling-lists/<list>/removals``: take records out for good.

    Body: ``criteria`` selects them; without, ``all`` must be true. ``dryRun`` counts only.
    """
    calling_list = _list(services, caller, list_name)
    _, content = await read_object(exchange, services)
    fields = _Fields(content, "criteria", "all", "dryRun")
    criteria = fields.text("criteria")
    if bool(criteria.strip()) is fields.switch("all"):
        raise MissingParameter("criteria is required, or all: true for the whole list")
    is_dry_run = fields.switch("dryRun")
    report = await _work(services).empty(caller, calling_list, criteria, is_dry_run=is_dry_run, door=Door.REST)
    await exchange.answer(answer(report=msgspec.to_builtins(report)))


async def post_move(exchange: Exchange, services: Services, caller: Caller, list_name: str) -> None:
    """``POST /admin/calling-lists/<list>/moves``: move chains to another list, which splits or merges them.

    Body: ``targetList``, and of the chains that ``criteria`` selects ``count`` or ``percent``; ``dryRun`` counts only.
    A target with other custom fields is refused unless ``allowOtherFormat``; records then keep the values they have.
    """
    source = _list(services, caller, list_name)
    _, content = await read_object(exchange, services)
    fields = _Fields(content, "targetList", "criteria", "count", "percent", "allowOtherFormat", "dryRun")
    name = fields.text("targetList")
    if not name:
        raise MissingParameter("targetList is required")
    order = MoveOrder(
        criteria=fields.text("criteria"),
        count=fields.number("count"),
        percent=fields.number("percent"),
        allows_other_format=fields.switch("allowOtherFormat"),
    )
    is_dry_run = fields.switch("dryRun")
    target = _list(services, caller, name)
    report = await _work(services).move(caller, source, target, order, is_dry_run=is_dry_run, door=Door.REST)
    await exchange.answer(answer(report=msgspec.to_builtins(report)))
