"""Flags made from the table of options, so that help, manual and values cannot differ."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import click

from trunkline.config import CENTRE_VARIABLE, Config, Option, load, options
from trunkline.errors import Refused

STORAGE = ("data_dir", "database_url")
"""Options of the commands that work on the database alone."""


def centre_option(about: str, default: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option that names a contact centre, which the environment may name for all commands."""
    text = f"{about}  [env: {CENTRE_VARIABLE}]"
    shown = bool(default)
    return click.option("--contact-centre", envvar=CENTRE_VARIABLE, default=default, show_default=shown, help=text)


CENTRE = centre_option("Needed when there are several.")


def with_options(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the named options of the table (all of them when none is named) and ``--config``."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed([o for o in options() if not names or o.name in names]):
            command = _flag(option)(command)
        text = "A TOML file with any of these options."
        return click.option("--config", "toml_path", type=click.Path(dir_okay=False), help=text)(command)

    return add


def _flag(option: Option) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    shown = "" if option.default in ("", ()) else f"  [default: {_spelled(option.default)}]"
    text = f"{option.sentence}{' ' + option.values + '.' if option.kind == 'number' else ''}{shown}"
    if option.kind == "switch":
        return click.option(f"{option.flag}/--no-{option.flag[2:]}", option.name, default=None, help=text)
    flags = [flag for flag in (option.short_flag, option.flag) if flag]
    return click.option(*flags, option.name, default=None, metavar=option.kind.upper(), help=text)


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def config_from(toml_path: str | None, flags: dict[str, Any]) -> Config:
    """The configuration of this process; a usage error names the option that is wrong."""
    try:
        return load(toml_path, os.environ, flags)
    except Refused as error:
        raise click.UsageError(str(error)) from None
