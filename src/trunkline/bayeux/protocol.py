"""The server: inputs to effects.

Nothing here waits, reads a clock or rolls a die. Each method is one input, takes the present time in
milliseconds of any clock that does not run backwards, and returns what follows as a list of
``effects``. One HTTP request is one *exchange*, named by the caller with any hashable value; its
answer comes from ``receive`` itself or, when it is held, from a later input.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from trunkline.bayeux import channels
from trunkline.bayeux.config import Config
from trunkline.bayeux.effects import Answer, Delivery, Effect
from trunkline.bayeux.hub import Hub
from trunkline.bayeux.messages import event, protocol_error
from trunkline.bayeux.policy import Policy
from trunkline.bayeux.requests import Request
from trunkline.bayeux.sessions import Entry, Session
from trunkline.strict_json import Json


class Server:
    """A Bayeux 1.0 server without transport, time or chance."""

    def __init__(self, config: Config, policy: Policy) -> None:
        self.config = config
        self._policy = policy
        self._hub = Hub(config)

    def receive(
        self,
        messages: list[Json],
        *,
        exchange: Hashable,
        principal: Hashable,
        now_ms: int,
        fresh_client_id: str,
        may_subscribe: bool = True,
    ) -> list[Effect]:
        """Process one request of an authenticated principal.

        ``messages`` is what ``read_json_body`` or ``read_form_body`` returned. ``fresh_client_id`` is used
        if there is a handshake: alphanumeric, 128 random bits or more, never used before.
        ``may_subscribe`` false makes every subscribe fail, for an application that cannot serve it now.
        The answer is among the effects unless there is a ``Hold``; its status is 200, or 400 or 413 when
        the request as a whole is none. Raises ``Defect`` when ``fresh_client_id`` is in use.
        """
        refused = self._refused(messages, exchange)
        if refused is not None:
            return [refused]
        request = Request(
            self._hub,
            self._policy,
            exchange=exchange,
            principal=principal,
            now_ms=now_ms,
            may_subscribe=may_subscribe,
            is_alone=len(messages) == 1,
        )
        handshake = next((message for message in messages if message.get("channel") == channels.HANDSHAKE), None)
        if handshake is not None:
            request.handshake(handshake, fresh_client_id)
        else:
            for message in messages:
                request.handle(message)
        request.finish()
        for broadcast in request.broadcasts:
            entry = _entry(Delivery(broadcast.channel, broadcast.encoded, 0))
            self._deliver(principal, [entry], now_ms, request.effects)
        return request.effects

    def closed(self, exchange: Hashable, now_ms: int) -> list[Effect]:
        """The connection of ``exchange`` broke before its answer could be handed over.

        A held connect is given up and its session starts to expire; events that the answer carried
        return to the head of the queue, unless a later connect has settled them. Unknown exchanges
        are ignored, so it may be called on any doubt.
        """
        effects: list[Effect] = []
        self._hub.lost(exchange, now_ms, effects)
        return effects

    def tick(self, now_ms: int) -> list[Effect]:
        """Answer the connects that were held long enough and remove the sessions that expired.

        Cost: that of the sessions whose time has come, not of all.
        """
        effects: list[Effect] = []
        for session in self._hub.sessions.due(now_ms):
            if session.held is not None:
                self._hub.release(session, now_ms, effects)
            else:
                self._hub.close(session, "expired", effects)
        return effects

    def next_deadline_ms(self) -> int | None:
        """Return when to call ``tick`` next; ``None`` while there is no session. Maybe early, never late."""
        return self._hub.sessions.next_deadline_ms()

    def deliver(self, principal: Hashable, deliveries: Sequence[Delivery], now_ms: int) -> list[Effect]:
        """Queue events for every session of ``principal`` that is subscribed, and wake its held connect.

        Each session gets an event once, however many subscriptions match, and all events of one call in one
        answer, in the order given. An event that the session has unsettled already (same channel and
        mark) is skipped. Marks of a channel should grow from call to call.
        A session whose queue passes its limit is closed: nothing is dropped in silence.
        """
        effects: list[Effect] = []
        if self._hub.sessions.count_of(principal):
            self._deliver(principal, [_entry(delivery) for delivery in deliveries], now_ms, effects)
        return effects

    def deliver_to(self, client_id: str, deliveries: Sequence[Delivery], now_ms: int) -> list[Effect]:
        """Queue events for one session, as far as it is subscribed: redelivery after a subscribe.

        Skips every event whose mark is not above the last one that the session got on that channel.
        Does nothing for a session that is gone.
        """
        effects: list[Effect] = []
        session = self._hub.sessions.get(client_id)
        if session is not None:
            last = session.last_marks
            fresh = [_entry(each) for each in deliveries if not 0 < each.mark <= last.get(each.channel, 0)]
            self._enqueue(session, fresh, now_ms, effects)
        return effects

    def has_sessions(self, principal: Hashable) -> bool:
        """Tell whether anybody would receive what is delivered to ``principal``."""
        return self._hub.sessions.count_of(principal) > 0

    def kick(self, principal: Hashable, now_ms: int) -> list[Effect]:
        """Remove the sessions of a principal that logged out; their held connects tell the client to stop."""
        effects: list[Effect] = []
        for session in list(self._hub.sessions.of(principal)):
            self._hub.close(session, "kicked", effects)
        return effects

    def shutdown(self, now_ms: int) -> list[Effect]:
        """Release every held connect with plain retry advice; from now on hold none and open no session.

        Clients come back at once, find the next process, and handshake there.
        """
        effects: list[Effect] = []
        self._hub.is_closing = True
        for session in self._hub.sessions:
            self._hub.release(session, now_ms, effects)
        return effects

    def _refused(self, received: list[Json], exchange: Hashable) -> Answer | None:
        """Return the answer to what is no Bayeux request at all."""
        if len(received) > self.config.max_messages_per_request:
            return Answer(exchange, 413, protocol_error(413, "too many messages"))
        if not received:
            return Answer(exchange, 400, protocol_error(400, "no message"))
        if any(type(message) is not dict for message in received):
            return Answer(exchange, 400, protocol_error(400, "a message must be an object"))
        return None

    def _deliver(self, principal: Hashable, entries: list[Entry], now_ms: int, effects: list[Effect]) -> None:
        for session in list(self._hub.sessions.of(principal)):
            self._enqueue(session, entries, now_ms, effects)

    def _enqueue(self, session: Session, entries: list[Entry], now_ms: int, effects: list[Effect]) -> None:
        hub = self._hub
        for entry in entries:
            if session.is_subscribed(channels.reaching(entry.channel)) and not session.has(entry):
                session.enqueue(entry)
                if session.is_over(self.config):
                    hub.close(session, "overflow", effects)
                    return
        if session.queue:
            hub.release(session, now_ms, effects)


def _entry(delivery: Delivery) -> Entry:
    return Entry(event(delivery.channel, delivery.data), delivery.channel, delivery.mark)
