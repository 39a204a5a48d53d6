"""The server dies under its clients: each comes back by itself and hears what happened, in order and without a gap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.http.desks import Demo, Desktop, demo_server
from tests.interop.peers import INTERNAL, KINDS, OUTBOUND, Json, Kind, Peer, kinds_asked_for, number_of, select, update
from tests.support.processes import NotReadyError

HEARD, UNREAD, AWAY, AFTER = 1, 2, 3, 4
"""Updates: before the outage; written to clients that read no more; while they are away; when they are back."""

pytestmark = pytest.mark.interop


class Fate:
    """One client on its way through the outage: as far as it got, and what stopped it there."""

    def __init__(self, kind: Kind, demo: Demo) -> None:
        self.desk = demo.desk()
        self.peer = Peer.start(kind, demo.url, [OUTBOUND, INTERNAL], user=self.desk.name)
        self.failure: NotReadyError | None = None

    def go_on(self, step: Callable[[Peer, Desktop], None]) -> None:
        """Take a step unless an earlier one failed."""
        if self.failure is None:
            try:
                step(self.peer, self.desk)
            except NotReadyError as error:
                self.failure = error


def hear(number: int) -> Callable[[Peer, Desktop], None]:
    """A step: an update, and both its messages."""

    def step(peer: Peer, desk: Desktop) -> None:
        update(desk, number)
        peer.wait_to_hear(number, OUTBOUND, INTERNAL)

    return step


def is_trouble(line: Json) -> bool:
    """Tell whether a line shows that a client has noticed: each library says it, or tries again, in its own way."""
    return line["what"] in ("down", "sent") or (line["what"] == "reply" and not line["successful"])


@pytest.fixture(scope="module")
def fates(node_modules: Path, request: pytest.FixtureRequest) -> Iterator[dict[Kind, Fate]]:
    """All clients through one outage at once: frozen with unread events, cut off, away for a while, back."""
    with demo_server(agents=len(KINDS) + 1) as demo:
        made = {kind: Fate(kind, demo) for kind in kinds_asked_for(request)}

        def all_go_on(step: Callable[[Peer, Desktop], None]) -> None:
            with ThreadPoolExecutor(len(made)) as pool:  # one that gets no further keeps no other waiting
                list(pool.map(lambda fate: fate.go_on(step), made.values()))

        try:
            all_go_on(lambda peer, _: peer.wait_for_subscriptions(OUTBOUND, INTERNAL))
            all_go_on(hear(HEARD))
            all_go_on(lambda peer, _: peer.freeze())
            all_go_on(lambda _, desk: update(desk, UNREAD))
            seen = {fate.peer: len(fate.peer.told) for fate in made.values()}
            demo.server.kill()
            all_go_on(lambda peer, _: peer.thaw())
            all_go_on(
                lambda peer, _: peer.wait_until(
                    lambda told: next((line for line in told[seen[peer] :] if is_trouble(line)), None),
                    "that it noticed",
                ).clear()
            )
            all_go_on(lambda peer, _: peer.freeze())
            demo.server.restart()
            all_go_on(lambda _, desk: update(desk, AWAY))
            all_go_on(lambda peer, _: peer.thaw())
            all_go_on(lambda peer, _: peer.wait_to_hear(AWAY, OUTBOUND, INTERNAL))
            all_go_on(hear(AFTER))
            yield made
        finally:
            for fate in made.values():
                fate.peer.end()


def numbers(told: list[Json], channel: str) -> list[int]:
    """The updates whose messages came on a channel, in order."""
    found = (number_of(line) for line in select(told, "message", channel, {}))
    return [number for number in found if number is not None]


@pytest.mark.item("0.4", 45)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.title)
def test_a_client_comes_back_after_a_crash(fates: dict[Kind, Fate], kind: Kind) -> None:
    """Its session is unknown then: it handshakes once more, subscribes again, and hears all, in order.

    What was heard before may come once more (confirmations are written a little later than events are); in each of the
    two sessions everything comes once.
    """
    fate = fates[kind]
    if fate.failure is not None:
        raise fate.failure
    told = fate.peer.told
    unknown = [n for n, line in enumerate(told) if is_unknown(line)]
    assert len(unknown) == 1
    assert told[unknown[0]]["advice"]["reconnect"] == "handshake"
    for channel in (OUTBOUND, INTERNAL):
        before, after = numbers(told[: unknown[0]], channel), numbers(told[unknown[0] :], channel)
        assert before in ([HEARD], [HEARD, UNREAD])
        assert after == list(range(after[0], AFTER + 1))
        assert after[0] <= before[-1] + 1
    assert len(select(told, "reply", "/meta/handshake", {"successful": True})) == 2


def is_unknown(line: Json) -> bool:
    """Tell whether a line is the answer to a connect of a session that is gone."""
    return (line["what"], line.get("channel")) == ("reply", "/meta/connect") and "402::" in (line.get("error") or "")
