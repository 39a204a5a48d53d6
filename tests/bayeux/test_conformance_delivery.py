"""Conformance, item by item: what is delivered, to whom, how often, and when it counts as delivered.

The numbers are those of docs/bayeux-conformance.md.
"""

from __future__ import annotations

import pytest

from tests.bayeux.harness import (
    INTERNAL,
    OUTBOUND,
    Wire,
    connect,
    disconnect,
    event,
    handshake,
    marks_in,
    publish,
    subscribe,
)
from trunkline.bayeux import Config, Confirmed, Delivery, SessionClosed


@pytest.mark.item("0.10")
def test_the_published_sample_comes_out_as_printed() -> None:
    """Two events and the connect reply, in the order and with the keys of the vendor's sample."""
    wire = Wire()
    client_id = wire.connected("/**")
    held = wire.hold(client_id, id="20")
    outcome = wire.deliver(Delivery(OUTBOUND, b'{"a":1}', 1), Delivery(INTERNAL, b'{"b":2}', 2))
    assert outcome.answers[held].body == (
        b'[{"data":{"a":1},"channel":"/v2/me/outbound"},{"data":{"b":2},"channel":"/me/internal"},'
        b'{"successful":true,"advice":{"interval":0,"timeout":30000,"reconnect":"retry"},"id":"20",'
        b'"channel":"/meta/connect"}]'
    )


@pytest.mark.item(20)
def test_a_session_gets_an_event_once() -> None:
    """However many of its subscriptions match."""
    wire = Wire()
    client_id = wire.connected("/**", "/v2/me/*", "/v2/**", OUTBOUND)
    held = wire.hold(client_id)
    assert marks_in(wire.deliver(event(1)).messages_in(held)) == [1]


@pytest.mark.item(21)
def test_patterns_do_not_reach_meta_and_service() -> None:
    """Not even when the server itself delivers there."""
    wire = Wire()
    wire.hold(wire.connected("/**"))
    assert not wire.deliver(event(1, "/meta/connect"), event(2, "/service/x")).effects


@pytest.mark.item(47)
def test_a_broken_poll_keeps_session_and_queue() -> None:
    """Events made during the outage come with the next connect."""
    wire = Wire()
    client_id = wire.connected("/**")
    held = wire.hold(client_id)
    assert not wire.closed(held).effects
    assert not wire.deliver(event(1)).effects
    wire.pass_time(59_999)
    assert marks_in(wire.send(connect(client_id)).messages) == [1]


@pytest.mark.item(47)
def test_a_broken_poll_starts_the_expiry() -> None:
    """``maxInterval`` counts from the break, not from the poll's own timeout."""
    wire = Wire()
    client_id = wire.connected()
    held = wire.hold(client_id)
    wire.pass_time(10_000)
    wire.closed(held)
    assert not wire.pass_time(59_999).effects
    assert wire.pass_time(1).of(SessionClosed)


@pytest.mark.item(47)
def test_an_answer_that_found_nobody_returns_to_the_queue() -> None:
    """Its events are first in the next answer, before newer ones, and are confirmed only after that."""
    wire = Wire()
    client_id = wire.connected("/**")
    held = wire.hold(client_id)
    assert held in wire.deliver(event(1), event(2)).answers
    wire.deliver(event(3))
    assert not wire.closed(held).effects
    outcome = wire.send(connect(client_id))
    assert marks_in(outcome.messages) == [1, 2, 3]
    assert not outcome.of(Confirmed)
    assert wire.send(connect(client_id)).of(Confirmed) == [Confirmed("ann", OUTBOUND, 3)]


@pytest.mark.item(47)
def test_a_late_word_about_an_old_exchange_changes_nothing() -> None:
    """A later connect has settled it already; unknown exchanges are ignored as well."""
    wire = Wire()
    client_id = wire.connected("/**")
    held = wire.hold(client_id)
    wire.deliver(event(1))
    newer = wire.hold(client_id)
    for exchange in (held, "never seen"):
        assert not wire.closed(exchange).effects
    assert marks_in(wire.deliver(event(2)).messages_in(newer)) == [2]


