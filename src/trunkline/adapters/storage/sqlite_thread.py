"""A thread that owns a database connection: functions go in, results come back to the event loop.

Functions run one after the other in the order in which they were handed in, so a rollback that nobody waits for
still comes before the next transaction.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from trunkline.errors import Defect, Unavailable

MAX_WAITING = 10_000
"""Calls that wait for one thread: more would wait longer than any client does."""

P = ParamSpec("P")
T = TypeVar("T")

_Job = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", Callable[..., Any], tuple[Any, ...]]


class DatabaseThread:
    """One thread, started at once; ``end`` lets it finish what was handed in."""

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._waiting = 0
        self._is_ending = False
        # A daemon: a program that breaks off without closing its store must not hang; what is not committed is void.
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    def post(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Hand in a function; the future yields its result, and may be dropped.

        Raises ``Unavailable`` when too much waits or the thread has ended. The future raises what the function
        raised, the driver's errors as ``Unavailable`` or ``Defect``.
        """
        assert not kwargs, "positional arguments only"
        if self._is_ending:
            raise Unavailable("the store is closed")
        if self._waiting >= MAX_WAITING:
            raise Unavailable("the database has more to do than it can")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting += 1
        self._jobs.put((loop, future, function, args))
        return future

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Hand in a function and wait for its result. When the wait is cancelled the function still runs."""
        return await self.post(function, *args, **kwargs)

    async def end(self, function: Callable[[], None]) -> None:
        """Run what was handed in, then ``function``, then let the thread end."""
        last = self.post(function)
        self._is_ending = True
        self._jobs.put(None)
        await last
        self._thread.join()

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            loop, future, function, args = job
            result: Any = None
            error: BaseException | None = None
            try:
                result = function(*args)
            except BaseException as raised:  # noqa: BLE001 - whoever waits gets it
                error = _translated(raised)
            try:
                loop.call_soon_threadsafe(self._settle, future, result, error)
            except RuntimeError:
                # The loop is closed: nobody waits any more.
                self._waiting -= 1
            del job, loop, future, function, args, result, error  # keeps nothing alive while it waits

    def _settle(self, future: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
        self._waiting -= 1
        if future.cancelled():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)


def _translated(error: BaseException) -> BaseException:
    """The driver's error as ours; others as they are."""
    if isinstance(error, sqlite3.ProgrammingError | sqlite3.IntegrityError | sqlite3.InterfaceError):
        ours: Exception = Defect(f"SQLite: {error}")
    elif isinstance(error, sqlite3.Error):
        ours = Unavailable(f"the database cannot be used: {error}")
    else:
        return error
    ours.__cause__ = error
    return ours
