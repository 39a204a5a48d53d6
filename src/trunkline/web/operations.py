"""The desktop's door: ``POST /internal-api/operations`` with SendUserEvent, on the same use cases as REST.

Faults of the envelope are refused over HTTP. A refusal of the request itself is answered with success and told by an
``ErrorMessage`` event, because the desktop waits for an event. Source: Web Services API 3; decisions 2.
"""

from __future__ import annotations

from trunkline.app.access import check_device
from trunkline.app.asking import Asked
from trunkline.app.rescue import ReportFailure
from trunkline.contract.answers import SUCCESS
from trunkline.contract.parsed import Parsed, ParsedFailure, failure_event
from trunkline.contract.user_events import parse_user_event
from trunkline.domain.enums import Door
from trunkline.domain.people import Caller
from trunkline.errors import Refused
from trunkline.web.exchange import Exchange
from trunkline.web.outbound import read_object
from trunkline.web.services import Services


async def post_operation(exchange: Exchange, services: Services, caller: Caller) -> None:
    """Carry out what a user event asks for; user data that asks for nothing is accepted and has no effect."""
    received_ns = services.clock.monotonic_ns()
    _, content = await read_object(exchange, services)
    parsed = parse_user_event(content, caller.features)
    if parsed is None:
        check_device(caller, content["deviceId"])
        await exchange.answer(SUCCESS)
        return
    if isinstance(parsed, ParsedFailure):
        check_device(caller, parsed.device_id)
        await _report(services, caller, parsed, parsed.error, received_ns)
    else:
        check_device(caller, content["deviceId"])
        asked = Asked(
            caller=caller,
            command=parsed.command,
            request_type=parsed.request_type,
            door=Door.USER_EVENT,
            reference=parsed.reference,
            received_ns=received_ns,
        )
        try:
            await services.writer.submit(asked)
        except Refused as error:
            await _report(services, caller, parsed, error, received_ns)
    await exchange.answer(SUCCESS)


async def _report(
    services: Services, caller: Caller, parsed: Parsed | ParsedFailure, error: Refused, received_ns: int
) -> None:
    """Store the refusal as the event that the desktop waits for."""
    failure = failure_event(parsed, error, Door.USER_EVENT)
    await services.writer.submit(
        Asked(
            caller=caller,
            command=ReportFailure(device_id=failure.device_id, failure=failure),
            request_type=parsed.request_type,
            door=Door.USER_EVENT,
            reference=parsed.reference,
            received_ns=received_ns,
        )
    )
