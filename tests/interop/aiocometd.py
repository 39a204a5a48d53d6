"""The Python client, aiocometd-ng: tells what it sends and gets, as the scripts beside it do. One argument: options."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from aiocometd_ng.client import Client
from aiocometd_ng.constants import ConnectionType
from aiocometd_ng.exceptions import AiocometdException
from aiocometd_ng.extensions import AuthExtension


def tell(what: str, **more: Any) -> None:
    """Write one line."""
    print(json.dumps({"what": what, "at": time.time_ns() // 1_000_000, **more}), flush=True)  # noqa: T201 - its purpose


class Teller(AuthExtension):
    """Credentials on every request, and a line for every message."""

    def __init__(self, authorization: str) -> None:
        self._authorization = authorization
        self.client: Client | None = None

    async def outgoing(self, payload: Any, headers: Any) -> None:
        """Add the header."""
        headers["Authorization"] = self._authorization
        for message in payload:
            tell("sent", channel=message["channel"])

    async def incoming(self, payload: Any, headers: Any = None) -> None:
        """Tell the replies."""
        used = self.client.connection_type if self.client else None
        for message in payload if isinstance(payload, list) else ():
            if "successful" in message:
                kept = ("channel", "subscription", "successful", "error", "advice")
                tell("reply", **{name: message.get(name) for name in kept}, transport=used and used.value)

    async def authenticate(self) -> None:
        """Nothing to renew."""


async def obey(client: Client) -> None:
    """Do what is asked on standard input; return after saying goodbye."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for line in reader:
        command = json.loads(line)
        match command["do"]:
            case "subscribe":
                await client.subscribe(command["topic"])
            case "unsubscribe":
                await client.unsubscribe(command["topic"])
            case "disconnect":
                await client.close()
                return
    await asyncio.Event().wait()  # whoever closes the input wants to see whether the client ends by itself


async def listen(client: Client, topics: list[str]) -> None:
    """Subscribe and tell what comes until the server ends it."""
    try:
        for topic in topics:
            await client.subscribe(topic)
        while True:
            message = await client.receive()
            tell("message", channel=message["channel"], data=message["data"])
    except AiocometdException as error:
        tell("stopped", error=repr(error))


async def main() -> None:
    """Open, then listen and obey until one of both is over."""
    options = json.loads(sys.argv[1])
    types = None if options["transport"] == "any" else ConnectionType(options["transport"])
    teller = Teller(options["authorization"])
    # Any other timeout passes an argument to the standard library that it no longer takes.
    client = Client(options["url"], types, connection_timeout=0, auth=teller)
    teller.client = client
    await client.open()
    tasks = [asyncio.create_task(listen(client, options["topics"])), asyncio.create_task(obey(client))]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task in done:
        task.result()


if __name__ == "__main__":
    asyncio.run(main())
