"""A journal row as messages, each with the mark that says where in the journal it stands."""

from __future__ import annotations

import msgspec

from trunkline.app.ports import MAX_EVENTS_A_REQUEST, StoredRow
from trunkline.contract.messages import Timing, messages_of

UserKey = tuple[int, int]
"""Contact centre and user."""


class Message(msgspec.Struct, frozen=True):
    """An event as it goes out on one channel. ``mark`` grows; ``body`` is the encoded ``data``."""

    channel: str
    body: bytes
    mark: int
    at_ms: int


def rendered(stored: StoredRow, now_ms: int, api_url: str) -> list[Message]:
    """A journal row as messages; each carries its place as a mark, the same after a restart."""
    row = stored.row
    timing = Timing(
        generated_at_ms=row.at_ms,
        processing_ns=row.elapsed_ns,
        total_ms=max(0, now_ms - row.at_ms) + row.elapsed_ns // 1_000_000,
    )
    messages: list[Message] = []
    place = stored.seq * MAX_EVENTS_A_REQUEST
    for event in row.events:
        for channel, body in messages_of(event, timing, api_url):
            messages.append(Message(channel, body, place, row.at_ms))
            place += 1
    return messages


def seq_of(mark: int) -> int:
    """The number of the row that a mark lies in."""
    return mark // MAX_EVENTS_A_REQUEST


def mark_behind(seq: int) -> int:
    """A mark behind every message of the rows up to that one; 0 before the first row."""
    return (seq + 1) * MAX_EVENTS_A_REQUEST - 1 if seq else 0
