"""The ASGI face: bodies, headers, statuses, hooks."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bayeux.harness import OUTBOUND, connect, event, handshake, marks_in, publish, subscribe
from tests.bayeux.site import Call, Notes, Site
from trunkline.bayeux import Config, Position, Recovery
from trunkline.bayeux_asgi import BrowserCookie, handle
from trunkline.errors import Unavailable

HANDSHAKE = msgspec.json.encode([handshake()])
FORM = ((b"content-type", b"application/x-www-form-urlencoded"),)


@pytest.mark.item(66)
def test_an_answer_carries_its_headers() -> None:
    """JSON in UTF-8, never stored, never sniffed, of stated length; the caller's headers are added."""

    async def scenario() -> None:
        site, call = Site(), Call(HANDSHAKE)
        await handle(site.cometd, call.scope, call.receive, call.send, "ann", [(b"x-extra", b"1")])
        headers = call.headers
        assert headers.pop(b"set-cookie").startswith(b"BAYEUX_BROWSER=")
        assert headers == {
            b"content-type": b"application/json;charset=utf-8",
            b"cache-control": b"no-store",
            b"x-content-type-options": b"nosniff",
            b"x-extra": b"1",
            b"content-length": str(len(call.body)).encode(),
        }

    asyncio.run(scenario())


@pytest.mark.item("0.12", 79)
def test_the_handshake_gives_the_browser_its_cookie() -> None:
    """A random value of its own, HttpOnly, for the whole site; not given twice, never asked for."""

    async def scenario() -> None:
        site = Site()
        call = await site.post(handshake())
        assert call.messages[0]["clientId"] == "id1"
        assert call.headers[b"set-cookie"] == b"BAYEUX_BROWSER=id2; Path=/; HttpOnly; SameSite=Lax"
        assert b"set-cookie" not in (await site.post(connect("id1"))).headers
        known = ((b"content-type", b"application/json"), (b"cookie", b"a=b; BAYEUX_BROWSER=id2"))
        assert b"set-cookie" not in (await site.post(handshake(), headers=known)).headers
        other = ((b"content-type", b"application/json"), (b"cookie", b"NOT_BAYEUX_BROWSER=id2"))
        assert b"set-cookie" in (await site.post(handshake(), headers=other)).headers
        assert b"set-cookie" not in (await site.post(handshake(version="9", minimumVersion="9"))).headers

    asyncio.run(scenario())


@pytest.mark.item(79)
def test_the_attributes_of_the_cookie_are_the_operators() -> None:
    """Secure, SameSite and Domain."""

    async def scenario() -> None:
        site = Site(cookie=BrowserCookie(secure=True, same_site="None", domain="desk.example"))
        cookie = (await site.post(handshake())).headers[b"set-cookie"]
        assert cookie == b"BAYEUX_BROWSER=id2; Path=/; HttpOnly; Secure; SameSite=None; Domain=desk.example"
        assert BrowserCookie(same_site=None).header("x") == (b"set-cookie", b"BAYEUX_BROWSER=x; Path=/; HttpOnly")

    asyncio.run(scenario())


@pytest.mark.item("0.3")
@pytest.mark.parametrize("suffix", ["", "/", "/handshake", "/connect", "/subscribe"])
def test_the_suffix_does_not_matter(suffix: str) -> None:
    """The messages say what they are; the URL is the router's business."""
    call = asyncio.run(Site().run(Call(HANDSHAKE, path=f"/api/v2/notifications{suffix}")))
    assert call.messages[0]["successful"]


@pytest.mark.item(64)
@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (b"application/json", 200),
        (b"application/json;charset=UTF-8", 200),
        (b'Application/JSON; charset="utf-8"', 200),
        (b"text/json; charset=utf-8; x=y", 200),
        (b"", 200),
        (None, 200),
        (b"application/json;charset=utf-16", 400),
        (b"text/plain", 400),
        (b"multipart/form-data", 400),
    ],
)
def test_the_body_is_json_in_utf8(content_type: bytes | None, status: int) -> None:
    """With or without a character set, or no type at all; others are refused."""
    headers = () if content_type is None else ((b"content-type", content_type),)
    assert asyncio.run(Site().run(Call(HANDSHAKE, headers=headers))).status == status


@pytest.mark.item(64)
def test_the_body_may_come_in_any_pieces() -> None:
    """Chunked bodies are put together, byte by byte if need be."""
    pieces = [HANDSHAKE[index : index + 1] for index in range(len(HANDSHAKE))]
    assert asyncio.run(Site().run(Call(*pieces, b""))).messages[0]["successful"]


