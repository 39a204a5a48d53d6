"""REST calls over one kept connection."""

from __future__ import annotations

import base64
import http.client
import select
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from trunkline.errors import TrunklineError, Unavailable

DEFAULT_TIMEOUT_S = 60.0
"""Longer than a held poll."""


class Answer(msgspec.Struct, frozen=True):
    """An HTTP answer with its decoded body."""

    http_status: int
    body: Any

    @property
    def status_code(self) -> int:
        """The API's ``statusCode``; -1 when the body has none."""
        return int(self.body["statusCode"]) if isinstance(self.body, dict) and "statusCode" in self.body else -1


class Client:
    """One user's connection to a server. Not for several threads at once.

    ``url`` is like ``http://127.0.0.1:8080``. Raises ``Unavailable`` when the server cannot be reached; a refusal is
    an ``Answer`` like any other.
    """

    def __init__(self, url: str, user_name: str, password: str, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise TrunklineError("the url must look like http://host:port")
        self.url = url.rstrip("/")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=timeout_s)
        credentials = base64.b64encode(f"{user_name}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def get(self, path: str) -> Answer:
        """Read a resource."""
        return self.request("GET", path)

    def post(self, path: str, content: Any) -> Answer:
        """Send a JSON body."""
        return self.request("POST", path, msgspec.json.encode(content))

    def request(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """One exchange; a connection that the server closed meanwhile is opened anew before anything is sent."""
        sock = self._connection.sock
        if sock is not None and select.select([sock], [], [], 0)[0]:
            # Nothing is owed by the server now, so what can be read is its goodbye.
            self._connection.close()
        try:
            self._connection.request(method, path, body, self._headers)
            response = self._connection.getresponse()
            received = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise Unavailable(f"no answer from {self.url}: {error}") from None
        return Answer(response.status, msgspec.json.decode(received) if received else None)

    def record_operation(self, handle: int | None, operation_name: str, **parameters: Any) -> Answer:
        """An operation of the Outbound API on a record, or on the collection when ``handle`` is None."""
        path = "/api/v2/me/outbound-records" + ("" if handle is None else f"/{handle}")
        return self.post(path, {"operationName": operation_name, **parameters})

    def campaign_operation(self, campaign_name: str, operation_name: str, **parameters: Any) -> Answer:
        """An operation of the Outbound API on a campaign."""
        path = f"/api/v2/me/outbound-campaigns/{quote(campaign_name, safe='')}"
        return self.post(path, {"operationName": operation_name, **parameters})
