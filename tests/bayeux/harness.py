"""A core with a clock that tests turn, and a client that speaks to it in messages."""

from __future__ import annotations

from typing import Any

import msgspec

from trunkline.bayeux import AllowList, Answer, Config, Delivery, Effect, Hold, Origin, Policy, Send, Server

Message = dict[str, Any]

OUTBOUND = "/v2/me/outbound"
INTERNAL = "/me/internal"


class Outcome:
    """The effects of one input, and the answers among them decoded."""

    def __init__(self, effects: list[Effect], exchange: object = None) -> None:
        self.effects = effects
        self.exchange = exchange
        self.answers = {effect.exchange: effect for effect in effects if isinstance(effect, Answer)}

    @property
    def is_held(self) -> bool:
        return any(isinstance(effect, Hold) and effect.exchange == self.exchange for effect in self.effects)

    @property
    def status(self) -> int:
        return self.answers[self.exchange].status

    @property
    def messages(self) -> list[Message]:
        """The messages that answer the exchange itself, which must be an HTTP 200."""
        return self.messages_in(self.exchange)

    @property
    def reply(self) -> Message:
        """The one message of the answer."""
        (message,) = self.messages
        return message

    def messages_in(self, exchange: object) -> list[Message]:
        answer = self.answers[exchange]
        assert answer.status == 200
        messages: list[Message] = msgspec.json.decode(answer.body)
        assert messages, "an answer is never an empty array"
        return messages

    def of(self, kind: type) -> list[Any]:
        """The effects of one kind, in order."""
        return [effect for effect in self.effects if isinstance(effect, kind)]

    @property
    def frames(self) -> list[list[Message]]:
        """What was sent on sockets, frame by frame."""
        frames: list[list[Message]] = [msgspec.json.decode(effect.body) for effect in self.of(Send)]
        assert all(frames), "a frame is never an empty array"
        return frames

    @property
    def pushed(self) -> list[Message]:
        """All messages that were sent on sockets."""
        return [message for frame in self.frames for message in frame]

    def without_answers(self) -> list[Effect]:
        return [effect for effect in self.effects if not isinstance(effect, (Answer, Hold))]


