"""What a Bayeux server has to do, item by item, and how Trunkline answers each; shown in docs/bayeux-conformance.md.

A test that proves an item bears ``@pytest.mark.item(number)``. Numbers that begin with ``0.`` are those of ``RULES``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

Number = int | str


class Verdict(StrEnum):
    """How an item is answered."""

    MET = "met"
    DIFFERENT = "met differently"
    NOT_OFFERED = "not offered"


class Item(NamedTuple):
    """One item. ``mark`` is M (must), S (should) or O (may) of the specification, or D: real clients depend on it."""

    number: Number
    mark: str
    title: str
    verdict: Verdict = Verdict.MET
    said: str = ""
    """How it is answered, or why not; needed unless it is simply met."""


DIFFERENT, NOT_OFFERED, MET = Verdict.DIFFERENT, Verdict.NOT_OFFERED, Verdict.MET

RULES = [
    Item("0.1", "D", "`id` comes back as the same text or number"),
    Item("0.2", "D", "the first connect of a session is answered at once, whatever advice it carries"),
    Item("0.3", "D", "what clients append to the URL does not matter", MET, "`/`, or the name of a meta message"),
    Item("0.4", "D", "an unknown client's connect is HTTP 200 with advice `handshake`"),
    Item("0.5", "D", "no answer is empty or an empty array"),
    Item("0.6", "D", "an answer with messages has status 200 exactly"),
    Item("0.7", "D", "advice names the timeout, in the replies to handshakes and connects"),
    Item("0.8", "D", "advice is always whole, because most clients replace it"),
    Item("0.9", "D", "`interval` stays 0 for clients that take it for seconds", MET, "only browsers get another one"),
    Item("0.10", "D", "events have `data`, replies have `successful`, never both; events have no `id`"),
    Item("0.11", "D", "a session moves between HTTP and WebSocket without a handshake"),
    Item("0.12", "D", "no cookie is asked of a client that is authenticated"),
]
"""What breaks real clients at once."""

SECTIONS: dict[str, list[Item]] = {
    "Messages": [
        Item(1, "M", "a message without a channel is refused", MET, "`400::channel missing`, with its `id`"),
        Item(2, "M", "a request is an array of messages", MET, "what is no JSON is HTTP 400"),
        Item(3, "O", "a single object is a request too"),
        Item(4, "S", "replies come in an array, also single ones"),
        Item(5, "D", "an empty array is refused", MET, "HTTP 400 with a body"),
        Item(6, "M", "`id` is echoed", MET, "strings and numbers; anything else is `405::message_id_invalid`"),
        Item(7, "M", "every message but the handshake names its client", MET, "else `402::Unknown client`"),
        Item(8, "O", "`clientId` in replies", MET, "in the handshake's alone; in no event"),
        Item(9, "S", "client ids are random, unique, never given twice", MET, "160 bits, hexadecimal"),
        Item(10, "O", "unknown names in `ext` are passed over"),
        Item(11, "O", "`timestamp` and deprecated fields are accepted", MET, "and ignored"),
        Item(12, "M", "every reply says whether it was successful, as a boolean"),
        Item(13, "O", "errors have the form `code:arguments:text`", MET, "nothing of a client's text can forge one"),
        Item(14, "D", "error texts are those of CometD 2.4 to 3.1", MET, "applications compare them"),
        Item(15, "D", "an unknown client is 402, not 401 as elsewhere"),
        Item(16, "M", "a publish has `data`; null is data", MET, "without: `400::data missing`"),
        Item(17, "O", "unknown fields are tolerated"),
    ],
    "Channels": [
        Item(18, "M", "well-formed names", MET, "the specification's letters, and what the Java server adds"),
        Item(19, "M", "`*` and `**` stand last only; neither matches the name before it"),
        Item(20, "D", "an event reaches a session once, however many of its subscriptions match"),
        Item(21, "D", "patterns reach neither `/meta` nor `/service`"),
        Item(22, "M", "nobody subscribes to `/meta`"),
        Item(23, "M", "unknown meta channels are refused"),
        Item(
            24,
            "S",
            "`/service` is for the server alone",
            DIFFERENT,
            "publishes are acknowledged and handed to the application, whose answer is an event of a channel; a reply "
            "with `data` and the request's `id` (remote calls) is not made, since clients tell events by `data`",
        ),
        Item(25, "S", "what is kept for a channel is freed", MET, "nothing is, beyond bounded caches of names"),
    ],
    "Handshake": [
        Item(26, "M", "the reply has all that clients read"),
        Item(27, "M", "versions are compared by element", MET, "a missing one passes; more than 1.0 is `300`"),
        Item(28, "M", "a connection type must be in common", MET, "else `301`, advice `none`; no list: long-polling"),
        Item(29, "S", "the offered list is the operator's", MET, "`cometd_websocket`, `cometd_callback_polling`"),
        Item(
            30,
            "M",
            "other messages beside a handshake are ignored",
            MET,
            "the handshake is processed, wherever it stands",
        ),
        Item(31, "M", "a handshake is answered at once"),
        Item(32, "M", "each handshake opens a new session", MET, "on a socket it replaces the one begun there"),
        Item(33, "M", "a refused handshake tells the client to stop", MET, "`403::Handshake denied`, advice `none`"),
        Item(34, "D", "requests of strangers", MET, "HTTP 403 with the API's body, before anything is read"),
        Item(35, "O", "`authSuccessful` in the reply", NOT_OFFERED, "for prototypes before 1.0; no client reads it"),
        Item(
            36,
            "O",
            "events in the handshake's reply",
            NOT_OFFERED,
            "a new session has no subscription yet; what waits for its user comes with its connects",
        ),
    ],
    "Connect": [
        Item(37, "M", "the reply comes on the connect's own transport, with advice", MET, "always with advice"),
        Item(38, "M", "a connect names its connection type", MET, "`400` without, `301` for one not offered"),
        Item(39, "S", "a connect is held for an event or the timeout", MET, "30 s; `cometd_timeout_ms`"),
        Item(40, "D", "the first connect and one with timeout 0 are answered at once"),
        Item(41, "S", "a client's own timeout and interval hold for one connect", MET, "within the operator's"),
        Item(42, "D", "events made between polls come with the next", MET, "events first, the connect's reply last"),
        Item(
            43,
            "M",
            "one connect of a session at a time",
            DIFFERENT,
            "the older one ends with HTTP 409, because a client would act on a 200; on a socket, where a reply could "
            "only be a 200, it ends without one",
        ),
        Item(44, "M", "a connect in a batch is not held"),
        Item(45, "M", "an unknown session: `402`", MET, "advice `handshake` on connects, none on other replies"),
        Item(
            46,
            "S",
            "a session without connects ends",
            MET,
            "after 60 s instead of the usual 10, so that a laptop may change networks; `cometd_max_interval_ms`",
        ),
        Item(47, "D", "a session outlives its broken connection, queue included"),
        Item(48, "D", "`maxInterval` in advice when configured", MET, "an option of the core; Trunkline leaves it out"),
        Item(49, "S", "a session may be silent for the interval and maxInterval together"),
        Item(50, "O", "`hosts` in advice", NOT_OFFERED, "one process serves, and no client follows it"),
        Item(51, "M", "`reconnect` is `retry`, `handshake` or `none`", MET, "`handshake` on refusals alone"),
        Item(52, "S", "a session that was ended on purpose tells its client to stop", MET, "advice `none`"),
    ],
    "Disconnect, subscribe, unsubscribe, publish": [
        Item(53, "M", "a disconnect ends the session and releases its connect first"),
        Item(54, "S", "nothing relies on a disconnect", MET, "sessions expire"),
        Item(55, "M", "a subscription is a name or an array, echoed as it came"),
        Item(56, "D", "an array is subscribed whole or not at all"),
        Item(57, "D", "repeated subscriptions succeed, and so does unsubscribing from nothing"),
        Item(58, "D", "subscribing before the first connect works"),
        Item(
            59,
            "M",
            "an event goes to the client that subscribed",
            DIFFERENT,
            "over HTTP with a connect, never in the answer to a subscribe: see 63",
        ),
        Item(60, "O", "publishes are acknowledged"),
        Item(61, "D", "a publisher gets its own events", MET, "all sessions of its user do, and nobody else: see 96"),
        Item(62, "O", "publishing without a session", NOT_OFFERED, "`402`: it would be an event of nobody"),
        Item(
            63,
            "M",
            "order within session and channel",
            DIFFERENT,
            "kept strictly, because over HTTP events come with connects alone; the advice to use whichever answer "
            "leaves first is given up for it, since two answers may overtake each other",
        ),
    ],
    "Transports": [
        Item(64, "M", "long-polling by POST of JSON in UTF-8", MET, "chunked and `Expect: 100-continue` too"),
        Item(65, "S", "forms with `message` fields"),
        Item(66, "S", "answers are JSON, not stored, not sniffed"),
        Item(67, "S", "callback-polling", MET, "by the switch `cometd_callback_polling`"),
        Item(
            68,
            "D",
            "callback-polling needs more than a cookie",
            MET,
            "a page of the same origin or an allowed one, or credentials of its own",
        ),
        Item(69, "D", "nothing but a connect is held"),
        Item(70, "D", "WebSocket: arrays in text frames", MET, "bad JSON closes with 1007, binary with 1003"),
        Item(71, "D", "on a socket events are pushed, and connects are heartbeats"),
        Item(
            72,
            "D",
            "one message in a frame",
            DIFFERENT,
            "what leaves together is one frame, events before replies, which every client reads; a handshake's reply "
            "has its own",
        ),
        Item(73, "D", "a session is not bound to its socket", MET, "a newer socket takes over, the old one is closed"),
        Item(74, "D", "a closed socket leaves its session as a broken poll does"),
        Item(75, "D", "an upgrade that is not granted is answered at once"),
        Item(
            76, "D", "browsers: a log-in they can send, and `Origin`", MET, "the session cookie; 403 for foreign pages"
        ),
        Item(
            77,
            "O",
            "event source, iframe, flash and other transports",
            NOT_OFFERED,
            "every client that has them falls back to long-polling",
        ),
    ],
    "Sessions, limits, several tabs": [
        Item(
            78,
            "D",
            "the usual defaults",
            DIFFERENT,
            "maxInterval 60 s instead of 10 (46), 4 polls of a browser instead of 1 (80), bounded queues (82)",
        ),
        Item(79, "S", "the cookie `BAYEUX_BROWSER` comes with the handshake's answer"),
        Item(
            80,
            "S",
            "further polls of one browser are told to come back later",
            DIFFERENT,
            "from the fifth on instead of the second: of the six connections of a browser two stay for other requests; "
            "by HTTP/2, where they are one connection, none",
        ),
        Item(81, "D", "the size of a body or frame is limited", MET, "64 KiB; HTTP 413, WebSocket 1009"),
        Item(82, "D", "a queue that is full", MET, "ends its session; nothing is dropped in silence"),
        Item(83, "S", "what expired is swept"),
        Item(84, "D", "a stopping server releases held connects", MET, "with advice `retry`; sockets close with 1001"),
        Item(85, "O", "lazy events", MET, "for applications of the core; Trunkline's own events are not lazy"),
    ],
    "Extensions": [
        Item(86, "D", "ack: asked for and granted in the handshake", MET, "`true`, or an object with `enabled`"),
        Item(87, "D", "ack: what a client did not process comes again, first"),
        Item(88, "D", "ack: events come with connects alone, on sockets too"),
        Item(89, "D", "ack ends with the session", MET, "what was not processed stays undelivered for its user"),
        Item(90, "D", "timesync"),
        Item(91, "D", "activity: a session that only polls ends", MET, "by `cometd_max_inactive_s`"),
        Item(
            92,
            "D",
            "timestamp, binary, reload",
            NOT_OFFERED,
            "a timestamp is accepted and ignored, reload concerns clients alone, and no event is binary",
        ),
        Item(
            93,
            "D",
            "replay of what a client missed",
            DIFFERENT,
            "in a form of our own: epoch and offset in `ext`, and a gap is told; numbers alone cannot tell one",
        ),
    ],
    "Security": [
        Item(94, "S", "a policy is asked about handshakes, subscriptions and publishes"),
        Item(
            95,
            "S",
            "authorizers of channels",
            DIFFERENT,
            "one policy answers for all channels; `AllowList` is one made of names and patterns",
        ),
        Item(96, "D", "a session belongs to its user, and so do events", MET, "a foreign client id is an unknown one"),
        Item(97, "S", "CORS, and `Origin` on upgrades", MET, "`allowed_origins`; preflights need no log-in"),
        Item(98, "S", "JSON is not to be hijacked; client ids are secret", MET, "POST, nosniff, 68; masked in logs"),
        Item(99, "D", "limits against abuse"),
    ],
}

ITEMS = [*RULES, *(item for items in SECTIONS.values() for item in items)]
