"""``trunkline suppression``: do-not-call entries, on the database itself, beside a running server or without.

A running server sees what is added and removed at once: it keeps no copy of the lists.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from trunkline.adapters.system import SystemClock
from trunkline.app.alone import writer_alone
from trunkline.app.asking import Asked
from trunkline.app.directory import ReferenceBook
from trunkline.app.handlers import HANDLERS
from trunkline.app.ports import ObjectChanges, ObjectWrite, Store, SuppressionCount
from trunkline.app.suppression_export import exported, moment
from trunkline.app.suppression_import import SuppressionOrder, SuppressionReport, import_entries
from trunkline.app.suppression_work import (
    AddEntries,
    EntryMaker,
    Found,
    Given,
    RemoveEntries,
    existing,
    list_named,
    lists_of,
    look_up,
)
from trunkline.app.writer import Writer
from trunkline.cli.centres import OpensStore, command_line_caller
from trunkline.cli.flags import STORAGE, config_from, with_options
from trunkline.domain.enums import DoNotCallKind, Door, RequestType
from trunkline.domain.import_specifications import ImportMode
from trunkline.domain.objects import ObjectKind
from trunkline.domain.people import Caller
from trunkline.domain.suppression import SuppressionList
from trunkline.errors import NotFound, Refused, TrunklineError

R = TypeVar("R")
SHOWN_REFUSALS = 50
"""Refusals printed: a screenful."""


class _Opened(msgspec.Struct):
    """A store with what commands ask of it."""

    store: Store
    writer: Writer
    book: ReferenceBook
    caller: Caller
    clock: SystemClock

    def named(self, name: str) -> SuppressionList:
        """A suppression list."""
        return list_named(self.book, self.caller.contact_centre_id, name)


@click.group()
def suppression() -> None:
    """Do-not-call entries. The contact centre's own list is called "own"."""


def _command(name: str) -> Callable[[Callable[..., Any]], click.Command]:
    def add(function: Callable[..., Any]) -> click.Command:
        made = with_options(*STORAGE)(click.pass_obj(function))
        made = click.option("--contact-centre", default="", help="Needed when there are several.")(made)
        made = click.option("--json", "is_json", is_flag=True, help="Print JSON.")(made)
        return suppression.command(name)(made)

    return add


_KIND = click.option("--kind", default="", metavar="KIND", help="number, customer or account.  [default: the list's]")
_REGION = click.option("--region", default="", metavar="XX", help="Country of numbers without a country code.")


@_command("list")
def list_lists(program: OpensStore, /, **given: Any) -> None:
    """Show the suppression lists with their entries."""

    async def ask(opened: _Opened) -> list[tuple[SuppressionList, SuppressionCount]]:
        centre = opened.caller.contact_centre_id
        counts = await opened.store.suppression_counts(centre, opened.clock.now_s())
        none = SuppressionCount(0, 0)
        return [(one, counts.get(one.suppression_list_id, none)) for one in lists_of(opened.book, centre)]

    is_json = given.pop("is_json")
    found = _run(program, given, ask)
    if is_json:
        rows = [{"name": one.name, "entries": count.entries, "ended": count.ended} for one, count in found]
        click.echo(msgspec.json.encode(rows))
        return
    table = Table("list", "entries", "ended", "of", "applies", "source", box=None, padding=(0, 1))
    for one, count in found:
        applies = "always" if one.is_required or not one.suppression_list_id else "where a campaign names it"
        applies = applies if one.is_enabled else "never: it is switched off"
        counted = (str(count.entries), str(count.ended))
        table.add_row(escape(one.name), *counted, one.kind.value, applies, escape(one.source))
    Console(highlight=False).print(table)


@_command("import")
@click.argument("list_name", metavar="LIST")
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--mode", type=click.Choice([mode.value for mode in ImportMode]), default="all", show_default=True,
              help="Add all rows or none, or the good ones.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Check the file and write nothing.")
