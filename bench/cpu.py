"""Processor time of processes, as the kernel counts it. Linux only."""

from __future__ import annotations

import os
import time
from pathlib import Path

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_PARENT, _USER, _SYSTEM, _CHILDREN_USER, _CHILDREN_SYSTEM = 3, 13, 14, 15, 16
"""Places in /proc/<pid>/stat, counted from 0. Source: proc(5)."""
_CPUCLOCK_SCHED = 2
"""Kind of a process's clock in its number. Source: MAKE_PROCESS_CPUCLOCK of the kernel, clock_getcpuclockid(3)."""
_ALL = (_USER, _SYSTEM, _CHILDREN_USER, _CHILDREN_SYSTEM)


def _stat(pid: int) -> list[str]:
    text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    # The second field is the program's name in parentheses and may hold anything.
    head, _, rest = text.rpartition(")")
    return [*head.split("(", 1), *rest.split()]


def process_cpu_s(pid: int) -> float:
    """Seconds of user and system time of a process with all its threads."""
    fields = _stat(pid)
    return (int(fields[_USER]) + int(fields[_SYSTEM])) / _TICKS_A_SECOND


def precise_cpu_s(pid: int) -> float:
    """The same to the nanosecond, from the clock that the kernel keeps for each process: for short measurements."""
    return time.clock_gettime((~pid << 3) | _CPUCLOCK_SCHED)


def machine_cpu_s() -> float:
    """Seconds of user and system time of all processes together."""
    user, nice, system = Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0].split()[1:4]
    return (int(user) + int(nice) + int(system)) / _TICKS_A_SECOND


def family_cpu_s(pid: int) -> float:
    """Seconds of a process, of its living children, and of the children that have ended."""
    while True:
        own = _stat(pid)
        ticks = sum(int(own[place]) for place in _ALL) + _living_children_ticks(pid)
        # A child that ended while the others were being read was counted nowhere, or twice.
        if _stat(pid)[_CHILDREN_USER : _CHILDREN_SYSTEM + 1] == own[_CHILDREN_USER : _CHILDREN_SYSTEM + 1]:
            return ticks / _TICKS_A_SECOND


def _living_children_ticks(pid: int) -> int:
    ticks = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = _stat(int(entry.name))
        except OSError:  # it ended meanwhile
            continue
        if int(fields[_PARENT]) == pid:
            ticks += int(fields[_USER]) + int(fields[_SYSTEM])
    return ticks