@pytest.mark.item(65)
def test_forms_are_accepted() -> None:
    """Messages of several fields are one request; nothing in the form is HTTP 400."""

    async def scenario() -> None:
        site = Site()
        client_id = (await site.run(Call(f"message={quote(HANDSHAKE.decode())}".encode(), headers=FORM))).messages[0][
            "clientId"
        ]
        fields = [
            msgspec.json.encode(message).decode() for message in (connect(client_id), [subscribe(client_id, "/a")])
        ]
        body = "&".join(f"message={quote(field)}" for field in fields).encode()
        assert len((await site.run(Call(body, headers=FORM))).messages) == 2
        assert (await site.run(Call(b"other=1", headers=FORM))).status == 400

    asyncio.run(scenario())


@pytest.mark.item("0.5", 2, 64)
@pytest.mark.parametrize("body", [b"", b"[", b"[]", b"7", b"[7]", b"\xff", b'[{"a":"\\ud800"}]'])
def test_malformed_bodies_are_http_400(body: bytes) -> None:
    """The body of the refusal is JSON, one unsuccessful message, neither empty nor an empty array."""
    call = asyncio.run(Site().run(Call(body)))
    assert call.status == 400
    (message,) = msgspec.json.decode(call.body)
    assert message["successful"] is False
    assert message["error"].startswith("400::")


@pytest.mark.item(81)
def test_large_bodies_are_http_413() -> None:
    """A stated length over the limit is refused unread; an unstated one as soon as it is passed."""

    async def scenario() -> None:
        site = Site(max_body_bytes=400)
        stated = Call(HANDSHAKE, headers=((b"content-length", b"401"),))
        assert (await site.run(stated)).status == 413
        assert stated._parts, "nothing was read"
        endless = Call(*[b" " * 100] * 50)
        assert (await site.run(endless)).status == 413
        assert endless.headers[b"connection"] == b"close", "what is not read is no next request"
        assert len(endless._parts) == 45
        assert (await site.run(Call(HANDSHAKE.ljust(400)))).status == 200
        assert (await site.run(Call(HANDSHAKE, headers=((b"content-length", b"x"),)))).status == 200
        assert (await site.run(Call(b"[" * 40 + b"]" * 40))).status == 413
        assert (await site.post(*[{}] * 65)).status == 413

    asyncio.run(scenario())


@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS"])
def test_other_methods_are_http_405(method: str) -> None:
    """The answer names the one that is served."""
    call = asyncio.run(Site().run(Call(method=method)))
    assert (call.status, call.headers[b"allow"]) == (405, b"POST")


@pytest.mark.item("0.5", "0.6", 4)
@given(st.binary(max_size=80) | st.lists(st.dictionaries(st.sampled_from(["channel", "id", "clientId"]), st.text())))
def test_whatever_is_posted_gets_an_answer_that_clients_can_read(posted: object) -> None:
    """Status 200, 400 or 413 and a JSON array with at least one message: never 5xx, never nothing."""
    body = posted if isinstance(posted, bytes) else msgspec.json.encode(posted)
    call = asyncio.run(Site().run(Call(body)))
    assert call.status in (200, 400, 413)
    assert msgspec.json.decode(call.body, type=list[dict[str, Any]])


def test_a_client_that_leaves_while_sending_gets_nothing() -> None:
    """Half a request has no effect and no answer."""

    async def scenario() -> None:
        site, call = Site(), Call()
        call.leave()
        await site.run(call)
        assert call.sent == []
        assert site.hooks.heard == []

    asyncio.run(scenario())


def test_hooks_hear_of_sessions_subscriptions_publishes_and_confirmations() -> None:
    """In the order in which things happened."""

    async def scenario() -> None:
        site = Site()
        client_id = await site.connected(OUTBOUND)
        assert site.cometd.has_sessions("ann")
        site.deliver(event(7))
        for message in (
            connect(client_id),
            connect(client_id, advice={"timeout": 0}),
            publish(client_id, "/chat/1"),
            publish(client_id, OUTBOUND),
        ):
            await site.post(message)
        site.cometd.kick("ann")
        assert not site.cometd.has_sessions("ann")
        assert site.hooks.heard == [
            ("opened", client_id, "ann"),
            ("before_subscribe", "ann"),
            ("subscribed", client_id, "ann", OUTBOUND),
            ("confirmed", "ann", OUTBOUND, 7),
            ("published", client_id, "ann", "/chat/1", {"text": "hello"}),
            ("closed", client_id, "ann", "kicked"),
        ]

    asyncio.run(scenario())


def test_publishes_need_no_listener() -> None:
    """Without one the message still reaches the publisher's own sessions."""

    async def scenario() -> None:
        site = Site()
        site.cometd._published = None
        client_id = await site.connected("/chat/*")
        assert (await site.post(publish(client_id, "/chat/1"))).messages[0]["successful"]
        assert len((await site.post(connect(client_id))).messages) == 2

    asyncio.run(scenario())


