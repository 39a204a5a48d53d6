"""One WebSocket: frames in, in their order, also while the application gets ready for a subscription."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Mapping
from typing import Any, Protocol

from trunkline.bayeux import read_json_body
from trunkline.bayeux.channels import HANDSHAKE, SUBSCRIBE
from trunkline.bayeux.close_codes import FAILED, INVALID, TOO_LARGE
from trunkline.errors import TooLarge
from trunkline.strict_json import Json, Malformed

MAX_WAITING_FRAMES = 64
"""Frames behind a subscription that is being prepared: clients send one or two before they wait for its reply."""


class SocketLine(Protocol):
    """The other side of a socket: what carries its frames."""

    def send(self, body: bytes) -> None:
        """Send a text frame, in the order of the calls."""

    def close(self, code: int) -> None:
        """Close after what was sent."""

    def abort(self) -> None:
        """Close at once; what was not taken is thrown away."""

    def unsent_bytes(self) -> int:
        """Bytes that have not left this process."""


class SocketOwner(Protocol):
    """What a socket needs of its endpoint."""

    max_body_bytes: int
    max_depth: int

    def process_frame(
        self, socket: Socket, messages: list[Json], asked: Mapping[str, Any], *, has_waited: bool
    ) -> None:
        """Process the messages of one frame.

        One that ``has_waited`` confirms nothing: it may be older than what went out meanwhile.
        """

    async def preparation(self, messages: list[Json], principal: Hashable) -> dict[str, Any]:
        """Get ready for the subscriptions among them."""

    def socket_gone(self, socket: Socket) -> None:
        """Forget the socket."""

    def socket_stuck(self, socket: Socket) -> None:
        """End its sessions."""

    def spawn(self, work: Any) -> None:
        """Let a coroutine go on."""

    def report(self, text: str, error: BaseException) -> None:
        """Tell of a defect."""


class Socket:
    """One open socket. Its methods are called by whatever reads from it."""

    __slots__ = ("_is_over", "_owner", "_waiting", "address", "line", "number", "principal")

    def __init__(
        self, owner: SocketOwner, number: int, principal: Hashable, line: SocketLine, address: Hashable
    ) -> None:
        self.number = number
        self.principal = principal
        self.line = line
        self.address = address
        self._owner = owner
        self._is_over = False
        self._waiting: deque[list[Json]] | None = None

    def received(self, text: bytes) -> None:
        """Process a frame. What is no JSON, or too large, ends the socket."""
        if self._is_over:
            return
        try:
            messages = read_json_body(text, max_bytes=self._owner.max_body_bytes, max_depth=self._owner.max_depth)
        except TooLarge:
            self.end(TOO_LARGE)
            return
        except Malformed:
            self.end(INVALID)
            return
        if self._waiting is not None:
            self._waiting.append(messages)
            if len(self._waiting) > MAX_WAITING_FRAMES:
                self.end(TOO_LARGE)
        elif subscribes(messages):
            self._waiting = deque()
            self._owner.spawn(self._process_waiting(messages))
        else:
            self._process(messages, {}, has_waited=False)

    def gone(self) -> None:
        """The connection is lost or closed."""
        self._is_over = True
        self._owner.socket_gone(self)

    def stuck(self) -> None:
        """The client has not taken what was sent for too long."""
        self._is_over = True
        self._owner.socket_stuck(self)

    def end(self, code: int) -> None:
        """Close the socket, after what was sent on it."""
        if not self._is_over:
            self._is_over = True
            self.line.close(code)
            self._owner.socket_gone(self)

    async def _process_waiting(self, messages: list[Json]) -> None:
        try:
            while not self._is_over:
                asked = await self._owner.preparation(messages, self.principal) if subscribes(messages) else {}
                self._process(messages, asked, has_waited=True)
                if not self._waiting:
                    self._waiting = None
                    return
                messages = self._waiting.popleft()
        except Exception as error:  # noqa: BLE001 - nobody waits for this task
            self._owner.report("CometD frame failed", error)
            self.end(FAILED)

    def _process(self, messages: list[Json], asked: Mapping[str, Any], *, has_waited: bool) -> None:
        if self._is_over:
            return
        try:
            self._owner.process_frame(self, messages, asked, has_waited=has_waited)
        except Exception as error:  # noqa: BLE001 - the socket is told by its end
            self._owner.report("CometD frame failed", error)
            self.end(FAILED)


def shakes_hands(messages: list[Json]) -> bool:
    """Tell whether a request holds a handshake."""
    return any(type(message) is dict and message.get("channel") == HANDSHAKE for message in messages)


def subscribes(messages: list[Json]) -> bool:
    """Tell whether a request holds a subscribe that will be processed: one beside a handshake is not."""
    found = False
    for message in messages:
        channel = message.get("channel") if type(message) is dict else None
        if channel == HANDSHAKE:
            return False
        found = found or channel == SUBSCRIBE
    return found