@click.option("--map", "mapping", multiple=True, metavar="MEANING=COLUMN", help="Which column holds what; repeatable.")
@click.option("--delimiter", default=",", show_default=True, help="The sign between cells; 'tab' for a tab.")
@click.option("--encoding", default="utf-8", show_default=True, help="utf-8, iso-8859-1 or windows-1252.")
@click.option("--reason", default="", help="For rows without one.")
@click.option("--source", default="", help="For rows without one.")
@click.option("--create", "is_to_create", is_flag=True, help="Make the list when it does not exist.")
@click.option("--required", "is_required", is_flag=True, help="A list made here applies to every campaign.")
@_REGION
def import_list(program: OpensStore, /, list_name: str, file: str, **given: Any) -> None:
    """Add the entries of FILE (CSV, or one number a line; - reads standard input) to LIST.

    The file is checked as a whole before anything is written. Entries that are there stay; giving the command again
    after an interruption adds what is missing. Exits 1 when all rows were asked for and some were refused.
    """
    is_json, is_to_create, is_required = (given.pop(name) for name in ("is_json", "is_to_create", "is_required"))
    order = SuppressionOrder(
        mode=ImportMode(given.pop("mode")),
        is_dry_run=given.pop("dry_run"),
        region=given.pop("region"),
        delimiter="\t" if given["delimiter"] == "tab" else given["delimiter"],
        encoding=given.pop("encoding"),
        mapping=dict(map(_pair, given.pop("mapping"))),
        reason=given.pop("reason"),
        source=given.pop("source"),
    )
    del given["delimiter"]

    async def work(opened: _Opened) -> SuppressionReport:
        target = await _target(opened, list_name, order, is_to_create=is_to_create, is_required=is_required)
        opened.writer.adopt(ReferenceBook(await opened.store.directory()))
        with _opened_file(file) as source:
            about = (opened.writer.book, opened.caller, target, order, source)
            asked = (opened.store, opened.writer.submit, opened.clock, *about)
            return await import_entries(*asked)

    report = _run(program, given, work)
    if is_json:
        click.echo(msgspec.json.encode(report))
    else:
        _show(report)
    if report.is_refused:
        raise SystemExit(1)


def _pair(text: str) -> tuple[str, str]:
    meaning, equals, column = text.partition("=")
    if not equals or not meaning.strip():
        raise click.UsageError("--map is given as MEANING=COLUMN, for example --map number=Telephone")
    return meaning, column


async def _target(
    opened: _Opened, name: str, order: SuppressionOrder, *, is_to_create: bool, is_required: bool
) -> SuppressionList:
    """The list, made when that was asked for; a dry run makes nothing."""
    centre = opened.caller.contact_centre_id
    try:
        return opened.named(name)
    except NotFound:
        if not is_to_create:
            raise Refused(f"there is no suppression list {name!r}; --create makes it") from None
    made = SuppressionList(
        contact_centre_id=centre,
        suppression_list_id=0,
        name=name,
        region=order.region,
        source=order.source,
        is_required=is_required,
    )
    if order.is_dry_run:
        return msgspec.structs.replace(made, suppression_list_id=2**31 - 1)
    write = ObjectWrite(
        contact_centre_id=centre, kind=ObjectKind.SUPPRESSION_LIST, object_id=0, expected_version=0, value=made
    )
    reason = "trunkline suppression import"
    (stored,) = await opened.store.change_objects(
        ObjectChanges(at_ms=opened.clock.now_ms(), changed_by=None, writes=(write,), reason=reason)
    )
    assert isinstance(stored.value, SuppressionList)
    return stored.value


@contextmanager
def _opened_file(path: str) -> Iterator[IO[bytes]]:
    """The file, or a copy of standard input: an import reads twice."""
    if path != "-":
        with Path(path).open("rb") as file:
            yield file
        return
    with tempfile.TemporaryFile(prefix="trunkline-import-") as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
        yield copy


def _show(report: SuppressionReport) -> None:
    console = Console(highlight=False)
    for refusal in report.refusals[:SHOWN_REFUSALS]:
        console.print(f"row {refusal.row}: {escape(refusal.field)} {escape(refusal.reason)}".replace(":  ", ": "))
    others = report.rows_refused - min(len(report.refusals), SHOWN_REFUSALS)
    if others > 0:
        console.print(f"and {others} more")
    counts = f"{report.rows_good} rows are good, {report.rows_refused} were refused"
    if report.is_dry_run:
        console.print(f"Dry run: nothing was written; {counts}.")
    elif report.is_refused:
        console.print(f"Nothing was added, because rows were refused; --mode good adds the others. {counts}.")
    else:
        before, after = report.entries_before, report.entries_after
        console.print(f"{counts}; {escape(report.list_name)} had {before} entries and has {after}.")


@_command("export")
@click.argument("list_name", metavar="LIST")
@click.option("-o", "--output", type=click.Path(dir_okay=False, writable=True), help="A file.  [default: the terminal]")
@click.option("--spreadsheet", is_flag=True, help="Keep cells from being taken for formulas; for reading only.")
def export_list(program: OpensStore, /, list_name: str, output: str | None, **given: Any) -> None:
    """Write the entries of LIST that hold as CSV, which an import reads back."""
    given.pop("is_json")
    is_for_spreadsheets = given.pop("spreadsheet")

    async def work(opened: _Opened) -> None:
        target, now_s = opened.named(list_name), opened.clock.now_s()
        rows = exported(opened.store, opened.book, target, now_s, is_for_spreadsheets=is_for_spreadsheets)
        if output is None:
            async for text in rows:
                click.echo(text, nl=False)
            return
        # Nothing else runs in this program, so nothing waits for the disk.
        with Path(output).open("w", encoding="utf-8", newline="") as file:  # noqa: ASYNC230
            async for text in rows:
                file.write(text)

    _run(program, given, work)


