"""The server dies under its clients: each comes back by itself and hears what happened, in order and without a gap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.http.desks import Demo, Desktop, demo_server
from tests.interop.peers import INTERNAL, KINDS, OUTBOUND, Json, Kind, Peer, kinds_asked_for, nth, select, update
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
            for fate in made.values():
                fate.go_on(step)

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


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.title)
def test_a_client_comes_back_after_a_crash(fates: dict[Kind, Fate], kind: Kind) -> None:
    """Its session is unknown then: it handshakes once more, subscribes again, and hears all, in order.

    What was written but not confirmed may come twice; all else comes once.
    """
    fate = fates[kind]
    if fate.failure is not None:
        raise fate.failure
    client = fate.peer
    for channel in (OUTBOUND, INTERNAL):
        heard = client.heard(channel)
        firsts = [one for one, next_ in pairwise([*heard, None]) if one != next_]
        assert firsts == [HEARD, UNREAD, AWAY, AFTER]
        assert {number for number in heard if heard.count(number) > 1} <= {UNREAD}
    handshakes = select(client.told, "reply", "/meta/handshake", {"successful": True})
    assert len(handshakes) == 2
    unknown = nth([r for r in client.said("reply", "/meta/connect") if (r.get("error") or "").startswith("402:")], 1)
    assert unknown is not None
    assert unknown["advice"]["reconnect"] == "handshake"
