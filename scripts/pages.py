"""Make the pages of the manual that are drawn from code. ``--check`` writes nothing and fails when one is old."""

from __future__ import annotations

import sys
from pathlib import Path

from trunkline.app.rule_files import builtin
from trunkline.cli.rules import hours_of
from trunkline.config import manual_page
from trunkline.contract.refusals import ErrorNumber
from trunkline.domain.attempt_rules import AttemptRule, duration
from trunkline.domain.enums import GroupStatus, RecordStatus
from trunkline.domain.group_control import GOALS, SWITCHABLE, Obstacle, ServerError
from trunkline.domain.group_control import TRANSITIONS as GROUP_TRANSITIONS
from trunkline.domain.records import TRANSITIONS
from trunkline.domain.rule_sets import PRESETS

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"


def record_states() -> str:
    """The life of a record, as a picture and as a table, from the table that the program runs on."""
    arrows: dict[tuple[RecordStatus, RecordStatus], list[str]] = {}
    for (before, happening), after in TRANSITIONS.items():
        arrows.setdefault((before, after), []).append(happening.value)
    picture = [
        f"    {before.name} --> {after.name}: {', '.join(sorted(happenings))}"
        for (before, after), happenings in sorted(arrows.items())
    ]
    rows = [f"| {b.name} | {h.value} | {after.name} |" for (b, h), after in sorted(TRANSITIONS.items())]
    return "\n".join(
        [
            "# Life of a record",
            "",
            "Drawn from `domain/records.py`; a step that is not here is refused with status code 2.",
            "",
            "```mermaid",
            "stateDiagram-v2",
            "    [*] --> READY",
            *picture,
            "```",
            "",
            "| status | what happens | status after |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def error_numbers() -> str:
    """The numbers of ErrorMessage events."""
    source = Path(sys.modules[ErrorNumber.__module__].__file__ or "").read_text(encoding="utf-8").splitlines()
    rows = []
    for number in ErrorNumber:
        at = next(i for i, line in enumerate(source) if line.strip() == f"{number.name} = {number.value}")
        rows.append(f"| {number.value} | {number.name} | {source[at + 1].strip().strip(chr(34))} |")
    return "\n".join(
        [
            "# Numbers of ErrorMessage events",
            "",
            "`GSW_ERROR_NUMBER` on `/me/internal` and `errorCode` on `/v2/me/outbound`, ours and stable.",
            "",
            "| number | name | when |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def rule_sets() -> str:
    """The calling-time rules that come with the program, and the rule sets to begin with, from the data files."""
    lines = [
        "# Rule sets and calling-time rules",
        "",
        "Drawn from `src/trunkline/rules` and `domain/rule_sets.py`. What they are for, and what they are not, is in",
        "[compliance](../topics/compliance.md). Times are local to the person called, the end of a span exclusive.",
        "",
        "## Rule sets to begin with",
        "",
        "| name | calling-time rules | attempts | what it is |",
        "|---|---|---|---|",
    ]
    for preset in PRESETS.values():
        attempts = "; ".join(_attempt_rule(rule) for rule in preset.attempt_rules) or "none"
        names = ", ".join(f"`{name}`" for name in preset.calling_times) or "none"
        lines.append(f"| `{preset.name}` | {names} | {attempts} | {preset.description} |")
    for times in builtin().values():
        lines += [
            "",
            f"## `{times.name}`: {times.title}",
            "",
            f"Edition {times.version}, checked on {times.checked_on}.",
            "",
            "| region | hours | no calls on | in force | source |",
            "|---|---|---|---|---|",
        ]
        for rule in times.regions:
            holidays = ", ".join(holiday.name for holiday in rule.holidays)
            force = f"from {rule.valid_from}" if rule.valid_from else ""
            force += f" until {rule.valid_until}" if rule.valid_until else ""
            note = f"; {rule.note}" if rule.note else ""
            lines.append(
                f"| {rule.region} | {hours_of(rule)} | {holidays} | {force} | {rule.source}{note} |".replace("*", "\\*")
            )
    return "\n".join([*lines, ""])


def _attempt_rule(rule: AttemptRule) -> str:
    who = f"each {rule.counts}" + ("" if rule.scope == "contact centre" else ", in the campaign")
    where = f" in {', '.join(rule.regions)}" if rule.regions else ""
    if rule.is_quiet_time:
        return f"{duration(rule.within_s)} without calls after a conversation, {who}{where}"
    return f"at most {rule.at_most} in {duration(rule.within_s)}, {who}{where}"


def group_states() -> str:
    """The states of a campaign group and the errors of its control, from the tables that the program runs on."""
    shown = (GroupStatus.ACTIVE, GroupStatus.RUNNING)
    arrows: dict[tuple[GroupStatus, GroupStatus], list[str]] = {}
    for (before, cause), after in GROUP_TRANSITIONS.items():
        arrows.setdefault((before, after), []).append(cause.value)
    picture = [
        f"    {before.name} --> {after.name}: {', '.join(sorted(causes))}"
        for (before, after), causes in sorted(arrows.items())
    ]
    picture += [f"    {status.name} --> IN_ACTIVE: obstacle" for status in shown]
    picture += [f"    IN_ACTIVE --> {status.name}: obstacle gone" for status in shown]
    rows = [
        f"| {before.value} {before.name} | {cause.value} | {after.value} {after.name} |"
        for (before, cause), after in sorted(GROUP_TRANSITIONS.items())
    ]
    pairs = ", and between ".join(" and ".join(sorted(mode.name for mode in modes)) for modes in SWITCHABLE)
    goals = [f"| {method.name} | {low} | {high} | {default} |" for method, (low, high, default) in GOALS.items()]
    source = Path(sys.modules[ServerError.__module__].__file__ or "").read_text(encoding="utf-8").splitlines()
    errors = []
    for error in ServerError:
        at = next(i for i, line in enumerate(source) if line.strip() == f"{error.name} = {error.value}")
        errors.append(f"| {error.value} | {error.title} | {source[at + 1].strip().strip(chr(34))} |")
    return "\n".join(
        [
            "# States of a campaign group",
            "Drawn from `domain/group_control.py`. What each means: [campaign groups](../topics/campaign-groups.md).",
            "```mermaid",
            "stateDiagram-v2",
            "    [*] --> NOT_LOADED",
            *picture,
            "```",
            "| status | what is asked, or happens | status after |",
            "|---|---|---|",
            *rows,
            "A loaded group that cannot work is shown as 3 IN_ACTIVE, and as what it was when the reason is gone:",
            *(f"- {obstacle.value}" for obstacle in Obstacle),
            f"While it is RUNNING a group changes only between {pairs}; in ACTIVE to any mode.",
            "| what is optimized | smallest goal | greatest | when none is given |",
            "|---|---|---|---|",
            *goals,
            "## Errors of the control",
            "`errorCode` and `errorName` of a refusal, beside `statusCode`: numbers of the control protocol.",
            "| code | name | when |",
            "|---|---|---|",
            *errors,
        ]
    )


PAGES = {
    "rule-sets.md": rule_sets,
    "options.md": manual_page,
    "record-states.md": record_states,
    "errors.md": error_numbers,
    "campaign-groups.md": group_states,
}


def main() -> int:
    """Write the pages, or compare them."""
    old = []
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, make in PAGES.items():
        page, text = REFERENCE / name, make()
        if "--check" in sys.argv[1:]:
            if not page.exists() or page.read_text(encoding="utf-8") != text:
                old.append(name)
        else:
            page.write_text(text, encoding="utf-8")
    if old:
        print(f"old pages in docs/reference: {', '.join(old)}; run scripts/manual", file=sys.stderr)
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main())
