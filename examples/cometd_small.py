"""The smallest CometD endpoint: one guest, who is told the time every second."""

import asyncio
import secrets
import time

from trunkline.bayeux import AllowList, Config, Delivery, Server
from trunkline.bayeux_asgi import CometD, handle, handle_socket

core = Server(Config(), AllowList(["/time"]))
cometd = CometD(core, clock_ms=lambda: time.monotonic_ns() // 1_000_000, random_id=secrets.token_hex)


async def tell_the_time():
    while True:
        cometd.deliver("guest", [Delivery("/time", b'"%s"' % time.ctime().encode(), mark=0)])
        await asyncio.sleep(1)


async def app(scope, receive, send):
    if scope["type"] == "websocket":
        await handle_socket(cometd, scope, receive, send, "guest")
    elif scope["type"] == "http":
        await handle(cometd, scope, receive, send, "guest")
    else:
        await cometd.start()
        telling = asyncio.create_task(tell_the_time())
        await send({"type": "lifespan.startup.complete"})
        while (await receive())["type"] != "lifespan.shutdown":
            pass
        telling.cancel()
