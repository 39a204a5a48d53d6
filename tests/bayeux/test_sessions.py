"""One session's queue, and the registry with its deadlines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.bayeux import Config, sessions
from trunkline.bayeux.sessions import Entry, Session, Sessions


def _entry(mark: int, channel: str = "/a") -> Entry:
    return Entry(f'{{"data":{mark}}}'.encode(), channel, mark)


@pytest.mark.item(25)
def test_a_session_forgets_the_oldest_of_very_many_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Marks are kept for a limited number of channels, so a server with endless channels does not grow."""
    monkeypatch.setattr(sessions, "_MARKED_CHANNELS", 2)
    session = Session("c", "ann", 0)
    for mark, channel in enumerate(["/a", "/b", "/c"], start=1):
        session.enqueue(_entry(mark, channel))
    assert session.last_marks == {"/b": 2, "/c": 3}


def test_bytes_are_counted_through_queue_and_return() -> None:
    """The count follows what is in the queue."""
    session = Session("c", "ann", 0)
    session.enqueue(_entry(1))
    session.take("x", 1000)
    assert session.queued_bytes == 0
    session.enqueue(_entry(2))
    session.put_back()
    assert [entry.mark for entry in session.queue] == [1, 2]
    assert session.queued_bytes == 2 * len(_entry(1).encoded)
    assert not session.is_over(Config(max_queue_messages=2))
    assert session.is_over(Config(max_queue_messages=1))
    assert session.is_over(Config(max_queue_bytes=19))


def test_a_single_event_above_the_limit_is_taken() -> None:
    """An event that is larger than the answer may be goes alone, also when it is the last of the queue."""
    session = Session("c", "ann", 0)
    session.enqueue(_entry(1))
    session.enqueue(_entry(2))
    assert session.take("x", 1) == [_entry(1)]
    assert session.take("x", 1) == [_entry(2)]
    assert (session.queue, session.queued_bytes) == ([], 0)


def test_an_empty_queue_leaves_what_was_written() -> None:
    """A second connect in the same answer takes nothing and forgets nothing."""
    session = Session("c", "ann", 0)
    session.enqueue(_entry(1))
    assert session.take("x", 1000) == [_entry(1)]
    assert session.take("x", 1000) == []
    assert (session.written, session.written_in) == ([_entry(1)], "x")
    assert session.settle() == {"/a": 1}
    assert (session.written, session.written_in, session.settle()) == ([], None, {})


def test_highest_mark_wins_whatever_the_order() -> None:
    """An overtaken event does not lower the confirmation."""
    session = Session("c", "ann", 0)
    session.enqueue(_entry(2))
    session.enqueue(_entry(1))
    assert session.has(_entry(1))
    assert not session.has(_entry(3))
    session.take("x", 1000)
    assert session.settle() == {"/a": 2}
    assert not session.has(_entry(1))


def test_sessions_are_found_by_owner_only() -> None:
    """A foreign principal and an unknown id get the same nothing."""
    registry = Sessions()
    session = Session("c", "ann", 10)
    registry.add(session)
    assert registry.find("c", "ann") is session
    assert registry.find("c", "bob") is None
    assert registry.find(["c"], "ann") is None
    assert list(registry.of("ann")) == list(registry) == [session]
    registry.remove(session)
    assert (registry.get("c"), len(registry), registry.count_of("ann")) == (None, 0, 0)
    assert list(registry.of("ann")) == []


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("mrda"), st.integers(0, 50)), max_size=80))
def test_deadlines_come_due_exactly(steps: list[tuple[int, str, int]]) -> None:
    """Sessions added, moved, removed in any order: due yields those whose time has come, and the hint is never late."""
    registry, truth, now_ms = Sessions(), dict[str, int](), 0
    for number, action, amount in steps:
        name = f"c{number}"
        session = registry.get(name)
        if action == "a":
            now_ms += amount
            due = []
            for each in registry.due(now_ms):
                due.append(each.client_id)
                registry.remove(each)
            assert sorted(due) == sorted(key for key, deadline in truth.items() if deadline <= now_ms)
            truth = {key: deadline for key, deadline in truth.items() if deadline > now_ms}
        elif session is None:
            registry.add(Session(name, "ann", now_ms + amount))
            truth[name] = now_ms + amount
        elif action == "r":
            registry.remove(session)
            del truth[name]
        else:
            session.deadline_ms = truth[name] = now_ms + amount
            registry.reschedule(session)
        hint = registry.next_deadline_ms()
        assert (hint is None) is (not truth)
        assert hint is None or hint <= min(truth.values())


def test_dead_entries_do_not_pile_up() -> None:
    """Ever shorter connects of one session leave a bounded heap, and its deadline is still kept."""
    registry = Sessions()
    session = Session("c", "ann", 100_000)
    registry.add(session)
    for deadline_ms in range(99_999, 90_000, -1):
        session.deadline_ms = deadline_ms
        registry.reschedule(session)
    assert len(registry._deadlines) <= 70
    assert registry.next_deadline_ms() == 90_001
    assert list(registry.due(90_001)) == [session]


def test_the_only_event_goes_out_though_it_is_larger_than_the_room() -> None:
    """A socket whose client has not confirmed much leaves little room; an event is never held back for ever."""
    session = Session("c", "ann", 0)
    session.enqueue(_entry(1))
    assert [entry.mark for entry in session.take("socket", 1)] == [1]
    session.enqueue(_entry(2))
    session.enqueue(_entry(3))
    assert [entry.mark for entry in session.take("socket", 1)] == [2]
