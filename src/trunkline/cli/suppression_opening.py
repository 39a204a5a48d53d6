"""What the commands of ``trunkline suppression`` share: a store with a writer, opened for one of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import click
import msgspec

from trunkline.adapters.system import SystemClock
from trunkline.app.alone import writer_alone
from trunkline.app.asking import Asked
from trunkline.app.directory import ReferenceBook
from trunkline.app.handlers import HANDLERS
from trunkline.app.ports import Store
from trunkline.app.suppression.entries import list_named
from trunkline.app.writer import Writer
from trunkline.cli.centres import OpensStore, command_line_caller
from trunkline.cli.flags import CENTRE, STORAGE, config_from, with_options
from trunkline.domain.enums import Door, RequestType
from trunkline.domain.people import Caller
from trunkline.domain.suppression import SuppressionList
from trunkline.errors import TrunklineError

R = TypeVar("R")

KIND = click.option("--kind", default="", metavar="KIND", help="number, customer or account.  [default: the list's]")
REGION = click.option("--region", default="", metavar="XX", help="Country of numbers without a country code.")


class Opened(msgspec.Struct):
    """A store with what commands ask of it."""

    store: Store
    writer: Writer
    book: ReferenceBook
    caller: Caller
    clock: SystemClock

    def named(self, name: str) -> SuppressionList:
        """A suppression list."""
        return list_named(self.book, self.caller.contact_centre_id, name)


def command(name: str) -> Callable[[Callable[..., Any]], click.Command]:
    """A command with the options that all have."""

    def add(function: Callable[..., Any]) -> click.Command:
        made = with_options(*STORAGE)(click.pass_obj(function))
        made = CENTRE(made)
        made = click.option("--json", "is_json", is_flag=True, help="Print JSON.")(made)
        return click.command(name)(made)

    return add


async def submit(opened: Opened, command: object, kind: RequestType, note: str) -> None:
    """Send a command through the writer; ``note`` is what the audit says of it."""
    await opened.writer.submit(
        Asked(caller=opened.caller, command=command, request_type=kind, door=Door.INSIDE, reference=note)
    )


def run(program: OpensStore, given: dict[str, Any], work: Callable[[Opened], Awaitable[R]]) -> R:
    """Open the store, do the work, close it again; what is refused becomes a sentence for people."""
    config = config_from(given.pop("toml_path"), {name: given.pop(name) for name in STORAGE})

    async def whole() -> R:
        async with _opened(program.open_store(config), given["contact_centre"]) as opened:
            return await work(opened)

    try:
        return asyncio.run(whole())
    except TrunklineError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None


@asynccontextmanager
async def _opened(store: Store, contact_centre: str) -> AsyncIterator[Opened]:
    await store.open()
    try:
        book, clock = ReferenceBook(await store.directory()), SystemClock()
        caller = command_line_caller(book.contact_centres, contact_centre)
        async with writer_alone(store, clock, book, HANDLERS) as writer:
            yield Opened(store, writer, book, caller, clock)
    finally:
        await store.close()
