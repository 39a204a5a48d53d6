"""How an answer leaves its connection."""

from __future__ import annotations

import asyncio
from typing import Any


class AnswerTransport(asyncio.Transport):
    """What one answer is written to: its head waits for the first part of its body, so that both leave in one call.

    Sending is the costliest step of a small answer, and most answers have one part.
    """

    def __init__(self, connection: asyncio.Transport) -> None:
        super().__init__()
        self._connection = connection
        self._head: bytes | None = None
        self._is_begun = False

    def write(self, data: Any) -> None:
        """Keep the head, send everything else; an interim answer (100) is no head."""
        head = self._head
        if head is not None:
            self._head = None
            self._connection.write(head + data)
        elif self._is_begun or data.startswith(b"HTTP/1.1 100"):
            self._connection.write(data)
        else:
            self._is_begun = True
            self._head = data

    def close(self) -> None:
        """Send what is left and close the connection."""
        if self._head is not None:
            self.write(b"")
        self._connection.close()

    def is_closing(self) -> bool:
        """True while the connection is closing."""
        return self._connection.is_closing()