class Wire:
    """A server and the line to it. Exchanges are numbered from 1, client ids are ``c1``, ``c2``, ..."""

    def __init__(self, config: Config | None = None, policy: Policy | None = None) -> None:
        self.config = config or Config()
        self.server = Server(self.config, policy or AllowList([OUTBOUND, INTERNAL, "/**"], ["/chat/*"]))
        self.now_ms = 1_000_000
        self.exchange = 0
        self.handshakes = 0

    def send(self, *messages: object, principal: str = "ann", **facts: Any) -> Outcome:
        """Send one request of these messages; ``facts`` are of ``Origin``."""
        self.exchange += 1
        self.handshakes += 1
        effects = self.server.receive(
            list(messages),
            exchange=self.exchange,
            fresh_client_id=f"c{self.handshakes}",
            origin=Origin(principal=principal, now_ms=self.now_ms, **facts),
        )
        return Outcome(effects, self.exchange)

    def frame(self, socket: str, *messages: object, principal: str = "ann", **facts: Any) -> Outcome:
        """Send one frame of these messages on a socket."""
        self.handshakes += 1
        effects = self.server.receive(
            list(messages),
            exchange=socket,
            fresh_client_id=f"c{self.handshakes}",
            origin=Origin(principal=principal, now_ms=self.now_ms, is_socket=True, **facts),
        )
        assert not any(isinstance(effect, (Answer, Hold)) and effect.exchange == socket for effect in effects)
        return Outcome(effects)

    def on_socket(self, socket: str, *channels: str, principal: str = "ann", **fields: object) -> str:
        """Open a session on a socket, subscribe it, bring its first connect behind it, and have the next one held."""
        (reply,) = self.frame(socket, handshake(**fields), principal=principal).pushed
        client_id: str = reply["clientId"]
        if channels:
            assert self.frame(socket, subscribe(client_id, list(channels)), principal=principal).pushed[0]["successful"]
        assert self.frame(socket, connect(client_id), principal=principal).pushed[-1]["successful"]
        assert self.frame(socket, connect(client_id), principal=principal).pushed == []
        return client_id

    def socket_closed(self, socket: str) -> Outcome:
        return Outcome(self.server.socket_closed(socket, self.now_ms))

    def handshake(self, principal: str = "ann") -> str:
        """Open a session and return its client id."""
        client_id: str = self.send(handshake(), principal=principal).reply["clientId"]
        return client_id

    def connected(self, *channels: str, principal: str = "ann") -> str:
        """Open a session, subscribe it, and bring its first connect behind it."""
        client_id = self.handshake(principal)
        if channels:
            assert self.send(subscribe(client_id, list(channels)), principal=principal).reply["successful"]
        assert self.send(connect(client_id), principal=principal).reply["successful"]
        return client_id

    def hold(self, client_id: str, principal: str = "ann", **fields: object) -> int:
        """Have a connect held and return its exchange."""
        outcome = self.send(connect(client_id, **fields), principal=principal)
        assert outcome.is_held
        return self.exchange

    def deliver(self, *deliveries: Delivery, principal: str = "ann") -> Outcome:
        return Outcome(self.server.deliver(principal, deliveries, self.now_ms))

    def deliver_to(self, client_id: str, *deliveries: Delivery) -> Outcome:
        return Outcome(self.server.deliver_to(client_id, deliveries, self.now_ms))

    def closed(self, exchange: object) -> Outcome:
        return Outcome(self.server.closed(exchange, self.now_ms))

    def kick(self, principal: str = "ann") -> Outcome:
        return Outcome(self.server.kick(principal, self.now_ms))

    def shutdown(self) -> Outcome:
        return Outcome(self.server.shutdown(self.now_ms))

    def pass_time(self, duration_ms: int) -> Outcome:
        """Let time pass and tick once."""
        self.now_ms += duration_ms
        return Outcome(self.server.tick(self.now_ms))


def handshake(**fields: object) -> Message:
    """A handshake as cometd.js sends it."""
    message: Message = {
        "id": "1",
        "version": "1.0",
        "minimumVersion": "1.0",
        "channel": "/meta/handshake",
        "supportedConnectionTypes": ["long-polling", "callback-polling"],
        "advice": {"timeout": 60000, "interval": 0},
    }
    return _with(message, fields)


def connect(client_id: str, **fields: object) -> Message:
    message: Message = {"id": "2", "channel": "/meta/connect", "connectionType": "long-polling", "clientId": client_id}
    return _with(message, fields)


def subscribe(client_id: str, subscription: object, /, **fields: object) -> Message:
    message: Message = {"id": "3", "channel": "/meta/subscribe", "subscription": subscription, "clientId": client_id}
    return _with(message, fields)


def unsubscribe(client_id: str, subscription: object, /, **fields: object) -> Message:
    message: Message = {"id": "4", "channel": "/meta/unsubscribe", "subscription": subscription, "clientId": client_id}
    return _with(message, fields)


def disconnect(client_id: str, **fields: object) -> Message:
    return _with({"id": "5", "channel": "/meta/disconnect", "clientId": client_id}, fields)


def publish(client_id: str, channel: str, **fields: object) -> Message:
    return _with({"id": "6", "channel": channel, "clientId": client_id, "data": {"text": "hello"}}, fields)


def event(mark: int, channel: str = OUTBOUND) -> Delivery:
    """An event whose data is its mark."""
    return Delivery(channel, str(mark).encode(), mark)


def marks_in(messages: list[Message]) -> list[int]:
    """The marks of the events among messages made by ``event``."""
    return [message["data"] for message in messages if "data" in message]


LEFT_OUT = object()
"""Value for a field that the message shall not have."""


def _with(message: Message, fields: dict[str, object]) -> Message:
    merged = {**message, **fields}
    return {name: value for name, value in merged.items() if value is not LEFT_OUT}
