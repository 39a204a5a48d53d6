"""Single persons over HTTP, for administrators: everything that is kept about one, or its erasure.

The person stands in the body, not in the address: addresses end up in logs.
"""

from __future__ import annotations

import secrets
from typing import Any

from trunkline.app.persons import EraseOrder, Person, Persons
from trunkline.contract.answers import answer
from trunkline.domain.enums import Door
from trunkline.domain.people import Caller
from trunkline.domain.permissions import Permission
from trunkline.errors import OutOfRange
from trunkline.web.exchange import Exchange
from trunkline.web.outbound import read_object
from trunkline.web.rows import Row
from trunkline.web.services import Services


def rows() -> list[Row]:
    """The routes of persons."""
    base = "/api/v2/admin/persons"
    return [
        Row("POST", f"{base}/export", post_export, Permission.ADMINISTER),
        Row("POST", f"{base}/erase", post_erase, Permission.ADMINISTER),
    ]


async def post_export(exchange: Exchange, services: Services, caller: Caller) -> None:
    """``POST .../export`` with ``number`` and ``region``, or ``customerId``: everything that is kept, as JSON."""
    content = await _content(exchange, services, "number", "region", "customerId")
    found = await _persons(services).export(caller, _person(content), Door.REST)
    await exchange.answer(answer(person=found))


async def post_erase(exchange: Exchange, services: Services, caller: Caller) -> None:
    """``POST .../erase`` with ``reason``, and ``dryRun`` or ``doNotCall``: a report of what was (would be) erased."""
    content = await _content(exchange, services, "number", "region", "customerId", "reason", "dryRun", "doNotCall")
    order = EraseOrder(
        reason=_text(content, "reason"),
        is_dry_run=_switch(content, "dryRun"),
        is_to_suppress=_switch(content, "doNotCall"),
        door=Door.REST,
    )
    report = await _persons(services).erase(caller, _person(content), order)
    await exchange.answer(answer(report=report))


def _persons(services: Services) -> Persons:
    store, submit = services.store, services.writer.submit
    return Persons(store, submit, services.clock, lambda: services.book, lambda: secrets.token_hex(12))


async def _content(exchange: Exchange, services: Services, *names: str) -> dict[str, Any]:
    """The body; what nobody understands is refused: ``dryrun`` must not erase."""
    _, content = await read_object(exchange, services)
    if set(content) - set(names):
        raise OutOfRange(f"the body may hold {', '.join(names)} alone")
    return content


def _person(content: dict[str, Any]) -> Person:
    return Person(
        number=_text(content, "number"), customer_id=_text(content, "customerId"), region=_text(content, "region")
    )


def _text(content: dict[str, Any], name: str) -> str:
    value = content.get(name) or ""
    if not isinstance(value, str):
        raise OutOfRange(f"{name} must be a text")
    return value.strip()


def _switch(content: dict[str, Any], name: str) -> bool:
    value = content.get(name, False)
    if not isinstance(value, bool):
        raise OutOfRange(f"{name} must be true or false")
    return value
