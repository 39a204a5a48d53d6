"""Which files the gates read, and how a gate reports."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Folders that hold what others made, or what a run leaves behind.
_FOREIGN = {".git", ".hypothesis", ".venv", "node_modules", "__pycache__", "build", "dist", "htmlcov", "trunkline-data"}


def files(*folders: str, suffix: str = "") -> Iterator[Path]:
    """Yield our own files below the given folders of the clone, sorted; a missing folder is empty."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob(f"*{suffix}")):
            parts = path.relative_to(ROOT).parts
            foreign = any(part in _FOREIGN or part.endswith(("_cache", ".egg-info")) for part in parts)
            if path.is_file() and not foreign:
                yield path


def parse(path: Path) -> ast.Module:
    """Return the syntax tree of one Python file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def name(path: Path) -> str:
    """Return the path as people write it: from the root of the clone."""
    return path.relative_to(ROOT).as_posix()


def report(findings: Iterable[str]) -> int:
    """Print one line per finding; return the exit code."""
    count = 0
    for count, line in enumerate(findings, start=1):  # noqa: B007 - the count is used below
        sys.stdout.write(f"{line}\n")
    return 1 if count else 0
