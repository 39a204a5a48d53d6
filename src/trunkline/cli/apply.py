"""``trunkline apply FILE`` and ``trunkline get KIND``: a contact centre's configuration as a document."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table

from trunkline.app.administration.applying import Entry, Plan, Step, entries_of, kinds_needed, placed
from trunkline.app.administration.documents import MAX_DOCUMENT_BYTES, read_document
from trunkline.cli.remote import with_server
from trunkline.cli.yaml_text import yaml_text
from trunkline.client.admin import AdminClient
from trunkline.contract.admin_documents import entry_of
from trunkline.contract.admin_kinds import KINDS, Kind, kind_of_reference
from trunkline.contract.admin_requests import REASON
from trunkline.contract.admin_shapes import ListShape, MapShape, NullableShape, Shape
from trunkline.contract.admin_structs import StructShape
from trunkline.errors import NotFound, Refused, TrunklineError

Json = dict[str, Any]
MAX_SHOWN = 70
"""Characters of a value in a list of differences: one line of a terminal."""
_COLUMNS = ("id", "name", "isEnabled", "version", "description")
"""Columns of the table; what else a kind has is in ``--yaml``."""


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--dry-run", is_flag=True, help="Say what would be made, changed and refused; do nothing.")
@click.option("--reason", default="", help="Why, for the history of the objects.")
@with_server
def apply(file: str, *, dry_run: bool, reason: str, url: str, user_name: str, password: str | None) -> None:
    """Make the contact centre what FILE says (YAML or JSON; - reads standard input).

    Objects are known by their names: those that are not there are made, those that are different are changed. What FILE
    leaves out stays, and nothing is deleted, so the same command again does nothing.
    """
    with _told():
        document = read_document(_read(file))
        entries = entries_of(document)

    async def run(client: AdminClient) -> None:
        if dry_run:
            await _judge(client, document, entries, reason)
        else:
            await _apply(client, entries, reason)

    _with_client(url, user_name, password, run)


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read(MAX_DOCUMENT_BYTES + 1)
    with Path(file).open("rb") as opened:
        return opened.read(MAX_DOCUMENT_BYTES + 1)


async def _plan(client: AdminClient, entries: list[Entry]) -> Plan:
    return Plan({kind.kind: [item async for item in client.each(kind.path)] for kind in kinds_needed(entries)})


async def _judge(client: AdminClient, document: Json, entries: list[Entry], reason: str) -> None:
    """Say what the server says of each entry; a refusal of any ends the command with exit status 1, after them all."""
    plan = await _plan(client, entries)
    outcomes = {one["place"]: one for one in await client.check(document, reason)}
    counts = {"made": 0, "changed": 0, "unchanged": 0, "refused": 0}
    for entry in entries:
        judged = outcomes[entry.place]
        counts[judged["outcome"]] += 1
        if judged["outcome"] == "refused":
            click.echo(f"! {judged['refusal']['statusMessage']}")
        elif judged["outcome"] != "unchanged":
            step = plan.step(entry)
            plan.pretend(step)
            for line in _said(step, plan):
                click.echo(line)
    click.echo("would be " + ", ".join(f"{count} {what}" for what, count in counts.items()))
    if counts["refused"]:
        raise Refused("the document would be refused as it is")


async def _apply(client: AdminClient, entries: list[Entry], reason: str) -> None:
    plan = await _plan(client, entries)
    counts = {"made": 0, "changed": 0, "unchanged": 0}
    for entry in entries:
        step = plan.step(entry)
        if not step.is_needed:
            counts["unchanged"] += 1
            continue
        if not await _carry_out(client, plan, step, reason):
            counts["unchanged"] += 1
            continue
        counts["made" if step.is_new else "changed"] += 1
        for line in _said(step, plan):
            click.echo(line)
    click.echo(", ".join(f"{count} {what}" for what, count in counts.items()))


async def _carry_out(client: AdminClient, plan: Plan, step: Step, reason: str) -> bool:
    """Make or change the object; False when the server had it so already (a secret that is the same)."""
    kind, entry = step.entry.kind, step.entry
    fields = {**step.fields, **({REASON: reason} if reason else {})}
    try:
        if step.is_new:
            if entry.fields.get("referenceId") is not None:
                fields["referenceId"] = entry.fields["referenceId"]
            shown = await client.create(kind.path, **fields)
        else:
            shown = await client.change(kind.path, step.object_id, step.version, **fields)
    except Refused as error:
        raise placed(entry, error) from None
    plan.done(step, shown)
    return bool(shown["version"] != step.version)


def _said(step: Step, plan: Plan) -> Iterator[str]:
    """Lines for one step: ``+`` made, ``~`` changed, with what was before and is now."""
    entry = step.entry
    yield f"{'+' if step.is_new else '~'} {entry.kind.title} {entry.name}"
    for name, before, after in step.changes:
        field = entry.kind.shape.field(name)
        if field is not None and field.is_secret:
            yield f"    {name}: given"
        elif field is not None:
            target = kind_of_reference(field.name)
            old, new = (_shown(field.shape, value, plan, target) for value in (before, after))
            yield f"    {name}: {old} -> {new}"


def _shown(shape: Shape, value: Any, plan: Plan, target: Kind | None) -> str:
    text = msgspec.json.encode(_named(shape, value, plan, target)).decode()
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 3]}..."


def _named(shape: Shape, value: Any, plan: Plan, target: Kind | None) -> Any:
    """The value with names instead of numbers."""
    if value is None:
        return None
    if target is not None:
        return [plan.name(target, one) for one in value] if isinstance(value, list) else plan.name(target, value)
    match shape:
        case NullableShape():
            return _named(shape.inner, value, plan, None)
        case ListShape() | MapShape() if isinstance(value, list):
            return [_named(shape.item, item, plan, None) for item in value]
        case StructShape():
            found = {}
            for name, item in value.items():
                field = shape.field(name)
                assert field is not None
                found[name] = _named(field.shape, item, plan, kind_of_reference(field.name))
            return found
        case _:
            return value


@click.command("get")
@click.argument("kind", metavar="KIND", type=click.Choice(["all", *(kind.path for kind in KINDS.values())]))
@click.argument("name", required=False)
@click.option("--json", "form", flag_value="json", help="As a JSON document that apply takes.")
@click.option("--yaml", "form", flag_value="yaml", help="As a YAML document that apply takes.")
@with_server
def get(kind: str, name: str | None, form: str | None, url: str, user_name: str, password: str | None) -> None:
    """Show the objects of a KIND (formats, calling-lists, campaigns, ... or all), or the one of that NAME."""
    kinds = [one for one in KINDS.values() if kind in ("all", one.path)]
    if name is not None and len(kinds) > 1:
        raise click.UsageError("a NAME needs a KIND of its own")

    async def run(client: AdminClient) -> None:
        found = {one.kind: await _items(client, one, name, is_optional=kind == "all") for one in kinds}
        if name is not None and not found[kinds[0].kind]:
            raise NotFound(f"there is no {kinds[0].title} named {name}")
        if form is None:
            for one in kinds:
                _table(one, found[one.kind])
            return
        plan = Plan({**await _named_kinds(client, kinds), **(found if name is None else {})})
        document = {
            one.names: [entry_of(one, item, plan.name) for item in found[one.kind]] for one in kinds if found[one.kind]
        }
        encoded = msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"
        click.echo(encoded if form == "json" else yaml_text(document), nl=False)

    _with_client(url, user_name, password, run)


async def _items(client: AdminClient, kind: Kind, name: str | None, *, is_optional: bool) -> list[Json]:
    """Objects of a kind; of all kinds those that the caller may see."""
    try:
        filters = {} if name is None else {"name": name}
        return [item async for item in client.each(kind.path, **filters)]
    except Refused as error:
        if is_optional and error.code == 3:
            return []
        raise


async def _named_kinds(client: AdminClient, kinds: list[Kind]) -> dict[str, list[Json]]:
    """Objects of the kinds that these can name."""
    wanted = {target.kind for kind in kinds for target in _targets(kind.shape)}
    return {name: await _items(client, KINDS[name], None, is_optional=True) for name in KINDS if name in wanted}


def _targets(shape: Shape) -> Iterator[Kind]:
    if isinstance(shape, StructShape):
        for field in shape.fields:
            target = kind_of_reference(field.name)
            if target is not None:
                yield target
    for part in shape.parts():
        yield from _targets(part)


def _table(kind: Kind, items: list[Json]) -> None:
    table = Table(title=f"{kind.title}s", box=None, padding=(0, 1), title_justify="left")
    for column in _COLUMNS:
        if column in ("id", "version") or kind.shape.field(column) is not None:
            table.add_column(column, justify="right" if column in ("id", "version") else "left")
    for item in items:
        row = [item[str(column.header)] for column in table.columns]
        table.add_row(*("yes" if cell is True else "no" if cell is False else str(cell) for cell in row))
    Console(highlight=False, markup=False).print(table)


@contextmanager
def _told() -> Iterator[None]:
    """What is refused ends the command with its sentence and exit status 1."""
    try:
        yield
    except TrunklineError as error:
        raise click.ClickException(str(error)) from None


def _with_client(
    url: str, user_name: str, password: str | None, work: Callable[[AdminClient], Awaitable[None]]
) -> None:
    if password is None:
        password = click.prompt("Password", hide_input=True)

    async def run() -> None:
        async with AdminClient(url, user_name, str(password)) as client:
            await work(client)

    with _told():
        asyncio.run(run())
