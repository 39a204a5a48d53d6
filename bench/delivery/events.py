"""The events that the benchmark delivers: who is meant, which one it is, when it left, and a text of some length."""

from __future__ import annotations

import time

EVENT_BYTES = 300
"""Length of the text in an event: with it, a message is as long as the shortest acknowledgement of an operation."""


def event(owner: int, seq: int, size: int) -> bytes:
    """Return the JSON of event ``seq`` for client ``owner`` (-1: everybody) with a text of ``size`` characters."""
    head = b'{"owner":%d,"seq":%d,"at_ns":%d,"text":"' % (owner, seq, time.monotonic_ns())
    # Formatting the whole would leave a hole in the memory for each large event, which would be taken for the server's.
    return b"".join((head, b"x" * size, b'"}'))
