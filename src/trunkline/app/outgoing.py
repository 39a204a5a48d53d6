"""The port for what goes out over HTTP: webhooks and the validation before dialing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from trunkline.errors import TrunklineError


class Reply(msgspec.Struct, frozen=True):
    """What a server answered. ``retry_after_s`` is its wish, None when it has none."""

    status: int
    body: bytes
    retry_after_s: int | None = None


class NotAnswered(TrunklineError):
    """The server could not be reached, or answered nothing that is HTTP."""


class NotAnsweredInTime(NotAnswered):
    """The server did not answer in time."""


class NotAllowed(NotAnswered):
    """This server must not connect to that address."""


class Outgoing(Protocol):
    """Sends requests to other people's servers."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> Reply:
        """Send a body and return the answer, whatever its status; redirections are not followed.

        ``timeout_s`` is the time for everything: finding the address, connecting, sending, reading the answer.
        Raises ``NotAnswered``, or what is below it.
        """
