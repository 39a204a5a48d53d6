"""The gates of scripts/check: each lets clean code pass and finds what it is there to find."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

# Put together here, because the gate reads this file too.
UNFINISHED = ["TO" + "DO: later", "FIX" + "ME", "works for" + " now", "a simpl" + "ified form", "place" + "holder"]
LOCAL = [
    "https://files.python" + "hosted.org/x",
    "https://registry.npm" + "js.org/x",
    "--extra-index" + "-url",
    "see /wor" + "k/main",
    "/ro" + "ot/.cache",
    "/ho" + "me/ann/x",
]
PLAN = """
[tool.importlinter]
root_package = "sample"
include_external_packages = true
contract_types = ["confined: confined.ConfinedContract"]

[[tool.importlinter.contracts]]
name = "Databases are spoken to in one room"
type = "confined"
packages = ["sqlite3", "nobody_imports_this"]
rooms = ["sample.storage", "sample.not_there_yet"]
"""


def _clone(folder: Path, files: dict[str, str]) -> Path:
    shutil.copytree(ROOT / "scripts/gates", folder / "scripts/gates", ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def _gate(name: str, folder: Path, files: dict[str, str]) -> tuple[int, str]:
    clone = _clone(folder, files)
    command: list[str | Path] = [sys.executable, clone / "scripts/gates" / f"{name}.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


def _function(lines: int) -> str:
    return "def long() -> None:\n" + "    pass\n" * (lines - 1)


@pytest.mark.parametrize("gate", ["sizes", "docstrings", "words"])
def test_an_empty_clone_passes(gate: str, tmp_path: Path) -> None:
    """Rooms that do not exist yet are no finding, and the gates pass themselves."""
    assert _gate(gate, tmp_path, {}) == (0, "")


def test_sizes(tmp_path: Path) -> None:
    """400 lines and 60 lines pass; one more of either is named with file and line."""
    files = {
        "src/trunkline/fine.py": _function(60) + "\n" * 340,
        "src/trunkline/long.py": "\n" * 401,
        "tests/test_x.py": "class A:\n" + "".join(f"    {line}\n" for line in _function(61).splitlines()),
        ".venv/lib/foreign.py": "\n" * 1000,
    }
    code, said = _gate("sizes", tmp_path, files)
    assert code == 1
    assert said.splitlines() == [
        "src/trunkline/long.py:1: module of 401 lines (at most 400)",
        "tests/test_x.py:2: long has 61 lines (at most 60)",
    ]


def test_docstrings(tmp_path: Path) -> None:
    """Public names of the four rooms need a docstring; private ones, other rooms and inner functions do not."""
    room = (
        '"""Room."""\n'
        "def told():\n    '''Say.'''\n    def inner(): ...\n"
        "def _private(): ...\n"
        "def untold(): ...\n"
        "class Thing:\n    '''Thing.'''\n    def __init__(self): ...\n    def untold(self): ...\n"
    )
    files = {
        "src/trunkline/domain/a.py": room,
        "src/trunkline/bayeux/__init__.py": "",
        "src/trunkline/contract/deep/b.py": "x = 1\n",
        "src/trunkline/client.py": "def untold(): ...\n",
        "src/trunkline/web/c.py": "def untold(): ...\n",
    }
    code, said = _gate("docstrings", tmp_path, files)
    assert code == 1
    assert said.splitlines() == [
        "src/trunkline/domain/a.py:6: untold has no docstring",
        "src/trunkline/domain/a.py:10: Thing.untold has no docstring",
        "src/trunkline/contract/deep/b.py:1: the module has no docstring",
        "src/trunkline/client.py:1: the module has no docstring",
        "src/trunkline/client.py:1: untold has no docstring",
    ]


def test_tests_say_what_they_prove(tmp_path: Path) -> None:
    """A test without a docstring is found, also as a method; helpers beside it are not tests."""
    text = "def test_a(): ...\ndef _helper(): ...\nclass TestB:\n    async def test_c(self): ...\n"
    code, said = _gate("docstrings", tmp_path, {"tests/unit/test_x.py": text})
    assert code == 1
    assert [line.split()[1] for line in said.splitlines()] == ["test_a", "test_c"]


@pytest.mark.parametrize("text", [*UNFINISHED, *LOCAL])
def test_words_that_are_found(text: str, tmp_path: Path) -> None:
    """Words of unfinished work, package indexes and paths of one machine are found in any text file."""
    code, said = _gate("words", tmp_path, {"docs/page.md": f"first line\nsecond {text}\n"})
    assert code == 1
    assert said.startswith("docs/page.md:2: ")


@pytest.mark.parametrize(
    "text",
    [
        "GET /v2/work/records",
        "the root of the tree",
        "src/work/x.py",
        '<input placeholder="Phone">',
        "known format",
        "autodoc",
    ],
)
def test_words_that_pass(text: str, tmp_path: Path) -> None:
    """Ordinary text that only resembles them passes; so does what others made."""
    files = {"docs/page.html": text, ".venv/x.py": UNFINISHED[0], "tests/interop/node_modules/y.js": UNFINISHED[0]}
    assert _gate("words", tmp_path, files) == (0, "")


@pytest.mark.parametrize(("room", "is_kept"), [("storage", True), ("domain", False)])
def test_confined_imports(room: str, is_kept: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """A confined package may be imported in its room and nowhere else; the stray import is named."""
    files = {"pyproject.toml": PLAN, "sample/__init__.py": "", f"sample/{room}.py": "import sqlite3\n"}
    clone = _clone(tmp_path, files)
    environment = {**os.environ, "PYTHONPATH": f"{clone}{os.pathsep}{clone / 'scripts/gates'}"}
    command: list[str | Path] = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode == 0) is is_kept, done.stdout
    assert ("sample.domain imports sqlite3 (line 1)" in done.stdout) is not is_kept


def test_locks_hold_hashes_and_no_address() -> None:
    """Every locked package has a version and hashes, and no lock names a place to download from."""
    for path in sorted((ROOT / "requirements").glob("*.lock")):
        text = path.read_text(encoding="utf-8")
        assert "://" not in text, path
        assert "--index" not in text, path
        entries = [entry for entry in text.split("\n") if entry and not entry.startswith((" ", "#"))]
        assert entries, path
        for entry in entries:
            assert "==" in entry, entry
            assert entry.endswith("\\"), entry
    assert "resolved" not in (ROOT / "tests/interop/package-lock.json").read_text(encoding="utf-8")


def test_what_is_tested_is_what_runs() -> None:
    """Each version of the runtime lock is the version of the test lock."""

    def versions(name: str) -> set[str]:
        lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
        return {line.split(" ")[0] for line in lines if "==" in line and not line.startswith(" ")}

    assert versions("runtime.lock") <= versions("test.lock")
