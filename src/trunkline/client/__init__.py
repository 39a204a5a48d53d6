"""A small client for scripts: the REST operations and the CometD messages that answer them. Standard library only."""

from __future__ import annotations

from trunkline.client.events import Events, Message
from trunkline.client.http import Answer, Client

__all__ = ["Answer", "Client", "Events", "Message"]
