"""The asynchronous client of the administration API, against a server and against answers that are none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import httpx
import pytest

from tests.http.desks import Demo, demo_server
from trunkline.client import admin as module
from trunkline.client.admin import AdminClient
from trunkline.errors import Refused, TrunklineError, Unavailable


@pytest.fixture(scope="module")
def site() -> Iterator[Demo]:
    """A demo server for these tests."""
    with demo_server(agents=5) as made:
        yield made


def run(site: Demo, work: Callable[[AdminClient], Awaitable[None]]) -> None:
    """Work with a client of the demo's administrator."""

    async def main() -> None:
        async with AdminClient(site.url, "admin1", "demo") as client:
            await work(client)

    asyncio.run(main())


def test_an_object_s_life(site: Demo) -> None:
    """Create, find, change, replace, look back, delete."""

    async def work(client: AdminClient) -> None:
        made = await client.create("skills", name="Chess", referenceId="c-1")
        assert await client.create("skills", name="Chess", referenceId="c-1") == made
        assert await client.named("skills", "Chess") == made == await client.read("skills", made["id"])
        changed = await client.change("skills", made["id"], 1, description="a game", changeReason="clearer")
        assert (changed["version"], changed["description"]) == (2, "a game")
        with pytest.raises(Refused, match="version 2") as stale:
            await client.change("skills", made["id"], 1, description="late")
        assert stale.value.code == 19
        replaced = await client.replace("skills", made["id"], 2, name="Chess")
        assert replaced["description"] == ""
        versions = await client.versions("skills", made["id"])
        assert [(one["version"], one["changeReason"]) for one in versions] == [(3, ""), (2, "clearer"), (1, "")]
        await client.delete("skills", made["id"], 3, "over")
        assert await client.named("skills", "Chess") is None
        with pytest.raises(Refused) as unknown:
            await client.read("skills", made["id"])
        assert unknown.value.code == 6

    run(site, work)


def test_all_pages_are_read(site: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list longer than a page comes whole and in order."""
    monkeypatch.setattr(module, "PAGE", 2)

    async def work(client: AdminClient) -> None:
        for n in range(5):
            await client.create("skills", name=f"Page {n}", description="paged")
        names = [item["name"] async for item in client.each("skills", description="paged")]
        assert names == [f"Page {n}" for n in range(5)]

    run(site, work)


def answering(*responses: httpx.Response | Exception) -> AdminClient:
    """A client whose server answers so."""
    waiting = list(responses)

    def answer(request: httpx.Request) -> httpx.Response:
        response = waiting.pop(0)
        if isinstance(response, Exception):
            raise response
        return response

    return AdminClient("http://nowhere", "u", "p", transport=httpx.MockTransport(answer))


@pytest.mark.parametrize(
    ("response", "error", "words"),
    [
        (httpx.ConnectError("refused"), Unavailable, "no answer"),
        (httpx.ReadTimeout(""), Unavailable, "ReadTimeout"),
        (httpx.Response(200, text="<html>"), Unavailable, "HTTP 200"),
        (httpx.Response(502, text="bad gateway"), Unavailable, "HTTP 502"),
        (httpx.Response(503, json={"statusCode": 4, "statusMessage": "busy"}), Unavailable, "busy"),
        (httpx.Response(429, json={"statusCode": 4, "statusMessage": "slow down"}), Unavailable, "slow down"),
        (httpx.Response(403, json={"statusCode": 20, "statusMessage": "Access denied"}), Refused, "Access denied"),
    ],
)
def test_what_is_no_answer_is_told(response: httpx.Response | Exception, error: type[Exception], words: str) -> None:
    """Servers that are away, in trouble, or no Trunkline at all raise with a sentence."""

    async def main() -> None:
        async with answering(response) as client:
            await client.read("skills", 1)

    with pytest.raises(error, match=words):
        asyncio.run(main())


def test_the_url_is_checked() -> None:
    """What is no address of a web server is refused at once."""
    with pytest.raises(TrunklineError, match="http"):
        AdminClient("localhost:8080", "u", "p")
