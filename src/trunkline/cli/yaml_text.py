"""Documents as YAML text that ``app.administration.documents`` reads back as they are."""

from __future__ import annotations

import re
from typing import Any

import yaml

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 _./@+-]*[A-Za-z0-9]|[A-Za-z]")
"""Texts that need no quotes for any reader."""
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_WIDE = 10**9
"""Characters of a line: no text is folded, as a fold is hard to tell from a space."""


class _Dumper(yaml.SafeDumper):
    """Quotes every text that some reader could take for something else; no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        """Equal parts are written again."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002 - as inherited
        """Items of a list stand further in than its name."""
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    is_plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if is_plain else '"')


_Dumper.add_representer(str, _text)


def yaml_text(value: Any) -> str:
    """The value as YAML, keys in their order."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDE)
    return text
