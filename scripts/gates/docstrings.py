"""Gate: every public name of the rooms that others build on has a docstring, and so has every test.

Public is what has no leading underscore, seen from the module inwards. Dunder methods, overloads and
overrides that a protocol explains already are left out; so is what stands inside a function.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import sources

ROOMS = ("domain", "bayeux", "contract", "client")
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def undocumented(path: Path) -> Iterator[str]:
    """Yield a line for each public name of one module without a docstring."""
    tree = sources.parse(path)
    if ast.get_docstring(tree) is None and tree.body:
        yield f"{sources.name(path)}:1: the module has no docstring"
    for node, dotted in _public(tree.body, ""):
        if ast.get_docstring(node) is None:
            yield f"{sources.name(path)}:{node.lineno}: {dotted} has no docstring"


def untold_tests(path: Path) -> Iterator[str]:
    """Yield a line for each test that does not say what it proves."""
    for node in ast.walk(sources.parse(path)):
        if isinstance(node, _Function) and node.name.startswith("test_") and ast.get_docstring(node) is None:
            yield f"{sources.name(path)}:{node.lineno}: {node.name} does not say what it proves"


def _public(body: list[ast.stmt], prefix: str) -> Iterator[tuple[_Function | ast.ClassDef, str]]:
    for node in body:
        if not isinstance(node, _Function | ast.ClassDef) or node.name.startswith("_") or _is_explained(node):
            continue
        yield node, prefix + node.name
        if isinstance(node, ast.ClassDef):
            yield from _public(node.body, f"{prefix}{node.name}.")


def _is_explained(node: _Function | ast.ClassDef) -> bool:
    names = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
    return bool(names & {"overload", "override", "setter"})


def main() -> int:
    """Check the rooms named above and all tests."""
    lines = [line for room in ROOMS for path in _modules(room) for line in undocumented(path)]
    lines += [line for path in sources.files("tests", suffix=".py") for line in untold_tests(path)]
    return sources.report(lines)


def _modules(room: str) -> Iterator[Path]:
    # A room is a folder, or one file while it is small.
    yield from sources.files(f"src/trunkline/{room}", suffix=".py")
    single = sources.ROOT / f"src/trunkline/{room}.py"
    if single.is_file():
        yield single


if __name__ == "__main__":
    sys.exit(main())
