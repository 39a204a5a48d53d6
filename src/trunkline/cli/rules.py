"""``trunkline rules``: check calling-time rule files, list them, show what binds a region on a day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import click
import msgspec

from trunkline.app.countries import COUNTRIES
from trunkline.app.rule_files import MAX_FILE_BYTES, RuleFiles, builtin, parse
from trunkline.contract.admin_kinds import KINDS
from trunkline.domain.calling_times import EPOCH, CallingTimes, Limits, RegionRule, clock
from trunkline.domain.objects import ObjectKind
from trunkline.domain.regions import region_fault
from trunkline.domain.rule_sets import PRESETS
from trunkline.errors import OutOfRange

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_FOLDER = click.option(
    "--rules-dir", type=click.Path(exists=True, file_okay=False), help="A folder with further rule files."
)


@click.group("rules")
def rules() -> None:
    """Calling-time rules: at which hours of which days a region may be called."""


@rules.command("check")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
def check(files: tuple[str, ...]) -> None:
    """Check rule files. Exits 1 when one cannot be used; each fault is told with its line or place."""
    has_faults = False
    for name in files:
        try:
            times = parse(_text(Path(name)), name)
        except OutOfRange as error:
            has_faults = True
            click.echo(str(error), err=True)
        else:
            click.echo(f"{name}: {times.name} {times.version}, {len(times.regions)} rules, no fault found")
    if has_faults:
        raise SystemExit(1)


@rules.command("list")
@_FOLDER
def list_rules(rules_dir: str | None) -> None:
    """List the rules that come with the program, and those of a folder."""
    for times in _library(rules_dir).values():
        click.echo(f"{times.name} {times.version}, checked on {times.checked_on}: {times.title}")
        for rule in times.regions:
            holidays = f", {len(rule.holidays)} holidays" if rule.holidays else ""
            click.echo(f"  {rule.region:6} {hours_of(rule)}{holidays}  [{rule.source}]")


@rules.command("show")
@click.argument("region")
@click.option("--on", "day", default="", help="The local date, as 2027-01-10.  [default: today]")
@click.option("--rules", "names", multiple=True, metavar="NAME", help="Only these rules; repeatable.  [default: all]")
@_FOLDER
def show(region: str, day: str, names: tuple[str, ...], rules_dir: str | None) -> None:
    """Show which hours are left of a day in REGION (US-TX), and by which texts."""
    try:
        on = date.fromisoformat(day) if day else date.today()  # noqa: DTZ011 - the day that people here have
    except ValueError:
        raise click.UsageError("--on takes a date such as 2027-01-10") from None
    fault = region_fault(region, COUNTRIES)
    if fault is not None:
        raise click.UsageError(f"REGION: {fault}")
    library = _library(rules_dir)
    unknown = set(names) - set(library)
    if unknown:
        raise click.UsageError(f"there are no rules named {min(unknown)}; there are {', '.join(library)}")
    limits = Limits(rule for name in (names or library) for rule in library[name].regions)
    left = limits.day(region, (on - EPOCH).days)
    hours = ", ".join(map(str, left.spans)) or "no calls"
    click.echo(f"{region} on {on:%a %Y-%m-%d}: {hours}{f' ({left.holiday})' if left.holiday else ''}")
    for source in left.sources:
        click.echo(f"  {source}")


@rules.command("preset")
@click.argument("name", required=False)
def preset(name: str | None) -> None:
    """Print a rule set to begin with, as the administration API takes it; without NAME list them."""
    if name is None:
        for one in PRESETS.values():
            click.echo(f"{one.name:20} {one.description}")
        return
    found = PRESETS.get(name)
    if found is None:
        raise click.UsageError(f"there is no rule set named {name}; there are {', '.join(PRESETS)}")
    shape = KINDS[ObjectKind.RULE_SET.value].shape.write(found)
    click.echo(msgspec.json.format(msgspec.json.encode(shape), indent=2))


def hours_of(rule: RegionRule) -> str:
    """The hours of a rule's week in words, such as "Mon-Fri 09:00-18:00, Sat 10:00-17:00"."""
    runs: list[tuple[int, int]] = []
    for day in range(7):
        if runs and rule.week[runs[-1][0]] == rule.week[day]:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    told = []
    for first, last in runs:
        days = _DAYS[first] if first == last else f"{_DAYS[first]}-{_DAYS[last]}"
        spans = " and ".join(f"{clock(span.from_s)}-{clock(span.until_s)}" for span in rule.week[first])
        told.append(f"{days} {spans or 'no calls'}")
    return ", ".join(told)


def _library(folder: str | None) -> Mapping[str, CallingTimes]:
    if folder is None:
        return builtin()
    files = RuleFiles({file.name: _text(file) for file in sorted(Path(folder).glob("*.yaml"))})
    for fault in files.faults:
        click.echo(fault, err=True)
    return files.library


def _text(file: Path) -> str:
    with file.open("rb") as opened:
        return opened.read(MAX_FILE_BYTES + 1).decode("utf-8", errors="replace")
