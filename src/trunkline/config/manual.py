"""The manual page, drawn from the table."""

from __future__ import annotations

import msgspec

from trunkline.config.loading import CENTRE_VARIABLE, CONFIG_VARIABLE
from trunkline.config.table import options


def manual_page() -> str:
    """Return docs/reference/options.md, made from the table."""
    lines = [
        "# Options",
        "",
        "Made from the table in `trunkline.config.table` by `scripts/manual`; do not edit.",
        "",
        "A value given later in this list wins: default, configuration file (TOML; `--config` or",
        f"`{CONFIG_VARIABLE}` names it), environment variable, flag. Unknown keys in the file and values out of",
        "range stop the start with a sentence that says where they stand. An empty environment variable counts as",
        "not set; in a variable or a flag a list is written with commas. Relative paths start at the working",
        "directory of the server.",
        "",
        f"Commands that work on one contact centre take its name from `--contact-centre` or `{CENTRE_VARIABLE}`; it is",
        "needed when there are several, and `trunkline user add` makes one that is not there. Commands that speak to a",
        "running server take `--url`, `--user` and `--password` from `TRUNKLINE_URL`, `TRUNKLINE_USER` and",
        "`TRUNKLINE_PASSWORD`.",
        "",
    ]
    for option in options():
        default = _toml(option.default)
        other = f", `--no-{option.flag[2:]}`" if option.kind == "switch" else ""
        other += f", `{option.short_flag}`" if option.short_flag else ""
        lines += [
            f"## {option.name}",
            "",
            option.sentence,
            "",
            f"- Default: `{default}`",
            f"- Values: {option.values}",
            f"- File: `{option.name} = {default}`",
            f"- Environment: `{option.variable}`",
            f"- Flag: `{option.flag}`{other}",
            "",
        ]
    return "\n".join(lines)


def _toml(value: object) -> str:
    # For scalars and lists of texts JSON and TOML are written alike.
    return msgspec.json.encode(value).decode()
