"""Named SQL from the files in ``queries/``: one file per theme, a name and a sentence for each statement.

A file holds statements that begin with ``-- name: <name>`` and fragments that begin with ``-- fragment: <name>``.
``$name`` in a statement stands for the fragment; ``$rows`` for as many rows of parameters as are
written at once. There is no other substitution: values are always parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Template

ROWS_AT_ONCE = 64
"""Rows of one statement at most; of the widest table they take 1472 parameters of the 32766 that SQLite allows. Each
number of rows has a statement of its own, compiled once."""

_FOLDER = Path(__file__).with_name("queries")
_HEADING = re.compile(r"^-- (name|fragment): (\w+)$", re.MULTILINE)
_COLUMNS = re.compile(r"\(([\w\s,]+)\)\s+(?:AS \()?VALUES \$rows")


class Queries:
    """The statements of a folder by name."""

    def __init__(self, folder: Path) -> None:
        texts: dict[str, dict[str, str]] = {"name": {}, "fragment": {}}
        for path in sorted(folder.glob("*.sql")):
            parts = _HEADING.split(path.read_text(encoding="utf-8"))
            for kind, name, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
                assert name not in texts[kind], f"{path.name} repeats {name}"
                texts[kind][name] = _without_comments(text)
        # A fragment may name others, of which none goes deeper.
        plain = texts["fragment"]
        fragments = {
            name: Template(Template(text).safe_substitute(plain)).safe_substitute(plain) for name, text in plain.items()
        }
        self._texts = {name: Template(text).safe_substitute(fragments) for name, text in texts["name"].items()}
        self._bulk: dict[tuple[str, int], str] = {}

    def __getitem__(self, name: str) -> str:
        """The statement of that name."""
        return self._texts[name]

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self._texts)

    def bulk(self, name: str, rows: int) -> str:
        """The statement of that name for so many rows; ``width`` parameters each."""
        text = self._bulk.get((name, rows))
        if text is None:
            row = f"({', '.join('?' * self.width(name))})"
            text = Template(self._texts[name]).substitute(rows=", ".join([row] * rows))
            self._bulk[name, rows] = text
        return text

    def width(self, name: str) -> int:
        """Parameters of one row of a statement with ``$rows``: the columns named before it."""
        columns = _COLUMNS.search(self._texts[name])
        assert columns is not None, f"{name} names no columns before its rows"
        return columns[1].count(",") + 1


def _without_comments(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("--")]
    return "\n".join(lines).strip().rstrip(";")


@cache
def sqlite_queries() -> Queries:
    """SQLite's statements."""
    return Queries(_FOLDER)
