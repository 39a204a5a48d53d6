"""``trunkline export``: a calling list into a file, from the database itself, beside a running server or without."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click

from trunkline.app.directory import ReferenceBook
from trunkline.app.imports.exports import Export
from trunkline.app.ports import Store
from trunkline.cli.centres import OpensStore, command_line_caller
from trunkline.cli.flags import CENTRE, STORAGE, config_from, with_options
from trunkline.domain.import_specifications import FileFormat
from trunkline.errors import TrunklineError


@click.command("export")
@click.argument("list_name", metavar="LIST")
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, writable=True, allow_dash=True))
@click.option(
    "--format",
    "file_format",
    type=click.Choice([member.value for member in FileFormat]),
    help="[default: by the file's name, else csv]",
)
@click.option(
    "--spreadsheet",
    "is_for_spreadsheets",
    is_flag=True,
    help="Defuse cells that spreadsheets take for formulas; the file is then not for imports.",
)
@CENTRE
@with_options(*STORAGE)
@click.pass_obj
def export_list(program: OpensStore, /, toml_path: str | None, file: str, **given: Any) -> None:
    """Write the calling list LIST into FILE (CSV, or JSON lines; - writes standard output).

    trunkline import --specification exported reads it back.
    """
    config = config_from(toml_path, {name: given.pop(name) for name in STORAGE})
    if given["file_format"] is None:
        is_json = file.lower().endswith((".jsonl", ".ndjson"))
        given["file_format"] = FileFormat.JSON_LINES if is_json else FileFormat.CSV
    try:
        count = asyncio.run(_export(program.open_store(config), file, **given))
    except TrunklineError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename or file}: {error.strerror}") from None
    click.echo(f"Exported {count} records.", err=True)


async def _export(
    store: Store, path: str, list_name: str, file_format: str, contact_centre: str, *, is_for_spreadsheets: bool
) -> int:
    await store.open()
    try:
        directory = await store.directory()
        caller = command_line_caller(directory.contact_centres, contact_centre)
        calling_list = ReferenceBook(directory).list_named(caller.contact_centre_id, list_name)
        export = Export(store, calling_list, FileFormat(file_format), is_for_spreadsheets=is_for_spreadsheets)
        with _opened(path) as file:
            async for part in export.parts(caller):
                file.write(part)
        return export.records
    finally:
        await store.close()


@contextmanager
def _opened(path: str) -> Iterator[IO[bytes]]:
    """The file, which takes its name when it is complete; standard output for a dash."""
    if path == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    target = Path(path)
    unfinished = target.with_name(target.name + ".part")
    try:
        with unfinished.open("wb") as file:
            yield file
        unfinished.replace(target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
