"""A CometD endpoint in an application of its own: two users are greeted every second. Its one argument is the port."""

import asyncio
import json
import secrets
import sys
import time
from itertools import count

import uvicorn

from trunkline.bayeux import AllowList, Config, Delivery, Server
from trunkline.bayeux_asgi import CometD, Hooks, handle, handle_socket

USERS = {b"Bearer of-ann": "ann", b"Bearer of-bob": "bob"}
ORIGINS = {None, b"https://desk.example.com"}
SUFFIXES = ("", "/", "/handshake", "/connect", "/subscribe", "/unsubscribe", "/publish", "/disconnect")
PATHS = {f"/cometd{suffix}" for suffix in SUFFIXES}


class Inbox(Hooks):
    """Keeps each user's greetings until a client has them, and gives them to the next session."""

    def __init__(self):
        self.waiting = {user: [] for user in USERS.values()}

    def subscribed(self, client_id, principal, channel, recovered):
        cometd.deliver_to(client_id, self.waiting[principal])

    def confirmed(self, principal, channel, mark):
        self.waiting[principal] = [each for each in self.waiting[principal] if each.mark > mark]


inbox = Inbox()
core = Server(Config(), AllowList(["/greetings/*"]))
cometd = CometD(core, clock_ms=lambda: time.monotonic_ns() // 1_000_000, random_id=secrets.token_hex, hooks=inbox)


async def greet():
    for mark in count(int(time.time())):  # marks grow, across restarts too
        for user, waiting in inbox.waiting.items():
            said = json.dumps({"text": f"Hello, {user}", "number": mark})
            greeting = Delivery("/greetings/hello", said.encode(), mark)
            waiting[:] = [*waiting[-99:], greeting]
            cometd.deliver(user, [greeting])
        await asyncio.sleep(1)


async def app(scope, receive, send):
    headers = dict(scope["headers"])
    user = USERS.get(headers.get(b"authorization"))
    is_welcome = scope["path"] in PATHS and user is not None and headers.get(b"origin") in ORIGINS
    if scope["type"] == "websocket":
        if is_welcome:
            await handle_socket(cometd, scope, receive, send, user)
        else:
            await send({"type": "websocket.close"})
    elif is_welcome:
        await handle(cometd, scope, receive, send, user)
    else:
        await send({"type": "http.response.start", "status": 403, "headers": []})
        await send({"type": "http.response.body"})


class Web(uvicorn.Server):
    async def startup(self, sockets=None):
        await cometd.start()
        self.greeting = asyncio.create_task(greet())
        await super().startup(sockets)

    async def shutdown(self, sockets=None):
        self.greeting.cancel()
        await cometd.stop()  # before uvicorn waits for the requests that are held
        await super().shutdown(sockets)


if __name__ == "__main__":
    Web(uvicorn.Config(app, port=int(sys.argv[1]), lifespan="off", ws="websockets-sansio")).run()
