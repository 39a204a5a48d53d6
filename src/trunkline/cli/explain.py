"""``trunkline explain``: why a record, a list or a campaign is not called, from the database itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from trunkline.adapters.system import SystemClock
from trunkline.app.directory import ReferenceBook
from trunkline.app.explain.documents import attempts_as_json, overviews_as_json, records_as_json
from trunkline.app.explain.explaining import AttemptExplanation, Explainer, RecordExplanation, Target
from trunkline.app.explain.overview import Overview
from trunkline.cli.centres import OpensStore, command_line_caller
from trunkline.cli.flags import CENTRE, STORAGE, config_from, with_options
from trunkline.cli.installed_rules import use_rule_files
from trunkline.config import Config
from trunkline.contract.names import CALL_RESULT_NAMES
from trunkline.domain.attempts import AttemptRow, AttemptStep
from trunkline.domain.enums import RecordStatus
from trunkline.domain.facts import Rule, Verdict
from trunkline.domain.records import is_open
from trunkline.domain.verdict_texts import moment
from trunkline.errors import Refused, TrunklineError

T = TypeVar("T")

MAX_SHOWN = 10
"""Rows of the attempt log printed of a chain: a screenful; ``--json`` has more."""

_OPTIONS = (*STORAGE, "rules_dir")


def _command(name: str) -> Callable[[Callable[..., Any]], click.Command]:
    """A command of the group with the options that all have."""

    def add(function: Callable[..., Any]) -> click.Command:
        for decorate in (
            click.pass_obj,
            with_options(*_OPTIONS),
            CENTRE,
            click.option("--json", "is_json", is_flag=True, help="Print the explanation as JSON."),
        ):
            function = decorate(function)
        return explain.command(name)(function)

    return add


@click.group("explain")
def explain() -> None:
    """Say why something is not called: every rule, with verdict, value, since when and until when."""


@_command("record")
@click.option("--list", "list_name", metavar="LIST", help="The record's list, with --chain or --record-id.")
@click.option("--chain", "chain_id", type=int, help="Its chain.")
@click.option("--place", "chain_n", type=int, help="Its place in the chain.  [default: every record of it]")
@click.option("--record-id", type=int, help="Its record id.")
@click.option("--handle", type=int, help="Its handle, while it lies on a desk.")
@click.option("--number", "phone_number", metavar="NUMBER", help="Every record with that number.")
@click.option("--campaign", "campaign_name", help="For one campaign.  [default: all that have the list]")
@click.option("--attempts", "is_past", is_flag=True, help="Past attempts instead, judged by the rules of then.")
def record(program: OpensStore, /, **given: Any) -> None:
    """Explain a record, for each campaign that has its list. Exits 1 when no campaign may call it now."""
    is_json, is_past, campaign = given.pop("is_json"), given.pop("is_past"), given.pop("campaign_name")
    names = ("list_name", "chain_id", "chain_n", "record_id", "handle", "phone_number")
    target = Target(**{name: given.pop(name) for name in names})
    if is_past:
        told = _run(program, given, lambda explainer: explainer.attempts(target))
        _print(attempts_as_json(told), is_json, lambda console: show_attempts(told, console))
        return
    found = _run(program, given, lambda explainer: explainer.records(target, campaign))
    _print(records_as_json(found), is_json, lambda console: show_records(found, console))
    if not any(each.may_be_called for one in found for each in one.campaigns):
        raise SystemExit(1)


@_command("list")
@click.argument("name", metavar="LIST")
def explain_list(program: OpensStore, /, name: str, is_json: bool, **given: Any) -> None:  # noqa: FBT001 - a flag
    """Count what each rule holds back of LIST, and what becomes free in the next 24 hours."""
    told = _run(program, given, lambda explainer: explainer.list(name))
    _print(overviews_as_json(told), is_json, lambda console: show_overviews(told, console))


@_command("campaign")
@click.argument("name", metavar="CAMPAIGN")
def explain_campaign(program: OpensStore, /, name: str, is_json: bool, **given: Any) -> None:  # noqa: FBT001 - a flag
    """The same for every list of CAMPAIGN, as each of its groups works it."""
    told = _run(program, given, lambda explainer: explainer.campaign(name))
    _print(overviews_as_json(told), is_json, lambda console: show_overviews(told, console))


def _run(program: OpensStore, given: dict[str, Any], ask: Callable[[Explainer], Awaitable[T]]) -> T:
    config = config_from(given.pop("toml_path"), {name: given.pop(name) for name in _OPTIONS})
    try:
        use_rule_files(config)
        return asyncio.run(_ask(program, config, given["contact_centre"], ask))
    except Refused as error:
        raise click.UsageError(str(error)) from None
    except TrunklineError as error:
        raise click.ClickException(str(error)) from None


async def _ask(program: OpensStore, config: Config, centre: str, ask: Callable[[Explainer], Awaitable[T]]) -> T:
    store = program.open_store(config)
    await store.open()
    # The server may have been given others in its environment or on its command line; none here says nothing about it.
    urls = frozenset(config.validation_urls) or None
    try:
        book = ReferenceBook(await store.directory())
        caller = command_line_caller(book.contact_centres, centre)
        return await ask(Explainer(store, book, caller.contact_centre_id, SystemClock().now_ms(), urls))
    finally:
        await store.close()


def _print(shape: Sequence[Any], is_json: bool, show: Callable[[Console], None]) -> None:  # noqa: FBT001 - a flag
    if is_json:
        click.echo(msgspec.json.format(msgspec.json.encode(shape), indent=2))
    else:
        show(Console(highlight=False, soft_wrap=True))


def _verdicts(verdicts: Sequence[Verdict], time_zone: str, console: Console) -> None:
    table = Table(box=None, padding=(0, 1), show_header=False)
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in verdicts:
        mark = "[red]!![/]" if one.is_blocking else "[green]ok[/]"
        told = [f"{escape(one.sentence)} [dim]({escape(one.value)})[/]"]
        times = [f"since {moment(one.since_s, time_zone)}"] if one.since_s else []
        times += [f"until {moment(one.until_s, time_zone)}"] if one.until_s else []
        if one.is_blocking and not one.until_s:
            times.append("until something is changed")
        told += [f"[dim]{', '.join(times)}[/]"] if times else []
        table.add_row(mark, one.rule.value, "\n".join(told))
    console.print(table)


def show_records(told: Sequence[RecordExplanation], console: Console) -> None:
    """Print records: what holds them back first, then every rule, then what was tried with the chain."""
    for one in told:
        record = one.record
        console.print(
            f"[bold]Record {record.record_id}[/], {escape(record.phone_number)}: {escape(one.list_name)}, chain "
            f"{record.chain_id}, place {record.chain_n}, {record.status.name}, at {moment(one.at_s, record.time_zone)}"
        )
        for each in one.campaigns:
            name = f"campaign {each.campaign_name}, group {each.group_name}" if each.campaign_name else "no campaign"
            state = "[green]may be called now[/]" if each.may_be_called else "[red]may not be called[/]"
            console.print(f"\n{escape(name)}, rule set {escape(each.rule_set_name)}: {state}")
            held = [verdict for verdict in each.verdicts if verdict.is_blocking]
            if held:
                rules = "; ".join(dict.fromkeys(verdict.rule.value for verdict in held))
                free = "until something is changed"
                if each.free_at_s:
                    free = f"every one has let go by {moment(each.free_at_s, record.time_zone)}"
                console.print(f"held back by {escape(rules)}: {free}")
            _verdicts(each.verdicts, record.time_zone, console)
        if one.history:
            console.print("\nwhat was tried with this chain, newest first:")
        for stored in one.history[:MAX_SHOWN]:
            row = stored.row
            who = one.user_names.get(row.agent_id or 0, "")
            console.print(escape(f"  {moment(row.at_ms // 1000, record.time_zone)}  {history_line(row, who)}"))
        console.print()


def history_line(row: AttemptRow, user_name: str) -> str:
    """What a row of the attempt log tells, in words."""
    detail, by = row.detail, f" by {user_name}" if user_name else ""
    number = f" of place {row.chain_n}"
    if row.step is AttemptStep.PERMITTED:
        return f"handed out{f' to {user_name}' if user_name else ''}: the number{number}"
    if row.step is AttemptStep.ENDED:
        return f"ended{by} with {CALL_RESULT_NAMES[row.call_result]}: the number{number}"
    if row.step is AttemptStep.TREATED:
        due_at_s = detail.get("due_at_s")
        when = f", at {moment(due_at_s, row.time_zone)}" if isinstance(due_at_s, int) else ""
        return f"treatment: {detail.get('why', '')}{when}"
    if row.step is AttemptStep.BLOCKED:
        until_s = detail.get("until_s")
        until = f", until {moment(until_s, row.time_zone)}" if isinstance(until_s, int) else ""
        return f"held back by {detail.get('rule', 'a rule')}: {detail.get('value', detail.get('said', ''))}{until}"
    if row.step is AttemptStep.CALLBACK_MISSED:
        due_at_s = detail.get("due_at_s")
        when = f" of {moment(due_at_s, row.time_zone)}" if isinstance(due_at_s, int) else ""
        return f"nobody took the callback{when}"
    return f"given back without a call{by}" + (f" ({detail['why']})" if "why" in detail else "")


def show_attempts(told: Sequence[AttemptExplanation], console: Console) -> None:
    """Print past attempts with what the rules of then say of them, and what held a refused one back."""
    for one in told:
        row, detail = one.stored.row, one.stored.row.detail
        state = (
            "[green]allowed[/] by the rules of then" if one.was_allowed else "[red]not allowed[/] by the rules of then"
        )
        by = f" to {one.user_name}" if one.user_name and row.step is AttemptStep.PERMITTED else ""
        if row.step is AttemptStep.BLOCKED and "rule" in detail:
            by = f" by {detail['rule']}: {detail.get('value', detail.get('said', ''))}"
            if one.was_allowed:  # by something that only that moment knew, such as a do-not-call entry
                state = "hours and limits of then alone would have let it go"
        when = moment(row.at_ms // 1000, row.time_zone)
        rules = f"rule set {one.rule_set_name} version {row.rule_set_version}"
        console.print(f"[bold]{row.step.name}[/]{escape(by)}, {when}, {escape(rules)}: {state}")
        campaign = f", campaign {one.campaign_name}" if one.campaign_name else ""
        console.print(
            escape(f"   {row.number_key}, {one.list_name}, chain {row.chain_id}, place {row.chain_n}{campaign}")
        )
        _verdicts(one.verdicts, row.time_zone, console)


def show_overviews(told: Sequence[Overview], console: Console) -> None:
    """Print lists in numbers; what is switched off comes before the figures, which are as if it were on."""
    for one in told:
        name = f"campaign {one.campaign_name}, group {one.group_name}" if one.campaign_name else "no campaign"
        console.print(f"[bold]{escape(one.list_name)}[/], {escape(name)}, at {moment(one.at_s, one.time_zone)}")
        statuses = ", ".join(f"{count} {status}" for status, count in one.by_status.items())
        console.print(f"{one.records} records: {statuses or 'none'}")
        for obstacle in one.obstacles:
            console.print(f"[red]!![/] {obstacle.rule.value}: {escape(obstacle.sentence)}")
        if one.obstacles:
            only = "but callbacks " if {held.rule for held in one.obstacles} == {Rule.GROUP_STARTED} else ""
            console.print(f"   Nothing {only}is called until then. The figures below are as if it were on from now.")
        personal = f"({one.personal} of them personal callbacks)"
        if one.obstacles:
            console.print(f"{one.callable_now} may be called now, {one.callable_if_on} if it were on {personal}")
        else:
            console.print(f"{one.callable_now} may be called now {personal}")
        if one.buffered_chains:
            chains = "chain was" if one.buffered_chains == 1 else "chains were"
            go = "goes" if one.buffered_chains == 1 else "go"
            console.print(f"{one.buffered_chains} {chains} fetched for {escape(one.group_name)} and {go} out next")
        _held(one, console)
        _free(one, console)


def _held(one: Overview, console: Console) -> None:
    if not one.held:
        console.print("no rule holds a record back")
        return
    table = Table(box=None, padding=(0, 1))
    for heading in ("rule", "holds back", "alone"):
        table.add_column(heading, justify="right" if heading != "rule" else "left")
    for held in one.held:
        mark = "about " if held.is_estimate else ""
        # Of the finished ones nobody asks why they are not called.
        waits = ", ".join(name for name in one.by_status if name != "READY" and is_open(RecordStatus[name]))
        rule = f"{held.rule.value} ({waits})" if held.rule is Rule.STATUS and waits else held.rule.value
        table.add_row(rule, f"{mark}{held.records}", f"{mark}{held.alone}")
    console.print(table)


def _free(one: Overview, console: Console) -> None:
    if any(one.free_per_hour):
        console.print("become free in the next 24 hours:")
        for hour, count in enumerate(one.free_per_hour):
            if count:
                from_s = one.at_s + hour * 3600
                until = moment(from_s + 3600, one.time_zone).split()[2]
                console.print(f"  hour {hour + 1:2}, from {moment(from_s, one.time_zone)} to {until}: {count}")
    else:
        console.print("none becomes free in the next 24 hours")
    console.print(f"later: {one.free_later}; never, as windows and rules are: {one.never_free}\n")
