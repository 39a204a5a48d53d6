"""Gate: no module over 400 lines, no function over 60.

A reader keeps one screen of function and one sitting of module in mind; what is longer is two things.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import sources

MODULE_LINES = 400
FUNCTION_LINES = 60


def oversized(path: Path) -> Iterator[str]:
    """Yield a line for the module and for each function of it that is too long."""
    label = sources.name(path)
    length = len(path.read_text(encoding="utf-8").splitlines())
    if length > MODULE_LINES:
        yield f"{label}:1: module of {length} lines (at most {MODULE_LINES})"
    for node in ast.walk(sources.parse(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{label}:{node.lineno}: {node.name} has {length} lines (at most {FUNCTION_LINES})"


def main() -> int:
    """Check everything that is Python in the clone."""
    paths = sources.files("src", "tests", "scripts", "bench", suffix=".py")
    return sources.report(line for path in paths for line in oversized(path))


if __name__ == "__main__":
    sys.exit(main())
