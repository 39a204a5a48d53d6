"""Deadlines of a connection: none of a client's steps may take for ever, however steadily a byte arrives."""

from __future__ import annotations

import msgspec


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds."""

    keep_alive_s: float = 75
    """An idle connection is kept: longer than the usual 60 s of proxies in front, so that they close first."""
    head_s: float = 9
    """From the connection's opening, or a request's first byte, to the end of its head: one packet of every real
    client; whoever needs longer only holds a connection."""
    body_s: float = 28
    """From there to the request's last byte: 64 KiB arrive within that over the slowest line."""
    write_s: float = 8
    """From the first byte that a client does not take to the last: an answer of 256 KiB at 32 kB/s."""
    socket_idle_s: float = 100
    """A WebSocket is closed when nothing arrives: its client's heartbeats come within the timeout of a connect."""