def test_the_application_is_asked_only_before_real_subscribes() -> None:
    """Not for other messages, nor for a subscribe that a handshake in the same request cancels."""

    async def scenario() -> None:
        site = Site()
        client_id = await site.connected()
        await site.post(connect(client_id), publish(client_id, "/chat/1"), {"channel": 7})
        await site.post(handshake(), subscribe(client_id, OUTBOUND))
        assert ("before_subscribe", "ann") not in site.hooks.heard
        await site.post(7)
        await site.post({}, subscribe(client_id, OUTBOUND))
        assert site.hooks.heard.count(("before_subscribe", "ann")) == 1

    asyncio.run(scenario())


class Mailbox(Notes):
    """Redelivers on subscribe what it loaded before."""

    site: Site
    loaded = False

    async def before_subscribe(self, principal: Hashable, positions: Mapping[str, Position]) -> Mapping[str, Recovery]:
        await asyncio.sleep(0)
        self.loaded = True
        return {}

    def subscribed(self, client_id: str, principal: Hashable, channel: str, recovered: frozenset[str]) -> None:
        assert self.loaded
        self.site.cometd.deliver_to(client_id, [event(1), event(2)])


def test_redelivery_from_the_subscribed_hook_comes_with_the_next_connect() -> None:
    """Loaded before the request is processed, queued while it is, delivered in order before newer events."""

    async def scenario() -> None:
        hooks = Mailbox()
        hooks.site = site = Site(hooks=hooks)
        client_id = await site.connected()
        call = await site.post(subscribe(client_id, OUTBOUND))
        assert call.messages[0]["successful"]
        site.deliver(event(3))
        assert marks_in((await site.post(connect(client_id))).messages) == [1, 2, 3]

    asyncio.run(scenario())


def test_redelivery_wakes_a_connect_that_is_held() -> None:
    """The subscribe comes beside the held connect, as clients send it."""

    async def scenario() -> None:
        hooks = Mailbox()
        hooks.site = site = Site(hooks=hooks)
        client_id = await site.connected()
        call, task = await site.hold(client_id)
        await site.post(subscribe(client_id, OUTBOUND))
        await task
        assert marks_in(call.messages) == [1, 2]

    asyncio.run(scenario())


class Overloaded(Notes):
    """Cannot serve subscriptions now."""

    async def before_subscribe(self, principal: Hashable, positions: Mapping[str, Position]) -> Mapping[str, Recovery]:
        raise Unavailable


def test_an_application_that_is_unavailable_fails_the_subscription_alone() -> None:
    """HTTP 200 with ``403::subscribe_failed``, other messages of the batch unharmed."""

    async def scenario() -> None:
        site = Site(hooks=Overloaded())
        client_id = await site.connected()
        failed, connected = (await site.post(connect(client_id), subscribe(client_id, OUTBOUND))).messages
        assert failed["error"] == "403::subscribe_failed"
        assert connected["successful"]

    asyncio.run(scenario())


class Faulty(Notes):
    """Has a defect in one hook."""

    def opened(self, client_id: str, principal: Hashable) -> None:
        raise ZeroDivisionError


def test_a_defect_in_a_hook_is_reported_and_harms_no_client() -> None:
    """The loop's exception handler hears of it; the handshake is answered."""

    async def scenario() -> None:
        reports: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reports.append(context))
        call = await Site(hooks=Faulty()).post(handshake())
        assert call.messages[0]["successful"]
        (report,) = reports
        assert type(report["exception"]) is ZeroDivisionError
        assert "SessionOpened" in report["message"]

    asyncio.run(scenario())


class Reentrant(Notes):
    """Delivers as soon as something is confirmed, from within the connect that confirms."""

    site: Site

    def confirmed(self, principal: Hashable, channel: str, mark: int) -> None:
        self.site.deliver(event(mark + 1))


def test_a_hook_may_deliver_to_the_very_connect_that_is_being_processed() -> None:
    """The connect counts as held already, so the event goes out with it."""

    async def scenario() -> None:
        hooks = Reentrant()
        hooks.site = site = Site(Config(timeout_ms=30_000), hooks=hooks)
        client_id = await site.connected("/**")
        site.deliver(event(1))
        assert marks_in((await site.post(connect(client_id))).messages) == [1]
        assert marks_in((await site.post(connect(client_id))).messages) == [2]

    asyncio.run(scenario())


@pytest.mark.parametrize("form", [False, True])
def test_nesting_has_a_limit_of_its_own(form: bool) -> None:  # noqa: FBT001
    """As deep as it says is processed, one level more is refused with 413, in either kind of body."""

    async def post(depth: int) -> int:
        data = "[" * (depth - 2) + "]" * (depth - 2)
        text = f'[{{"channel": "/meta/handshake", "version": "1.0", "data": {data}}}]'
        body, kind = text.encode(), b"application/json"
        if form:
            body, kind = b"message=" + quote(text).encode(), b"application/x-www-form-urlencoded"
        call = await Site(Config(max_depth=5)).run(Call(body, headers=((b"content-type", kind),)))
        return call.status

    assert [asyncio.run(post(depth)) for depth in (5, 6)] == [200, 413]
