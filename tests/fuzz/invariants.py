"""What must hold whatever strangers send."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from trunkline.bayeux import Effect
from trunkline.bayeux.hub import Hub
from trunkline.bayeux.sessions import Session
from trunkline.errors import TooLarge
from trunkline.strict_json import MAX_BODY_BYTES, Malformed

encode = msgspec.json.encode

_LARGEST_EVENT = 1_000
"""Bytes of what the tests deliver, at most: one event goes out however little room is left for it."""
_EVENT_KEYS = {"data", "channel", "ext"}


def check_replies(messages: Sequence[Any], answered: list[Any], others: Counter[bytes]) -> None:
    """Every message has exactly one reply, on its channel and with its id; events are told apart from them.

    ``others`` are (encoded) ids of connects that waited on the same socket and may be answered beside.
    """
    handshakes = [message for message in messages if message.get("channel") == "/meta/handshake"]
    expected = Counter(map(_key_of, handshakes[:1] or messages))
    got: Counter[tuple[Any, bytes]] = Counter()
    for reply in answered:
        if "successful" in reply:
            assert "data" not in reply
            assert type(reply["successful"]) is bool
            assert reply["successful"] is not ("error" in reply)
            got[reply.get("channel"), _id_of(reply)] += 1
        else:
            assert reply.keys() <= _EVENT_KEYS, "an event has nothing that a reply has"
            assert reply.keys() >= {"data", "channel"}
    missing, further = expected - got, got - expected
    assert not missing, f"no reply: {missing}"
    allowed = Counter({("/meta/connect", encoded): count for encoded, count in others.items()})
    assert not further - allowed, f"replies to nothing: {further}"


def _key_of(message: dict[str, Any]) -> tuple[Any, bytes]:
    channel = message.get("channel")
    return (channel if type(channel) is str else None), _id_of(message)


def _id_of(message: dict[str, Any]) -> bytes:
    """The id as it is echoed: not at all when it is none."""
    value = message.get("id")
    is_id = type(value) in (int, float) or (type(value) is str and len(value) <= 128)
    return b',"id":' + encode(value) if is_id else b""


def seen(session: Session | None) -> tuple[Any, ...]:
    """What a bystander's session is like."""
    assert session is not None, "the bystander's session is there"
    return (
        session.held,
        session.socket,
        sorted(session.subscriptions),
        session.queue[:],
        session.written[:],
        session.deadline_ms,
        dict(session.last_marks),
    )


def check_bystander(
    effects: list[Effect], principal: str, socket: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """Nothing happened to somebody else."""
    assert before == after, "a bystander's session changed"
    for effect in effects:
        assert getattr(effect, "principal", None) != principal
        assert getattr(effect, "socket", None) != socket


def check_hub(hub: Hub) -> None:
    """The server's tables agree with its sessions, and no session is beyond its limits."""
    held = written = 0
    polls: Counter[str] = Counter()
    for session in hub.sessions:
        assert session.queued_bytes == sum(len(entry.encoded) for entry in session.queue)
        assert session.written_bytes == sum(len(entry.encoded) for entry in session.written)
        assert len(session.subscriptions) <= hub.config.max_subscriptions_per_session
        # What was written and not confirmed returns to a queue that may be full: it is bounded too.
        most_bytes = hub.config.max_queue_bytes + hub.config.max_answer_bytes + _LARGEST_EVENT
        assert session.queued_bytes <= most_bytes, "a queue is over its limits"
        if session.held is not None:
            if not session.held.on_socket:
                held += 1
                assert hub._waiting[session.held.exchange] is session
            if session.held.browser is not None:
                polls[session.held.browser] += 1
        if session.written:
            written += 1
            assert session in hub._written[session.written_in]
        if session.socket is not None:
            assert hub.on_socket[session.socket][session.client_id] is session
    assert len(hub._waiting) == held
    assert sum(map(len, hub._written.values())) == written
    assert hub._polls_of_browser == polls


def check_script(script: bytes) -> None:
    """A callback's name is a name, and the script holds no line end that JSON does not."""
    assert script.startswith(b"/**/")
    assert b"\xe2\x80\xa8" not in script
    assert script.endswith(b");")


def check_refusal(error: Malformed | TooLarge, sent: bytes) -> None:
    """The refusal is the documented one, says what is wrong, and does not repeat what was sent."""
    assert error.code == 10
    assert 0 < len(error.message) <= 200
    assert error.message.isprintable()
    if len(sent) > MAX_BODY_BYTES and "must be" not in error.message:  # the type of a body is looked at first
        assert isinstance(error, TooLarge)
