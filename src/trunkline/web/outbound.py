"""Operations of the Outbound API over REST: ``/me/outbound-records`` and ``/me/outbound-campaigns``.

An accepted operation is answered after its commit; everything it causes comes over CometD. Source: Web Services API
1 and 2; decisions 1, 2 and 7.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any

from trunkline.app.asking import Asked
from trunkline.app.ports import StoredRow
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


def begin(
    services: Services, caller: Caller, path: str, body: bytes, parse: Parse
) -> tuple[Parsed, asyncio.Future[StoredRow | None]]:
    """Parse one REST operation and hand it to the writer; the future is done when it is committed."""
    received_ns = services.clock.monotonic_ns()
    parsed = parse(decode_object(body, max_bytes=services.settings.max_body_bytes))
    done = services.writer.submit(
        Asked(
            caller=caller,
            command=parsed.command,
            request_type=parsed.request_type,
            door=Door.REST,
            reference=parsed.reference,
            request_key=None if parsed.reference is None else request_key(caller, path, body),
            received_ns=received_ns,
        )
    )
    return parsed, done


async def carry_out(exchange: Exchange, services: Services, caller: Caller, parse: Parse) -> Parsed:
    """Read, parse and carry out one REST operation; returns when it is committed."""
    body = await exchange.body(services.settings.max_body_bytes)
    parsed, done = begin(services, caller, exchange.path, body, parse)
    await done
    return parsed


def parse_record(handle: int | None, features: frozenset[str]) -> Parse:
    """The parser of operations on a record, or of AddRecord without a handle."""
    return lambda content: parse_record_operation(handle, content, features)


async def post_record(exchange: Exchange, services: Services, caller: Caller, handle: int | None) -> None:
    """``POST /me/outbound-records[/<handle>]``."""
    await carry_out(exchange, services, caller, parse_record(handle, caller.features))
    await exchange.answer(SUCCESS)


async def post_campaign(exchange: Exchange, services: Services, caller: Caller, name: str) -> None:
    """``POST /me/outbound-campaigns/<name>``."""
    features = caller.features
    await carry_out(exchange, services, caller, lambda content: parse_campaign_operation(name, content, features))
    await exchange.answer(SUCCESS)