@pytest.mark.item(63)
def test_order_is_kept_through_polls() -> None:
    """Events of several calls, some between polls, arrive in order and none twice."""
    wire = Wire()
    client_id = wire.connected("/**")
    received: list[int] = []
    for mark in range(1, 40, 4):
        held = wire.hold(client_id)
        received += marks_in(wire.deliver(event(mark)).messages_in(held))
        wire.deliver(event(mark + 1), event(mark + 2))
        wire.deliver(event(mark + 3))
        received += marks_in(wire.send(connect(client_id)).messages)
    assert received == list(range(1, 41))


@pytest.mark.item(59, 63)
def test_events_come_with_connects_alone() -> None:
    """No other answer carries them, whatever waits, so that no two answers with events are under way."""
    wire = Wire()
    client_id = wire.connected("/**")
    wire.deliver(event(1))
    for message in (subscribe(client_id, "/a"), publish(client_id, "/chat/1"), handshake(), connect("nobody")):
        assert marks_in(wire.send(message).messages) == []
    assert wire.send(connect(client_id)).messages[0]["data"] == 1


@pytest.mark.item(82)
def test_a_queue_over_its_count_ends_the_session() -> None:
    """Nothing is dropped in silence: the next connect is 402, and the client starts over."""
    wire = Wire(Config(max_queue_messages=2))
    client_id = wire.connected("/**")
    assert not wire.deliver(event(1), event(2)).effects
    assert wire.deliver(event(3)).effects == [SessionClosed(client_id, "ann", "overflow")]
    assert wire.send(connect(client_id)).reply["advice"]["reconnect"] == "handshake"


@pytest.mark.item(82)
def test_a_queue_over_its_bytes_ends_the_session() -> None:
    """Bytes count as they go on the wire; taking the queue frees them."""
    size = len(b'{"data":1,"channel":"/v2/me/outbound"}')
    wire = Wire(Config(max_queue_bytes=2 * size))
    client_id = wire.connected("/**")
    wire.deliver(event(1), event(2))
    assert marks_in(wire.send(connect(client_id)).messages) == [1, 2]
    wire.deliver(event(3), event(4))
    assert wire.deliver(event(5)).of(SessionClosed)


@pytest.mark.item(82)
def test_overflow_of_a_held_session_answers_its_connect() -> None:
    """One call beyond the limit: the held connect is told to handshake."""
    wire = Wire(Config(max_queue_messages=2))
    client_id = wire.connected("/**")
    held = wire.hold(client_id)
    outcome = wire.deliver(event(1), event(2), event(3))
    (reply,) = outcome.messages_in(held)
    assert (reply["error"], reply["advice"]["reconnect"]) == ("402::Unknown client", "handshake")


@pytest.mark.item(82)
def test_what_is_put_back_counts_too() -> None:
    """A lost answer and what came after it can be too much together."""
    wire = Wire(Config(max_queue_messages=2))
    client_id = wire.connected("/**")
    held = wire.hold(client_id)
    wire.deliver(event(1), event(2))
    wire.deliver(event(3))
    assert wire.closed(held).effects == [SessionClosed(client_id, "ann", "overflow")]


@pytest.mark.item(96)
def test_events_go_to_their_owner_alone() -> None:
    """The same topic name for all, every session of the owner, nobody else."""
    wire = Wire()
    first, second = wire.hold(wire.connected("/**")), wire.hold(wire.connected(OUTBOUND))
    wire.hold(wire.connected("/**", principal="bob"), principal="bob")
    wire.hold(wire.connected(INTERNAL))
    outcome = wire.deliver(event(1))
    assert list(outcome.answers) == [first, second]


def test_delivered_means_that_a_later_connect_came() -> None:
    """One confirmation for each channel with its highest mark, and only once."""
    wire = Wire()
    client_id = wire.connected("/**")
    wire.hold(client_id)
    wire.deliver(event(1), event(2, INTERNAL), event(3))
    assert not wire.send(subscribe(client_id, "/a")).of(Confirmed)
    outcome = wire.send(connect(client_id))
    assert outcome.of(Confirmed) == [Confirmed("ann", OUTBOUND, 3), Confirmed("ann", INTERNAL, 2)]
    wire.closed(outcome.exchange)
    assert not wire.send(connect(client_id)).of(Confirmed)


