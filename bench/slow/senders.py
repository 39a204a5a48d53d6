"""Clients that send a byte now and then: when the server closes their connections, and whether others are served."""

from __future__ import annotations

import base64
import contextlib
import http.client
import selectors
import socket
import threading
import time
from collections.abc import Mapping
from itertools import chain
from types import TracebackType
from typing import Self, cast

import msgspec

BYTE_S = 1.0
"""Between two bytes of a connection."""
_PROBE_S = 0.1
_CREDENTIALS = base64.b64encode(b"agent1:demo").decode()
_PATHS = {"head": "/api/v2/me", "body": "/api/v2/me/outbound-records"}
_STEP_S = 0.05


class Senders(msgspec.Struct, frozen=True, kw_only=True):
    """Connections of one part (head or body) that came drop by drop.

    ``closed_after_s`` is how long the last of them lived, ``None`` when one was open at the end. ``probe_ms`` is the
    longest that somebody else waited for an answer of the API meanwhile, ``probes`` how often that was tried.
    """

    part: str
    connections: int
    closed_after_s: float | None
    probe_ms: float
    probes: int


def measure(port: int, connections: int, limits_s: Mapping[str, float]) -> list[Senders]:
    """Open so many connections for each part, dribble on all, and watch those of a part for its limit.

    The API is asked for something all the time.
    """
    with _Probe(port) as probe:
        begun_s = time.monotonic()
        opened = {part: _open(port, _beginning(part), connections) for part in limits_s}
        lived_s = _dribble(opened, {part: begun_s + limit_s for part, limit_s in limits_s.items()})
    return [
        Senders(
            part=part,
            connections=connections,
            closed_after_s=None if len(lived_s[part]) < connections else max(lived_s[part]),
            probe_ms=probe.worst_ms,
            probes=probe.count,
        )
        for part in limits_s
    ]


def _beginning(part: str) -> bytes:
    head = f"POST {_PATHS[part]} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {_CREDENTIALS}\r\n"
    if part == "head":
        return head.encode() + b"X-Slow: "
    return head.encode() + b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"


def _open(port: int, beginning: bytes, count: int) -> dict[socket.socket, float]:
    """Return the connections with the time at which each was opened."""
    opened = {}
    for _ in range(count):
        opening_s = time.monotonic()
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setblocking(False)
        connection.send(beginning)
        opened[connection] = opening_s
    return opened


def _dribble(opened: Mapping[str, dict[socket.socket, float]], until_s: Mapping[str, float]) -> dict[str, list[float]]:
    """Send a byte now and then on all connections until their part's time is over; return how long the closed lived."""
    lived_s: dict[str, list[float]] = {part: [] for part in opened}
    next_s = time.monotonic() + BYTE_S
    with selectors.DefaultSelector() as selector:
        for part, connections in opened.items():
            for connection in connections:
                selector.register(connection, selectors.EVENT_READ, part)
        while any(time.monotonic() < until_s[part] for part, connections in opened.items() if connections):
            for key, _ in selector.select(_STEP_S):
                connection = cast(socket.socket, key.fileobj)
                if _is_closed(connection):
                    selector.unregister(connection)
                    lived_s[key.data].append(time.monotonic() - opened[key.data].pop(connection))
                    connection.close()
            if time.monotonic() >= next_s:
                next_s += BYTE_S
                for connection in chain(*opened.values()):
                    with contextlib.suppress(OSError):  # it is seen as closed at the next look
                        connection.send(b" ")
    for connection in chain(*opened.values()):
        connection.close()
    return lived_s


def _is_closed(connection: socket.socket) -> bool:
    try:
        return not connection.recv(65_536)  # an answer may come before the end
    except BlockingIOError:
        return False
    except OSError:
        return True


class _Probe:
    """Asks the API for the user's own page on a new connection, again and again."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._error: Exception | None = None
        self.worst_ms = 0.0
        self.count = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()
        if self._error is not None:
            raise RuntimeError(f"the API did not answer: {self._error}") from self._error

    def _ask(self) -> None:
        while not self._is_over.wait(_PROBE_S):
            begun_s = time.monotonic()
            try:
                self._get()
            except Exception as error:  # noqa: BLE001 - raised in the thread that waits for it
                self._error = error
                return
            self.worst_ms = max(self.worst_ms, (time.monotonic() - begun_s) * 1000)
            self.count += 1

    def _get(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", "/api/v2/me", headers={"Authorization": f"Basic {_CREDENTIALS}"})
            answer = connection.getresponse()
            if answer.status != 200:
                raise RuntimeError(f"status {answer.status}")