@_command("add")
@click.argument("list_name", metavar="LIST")
@click.argument("values", metavar="VALUE...", nargs=-1, required=True)
@_KIND
@_REGION
@click.option("--campaign", default="", help="The one campaign in which the entry holds.")
@click.option("--expires", default="", help="A date or moment, or never.  [default: the list's]")
@click.option("--reason", required=True, help="Why; kept with the entry.")
@click.option("--source", default="", help="Where it comes from.")
def add(program: OpensStore, /, list_name: str, values: tuple[str, ...], **given: Any) -> None:
    """Add numbers, customer ids or accounts to LIST."""
    given.pop("is_json")
    region = given.pop("region")
    about = {name: given.pop(name) for name in ("kind", "campaign", "expires", "reason", "source")}

    async def work(opened: _Opened) -> None:
        target = opened.named(list_name)
        maker = EntryMaker(opened.book, target, opened.clock.now_ms(), None, region=region)
        entries = [maker.entry(Given(value=value, **about)) for value in values]
        command = AddEntries(suppression_list_id=target.suppression_list_id, entries=entries)
        note = f"{len(entries)} to {target.name}: {about['reason']}"
        await _submit(opened, command, RequestType.SUPPRESSION_ADD, note)

    _run(program, given, work)
    click.echo(f"{len(values)} in the list {list_name}")


@_command("remove")
@click.argument("list_name", metavar="LIST")
@click.argument("values", metavar="VALUE...", nargs=-1, required=True)
@_KIND
@_REGION
@click.option("--campaign", default="", help="The campaign in which the entry holds, when it is for one.")
@click.option("--reason", required=True, help="Why; kept in the audit.")
def remove(program: OpensStore, /, list_name: str, values: tuple[str, ...], **given: Any) -> None:
    """Remove numbers, customer ids or accounts from LIST."""
    given.pop("is_json")
    region, reason = given.pop("region"), given.pop("reason")
    about = {name: given.pop(name) for name in ("kind", "campaign")}

    async def work(opened: _Opened) -> int:
        target = opened.named(list_name)
        maker = EntryMaker(opened.book, target, opened.clock.now_ms(), None, region=region)
        keys = [maker.entry(Given(value=value, expires="never", **about)).key for value in values]
        there = await existing(opened.store, keys)
        command = RemoveEntries(keys=keys)
        note = f"{len(there)} from {target.name}: {reason}"
        await _submit(opened, command, RequestType.SUPPRESSION_REMOVE, note)
        return len(there)

    gone = _run(program, given, work)
    click.echo(f"{gone} of {len(values)} removed from the list {list_name}")


@_command("check")
@click.argument("value", metavar="NUMBER")
@click.option("--kind", type=click.Choice([kind.value for kind in DoNotCallKind]), default="number", show_default=True)
@_REGION
def check(program: OpensStore, /, value: str, kind: str, region: str, **given: Any) -> None:
    """Show every entry that names NUMBER (or a customer id, or an account). Exits 1 when one holds."""
    is_json = given.pop("is_json")

    async def ask(opened: _Opened) -> list[Found]:
        centre, now_s = opened.caller.contact_centre_id, opened.clock.now_s()
        return await look_up(opened.store, opened.book, centre, DoNotCallKind(kind), value, region, now_s)

    found = _run(program, given, ask)
    if is_json:
        click.echo(msgspec.json.encode(found))
    for one in [] if is_json else found:
        entry = one.entry
        until = "for ever" if entry.expires_at_s is None else f"until {moment(entry.expires_at_s)}"
        scope = "" if entry.campaign_id is None else f" in campaign {entry.campaign_id}"
        since = f" since {moment(entry.added_at_ms // 1000)}" if entry.added_at_ms else ""
        ended = "" if one.holds else " (ended)"
        click.echo(f"{one.list_name}: {entry.value}{scope}{since} {until}{ended}; {entry.source}: {entry.reason}")
    if not found and not is_json:
        click.echo("no list names it")
    if any(one.holds for one in found):
        raise SystemExit(1)


async def _submit(opened: _Opened, command: object, kind: RequestType, note: str) -> None:
    await opened.writer.submit(
        Asked(caller=opened.caller, command=command, request_type=kind, door=Door.INSIDE, reference=note)
    )


def _run(program: OpensStore, given: dict[str, Any], work: Callable[[_Opened], Awaitable[R]]) -> R:
    config = config_from(given.pop("toml_path"), {name: given.pop(name) for name in STORAGE})

    async def run() -> R:
        async with _opened(program.open_store(config), given["contact_centre"]) as opened:
            return await work(opened)

    try:
        return asyncio.run(run())
    except TrunklineError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None


@asynccontextmanager
async def _opened(store: Store, contact_centre: str) -> AsyncIterator[_Opened]:
    await store.open()
    try:
        book, clock = ReferenceBook(await store.directory()), SystemClock()
        caller = command_line_caller(book.contact_centres, contact_centre)
        async with writer_alone(store, clock, book, HANDLERS) as writer:
            yield _Opened(store, writer, book, caller, clock)
    finally:
        await store.close()
