"""An application around CometD, and requests that tests steer by hand: no socket, no server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, MutableMapping
from typing import Any

import msgspec

from tests.bayeux.harness import Message, connect, handshake, subscribe
from trunkline.bayeux import AllowList, Config, Delivery, Position, Recovery, Server
from trunkline.bayeux_asgi import BrowserCookie, CometD, handle, handle_socket
from trunkline.strict_json import Json

JSON = ((b"content-type", b"application/json"),)


class Notes:
    """Hooks that write down what they hear."""

    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []
        self.on_closed: Callable[[], None] = lambda: None

    async def before_subscribe(self, principal: Hashable, positions: Mapping[str, Position]) -> Mapping[str, Recovery]:
        self.heard.append(("before_subscribe", principal))
        return {}

    def subscribed(self, client_id: str, principal: Hashable, channel: str, recovered: frozenset[str]) -> None:
        self.heard.append(("subscribed", client_id, principal, channel))

    def confirmed(self, principal: Hashable, channel: str, mark: int) -> None:
        self.heard.append(("confirmed", principal, channel, mark))

    def opened(self, client_id: str, principal: Hashable) -> None:
        self.heard.append(("opened", client_id, principal))

    def closed(self, client_id: str, principal: Hashable, reason: str) -> None:
        self.heard.append(("closed", client_id, principal, reason))
        self.on_closed()

    def published(self, client_id: str, principal: Hashable, channel: str, data: Json) -> None:
        self.heard.append(("published", client_id, principal, channel, data))


class Call:
    """One request under way: its body comes in parts, its client may leave, its sending may fail."""

    def __init__(self, *parts: bytes, path: str = "/api/v2/notifications", **scope: object) -> None:
        self.scope: dict[str, Any] = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "path": path,
            "headers": JSON,
            **scope,
        }
        self.sent: list[MutableMapping[str, Any]] = []
        self.is_watched = asyncio.Event()
        self.send_error: BaseException | None = None
        self.reading = asyncio.Event()
        self.reading.set()
        self._parts = list(parts)
        self._incoming: asyncio.Queue[dict[str, Any] | OSError] = asyncio.Queue()

    async def receive(self) -> dict[str, Any]:
        """Return the parts of the body, then wait for what the test does."""
        if self._parts:
            part = self._parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(self._parts)}
        self.is_watched.set()
        message = await self._incoming.get()
        if isinstance(message, OSError):
            raise message
        return message

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Take a part of the answer, once the client reads."""
        await self.reading.wait()
        if self.send_error is not None:
            raise self.send_error
        self.sent.append(message)

    def leave(self) -> None:
        """Let the client go away."""
        self._incoming.put_nowait({"type": "http.disconnect"})

    def break_off(self) -> None:
        """Let the client go away on a server that raises instead of saying so."""
        self._incoming.put_nowait(ConnectionResetError())

    def send_late_part(self) -> None:
        """Let a stray body message arrive, as some servers send."""
        self._incoming.put_nowait({"type": "http.request", "body": b"", "more_body": False})

    @property
    def status(self) -> int:
        start, _ = self.sent
        return int(start["status"])

    @property
    def body(self) -> bytes:
        _, end = self.sent
        return bytes(end["body"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        start, _ = self.sent
        headers = dict(start["headers"])
        assert len(headers) == len(start["headers"]), "no header is sent twice"
        return headers

    @property
    def messages(self) -> list[Message]:
        """The messages of an HTTP 200, which is what clients take for an answer."""
        assert self.status == 200
        messages: list[Message] = msgspec.json.decode(self.body)
        assert messages
        return messages


class Plug:
    """One WebSocket under way: frames come from the test, and what is sent is taken while ``reading`` is set."""

    def __init__(self, **scope: object) -> None:
        self.scope: dict[str, Any] = {"type": "websocket", "path": "/api/v2/notifications", "headers": (), **scope}
        self.sent: list[MutableMapping[str, Any]] = []
        self.reading = asyncio.Event()
        self.reading.set()
        self.send_error: BaseException | None = None
        self._changed = asyncio.Event()
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._incoming.put_nowait({"type": "websocket.connect"})

    async def receive(self) -> dict[str, Any]:
        """Return what the client does."""
        return await self._incoming.get()

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Take what the server says, once the client reads; a closed socket is gone."""
        await self.reading.wait()
        if self.send_error is not None:
            raise self.send_error
        self.sent.append(message)
        self._changed.set()
        if message["type"] == "websocket.close":
            self.leave()

    def say(self, *messages: object) -> None:
        """Send a frame of messages."""
        self.say_text(msgspec.json.encode(messages).decode())

    def say_text(self, text: str) -> None:
        """Send any text."""
        self._incoming.put_nowait({"type": "websocket.receive", "text": text})

    def say_bytes(self) -> None:
        """Send a binary frame."""
        self._incoming.put_nowait({"type": "websocket.receive", "bytes": b"[]"})

    def leave(self) -> None:
        """Let the client go away."""
        self._incoming.put_nowait({"type": "websocket.disconnect", "code": 1005})

    async def accepted(self) -> None:
        """Wait until the upgrade is."""
        while not self.sent:
            await asyncio.wait_for(self._changed.wait(), 10)

    async def frames(self, count: int) -> list[list[Message]]:
        """Wait until that many frames were sent in all; return them."""
        while len(frames := [each for each in self.sent if each["type"] == "websocket.send"]) < count:
            self._changed.clear()
            await asyncio.wait_for(self._changed.wait(), 10)
        return [msgspec.json.decode(each["text"]) for each in frames]

    @property
    def code(self) -> int:
        """With which code it was closed, as the last that was sent."""
        assert self.sent[-1]["type"] == "websocket.close"
        return int(self.sent[-1]["code"])


class Site:
    """CometD with a clock that the test turns (the timer still goes by the loop's)."""

    def __init__(
        self,
        config: Config | None = None,
        hooks: Notes | None = None,
        cookie: BrowserCookie | None = None,
        max_body_bytes: int = 65_536,
        max_unsent_bytes: int = 65_536,
    ) -> None:
        self.hooks = hooks or Notes()
        self.now_ms = 1_000
        self.ids = 0
        self.server = Server(config or Config(), AllowList(["/**"], ["/chat/*"]))
        self.cometd = CometD(
            self.server,
            clock_ms=lambda: self.now_ms,
            random_id=self.random_id,
            hooks=self.hooks,
            published=self.hooks.published,
            cookie=cookie,
            max_body_bytes=max_body_bytes,
            max_unsent_bytes=max_unsent_bytes,
        )

    def random_id(self) -> str:
        self.ids += 1
        return f"id{self.ids}"

    def follow_loop(self) -> None:
        """Take the loop's clock instead, for tests of the timer."""
        loop = asyncio.get_running_loop()
        self.cometd._clock_ms = lambda: int(loop.time() * 1000)

    async def run(self, call: Call, principal: str = "ann") -> Call:
        """Carry one request to its end."""
        await handle(self.cometd, call.scope, call.receive, call.send, principal)
        return call

    def plug(self, plug: Plug, principal: str = "ann") -> asyncio.Task[None]:
        """Begin to serve a socket."""
        return asyncio.create_task(handle_socket(self.cometd, plug.scope, plug.receive, plug.send, principal))

    async def plugged(self, *channels: str) -> tuple[Plug, asyncio.Task[None], str]:
        """Open a socket, a session on it, subscribe it, bring its first connect behind it; its frames are forgotten."""
        plug = Plug()
        task = self.plug(plug)
        plug.say(handshake())
        client_id: str = (await plug.frames(1))[0][0]["clientId"]
        plug.say(connect(client_id))
        if channels:
            plug.say(subscribe(client_id, list(channels)))
        await plug.frames(2 + bool(channels))
        plug.sent.clear()
        return plug, task, client_id

    async def post(self, *messages: object, principal: str = "ann", **scope: object) -> Call:
        """Post messages and wait for the answer."""
        return await self.run(Call(msgspec.json.encode(messages), **scope), principal)  # type: ignore[arg-type]

    async def connected(self, *channels: str, principal: str = "ann") -> str:
        """Open a session, subscribe it, and bring its first connect behind it."""
        client_id: str = (await self.post(handshake(), principal=principal)).messages[0]["clientId"]
        if channels:
            await self.post(subscribe(client_id, list(channels)), principal=principal)
        await self.post(connect(client_id), principal=principal)
        return client_id

    async def hold(
        self, client_id: str, principal: str = "ann", scope: dict[str, object] | None = None, **fields: object
    ) -> tuple[Call, asyncio.Task[Call]]:
        """Start a connect and return once it is held."""
        call = Call(msgspec.json.encode([connect(client_id, **fields)]), **(scope or {}))  # type: ignore[arg-type]
        task = asyncio.create_task(self.run(call, principal))
        await call.is_watched.wait()
        return call, task

    def deliver(self, *deliveries: Delivery, principal: str = "ann") -> None:
        self.cometd.deliver(principal, deliveries)


def run(scenario: Callable[[], Awaitable[None]]) -> list[dict[str, Any]]:
    """Run a scenario; returns what the loop's exception handler was told."""
    reported: list[dict[str, Any]] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
        await asyncio.wait_for(scenario(), 30)

    asyncio.run(main())
    return reported
