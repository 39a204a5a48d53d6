"""The ASGI face: several tabs of one browser, and pages that cannot post."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.bayeux.harness import Message, connect, event, handshake, marks_in, publish
from tests.bayeux.site import JSON, Call, Site
from trunkline.bayeux import Config

BROWSER: dict[str, Any] = {"headers": (*JSON, (b"cookie", b"BAYEUX_BROWSER=one"))}
OTHER: dict[str, Any] = {"headers": (*JSON, (b"cookie", b"BAYEUX_BROWSER=two"))}
SCRIPTS = Config(connection_types=("long-polling", "callback-polling"))


@pytest.mark.item(80)
def test_further_polls_of_one_browser_come_back_later() -> None:
    """Answered at once, events too, with an interval; other browsers and clients without the cookie are held."""

    async def scenario() -> None:
        site = Site(Config(max_sessions_per_browser=2))
        first, _ = await site.hold(await site.connected(), scope=BROWSER)
        _, _ = await site.hold(await site.connected(), scope=BROWSER)
        third = await site.connected("/**")
        reply = (await site.post(connect(third), **BROWSER)).messages[0]
        assert reply["successful"]
        assert reply["advice"] == {"interval": 2000, "timeout": 30000, "reconnect": "retry", "multiple-clients": True}
        site.deliver(event(1), principal="ann")
        assert marks_in((await site.post(connect(third), **BROWSER)).messages) == [1]
        for scope in (OTHER, {}):
            await site.hold(await site.connected(), scope=scope)
        first.leave()
        await asyncio.sleep(0)
        await site.hold(third, scope=BROWSER)
        await site.cometd.stop()

    asyncio.run(scenario())


@pytest.mark.item(80)
def test_further_tabs_may_be_refused() -> None:
    """With no interval to come back after: unsuccessful, advice none."""

    async def scenario() -> None:
        site = Site(Config(max_sessions_per_browser=1, multi_session_interval_ms=0))
        await site.hold(await site.connected(), scope=BROWSER)
        reply = (await site.post(connect(await site.connected()), **BROWSER)).messages[0]
        assert (reply["successful"], reply["advice"]["reconnect"]) == (False, "none")
        assert reply["advice"]["multiple-clients"] is True
        await site.cometd.stop()

    asyncio.run(scenario())


@pytest.mark.item(80)
def test_polls_that_share_a_connection_are_not_counted() -> None:
    """By HTTP/2 a browser has as many requests under way as it likes."""

    async def scenario() -> None:
        site = Site(Config(max_sessions_per_browser=1))
        for _ in range(3):
            await site.hold(await site.connected(), scope={**BROWSER, "http_version": "2"})
        await site.hold(await site.connected(), scope=BROWSER)
        await site.cometd.stop()

    asyncio.run(scenario())


async def script(site: Site, callback: str | None, *messages: object) -> Call:
    """A request of callback-polling, each message a parameter of its own."""
    query = "&".join(f"message={quote(json.dumps(message))}" for message in messages)
    if callback is not None:
        query += f"&jsonp={quote(callback)}"
    return await site.run(Call(method="GET", query_string=query.encode(), headers=()))


def called(call: Call, callback: str) -> list[Message]:
    """The messages that the script hands to its callback."""
    assert call.status == 200
    assert call.headers[b"content-type"] == b"text/javascript; charset=UTF-8"
    body = call.body.decode()
    assert body.startswith(f"/**/{callback}(")
    assert body.endswith(");")
    messages: list[Any] = json.loads(body[len(f"/**/{callback}(") : -2])
    return messages


@pytest.mark.item(67)
def test_callback_polling_answers_with_a_script() -> None:
    """Several parameters are one request; the default callback is the specification's; no character breaks a script."""

    async def scenario() -> None:
        site = Site(SCRIPTS)
        (reply,) = called(await script(site, "cometd._jsonp_1", handshake()), "cometd._jsonp_1")
        client_id = reply["clientId"]
        replies = called(
            await script(site, None, {"channel": "/meta/subscribe", "subscription": "/**", "clientId": client_id}, {}),
            "jsonpcallback",
        )
        assert [message["successful"] for message in replies] == [True, False]
        await script(site, None, publish(client_id, "/chat/1", data="a\u2028b"))
        call = await script(site, "f", connect(client_id, connectionType="callback-polling"))
        assert called(call, "f")[0]["data"] == "a\u2028b"
        assert "\u2028" not in call.body.decode()

    asyncio.run(scenario())


@pytest.mark.item(67)
@pytest.mark.parametrize("callback", ["", "a b", "alert(1)", "x" * 65, "é", "<b>"])
def test_what_is_no_callback_is_refused(callback: str) -> None:
    """HTTP 400 in JSON: nothing of the request becomes part of a script."""

    async def scenario() -> None:
        call = await script(Site(SCRIPTS), callback, handshake())
        assert call.status == 400
        assert call.headers[b"content-type"].startswith(b"application/json")

    asyncio.run(scenario())


@pytest.mark.item(3)
def test_a_single_object_is_a_request() -> None:
    """Old clients post one; its reply comes in an array all the same."""
    call = asyncio.run(Site().run(Call(json.dumps(handshake()).encode())))
    assert call.messages[0]["successful"]
