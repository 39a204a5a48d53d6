"""The server against a small model: any sequence of inputs has the effects that the rules give.

The model knows sessions as lists of marks and does everything the slow, obvious way: it walks over
all sessions at each tick and keeps no index. Effects and bodies are compared exactly.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.bayeux.harness import Message, Outcome, Wire, connect, disconnect, event, handshake, subscribe, unsubscribe
from trunkline.bayeux import AllowList, Answer, Config, Confirmed, Delivery, Hold, SessionClosed

PRINCIPALS = st.sampled_from(["ann", "bob"])
# Which session an input is about: a number into those alive, now and then one that is gone or a stranger's.
WHO = st.integers(0, 20)
CHANNELS = ["/a", "/a/b", "/c"]
MATCHING = {"/a": {"/a"}, "/a/b": {"/a/b"}, "/c": {"/c"}, "/*": {"/a", "/c"}, "/a/**": {"/a/b"}, "/**": set(CHANNELS)}
SUBSCRIPTIONS = st.sampled_from(sorted(MATCHING))

CONFIG = Config(
    timeout_ms=300, max_interval_ms=1_000, max_queue_messages=5, max_sessions=5, max_sessions_per_principal=3
)


@dataclass(eq=False)
class ModelSession:
    """What the rules say about one session; events are (channel, mark)."""

    client_id: str
    principal: str
    deadline_ms: int
    is_fresh: bool = True
    held: int | None = None
    subscriptions: set[str] = field(default_factory=set)
    queue: list[tuple[str, int]] = field(default_factory=list)
    written: list[tuple[str, int]] = field(default_factory=list)
    written_in: int | None = None
    last: dict[str, int] = field(default_factory=dict)

    def wants(self, channel: str) -> bool:
        return any(channel in MATCHING[name] for name in self.subscriptions)


@dataclass
class Expected:
    """Effects by kind: marks answered by exchange, exchanges otherwise ended, sessions closed, confirmations."""

    events: dict[int, list[int]] = field(default_factory=dict)
    ended: dict[int, str] = field(default_factory=dict)
    closed: list[tuple[str, str]] = field(default_factory=list)
    confirmed: set[tuple[str, str, int]] = field(default_factory=set)


class BayeuxMachine(RuleBasedStateMachine):
    """Each rule feeds one input to both and compares."""

    def __init__(self) -> None:
        super().__init__()
        self.wire = Wire(CONFIG, AllowList(["/**"]))
        self.sessions: dict[str, ModelSession] = {}
        self.mark = 0
        self.delivered: list[Delivery] = []

    @initialize()
    def begin(self) -> None:
        """One session is there from the start, past its first connect."""
        self.open("ann", ["/**"])
        self.poll(0, is_batch=False, wait=None)

    @rule(principal=PRINCIPALS, names=st.lists(SUBSCRIPTIONS, min_size=1, max_size=3))
    def open(self, principal: str, names: list[str]) -> None:
        """A handshake succeeds as long as there is a place; an array is subscribed at once."""
        outcome = self.wire.send(handshake(), principal=principal)
        count = sum(session.principal == principal for session in self.sessions.values())
        has_place = count < CONFIG.max_sessions_per_principal and len(self.sessions) < CONFIG.max_sessions
        assert outcome.reply["successful"] is has_place
        if not has_place:
            return
        client_id = outcome.reply["clientId"]
        session = ModelSession(client_id, principal, self.wire.now_ms + CONFIG.max_interval_ms)
        self.sessions[client_id] = session
        assert self.wire.send(subscribe(client_id, names), principal=principal).reply["successful"]
        session.subscriptions.update(names)

    @rule(who=WHO, name=SUBSCRIPTIONS, is_subscribe=st.booleans())
    def change_subscription(self, who: int, name: str, is_subscribe: bool) -> None:  # noqa: FBT001
        """Subscribing and unsubscribing succeed for the owner alone."""
        client_id, principal = self._choose(who)
        message = (subscribe if is_subscribe else unsubscribe)(client_id, name)
        session = self._own(client_id, principal)
        assert self.wire.send(message, principal=principal).reply["successful"] is (session is not None)
        if session is not None:
            (session.subscriptions.add if is_subscribe else session.subscriptions.discard)(name)

    @rule(who=WHO, is_batch=st.sampled_from([False, False, True]), wait=st.sampled_from([None, None, 0, 7]))
    def poll(self, who: int, *, is_batch: bool, wait: int | None) -> None:
        """A connect settles what was written, ends an older one, and is answered at once or held."""
        client_id, principal = self._choose(who)
        message = connect(client_id, advice={"timeout": wait})
        outcome = self.wire.send(message, *([message] if is_batch else []), principal=principal)
        exchange, session, expected = self.wire.exchange, self._own(client_id, principal), Expected()
        if session is None:
            expected.ended[exchange] = "unknown"
            self._compare(outcome, expected)
            return
        self._settle(session, expected)
        session.written, session.written_in = [], None
        if session.held is not None:
            expected.ended[session.held] = "409"
            session.held = None
        if session.is_fresh or is_batch or session.queue or wait == 0:
            self._answer(session, exchange, expected)
        else:
            session.held = exchange
            session.deadline_ms = self.wire.now_ms + (CONFIG.timeout_ms if wait is None else wait)
        session.is_fresh = False
        self._compare(outcome, expected, held=session.held)

    @rule(
        principal=PRINCIPALS,
        channels=st.lists(st.sampled_from(CHANNELS), max_size=4),
        repeats=st.lists(st.integers(1, 4), max_size=2),
    )
    def deliver(self, principal: str, channels: list[str], repeats: list[int]) -> None:
        """Every subscribed session of the principal gets what it has not unsettled already; overflow closes."""
        deliveries = [self.delivered[-back] for back in repeats if back <= len(self.delivered)]
        for channel in channels:
            self.mark += 1
            deliveries.append(event(self.mark, channel))
        self.delivered += deliveries
        expected = Expected()
        for session in [each for each in self.sessions.values() if each.principal == principal]:
            new: list[Delivery] = []
            for delivery in deliveries:
                key = (delivery.channel, delivery.mark)
                if key not in session.queue and key not in session.written and delivery not in new:
                    new.append(delivery)
            self._enqueue(session, new, expected)
        self._compare(self.wire.deliver(*deliveries, principal=principal), expected)

    @rule(
        who=WHO,
        polls=st.lists(st.sampled_from([None, None, 0]), max_size=2),
        channels=st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=3),
        back=st.none() | st.integers(0, 6),
    )
    def work(self, who: int, polls: list[int | None], channels: list[str], back: int | None) -> None:
        """Do what makes up most of a session's life: poll, get events, poll again, lose an answer."""
        _, principal = self._choose(who)
        for wait in polls:
            self.poll(who, is_batch=False, wait=wait)
            self.deliver(principal, channels, [])
        if back is not None:
            self.lose(who, back)

    @rule(who=WHO, back=st.integers(0, 4), channel=st.sampled_from(CHANNELS))
    def redeliver(self, who: int, back: int, channel: str) -> None:
        """A single session gets what it has not had: marks above its last one on that channel."""
        client_id, _ = self._choose(who)
        deliveries = [event(mark, channel) for mark in range(max(1, self.mark - back), self.mark + 1)]
        expected, session = Expected(), self.sessions.get(client_id)
        if session is not None:
            last = session.last.get(channel, 0)
            self._enqueue(session, [each for each in deliveries if each.mark > last], expected)
        self._compare(self.wire.deliver_to(client_id, *deliveries), expected)

    @rule(who=WHO, back=st.integers(0, 6))
    def lose(self, who: int, back: int) -> None:
        """A broken connection gives up the held connect there, and returns unsettled events."""
        chosen, expected = self.sessions.get(self._choose(who)[0]), Expected()
        exchange = self.wire.exchange - back
        if chosen is not None and back < 5:
            exchange = chosen.written_in or chosen.held or exchange
        for session in list(self.sessions.values()):
            if session.held == exchange:
                session.held = None
                session.deadline_ms = self.wire.now_ms + CONFIG.max_interval_ms
            elif session.written_in == exchange:
                session.queue = session.written + session.queue
                session.written, session.written_in = [], None
                if len(session.queue) > CONFIG.max_queue_messages:
                    self._close(session, "overflow", expected)
        self._compare(self.wire.closed(exchange), expected)

    @rule(who=WHO, doubt=st.integers(0, 3))
    def leave(self, who: int, doubt: int) -> None:
        """A disconnect of the owner settles what was written and releases the held connect."""
        client_id, principal = self._choose(who)
        if doubt and who < 19:
            return  # sessions that live long see more
        outcome = self.wire.send(disconnect(client_id), principal=principal)
        session, expected = self._own(client_id, principal), Expected()
        expected.ended[self.wire.exchange] = "unknown" if session is None else "disconnected"
        if session is not None:
            self._settle(session, expected)
            self._close(session, "disconnect", expected)
        self._compare(outcome, expected)

    @rule(principal=PRINCIPALS, doubt=st.integers(0, 5))
    def kick(self, principal: str, doubt: int) -> None:
        """All sessions of the principal are gone."""
        if doubt:
            return  # sessions that live long see more
        expected = Expected()
        for session in [each for each in self.sessions.values() if each.principal == principal]:
            self._close(session, "kicked", expected)
        self._compare(self.wire.kick(principal), expected)

    @rule(duration_ms=st.sampled_from([0, 1, 7, 7, 20, 20, 100, 150, 300, 999]))
    def wait(self, duration_ms: int) -> None:
        """A tick answers held connects whose time is over and removes sessions whose time is over."""
        outcome, expected = self.wire.pass_time(duration_ms), Expected()
        for session in list(self.sessions.values()):
            if session.deadline_ms > self.wire.now_ms:
                continue
            if session.held is not None:
                self._answer(session, session.held, expected)
            else:
                self._close(session, "expired", expected)
        self._compare(outcome, expected)

    @invariant()
    def the_next_deadline_is_never_late(self) -> None:
        """The hint exists while there are sessions and is not after the first true deadline."""
        hint = self.wire.server.next_deadline_ms()
        assert (hint is None) is (not self.sessions)
        assert hint is None or hint <= min(session.deadline_ms for session in self.sessions.values())

    @invariant()
    def nothing_is_left_behind(self) -> None:
        """The server remembers the exchanges of its sessions and no others."""
        hub = self.wire.server._hub
        sessions = self.sessions.values()
        assert set(hub._waiting) == {session.held for session in sessions if session.held is not None}
        assert set(hub._written) == {session.written_in for session in sessions if session.written}

    @invariant()
    def presence_is_known(self) -> None:
        """``has_sessions`` agrees with the model."""
        for principal in ("ann", "bob"):
            present = any(session.principal == principal for session in self.sessions.values())
            assert self.wire.server.has_sessions(principal) is present

    def _choose(self, who: int) -> tuple[str, str]:
        """Return a client id and the principal that uses it: its owner, but for the highest numbers."""
        if who == 20 or not self.sessions:
            return "c1", "ann"
        session = list(self.sessions.values())[who % len(self.sessions)]
        if who == 19:
            return session.client_id, "bob" if session.principal == "ann" else "ann"
        return session.client_id, session.principal

    def _own(self, client_id: str, principal: str) -> ModelSession | None:
        session = self.sessions.get(client_id)
        return session if session is not None and session.principal == principal else None

    def _settle(self, session: ModelSession, expected: Expected) -> None:
        for channel in {channel for channel, _ in session.written}:
            highest = max(mark for name, mark in session.written if name == channel)
            expected.confirmed.add((session.principal, channel, highest))

    def _answer(self, session: ModelSession, exchange: int, expected: Expected) -> None:
        expected.events[exchange] = [mark for _, mark in session.queue]
        if session.queue:
            session.written, session.written_in = session.queue, exchange
        session.queue, session.held = [], None
        session.deadline_ms = self.wire.now_ms + CONFIG.max_interval_ms

    def _enqueue(self, session: ModelSession, deliveries: Iterable[Delivery], expected: Expected) -> None:
        for delivery in deliveries:
            key = (delivery.channel, delivery.mark)
            if session.wants(delivery.channel):
                session.queue.append(key)
                session.last[delivery.channel] = max(delivery.mark, session.last.get(delivery.channel, 0))
        if len(session.queue) > CONFIG.max_queue_messages:
            self._close(session, "overflow", expected)
        elif session.queue and session.held is not None:
            self._answer(session, session.held, expected)

    def _close(self, session: ModelSession, reason: str, expected: Expected) -> None:
        if session.held is not None:
            expected.ended[session.held] = "unknown" if reason == "overflow" else reason
        expected.closed.append((session.client_id, reason))
        del self.sessions[session.client_id]

    def _compare(self, outcome: Outcome, expected: Expected, held: int | None = None) -> None:
        assert {exchange: _kind(answer) for exchange, answer in outcome.answers.items()} == {
            **expected.events,
            **expected.ended,
        }
        assert [effect.exchange for effect in outcome.of(Hold)] == ([] if held is None else [held])
        assert sorted((each.client_id, each.reason) for each in outcome.of(SessionClosed)) == sorted(expected.closed)
        confirmed = [(each.principal, each.channel, each.mark) for each in outcome.of(Confirmed)]
        assert len(confirmed) == len(set(confirmed))
        assert set(confirmed) == expected.confirmed
        assert len(outcome.answers) == len(outcome.of(Answer)), "an exchange is answered once"


def _kind(answer: Answer) -> object:
    """Return the marks of a successful connect, or the word for how the exchange ended."""
    if answer.status == 409:
        return "409"
    messages: list[Message] = msgspec.json.decode(answer.body)
    *_, last = messages
    if last["channel"] == "/meta/disconnect":
        return "disconnected" if last["successful"] else "unknown"
    reconnect = last["advice"]["reconnect"]
    if last["successful"]:
        return "disconnect" if reconnect == "none" else [each["data"] for each in messages if "data" in each]
    if reconnect == "none":
        return "kicked"
    return "unknown"


TestModel = BayeuxMachine.TestCase
# Overflow, return and expiry need several steps on one session; the default of 50 steps seldom gets there.
TestModel.settings = settings(stateful_step_count=80)
