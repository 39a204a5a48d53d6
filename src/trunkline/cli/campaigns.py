"""``trunkline campaign``: states, control and statistics of campaign groups, over HTTP on a running server."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from trunkline.client import Client
from trunkline.errors import TrunklineError

GROUPS = "/api/v2/admin/campaign-groups"
POLL_S = 0.5
"""Time between two looks while ``--wait`` waits: agents who finish take minutes, a person notices half a second."""
MODES = (
    *("Preview", "PushPreview", "Progressive", "Predictive", "EngagedProgressive", "EngagedPredictive"),
    *("Power", "EngagedPower", "ProgressiveGVP", "PredictiveGVP", "PowerGVP"),
)
AIMS = ("BusyFactor", "OverdialRate", "WaitTime", "DistributionTime", "MaximumGain")
_COLOURS = {"Running": "green", "Active": "cyan", "InActive": "red", "NotLoaded": "dim"}

Json = dict[str, Any]
Command = Callable[..., Any]


def _connected(function: Command) -> Command:
    """Add the options that say which server, and who asks."""
    for option in reversed(
        (
            click.option("--url", envvar="TRUNKLINE_URL", default="http://127.0.0.1:8080", show_default=True,
                         help="The server.  [env: TRUNKLINE_URL]"),
            click.option("--user", envvar="TRUNKLINE_USER", required=True,
                         help="A supervisor or administrator.  [env: TRUNKLINE_USER]"),
            click.option("--password", envvar="TRUNKLINE_PASSWORD",
                         help="Asked for when not given.  [env: TRUNKLINE_PASSWORD]"),
            click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table."),
        )
    ):  # fmt: skip
        function = option(function)
    return function


def _waiting(function: Command) -> Command:
    """Add the options of commands that may wait until a group is unloaded."""
    wait = click.option("--wait", is_flag=True, help="Come back when the group is unloaded.")
    timeout = click.option(
        "--timeout", "timeout_s", type=click.FloatRange(0, 86_400), default=3600.0, show_default=True,
        metavar="SECONDS", help="How long to wait; exits 3 when the group is not unloaded then.",
    )  # fmt: skip
    return wait(timeout(function))


class _Server:
    """A server as the commands ask it; what it refuses ends the command."""

    def __init__(self, url: str, user: str, password: str | None) -> None:
        if password is None:
            password = str(click.prompt("Password", hide_input=True))
        try:
            self._client = Client(url, user, password)
        except TrunklineError as error:
            raise click.UsageError(str(error)) from None
        click.get_current_context().call_on_close(self._client.close)

    def get(self, path: str) -> Json:
        """Read a resource."""
        return self._ask(lambda: self._client.get(path))

    def post(self, path: str, content: Json) -> Json:
        """Send an operation."""
        return self._ask(lambda: self._client.post(path, content))

    def _ask(self, send: Callable[[], Any]) -> Json:
        try:
            answer = send()
        except TrunklineError as error:
            raise click.ClickException(str(error)) from None
        body: Json = answer.body if isinstance(answer.body, dict) else {}
        if answer.status_code == 0:
            return body
        name = body.get("errorName")
        sentence = body.get("statusMessage") or f"the server answered with HTTP {answer.http_status}"
        raise click.ClickException(f"{name}: {sentence}" if name else str(sentence))

    def groups(self) -> list[Json]:
        """All campaign groups with their states."""
        found: list[Json] = self.get(f"{GROUPS}/status")["campaignGroups"]
        return found

    def group(self, name: str) -> Json:
        """The one group that a name means."""
        return _named(self.groups(), name)


def _named(groups: list[Json], name: str) -> Json:
    """The group of a number, of its whole name, of a campaign's name when it has one group, or of CAMPAIGN@GROUP."""
    campaign, at, group = name.partition("@")
    tests: list[Callable[[Json], bool]] = [
        lambda one: str(one["id"]) == name,
        lambda one: one["name"] == name,
        lambda one: bool(at) and one["campaignName"] == campaign and one["name"] == group,
        lambda one: one["campaignName"] == name,
    ]
    for test in tests:
        found = [one for one in groups if test(one)]
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(f"{one['campaignName']}@{one['name']}" for one in found)
            raise click.UsageError(f"{name} has several groups; say which one: {names}")
    raise click.UsageError(f"there is no campaign or campaign group {name}")


