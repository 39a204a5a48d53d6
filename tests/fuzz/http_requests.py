"""HTTP connections: requests of CometD clients one after the other, whole and byte by byte."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any, NamedTuple

import msgspec

from tests.fuzz.bodies import MEDIA, Conversations
from tests.fuzz.lines import Edge, HttpSaid, answers_in
from tests.fuzz.running import Case, Step

METHODS = [b"GET", b"PUT", b"OPTIONS", b"CONNECT", b"BREW", b"post", b""]
URLS = [
    *(b"/cometd/connect", b"/cometd/", b"/other", b"*", b"/%FF%00", b"//", b"", b"http://x/cometd", b"/\xc3\xbc"),
    b"/c d",
    *(b"/cometd?jsonp=x&message=[]", b"/" + b"x" * 40_000, b"?", b"x:1"),
]
VERSIONS = [b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.2", b"http/1.1", b""]
HEADERS = [
    *(b"Accept: */*", b"Connection: close", b"Connection: keep-alive", b"Expect: 100-continue", b"X: \xff", b":"),
    *(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c", b"Content-Encoding: gzip", b"Cookie: BAYEUX_BROWSER=b"),
    *(b"Content-Length: -1", b"Content-Length: 99999999999999999999", b"Content-Length: 1e3", b"Content-Length: 5"),
    *(b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunked", b" folded: x", b"no colon"),
    *(b"X" * 33_000 + b": y", b"X:" + b"y" * 30_000),
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
    + b"A" * 22
    + b"==",
    b"Connection: upgrade\r\nUpgrade: websocket",
]
STATUSES = {100, 101, 200, 400, 404, 405, 409, 413, 426}


class Requests(Conversations):
    """Streams of requests."""

    def _seldom(self, usual: bytes, odd: list[bytes]) -> bytes:
        return self.chance.choice(odd) if self.one_in(16) else usual

    def request_bytes(self) -> bytes:
        """One request: head and body."""
        chance = self.chance
        medium = chance.choice(("json", "json", "json", "json", *MEDIA))
        body = self.form() if medium == "form" else self.request()
        if self.one_in(30):
            body += b" " * chance.choice((20_000, 40_000, 70_000))
        first = [self._seldom(b"POST", METHODS), self._seldom(b"/cometd", URLS), self._seldom(b"HTTP/1.1", VERSIONS)]
        head = [b" ".join(first), b"Host: x"]
        head.append(b"Content-Type: " + MEDIA[medium])
        if self.one_in(5):
            head += chance.choices(HEADERS, k=chance.choice((1, 1, 2)))
        if self.one_in(6):
            head.append(b"Transfer-Encoding: chunked")
            at = chance.randrange(len(body) + 1)
            parts = [part for part in (body[:at], body[at:]) if part]
            body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
        else:
            head.append(b"Content-Length: %d" % (len(body) + (chance.choice((-1, 1, 9)) if self.one_in(20) else 0)))
        sent = b"\r\n".join([*head, b"", b""]) + body
        return self.damaged(sent) if self.one_in(12) else sent


class Answered(NamedTuple):
    """What a connection said."""

    answers: list[HttpSaid]
    frames: bytes
    is_complete: bool
    """The last request has arrived."""


class HttpConnections:
    """See ``running.Target``."""

    name = "http"

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()

    def make(self, chance: random.Random) -> Case:
        """Requests of one connection, sent one behind the other."""
        drawn = Requests(chance)
        return tuple(Step("request", drawn.request_bytes()) for _ in range(chance.choice((1, 2, 3, 5))))

    def check(self, case: Case) -> None:
        """The answers are documented ones, and do not depend on how the bytes were cut."""
        with asyncio.Runner() as runner:
            runner.run(self._check(b"".join(step.sent for step in case)))

    async def _check(self, sent: bytes) -> None:
        whole = await self._answered(sent, len(sent) or 1)
        for size in (1, 7) if len(sent) < 20_000 else (4_099,):
            cut = await self._answered(sent, size)
            is_alike = cut[:2] == whole[:2] or is_unfinished(cut, whole) or is_unfinished(whole, cut)
            assert is_alike, f"{size} bytes at a time"
        answers = whole.answers
        for status, body in answers:
            self.outcomes[str(status)] += 1
            assert status in STATUSES
            if body.startswith((b"[", b"{")):
                assert msgspec.json.decode(body) != []
        if not answers:
            self.outcomes["nothing"] += 1

    async def _answered(self, sent: bytes, size: int) -> Answered:
        defects: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: defects.append(context))
        edge = Edge()
        line = edge.line()
        line.feed(sent, size)
        await edge.settled()
        answers, frames = answers_in(bytes(line.written))
        is_complete = getattr(line.protocol, "_is_complete", True)
        await edge.end(line)
        assert not defects, defects
        return Answered(answers, frames, is_complete=is_complete)


def is_unfinished(fewer: Answered, more: Answered) -> bool:
    """Tell whether they differ in the refusal of the last request alone, which is not whole.

    Some refusals wait for the body and some do not; of several faults the one that is seen first is named.
    """
    if more.is_complete or not more.answers or more.answers[-1].status not in (400, 405, 413):
        return False
    last = fewer.answers[-1:]
    return fewer.answers == more.answers[:-1] or (
        last != [] and fewer.answers[:-1] == more.answers[:-1] and last[0].status in (400, 405, 413)
    )