def test_a_clean_disconnect_settles_what_was_written_and_no_more() -> None:
    """What is still queued stays pending with the application."""
    wire = Wire()
    client_id = wire.connected("/**")
    wire.hold(client_id)
    wire.deliver(event(1))
    wire.deliver(event(2))
    assert wire.send(disconnect(client_id)).without_answers() == [
        Confirmed("ann", OUTBOUND, 1),
        SessionClosed(client_id, "ann", "disconnect"),
    ]


def test_a_disconnect_in_the_batch_of_its_connect_settles_nothing_of_it() -> None:
    """The answer that carries the events is not out yet."""
    wire = Wire()
    client_id = wire.connected("/**")
    wire.deliver(event(1))
    outcome = wire.send(connect(client_id), disconnect(client_id))
    assert marks_in(outcome.messages) == [1]
    assert not outcome.of(Confirmed)
    assert not wire.closed(outcome.exchange).effects


def test_events_without_mark_are_not_confirmed() -> None:
    """Mark 0 is for events that nobody waits for; they are never taken for repeats."""
    wire = Wire()
    client_id = wire.connected("/**")
    wire.deliver(event(0), event(0))
    assert marks_in(wire.send(connect(client_id)).messages) == [0, 0]
    assert not wire.send(connect(client_id)).of(Confirmed)


def test_redelivery_skips_what_the_session_got_already() -> None:
    """By mark and channel, also after the event was settled; other channels have their own marks."""
    wire = Wire()
    client_id = wire.connected("/**")
    wire.deliver(event(5))
    wire.deliver_to(client_id, event(4), event(5), event(6), event(3, INTERNAL))
    messages = wire.send(connect(client_id)).messages
    assert marks_in(messages) == [5, 6, 3]
    wire.hold(client_id)
    assert not wire.deliver_to(client_id, event(6)).effects


def test_redelivery_wakes_the_held_connect_of_one_session() -> None:
    """Only as far as it is subscribed; a session that is gone is ignored."""
    wire = Wire()
    client_id, other = wire.connected(OUTBOUND), wire.connected("/**")
    held = wire.hold(client_id)
    wire.hold(other)
    outcome = wire.deliver_to(client_id, event(1), event(2, INTERNAL))
    assert list(outcome.answers) == [held]
    assert marks_in(outcome.messages_in(held)) == [1]
    assert not wire.deliver_to("nobody", event(1)).effects


def test_an_event_is_not_delivered_twice_while_unsettled() -> None:
    """Redelivered from the mailbox and delivered live at the same moment: it arrives once."""
    wire = Wire()
    client_id = wire.connected("/**")
    wire.deliver_to(client_id, event(1), event(2))
    wire.deliver(event(2), event(3))
    assert marks_in(wire.send(connect(client_id)).messages) == [1, 2, 3]
    wire.deliver(event(3))
    assert wire.send(connect(client_id)).is_held


def test_an_event_that_was_overtaken_is_not_lost() -> None:
    """A lower mark that comes late is no repeat."""
    wire = Wire()
    client_id = wire.connected("/**")
    wire.deliver(event(2))
    wire.deliver(event(1))
    assert marks_in(wire.send(connect(client_id)).messages) == [2, 1]


def test_two_sessions_polling_in_one_request_are_settled_and_put_back_apart() -> None:
    """A lost answer returns the events of the session that has not come back, and leaves the other alone."""
    wire = Wire()
    first, second = wire.connected("/**"), wire.connected("/**")
    wire.deliver(event(1))
    both = wire.send(connect(first), connect(second))
    assert marks_in(both.messages) == [1, 1]
    assert wire.send(connect(first)).of(Confirmed) == [Confirmed("ann", OUTBOUND, 1)]
    wire.closed(both.exchange)
    assert marks_in(wire.send(connect(second)).messages) == [1]
    assert wire.send(connect(first)).is_held
