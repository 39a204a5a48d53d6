"""``trunkline import``: a CSV file into a calling list, on the database itself, beside a running server or without."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import IO, Any

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from trunkline.adapters.system import SystemClock
from trunkline.app.administration.checks import check_object
from trunkline.app.directory import ReferenceBook
from trunkline.app.imports.files import TextFile
from trunkline.app.imports.importer import import_alone
from trunkline.app.imports.orders import order_of, specification_named
from trunkline.app.imports.report import ImportReport, Refusal
from trunkline.app.imports.run import Step, Watcher
from trunkline.app.ports import ObjectChanges, ObjectWrite, Store
from trunkline.cli.centres import OpensStore, command_line_caller
from trunkline.cli.files import opened_file
from trunkline.cli.flags import CENTRE, STORAGE, config_from, with_options
from trunkline.cli.import_specifications import check_saved, read_specification, save_specification
from trunkline.domain.campaigns import CallingList
from trunkline.domain.eligibility import zone
from trunkline.domain.import_specifications import (
    DuplicateScope,
    FileFormat,
    ImportMode,
    ImportSpecification,
    NumberCheck,
)
from trunkline.domain.objects import ObjectKind
from trunkline.domain.people import Caller
from trunkline.errors import NotFound, Refused, TrunklineError

SHOWN_REFUSALS = 50
"""Refusals printed: a screenful; ``--refused`` writes all of them to a file."""
MAX_LIST_NAME = 255
"""The longest name that the original's configuration holds."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed. ``given`` are the options that were, by their names in a specification."""

    list_name: str
    contact_centre: str
    import_id: str
    is_dry_run: bool
    specification: str
    specification_text: bytes | None
    save_as: str
    given: dict[str, Any]
    suppression_lists: tuple[str, ...]
    is_to_create: bool
    time_zone: str


def _choice(kind: type[StrEnum]) -> click.Choice[str]:
    return click.Choice([member.value for member in kind])


@click.command("import")
@click.argument("list_name", metavar="LIST")
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--specification",
    default="",
    metavar="NAME",
    help="A saved import specification, or a YAML or JSON file with one; options change it.",
)
@click.option(
    "--save-specification", "save_as", default="", metavar="NAME", help="Save how this file is read under a name."
)
@click.option("--map", "mapping", multiple=True, metavar="MEANING=COLUMN", help="Which column holds what; repeatable.")
@click.option("--format", "file_format", type=_choice(FileFormat), help="[default: by the file's name, else csv]")
@click.option("--mode", type=_choice(ImportMode), help="Add all rows or none, or the good ones.  [default: all]")
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Check the file and write nothing.")
@click.option("--import-id", default="", help="Name of this import; done twice it adds nothing.  [default: the file]")
@CENTRE
@click.option("--delimiter", help="The sign between cells; 'tab' for a tab.  [default: ,]")
@click.option("--encoding", help="[default: utf-8]")
@click.option(
    "--numbers",
    type=_choice(NumberCheck),
    help="Numbers that exist, or may, in E.164; or as they are given.  [default: valid]",
)
@click.option("--region", metavar="XX", help="Country of numbers without a country code.  [default: the list's]")
@click.option(
    "--zones",
    type=click.Choice(["number", "list"]),
    help="Time zone of rows without one: the number's, or the list's.  [default: number]",
)
@click.option(
    "--duplicates",
    type=_choice(DuplicateScope),
    help="Refuse numbers that are there already.  [default: as the list says]",
)
@click.option(
    "--duplicate-customers",
    type=_choice(DuplicateScope),
    help="Refuse customers that are there already.  [default: none]",
)
@click.option(
    "--do-not-call/--no-do-not-call",
    "checks_suppression",
    default=None,
    help="Refuse contacts on do-not-call lists.  [default: yes]",
)
@click.option(
    "--do-not-call-list",
    "suppression_lists",
    multiple=True,
    metavar="NAME",
    help="A do-not-call list besides the own and the required ones; repeatable.",
)
@click.option("--create", "is_to_create", is_flag=True, help="Make the list when it does not exist.")
@click.option("--time-zone", default="UTC", show_default=True, help="Zone of rows without one, in a list made here.")
@click.option("--refused", type=click.Path(dir_okay=False, writable=True), help="Write every refusal to this CSV file.")
@click.option("--json", "is_json", is_flag=True, help="Print the report as JSON.")
@with_options(*STORAGE)
@click.pass_obj
def import_list(program: OpensStore, /, toml_path: str | None, file: str, **given: Any) -> None:
    """Import FILE (CSV with a header, or JSON lines; - reads standard input) into the calling list LIST.

    The file is checked as a whole before anything is written. An import that was interrupted goes on where it stopped
    when the same command is given again. Exits 1 when all rows were asked for and some were refused.
    """
    config = config_from(toml_path, {name: given.pop(name) for name in STORAGE})
    refused, is_json = given.pop("refused"), given.pop("is_json")
    try:
        settings = _settings(given, file)
        with opened_file(file) as source, _watching(refused) as watcher:
            report = asyncio.run(_import(program.open_store(config), settings, source, watcher))
    except TrunklineError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename or file}: {error.strerror}") from None
    if is_json:
        click.echo(report.to_json())
    else:
        show(report, Console(highlight=False))
    if report.is_refused:
        raise SystemExit(1)


