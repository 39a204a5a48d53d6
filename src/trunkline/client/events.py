"""CometD messages over long-polling."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from trunkline.client.http import Client
from trunkline.errors import TrunklineError, Unavailable

ENDPOINT = "/api/v2/notifications"


class Message(msgspec.Struct, frozen=True):
    """An event as it came."""

    channel: str
    data: Any


class Events:
    """A CometD session. ``open`` it, then ``poll`` again and again; an unknown session is opened anew by itself."""

    def __init__(self, client: Client, channels: Iterable[str]) -> None:
        self._client = client
        self._channels = list(channels)
        self._client_id = ""
        self._next_id = 0
        self.last_answer: list[dict[str, Any]] = []

    def open(self) -> None:
        """Handshake, subscribe, and make the first connect, which the server answers at once."""
        reply = self._send(
            "/handshake",
            {
                "channel": "/meta/handshake",
                "version": "1.0",
                "minimumVersion": "1.0",
                "supportedConnectionTypes": ["long-polling"],
            },
        )[-1]
        if not reply.get("successful"):
            raise TrunklineError(f"the handshake was refused: {reply.get('error')}")
        self._client_id = reply["clientId"]
        for channel in self._channels:
            reply = self._send("/", {"channel": "/meta/subscribe", "subscription": channel})[-1]
            if not reply.get("successful"):
                raise TrunklineError(f"{channel} was refused: {reply.get('error')}")

    def poll(self, timeout_ms: int | None = None) -> list[Message]:
        """Wait for events, at most ``timeout_ms`` (None: as long as the server holds a poll)."""
        message: dict[str, Any] = {"channel": "/meta/connect", "connectionType": "long-polling"}
        if timeout_ms is not None:
            message["advice"] = {"timeout": timeout_ms}
        answer = self._send("/connect", message)
        last = answer[-1]
        if not last.get("successful") and last.get("advice", {}).get("reconnect") == "handshake":
            self.open()
            return []
        return [Message(part["channel"], part["data"]) for part in answer if "data" in part]

    def close(self) -> None:
        """Disconnect, which settles what was received."""
        self._send("/disconnect", {"channel": "/meta/disconnect"})

    def _send(self, suffix: str, message: dict[str, Any]) -> list[dict[str, Any]]:
        self._next_id += 1
        message = {**message, "id": str(self._next_id)}
        if self._client_id and message["channel"] != "/meta/handshake":
            message["clientId"] = self._client_id
        answer = self._client.post(ENDPOINT + suffix, [message])
        if answer.http_status != 200 or not isinstance(answer.body, list):
            raise Unavailable(f"the CometD endpoint answered HTTP {answer.http_status}")
        self.last_answer = answer.body
        return answer.body
