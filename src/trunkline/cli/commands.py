"""The commands that are loaded when they are typed: all of them together take a second, each alone a tenth."""

from __future__ import annotations

from importlib import import_module

import click

ELSEWHERE: dict[str, tuple[str, str]] = {
    "apply": ("trunkline.cli.apply", "apply"),
    "audit": ("trunkline.cli.audit", "audit"),
    "callbacks": ("trunkline.cli.callbacks", "callbacks"),
    "campaign": ("trunkline.cli.campaigns", "campaign"),
    "explain": ("trunkline.cli.explain", "explain"),
    "export": ("trunkline.cli.exports", "export_list"),
    "get": ("trunkline.cli.apply", "get"),
    "import": ("trunkline.cli.imports", "import_list"),
    "list": ("trunkline.cli.lists", "lists"),
    "person": ("trunkline.cli.persons", "person"),
    "rules": ("trunkline.cli.rules", "rules"),
    "suppression": ("trunkline.cli.suppression", "suppression"),
    "treatments": ("trunkline.cli.treatments", "treatments"),
}
"""Name -> module and attribute. Names that are not here are commands of ``trunkline.cli.main``."""


class Commands(click.Group):
    """A group that knows the names of all commands, and loads one when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the help."""
        return sorted({*super().list_commands(ctx), *ELSEWHERE})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        if cmd_name not in ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module, attribute = ELSEWHERE[cmd_name]
        command: click.Command = getattr(import_module(module), attribute)
        return command
