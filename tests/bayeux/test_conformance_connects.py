"""Conformance, item by item: connects, delivery, expiry, limits, shutdown.

The numbers are those of the conformance sheet of the project's CometD reference.
"""

from __future__ import annotations

import pytest

from tests.bayeux.harness import (
    INTERNAL,
    LEFT_OUT,
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
from trunkline.bayeux import Config, Confirmed, Delivery, Hold, SessionClosed

RETRY = {"interval": 0, "timeout": 30000, "reconnect": "retry"}


def test_item_10_of_section_0_the_published_sample_comes_out_as_printed() -> None:
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


def test_item_20_a_session_gets_an_event_once() -> None:
    """However many of its subscriptions match."""
    wire = Wire()
    client_id = wire.connected("/**", "/v2/me/*", "/v2/**", OUTBOUND)
    held = wire.hold(client_id)
    assert marks_in(wire.deliver(event(1)).messages_in(held)) == [1]


def test_item_21_patterns_do_not_reach_meta_and_service() -> None:
    """Not even when the server itself delivers there."""
    wire = Wire()
    wire.hold(wire.connected("/**"))
    assert not wire.deliver(event(1, "/meta/connect"), event(2, "/service/x")).effects


def test_item_37_connect_replies_always_carry_the_whole_advice() -> None:
    """On the first connect, on a batch, and on a held one that times out."""
    wire = Wire()
    client_id = wire.handshake()
    assert wire.send(connect(client_id)).reply["advice"] == RETRY
    assert wire.send(connect(client_id), {}).messages[-1]["advice"] == RETRY
    held = wire.hold(client_id)
    assert wire.pass_time(30_000).messages_in(held)[0]["advice"] == RETRY


@pytest.mark.parametrize(
    ("connection_type", "error", "reconnect"),
    [
        (LEFT_OUT, "400::connectionType missing", "retry"),
        (None, "400::connectionType missing", "retry"),
        ("websocket", "301:websocket:Connection types not supported", "none"),
        (["long-polling"], "301::Connection types not supported", "none"),
    ],
)
def test_item_38_a_connect_names_its_connection_type(connection_type: object, error: str, reconnect: str) -> None:
    """Missing or unsupported: refused, and a connect that is held stays held."""
    wire = Wire()
    client_id = wire.connected()
    held = wire.hold(client_id)
    outcome = wire.send(connect(client_id, connectionType=connection_type))
    assert (outcome.reply["error"], outcome.reply["advice"]["reconnect"]) == (error, reconnect)
    assert held in wire.pass_time(30_000).answers


def test_item_39_a_connect_is_held_until_the_timeout() -> None:
    """The reply comes with the tick at the deadline and not before."""
    wire = Wire()
    client_id = wire.connected()
    outcome = wire.send(connect(client_id, id=8))
    assert outcome.of(Hold) == [Hold(outcome.exchange, client_id, wire.now_ms + 30_000)]
    assert not wire.pass_time(29_999).effects
    assert wire.server.next_deadline_ms() == wire.now_ms + 1
    (reply,) = wire.pass_time(1).messages_in(outcome.exchange)
    assert (reply["successful"], reply["id"]) == (True, 8)


def test_item_40_the_first_connect_is_answered_at_once() -> None:
    """Without any advice from the client; the second is held."""
    wire = Wire()
    client_id = wire.handshake()
    assert wire.send(connect(client_id)).reply["successful"]
    assert wire.send(connect(client_id)).is_held


@pytest.mark.parametrize("timeout", [0, 0.0, 0.5])
def test_item_40_a_timeout_of_zero_is_answered_at_once(timeout: float) -> None:
    """That is how clients ask whether the server is there."""
    wire = Wire()
    client_id = wire.connected()
    assert wire.send(connect(client_id, advice={"timeout": timeout})).reply["advice"] == RETRY
    assert wire.send(connect(client_id)).is_held


@pytest.mark.parametrize(
    ("advice", "until_ms"),
    [
        ({"timeout": 5_000}, 5_000),
        ({"timeout": 90_000}, 30_000),
        ({"timeout": -1}, 30_000),
        ({"timeout": "0"}, 30_000),
        ({"timeout": False}, 30_000),
        ([], 30_000),
    ],
)
def test_item_41_the_clients_timeout_holds_for_one_connect(advice: object, until_ms: int) -> None:
    """It may shorten ours; nonsense is passed over; the next connect has ours again."""
    wire = Wire()
    client_id = wire.connected()
    (hold,) = wire.send(connect(client_id, advice=advice)).of(Hold)
    assert hold.until_ms == wire.now_ms + until_ms
    wire.pass_time(until_ms)
    (hold,) = wire.send(connect(client_id)).of(Hold)
    assert hold.until_ms == wire.now_ms + 30_000


def test_item_41_the_clients_interval_lengthens_the_life_of_one_pause() -> None:
    """Up to the limit; after the next connect the ordinary time counts again."""
    wire = Wire()
    client_id = wire.connected()
    wire.send(connect(client_id, advice={"timeout": 0, "interval": 50_000}))
    assert not wire.pass_time(109_999).effects
    wire.send(connect(client_id, advice={"timeout": 0, "interval": 10**9}))
    assert not wire.pass_time(119_999).effects
    wire.send(connect(client_id, advice={"timeout": 0}))
    assert wire.pass_time(60_000).of(SessionClosed)


def test_item_42_events_between_polls_come_with_the_next_connect() -> None:
    """At once, events first, connect reply last."""
    wire = Wire()
    client_id = wire.connected("/**")
    wire.deliver(event(1))
    wire.deliver(event(2), event(3))
    messages = wire.send(connect(client_id)).messages
    assert marks_in(messages) == [1, 2, 3]
    assert messages[-1]["channel"] == "/meta/connect"


def test_item_42_in_a_batch_events_are_first_and_connect_replies_last() -> None:
    """Other replies keep the order of the request between them."""
    wire = Wire()
    client_id = wire.connected("/**")
    wire.deliver(event(1))
    outcome = wire.send(connect("nobody"), connect(client_id), subscribe(client_id, "/a"), publish(client_id, "/x"))
    assert [message["channel"] for message in outcome.messages] == [
        OUTBOUND, "/meta/subscribe", "/x", "/meta/connect", "/meta/connect",
    ]


def test_item_43_a_second_connect_ends_the_first_with_409() -> None:
    """The newer one is held in its place and gets the events; the body of the 409 matches no request."""
    wire = Wire()
    client_id = wire.connected("/**")
    first = wire.hold(client_id)
    outcome = wire.send(connect(client_id))
    assert outcome.is_held
    assert outcome.answers[first].status == 409
    assert b'"id"' not in outcome.answers[first].body
    delivered = wire.deliver(event(1))
    assert list(delivered.answers) == [outcome.exchange]


def test_item_43_a_batched_connect_ends_the_held_one_too() -> None:
    """The session is then without a held connect."""
    wire = Wire()
    client_id = wire.connected("/**")
    first = wire.hold(client_id)
    outcome = wire.send(connect(client_id), {})
    assert outcome.answers[first].status == 409
    assert not wire.deliver(event(1)).effects


def test_item_44_a_batched_connect_is_not_held() -> None:
    """All replies of the batch come together, as after a re-handshake."""
    wire = Wire()
    client_id = wire.connected()
    outcome = wire.send(connect(client_id), subscribe(client_id, OUTBOUND))
    assert [message["channel"] for message in outcome.messages] == ["/meta/subscribe", "/meta/connect"]
    assert all(message["successful"] for message in outcome.messages)


def test_item_44_two_connects_of_one_batch_settle_nothing_between_them() -> None:
    """What the answer itself carries has not arrived yet."""
    wire = Wire()
    client_id = wire.connected("/**")
    wire.deliver(event(1))
    outcome = wire.send(connect(client_id), connect(client_id))
    assert marks_in(outcome.messages) == [1]
    assert not outcome.of(Confirmed)
    assert wire.send(connect(client_id)).of(Confirmed) == [Confirmed("ann", OUTBOUND, 1)]


def test_item_45_an_unknown_session_is_sent_to_the_handshake() -> None:
    """HTTP 200, unsuccessful, advice handshake with interval 0."""
    outcome = Wire().send(connect("nobody", id="3"))
    assert outcome.reply == {
        "successful": False,
        "error": "402::Unknown client",
        "advice": {"interval": 0, "timeout": 30000, "reconnect": "handshake"},
        "id": "3",
        "channel": "/meta/connect",
    }


def test_item_46_a_session_without_connect_expires() -> None:
    """60 s after the handshake, or after the end of the last connect; then it is unknown."""
    wire = Wire()
    client_id = wire.handshake()
    assert not wire.pass_time(59_999).effects
    assert wire.pass_time(1).of(SessionClosed) == [SessionClosed(client_id, "ann", "expired")]
    client_id = wire.connected()
    wire.pass_time(59_000)
    held = wire.hold(client_id)
    assert held in wire.pass_time(30_000).answers
    assert not wire.pass_time(59_999).effects
    assert wire.pass_time(1).of(SessionClosed)
    assert wire.send(connect(client_id)).reply["error"] == "402::Unknown client"
    assert wire.server.next_deadline_ms() is None


def test_item_46_other_messages_do_not_keep_a_session_alive() -> None:
    """Only connects count."""
    wire = Wire()
    client_id = wire.connected()
    wire.pass_time(59_000)
    wire.send(subscribe(client_id, OUTBOUND))
    assert wire.pass_time(1_000).of(SessionClosed)


def test_item_47_a_broken_poll_keeps_session_and_queue() -> None:
    """Events made during the outage come with the next connect."""
    wire = Wire()
    client_id = wire.connected("/**")
    held = wire.hold(client_id)
    assert not wire.closed(held).effects
    assert not wire.deliver(event(1)).effects
    wire.pass_time(59_999)
    assert marks_in(wire.send(connect(client_id)).messages) == [1]


def test_item_47_a_broken_poll_starts_the_expiry() -> None:
    """``maxInterval`` counts from the break, not from the poll's own timeout."""
    wire = Wire()
    client_id = wire.connected()
    held = wire.hold(client_id)
    wire.pass_time(10_000)
    wire.closed(held)
    assert not wire.pass_time(59_999).effects
    assert wire.pass_time(1).of(SessionClosed)


def test_item_47_an_answer_that_found_nobody_returns_to_the_queue() -> None:
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


def test_item_47_a_late_word_about_an_old_exchange_changes_nothing() -> None:
    """A later connect has settled it already; unknown exchanges are ignored as well."""
    wire = Wire()
    client_id = wire.connected("/**")
    held = wire.hold(client_id)
    wire.deliver(event(1))
    newer = wire.hold(client_id)
    for exchange in (held, "never seen"):
        assert not wire.closed(exchange).effects
    assert marks_in(wire.deliver(event(2)).messages_in(newer)) == [2]


def test_item_48_maxinterval_is_advised_only_when_configured() -> None:
    """The wire name is camel case."""
    wire = Wire(Config(advise_max_interval=True, max_interval_ms=5_000))
    assert wire.send(handshake()).reply["advice"]["maxInterval"] == 5_000
    assert "maxInterval" not in Wire().send(handshake()).reply["advice"]


def test_item_49_max_interval_counts_on_top_of_the_interval() -> None:
    """A client that waits as advised is not swept."""
    wire = Wire(Config(interval_ms=5_000, max_interval_ms=10_000))
    client_id = wire.handshake()
    assert not wire.pass_time(14_999).effects
    assert wire.send(connect(client_id)).reply["advice"]["interval"] == 5_000
    assert not wire.pass_time(14_999).effects
    assert wire.pass_time(1).of(SessionClosed)


def test_item_52_kicked_sessions_are_told_to_stop() -> None:
    """Held connects return unsuccessful with advice none; all sessions of that principal are gone, no other's."""
    wire = Wire()
    held = wire.hold(wire.connected("/**"), id="7")
    idle = wire.connected()
    bob = wire.connected(principal="bob")
    outcome = Wire.pass_time(wire, 0)
    outcome.effects += wire.server.kick("ann", wire.now_ms)
    assert [(closed.client_id, closed.reason) for closed in outcome.of(SessionClosed)] == [
        ("c1", "kicked"), (idle, "kicked"),
    ]
    (answer,) = [effect for effect in outcome.effects if not isinstance(effect, SessionClosed)]
    assert answer.exchange == held  # type: ignore[union-attr]
    assert answer.body == (  # type: ignore[union-attr]
        b'[{"successful":false,"error":"402::Unknown client",'
        b'"advice":{"interval":0,"timeout":30000,"reconnect":"none"},"id":"7","channel":"/meta/connect"}]'
    )
    assert not wire.server.has_sessions("ann")
    assert wire.send(connect(bob), principal="bob").is_held


def test_item_63_order_is_kept_through_polls() -> None:
    """Events of several calls, some between polls, arrive in order and none twice."""
    wire = Wire()
    client_id = wire.connected("/**")
    received: list[int] = []
    for mark in range(1, 30):
        if mark % 3 == 0:
            held = wire.hold(client_id) if not received or mark % 2 else None
            outcome = wire.deliver(event(mark))
            received += marks_in(outcome.messages_in(held)) if held in outcome.answers else []
        else:
            wire.deliver(event(mark))
            received += marks_in(wire.send(connect(client_id, advice={"timeout": 0})).messages)
    received += marks_in(wire.send(connect(client_id, advice={"timeout": 0})).messages)
    assert received == list(range(1, 30))


def test_item_69_only_connects_are_held() -> None:
    """Everything else is answered at once, with a connect held beside it."""
    wire = Wire()
    client_id = wire.connected()
    held = wire.hold(client_id)
    for message in (subscribe(client_id, "/a"), publish(client_id, "/a"), connect("nobody"), handshake()):
        outcome = wire.send(message)
        assert not outcome.is_held
        assert held not in outcome.answers


def test_item_82_a_queue_over_its_count_ends_the_session() -> None:
    """Nothing is dropped in silence: the next connect is 402, and the client starts over."""
    wire = Wire(Config(max_queue_messages=2))
    client_id = wire.connected("/**")
    assert not wire.deliver(event(1), event(2)).effects
    assert wire.deliver(event(3)).effects == [SessionClosed(client_id, "ann", "overflow")]
    assert wire.send(connect(client_id)).reply["advice"]["reconnect"] == "handshake"


def test_item_82_a_queue_over_its_bytes_ends_the_session() -> None:
    """Bytes count as they go on the wire; taking the queue frees them."""
    size = len(b'{"data":1,"channel":"/v2/me/outbound"}')
    wire = Wire(Config(max_queue_bytes=2 * size))
    client_id = wire.connected("/**")
    for mark in (1, 3):
        wire.deliver(event(mark), event(mark + 1))
        assert wire.send(connect(client_id)).reply if mark > 4 else wire.send(connect(client_id)).messages
    wire.deliver(event(5), event(6))
    assert wire.deliver(event(7)).of(SessionClosed)


def test_item_82_overflow_of_a_held_session_answers_its_connect() -> None:
    """One call beyond the limit: the held connect is told to handshake."""
    wire = Wire(Config(max_queue_messages=2))
    client_id = wire.connected("/**")
    held = wire.hold(client_id)
    outcome = wire.deliver(event(1), event(2), event(3))
    (reply,) = outcome.messages_in(held)
    assert (reply["error"], reply["advice"]["reconnect"]) == ("402::Unknown client", "handshake")


def test_item_82_what_is_put_back_counts_too() -> None:
    """A lost answer and what came after it can be too much together."""
    wire = Wire(Config(max_queue_messages=2))
    client_id = wire.connected("/**")
    held = wire.hold(client_id)
    wire.deliver(event(1), event(2))
    wire.deliver(event(3))
    assert wire.closed(held).effects == [SessionClosed(client_id, "ann", "overflow")]


def test_item_83_nothing_is_left_of_ended_sessions() -> None:
    """Deadlines, owners and exchanges are freed."""
    wire = Wire()
    for _ in range(500):
        client_id = wire.connected("/**")
        held = wire.hold(client_id)
        wire.deliver(event(wire.exchange))
        wire.send(disconnect(client_id))
        wire.closed(held)
    hub = wire.server._hub
    assert (len(hub.sessions), hub._waiting, hub._written, hub.sessions._by_principal) == (0, {}, {}, {})
    assert len(hub.sessions._deadlines) < 100


def test_item_84_shutdown_releases_held_connects_with_retry() -> None:
    """Clients come back to the next process; this one holds nothing and opens nothing any more."""
    wire = Wire()
    client_id = wire.connected("/**")
    held, idle = wire.hold(client_id), wire.connected()
    outcome = Wire.pass_time(wire, 0)
    outcome = type(outcome)(wire.server.shutdown(wire.now_ms))
    (reply,) = outcome.messages_in(held)
    assert (reply["successful"], reply["advice"]) == (True, RETRY)
    assert wire.send(connect(idle)).reply["successful"]
    refused = wire.send(handshake()).reply
    assert (refused["successful"], refused["advice"]["reconnect"]) == (False, "handshake")


def test_item_96_events_go_to_their_owner_alone() -> None:
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
        Confirmed("ann", OUTBOUND, 1), SessionClosed(client_id, "ann", "disconnect"),
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
