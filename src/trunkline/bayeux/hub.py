"""Sessions and the connects that they hold: the moves that several inputs have in common."""

from __future__ import annotations

from collections.abc import Hashable

from trunkline.bayeux import messages
from trunkline.bayeux.channels import CONNECT
from trunkline.bayeux.config import Config
from trunkline.bayeux.effects import Answer, Confirmed, Effect, SessionClosed
from trunkline.bayeux.sessions import Entry, HeldConnect, Session, Sessions


class Hub:
    """State of the server. Every method appends what follows from it to ``effects``, in order."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.sessions = Sessions()
        self.is_closing = False
        self.retry = messages.ConnectReplies(config.advice("retry"))
        self._farewell = messages.ConnectReplies(config.advice("none"))
        self._duplicate = messages.protocol_error(409, "a newer connect has come", CONNECT)
        # Which session waits in an exchange, and which ones' events went out in an answer that no
        # later connect has settled. At most one of each for a session.
        self._waiting: dict[Hashable, Session] = {}
        self._written: dict[Hashable, list[Session]] = {}

    def hold(self, session: Session, connect: HeldConnect, until_ms: int) -> None:
        """Let the session wait in ``connect`` until ``until_ms``."""
        session.held = connect
        self._waiting[connect.exchange] = session
        session.deadline_ms = until_ms
        self.sessions.reschedule(session)

    def rest(self, session: Session, now_ms: int) -> None:
        """Start the time that the session may live without a connect."""
        session.deadline_ms = now_ms + session.grace_ms
        self.sessions.reschedule(session)

    def take(self, session: Session, exchange: Hashable) -> list[Entry]:
        """Move the session's queue into the answer of ``exchange``."""
        taken = session.take(exchange)
        if taken:
            self._written.setdefault(exchange, []).append(session)
        return taken

    def settle(self, session: Session, exchange: Hashable, effects: list[Effect]) -> None:
        """Count as delivered what an exchange before ``exchange`` carried.

        What ``exchange`` itself carries stays: its answer has not reached anybody yet.
        """
        if not session.written or session.written_in == exchange:
            return
        self._forget_written(session)
        for channel, mark in session.settle().items():
            effects.append(Confirmed(session.principal, channel, mark))

    def supersede(self, session: Session, effects: list[Effect]) -> None:
        """End the held connect, if any, because a newer one has come (HTTP 409; a 200 would be acted on)."""
        held = self._let_go(session)
        if held is not None:
            effects.append(Answer(held.exchange, 409, self._duplicate))

    def release(self, session: Session, now_ms: int, effects: list[Effect]) -> None:
        """Answer the held connect, if any, with what is queued; the client comes back by itself."""
        held = self._let_go(session)
        if held is None:
            return
        parts = [entry.encoded for entry in self.take(session, held.exchange)]
        parts.append(self.retry.with_id(held.encoded_id))
        effects.append(Answer(held.exchange, 200, messages.join(parts)))
        self.rest(session, now_ms)

    def close(self, session: Session, reason: str, effects: list[Effect]) -> None:
        """Remove the session and answer its held connect, if any, as the reason demands.

        ``disconnect``: successful, advice none. ``kicked``: unsuccessful, advice none, which stops every
        client. Else: unknown client, advice handshake.
        """
        held = self._let_go(session)
        self._forget_written(session)
        self.sessions.remove(session)
        if held is not None:
            effects.append(Answer(held.exchange, 200, messages.join([self._last_reply(held, reason)])))
        effects.append(SessionClosed(session.client_id, session.principal, reason))

    def lost(self, exchange: Hashable, now_ms: int, effects: list[Effect]) -> None:
        """The client of ``exchange`` is gone: stop waiting there, put back what its answer carried."""
        waiting = self._waiting.get(exchange)
        if waiting is not None:
            self._let_go(waiting)
            self.rest(waiting, now_ms)
        for session in self._written.pop(exchange, ()):
            session.put_back()
            if session.is_over(self.config):
                self.close(session, "overflow", effects)

    def unknown_client(self, message_id: object) -> bytes:
        """Return the reply to a connect that sends the client back to the handshake."""
        advice = self.config.advice("handshake")
        return messages.refusal(CONNECT, message_id, messages.UNKNOWN_CLIENT, advice=advice)

    def _last_reply(self, held: HeldConnect, reason: str) -> bytes:
        if reason == "disconnect":
            return self._farewell.with_id(held.encoded_id)
        reconnect = "none" if reason == "kicked" else "handshake"
        head = messages.encode(
            {"successful": False, "error": messages.UNKNOWN_CLIENT, "advice": self.config.advice(reconnect)}
        )
        return head[:-1] + held.encoded_id + b',"channel":"/meta/connect"}'

    def _let_go(self, session: Session) -> HeldConnect | None:
        held, session.held = session.held, None
        if held is not None:
            del self._waiting[held.exchange]
        return held

    def _forget_written(self, session: Session) -> None:
        if session.written:
            carried = self._written[session.written_in]
            carried.remove(session)
            if not carried:
                del self._written[session.written_in]
