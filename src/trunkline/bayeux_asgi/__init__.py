"""CometD for any ASGI application: the Bayeux core with a clock, a timer, and HTTP and WebSocket around it.

``CometD`` is the endpoint; ``handle`` and ``handle_socket`` serve it over ASGI. A server that need not go through ASGI
gives it requests by ``begin`` and frames by ``open_socket`` itself. How to use it: docs/how-to/cometd-endpoint.md.
"""

from __future__ import annotations

from trunkline.bayeux_asgi.asgi_http import handle
from trunkline.bayeux_asgi.asgi_socket import handle_socket
from trunkline.bayeux_asgi.bodies import read_body
from trunkline.bayeux_asgi.cookie import BROWSER_COOKIE, BrowserCookie
from trunkline.bayeux_asgi.endpoint import CometD
from trunkline.bayeux_asgi.hooks import Hooks, Reply
from trunkline.bayeux_asgi.sockets import Socket, SocketLine

__all__ = [
    "BROWSER_COOKIE",
    "BrowserCookie",
    "CometD",
    "Hooks",
    "Reply",
    "Socket",
    "SocketLine",
    "handle",
    "handle_socket",
    "read_body",
]
