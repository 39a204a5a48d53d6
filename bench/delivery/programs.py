"""The programs of a measurement: the server under test, faye beside it, and the clients."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from bench import cpu
from tests.support import nodes

FOLDER = Path(__file__).parent
FAYE = FOLDER.parent / "faye"
PATH = "/cometd"
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_SPARE_DESCRIPTORS = 64
"""Beside those of the clients: the listening socket, pipes, libraries."""
_QUIET_S, _QUIET_CPU_S, _QUIET_STEPS, _QUIET_LIMIT_S = 0.02, 0.001, 4, 5.0
"""A program has settled when it used less than a twentieth of a processor in four steps of 20 ms; thousands of idle
clients may keep it above that, so it is not waited for longer than 5 s."""
_END_S = 15
"""A server answers thousands of held requests when it ends."""


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """Which clients: how many, over which transport, with the ack extension or not.

    ``sticky`` of them can be told to read no more. ``timeout_ms`` is how long a connect is held.
    """

    clients: int
    transport: str
    has_ack: bool = False
    sticky: int = 0
    timeout_ms: int = 30_000

    @property
    def name(self) -> str:
        """The scenario in words."""
        return f"{self.clients} clients, {self.transport}{', ack' if self.has_ack else ''}"


class Report(msgspec.Struct, frozen=True):
    """What the clients counted. ``cut`` of the stuck ones saw their connection end."""

    deliveries: int
    p50_us: float
    p99_us: float
    max_us: float
    received_bytes: int
    cut: int


class Program:
    """A program that takes commands on its input and answers on its output; a context manager.

    Raises ``RuntimeError`` with its words when it ends early.
    """

    def __init__(self, command: Sequence[str | Path | int], directory: Path | None = None) -> None:
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - until __exit__
        self._process = subprocess.Popen(  # noqa: S603 - our own programs
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            bufsize=1,
            cwd=directory,
        )
        self.pid = self._process.pid

    def tell(self, command: str) -> None:
        """Give one command."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{command}\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None

    def hear(self) -> str:
        """Return the next line that it writes."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._ended()
        return line.strip()

    def expect(self, word: str) -> None:
        """Read a line that must be this word."""
        if (said := self.hear()) != word:
            raise RuntimeError(f"{word!r} was expected, not {said!r}")

    def cpu_s(self) -> float:
        """Processor time of all its threads."""
        return cpu.precise_cpu_s(self.pid)

    def rss_bytes(self) -> int:
        """Memory that it occupies."""
        return int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE_BYTES

    def open_files(self) -> int:
        """How many descriptors it has, thus also how many connections come and go."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))  # noqa: PTH208 - only the number is wanted

    def settle(self) -> None:
        """Wait until it has done all its work: whoever waits for it sees nothing of what it still does."""
        quiet, before_s, limit_s = 0, self.cpu_s(), time.monotonic() + _QUIET_LIMIT_S
        while quiet < _QUIET_STEPS and time.monotonic() < limit_s:
            time.sleep(_QUIET_S)
            now_s = self.cpu_s()
            quiet = quiet + 1 if now_s - before_s < _QUIET_CPU_S else 0
            before_s = now_s

    def _ended(self) -> RuntimeError:
        self._said.seek(0)
        return RuntimeError(self._said.read()[-4000:] or "a program ended without a word")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._said.close()


class Clients(Program):
    """The clients of a scenario, connected to a server; ready when made."""

    def __init__(self, program: Path, port: int, scenario: Scenario) -> None:
        command: list[str | Path | int] = [program, port, PATH]
        command += [scenario.clients, scenario.sticky, scenario.transport, int(scenario.has_ack)]
        super().__init__(command)
        try:
            self.expect("ready")
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def round(self, server: Program, command: str) -> None:
        """Let every client get one event of the server, and wait for its next."""
        self.tell("round")
        server.tell(command)
        self.expect("done")

    def report(self) -> Report:
        """Return what was counted since the last ``reset``."""
        self.tell("report")
        return msgspec.json.decode(self.hear(), type=Report)


class Site(Program):
    """A server, from listening to ended."""

    def __init__(self, command: Sequence[str | Path | int], directory: Path) -> None:
        super().__init__(command, directory)
        self.port = int(self.hear())


def trunkline(scenario: Scenario) -> Site:
    """Start the project's own server."""
    command: list[str | Path | int] = [sys.executable, "-m", "bench.delivery.site"]
    command += ["--timeout-ms", scenario.timeout_ms]
    return Site(command, FOLDER.parents[1])


def faye(scenario: Scenario) -> Site:
    """Start faye, which must have been installed."""
    return Site([nodes.find_node() / "node", "server.cjs", scenario.timeout_ms, scenario.clients], FAYE)


START: dict[str, Callable[[Scenario], Site]] = {"trunkline": trunkline, "faye": faye}


def build_clients(folder: Path) -> Path:
    """Compile the clients into ``folder``. Raises ``RuntimeError`` when there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise RuntimeError(
            "a C compiler is needed for the clients; on Debian and Ubuntu: apt-get install gcc libc6-dev"
        )
    program = folder / "clients"
    subprocess.run([compiler, "-O2", "-o", program, FOLDER / "clients.c"], check=True)  # noqa: S603 - our own source
    return program


def allow_files(clients: int) -> None:
    """Raise the limit of open files of this process, which its programs inherit.

    Raises ``RuntimeError`` when the machine does not allow so many.
    """
    wanted = clients + _SPARE_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise RuntimeError(f"{clients} clients need {wanted} open files; the hard limit (ulimit -Hn) is {hard}")
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