def _settings(given: dict[str, Any], file: str) -> Settings:
    mapping: dict[str, str] = {}
    for text in given.pop("mapping"):
        meaning, equals, column = text.partition("=")
        if not equals or not meaning.strip():
            raise click.UsageError("--map is given as MEANING=COLUMN, for example --map phone=Telephone")
        if meaning.strip() in mapping:
            raise click.UsageError(f"--map gives {meaning.strip()} twice")
        mapping[meaning.strip()] = column.strip()
    if given["delimiter"] == "tab":
        given["delimiter"] = "\t"
    if given["file_format"] is None and file.lower().endswith((".jsonl", ".ndjson")):
        given["file_format"] = FileFormat.JSON_LINES
    zones = given.pop("zones")
    given["uses_number_zones"] = None if zones is None else zones == "number"
    given["duplicate_numbers"] = given.pop("duplicates")
    names = {field.name: field.type for field in msgspec.structs.fields(ImportSpecification)}
    typed = {name: given.pop(name) for name in list(given) if name in names}
    zone(given["time_zone"])
    path = Path(given["specification"])
    return Settings(
        **given,
        specification_text=path.read_bytes() if path.suffix in (".yaml", ".yml", ".json") else None,
        given={
            **({"mapping": mapping} if mapping else {}),
            **{name: msgspec.convert(value, names[name]) for name, value in typed.items() if value is not None},
        },
    )


async def _import(store: Store, settings: Settings, file: IO[bytes], watcher: Watcher) -> ImportReport:
    await store.open()
    try:
        caller, calling_list, make_list = await _find(store, settings)
        specification = await _specified(store, settings, caller.contact_centre_id)
        if settings.save_as:
            check_saved(specification, settings.save_as)
        source = TextFile(file, specification.encoding)
        order = msgspec.structs.replace(
            order_of(specification), import_id=settings.import_id, is_dry_run=settings.is_dry_run
        )
        report = await import_alone(store, SystemClock(), caller, calling_list, order, source, watcher, make_list)
        if settings.save_as and not report.is_refused:
            await save_specification(store, specification, settings.save_as, caller.contact_centre_id)
        return report
    finally:
        await store.close()


async def _specified(store: Store, settings: Settings, centre: int) -> ImportSpecification:
    """How the file is read: a specification as the options change it."""
    book = ReferenceBook(await store.directory())
    given = dict(settings.given)
    for name in settings.suppression_lists:
        stored = book.object_named(centre, ObjectKind.SUPPRESSION_LIST, name)
        if stored is None:
            raise NotFound(f"there is no do-not-call list {name!r}")
        given["suppression_list_ids"] = (*given.get("suppression_list_ids", ()), stored.object_id)
    if settings.specification_text is not None:
        found = read_specification(settings.specification_text, centre)
    elif settings.specification:
        found = specification_named(book, centre, settings.specification)
    else:
        found = ImportSpecification(contact_centre_id=centre, specification_id=0, name="")
    return msgspec.structs.replace(found, **given)


async def _find(
    store: Store, settings: Settings
) -> tuple[Caller, CallingList, Callable[[], Awaitable[CallingList]] | None]:
    """Who imports, into which list, and what makes the list when that was asked for and it is not there."""
    directory = await store.directory()
    caller = command_line_caller(directory.contact_centres, settings.contact_centre)
    centre = caller.contact_centre_id
    try:
        return caller, ReferenceBook(directory).list_named(centre, settings.list_name), None
    except NotFound:
        if not settings.is_to_create:
            raise Refused(f"there is no calling list {settings.list_name!r}; --create makes it") from None
    if not settings.list_name.isprintable() or not 0 < len(settings.list_name) <= MAX_LIST_NAME:
        raise Refused(f"a list's name has 1 to {MAX_LIST_NAME} printable characters")
    calling_list = CallingList(
        contact_centre_id=centre, list_id=0, name=settings.list_name, default_time_zone=settings.time_zone
    )
    if region := settings.given.get("region"):
        # Numbers that agents add later are of the same country.
        calling_list = msgspec.structs.replace(calling_list, default_region=region)
    check_object(ObjectKind.CALLING_LIST, calling_list, SystemClock().now_s())
    return caller, calling_list, partial(_make, store, calling_list)


