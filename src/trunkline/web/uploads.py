"""Files that come as the body of a request: stored on disk first, because what works on them reads them twice."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from trunkline.errors import OutOfRange, TooLarge, Unavailable
from trunkline.web.exchange import ClientGone, Exchange

MAX_OF_CENTRE = 2
"""Bodies of one contact centre at the same time. Each centre has places of its own, so that none has to wait for the
long uploads of another, or can tell from a refusal what that one does."""
MAX_AT_ONCE = 8
"""Bodies of all contact centres at the same time: each takes up to a gigabyte of disk."""
STALL_S = 60
"""Seconds without a byte after which a sender is taken for dead: it holds one of the few places."""
_WRITE_BYTES = 1 << 20


def charset_of(exchange: Exchange) -> str:
    """The charset of the body's type; ``OutOfRange`` unless the body says that it is plain CSV.

    Browsers cannot send that type across origins without asking, so no foreign page can import in somebody's name.
    """
    kind, _, parameters = (exchange.header(b"content-type") or b"").decode("latin-1").partition(";")
    if kind.strip().lower() != "text/csv" or exchange.header(b"content-encoding") is not None:
        raise OutOfRange("Content-Type must be text/csv, without Content-Encoding")
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"')
    return "utf-8"


class Places:
    """How many bodies may be stored and imported now."""

    def __init__(self) -> None:
        self._taken: Counter[int] = Counter()

    @property
    def in_use(self) -> int:
        """Places that are taken, by all contact centres together."""
        return self._taken.total()

    @contextmanager
    def taken(self, contact_centre_id: int) -> Iterator[None]:
        """Take a place for a while. Raises ``Unavailable`` where there is none."""
        if self._taken[contact_centre_id] >= MAX_OF_CENTRE or self.in_use >= MAX_AT_ONCE:
            raise Unavailable("other imports are running", retry_after_s=30)
        self._taken[contact_centre_id] += 1
        try:
            yield
        finally:
            self._taken[contact_centre_id] -= 1


async def store_body(exchange: Exchange, file: IO[bytes], max_bytes: int) -> None:
    """Write the body to the file; ``TooLarge`` as soon as it is known to be over ``max_bytes``."""
    announced = exchange.header(b"content-length")
    if announced is not None and (not announced.isdigit() or int(announced[:18]) > max_bytes):
        raise TooLarge(f"the body is larger than {max_bytes} bytes")
    size = 0
    block = bytearray()
    is_more = True
    while is_more:
        try:
            message = await asyncio.wait_for(exchange.receive(), STALL_S)
        except TimeoutError:
            raise OutOfRange(f"the body stopped for {STALL_S} seconds") from None
        if message["type"] == "http.disconnect":
            raise ClientGone
        part = message.get("body", b"")
        is_more = message.get("more_body", False)
        size += len(part)
        if size > max_bytes:
            raise TooLarge(f"the body is larger than {max_bytes} bytes")
        block += part
        if len(block) >= _WRITE_BYTES or not is_more:
            await asyncio.to_thread(_write, file, bytes(block))
            block.clear()


def temporary_file(folder: str | None) -> IO[bytes]:
    """A file that is gone when it is closed; ``Unavailable`` when there is no room. The system's folder for None."""
    try:
        return tempfile.TemporaryFile(dir=folder, prefix="import-", buffering=0)
    except OSError as error:
        raise Unavailable("the server cannot store the file", retry_after_s=60) from error


def _write(file: IO[bytes], block: bytes) -> None:
    try:
        rest = memoryview(block)
        while rest:
            rest = rest[file.write(rest) :]
    except OSError as error:
        raise Unavailable("the server has no room for the file", retry_after_s=60) from error
