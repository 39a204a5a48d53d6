"""Callback-polling over ASGI: a session by scripts."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import msgspec
import pytest

from tests.bayeux.harness import Message, connect, handshake, marks_in, subscribe
from tests.bayeux.site import Call, Site
from trunkline.bayeux import Config, Delivery

SCRIPTS = Config(connection_types=("long-polling", "callback-polling"))


def _query(*messages: object, more: str = "") -> bytes:
    return f"message={quote(msgspec.json.encode(messages))}{more}".encode()


async def _get(site: Site, query: bytes) -> Call:
    return await site.run(Call(method="GET", query_string=query))


def _called(call: Call, callback: str) -> list[Message]:
    assert call.status == 200
    assert call.headers[b"content-type"] == b"text/javascript; charset=UTF-8"
    assert call.headers[b"content-length"] == str(len(call.body)).encode()
    head, tail = b"/**/" + callback.encode() + b"(", b");"
    assert call.body.startswith(head)
    assert call.body.endswith(tail)
    messages: list[Message] = msgspec.json.decode(call.body[len(head) : -len(tail)])
    return messages


def test_a_session_by_scripts() -> None:
    """Messages come in the query, repeated or as arrays; answers call a function, of a usual name if none is given."""

    async def scenario() -> None:
        site = Site(SCRIPTS)
        call = await _get(site, _query(handshake(), more="&jsonp=_cometd_jsonp_1"))
        (reply,) = _called(call, "_cometd_jsonp_1")
        assert call.headers[b"set-cookie"].startswith(b"BAYEUX_BROWSER=")
        client_id = reply["clientId"]
        both = (
            _query(subscribe(client_id, "/**"))
            + b"&"
            + _query(connect(client_id, connectionType="callback-polling"))
            + b"&other=1"
        )
        assert [reply["successful"] for reply in _called(await _get(site, both), "jsonpcallback")] == [True, True]

    asyncio.run(scenario())


def test_line_separators_are_escaped() -> None:
    """U+2028 and U+2029 end a line in old scripts."""

    async def scenario() -> None:
        site = Site(SCRIPTS)
        client_id = await site.connected("/**")
        site.deliver(Delivery("/a", '"x\u2028y\u2029"'.encode(), 1))
        call = await _get(site, _query(connect(client_id)))
        assert b"\\u2028y\\u2029" in call.body
        assert marks_in(_called(call, "jsonpcallback")) == ["x\u2028y\u2029"]  # type: ignore[comparison-overlap]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("query", "status"),
    [
        (b"message=%5B%5D&jsonp=alert(1)", 400),
        (b"message=%5B%5D&jsonp=" + b"a" * 65, 400),
        (b"message=%5B%5D&jsonp=", 400),
        (b"message=%ff", 400),
        (b"message=\xff", 400),
        (b"message={", 400),
        (b"", 400),
        (b"message=" + b"a" * 16_384, 413),
    ],
)
def test_what_is_no_request_is_refused_as_json(query: bytes, status: int) -> None:
    """Nobody's text is sent back as a script."""

    async def scenario() -> None:
        call = await _get(Site(SCRIPTS), query)
        assert call.status == status
        assert call.headers[b"content-type"] in (b"application/json;charset=utf-8", b"text/javascript; charset=UTF-8")
        assert b"alert" not in call.body

    asyncio.run(scenario())


def test_a_get_is_refused_where_it_is_not_offered() -> None:
    """As it is by default."""

    async def scenario() -> None:
        call = await _get(Site(), _query(handshake()))
        assert (call.status, call.headers[b"allow"]) == (405, b"POST")

    asyncio.run(scenario())
