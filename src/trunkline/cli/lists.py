"""``trunkline list``: what is in a list, and work on whole lists, on the database itself, beside a running server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress as Bar
from rich.progress import TextColumn, TimeElapsedColumn
from rich.table import Table

from trunkline.adapters.system import SystemClock
from trunkline.app.alone import writer_alone
from trunkline.app.directory import ReferenceBook
from trunkline.app.handlers import HANDLERS
from trunkline.app.lists.filters import counted, explained, parsed_for
from trunkline.app.lists.work import LeftBecause, ListReport, ListWork, MoveOrder, OnStep, RecycleOrder
from trunkline.app.ports import Store
from trunkline.cli.centres import OpensStore, command_line_caller
from trunkline.cli.flags import CENTRE, STORAGE, config_from, with_options
from trunkline.domain.campaigns import CallingList
from trunkline.domain.people import Caller
from trunkline.errors import TrunklineError

R = TypeVar("R")

_WHERE = click.option("--where", "criteria", default="", metavar="CRITERIA",
                      help="Which records, in the language of filters.  [default: all]")  # fmt: skip
_JSON = click.option("--json", "is_json", is_flag=True, help="Print the report as JSON.")
_DRY = click.option("--dry-run", is_flag=True, help="Count, and change nothing.")
_OTHER_FORMAT = click.option("--allow-other-format", is_flag=True,
                             help="Also when TARGET has other custom fields; records keep their values.")  # fmt: skip
_STAYS = {
    LeftBecause.WORKED: "being worked",
    LeftBecause.CHANGED: "called or changed since",
    LeftBecause.GONE: "no longer in the list",
    LeftBecause.DUPLICATE: "with a number that the target has already",
}


class _Opened(NamedTuple):
    store: Store
    book: ReferenceBook
    caller: Caller
    work: ListWork

    def named(self, name: str) -> CallingList:
        return self.book.list_named(self.caller.contact_centre_id, name)


@click.group("list")
def lists() -> None:
    """Look at calling lists, recycle, split and merge them."""


def _command(name: str) -> Callable[[Callable[..., Any]], click.Command]:
    """A command of the group with the options that all have."""

    def add(function: Callable[..., Any]) -> click.Command:
        for decorate in (click.pass_obj, with_options(*STORAGE), CENTRE, _JSON):
            function = decorate(function)
        return lists.command(name)(function)

    return add


@_command("count")
@click.argument("list_name", metavar="LIST")
@_WHERE
def count(program: OpensStore, /, list_name: str, criteria: str, **given: Any) -> None:
    """Count the records of LIST that a filter selects, and say how the filter was understood."""

    async def ask(opened: _Opened) -> tuple[int, str]:
        calling_list = opened.named(list_name)
        parsed = parsed_for(calling_list, criteria)
        return await counted(opened.store, calling_list, parsed, SystemClock().now_s()), explained(parsed)

    is_json = given.pop("is_json")
    found, words = _run(program, given, ask)
    if is_json:
        click.echo(msgspec.json.encode({"records": found, "explanation": words}))
    else:
        click.echo(f"{found} records: {words}")


@_command("recycle")
@click.argument("list_name", metavar="LIST")
@_WHERE
@click.option("--keep-attempts", is_flag=True, help="Leave the count of attempts as it is.")
@_DRY
def recycle(program: OpensStore, /, list_name: str, criteria: str, **given: Any) -> None:
    """Make records of LIST callable again, as if they had never been called.

    Do-not-call records, and records on a desk, are left as they are. The number of the run undoes it.
    """
    order = RecycleOrder(criteria=criteria, keeps_attempts=given.pop("keep_attempts"))
    is_dry_run, is_json = given.pop("dry_run"), given.pop("is_json")

    async def work(opened: _Opened) -> ListReport:
        calling_list = opened.named(list_name)
        if is_dry_run:
            return await opened.work.count(opened.caller, calling_list, order)
        with _bar("recycling") as step:
            return await opened.work.recycle(opened.caller, calling_list, order, on_step=step)

    report = _run(program, given, work)
    _show(report, is_json, f"{report.records} records of {list_name} "
          + ("would be recycled." if is_dry_run else f"were recycled; --run {report.run_id} undoes it."))  # fmt: skip


@_command("undo")
@click.argument("list_name", metavar="LIST")
@click.option("--run", "run_id", type=int, required=True, help="Number of the recycling.")
def undo(program: OpensStore, /, list_name: str, run_id: int, **given: Any) -> None:
    """Undo a recycling of LIST. Records that were called or changed since keep what they have now, and are counted."""
    is_json = given.pop("is_json")

    async def work(opened: _Opened) -> ListReport:
        with _bar("undoing") as step:
            return await opened.work.undo(opened.caller, opened.named(list_name), run_id, on_step=step)

    report = _run(program, given, work)
    _show(report, is_json, f"{report.records} records are as they were before run {run_id}; {_stay(report)}.")


@_command("runs")
@click.argument("list_name", metavar="LIST")
def runs(program: OpensStore, /, list_name: str, **given: Any) -> None:
    """Show the recyclings of LIST, newest first."""
    is_json = given.pop("is_json")

    async def ask(opened: _Opened) -> Any:
        calling_list = opened.named(list_name)
        async with opened.store.begin() as unit:
            return await unit.recycle_runs(calling_list.contact_centre_id, calling_list.list_id, 100)

    found = _run(program, given, ask)
    if is_json:
        click.echo(msgspec.json.encode(found))
        return
    table = Table("run", "records", "state", "which", box=None, padding=(0, 1))
    for run in found:
        table.add_row(str(run.run_id), str(run.records), run.state.value, escape(run.what))
    Console(highlight=False).print(table)


@_command("split")
@click.argument("list_name", metavar="LIST")
@click.argument("target_name", metavar="TARGET")
@_WHERE
@click.option("--count", type=int, help="So many chains.")
@click.option("--percent", type=int, help="So many of a hundred chains, spread over the list.")
@_OTHER_FORMAT
@_DRY
def split(program: OpensStore, /, list_name: str, target_name: str, criteria: str, **given: Any) -> None:
    """Move chains of LIST to TARGET, which exists: those with a selected record, all or a part of them."""
    order = MoveOrder(
        criteria=criteria,
        count=given.pop("count"),
        percent=given.pop("percent"),
        allows_other_format=given.pop("allow_other_format"),
    )
    _move(program, list_name, target_name, order, given)


@_command("merge")
@click.argument("list_name", metavar="LIST")
@click.argument("target_name", metavar="TARGET")
@_OTHER_FORMAT
@_DRY
def merge(program: OpensStore, /, list_name: str, target_name: str, **given: Any) -> None:
    """Move all chains of LIST to TARGET, which has the same custom fields."""
    order = MoveOrder(allows_other_format=given.pop("allow_other_format"))
    _move(program, list_name, target_name, order, given)


@_command("empty")
@click.argument("list_name", metavar="LIST")
@_WHERE
@_DRY
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask.")
def empty(program: OpensStore, /, list_name: str, criteria: str, **given: Any) -> None:
    """Take records of LIST out of the database, for good. Do-not-call entries and the attempt log stay."""
    is_dry_run, is_json = given.pop("dry_run"), given.pop("is_json")
    if not given.pop("is_sure") and not is_dry_run:
        click.confirm(f"Remove {'the selected' if criteria else 'all'} records of {list_name} for good?", abort=True)

    async def work(opened: _Opened) -> ListReport:
        with _bar("removing") as step:
            return await opened.work.empty(
                opened.caller, opened.named(list_name), criteria, is_dry_run=is_dry_run, on_step=step
            )

    report = _run(program, given, work)
    if is_dry_run:
        text = f"{report.records} records of {list_name} would be removed."
    else:
        text = f"{report.records} records of {list_name} were removed; {_stay(report)}."
    _show(report, is_json, text)


def _move(program: OpensStore, list_name: str, target_name: str, order: MoveOrder, given: dict[str, Any]) -> None:
    is_dry_run, is_json = given.pop("dry_run"), given.pop("is_json")

    async def work(opened: _Opened) -> ListReport:
        source, target = opened.named(list_name), opened.named(target_name)
        with _bar("moving") as step:
            return await opened.work.move(opened.caller, source, target, order, is_dry_run=is_dry_run, on_step=step)

    report = _run(program, given, work)
    if is_dry_run:
        text = f"{report.records} chains of {list_name} would go to {target_name}."
    else:
        text = f"{report.records} records went to {target_name}; {_stay(report, 'chains ')}."
    _show(report, is_json, text)


def _run(program: OpensStore, given: dict[str, Any], work: Callable[[_Opened], Awaitable[R]]) -> R:
    contact_centre, toml_path = given.pop("contact_centre"), given.pop("toml_path")
    config = config_from(toml_path, given)

    async def run() -> R:
        async with _opened(program.open_store(config), contact_centre) as opened:
            return await work(opened)

    try:
        return asyncio.run(run())
    except TrunklineError as error:
        raise click.ClickException(str(error)) from None


@asynccontextmanager
async def _opened(store: Store, contact_centre: str) -> AsyncIterator[_Opened]:
    clock = SystemClock()
    await store.open()
    try:
        book = ReferenceBook(await store.directory())
        caller = command_line_caller(book.contact_centres, contact_centre)
        async with writer_alone(store, clock, book, HANDLERS) as writer:
            yield _Opened(store, book, caller, ListWork(store, clock, writer.submit))
    finally:
        await store.close()


class _bar:  # noqa: N801 - used as a statement
    """A line on the terminal that counts records."""

    def __init__(self, what: str) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), TextColumn("{task.completed} records"), TimeElapsedColumn())
        self._bar = Bar(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._what = what

    def __enter__(self) -> OnStep:
        self._bar.start()
        task = self._bar.add_task(self._what, total=None)
        return lambda records: self._bar.update(task, completed=records)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


def _stay(report: ListReport, what: str = "") -> str:
    """How many stay as they are, and why."""
    if not report.left:
        return "none left alone"
    reasons = ", ".join(f"{count} {_STAYS[reason]}" for reason, count in report.left_because.items())
    return f"{report.left} {what}left alone: {reasons}"


def _show(report: ListReport, is_json: bool, text: str) -> None:  # noqa: FBT001 - what was typed
    click.echo(msgspec.json.encode(report) if is_json else text)
