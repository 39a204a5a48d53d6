"""The socket server: uvicorn with what it needs to start, to tell its port, and to stop without losing anything."""

from __future__ import annotations

import gc
import os
import resource
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import uvicorn

from trunkline.web.bounds import Bounds
from trunkline.web.connection import BoundedProtocol
from trunkline.web.direct import Door
from trunkline.web.websocket import Gate

BACKLOG = 4096
"""Connections waiting to be accepted: a whole floor of desktops reconnecting at once."""
COLLECT_AFTER = (20_000, 50, 50)
"""Objects made before the youngest are searched for cycles, and how many such searches before the older ones are. A
request makes about a hundred objects and hardly a cycle: the interpreter's own 700 would search at every seventh."""

SEND_BUFFER_BYTES = 128 * 1024
"""Of each connection in the kernel, which doubles it. Left to itself it grows to megabytes for each client that does
not read; this carries 2.5 MB/s over a line of 100 ms."""

Hook = Callable[[], Awaitable[None]]


class Server(uvicorn.Server):
    """uvicorn that calls ``on_ready(port)`` when it listens and awaits ``on_stop`` before it closes connections."""

    def __init__(
        self,
        app: Any,
        *,
        host: str,
        port: int,
        shutdown_grace_s: int,
        on_ready: Callable[[int], None],
        on_stop: Hook,
        bounds: Bounds,
        door: Door | None = None,
        gate: Gate | None = None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                loop="none",
                http=partial(BoundedProtocol, bounds=bounds, door=door, gate=gate),  # type: ignore[arg-type]
                ws="none",
                lifespan="off",
                interface="asgi3",
                access_log=False,
                log_config=None,
                server_header=False,
                date_header=True,
                backlog=BACKLOG,
                timeout_graceful_shutdown=shutdown_grace_s,
                proxy_headers=False,
            )
        )
        self._on_ready = on_ready
        self._on_stop = on_stop

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGTERM and SIGINT as the wish to stop.

        uvicorn raises them once more after serving, which would end the process before the last writes.
        """
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say on which port."""
        raise_file_limit()
        await super().startup(sockets)
        _settle_memory()
        if self.started and self.servers:
            for listening in self.servers[0].sockets:  # what it accepts inherits this
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
            self._on_ready(self.servers[0].sockets[0].getsockname()[1])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what is held, then let uvicorn drain and close."""
        await self._on_stop()
        await super().shutdown(sockets)


def raise_file_limit() -> None:
    """Allow as many open connections as the system lets this process have: shells commonly start with 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _settle_memory() -> None:
    """Take what the start has made out of the search for cycles: it lives as long as the process.

    Without this each full search walks over all modules, which stops everything for 30 to 60 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def announce_port(ready_fd: int, port: int) -> None:
    """Tell a parent process the bound port over a file descriptor, one line, then close it."""
    with os.fdopen(ready_fd, "w") as pipe:
        pipe.write(f"{port}\n")
