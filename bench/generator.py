"""Drives the load generator: ``load.c`` where there is a C compiler, else ``load.py``."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

FOLDER = Path(__file__).parent
AGENTS = 200
"""Agents that send; each has one record on the desk."""
WARM_S = 2.0
"""Seconds before the measurement: every agent's password is verified once, caches and plans are made."""
DESK_HANDLES_FROM = 1_000_000
DEMO_PASSWORD = "demo"  # noqa: S105 - printed on the first screen of the README


class Load(msgspec.Struct, frozen=True):
    """What the generator counted between its marks. ``load_cpu_s`` is its own processor time."""

    requests: int
    all_requests: int
    seconds: float
    p50_us: float
    p99_us: float
    max_us: float
    load_cpu_s: float

    @property
    def rate(self) -> float:
        """Answered requests a second."""
        return self.requests / self.seconds


class Generator:
    """Sends UpdateRecord requests of many agents. ``folder`` takes the compiled program and the templates."""

    def __init__(self, folder: Path) -> None:
        self._templates = folder / "requests"
        self._templates.write_bytes(b"".join(_template(n, kind) for n in range(1, AGENTS + 1) for kind in _KINDS))
        self._templates.chmod(0o600)
        self._command, self.language = _program(folder)
        self._next_reference = 1

    def run(self, port: int, connections: int, duration_s: float, at_mark: Callable[[], None]) -> Load:
        """Load the server; ``at_mark`` is called when the measurement begins and when it ends.

        Raises ``RuntimeError`` with the generator's words when any answer was not success.
        """
        arguments = [port, self._templates, connections, WARM_S, duration_s, self._next_reference]
        process = subprocess.Popen(  # noqa: S603 - our own program
            [*self._command, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        with process:
            assert process.stdout is not None
            assert process.stderr is not None
            for line in process.stdout:
                if line.startswith("{"):
                    load = msgspec.json.decode(line, type=Load)
                    self._next_reference += load.all_requests + 10_000
                    return load
                at_mark()
            raise RuntimeError(process.stderr.read())


_KINDS = ("Mobile", "HomePhone")


def _template(n: int, phone_type: str) -> bytes:
    """The documented request of agent n, ended by NUL; the generator puts a number for the row of '#'."""
    content: dict[str, Any] = {
        "devicePath": f"/devices/demo-device-{n}",
        "operationName": "UpdateRecord",
        "applicationId": 134,
        "campaignName": "Campaign1",
        "phoneType": phone_type,
        "referenceId": "############",
    }
    body = json.dumps(content).encode()
    credentials = base64.b64encode(f"agent{n}:{DEMO_PASSWORD}".encode()).decode()
    head = (
        f"POST /api/v2/me/outbound-records/{DESK_HANDLES_FROM + n} HTTP/1.1\r\n"
        "Host: 127.0.0.1\r\n"
        f"Authorization: Basic {credentials}\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body + b"\0"


def _program(folder: Path) -> tuple[list[str], str]:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return [sys.executable, str(FOLDER / "load.py")], "Python"
    program = folder / "load"
    subprocess.run([compiler, "-O2", "-o", program, FOLDER / "load.c"], check=True)  # noqa: S603 - our own source
    return [str(program)], "C"