@click.group()
def campaign() -> None:
    """Campaign groups of a running server: states, control, statistics.

    NAME is a campaign that has one group, CAMPAIGN@GROUP, or the group's own name or number.
    """


@campaign.command("list")
@_connected
def list_groups(*, url: str, user: str, password: str | None, as_json: bool) -> None:
    """Show all campaign groups and how they stand."""
    groups = _Server(url, user, password).groups()
    _print(groups, as_json=as_json, table=_states(groups))


@campaign.command()
@click.argument("name")
@_connected
def status(name: str, *, url: str, user: str, password: str | None, as_json: bool) -> None:
    """Show how a group stands, and what keeps it from working."""
    group = _Server(url, user, password).group(name)
    _print(group, as_json=as_json, table=_states([group]))


@campaign.command()
@click.argument("name")
@click.option("--mode", type=click.Choice(MODES), help="Load in this mode, not in the group's own.")
@_connected
def load(name: str, *, mode: str | None, url: str, user: str, password: str | None, as_json: bool) -> None:
    """Load a group: agents see the campaign and its callbacks."""
    _control(_Server(url, user, password), name, {"operationName": "Load", "dialMode": mode}, as_json=as_json)


@campaign.command()
@click.argument("name")
@click.option("--mode", type=click.Choice(MODES), help="Begin in this mode.")
@_connected
def start(name: str, *, mode: str | None, url: str, user: str, password: str | None, as_json: bool) -> None:
    """Start dialing."""
    _control(_Server(url, user, password), name, {"operationName": "Start", "dialMode": mode}, as_json=as_json)


@campaign.command()
@click.argument("name")
@_connected
def stop(name: str, *, url: str, user: str, password: str | None, as_json: bool) -> None:
    """Stop dialing; the group stays loaded."""
    _control(_Server(url, user, password), name, {"operationName": "Stop"}, as_json=as_json)


@campaign.command("mode")
@click.argument("name")
@click.argument("mode", type=click.Choice(MODES))
@click.option("--optimize-by", type=click.Choice(AIMS), help="What predictive dialing aims at.")
@click.option("--goal", type=int, help="The aim: percent, or seconds.")
@_connected
def set_mode(
    name: str,
    mode: str,
    *,
    optimize_by: str | None,
    goal: int | None,
    url: str,
    user: str,
    password: str | None,
    as_json: bool,
) -> None:
    """Change the dialing mode and its aim."""
    content = {
        "operationName": "SetDialingMode",
        "dialMode": mode,
        "optimizeBy": optimize_by,
        "optimizeGoal": goal,
    }
    _control(_Server(url, user, password), name, content, as_json=as_json)


@campaign.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="Do not wait for agents: take their records back.")
@_waiting
@_connected
def unload(
    name: str, *, force: bool, wait: bool, timeout_s: float, url: str, user: str, password: str | None, as_json: bool
) -> None:
    """Unload a group when its agents have finished their records."""
    content = {"operationName": "ForceUnload" if force else "Unload"}
    _control(_Server(url, user, password), name, content, as_json=as_json, wait_s=timeout_s if wait else None)


@campaign.command()
@click.argument("name")
@_waiting
@_connected
def complete(
    name: str, *, wait: bool, timeout_s: float, url: str, user: str, password: str | None, as_json: bool
) -> None:
    """Fetch no more records, hand out what is in memory, then unload."""
    content = {"operationName": "Complete"}
    _control(_Server(url, user, password), name, content, as_json=as_json, wait_s=timeout_s if wait else None)


