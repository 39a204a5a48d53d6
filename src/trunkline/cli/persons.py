"""``trunkline person``: what is kept about one person, shown or erased, on the database itself."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import click
import msgspec

from trunkline.adapters.system import SystemClock
from trunkline.app.alone import writer_alone
from trunkline.app.directory import ReferenceBook
from trunkline.app.handlers import HANDLERS
from trunkline.app.persons import EraseOrder, Person, Persons
from trunkline.cli.centres import OpensStore, command_line_caller
from trunkline.cli.flags import CENTRE, STORAGE, config_from, with_options
from trunkline.domain.people import Caller
from trunkline.errors import TrunklineError

R = TypeVar("R")


@click.group()
def person() -> None:
    """What is kept about one person."""


def _command(name: str) -> Callable[[Callable[..., Any]], click.Command]:
    def add(function: Callable[..., Any]) -> click.Command:
        made = with_options(*STORAGE)(click.pass_obj(function))
        made = CENTRE(made)
        made = click.option("--region", default="", metavar="XX", help="Country of a number without its code.")(made)
        made = click.option("--customer", default="", metavar="ID", help="A customer id instead of a number.")(made)
        made = click.argument("number", required=False, default="")(made)
        return person.command(name)(made)

    return add


@_command("export")
def export(program: OpensStore, /, **given: Any) -> None:
    """Print everything that is kept about the person with NUMBER as JSON."""
    whom = _person(given)

    async def work(persons: Persons, caller: Caller) -> dict[str, Any]:
        return await persons.export(caller, whom)

    found = msgspec.json.format(msgspec.json.encode(_run(program, given, work)), indent=2)
    click.echo(found)


@_command("erase")
@click.option("--reason", required=True, help="Why; kept in the audit. Do not name the person.")
@click.option("--dry-run", is_flag=True, help="Say what would be erased.")
@click.option("--do-not-call", is_flag=True, help="Enter the person into the list own before.")
@click.option("--json", "is_json", is_flag=True, help="Print the report as JSON.")
def erase(program: OpensStore, /, **given: Any) -> None:
    """Erase what is kept about the person with NUMBER. Do-not-call entries stay."""
    whom, is_json = _person(given), given.pop("is_json")
    order = EraseOrder(
        reason=given.pop("reason"), is_dry_run=given.pop("dry_run"), is_to_suppress=given.pop("do_not_call")
    )
    report = _run(program, given, lambda persons, caller: persons.erase(caller, whom, order))
    if is_json:
        click.echo(msgspec.json.encode(report))
        return
    counts = (
        f"{report.records} records, {report.attempts} rows of the attempt log, {report.journal_rows} of the journal; "
        f"{report.suppressions_kept} do-not-call entries stay."
    )
    click.echo(f"Dry run: nothing was erased. {counts}" if order.is_dry_run else f"Erased: {counts}")
    if order.is_to_suppress and not order.is_dry_run:
        click.echo("The person is entered as do-not-call, in the list own.")


def _person(given: dict[str, Any]) -> Person:
    return Person(number=given.pop("number"), customer_id=given.pop("customer"), region=given.pop("region"))


def _run(program: OpensStore, given: dict[str, Any], work: Callable[[Persons, Caller], Awaitable[R]]) -> R:
    config = config_from(given.pop("toml_path"), {name: given.pop(name) for name in STORAGE})

    async def run() -> R:
        store, clock = program.open_store(config), SystemClock()
        await store.open()
        try:
            book = ReferenceBook(await store.directory())
            caller = command_line_caller(book.contact_centres, given["contact_centre"])
            async with writer_alone(store, clock, book, HANDLERS) as writer:
                persons = Persons(store, writer.submit, clock, lambda: book, lambda: secrets.token_hex(12))
                return await work(persons, caller)
        finally:
            await store.close()

    try:
        return asyncio.run(run())
    except TrunklineError as error:
        raise click.ClickException(str(error)) from None
