"""WebSocket connections: frames of CometD clients, whole and byte by byte."""

from __future__ import annotations

import asyncio
import random
import struct
from collections import Counter
from typing import NamedTuple

import msgspec

from tests.fuzz.bodies import Conversations
from tests.fuzz.lines import Edge, answers_in
from tests.fuzz.running import Case, Step

UPGRADE = (
    b"GET /cometd HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
TEXT, CONTINUATION, BINARY, CLOSE, PING, PONG = 1, 0, 2, 8, 9, 10
CODES = {1000, 1001, 1002, 1003, 1007, 1009}
"""The documented ones and those of RFC 6455 for what is no WebSocket frame; 1000 to 1002 repeat the client's own."""


class Frames(Conversations):
    """Streams of frames."""

    def frame(self, opcode: int, payload: bytes, *, is_last: bool = True) -> bytes:
        """One frame as a client sends it, seldom with a bit or a length that is wrong."""
        chance = self.chance
        is_odd = self.one_in(60)
        head = bytes([opcode | (0x80 if is_last else 0) | (chance.choice((0x10, 0x40, 3)) if is_odd else 0)])
        masked = 0 if self.one_in(200) else 0x80
        size = len(payload)
        if size < 126 and not self.one_in(100):
            head += bytes([masked | size])
        elif size < 65_536 and not self.one_in(100):
            head += bytes([masked | 126]) + struct.pack("!H", size)
        else:
            head += bytes([masked | 127]) + struct.pack("!Q", chance.choice((size, 2**63)) if self.one_in(50) else size)
        return head + (bytes(4) if masked else b"") + payload  # a mask of zeros leaves the payload readable

    def step(self) -> Step:
        """One message in one frame or several, or a control frame."""
        chance = self.chance
        kind = chance.randrange(24)
        if kind < 14:
            sent = self.frame(TEXT, self.request())
        elif kind < 18:
            text = self.request()
            cuts = sorted(chance.choices(range(len(text) + 1), k=chance.choice((1, 2, 3))))
            parts = [text[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
            between = self.frame(PING, b"p") if self.one_in(3) else b""
            sent = self.frame(TEXT, parts[0], is_last=False) + between
            for part in parts[1:-1]:
                sent += self.frame(CONTINUATION, part, is_last=False)
            sent += self.frame(CONTINUATION, parts[-1])
        elif kind < 20:
            sent = self.frame(chance.choice((PING, PONG)), b"x" * chance.choice((0, 1, 125, 126)))
        elif kind < 21:
            sent = self.frame(chance.choice((BINARY, CONTINUATION, 3, 11)), b"[]")
        elif kind < 22:
            code = struct.pack("!H", chance.choice((1000, 1001, 1005, 1006, 1011, 2999, 3000, 4999, 0, 65_535)))
            sent = self.frame(CLOSE, chance.choice((b"", code, code + b"bye", code + b"\xff", b"\x03")))
        else:
            sent = self.frame(TEXT, b"[]" + b" " * chance.choice((65_533, 65_534, 65_535, 70_000)))
        return Step("frame", self.damaged(sent) if self.one_in(15) else sent)


class Said(NamedTuple):
    """What a socket said: texts and pongs, each in their order, and the code of its close."""

    texts: list[bytes]
    pongs: list[bytes]
    code: int | None


class Sockets:
    """See ``running.Target``."""

    name = "sockets"

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()

    def make(self, chance: random.Random) -> Case:
        """Frames of one socket, sent one behind the other."""
        drawn = Frames(chance)
        return tuple(drawn.step() for _ in range(chance.choice((1, 2, 4, 8))))

    def check(self, case: Case) -> None:
        """What is said does not depend on how the bytes were cut; the end is a documented one."""
        with asyncio.Runner() as runner:
            runner.run(self._check(b"".join(step.sent for step in case)))

    async def _check(self, sent: bytes) -> None:
        whole = await self._said(sent, len(sent) or 1, with_head=False)
        sizes = (1, 7) if len(sent) < 20_000 else (4_099,)
        for size in sizes:
            assert await self._said(sent, size, with_head=False) == whole, f"{size} bytes at a time"
        assert await self._said(sent, len(UPGRADE) + len(sent), with_head=True) == whole, "with the upgrade"
        for text in whole.texts:
            said = msgspec.json.decode(text)
            assert type(said) is list
            assert said
            assert all(("successful" in message) is not ("data" in message) for message in said)
        self.outcomes[f"closed {whole.code}" if whole.code else "open"] += 1
        self.outcomes["texts"] += len(whole.texts)

    async def _said(self, sent: bytes, size: int, *, with_head: bool) -> Said:
        defects: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: defects.append(context))
        edge = Edge()
        line = edge.line()
        if with_head:
            line.feed(UPGRADE + sent, size)
        else:
            line.feed(UPGRADE, len(UPGRADE))
            await edge.settled()
            line.feed(sent, size)
        await edge.settled()
        answers, frames = answers_in(bytes(line.written))
        assert [answer.status for answer in answers] == [101]
        is_closing = line.is_closing()
        await edge.end(line)
        assert not defects, defects
        said = said_in(frames)
        assert said.code is None or said.code in CODES or is_closing
        return said


def said_in(frames: bytes) -> Said:
    """The server's frames, which are whole and not masked."""
    texts, pongs, code, at = [], [], None, 0
    while at < len(frames):
        first, size = frames[at], frames[at + 1]
        at += 2
        if size >= 126:
            width = 2 if size == 126 else 8
            size = int.from_bytes(frames[at : at + width], "big")
            at += width
        payload = frames[at : at + size]
        at += size
        assert code is None or first == 0x80 | PONG, "no message follows a close"
        if first == 0x80 | TEXT:
            texts.append(payload)
        elif first == 0x80 | PONG:
            pongs.append(payload)
        else:
            assert first == 0x80 | CLOSE, first
            code = int.from_bytes(payload[:2], "big")
    assert at == len(frames)
    return Said(texts, pongs, code)
