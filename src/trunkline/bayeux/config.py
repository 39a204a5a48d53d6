"""What an operator may set: one struct, each number with its unit and its reason."""

from __future__ import annotations

import msgspec

from trunkline.strict_json import MAX_DEPTH


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Times and limits of one Bayeux server. Raises ``ValueError`` when a value makes no sense."""

    timeout_ms: int = 30_000
    """How long a connect is held without events. Proxies commonly cut a silent response after 60 s;
    clients add 10 s of network delay to what they are told."""
    interval_ms: int = 0
    """How long clients wait between two connects. Some clients take this for seconds: keep it 0."""
    max_interval_ms: int = 60_000
    """How long a session outlives its last connect, on top of the interval. Shorter loses sessions of
    laptops changing networks, longer keeps queues of clients that are gone."""
    advise_max_interval: bool = False
    """Tell clients the number above (``advice.maxInterval``, known to CometD 5 and later)."""
    connection_types: tuple[str, ...] = ("websocket", "long-polling")
    """What a handshake offers, best first. What is left out is not served: ``callback-polling`` usually is."""
    max_lazy_ms: int = 5_000
    """How long a lazy event may wait for company."""
    max_inactive_ms: int = 0
    """How long a session may do nothing but poll before it is told to stop; 0: for ever. It ends what was forgotten
    in a browser over night, and so is the operator's choice."""
    is_delivery_activity: bool = False
    """Events that the session gets count as activity too, not only what its client sends."""
    max_sessions_per_browser: int = 4
    """Polls held for one browser cookie. Browsers open six connections to a site by HTTP/1.1: four tabs leave two for
    everything else."""
    multi_session_interval_ms: int = 2_000
    """How long further tabs of that browser wait between polls; 0 or less refuses them."""
    max_handshakes_per_s: int = 200
    """Handshakes of one address, sustained; five times as many at once. A floor of 1,000 desktops behind one address
    is back within a second; a script in a loop is slowed down."""
    replay_epoch: str = ""
    """Names the numbering of the marks; one that begins anew needs another name. Empty: replay is not offered."""

    max_messages_per_request: int = 64
    """Messages in one request. A client library that subscribes to all its topics in one batch sends
    about ten; each message costs a reply, so this bounds the answer as well."""
    max_depth: int = MAX_DEPTH
    """Nesting of a message; real ones nest four deep. At most what ``strict_json`` takes."""
    max_id_length: int = 128
    """Characters of a message id. Libraries count from 1 or send a UUID (36)."""
    max_channel_length: int = 256
    """Characters of a channel name. The longest that is documented has 23."""
    max_channels_per_subscribe: int = 32
    """Channels in one ``subscription`` array; twice the number of documented topics."""
    max_subscriptions_per_session: int = 64
    """Distinct subscriptions of one session: all documented topics and every pattern over them fit twice."""
    max_queue_messages: int = 1_000
    """Events waiting for one session. A busy desk makes under 100 within ``max_interval_ms``; beyond the
    limit the client is told to start over and reads the state again, which is cheaper for both."""
    max_queue_bytes: int = 1_048_576
    """Bytes waiting for one session, 1 KiB for each event allowed: bounds memory."""
    max_answer_bytes: int = 262_144
    """Bytes of events in one answer and, on a socket, without a word from its client: what a slow line carries within
    the time that servers give an answer. What is left goes with the next answer."""
    max_sessions: int = 20_000
    """Sessions in all. One that waits takes at most 16 KiB with its connection: 320 MiB."""
    max_sessions_per_principal: int = 64
    """Sessions of one principal: tabs, desks and those left behind by page reloads until they expire."""

    def __post_init__(self) -> None:
        if not self.connection_types:
            raise ValueError("connection_types must name at least one connection type")
        for name, least in _LEAST.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}")
        if self.max_depth > MAX_DEPTH:
            raise ValueError(f"max_depth must be at most {MAX_DEPTH}")

    def advice(self, reconnect: str) -> dict[str, object]:
        """Return the whole advice with ``reconnect`` set to ``retry``, ``handshake`` or ``none``.

        Always whole, since most clients replace earlier advice instead of merging it.
        """
        advice: dict[str, object] = {"interval": self.interval_ms, "timeout": self.timeout_ms, "reconnect": reconnect}
        if self.advise_max_interval:
            advice["maxInterval"] = self.max_interval_ms
        return advice


_LEAST = {
    "timeout_ms": 0,
    "interval_ms": 0,
    "max_interval_ms": 1,
    "max_messages_per_request": 1,
    "max_depth": 3,
    "max_id_length": 1,
    "max_channel_length": 2,
    "max_channels_per_subscribe": 1,
    "max_subscriptions_per_session": 1,
    "max_queue_messages": 1,
    "max_queue_bytes": 1,
    "max_answer_bytes": 1,
    "max_sessions": 1,
    "max_sessions_per_principal": 1,
    "max_lazy_ms": 0,
    "max_inactive_ms": 0,
    "max_sessions_per_browser": 1,
    "max_handshakes_per_s": 1,
}