@campaign.command()
@click.argument("name")
@click.option("--list", "is_list", is_flag=True, help="NAME is a calling list.")
@_connected
def statistics(name: str, *, is_list: bool, url: str, user: str, password: str | None, as_json: bool) -> None:
    """Show the statistics of a group since it was loaded, or of a calling list."""
    server = _Server(url, user, password)
    if is_list:
        figures = server.get(f"/api/v2/admin/calling-lists/{quote(name, safe='')}/statistics")["statistics"]
        _print(figures, as_json=as_json, table=_lists([figures]))
        return
    figures = server.get(f"{GROUPS}/{server.group(name)['id']}/statistics")["statistics"]
    _print(figures, as_json=as_json, table=_figures(figures))
    if not as_json:
        Console(highlight=False).print(_lists(figures["lists"]))


def _control(server: _Server, name: str, content: Json, *, as_json: bool, wait_s: float | None = None) -> None:
    group = server.group(name)
    content = {key: value for key, value in content.items() if value is not None}
    group = server.post(f"{GROUPS}/{group['id']}", content)["campaignGroup"]
    if wait_s is not None:
        until_s = time.monotonic() + wait_s
        while group["groupStatusName"] != "NotLoaded" and time.monotonic() < until_s:
            time.sleep(POLL_S)
            group = server.get(f"{GROUPS}/{group['id']}/status")["campaignGroup"]
    _print(group, as_json=as_json, table=_states([group]))
    if wait_s is not None and group["groupStatusName"] != "NotLoaded":
        raise SystemExit(3)


def _print(what: Any, *, as_json: bool, table: Table) -> None:
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(what), indent=2))
    else:
        Console(highlight=False).print(table)


def _states(groups: list[Json]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("id", "campaign", "group", "status", "mode", "aim", ""):
        table.add_column(heading)
    for group in groups:
        state = group["groupStatusName"] + (" (completing)" if group["isCompleting"] else "")
        colour = _COLOURS.get(group["groupStatusName"], "yellow")
        table.add_row(
            str(group["id"]),
            escape(group["campaignName"]),
            escape(group["name"]),
            f"[{colour}]{state}[/]",
            group["dialMode"],
            f"{group['optimizeBy']} {group['optimizeGoal']}",
            group["obstacle"] or "",
        )
    return table


def _figures(figures: Json) -> Table:
    group, agents = figures["campaignGroup"], figures["agents"]
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, value in (
        ("group", f"{group['name']} of {group['campaignName']}: {group['groupStatusName']}, {group['dialMode']}"),
        ("waits for", ", ".join(figures["waiting"]) or "nothing"),
        ("obstacle", group["obstacle"] or "none"),
        ("hit ratio", _percent(figures["hitRatio"])),
        ("busy factor", _percent(figures["busyFactor"])),
        ("overdial rate", _percent(figures["overdialRate"])),
        ("time to complete", _duration(figures["timeToComplete"])),
        ("attempts", str(figures["attempts"])),
        ("leads processed", str(figures["leadsProcessed"])),
        ("callbacks", f"{figures['callbacksCompleted']} completed, {figures['callbacksMissed']} missed"),
        ("agents", _people(agents)),
        ("chains in memory", str(figures["bufferedChains"])),
        ("results", _counts(figures["results"])),
    ):  # fmt: skip
        table.add_row(name, escape(value))
    return table


def _people(agents: Json) -> str:
    return (
        f"{agents['assigned']} assigned, {agents['loggedIn']} logged in, {agents['inPreview']} in preview, "
        f"{agents['withRecords']} with records"
    )


def _lists(lists: list[Json]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("list", "open chains", "of", "leads processed", "hit ratio", "callbacks waiting", "records"):
        table.add_column(heading)
    for one in lists:
        table.add_row(
            escape(one["callingList"]),
            _number(one["openChains"]),
            _number(one["chains"]),
            str(one["leadsProcessed"]),
            _percent(one["hitRatio"]),
            _number(one["callbacksScheduled"]),
            _counts(one["records"] or {}),
        )
    return table


def _percent(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1%}"


def _number(value: int | None) -> str:
    return "unknown" if value is None else str(value)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"


def _duration(seconds: int | None) -> str:
    if seconds is None:
        return "unknown"
    hours, rest = divmod(seconds, 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s"
