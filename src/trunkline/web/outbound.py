"""Operations of the Outbound API over REST: ``/me/outbound-records`` and ``/me/outbound-campaigns``.

An accepted operation is answered after its commit; everything it causes comes over CometD. Source: Web Services API
1 and 2; decisions 1, 2 and 7.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from trunkline.app.asking import Asked
from trunkline.contract.answers import SUCCESS
from trunkline.contract.parsed import Parsed
from trunkline.contract.requests import parse_campaign_operation, parse_record_operation
from trunkline.domain.enums import Door
from trunkline.domain.people import Caller
from trunkline.strict_json import decode_object
from trunkline.web.exchange import Exchange
from trunkline.web.services import Services

Parse = Callable[[dict[str, Any]], Parsed]


async def read_object(exchange: Exchange, services: Services) -> tuple[bytes, dict[str, Any]]:
    """The body as sent and as an object."""
    max_bytes = services.settings.max_body_bytes
    body = await exchange.body(max_bytes)
    return body, decode_object(body, max_bytes=max_bytes)


def request_key(caller: Caller, path: str, body: bytes) -> int:
    """The 64-bit number by which a repeated request is recognised (decisions 7)."""
    head = f"{caller.contact_centre_id}:{caller.user_id}:{path}:".encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(head + body, digest_size=8).digest(), "big", signed=True)


async def carry_out(exchange: Exchange, services: Services, caller: Caller, parse: Parse, received_ns: int) -> Parsed:
    """Read, parse and carry out one REST operation; returns when it is committed."""
    body, content = await read_object(exchange, services)
    parsed = parse(content)
    await services.writer.submit(
        Asked(
            caller=caller,
            command=parsed.command,
            request_type=parsed.request_type,
            door=Door.REST,
            reference=parsed.reference,
            request_key=None if parsed.reference is None else request_key(caller, exchange.path, body),
            received_ns=received_ns,
        )
    )
    return parsed


async def post_record(exchange: Exchange, services: Services, caller: Caller, handle: int | None) -> None:
    """``POST /me/outbound-records[/<handle>]``."""
    received_ns = services.clock.monotonic_ns()
    features = caller.features
    await carry_out(
        exchange, services, caller, lambda body: parse_record_operation(handle, body, features), received_ns
    )
    await exchange.answer(SUCCESS)


async def post_campaign(exchange: Exchange, services: Services, caller: Caller, name: str) -> None:
    """``POST /me/outbound-campaigns/<name>``."""
    received_ns = services.clock.monotonic_ns()
    features = caller.features
    await carry_out(
        exchange, services, caller, lambda body: parse_campaign_operation(name, body, features), received_ns
    )
    await exchange.answer(SUCCESS)