async def _make(store: Store, calling_list: CallingList) -> CallingList:
    # Its number is one that no list ever had: the records of a list that was deleted must not come back in this one.
    write = ObjectWrite(
        contact_centre_id=calling_list.contact_centre_id,
        kind=ObjectKind.CALLING_LIST,
        object_id=0,
        expected_version=0,
        value=calling_list,
    )
    now_ms = SystemClock().now_ms()
    (stored,) = await store.change_objects(
        ObjectChanges(at_ms=now_ms, changed_by=None, writes=(write,), reason="trunkline import --create")
    )
    assert isinstance(stored.value, CallingList)
    return stored.value


class _Bar(Watcher):
    """Shows how far the import is and writes refusals to a file."""

    def __init__(self, progress: Progress, refusals: IO[str] | None) -> None:
        self._progress = progress
        self._task: TaskID = progress.add_task("checking", total=None)
        self._rows = csv.writer(refusals) if refusals is not None else None
        if self._rows is not None:
            self._rows.writerow(("row", "field", "reason"))

    def on_refusal(self, refusal: Refusal) -> None:
        """Write the refusal to the file."""
        if self._rows is not None:
            self._rows.writerow((refusal.row, _harmless(refusal.field), refusal.reason))

    def on_step(self, step: Step) -> None:
        """Move the bar."""
        what = "writing" if step.is_writing else "checking"
        self._progress.update(self._task, description=what, completed=step.rows, total=step.of_rows)


def _harmless(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


@contextmanager
def _watching(refused: str | None) -> Iterator[Watcher]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("rows"))
    console = Console(stderr=True)
    with Progress(
        *columns, TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        if refused is None:
            yield _Bar(bar, None)
            return
        with Path(refused).open("w", newline="", encoding="utf-8") as file:
            yield _Bar(bar, file)


def show(report: ImportReport, console: Console) -> None:
    """Print a report for people."""
    counts = Table(show_header=False, box=None, padding=(0, 1))
    counts.add_row("list", escape(report.list_name))
    counts.add_row("import id", escape(report.import_id))
    for name, count in (
        ("rows read", report.rows_read),
        ("rows good", report.rows_good),
        ("rows refused", report.rows_refused),
        ("chains added", report.chains_added),
        ("records added", report.records_added),
        ("added before", report.records_added_before),
    ):
        counts.add_row(name, str(count))
    console.print(counts)
    if report.columns:
        columns = Table("column of the file", "becomes", box=None, padding=(0, 1))
        for name, use in report.columns.items():
            columns.add_row(escape(name), escape(use))
        console.print(columns)
    if report.refusals:
        _show_refusals(report, console)
    console.print(outcome(report))


def _show_refusals(report: ImportReport, console: Console) -> None:
    table = Table("row", "field", "reason", box=None, padding=(0, 1))
    for refusal in report.refusals[:SHOWN_REFUSALS]:
        table.add_row(str(refusal.row), escape(refusal.field), escape(refusal.reason))
    console.print(table)
    others = len(report.refusals) - SHOWN_REFUSALS + report.refusals_left_out
    if others > 0:
        console.print(f"and {others} more; --refused FILE writes all of them")


def _prospect(report: ImportReport) -> str:
    """What an import of the file that was tried would do."""
    if report.is_repeat:
        return (
            f"this import was finished before with {report.records_added_before} records, and doing it again would add "
            "nothing (--import-id names another import)"
        )
    good = f"{report.rows_good} records in {report.chains_good} chains are good"
    if report.records_added_before:
        good += f"; a run that was interrupted added {report.records_added_before}, doing it again adds what is missing"
    return good


def outcome(report: ImportReport) -> str:
    """The report in one sentence."""
    if report.rows_read == 0 and not report.is_repeat:
        return "The file has no rows: there is nothing to add."
    if report.is_dry_run:
        return f"Dry run: nothing was written; {_prospect(report)}."
    if report.is_repeat:
        return f"This import was finished before with {report.records_added_before} records; nothing was added."
    if report.is_refused:
        return "Nothing was added, because rows were refused; --mode good adds the others."
    return f"Added {report.records_added} records in {report.chains_added} chains."
