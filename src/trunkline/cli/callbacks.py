"""``trunkline callbacks``: which callbacks wait, are due or were missed, and who is to keep them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from trunkline.cli.remote import accepted, connected, with_server

PATH = "/api/v2/admin/callbacks"
STATES = ("waiting", "due", "onDesk", "missed")
PAGE = 500
"""Callbacks of one request, when more are asked for."""


@click.group("callbacks")
def callbacks() -> None:
    """Callbacks of a running server."""


@callbacks.command("list")
@click.option("--state", type=click.Choice(STATES), default="waiting", show_default=True)
@click.option("--list", "calling_list", help="Those of one calling list.")
@click.option("--campaign", help="Those of one campaign.")
@click.option("--agent", help="Those of one user name.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True)
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object a line.")
@with_server
def list_callbacks(
    *,
    url: str,
    user_name: str,
    password: str | None,
    state: str,
    calling_list: str | None,
    campaign: str | None,
    agent: str | None,
    limit: int,
    is_json: bool,
) -> None:
    """Show callbacks by their time, oldest first."""
    asked = {"state": state, "callingList": calling_list, "campaignName": campaign, "userName": agent}
    query = {name: value for name, value in asked.items() if value is not None}
    found: list[dict[str, Any]] = []
    with connected(url, user_name, password) as client:
        cursor: str | None = None
        while len(found) < limit:
            page = {**query, "limit": str(min(PAGE, limit - len(found)))} | ({"cursor": cursor} if cursor else {})
            body = accepted(client.get(f"{PATH}?{urlencode(page)}"))
            found += body["callbacks"]
            cursor = body["nextCursor"]
            if cursor is None:
                break
    if is_json:
        for one in found:
            click.echo(json.dumps(one, ensure_ascii=False))
        return
    table = Table(box=None, pad_edge=False)
    for title in ("due (UTC)", "late", "type", "agent", "list", "chain", "number", "result", "version"):
        table.add_column(title)
    for one in found:
        table.add_row(*(escape(str(cell)) for cell in _row(one)))
    Console(highlight=False).print(table)


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    due = datetime.fromtimestamp(one["timestamp"], tz=UTC).strftime("%Y-%m-%d %H:%M")
    late = one["lateSeconds"] // 60
    return (
        due,
        f"{late} min" if late else "held" if one["heldBy"] else "",
        one["callbackType"],
        one["userName"] or "",
        one["callingList"] or "",
        f"{one['chainId']}/{one['chainN']}",
        one["phoneNumber"],
        one["callResult"],
        one["version"],
    )


@callbacks.command("assign")
@click.argument("calling_list", metavar="LIST")
@click.argument("place", metavar="CHAIN/PLACE")
@click.option("--agent", help="The user name; without it anyone of the campaign gets the callback.")
@click.option("--at", help="Another time: yyyy-mm-ddThh:mm with an offset, for example 2026-12-24T09:00+01:00.")
@click.option("--version", type=click.IntRange(1), help="Refuse when the callback changed since this version.")
@with_server
def assign(
    *,
    url: str,
    user_name: str,
    password: str | None,
    calling_list: str,
    place: str,
    agent: str | None,
    at: str | None,
    version: int | None,
) -> None:
    """Give the callback at CHAIN/PLACE (as listed) of LIST to an agent or to the campaign."""
    chain, slash, number = place.partition("/")
    if not slash or not chain.isdigit() or not number.isdigit():
        raise click.UsageError("the place is given as CHAIN/PLACE, for example 4711/0")
    body: dict[str, Any] = {"operationName": "ReassignCallback"}
    wanted = {"userName": agent, "timestamp": None if at is None else _seconds(at), "version": version}
    body |= {name: value for name, value in wanted.items() if value is not None}
    with connected(url, user_name, password) as client:
        accepted(client.post(f"{PATH}/{quote(calling_list, safe='')}/{chain}/{number}", body))
    click.echo(f"callback {place} of {calling_list} is {agent}'s" if agent else f"callback {place} is the campaign's")


def _seconds(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise click.UsageError("--at has the form yyyy-mm-ddThh:mm with an offset, for example 2026-12-24T09:00+01:00")
    return int(moment.timestamp())
