"""Operations on ``/me`` and ``/me/channels/<channel>``: log in, log out, agent state. Source: Web Services API 7."""

from __future__ import annotations

from trunkline.contract.answers import SUCCESS, session_answer
from trunkline.contract.requests import parse_channel_operation, parse_me_operation
from trunkline.domain.enums import RequestType
from trunkline.domain.people import Caller
from trunkline.web.exchange import Exchange
from trunkline.web.outbound import carry_out
from trunkline.web.services import Services


async def post_me(exchange: Exchange, services: Services, caller: Caller) -> None:
    """``POST /me``: StartContactCenterSession, EndContactCenterSession, or a state on all channels."""
    device_id = caller.devices[0].device_id if caller.devices else ""
    parsed = await carry_out(
        exchange,
        services,
        caller,
        lambda body: parse_me_operation(body, caller.features, default_device_id=device_id),
    )
    if parsed.request_type is RequestType.SESSION_START:
        services.auth.start_session(exchange, caller, is_secure=services.settings.session_cookie_secure)
        await exchange.answer(session_answer(parsed.channels))
        return
    if parsed.request_type is RequestType.SESSION_END and parsed.operation_name == "EndContactCenterSession":
        services.auth.end_session(exchange)
    await exchange.answer(SUCCESS)


async def post_channel(exchange: Exchange, services: Services, caller: Caller, channel: str) -> None:
    """``POST /me/channels/<channel>``: a change of state."""
    await carry_out(
        exchange,
        services,
        caller,
        lambda body: parse_channel_operation(channel, body, caller.features),
    )
    await exchange.answer(SUCCESS)
