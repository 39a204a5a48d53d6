"""A real ``trunkline serve`` process on a free port."""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.processes import Program

READY_TIMEOUT_S = 60
"""Migrations, demo data and a busy two-core machine; a healthy start takes two seconds."""

_POLL_S = 0.2


class RunningServer:
    """One server process with its folder, from ready to ended; also a context manager.

    ``flags`` are added to ``trunkline serve --port 0 --data-dir ...``. With ``folder`` given the data
    stays after ``close``, so that a second server can be started on it.
    Raises ``NotReadyError`` with the log if the server ends or stays silent.
    """

    def __init__(
        self, *flags: str, folder: Path | None = None, port: int = 0, environment: Mapping[str, str] | None = None
    ) -> None:
        self._own_folder = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="trunkline-server-"))
        self._flags = flags
        self._environment = dict(environment or {})
        self.port = port
        self.program = self._start()

    @property
    def url(self) -> str:
        """The address without a slash at its end, as http://127.0.0.1:54321."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self.program.output

    def terminate(self, timeout_s: float = 30) -> int:
        """Ask it to end (SIGTERM) and return its exit code."""
        return self.program.end(signal.SIGTERM, timeout_s)

    def kill(self) -> int:
        """End it as a crash would (SIGKILL)."""
        return self.program.end(signal.SIGKILL)

    def restart(self) -> None:
        """Start it again on the same folder and port, after ``terminate`` or ``kill``."""
        if self.program.process.poll() is None:
            raise RuntimeError("the server is still running")
        self.program = self._start()

    def close(self) -> None:
        """End it in whatever state it is and remove its folder if it was made here."""
        self.terminate()
        if self._own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> Program:
        reader, writer = os.pipe()
        try:
            program = Program(
                self._command(writer), environment=self._variables(), passed_descriptors=[writer], directory=self.folder
            )
        finally:
            os.close(writer)
        try:
            self.port = _read_port(reader, program)
        except BaseException:
            program.end(signal.SIGKILL)
            raise
        finally:
            os.close(reader)
        return program

    def _command(self, ready_descriptor: int) -> Sequence[str | Path]:
        where = ["--port", str(self.port), "--ready-fd", str(ready_descriptor), "--data-dir", str(self.folder)]
        return [Path(sys.executable).with_name("trunkline"), "serve", *where, *self._flags]

    def _variables(self) -> dict[str, str]:
        # Settings of the person who runs the tests must not reach the server under test.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TRUNKLINE_")}
        return {**kept, **self._environment}


def _read_port(reader: int, program: Program) -> int:
    """Wait for the line with the port that the server writes when it is ready."""
    said = b""
    deadline_s = time.monotonic() + READY_TIMEOUT_S
    with selectors.DefaultSelector() as selector:
        selector.register(reader, selectors.EVENT_READ)
        while not said.endswith(b"\n"):
            if time.monotonic() > deadline_s:
                raise program.not_ready(f"was not ready within {READY_TIMEOUT_S} s")
            if selector.select(_POLL_S):
                chunk = os.read(reader, 64)
                if not chunk:  # closed: it ended, or forgot
                    raise program.not_ready("closed the descriptor for readiness without writing its port")
                said += chunk
    return int(said)
