"""Handshakes: who may open a session, and on what terms. Source: Bayeux 1.0, 4.1."""

from __future__ import annotations

import re

from trunkline.bayeux import channels, extensions, messages
from trunkline.bayeux.effects import SessionOpened
from trunkline.bayeux.messages import quoted
from trunkline.bayeux.request import Message, Request
from trunkline.bayeux.sessions import Session
from trunkline.errors import Defect
from trunkline.strict_json import Json

_QUOTED_TYPES = 8


def handshake(request: Request, message: Message, fresh_client_id: str) -> None:
    """Process a handshake: the only message of its request that counts.

    Source: Bayeux 1.0, 4.1. Version and connection types are checked as the specification has it.
    """
    message_id = messages.id_of(message, request.hub.config.max_id_length)
    if message_id is None:
        _refuse_handshake(request, messages.NO_ID, messages.MESSAGE_ID_INVALID, "none")
    elif not _is_version_supported(message):
        _refuse_handshake(request, message_id, f"300:{quoted(message.get('version'))}:Version mismatch", "none")
    elif (unsupported := _unsupported_types(request, message.get("supportedConnectionTypes"))) is not None:
        _refuse_handshake(request, message_id, f"301:{unsupported}:Connection types not supported", "none")
    elif request.policy.may_handshake(request.origin.principal) is not None:
        _refuse_handshake(request, message_id, messages.HANDSHAKE_DENIED, "none")
    elif request.hub.is_closing:
        _refuse_handshake(request, message_id, "403:shutting_down:create denied", "handshake")
    elif not request.hub.handshakes.may_open(request.origin.address, request.now_ms):
        _refuse_handshake(request, message_id, "403:too_many_handshakes:create denied", "handshake")
    elif _has_enough_sessions(request):
        # "handshake" lets clients try again with their back-off; places come free as sessions expire.
        _refuse_handshake(request, message_id, "403:too_many_sessions:create denied", "handshake")
    else:
        _open(request, message_id, fresh_client_id, message.get("ext"))


def _open(request: Request, message_id: object, client_id: str, ext: Json) -> None:
    hub = request.hub
    if hub.sessions.get(client_id) is not None:
        raise Defect("a fresh client id is in use already")
    grace_ms = hub.config.interval_ms + hub.config.max_interval_ms
    session = Session(client_id, request.origin.principal, request.now_ms + grace_ms, grace_ms=grace_ms)
    session.active_ms = request.now_ms
    session.acks = extensions.asks_for(ext, "ack")
    session.replays = bool(hub.config.replay_epoch) and extensions.asks_for(ext, "replay")
    if request.socket is not None:
        # One client speaks on a socket; what it began there before it has given up.
        for former in list(hub.on_socket.get(request.socket, {}).values()):
            hub.close(former, "replaced", request.effects)
    hub.sessions.add(session)
    hub.attach(session, request.socket, request.effects)
    request.effects.append(SessionOpened(client_id, request.origin.principal))
    fields: dict[str, object] = {
        "successful": True,
        "clientId": client_id,
        "version": messages.VERSION,
        "minimumVersion": messages.VERSION,
        "supportedConnectionTypes": hub.config.connection_types,
        "advice": hub.config.advice("retry"),
    }
    if granted := _granted(request, session, ext):
        fields["ext"] = granted
    request.replies.append(messages.reply(channels.HANDSHAKE, message_id, fields))


def _granted(request: Request, session: Session, ext: Json) -> dict[str, object]:
    """What the handshake's reply says of the extensions asked for."""
    granted: dict[str, object] = {}
    if session.acks:
        granted["ack"] = True
    if session.replays:
        granted["replay"] = True
    time_sync = request.time_sync(ext)
    if time_sync is not None and (answer := time_sync.answer(request.now_ms)) is not None:
        granted["timesync"] = answer
    return granted


def _refuse_handshake(request: Request, message_id: object, error: str, reconnect: str) -> None:
    advice = request.hub.config.advice(reconnect)
    request.replies.append(messages.refusal(channels.HANDSHAKE, message_id, error, advice=advice))


def _has_enough_sessions(request: Request) -> bool:
    sessions, config = request.hub.sessions, request.hub.config
    return (
        len(sessions) >= config.max_sessions
        or sessions.count_of(request.origin.principal) >= config.max_sessions_per_principal
    )


def _unsupported_types(request: Request, offered: Json) -> str | None:
    """Return ``None`` when there is a connection type in common, else those offered, to be quoted."""
    if offered is None:  # old scripts leave the list out; they all poll
        offered = ["long-polling"]
    if type(offered) is not list:
        return ""
    if any(name in offered for name in request.hub.config.connection_types):
        return None
    return ",".join(filter(None, map(quoted, offered[:_QUOTED_TYPES])))


def _is_version_supported(message: Message) -> bool:
    """Compare versions element by element: refuse who needs more than 1.0 and is itself above major 1.

    A missing version is accepted, since old scripts leave it out; a missing minimum is the version.
    """
    version = _elements(message.get("version"), "1.0")
    minimum = _elements(message.get("minimumVersion"), message.get("version") or "1.0")
    if version is None or minimum is None:
        return False
    return version[0] <= 1 or minimum <= (1,)


def _elements(value: Json, default: Json) -> tuple[int, ...] | None:
    """Return the numbers of a version without trailing zeros ("1.0" is 1), ``None`` if it is not a version."""
    text = str(default if value is None else value)
    parts = text.split(".")
    if len(text) > 32 or not parts[0].isdecimal() or not parts[0].isascii():
        return None
    numbers = [int(digits.group()) if (digits := re.match(r"[0-9]+", part)) else 0 for part in parts]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
