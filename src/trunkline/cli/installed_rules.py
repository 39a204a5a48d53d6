"""The installation's own calling-time rule files, for commands whose answer depends on them."""

from __future__ import annotations

from pathlib import Path

import click

from trunkline.adapters.rule_folder import RuleFolder
from trunkline.app.rule_files import IN_USE, RuleFiles
from trunkline.config import Config
from trunkline.errors import Unavailable


def rules_folder(config: Config) -> Path:
    """Where the installation keeps its rule files; need not exist, unless it was configured."""
    folder = Path(config.rules_dir or Path(config.data_dir) / "rules")
    if config.rules_dir and not folder.is_dir():
        raise click.ClickException(f"rules_dir: there is no folder {folder}")
    return folder


def use_rule_files(config: Config) -> None:
    """Judge by the installation's rule files from here on.

    A file with a fault is refused, with its line or place: what a running server read before the fault is known to
    that server alone, so an answer given here could be another one than the hand-out's.
    """
    folder = rules_folder(config)
    try:
        texts = RuleFolder(folder).changed() or {}
    except Unavailable as error:
        raise click.ClickException(str(error)) from None
    faults = RuleFiles(texts).faults
    if faults:
        told = "\n".join(f"  {fault}" for fault in faults)
        raise click.ClickException(
            f"rule files in {folder} cannot be used:\n{told}\n"
            "Nothing was judged: by half of the rules the answer could be wrong. Mend them (`trunkline rules check "
            "FILE`), or move them away."
        )
    IN_USE.replace(texts)
