"""JSON of an operation about the agent itself to a command: session and state.

Source: Web Services API 7.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from trunkline.contract import values
from trunkline.contract.answers import SERVED_CHANNELS
from trunkline.contract.names import AGENT_STATES, OFFLINE
from trunkline.contract.operations import VOICE_FEATURES, Operation, known_operation, optional_text, reference_of
from trunkline.contract.parsed import Parsed
from trunkline.contract.values import MAX_NAME, Body
from trunkline.domain import commands
from trunkline.domain.enums import RequestType
from trunkline.errors import NotFound, OutOfRange, TooLarge


def parse_me_operation(
    body: Body,
    features: Collection[str] | None = None,
    *,
    default_device_id: str = "",
    custom_states: Mapping[str, str] | None = None,
) -> Parsed:
    """An operation on ``/me``: the agent's session, or its state on all channels. Raises ``Refused``.

    ``default_device_id`` is the device of a session that names none. ``custom_states`` maps the contact
    centre's own state names to the fixed state that each counts as.
    """
    name, operation = known_operation(body, _with_custom_states(ON_ME, custom_states), features)
    reference = reference_of(body)
    if operation.request_type is not RequestType.SESSION_START:
        return Parsed(operation.read(_fixed_state(name, custom_states)), name, reference, operation.request_type)
    channels = _channels(body["channels"])
    command = operation.read(body, default_device_id)
    return Parsed(command, name, reference, operation.request_type, channels)


def parse_channel_operation(
    channel: str,
    body: Body,
    features: Collection[str] | None = None,
    *,
    custom_states: Mapping[str, str] | None = None,
) -> Parsed:
    """A change of state on ``/me/channels/<channel>``; ``NotFound`` for a channel that is not served."""
    if channel not in SERVED_CHANNELS:
        raise NotFound("there is no such channel")
    name, operation = known_operation(body, _with_custom_states(_ON_CHANNEL, custom_states), features)
    command = operation.read(_fixed_state(name, custom_states))
    return Parsed(command, name, reference_of(body), operation.request_type)


def _start_session(body: Body, default_device_id: str) -> commands.StartSession:
    for name in ("loginCode", "queue"):
        optional_text(body, name)
    path = body.get("devicePath")
    return commands.StartSession(
        device_id=default_device_id if path is None else values.device_path(path),
        place=optional_text(body, "place"),
    )


def _end_session(_: str) -> commands.EndSession:
    return commands.EndSession()


def _change_state(state_name: str) -> commands.ChangeState:
    return commands.ChangeState(state_name=state_name)


def _fixed_state(name: str, custom_states: Mapping[str, str] | None) -> str:
    return custom_states[name] if custom_states and name not in AGENT_STATES and name in custom_states else name


def _with_custom_states(table: dict[str, Operation], custom_states: Mapping[str, str] | None) -> dict[str, Operation]:
    if not custom_states:
        return table
    return {**{name: table[fixed] for name, fixed in custom_states.items()}, **table}


def _channels(value: Any) -> tuple[str, ...]:
    """The channels asked for, each once; ``OutOfRange`` when this server has none of them."""
    if type(value) is not list:
        raise OutOfRange("channels must be a list of strings")
    if len(value) > values.MAX_CHANNELS:
        raise TooLarge(f"channels holds more than {values.MAX_CHANNELS} names")
    channels = tuple(dict.fromkeys(values.text(channel, "channels", MAX_NAME) for channel in value))
    if SERVED_CHANNELS.isdisjoint(channels):
        raise OutOfRange("channels names no channel of this server; it has voice")
    return channels


_ON_CHANNEL: dict[str, Operation] = {
    **{name: Operation(_change_state, RequestType.AGENT_STATE, (), VOICE_FEATURES) for name in AGENT_STATES},
    # Offline is the state of who is not logged in, so to choose it is to log out.
    OFFLINE.name: Operation(_end_session, RequestType.SESSION_END, (), VOICE_FEATURES),
}
ON_ME: dict[str, Operation] = {
    "StartContactCenterSession": Operation(_start_session, RequestType.SESSION_START, ("channels",), VOICE_FEATURES),
    "EndContactCenterSession": Operation(_end_session, RequestType.SESSION_END, (), VOICE_FEATURES),
    **_ON_CHANNEL,
}
