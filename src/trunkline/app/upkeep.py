"""The few things that happen by the clock: leases end, cursors are kept, reference data is looked at, old rows go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from trunkline.app.asking import Asked
from trunkline.app.directory import ReferenceBook
from trunkline.app.hand_out.buffers import BufferKeeper
from trunkline.app.ports import Clock, Store
from trunkline.app.rescue import MAX_EXPIRED, SYSTEM, ExpireLeases
from trunkline.app.writer import Writer
from trunkline.domain.enums import Door, RequestType
from trunkline.errors import TrunklineError

PERIOD_S = 1.0
"""Seconds between two rounds: how late a lease ends or a new campaign is seen at most."""
PRUNE_EVERY = 60
"""Rounds between two looks for old journal rows."""
PRUNE_ROWS = 5_000
"""Journal rows deleted at once: short enough that nobody waits for it."""
PRUNE_PORTIONS = 100
"""Portions of one round: half a million rows a minute, more than are written."""

Report = Callable[[str, BaseException], None]
Step = Callable[[], Awaitable[None]]


class Upkeep:
    """The clock-driven rounds. ``on_change`` is awaited after the reference data changed; ``report`` logs failures.

    Journal rows are kept for ``journal_ms``. ``steps`` are further things that each round does, in portions; each minds
    its own hour.
    """

    def __init__(
        self,
        store: Store,
        writer: Writer,
        clock: Clock,
        on_change: Callable[[], Awaitable[None]],
        report: Report,
        journal_ms: int,
        steps: Sequence[Step] = (),
    ) -> None:
        self._store = store
        self._writer = writer
        self._clock = clock
        self._on_change = on_change
        self._report = report
        self._journal_ms = journal_ms
        self._steps = (self.refresh, self.expire, self.return_buffers, *steps, self.prune)
        self._task: asyncio.Task[None] | None = None
        self._rounds = 0
        self._buffers = BufferKeeper(store, writer, clock)
        self._is_change_told = True
        self._turn = asyncio.Lock()

    def start(self) -> None:
        """Begin the rounds; the first thing is to return what the last server left in buffers."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="upkeep")

    async def stop(self) -> None:
        """End them."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        await self._step(self._buffers.begin)
        while True:
            for step in self._steps:
                await self._step(step)
            self._writer.flush()
            self._rounds += 1
            await self._pause()

    async def _step(self, step: Step) -> None:
        name = getattr(step, "__name__", "step")
        try:
            await step()
        except TrunklineError as error:
            self._report(name, error)
        except Exception as error:  # noqa: BLE001 - a round that fails must not end the rounds
            self._report(name, error)

    async def _pause(self) -> None:
        await asyncio.sleep(PERIOD_S)

    async def refresh(self) -> None:
        """Load the reference data when its version moved; called after changes too, so callers take turns."""
        async with self._turn:
            await self._refresh()

    async def _refresh(self) -> None:
        version = await self._store.directory_version()
        if version != self._writer.book.version:
            self._writer.adopt(ReferenceBook(await self._store.directory()))
            self._is_change_told = False
        if not self._is_change_told:  # told again when it failed: somebody may have lost the access
            await self._on_change()
            self._is_change_told = True

    async def expire(self) -> None:
        """End leases that ran out, a portion after the other."""
        async with self._store.begin() as unit:
            expired = await unit.expired(self._clock.now_ms(), 1)
        if expired:
            command = ExpireLeases(limit=MAX_EXPIRED)
            await self._writer.submit(
                Asked(caller=SYSTEM, command=command, request_type=RequestType.UNSOLICITED, door=Door.INSIDE)
            )

    async def return_buffers(self) -> None:
        """Return chains that lie in a buffer which nobody empties."""
        await self._buffers.round()

    async def prune(self) -> None:
        """Delete journal rows past their keeping time."""
        if self._rounds % PRUNE_EVERY == 0:
            before_ms = self._clock.now_ms() - self._journal_ms
            for _ in range(PRUNE_PORTIONS):
                if await self._store.prune(before_ms, PRUNE_ROWS) < PRUNE_ROWS:
                    return
