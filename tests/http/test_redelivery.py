"""Events reach the agent exactly as long as nobody confirmed them: next session, next process, never out of order."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.http.desks import Demo, Desktop, Json, accept
from tests.support.server import RunningServer


def agent(server: RunningServer, number: int) -> Desktop:
    """The desktop of one of the demo's agents."""
    return Desktop(server.url, f"agent{number}", f"demo-device-{number}", 1_000_000 + number)


def update(desk: Desktop, *references: str) -> None:
    """Cause one pair of acknowledgements for each reference."""
    for reference in references:
        accept(desk.on_record("UpdateRecord", referenceId=reference))


def references(messages: list[Json]) -> list[str]:
    """The references of the acknowledgements on /v2/me/outbound, in order of arrival."""
    return [message["data"]["referenceId"] for message in messages if "referenceId" in message["data"]]


def poll_once(desk: Desktop) -> list[str]:
    """One poll: what it brings is written, but not confirmed before the next."""
    desk.events.poll(0)
    return references([part for part in desk.events.last_answer if "data" in part])


def first_heard(desk: Desktop) -> list[str]:
    """Open a new session and take all it is given."""
    desk.events.open()
    return references(desk.heard())


def test_what_was_not_confirmed_goes_to_the_next_session(demo: Demo) -> None:
    """Written and unwritten events go to the next session, in order, before newer ones."""
    desk = demo.desk().listen()
    update(desk, "1", "2")
    assert poll_once(desk) == ["1", "2"]
    update(desk, "3")
    after = demo.again(desk)
    after.events.open()
    update(desk, "4")
    assert references(after.heard()) == ["1", "2", "3", "4"]


def test_what_was_confirmed_is_not_sent_again(demo: Demo) -> None:
    """A later poll confirms what the one before brought."""
    desk = demo.desk().listen()
    update(desk, "1")
    assert references(desk.heard()) == ["1"]  # polls until nothing comes, so the last poll confirms
    update(desk, "2")
    assert first_heard(demo.again(desk)) == ["2"]


def test_a_clean_disconnect_settles_what_was_written(demo: Demo) -> None:
    """Whoever says goodbye has taken what it was sent; what it was never sent waits."""
    desk = demo.desk().listen()
    update(desk, "1")
    assert poll_once(desk) == ["1"]
    update(desk, "2")
    desk.events.close()
    assert first_heard(demo.again(desk)) == ["2"]


def test_events_without_a_session_wait(demo: Demo) -> None:
    """What happens while the agent has no session is told when it comes."""
    desk = demo.desk()
    update(desk, "1", "2")
    assert first_heard(desk) == ["1", "2"]


def test_every_session_of_a_user_hears(demo: Demo) -> None:
    """Two sessions of one agent both get the events; confirming in one does not silence the other."""
    one = demo.desk().listen()
    two = demo.again(one).listen()
    update(one, "1")
    assert references(one.heard()) == ["1"]
    assert references(two.heard()) == ["1"]


@pytest.mark.item(96)
def test_nobody_else_hears(demo: Demo) -> None:
    """An agent's events go to no other agent, though both subscribed to the same topics."""
    one, other = demo.desk().listen(), demo.desk().listen()
    update(one, "1")
    assert other.heard() == []


@pytest.mark.parametrize("end", [RunningServer.kill, RunningServer.terminate], ids=["SIGKILL", "SIGTERM"])
def test_events_survive_the_server(server: RunningServer, end: Callable[[RunningServer], int]) -> None:
    """After a crash as after a clean stop the next process sends what nobody confirmed, in order, before newer events.

    The repeat rule holds across the restart too.
    """
    with agent(server, 2) as desk, agent(server, 3) as other:
        desk.listen()
        update(desk, "1", "2")
        assert poll_once(desk) == ["1", "2"]
        update(desk, "3")
        update(other, "4")
    end(server)
    server.restart()
    with agent(server, 2) as desk, agent(server, 3) as other:
        desk.events.open()
        update(desk, "3", "5")
        assert references(desk.heard()) == ["1", "2", "3", "3", "5"]
        assert first_heard(other) == ["4"]


def test_confirmed_events_stay_confirmed_after_a_clean_stop(server: RunningServer) -> None:
    """A server that was told to stop has kept how far its agents are."""
    with agent(server, 2) as desk:
        desk.listen()
        update(desk, "1")
        assert references(desk.heard()) == ["1"]
    assert server.terminate() == 0
    server.restart()
    with agent(server, 2) as desk:
        assert first_heard(desk) == []
