"""What an administrator sees and does of a webhook's deliveries: ``/admin/webhooks/<id>/deliveries``.

Who may use them stands in the table of routes.
"""

from __future__ import annotations

from trunkline.contract.answers import SUCCESS, answer
from trunkline.contract.deliveries import deliveries_object
from trunkline.domain.people import Caller
from trunkline.domain.permissions import Permission
from trunkline.errors import InvalidState, MissingParameter, NotFound, OutOfRange
from trunkline.web.exchange import Exchange
from trunkline.web.outbound import read_object
from trunkline.web.rows import Row
from trunkline.web.services import Services

MAX_ID_DIGITS = 9
"""Digits of an object's number, which fits 32 bits."""


def rows() -> list[Row]:
    """The routes."""
    webhook, deliveries = {"webhook_id": "webhook"}, "/api/v2/admin/webhooks/{webhook_id}/deliveries"
    return [
        Row("GET", deliveries, get_deliveries, Permission.ADMINISTER, webhook),
        Row("POST", deliveries, post_deliveries, Permission.ADMINISTER, webhook),
    ]


async def get_deliveries(exchange: Exchange, services: Services, caller: Caller, webhook_id: str) -> None:
    """``GET``: how the deliveries fare."""
    postman = services.webhooks.postman(caller.contact_centre_id, _number(webhook_id))
    if postman is None:
        shown = deliveries_object(None)
    else:
        shown = deliveries_object(
            postman.progress, position=postman.reports.position, newest=services.webhooks.tail.newest
        )
    await exchange.answer(answer(deliveries=shown))


async def post_deliveries(exchange: Exchange, services: Services, caller: Caller, webhook_id: str) -> None:
    """``POST`` with ``Resume``: try again at once, also what was given up."""
    number = _number(webhook_id)
    _, content = await read_object(exchange, services)
    if content.get("operationName") is None:
        raise MissingParameter("operationName is required")
    if content["operationName"] != "Resume":
        raise OutOfRange("operationName must be Resume")
    postman = services.webhooks.postman(caller.contact_centre_id, number)
    if postman is None:
        raise InvalidState("the webhook is disabled")
    postman.resume()
    await exchange.answer(SUCCESS)


def _number(webhook_id: str) -> int:
    if not webhook_id.isascii() or not webhook_id.isdigit() or len(webhook_id) > MAX_ID_DIGITS:
        raise NotFound("there is no webhook with this id")
    return int(webhook_id)
