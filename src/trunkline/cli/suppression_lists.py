"""``trunkline suppression list``, ``import``, ``export`` and ``empty``: whole lists."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from trunkline.app.directory import ReferenceBook
from trunkline.app.ports import ObjectChanges, ObjectWrite, SuppressionCount
from trunkline.app.suppression.emptying import Emptying, EmptyingReport, check_applies_nowhere
from trunkline.app.suppression.entries import lists_of
from trunkline.app.suppression.exporting import exported
from trunkline.app.suppression.importing import SuppressionOrder, SuppressionReport, import_entries
from trunkline.cli.centres import OpensStore
from trunkline.cli.files import opened_file
from trunkline.cli.suppression_opening import REGION, Opened, command, run
from trunkline.domain.import_specifications import ImportMode
from trunkline.domain.objects import ObjectKind
from trunkline.domain.suppression import SuppressionList
from trunkline.errors import NotFound, Refused

SHOWN_REFUSALS = 50
"""Refusals printed: a screenful."""
_NO_LIST = 2**31 - 1
"""The number of a list that is not made yet; no list has it."""


@command("list")
def list_lists(program: OpensStore, /, **given: Any) -> None:
    """Show the suppression lists with their entries."""

    async def ask(opened: Opened) -> list[tuple[SuppressionList, SuppressionCount]]:
        centre = opened.caller.contact_centre_id
        counts = await opened.store.suppression_counts(centre, opened.clock.now_s())
        none = SuppressionCount(0, 0)
        return [(one, counts.get(one.suppression_list_id, none)) for one in lists_of(opened.book, centre)]

    is_json = given.pop("is_json")
    found = run(program, given, ask)
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


@command("import")
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
@REGION
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

    async def work(opened: Opened) -> SuppressionReport:
        target, make_list = _target(opened, list_name, order, is_to_create=is_to_create, is_required=is_required)
        with opened_file(file) as source:
            about = (opened.writer.book, opened.caller, target, order, source)
            asked = (opened.store, opened.writer.submit, opened.clock, *about)
            return await import_entries(*asked, make_list=make_list)

    report = run(program, given, work)
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


def _target(
    opened: Opened, name: str, order: SuppressionOrder, *, is_to_create: bool, is_required: bool
) -> tuple[SuppressionList, Callable[[], Awaitable[SuppressionList]] | None]:
    """The list, and what makes it when that was asked for and it is not there."""
    centre = opened.caller.contact_centre_id
    try:
        return opened.named(name), None
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
    return msgspec.structs.replace(made, suppression_list_id=_NO_LIST), partial(_make, opened, made)


async def _make(opened: Opened, made: SuppressionList) -> SuppressionList:
    write = ObjectWrite(
        contact_centre_id=made.contact_centre_id,
        kind=ObjectKind.SUPPRESSION_LIST,
        object_id=0,
        expected_version=0,
        value=made,
    )
    reason = "trunkline suppression import"
    (stored,) = await opened.store.change_objects(
        ObjectChanges(at_ms=opened.clock.now_ms(), changed_by=None, writes=(write,), reason=reason)
    )
    assert isinstance(stored.value, SuppressionList)
    opened.writer.adopt(ReferenceBook(await opened.store.directory()))
    return stored.value


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


@command("export")
@click.argument("list_name", metavar="LIST")
@click.option("-o", "--output", type=click.Path(dir_okay=False, writable=True), help="A file.  [default: the terminal]")
@click.option("--spreadsheet", is_flag=True, help="Keep cells from being taken for formulas; for reading only.")
def export_list(program: OpensStore, /, list_name: str, output: str | None, **given: Any) -> None:
    """Write the entries of LIST that hold as CSV, which an import reads back."""
    given.pop("is_json")
    is_for_spreadsheets = given.pop("spreadsheet")

    async def work(opened: Opened) -> None:
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

    run(program, given, work)


@command("empty")
@click.argument("list_name", metavar="LIST")
@click.option("--reason", default="", help="Why; kept in the audit. Required, but for a dry run.")
@click.option("--dry-run", is_flag=True, help="Count, and change nothing.")
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask.")
def empty(program: OpensStore, /, list_name: str, reason: str, **given: Any) -> None:
    """Take all entries of LIST out of the database, for good, so that it can be deleted.

    Only of a list that applies nowhere: switched off, or neither required nor named by a campaign.
    """
    is_json, is_dry_run, is_sure = (given.pop(name) for name in ("is_json", "dry_run", "is_sure"))
    if not reason.strip() and not is_dry_run:
        raise click.UsageError("Missing option '--reason'.")

    async def work(opened: Opened) -> EmptyingReport:
        target, emptying = opened.named(list_name), Emptying(opened.store, opened.clock, opened.writer.submit)
        found = await emptying.count(opened.caller, target)
        if is_dry_run:
            return found
        check_applies_nowhere(opened.book, target.contact_centre_id, target.suppression_list_id)
        if not is_sure:
            # Nothing else runs in this program, so nothing waits for the answer.
            click.confirm(f"Remove all {found.entries} entries of {list_name} for good?", abort=True, err=True)
        return await emptying.empty(opened.caller, opened.book, target, reason)

    report = run(program, given, work)
    if is_json:
        click.echo(msgspec.json.encode(report))
    elif is_dry_run:
        click.echo(f"{report.entries} entries of {list_name} would be removed, {report.ended} of them ended.")
    else:
        click.echo(f"{report.entries} entries of {list_name} were removed; it has {report.left}.")
