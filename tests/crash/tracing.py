"""System calls of servers as strace saw them: what was written, when a flush was over, when an answer left."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tests.support.processes import Program

TRACE = "trace"
"""Name of the trace in the folder in which a traced program runs."""
_CALLS = "read,recvfrom,recvmsg,write,writev,sendto,sendmsg,pwrite64,pwritev,fsync,fdatasync"
_STRACE = ("-f", "--seccomp-bpf", "-ttt", "-T", "-yy", "-s", "100000", "-e", f"trace={_CALLS}", "-e", "signal=none")
_TRACED = ("trunkline", "postgres")

_LINE = re.compile(r"(?P<pid>\d+) +(?P<at>\d+\.\d+) (?P<rest>.*)")
_RESUMED = re.compile(r"<\.\.\. (?P<name>\w+) resumed>(?P<rest>.*)")
_CALL = re.compile(r"(?P<name>\w+)\(\d+<(?P<file>.*?)>(?=[,)])")
_RESULT = re.compile(r"\) += (?P<result>-?\d+).*<(?P<took>[\d.]+)>$")


class TracedProgram(Program):
    """A ``Program`` that runs under strace when it is one of the servers; signals go to the server itself."""

    def __init__(self, command: Sequence[str | Path], *, directory: Path | None = None, **settings: Any) -> None:
        self._is_traced = Path(command[0]).name in _TRACED
        if self._is_traced:
            strace = shutil.which("strace")
            assert strace is not None, "strace is needed: apt-get install strace"
            assert directory is not None
            command = [strace, *_STRACE, "-o", directory / TRACE, *command]
        super().__init__(command, directory=directory, **settings)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the server: strace itself ends with it."""
        server = next(children(self.process.pid), None) if self._is_traced else None
        if server is None:
            super().send(number)
        else:
            os.kill(server, number)


def children(pid: int) -> Iterator[int]:
    """The processes that a process has started."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1]
        except OSError:  # it ended meanwhile
            continue
        if int(parent) == pid:
            yield int(path.parent.name)


class Call(msgspec.Struct, frozen=True):
    """A finished system call on a file or socket; times are Unix seconds as the tracer took them.

    ``begun_s`` is not after the kernel began with it, ``ended_s`` not before the kernel was done.
    """

    name: str
    file: str
    text: str
    begun_s: float
    ended_s: float
    result: int


def calls(trace: Path) -> list[Call]:
    """All finished calls of a trace, in the order of their beginnings."""
    begun: dict[str, tuple[float, str]] = {}
    found: list[Call] = []
    with trace.open(encoding="latin-1") as lines:
        for line in lines:
            matched = _LINE.match(line.rstrip("\n"))
            if matched is None:
                continue
            pid, at_s, rest = matched["pid"], float(matched["at"]), matched["rest"]
            if rest.endswith("<unfinished ...>"):
                begun[pid] = (at_s, rest.removesuffix("<unfinished ...>"))
            elif resumed := _RESUMED.match(rest):
                begun_s, head = begun.pop(pid, (at_s, ""))
                found += _call(head.rstrip() + resumed["rest"], begun_s, at_s)
            else:
                found += _call(rest, at_s, None)
    return sorted(found, key=lambda call: call.begun_s)


def _call(text: str, begun_s: float, ended_s: float | None) -> Iterable[Call]:
    head, result = _CALL.match(text), _RESULT.search(text)
    if head is None or result is None:
        return ()
    if ended_s is None:
        ended_s = begun_s + float(result["took"])
    return (Call(head["name"], head["file"], text, begun_s, ended_s, int(result["result"])),)
