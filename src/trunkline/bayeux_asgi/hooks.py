"""What the endpoint asks of the application, and of whoever carries an answer."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Protocol

from trunkline.bayeux import Position, Recovery
from trunkline.bayeux.extensions import NO_RECOVERIES
from trunkline.bayeux_asgi.cookie import Headers


class Hooks(Protocol):
    """What the application wants to know; as a base class it does nothing.

    An exception goes to the loop's exception handler, not to the client.
    """

    async def before_subscribe(self, principal: Hashable, positions: Mapping[str, Position]) -> Mapping[str, Recovery]:
        """Get ready for subscriptions of ``principal``: awaited before a request that holds one is processed.

        ``positions`` tell, by channel, where the client says it stopped (replay); the answer, what came after that.
        Raising ``Unavailable`` makes the subscriptions of this request fail; the client may repeat them.
        """
        return NO_RECOVERIES

    def subscribed(self, client_id: str, principal: Hashable, channel: str, recovered: frozenset[str]) -> None:
        """Note a new subscription; ``deliver_to`` may be called from here, but not for ``recovered`` channels."""
        return

    def confirmed(self, principal: Hashable, channel: str, mark: int) -> None:
        """Note that a client took the events of ``channel`` up to ``mark``."""
        return

    def opened(self, client_id: str, principal: Hashable) -> None:
        """Note a new session."""
        return

    def closed(self, client_id: str, principal: Hashable, reason: str) -> None:
        """Note the end of a session; reasons as in ``SessionClosed``."""
        return


class Unheard(Hooks):
    """Of an application that wants to know nothing."""


class Reply(Protocol):
    """Whoever is to answer a request."""

    def answer(self, status: int, body: bytes, headers: Headers, *, is_last: bool) -> bool:
        """Send the answer, the connection's last if so told; false when nobody is there to take it."""
