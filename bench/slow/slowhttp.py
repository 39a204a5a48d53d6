"""Runs of slowhttptest, a well-known program that holds connections by slow sending and slow reading."""

from __future__ import annotations

import re
import shutil
import subprocess

import msgspec

ATTACKS = {"slow headers": "-H", "slow bodies": "-B", "slow reading": "-X"}
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_AVAILABLE = re.compile(r"service available:\s+(\w+)")
_ENDED = re.compile(r"Test ended on (\d+)\w\w second")
_STATUS = re.compile(r"Exit status:\s*(.+)")
_SPARE_S = 30


class SlowHttp(msgspec.Struct, frozen=True, kw_only=True):
    """One attack: ``is_available`` tells whether the program's probe was served all the time.

    ``ended`` is in its words, with the second in which it ended.
    """

    name: str
    connections: int
    is_available: bool
    ended: str


def find() -> str | None:
    """The program, if it is installed."""
    return shutil.which("slowhttptest")


def measure(program: str, port: int, name: str, connections: int, duration_s: int) -> SlowHttp:
    """Attack the server at ``port`` for so long, with as many new connections a second as half of all."""
    command = [program, ATTACKS[name], "-c", str(connections), "-r", str(connections // 2), "-i", "1", "-p", "3"]
    command += ["-l", str(duration_s), "-v", "1", "-u", f"http://127.0.0.1:{port}/"]
    done = subprocess.run(  # noqa: S603 - a program of the system
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=duration_s + _SPARE_S, check=False
    )
    said = _COLOURS.sub("", done.stdout)
    seen, ended, status = _AVAILABLE.findall(said), _ENDED.search(said), _STATUS.search(said)
    if not ended or not status:
        raise RuntimeError(f"slowhttptest failed:\n{said[-1000:]}{done.stderr[-1000:]}")
    return SlowHttp(
        name=name,
        connections=connections,
        is_available=all(word == "YES" for word in seen),
        ended=f"{status[1].strip().lower()}, second {ended[1]}",
    )
