"""``trunkline audit``: recompute whether each attempt was allowed, or write what others need to do so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from importlib.resources import as_file, files
from typing import IO, Any

import click

from trunkline.app.attempt_export import export_lines
from trunkline.app.directory import ReferenceBook
from trunkline.cli.auditor import Audit
from trunkline.cli.auditor_files import read_rule_files
from trunkline.cli.centres import OpensStore, command_line_caller
from trunkline.cli.flags import CENTRE, STORAGE, config_from, with_options
from trunkline.cli.installed_rules import rules_folder, use_rule_files
from trunkline.config import Config
from trunkline.errors import Refused, TrunklineError

_OPTIONS = (*STORAGE, "rules_dir")
_SINCE = click.option("--since", metavar="DATE", help="From this day on (UTC).  [default: everything]")
_UNTIL = click.option("--until", metavar="DATE", help="Up to this day, which is left out (UTC).")


@click.group("audit")
def audit() -> None:
    """Recompute from the attempt log and the rule files whether each attempt was allowed."""


@audit.command("attempts")
@click.argument("file", metavar="[FILE]", required=False, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@_SINCE
@_UNTIL
@CENTRE
@click.option("--json", "is_json", is_flag=True, help="Print the result as JSON.")
@with_options(*_OPTIONS)
@click.pass_obj
def attempts(program: OpensStore, /, file: str | None, is_json: bool, **given: Any) -> None:  # noqa: FBT001 - a flag
    """Audit the attempts in FILE (what `audit export` wrote; - reads standard input), or those in the database.

    Exits 1 when an attempt was not allowed. The first 1000 are told with their row, rule and reason.
    """
    since_ms, until_ms = _moment(given.pop("since")), _moment(given.pop("until"))
    config = config_from(given.pop("toml_path"), {name: given.pop(name) for name in _OPTIONS})
    use_rule_files(config)
    try:
        with as_file(files("trunkline.rules")) as own:
            books = Audit(read_rule_files([own, rules_folder(config)]), since_ms or 0)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    if file is not None:
        with click.open_file(file, "rb") as lines:
            for number, line in enumerate(lines, start=1):
                _read(books, line, f"{file}, line {number}")
    else:
        centre = given["contact_centre"]
        asyncio.run(_each(program, config, centre, since_ms, until_ms, lambda line: _read(books, line, "the log")))
    _show(books, is_json=is_json)
    if books.illegal:
        raise SystemExit(1)


def _read(books: Audit, line: bytes, place: str) -> None:
    try:
        books.read(line.decode())
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        told = f"there is no {error}" if isinstance(error, KeyError) else str(error)
        raise click.ClickException(f"{place}: cannot be read: {told}") from None


@audit.command("export")
@click.argument("file", type=click.File("wb", lazy=False))
@_SINCE
@_UNTIL
@CENTRE
@with_options(*STORAGE)
@click.pass_obj
def export(program: OpensStore, /, file: IO[bytes], **given: Any) -> None:
    """Write the attempt log with its rule sets and overrides to FILE, a JSON object a line (- is standard output)."""
    since_ms, until_ms = _moment(given.pop("since")), _moment(given.pop("until"))
    config = config_from(given.pop("toml_path"), {name: given.pop(name) for name in STORAGE})
    with closing(file):
        asyncio.run(
            _each(program, config, given["contact_centre"], since_ms, until_ms, lambda line: file.write(line + b"\n"))
        )


async def _each(
    program: OpensStore,
    config: Config,
    centre: str,
    since_ms: int | None,
    until_ms: int | None,
    take: Callable[[bytes], object],
) -> None:
    try:
        store = program.open_store(config)
        await store.open()
        try:
            book = ReferenceBook(await store.directory())
            caller = command_line_caller(book.contact_centres, centre)
            async for line in export_lines(store, book, caller.contact_centre_id, since_ms, until_ms):
                take(line)
        finally:
            await store.close()
    except Refused as error:
        raise click.UsageError(str(error)) from None
    except TrunklineError as error:
        raise click.ClickException(str(error)) from None


def _moment(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        raise click.UsageError("--since and --until take a date such as 2027-01-10") from None


def _show(books: Audit, *, is_json: bool) -> None:
    if is_json:
        findings = [{"seq": f.seq, "timestamp": f.at_ms, "rule": f.rule, "text": f.text} for f in books.findings]
        told = {
            "attempts": books.attempts,
            "illegal": books.illegal_attempts,
            "faults": dict(books.illegal),
            "findings": findings,
        }
        click.echo(json.dumps(told, indent=2))
        return
    for one in books.findings:
        when = datetime.fromtimestamp(one.at_ms / 1000, tz=UTC)
        click.echo(f"row {one.seq}, {when:%Y-%m-%d %H:%M:%S} UTC: {one.rule}: {one.text}")
    by_rule = ", ".join(f"{count} {rule}" for rule, count in sorted(books.illegal.items()))
    click.echo(f"{books.attempts} attempts, {books.illegal_attempts} not allowed{f' ({by_rule})' if by_rule else ''}")
