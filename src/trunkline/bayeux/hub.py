"""Sessions and the connects that they hold: the moves that several inputs have in common."""

from __future__ import annotations

from collections.abc import Hashable

from trunkline.bayeux import messages
from trunkline.bayeux.channels import CONNECT
from trunkline.bayeux.close_codes import NORMAL, POLICY_VIOLATED
from trunkline.bayeux.config import Config
from trunkline.bayeux.effects import Answer, Close, Confirmed, Effect, Send, SessionClosed
from trunkline.bayeux.extensions import TimeSync
from trunkline.bayeux.limits import HandshakeLimiter
from trunkline.bayeux.sessions import Entry, HeldConnect, Session, Sessions


class Hub:
    """State of the server. Every method appends what follows from it to ``effects``, in order."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.sessions = Sessions()
        self.handshakes = HandshakeLimiter(config.max_handshakes_per_s)
        self.is_closing = False
        self.retry = messages.ConnectReplies(config.advice("retry"))
        self._farewell = messages.ConnectReplies(config.advice("none"))
        self._duplicate = messages.protocol_error(409, "a newer connect has come", CONNECT)
        # Which session waits in an exchange, and which ones' events went out in an answer that no
        # later connect has settled. At most one of each for a session.
        self._waiting: dict[Hashable, Session] = {}
        self._written: dict[Hashable, list[Session]] = {}
        self._polls_of_browser: dict[str, int] = {}
        self.on_socket: dict[Hashable, dict[str, Session]] = {}

    def hold(self, session: Session, connect: HeldConnect) -> None:
        """Let the session wait in ``connect``."""
        session.held = connect
        if not connect.on_socket:
            self._waiting[connect.exchange] = session
        if connect.browser is not None:
            self._polls_of_browser[connect.browser] = self.polls_of(connect.browser) + 1
        session.deadline_ms = connect.until_ms
        self.sessions.reschedule(session)

    def polls_of(self, browser: str | None) -> int:
        """How many polls are held for one browser."""
        return 0 if browser is None else self._polls_of_browser.get(browser, 0)

    def rest(self, session: Session, now_ms: int) -> None:
        """Start the time that the session may live without a connect."""
        session.deadline_ms = now_ms + session.grace_ms
        self.sessions.reschedule(session)

    def hasten(self, session: Session, due_ms: int) -> None:
        """Look at the waiting session at ``due_ms`` at the latest: it has lazy events."""
        if session.held is not None and due_ms < session.deadline_ms:
            session.deadline_ms = due_ms
            self.sessions.reschedule(session)

    # Sockets

    def attach(self, session: Session, socket: Hashable, effects: list[Effect]) -> None:
        """Note where the client's handshake or connect came from: ``socket``, or ``None`` for a poll.

        No older connect is held any more. What was pushed on another socket goes out once more: the client came back
        because that one broke.
        """
        if session.socket != socket:
            self._detach(session, effects)
        if socket is not None and session.socket is None:
            session.socket = socket
            self.on_socket.setdefault(socket, {})[session.client_id] = session

    def _detach(self, session: Session, effects: list[Effect]) -> None:
        socket = session.socket
        if socket is None:
            return
        self._leave(session)
        self._put_back(session)
        if socket not in self.on_socket:
            effects.append(Close(socket, NORMAL))

    def lost_socket(self, socket: Hashable, now_ms: int, effects: list[Effect]) -> None:
        """The socket is gone: put back what was not confirmed on it, and let its sessions expire."""
        for session in list(self.on_socket.pop(socket, {}).values()):
            session.socket = None
            self._let_go(session)
            self.rest(session, now_ms)
            self._put_back(session)
            if session.is_over(self.config):
                self.close(session, "overflow", effects)

    def settle_socket(self, session: Session, effects: list[Effect]) -> None:
        """Count as delivered what was pushed before the client's present message."""
        if session.is_pushed_to and session.written_in == session.socket:
            self._confirm(session, effects)

    def push(self, session: Session, now_ms: int, effects: list[Effect]) -> None:
        """Send the queue on the socket, as far as there is room for what the client has not confirmed.

        When the room is half full the held connect is answered, so that the client says something: that confirms
        what went out before, and makes room.
        """
        room_bytes = self.config.max_answer_bytes - session.written_bytes
        if room_bytes > 0 and (taken := self.take(session, session.socket, room_bytes)):
            effects.append(Send(session.socket, messages.join(self.rendered(session, taken))))
        if 2 * session.written_bytes > self.config.max_answer_bytes:
            self.release(session, now_ms, effects)

    def _leave(self, session: Session) -> None:
        siblings = self.on_socket[session.socket]
        del siblings[session.client_id]
        if not siblings:
            del self.on_socket[session.socket]
        session.socket = None

    # Events

    def rendered(self, session: Session, entries: list[Entry]) -> list[bytes]:
        """The events as this session gets them."""
        if not session.replays:
            return [entry.encoded for entry in entries]
        epoch = self.config.replay_epoch
        return [
            messages.with_position(entry.encoded, epoch, entry.mark) if entry.mark else entry.encoded
            for entry in entries
        ]

    def take(self, session: Session, exchange: Hashable, most_bytes: int | None = None) -> list[Entry]:
        """Move events of the session's queue into the answer of ``exchange``, or onto the socket of that name."""
        was_written = bool(session.written)
        if most_bytes is None:
            most_bytes = self.config.max_answer_bytes
            if was_written and most_bytes <= session.written_bytes:
                return []  # an earlier connect of the same request has filled the answer
            most_bytes -= session.written_bytes
        taken = session.take(exchange, most_bytes)
        if taken and not was_written:
            self._written.setdefault(exchange, []).append(session)
        return taken

    def begin_anew(self, session: Session, channel: str, offset: int, recovered: list[Entry]) -> None:
        """Have everything of ``channel`` that came after ``offset`` sent, in order."""
        exchange, was_written = session.written_in, bool(session.written)
        session.begin_anew(channel, offset, recovered)
        if was_written and not session.written:
            self._forget(session, exchange)
            session.written_in = None

    def settle(self, session: Session, exchange: Hashable, effects: list[Effect]) -> None:
        """Count as delivered what an exchange before ``exchange`` carried.

        What ``exchange`` itself carries stays: its answer has not reached anybody yet.
        """
        if session.written and session.written_in != exchange:
            self._confirm(session, effects)

    def acknowledge(self, session: Session, number: int, exchange: Hashable, effects: list[Effect]) -> None:
        """The client processed replies up to ``number``: what a later one carried goes out once more."""
        if not session.written:
            return
        if number >= session.written_number:
            self._confirm(session, effects)
        elif session.written_in != exchange or session.socket is not None:
            self._forget_written(session)
            session.put_back()

    def _put_back(self, session: Session) -> None:
        """What was written did not arrive; a client that acknowledges will say so itself."""
        if not session.acks:
            self._forget_written(session)
            session.put_back()

    def _confirm(self, session: Session, effects: list[Effect]) -> None:
        self._forget_written(session)
        for channel, mark in session.settle().items():
            effects.append(Confirmed(session.principal, channel, mark))

    # Connects

    def connect_reply(
        self, session: Session, encoded_id: bytes, time_sync: TimeSync | None, now_ms: int, *, carries: bool
    ) -> bytes:
        """The successful reply to a connect; ``carries`` tells that events go with it."""
        ext = self.number_reply(session, carries=carries)
        if time_sync is not None and (answer := time_sync.answer(now_ms)) is not None:
            ext["timesync"] = answer
        return self.retry.with_id(encoded_id, ext)

    def number_reply(self, session: Session, *, carries: bool) -> dict[str, object]:
        """Number the next reply to a connect, for a client that acknowledges; what the reply says of it."""
        if not session.acks:
            return {}
        session.reply_number += 1
        if carries:
            session.written_number = session.reply_number
        return {"ack": session.reply_number}

    def supersede(self, session: Session, effects: list[Effect]) -> None:
        """End the held connect, if any, because a newer one has come (HTTP 409; a 200 would be acted on)."""
        held = self._let_go(session)
        if held is not None and not held.on_socket:
            effects.append(Answer(held.exchange, 409, self._duplicate))

    def release(self, session: Session, now_ms: int, effects: list[Effect]) -> None:
        """Answer the held connect, if any, with what is queued and not pushed; the client comes back by itself."""
        held = self._let_go(session)
        if held is None:
            return
        taken = [] if session.is_pushed_to else self.take(session, held.exchange)
        parts = self.rendered(session, taken)
        parts.append(self.connect_reply(session, held.encoded_id, held.time_sync, now_ms, carries=bool(taken)))
        self._reply(held, messages.join(parts), effects)
        self.rest(session, now_ms)

    def relieve(self, session: Session, held: HeldConnect, now_ms: int, effects: list[Effect]) -> None:
        """The time that the session waits in ``held`` is over, or that of its lazy events, which then go alone."""
        if session.is_pushed_to and now_ms < held.until_ms:
            session.deadline_ms = held.until_ms
            self.push(session, now_ms, effects)
            self.sessions.reschedule(session)
        else:
            self.release(session, now_ms, effects)

    def close(self, session: Session, reason: str, effects: list[Effect]) -> None:
        """Remove the session and answer its held connect, if any, as the reason demands.

        ``disconnect``: successful, advice none. ``kicked``: unsuccessful, advice none, which stops every
        client. ``replaced`` by a handshake on the same socket: nothing, it was given up. Else: unknown client,
        advice handshake. A socket on which nobody is left is closed, unless its client
        asked for the end itself: it waits for the reply, then closes.
        """
        held = self._let_go(session)
        self._forget_written(session)
        self.sessions.remove(session)
        socket = session.socket
        if socket is not None:
            self._leave(session)
        if held is not None and reason != "replaced":
            self._reply(held, messages.join([self._last_reply(held, reason)]), effects)
        effects.append(SessionClosed(session.client_id, session.principal, reason))
        if socket is not None and socket not in self.on_socket and reason in _CLOSING:
            effects.append(Close(socket, _CLOSING[reason]))

    def lost(self, exchange: Hashable, now_ms: int, effects: list[Effect]) -> None:
        """The client of ``exchange`` is gone: stop waiting there, put back what its answer carried."""
        waiting = self._waiting.get(exchange)
        if waiting is not None:
            self._let_go(waiting)
            self.rest(waiting, now_ms)
        for session in list(self._written.get(exchange, ())):
            self._put_back(session)
            if session.is_over(self.config):
                self.close(session, "overflow", effects)

    def unknown_client(self, message_id: object) -> bytes:
        """Return the reply to a connect that sends the client back to the handshake."""
        advice = self.config.advice("handshake")
        return messages.refusal(CONNECT, message_id, messages.UNKNOWN_CLIENT, advice=advice)

    def _reply(self, held: HeldConnect, body: bytes, effects: list[Effect]) -> None:
        effects.append(Send(held.exchange, body) if held.on_socket else Answer(held.exchange, 200, body))

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
        if held is None:
            return None
        if not held.on_socket:
            del self._waiting[held.exchange]
        if held.browser is not None:
            left = self._polls_of_browser[held.browser] - 1
            if left:
                self._polls_of_browser[held.browser] = left
            else:
                del self._polls_of_browser[held.browser]
        return held

    def _forget_written(self, session: Session) -> None:
        if session.written:
            self._forget(session, session.written_in)

    def _forget(self, session: Session, exchange: Hashable) -> None:
        carried = self._written[exchange]
        carried.remove(session)
        if not carried:
            del self._written[exchange]


_CLOSING = {"kicked": POLICY_VIOLATED, "overflow": POLICY_VIOLATED, "inactive": NORMAL}
"""Ends of a session that end its socket: with it an expired client's next message would find a new way."""
