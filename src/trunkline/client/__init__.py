"""Clients for scripts: the REST operations and the CometD messages that answer them, with the standard library only.

``trunkline.client.admin`` is the client of the administration API, for asyncio.
"""

from __future__ import annotations

from trunkline.client.events import Events, Message
from trunkline.client.http import Answer, Client

__all__ = ["Answer", "Client", "Events", "Message"]
