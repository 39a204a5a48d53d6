"""``trunkline treatments``: check a plan, show it as a table, print one to begin with."""

from __future__ import annotations

import asyncio
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from trunkline.app.administration.documents import MAX_DOCUMENT_BYTES, read_document
from trunkline.app.directory import ReferenceBook
from trunkline.app.ports import Store
from trunkline.cli.centres import OpensStore
from trunkline.cli.flags import CENTRE, STORAGE, config_from, with_options
from trunkline.cli.remote import accepted, connected, with_server
from trunkline.contract.admin_kinds import KINDS
from trunkline.domain.objects import ObjectKind
from trunkline.domain.treatment_checks import PlanRefused
from trunkline.domain.treatment_documents import plan_of, table_of
from trunkline.domain.treatments import TreatmentPlan
from trunkline.errors import NotFound, Refused, TrunklineError

KIND = KINDS[ObjectKind.TREATMENT]
PATH = f"/api/v2/admin/{KIND.path}"


@click.group("treatments")
def treatments() -> None:
    """Treatment plans: what follows a call result."""


@treatments.command("check")
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
def check(file: str) -> None:
    """Check the plan in FILE (YAML or JSON; - reads standard input). Exits 1 when it cannot be accepted."""
    plan = _from_file(file)
    steps = sum(len(rule.steps) for rule in plan.rules)
    click.echo(f"{plan.name}: {len(plan.rules)} sequences, {steps} steps, no fault found")


@treatments.command("show")
@click.argument("plan", metavar="FILE|NAME")
@CENTRE
@with_options(*STORAGE)
@click.pass_obj
def show(program: OpensStore, /, toml_path: str | None, plan: str, contact_centre: str, **flags: Any) -> None:
    """Show a plan as a table: that of FILE, or the one of that NAME in the database."""
    if plan == "-" or Path(plan).is_file():
        found = _from_file(plan)
    else:
        config = config_from(toml_path, flags)
        try:
            found = asyncio.run(_from_store(program.open_store(config), contact_centre, plan))
        except TrunklineError as error:
            raise click.ClickException(str(error)) from None
    _print(found, Console(highlight=False))


@treatments.command("put")
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--reason", default="", help="Why, for the history of the plan.")
@with_server
def put(*, url: str, user_name: str, password: str | None, file: str, reason: str) -> None:
    """Create the plan of FILE on a running server, or replace the one of its name; lists name it as theirs.

    A plan that is so already gets no new version. One that somebody else changes at the same moment is left alone, and
    the command says so.
    """
    plan = _from_file(file)
    with connected(url, user_name, password) as client:
        shown = accepted(client.get(f"{PATH}?{urlencode({'name': plan.name, 'fields': 'id,version'})}"))["treatments"]
        body = {**KIND.shape.write(plan), "changeReason": reason}
        if shown:
            known = shown[0]
            body["version"] = known["version"]
            answer = client.request("PUT", f"{PATH}/{known['id']}", msgspec.json.encode(body))
        else:
            answer = client.post(PATH, body)
        kept = accepted(answer)["treatment"]
    done = "created"
    if shown:
        done = "unchanged:" if kept["version"] == shown[0]["version"] else "replaced"
    click.echo(f"{done} treatment {kept['id']} {plan.name}, version {kept['version']}")


@treatments.command("example")
def example() -> None:
    """Print a plan to begin with, as YAML."""
    click.echo(files("trunkline.cli").joinpath("data/standard-treatment.yaml").read_text(encoding="utf-8"), nl=False)


def _from_file(file: str) -> TreatmentPlan:
    """The plan of a file; every fault is printed with its place, then the command ends."""
    try:
        if file == "-":
            text = sys.stdin.buffer.read(MAX_DOCUMENT_BYTES + 1)
        else:
            with Path(file).open("rb") as source:
                text = source.read(MAX_DOCUMENT_BYTES + 1)
        return plan_of(read_document(text), contact_centre_id=0, treatment_id=0, name=Path(file).stem)
    except PlanRefused as refused:
        for fault in refused.faults:
            click.echo(str(fault), err=True)
        count = len(refused.faults)
        raise click.ClickException(f"{file} has {count} fault{'s' if count > 1 else ''}") from None
    except Refused as error:
        raise click.ClickException(f"{file}: {error}") from None
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from None


async def _from_store(store: Store, contact_centre: str, name: str) -> TreatmentPlan:
    await store.open()
    try:
        book = ReferenceBook(await store.directory())
    finally:
        await store.close()
    centres = {title: centre for centre, title in book.contact_centres.items()}
    if contact_centre:
        chosen = centres.get(contact_centre)
    else:
        chosen = next(iter(centres.values())) if len(centres) == 1 else None
        if chosen is None and centres:
            raise NotFound(f"name one with --contact-centre: {', '.join(sorted(centres))}")
    stored = None if chosen is None else book.object_named(chosen, ObjectKind.TREATMENT, name)
    if stored is None or not isinstance(stored.value, TreatmentPlan):
        raise NotFound(f"there is neither a file nor a treatment plan named {name}")
    return stored.value


def _print(plan: TreatmentPlan, console: Console) -> None:
    title = escape(plan.name) + ("" if plan.is_enabled else " (switched off)")
    table = Table(title=title, caption=escape(plan.description) or None, title_justify="left")
    table.add_column("after")
    table.add_column("what follows")
    for row in table_of(plan):
        table.add_row(escape(row.name), escape(row.sentence))
    console.print(table)
