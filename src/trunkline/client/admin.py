"""The administration API for programs: read, create, change and delete objects of every kind.

::

    async with AdminClient("http://127.0.0.1:8080", "admin1", "demo") as admin:
        campaign = await admin.named("campaigns", "Spring")
        if campaign is not None:
            await admin.change("campaigns", campaign["id"], campaign["version"], isEnabled=False)

Kinds are named as in addresses: ``campaigns``, ``calling-lists``. Objects are what the API shows, as dictionaries.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec

from trunkline.errors import Refused, TrunklineError, Unavailable

Json = dict[str, Any]

PREFIX = "/api/v2/admin"
PAGE = 1000
"""Objects of one request: the most that the server gives."""
DEFAULT_TIMEOUT_S = 30.0
"""A change of the configuration takes milliseconds; a server that needs longer than this is in trouble."""

CHECK_TIMEOUT_S = 600.0
"""A document of some thousand objects is judged one object after the other."""


class AdminClient:
    """One user's connection, for one event loop. ``url`` is like ``http://127.0.0.1:8080``.

    Every call raises ``Refused`` with the server's sentence and status code (19 when somebody else changed the object
    first), or ``Unavailable`` when the server cannot be reached or is overloaded.
    """

    def __init__(
        self,
        url: str,
        user_name: str,
        password: str,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise TrunklineError("the url must look like http://host:port")
        self.url = url.rstrip("/")
        self._client = httpx.AsyncClient(
            base_url=self.url + PREFIX, auth=(user_name, password), timeout=timeout_s, transport=transport
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def each(self, kinds: str, **filters: str) -> AsyncIterator[Json]:
        """All objects of a kind, page after page, by number; ``filters`` are fields and their values."""
        cursor: str | None = None
        while True:
            query: dict[str, str] = {"limit": str(PAGE), **filters} | ({"cursor": cursor} if cursor else {})
            answer = await self.request("GET", f"/{kinds}", query=query)
            (items,) = [value for value in answer.values() if isinstance(value, list)]
            for item in items:
                yield item
            cursor = answer["nextCursor"]
            if cursor is None:
                return

    async def named(self, kinds: str, name: str) -> Json | None:
        """The object of that name, or None."""
        return await anext(self.each(kinds, name=name), None)

    async def read(self, kinds: str, object_id: int) -> Json:
        """One object."""
        return _object(await self.request("GET", f"/{kinds}/{object_id}"))

    async def versions(self, kinds: str, object_id: int) -> list[Json]:
        """The newest versions of an object: who changed it, when and why."""
        found: list[Json] = (await self.request("GET", f"/{kinds}/{object_id}/versions"))["versions"]
        return found

    async def create(self, kinds: str, **fields: Any) -> Json:
        """Make an object; with ``referenceId`` the same call again makes no second one."""
        return _object(await self.request("POST", f"/{kinds}", body=fields))

    async def change(self, kinds: str, object_id: int, version: int, **fields: Any) -> Json:
        """Change some fields of an object that is still at ``version``."""
        return _object(await self.request("PATCH", f"/{kinds}/{object_id}", body={**fields, "version": version}))

    async def replace(self, kinds: str, object_id: int, version: int, **fields: Any) -> Json:
        """Replace all fields of an object that is still at ``version``; what is left out becomes its default."""
        return _object(await self.request("PUT", f"/{kinds}/{object_id}", body={**fields, "version": version}))

    async def delete(self, kinds: str, object_id: int, version: int, reason: str = "") -> None:
        """Delete an object that is still at ``version``."""
        query = {"version": str(version), "changeReason": reason}
        await self.request("DELETE", f"/{kinds}/{object_id}", query=query)

    async def check(self, document: Json, reason: str = "") -> list[Json]:
        """What would become of the entries of a document, in the order in which they would be applied.

        Each has ``place``, ``kind``, ``name``, ``outcome`` (made, changed, unchanged, refused) and ``refusal``. Nothing
        is changed. ``reason`` is what would be said with each change.
        """
        query = {"changeReason": reason} if reason else None
        answer = await self.request("POST", "/documents/check", query=query, body=document, timeout_s=CHECK_TIMEOUT_S)
        found: list[Json] = answer["outcomes"]
        return found

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: Any = None,
        timeout_s: float | None = None,
    ) -> Json:
        """One exchange below ``/api/v2/admin``; the decoded answer. ``timeout_s`` None is that of the client."""
        content = None if body is None else msgspec.json.encode(body)
        timeout = httpx.USE_CLIENT_DEFAULT if timeout_s is None else timeout_s
        try:
            response = await self._client.request(method, path, params=query, content=content, timeout=timeout)
        except httpx.HTTPError as error:
            raise Unavailable(f"no answer from {self.url}: {str(error) or type(error).__name__}") from None
        try:
            answer = msgspec.json.decode(response.content, type=dict[str, Any])
        except msgspec.DecodeError:
            raise Unavailable(f"{self.url} answered HTTP {response.status_code}, not as this API does") from None
        if response.status_code >= 500 or response.status_code == 429:
            raise Unavailable(str(answer.get("statusMessage", f"HTTP {response.status_code}")))
        if answer.get("statusCode") != 0:
            raise Refused(str(answer.get("statusMessage", "")), int(answer.get("statusCode", 2)))
        return answer


def _object(answer: Json) -> Json:
    """The one object of an answer."""
    found: Json = next(value for value in answer.values() if isinstance(value, dict))
    return found
