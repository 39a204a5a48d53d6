"""Start programs that end with the tests, and read what they say without waiting by the clock."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, TypeVar

Found = TypeVar("Found")

MAX_LINES = 5000
"""Lines of output that are kept for a failure report; older ones are dropped."""

_PR_SET_PDEATHSIG = 1


class NotReadyError(RuntimeError):
    """A program ended or stayed silent instead of getting ready; the text ends with its last lines."""


class Program:
    """One started program: its process, what it wrote, and a way to end it.

    The kernel ends the program when the tests die without cleaning up (Linux).
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        user_id: int | None = None,
        group_id: int | None = None,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
        passed_descriptors: Sequence[int] = (),
        orphan_signal: signal.Signals = signal.SIGTERM,
        takes_input: bool = False,
    ) -> None:
        self._lines: deque[str] = deque(maxlen=MAX_LINES)
        self._news = threading.Condition()
        self._silent = False
        self.name = Path(command[0]).name
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE if takes_input else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            user=user_id,
            group=group_id,
            extra_groups=[] if user_id is not None else None,
            env=environment,
            cwd=directory,
            pass_fds=tuple(passed_descriptors),
            start_new_session=True,  # a Ctrl-C reaches the tests, which then end it in order
            preexec_fn=_end_with_parent(orphan_signal),  # noqa: PLW1509 - one system call, no locks
        )
        assert self.process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self._reader.start()

    @property
    def output(self) -> str:
        """Everything it has written so far, both streams as one."""
        with self._news:
            return "".join(self._lines)

    def wait_for_line(self, wanted: str, timeout_s: float) -> str:
        """Return the first line that contains ``wanted``, also one that came before this call.

        Raises ``NotReadyError`` when the program ends or ``timeout_s`` passes first.
        """
        return self.wait_for(lambda lines: next((line for line in lines if wanted in line), None), wanted, timeout_s)

    def wait_for(self, find: Callable[[Sequence[str]], Found | None], what: str, timeout_s: float) -> Found:
        """Return what ``find`` makes of the lines so far, as soon as that is not None.

        Raises ``NotReadyError``, which says that ``what`` was not written, when the program ends or ``timeout_s``
        passes first.
        """
        found: Found | None = None

        def is_found() -> bool:
            nonlocal found
            found = find(self._lines)
            return found is not None

        with self._news:
            self._news.wait_for(lambda: is_found() or self._silent, timeout_s)
        if found is None:
            raise self.not_ready(f"did not write {what!r}")
        return found

    def write_line(self, text: str) -> None:
        """Write to its standard input; the program was started with ``takes_input``."""
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def close_input(self) -> None:
        """End its standard input."""
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it has ended, and what was written last was not read
                self.process.stdin.close()

    def not_ready(self, what: str) -> NotReadyError:
        """Return the error that says ``what`` went wrong and shows the last lines."""
        code = self.process.poll()
        state = "still running" if code is None else f"ended with {code}"
        return NotReadyError(f"{self.name} {what} ({state}):\n{self.output[-4000:]}")

    def send(self, number: signal.Signals) -> None:
        """Send a signal; a program that has ended already takes it in silence."""
        if self.process.poll() is None:
            self.process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM, timeout_s: float = 20) -> int:
        """Ask it to end, insist with SIGKILL after ``timeout_s``; return its exit code."""
        self.send(number)
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait(timeout_s)
        self._reader.join(timeout_s)
        self.close_input()
        return code

    def _read(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                with self._news:
                    self._lines.append(line)
                    self._news.notify_all()
        with self._news:
            self._silent = True
            self._news.notify_all()


def _end_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def in_child() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # it died between fork and here
            os._exit(1)

    return in_child
