"""Requests of CometD clients: whole conversations with extensions, then mutated."""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import quote_plus

from tests.fuzz.chance import JUNK, Mutator
from tests.fuzz.running import Step

Message = dict[str, Any]

OWN, FOREIGN = ("c1", "c2"), ("b1", "b2")
"""Client ids that are there from the start: those of who sends the mutated requests, and a bystander's."""
CLIENT_IDS = [*OWN * 4, "c3", "c4", "c5", *FOREIGN, "nobody"]
CHANNELS = [
    *("/v2/me/outbound", "/me/internal", "/v2/me/*", "/v2/me/**", "/**", "/*", "/chat/a", "/chat/*", "/service/echo"),
    *("/meta/connect", "/meta/x", "/meta", "/a/*/b", "/a b", "/" + "x" * 255, "/" + "x" * 256, "/a//b", "a", "/a/"),
    "/ü",
]
PUBLISHED = ["/chat/a", "/chat/a", "/service/echo", "/v2/me/outbound", *CHANNELS]
EXTS: list[Any] = [
    *({}, {"ack": True}, {"ack": 0}, {"ack": 1}, {"ack": 2**62}, {"ack": -1}, {"ack": {"enabled": True}}),
    {"timesync": {"tc": 1_795_435_200_000, "l": 0, "o": 0}},
    {"timesync": {"tc": 2**63 - 1, "l": 2**63 - 1, "o": 2**63 - 1}, "ack": 3},
    {"timesync": {"tc": 1.5, "l": None, "o": False}},
    {"replay": True, "ack": True},
    {"replay": {"/v2/me/outbound": {"epoch": "k1", "offset": 41}}},
    {"replay": {"/v2/me/outbound": {"epoch": "k1", "offset": 0}, "/me/internal": {"epoch": "old", "offset": 7}}},
    {"replay": {"/chat/a": {"epoch": "k1", "offset": 2**63 - 1}}},
]
MEDIA = {
    "json": b"application/json;charset=UTF-8",
    "form": b"application/x-www-form-urlencoded",
    "odd": b'Text/JSON ; charset="utf8"; x=y',
    "utf16": b"application/json;charset=utf-16",
    "plain": b"text/plain",
}


class Conversations(Mutator):
    """Requests of one seed."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        self._last_id = 0

    def message(self) -> Message:
        """A message as a real client sends it."""
        chance = self.chance
        self._last_id += 1
        kind = chance.randrange(20)
        message: Message = {"id": chance.choice((str(self._last_id), self._last_id))}
        if kind < 4:
            message |= {
                "channel": "/meta/handshake",
                "version": chance.choice(("1.0", "1.0", "1.0beta", "0.9", "2.0", 1, 1.0)),
                "minimumVersion": "1.0",
                "supportedConnectionTypes": ["websocket", "long-polling", "callback-polling"],
                "advice": {"timeout": 60_000, "interval": 0},
            }
        elif kind < 9:
            message |= {
                "channel": "/meta/connect",
                "clientId": chance.choice(CLIENT_IDS),
                "connectionType": chance.choice(("long-polling", "websocket", "callback-polling")),
            }
            if self.one_in(3):
                message["advice"] = {"timeout": chance.choice((0, 1, 20_000)), "interval": chance.choice((0, 500))}
        elif kind < 15:
            names = chance.sample(CHANNELS, chance.choice((1, 1, 2, 3)))
            message |= {
                "channel": chance.choice(("/meta/subscribe", "/meta/subscribe", "/meta/unsubscribe")),
                "clientId": chance.choice(CLIENT_IDS),
                "subscription": names if len(names) > 1 or self.one_in(3) else names[0],
            }
        elif kind < 18:
            message |= {
                "channel": chance.choice(PUBLISHED),
                "clientId": chance.choice(CLIENT_IDS),
                "data": chance.choice(JUNK),
            }
        else:
            message |= {"channel": "/meta/disconnect", "clientId": chance.choice(CLIENT_IDS)}
        if self.one_in(3):
            message["ext"] = chance.choice(EXTS)
        return message

    def request(self) -> bytes:
        """A JSON body: an array of messages, or one alone; more or less mutated."""
        chance = self.chance
        value: Any = [self.message() for _ in range(chance.choice((1, 1, 1, 2, 3, 5)))]
        if len(value) == 1 and self.one_in(6):
            value = value[0]
        value = self.often(value, self.changed, (0, 0, 1, 1, 2, 4))
        sent = self.written(value)
        return self.often(sent, self.damaged, (1, 2)) if self.one_in(6) else sent

    def form(self) -> bytes:
        """A form-encoded body or a query."""
        chance = self.chance
        fields = [b"message=" + quote_plus(self.request()).encode() for _ in range(chance.choice((1, 1, 2, 3)))]
        others = (b"jsonp=cb", b"jsonp=a(b", b"x=%FF", b"message", b"=", b"message=%ZZ")
        fields += chance.choices(others, k=chance.randrange(2))
        form = b"&".join(chance.sample(fields, len(fields)))
        if self.one_in(40):
            form += b"&a=b" * chance.choice((125, 126, 127, 128, 5_000))
        return self.damaged(form) if self.one_in(8) else form

    def step(self) -> Step:
        """One input to the endpoint's parsing and core."""
        chance = self.chance
        kind = chance.randrange(20)
        if kind < 8:
            return Step("json", self.request())
        if kind < 13:
            return Step(chance.choice(("frame1", "frame1", "frame2")), self.request())
        if kind < 15:
            return Step("form", self.form())
        if kind < 16:
            return Step("query", self.form())
        if kind < 17:
            return Step(chance.choice(("odd", "utf16", "plain")), self.request())
        what = chance.choice((*["deliver"] * 6, "tick", "tick", "lost", "gone1", "gone2", "stuck1"))
        return Step(what, b"%d" % chance.randrange(40))
