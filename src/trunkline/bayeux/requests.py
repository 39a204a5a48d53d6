"""One request: its messages in order, the replies and effects that follow."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from typing import ClassVar

from trunkline.bayeux import channels, messages
from trunkline.bayeux.effects import (
    Answer,
    Effect,
    Hold,
    Published,
    SessionOpened,
    Subscribed,
    Unsubscribed,
)
from trunkline.bayeux.hub import Hub
from trunkline.bayeux.policy import DENIED, Policy
from trunkline.bayeux.sessions import HeldConnect, Session
from trunkline.errors import Defect
from trunkline.strict_json import Json

# What may be quoted in an error's arguments, so that no error text can be forged by its sender.
_quotable = re.compile(r"[A-Za-z0-9.\-]{1,32}")
_QUOTED_TYPES = 8

_Message = dict[str, Json]


class Broadcast:
    """What a granted publish leaves to be done once the request is through."""

    __slots__ = ("channel", "encoded")

    def __init__(self, channel: str, encoded: bytes) -> None:
        self.channel = channel
        self.encoded = encoded


class Request:
    """State of one exchange while its messages are processed; ``finish`` yields the answer."""

    def __init__(
        self,
        hub: Hub,
        policy: Policy,
        *,
        exchange: Hashable,
        principal: Hashable,
        now_ms: int,
        may_subscribe: bool,
        is_alone: bool,
    ) -> None:
        self._hub = hub
        self._policy = policy
        self._exchange = exchange
        self._principal = principal
        self._now_ms = now_ms
        self._may_subscribe = may_subscribe
        self._is_alone = is_alone
        self._is_held = False
        self._events: list[bytes] = []
        self._replies: list[bytes] = []
        self._connect_replies: list[bytes] = []
        self.effects: list[Effect] = []
        self.broadcasts: list[Broadcast] = []

    def finish(self) -> None:
        """Append the answer, unless the request is held: events, replies as asked for, connect replies last."""
        if not self._is_held:
            body = messages.join(self._events + self._replies + self._connect_replies)
            self.effects.append(Answer(self._exchange, 200, body))

    def handle(self, message: _Message) -> None:
        """Process one message that is not a handshake."""
        message_id = messages.id_of(message, self._hub.config.max_id_length)
        channel = message.get("channel")
        if type(channel) is not str:
            self._refuse(None, message_id, messages.CHANNEL_MISSING)
            return
        if message_id is None:
            self._refuse(channel, messages.NO_ID, messages.MESSAGE_ID_INVALID)
            return
        session = self._hub.sessions.find(message.get("clientId"), self._principal)
        if session is None:
            if channel == channels.CONNECT:
                self._connect_replies.append(self._hub.unknown_client(message_id))
            else:
                self._refuse(channel, message_id, messages.UNKNOWN_CLIENT)
            return
        handler = self._handlers.get(channel, Request._publish)
        handler(self, session, message, channel, message_id)

    def handshake(self, message: _Message, fresh_client_id: str) -> None:
        """Process a handshake: the only message of its request that counts.

        Source: Bayeux 1.0, 4.1. Version and connection types are checked as the specification has it.
        """
        message_id = messages.id_of(message, self._hub.config.max_id_length)
        if message_id is None:
            self._refuse_handshake(messages.NO_ID, messages.MESSAGE_ID_INVALID, "none")
        elif not _is_version_supported(message):
            self._refuse_handshake(message_id, f"300:{_quoted(message.get('version'))}:Version mismatch", "none")
        elif (unsupported := self._unsupported_types(message.get("supportedConnectionTypes"))) is not None:
            self._refuse_handshake(message_id, f"301:{unsupported}:Connection types not supported", "none")
        elif self._policy.may_handshake(self._principal) is not None:
            self._refuse_handshake(message_id, messages.HANDSHAKE_DENIED, "none")
        elif self._hub.is_closing:
            self._refuse_handshake(message_id, "403:shutting_down:create denied", "handshake")
        elif self._has_enough_sessions():
            # "handshake" lets clients try again with their back-off; places come free as sessions expire.
            self._refuse_handshake(message_id, "403:too_many_sessions:create denied", "handshake")
        else:
            self._open(message_id, fresh_client_id)

    def _open(self, message_id: object, client_id: str) -> None:
        hub = self._hub
        if hub.sessions.get(client_id) is not None:
            raise Defect("a fresh client id is in use already")
        grace_ms = hub.config.interval_ms + hub.config.max_interval_ms
        hub.sessions.add(Session(client_id, self._principal, self._now_ms + grace_ms, grace_ms=grace_ms))
        self.effects.append(SessionOpened(client_id, self._principal))
        fields: dict[str, object] = {
            "successful": True,
            "clientId": client_id,
            "version": messages.VERSION,
            "minimumVersion": messages.VERSION,
            "supportedConnectionTypes": hub.config.connection_types,
            "advice": hub.config.advice("retry"),
        }
        self._replies.append(messages.reply(channels.HANDSHAKE, message_id, fields))

    def _refuse_handshake(self, message_id: object, error: str, reconnect: str) -> None:
        advice = self._hub.config.advice(reconnect)
        self._replies.append(messages.refusal(channels.HANDSHAKE, message_id, error, advice=advice))

    def _has_enough_sessions(self) -> bool:
        sessions, config = self._hub.sessions, self._hub.config
        return (
            len(sessions) >= config.max_sessions
            or sessions.count_of(self._principal) >= config.max_sessions_per_principal
        )

    def _unsupported_types(self, offered: Json) -> str | None:
        """Return ``None`` when there is a connection type in common, else those offered, to be quoted."""
        if offered is None:  # old scripts leave the list out; they all poll
            offered = ["long-polling"]
        if type(offered) is not list:
            return ""
        if any(name in offered for name in self._hub.config.connection_types):
            return None
        return ",".join(filter(None, map(_quoted, offered[:_QUOTED_TYPES])))

    def _connect(self, session: Session, message: _Message, channel: str, message_id: object) -> None:
        hub = self._hub
        connection_type = message.get("connectionType")
        if connection_type is None:
            self._refuse_connect(message_id, messages.CONNECTION_TYPE_MISSING, "retry")
            return
        if connection_type not in hub.config.connection_types:
            error = f"301:{_quoted(connection_type)}:Connection types not supported"
            self._refuse_connect(message_id, error, "none")
            return
        hub.settle(session, self._exchange, self.effects)
        hub.supersede(session, self.effects)
        timeout_ms = self._read_advice(session, message.get("advice"))
        is_first = not session.has_connected
        session.has_connected = True
        encoded_id = messages.encoded_id_field(message_id)
        # Held only when alone: clients wait for the other replies of a batch.
        if is_first or not self._is_alone or session.queue or timeout_ms == 0 or hub.is_closing:
            self._events += [entry.encoded for entry in hub.take(session, self._exchange)]
            self._connect_replies.append(hub.retry.with_id(encoded_id))
            hub.rest(session, self._now_ms)
            return
        until_ms = self._now_ms + timeout_ms
        hub.hold(session, HeldConnect(self._exchange, encoded_id), until_ms)
        self._is_held = True
        self.effects.append(Hold(self._exchange, session.client_id, until_ms))

    def _read_advice(self, session: Session, advice: Json) -> int:
        """Set the session's grace and return the timeout, both for this connect only.

        The client may shorten the timeout and ask for a longer interval; neither may grow past what the
        operator set, so that a session does not outlive its client by more than twice ``max_interval_ms``.
        """
        config = self._hub.config
        asked = advice if type(advice) is dict else {}
        timeout_ms = _milliseconds(asked.get("timeout"), config.timeout_ms, config.timeout_ms)
        interval_ms = _milliseconds(asked.get("interval"), 0, config.max_interval_ms)
        session.grace_ms = max(interval_ms, config.interval_ms) + config.max_interval_ms
        return timeout_ms

    def _refuse_connect(self, message_id: object, error: str, reconnect: str) -> None:
        advice = self._hub.config.advice(reconnect)
        self._connect_replies.append(messages.refusal(channels.CONNECT, message_id, error, advice=advice))

    def _disconnect(self, session: Session, message: _Message, channel: str, message_id: object) -> None:
        self._hub.settle(session, self._exchange, self.effects)
        self._hub.close(session, "disconnect", self.effects)
        self._replies.append(messages.reply(channel, message_id, {"successful": True}))

    def _subscribe(self, session: Session, message: _Message, channel: str, message_id: object) -> None:
        subscription = message.get("subscription")
        names = _names(subscription)
        error = self._subscribe_error(session, subscription, names)
        if error is not None:
            self._refuse_subscription(channel, message_id, subscription, names, error)
            return
        for name in names:
            if name in session.subscriptions or channels.is_service(name):
                continue
            session.subscriptions.add(name)
            self.effects.append(Subscribed(session.client_id, self._principal, name))
        fields = {"successful": True, "subscription": subscription}
        self._replies.append(messages.reply(channel, message_id, fields))

    def _subscribe_error(self, session: Session, subscription: Json, names: list[str]) -> str | None:
        """Return the error that refuses the whole message, or ``None``: all channels or none."""
        error = self._subscription_error(subscription, names)
        if error is not None:
            return error
        if not self._may_subscribe:
            return messages.SUBSCRIBE_FAILED
        for name in names:
            reason = DENIED if channels.is_meta(name) else None
            if reason is None and not channels.is_service(name):
                reason = self._policy.may_subscribe(self._principal, name)
            if reason is not None:
                return f"403:{reason}:subscribe_denied"
        added = {name for name in names if not channels.is_service(name)} - session.subscriptions
        if len(session.subscriptions) + len(added) > self._hub.config.max_subscriptions_per_session:
            return "403:too_many_subscriptions:subscribe_denied"
        return None

    def _unsubscribe(self, session: Session, message: _Message, channel: str, message_id: object) -> None:
        subscription = message.get("subscription")
        names = _names(subscription)
        error = self._subscription_error(subscription, names)
        if error is not None:
            self._refuse_subscription(channel, message_id, subscription, names, error)
            return
        for name in names:
            if name in session.subscriptions:
                session.subscriptions.remove(name)
                self.effects.append(Unsubscribed(session.client_id, self._principal, name))
        fields = {"successful": True, "subscription": subscription}
        self._replies.append(messages.reply(channel, message_id, fields))

    def _subscription_error(self, subscription: Json, names: list[str]) -> str | None:
        config = self._hub.config
        if subscription is None or subscription == []:
            return messages.SUBSCRIPTION_MISSING
        if not names:
            return messages.SUBSCRIPTION_INVALID
        if len(names) > config.max_channels_per_subscribe:
            return "403:too_many_channels:subscribe_denied"
        for name in names:
            if len(name) > config.max_channel_length or not (channels.is_name(name) or channels.is_pattern(name)):
                return messages.SUBSCRIPTION_INVALID
        return None

    def _refuse_subscription(
        self, channel: str, message_id: object, subscription: Json, names: list[str], error: str
    ) -> None:
        fields = {"subscription": subscription} if names else {}
        self._replies.append(messages.refusal(channel, message_id, error, **fields))

    def _publish(self, session: Session, message: _Message, channel: str, message_id: object) -> None:
        if channels.is_meta(channel):
            self._refuse(channel, message_id, messages.CHANNEL_CREATE_DENIED)
        elif len(channel) > self._hub.config.max_channel_length or not channels.is_name(channel):
            self._refuse(channel, message_id, messages.CHANNEL_INVALID)
        elif "data" not in message:
            self._refuse(channel, message_id, messages.DATA_MISSING)
        elif (reason := self._policy.may_publish(self._principal, channel)) is not None:
            self._refuse(channel, message_id, f"403:{reason}:publish denied")
        else:
            published = message["data"]
            self.effects.append(Published(session.client_id, self._principal, channel, published))
            if not channels.is_service(channel):
                self.broadcasts.append(Broadcast(channel, messages.encode(published)))
            self._replies.append(messages.reply(channel, message_id, {"successful": True}))

    def _refuse(self, channel: str | None, message_id: object, error: str) -> None:
        echoed = messages.NO_ID if message_id is None else message_id
        self._replies.append(messages.refusal(channel, echoed, error))

    _handlers: ClassVar[dict[str, Callable[[Request, Session, _Message, str, object], None]]] = {
        channels.CONNECT: _connect,
        channels.DISCONNECT: _disconnect,
        channels.SUBSCRIBE: _subscribe,
        channels.UNSUBSCRIBE: _unsubscribe,
    }


def _names(subscription: Json) -> list[str]:
    """Return the channels of a ``subscription``, a string or an array of strings; none of anything else."""
    if type(subscription) is str:
        return [subscription]
    if type(subscription) is list and all(type(name) is str for name in subscription):
        return subscription
    return []


def _milliseconds(asked: Json, default: int, most: int) -> int:
    """Return a client's wish within 0..``most``, or ``default`` when it is not a sensible number."""
    if type(asked) not in (int, float) or asked < 0:
        return default
    return int(min(asked, most))


def _quoted(value: Json) -> str:
    return value if type(value) is str and _quotable.fullmatch(value) else ""


def _is_version_supported(message: _Message) -> bool:
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
