"""The server: inputs to effects.

Nothing here waits, reads a clock or rolls a die. Each method is one input, takes the present time in
milliseconds of any clock that does not run backwards, and returns what follows as a list of
``effects``. One HTTP request is one *exchange*, named by the caller with any hashable value; its
answer comes from ``receive`` itself or, when it is held, from a later input.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from trunkline.bayeux import channels
from trunkline.bayeux.close_codes import GOING_AWAY, INVALID, TOO_LARGE
from trunkline.bayeux.config import Config
from trunkline.bayeux.effects import Answer, Close, Delivery, Effect, Send
from trunkline.bayeux.handlers import handle
from trunkline.bayeux.handshakes import handshake
from trunkline.bayeux.hub import Hub
from trunkline.bayeux.messages import protocol_error
from trunkline.bayeux.policy import Policy
from trunkline.bayeux.request import Origin, Request, entry_of
from trunkline.bayeux.sessions import Entry, Session
from trunkline.strict_json import Json


class Server:
    """A Bayeux 1.0 server without transport, time or chance."""

    def __init__(self, config: Config, policy: Policy) -> None:
        self.config = config
        self._policy = policy
        self._hub = Hub(config)

    def receive(
        self, messages: list[Json], *, exchange: Hashable, fresh_client_id: str, origin: Origin
    ) -> list[Effect]:
        """Process one request of an authenticated principal, or one frame of its socket.

        ``messages`` is what ``read_json_body`` or ``read_form_body`` returned. ``exchange`` names the request, or the
        socket if ``origin.is_socket``. ``fresh_client_id`` is used if there is a handshake: alphanumeric, 128 random
        bits or more, never used before. The answer is among the effects unless there is a ``Hold``; its status is
        200, or 400 or 413 when the request as a whole is none. On a socket there are ``Send`` and ``Close`` instead.
        Raises ``Defect`` when ``fresh_client_id`` is in use.
        """
        refused = self._refused(messages, exchange, is_socket=origin.is_socket)
        if refused:
            return refused
        request = Request(self._hub, self._policy, exchange=exchange, origin=origin, is_alone=len(messages) == 1)
        asked = next((message for message in messages if message.get("channel") == channels.HANDSHAKE), None)
        if asked is not None:
            handshake(request, asked, fresh_client_id)
        else:
            for message in messages:
                handle(request, message)
        request.finish()
        for session in request.woken:
            self._wake(session, origin.now_ms, request.effects)
        for broadcast in request.broadcasts:
            entry = entry_of(Delivery(broadcast.channel, broadcast.encoded, 0))
            self._deliver(origin.principal, [entry], origin.now_ms, request.effects)
        # A socket is closed after the replies, whatever closed it.
        return sorted(request.effects, key=_is_close) if origin.is_socket else request.effects

    def closed(self, exchange: Hashable, now_ms: int) -> list[Effect]:
        """The connection of ``exchange`` broke before its answer could be handed over.

        A held connect is given up and its session starts to expire; events that the answer carried
        return to the head of the queue, unless a later connect has settled them. Unknown exchanges
        are ignored, so it may be called on any doubt.
        """
        effects: list[Effect] = []
        self._hub.lost(exchange, now_ms, effects)
        return effects

    def socket_closed(self, socket: Hashable, now_ms: int) -> list[Effect]:
        """The connection of ``socket`` is gone, whoever ended it.

        Its sessions start to expire; what was sent and not confirmed waits for their next connect.
        """
        effects: list[Effect] = []
        self._hub.lost_socket(socket, now_ms, effects)
        return [effect for effect in effects if type(effect) is not Close]

    def socket_stuck(self, socket: Hashable, now_ms: int) -> list[Effect]:
        """The client of ``socket`` does not take what is sent: that costs it its sessions, and nobody else anything.

        Their events are not confirmed, so that the client's next session can be given them.
        """
        effects: list[Effect] = []
        for session in list(self._hub.on_socket.get(socket, {}).values()):
            self._hub.close(session, "overflow", effects)
        return [effect for effect in effects if type(effect) is not Send]

    def tick(self, now_ms: int) -> list[Effect]:
        """Answer the connects that were held long enough and remove the sessions that expired.

        Cost: that of the sessions whose time has come, not of all.
        """
        effects: list[Effect] = []
        for session in self._hub.sessions.due(now_ms):
            if session.held is not None:
                self._hub.relieve(session, session.held, now_ms, effects)
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
        A session whose queue passes its limit is closed: nothing is dropped in silence. A lazy event waits for
        the next occasion, so it should not be the only one that an application ever sends on a channel.
        """
        effects: list[Effect] = []
        if self._hub.sessions.count_of(principal):
            self._deliver(principal, [entry_of(delivery) for delivery in deliveries], now_ms, effects)
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
            fresh = [entry_of(each) for each in deliveries if not 0 < each.mark <= last.get(each.channel, 0)]
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
        effects.extend(Close(socket, GOING_AWAY) for socket in self._hub.on_socket)
        return effects

    def _refused(self, received: list[Json], exchange: Hashable, *, is_socket: bool) -> list[Effect]:
        """Return the answer to what is no Bayeux request at all; a socket is closed after it."""
        if len(received) > self.config.max_messages_per_request:
            status, text, code = 413, "too many messages", TOO_LARGE
        elif not received:
            status, text, code = 400, "no message", INVALID
        elif any(type(message) is not dict for message in received):
            status, text, code = 400, "a message must be an object", INVALID
        else:
            return []
        body = protocol_error(status, text)
        return [Send(exchange, body), Close(exchange, code)] if is_socket else [Answer(exchange, status, body)]

    def _deliver(self, principal: Hashable, entries: list[Entry], now_ms: int, effects: list[Effect]) -> None:
        for session in list(self._hub.sessions.of(principal)):
            self._enqueue(session, entries, now_ms, effects)

    def _enqueue(self, session: Session, entries: list[Entry], now_ms: int, effects: list[Effect]) -> None:
        hub = self._hub
        for entry in entries:
            if session.is_subscribed(channels.reaching(entry.channel)) and not session.has(entry):
                session.enqueue(entry)
                if self.config.is_delivery_activity:
                    session.active_ms = now_ms
                if session.is_over(self.config):
                    hub.close(session, "overflow", effects)
                    return
        if any(not entry.is_lazy for entry in session.queue):
            self._wake(session, now_ms, effects)
        elif session.queue:
            hub.hasten(session, now_ms + self.config.max_lazy_ms)

    def _wake(self, session: Session, now_ms: int, effects: list[Effect]) -> None:
        """Send what is queued now, if the client can be reached."""
        if session.is_pushed_to:
            self._hub.push(session, now_ms, effects)
        else:
            self._hub.release(session, now_ms, effects)


def _is_close(effect: Effect) -> bool:
    return type(effect) is Close
