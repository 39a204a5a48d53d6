"""Replay: a client that says where it stopped gets the rest, or is told of a gap (decisions 9)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.desks import Demo, Desktop
from tests.http.test_sockets import INTERNAL, OUTBOUND, Line, line, update
from tests.support.server import RunningServer

Position = dict[str, Any]


def begin(client: Line, **stopped: Position) -> dict[str, Any]:
    """Begin a session that says where it stopped; what the reply to its subscription says of that."""
    assert client.shake_hands(ext={"replay": True})["ext"]["replay"] is True
    client.events.clear()
    ext = {"replay": dict(stopped)}
    reply = client.ask("/meta/subscribe", subscription=[OUTBOUND, INTERNAL], ext=ext)
    assert reply["successful"]
    assert client.reply(client.connect())["successful"]
    client.connect()
    said: dict[str, Any] = reply.get("ext", {}).get("replay", {})
    return said


def acknowledged(client: Line, count: int) -> list[tuple[str, Position]]:
    """References and positions of the next acknowledgements."""
    found: list[tuple[str, Position]] = []
    while len(found) < count:
        found += [
            (m["data"]["referenceId"], m["ext"]["replay"])
            for m in client.events
            if m["channel"] == OUTBOUND and "referenceId" in m["data"]
        ]
        client.events.clear()
        if len(found) < count:
            client.frame()
    return found


@pytest.mark.item(93)
@pytest.mark.parametrize("again", [False, True], ids=["same process", "restart"])
def test_a_client_goes_on_where_it_stopped(again: bool) -> None:  # noqa: FBT001
    """All of its own since then, in order and once, though another session had confirmed it; across a restart too."""
    with RunningServer("--demo") as server:
        desk = Desktop(server.url, "agent1", "demo-device-1", 1_000_001)
        with desk:
            with line(server, "agent1") as client:
                begin(client)
                update(desk, "1", "2")
                (_, position), _ = acknowledged(client, 2)
            update(desk, "3")
            other = Desktop(server.url, "agent1", "demo-device-1", 1_000_001).listen()
            other.heard()
            other.client.close()
            if again:
                server.kill()
                server.restart()
            with line(server, "agent1") as client:
                said = begin(client, **{OUTBOUND: position})[OUTBOUND]
                assert (said["recovered"], said["epoch"]) == (True, position["epoch"])
                assert [reference for reference, _ in acknowledged(client, 2)] == ["2", "3"]
                update(desk, "4")
                assert [reference for reference, _ in acknowledged(client, 1)] == ["4"]


@pytest.mark.item(93)
def test_a_gap_is_told_plainly(demo: Demo) -> None:
    """Another epoch, or a place that never was: recovered is false, with where to go on from."""
    desk = demo.desk()
    with line(demo.server, desk.name) as client:
        begin(client)
        update(desk, "1")
        ((_, position),) = acknowledged(client, 1)
    for stopped in ({**position, "epoch": "other"}, {**position, "offset": 2**62}):
        with line(demo.server, desk.name) as client:
            said = begin(client, **{OUTBOUND: stopped})[OUTBOUND]
            assert (said["recovered"], said["epoch"]) == (False, position["epoch"])
            assert said["offset"] >= position["offset"]
            onward = {"epoch": said["epoch"], "offset": said["offset"]}
        with line(demo.server, desk.name) as client:
            assert begin(client, **{OUTBOUND: onward})[OUTBOUND]["recovered"] is True


@pytest.mark.item(93)
@pytest.mark.parametrize(
    "stopped", [7, None, {}, {"epoch": 1, "offset": 1}, {"epoch": "x", "offset": -1}, {"offset": 1}]
)
def test_what_is_no_position_is_passed_over(demo: Demo, stopped: object) -> None:
    """The subscription succeeds as one without it."""
    desk = demo.desk()
    with line(demo.server, desk.name) as client:
        assert begin(client, **{OUTBOUND: stopped}) == {}  # type: ignore[arg-type]


@pytest.mark.item(93)
def test_events_of_plain_clients_carry_no_position(demo: Demo) -> None:
    """Exactly data and channel, although another session of the same user asked for positions."""
    desk = demo.desk().listen()
    with line(demo.server, desk.name) as client:
        begin(client)
        update(desk, "1")
        assert acknowledged(client, 1)[0][0] == "1"
        assert [m["data"]["referenceId"] for m in desk.heard() if "referenceId" in m["data"]] == ["1"]
