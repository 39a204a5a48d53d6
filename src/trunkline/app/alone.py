"""A writer for programs that are not the server: imports and work on lists from the command line."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from trunkline.app.asking import Rules
from trunkline.app.directory import ReferenceBook
from trunkline.app.ports import Clock, Store
from trunkline.app.writer import Handler, Writer
from trunkline.errors import Defect


class NoChance:
    """For writers whose requests draw no chance."""

    def token(self) -> str:
        """Refuse."""
        raise Defect("nothing here needs a token")

    def uuid(self) -> str:
        """Refuse."""
        raise Defect("nothing here needs a uuid")


@asynccontextmanager
async def writer_alone(
    store: Store, clock: Clock, book: ReferenceBook, handlers: dict[type, Handler]
) -> AsyncIterator[Writer]:
    """A writer for programs that are not the server; a server may work on the same database at the same time."""
    writer = Writer(store, clock, book, Rules(chance=NoChance()), handlers, publish=lambda _: None)
    writer.start()
    try:
        yield writer
    finally:
        await writer.stop()
