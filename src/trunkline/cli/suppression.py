"""``trunkline suppression``: do-not-call entries, on the database itself, beside a running server or without.

A running server sees what is added and removed at once: it keeps no copy of the lists.
"""

from __future__ import annotations

from typing import Any

import click
import msgspec

from trunkline.app.suppression.entries import AddEntries, EntryMaker, Found, Given, RemoveEntries, existing, look_up
from trunkline.app.suppression.exporting import moment
from trunkline.cli.centres import OpensStore
from trunkline.cli.suppression_lists import empty, export_list, import_list, list_lists
from trunkline.cli.suppression_opening import KIND, REGION, Opened, command, run, submit
from trunkline.domain.enums import DoNotCallKind, RequestType


@click.group()
def suppression() -> None:
    """Do-not-call entries. The contact centre's own list is called "own"."""


@command("add")
@click.argument("list_name", metavar="LIST")
@click.argument("values", metavar="VALUE...", nargs=-1, required=True)
@KIND
@REGION
@click.option("--campaign", default="", help="The one campaign in which the entry holds.")
@click.option("--expires", default="", help="A date or moment, or never.  [default: the list's]")
@click.option("--reason", required=True, help="Why; kept with the entry.")
@click.option("--source", default="", help="Where it comes from.")
def add(program: OpensStore, /, list_name: str, values: tuple[str, ...], **given: Any) -> None:
    """Add numbers, customer ids or accounts to LIST."""
    given.pop("is_json")
    region = given.pop("region")
    about = {name: given.pop(name) for name in ("kind", "campaign", "expires", "reason", "source")}

    async def work(opened: Opened) -> None:
        target = opened.named(list_name)
        maker = EntryMaker(opened.book, target, opened.clock.now_ms(), None, region=region)
        entries = [maker.entry(Given(value=value, **about)) for value in values]
        command = AddEntries(suppression_list_id=target.suppression_list_id, entries=entries)
        note = f"{len(entries)} to {target.name}: {about['reason']}"
        await submit(opened, command, RequestType.SUPPRESSION_ADD, note)

    run(program, given, work)
    click.echo(f"{len(values)} in the list {list_name}")


@command("remove")
@click.argument("list_name", metavar="LIST")
@click.argument("values", metavar="VALUE...", nargs=-1, required=True)
@KIND
@REGION
@click.option("--campaign", default="", help="The campaign in which the entry holds, when it is for one.")
@click.option("--reason", required=True, help="Why; kept in the audit.")
def remove(program: OpensStore, /, list_name: str, values: tuple[str, ...], **given: Any) -> None:
    """Remove numbers, customer ids or accounts from LIST."""
    given.pop("is_json")
    region, reason = given.pop("region"), given.pop("reason")
    about = {name: given.pop(name) for name in ("kind", "campaign")}

    async def work(opened: Opened) -> int:
        target = opened.named(list_name)
        maker = EntryMaker(opened.book, target, opened.clock.now_ms(), None, region=region)
        keys = [maker.entry(Given(value=value, expires="never", **about)).key for value in values]
        there = await existing(opened.store, keys)
        command = RemoveEntries(keys=keys)
        note = f"{len(there)} from {target.name}: {reason}"
        await submit(opened, command, RequestType.SUPPRESSION_REMOVE, note)
        return len(there)

    gone = run(program, given, work)
    click.echo(f"{gone} of {len(values)} removed from the list {list_name}")


@command("check")
@click.argument("value", metavar="NUMBER")
@click.option("--kind", type=click.Choice([kind.value for kind in DoNotCallKind]), default="number", show_default=True)
@REGION
def check(program: OpensStore, /, value: str, kind: str, region: str, **given: Any) -> None:
    """Show every entry that names NUMBER (or a customer id, or an account). Exits 1 when one holds."""
    is_json = given.pop("is_json")

    async def ask(opened: Opened) -> list[Found]:
        centre, now_s = opened.caller.contact_centre_id, opened.clock.now_s()
        return await look_up(opened.store, opened.book, centre, DoNotCallKind(kind), value, region, now_s)

    found = run(program, given, ask)
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


for each in (list_lists, import_list, export_list, empty, add, remove, check):
    suppression.add_command(each)
