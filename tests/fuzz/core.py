"""The endpoint's parsing and the core behind it: what strangers' bytes may do, and what they must not.

A case is a conversation: bodies, frames, events and losses, in any order, against a server with a bystander.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import msgspec

from tests.bayeux.harness import connect, handshake, subscribe
from tests.fuzz import invariants
from tests.fuzz.bodies import MEDIA, Conversations
from tests.fuzz.running import Case, Step
from trunkline.bayeux import (
    AllowList,
    Answer,
    Close,
    Config,
    Delivery,
    Effect,
    Hold,
    Origin,
    Recovery,
    Send,
    Server,
    positions_in,
    read_json_body,
)
from trunkline.bayeux_asgi.bodies import as_script, read_body, read_query
from trunkline.bayeux_asgi.sockets import subscribes
from trunkline.errors import TooLarge
from trunkline.strict_json import MAX_BODY_BYTES, Json, Malformed

CONFIG = Config(
    connection_types=("websocket", "long-polling", "callback-polling"),
    timeout_ms=20_000,
    max_interval_ms=10_000,
    max_inactive_ms=25_000,
    max_queue_messages=12,
    max_queue_bytes=2_000,
    max_answer_bytes=600,
    max_sessions_per_principal=6,
    max_subscriptions_per_session=12,
    max_sessions_per_browser=1,
    replay_epoch="k1",
)
TOPICS = ["/v2/me/outbound", "/me/internal", "/chat/*"]
WALL_MS = 1_795_435_200_000


class World:
    """A server, the one who sends the inputs (ann) and a bystander (bob) with a held poll and a socket."""

    def __init__(self) -> None:
        self.server = Server(CONFIG, AllowList(TOPICS, ["/chat/*", "/service/echo"]))
        self.hub = self.server._hub
        self.now_ms = 1_000_000
        self.exchange = 100
        self.fresh = 2
        self.mark = 0
        self.held: dict[object, bytes] = {}
        """Connects of ann that wait: exchange -> encoded id. Those on sockets are in ``held_on``."""
        self.held_on: Counter[tuple[str, bytes]] = Counter()
        self._begin("b1", None)
        self._begin("b2", "bob's socket")
        self.bystander = self._seen()
        self._begin("c1", None)
        self._begin("c2", "socket1")

    def _begin(self, client_id: str, socket: str | None) -> None:
        for message in (handshake(), subscribe(client_id, TOPICS), connect(client_id), connect(client_id)):
            self.exchange += 1
            self.server.receive(
                [message],
                exchange=socket or self.exchange,
                fresh_client_id=client_id,
                origin=self._origin("bob" if client_id[0] == "b" else "ann", is_socket=socket is not None),
            )
        if client_id == "c1":
            self.held[self.exchange] = b',"id":"2"'
        elif client_id == "c2":
            self.held_on["socket1", b',"id":"2"'] += 1

    def _origin(self, principal: str, **facts: Any) -> Origin:
        return Origin(principal=principal, now_ms=self.now_ms, address=self.exchange, wall_ms=WALL_MS, **facts)

    def receive(self, messages: list[Json], socket: str | None) -> None:
        """Have the core process what a body or a frame holds, and look at everything that follows."""
        positions = positions_in(messages, CONFIG.max_channels_per_subscribe) if subscribes(messages) else {}
        self.mark += 1
        found = Recovery(
            is_recovered=True, offset=self.mark, deliveries=[Delivery("/v2/me/outbound", b"{}", self.mark)]
        )
        self.exchange += 1
        self.fresh += 1
        exchange = socket or self.exchange
        facts = {"recoveries": dict.fromkeys(positions, found), "may_subscribe": self.exchange % 16 != 0}
        facts |= {"is_socket": socket is not None, "has_taken_all": self.exchange % 8 != 0}
        facts["browser"] = None if socket or self.exchange % 3 else "cookie"
        effects = self.server.receive(
            messages, exchange=exchange, fresh_client_id=f"c{self.fresh}", origin=self._origin("ann", **facts)
        )
        answered = self._sort(effects, exchange)
        is_request = 0 < len(messages) <= CONFIG.max_messages_per_request and all(type(m) is dict for m in messages)
        if socket is None:
            self._check_answer(messages, effects, exchange, answered, is_request=is_request)
        else:
            self._check_frames(messages, effects, socket, answered, is_request=is_request)
        invariants.check_bystander(effects, "bob", "bob's socket", self.bystander, self._seen())

    def _check_answer(
        self, messages: list[Json], effects: list[Effect], exchange: object, answered: list[Any], *, is_request: bool
    ) -> None:
        answers = [effect for effect in effects if type(effect) is Answer and effect.exchange == exchange]
        holds = [effect for effect in effects if type(effect) is Hold]
        assert len(answers) + len(holds) == 1, "a request is answered once, or held"
        if holds:
            assert len(messages) == 1
            assert holds[0].exchange == exchange
            held = self.hub._waiting[exchange].held
            assert held is not None
            self.held[exchange] = held.encoded_id
            return
        assert answers[0].status == (200 if is_request else 413 if len(messages) > 64 else 400)
        if is_request:
            invariants.check_replies(messages, answered, Counter())

    def _check_frames(
        self, messages: list[Json], effects: list[Effect], socket: str, answered: list[Any], *, is_request: bool
    ) -> None:
        assert not any(type(effect) is Hold for effect in effects)
        codes = [effect.code for effect in effects if type(effect) is Close and effect.socket == socket]
        if not is_request:
            assert codes == [1009 if len(messages) > 64 else 1007]
            return
        now_held = Counter(
            (socket, session.held.encoded_id)
            for session in self.hub.on_socket.get(socket, {}).values()
            if session.held is not None and session.held.on_socket
        )
        others = Counter({encoded: count for (at, encoded), count in self.held_on.items() if at == socket})
        self.held_on = Counter({key: count for key, count in self.held_on.items() if key[0] != socket}) + now_held
        is_held = len(messages) == 1 and not any("successful" in reply for reply in answered)
        if is_held:
            assert now_held, "a connect without a reply is held"
        invariants.check_replies([] if is_held else messages, answered, others)

    def _sort(self, effects: list[Effect], exchange: object) -> list[Any]:
        """What was said to the sender; other answers must be to connects of the sender that waited."""
        said: list[Any] = []
        for effect in effects:
            if isinstance(effect, Send | Answer):
                content = msgspec.json.decode(effect.body)
                assert type(content) is list, "an answer is an array"
                assert content, "an answer is never an empty array"
                if isinstance(effect, Answer) and effect.exchange != exchange:
                    assert effect.status in (200, 409)
                    assert self.held.pop(effect.exchange, None) is not None, "only what waits is answered"
                elif isinstance(effect, Answer) or effect.socket == exchange:
                    said += content
        return said

    def _seen(self) -> dict[str, Any]:
        return {client_id: invariants.seen(self.hub.sessions.get(client_id)) for client_id in ("b1", "b2")}

    def happen(self, kind: str, number: int) -> None:
        """Something else than a request: an event, time that passes, a connection that breaks."""
        if kind == "deliver":
            self.mark += 1
            data = msgspec.json.encode("x" * (number * 20))
            delivery = Delivery(TOPICS[number % 2], data, self.mark if number % 3 else 0, is_lazy=number % 5 == 0)
            self._sort(self.server.deliver("ann", [delivery] * (1 + number % 4 // 3), self.now_ms), None)
        elif kind == "tick":
            self.now_ms += number * 100
            effects = self.server.tick(self.now_ms)
            self.held = {at: known for at, known in self.held.items() if at in self.hub._waiting}
            assert all(type(effect) is not Hold for effect in effects)
            self.bystander = self._seen()
        elif kind == "lost":
            lost = list(self.held)[: 1 + number % 2]
            for exchange in [*lost, self.exchange, number]:
                self.held.pop(exchange, None)
                assert not [e for e in self.server.closed(exchange, self.now_ms) if isinstance(e, Answer | Send)]
        else:
            socket = f"socket{kind[-1]}"
            end = self.server.socket_stuck if kind.startswith("stuck") else self.server.socket_closed
            self._sort(end(socket, self.now_ms), None)

    def end(self) -> None:
        """After long enough nothing is left of anybody."""
        for _ in range(2):
            self.now_ms += 10**7
            self.server.tick(self.now_ms)
        hub = self.hub
        left = (len(hub.sessions), hub._waiting, hub._written, hub._polls_of_browser, hub.on_socket)
        assert left == (0, {}, {}, {}, {}), left
        assert self.server.next_deadline_ms() is None


class Core:
    """See ``running.Target``."""

    name = "core"

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()

    def make(self, chance: random.Random) -> Case:
        """A conversation."""
        drawn = Conversations(chance)
        return tuple(drawn.step() for _ in range(chance.choice((1, 6, 12, 24))))

    def check(self, case: Case) -> None:
        """Let it happen."""
        world = World()
        for step in case:
            self._step(world, step)
            invariants.check_hub(world.hub)
        world.end()

    def _step(self, world: World, step: Step) -> None:
        kind, sent = step
        if not (kind in MEDIA or kind in ("query", "frame1", "frame2")):
            world.happen(kind, int(sent or b"0"))
            return
        most = CONFIG.max_messages_per_request
        try:
            if kind == "query":
                callback, messages = read_query(sent, max_messages=most)
                invariants.check_script(as_script(callback, '["\u2028"]'.encode()))
            elif kind.startswith("frame"):
                messages = read_json_body(sent, max_bytes=MAX_BODY_BYTES)
            else:
                messages = read_body(sent, MEDIA[kind], max_messages=most, max_bytes=MAX_BODY_BYTES)
        except (Malformed, TooLarge) as error:
            self.outcomes[type(error).__name__] += 1
            invariants.check_refusal(error, sent)
            return
        world.receive(messages, f"socket{kind[-1]}" if kind.startswith("frame") else None)
        self.outcomes["processed"] += 1
