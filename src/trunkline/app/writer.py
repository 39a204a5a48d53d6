"""The writer: one transaction for all requests that came in while the previous one was being written.

Group commit without a wait: a batch is whatever arrived during the last commit. Each request keeps its own
outcome. The batch is decided in memory (``View``), saved in few statements, flushed, and only then answered; after
the answer's commit the events are handed to the outbox. When a batch cannot be written as a whole, its requests are
tried one by one, so that a failing one fails alone; but not when the database went away, because then nobody knows
whether the batch was written. A request that is too long for one transaction is carried through several (see
``Decision.is_unfinished``); others are served in between.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from trunkline.app.asking import Asked, Rules
from trunkline.app.desk_cache import DeskCache
from trunkline.app.directory import ReferenceBook
from trunkline.app.journal_rows import again, notice_row, told_row
from trunkline.app.ports import Changes, Clock, Conflict, CursorKey, DeskKey, JournalRow, Store, StoredRow
from trunkline.app.recent_keys import RecentKeys
from trunkline.app.view import Decision, View
from trunkline.errors import Refused, TrunklineError, Unavailable

MAX_BATCH = 512
"""Requests in one transaction: larger batches gain nothing (the flush is shared long before) and hold rows longer."""

MAX_CARRIED = MAX_BATCH // 2
"""Unfinished requests in one transaction: however many there are, others get the other half."""

MAX_TRIES = 5
"""Times a request is tried alone after conflicts with another process before the caller is told to come back."""

MAX_KEYS_LOADED = 250_000
"""Request keys read at the start; when there are more, the store is asked for a while."""

Handler = Callable[[View, Asked, Any, Rules], Awaitable[Decision]]
Publish = Callable[[Sequence[StoredRow]], None]
_encode = msgspec.json.Encoder().encode


class _Pending:
    __slots__ = ("asked", "future")

    def __init__(self, asked: Asked, future: asyncio.Future[StoredRow | None]) -> None:
        self.asked = asked
        self.future = future


class _Outcomes:
    """What became of a batch's requests: accepted ones with the place of their row, None for silent ones."""

    def __init__(self) -> None:
        self.accepted: list[tuple[_Pending, int | None]] = []
        self.refused: list[tuple[_Pending, TrunklineError]] = []
        self.unfinished: list[_Pending] = []


class Writer:
    """Takes requests, gives each its outcome after the commit that holds it.

    ``publish`` is called once a batch with the committed rows, in order, before the callers are woken.
    ``max_pending`` bounds the queue: past it ``Unavailable``, because waiting longer than clients do helps nobody.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        book: ReferenceBook,
        rules: Rules,
        handlers: dict[type, Handler],
        publish: Publish,
        max_pending: int = 10_000,
    ) -> None:
        self.book = book
        self._store = store
        self._clock = clock
        self._rules = rules
        self._handlers = handlers
        self._publish = publish
        self._max_pending = max_pending
        self._queue: deque[_Pending] = deque()
        self._carried: deque[_Pending] = deque()
        self._wake: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_stopping = False
        self._cursors: dict[CursorKey, int] = {}
        self._cursors_in_writing: dict[CursorKey, int] = {}
        self._is_flush_due = False
        self._cache: DeskCache | None = None
        self._recent = RecentKeys(rules.repeat_window_ms)
        self.on_adopt: Callable[[ReferenceBook, ReferenceBook], None] | None = None
        self.batches = 0
        self.requests = 0

    async def prepare(self) -> None:
        """Begin to keep desks and request keys in memory; only for the one server that works on the database."""
        self._cache = DeskCache()
        now_ms = self._clock.now_ms()
        keys = await self._store.recent_request_keys(now_ms - self._rules.repeat_window_ms, MAX_KEYS_LOADED)
        self._recent.begin(keys, now_ms, is_complete=len(keys) < MAX_KEYS_LOADED)

    def adopt(self, book: ReferenceBook) -> None:
        """Work with reference data that were read anew.

        What this writer has decided about groups since they were read stays. ``on_adopt`` is called with the book
        before and the one that is worked with now.
        """
        known = {state.key: state for state in book.group_states}
        newer = [
            state
            for state in self.book.group_states
            if state.key in known and state.changed_at_ms > known[state.key].changed_at_ms
        ]
        before, self.book = self.book, book.with_states(newer) if newer else book
        if self.on_adopt is not None:
            self.on_adopt(before, self.book)

    def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="writer")

    async def stop(self) -> None:
        """Write what is queued, then end. What is unfinished then is given back as ``Unavailable``."""
        self._is_stopping = True
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
        if self._task is not None:
            await self._task

    @property
    def pending(self) -> int:
        """Requests waiting for the next batch."""
        return len(self._queue) + len(self._carried)

    def submit(self, asked: Asked) -> asyncio.Future[StoredRow | None]:
        """Queue a request; the future yields its journal row after the flush, or raises ``Refused``.

        A silent request (see ``Decision``) yields None.
        """
        if self.pending >= self._max_pending or self._is_stopping:
            raise Unavailable("the server has more requests than it can write")
        future: asyncio.Future[StoredRow | None] = asyncio.get_running_loop().create_future()
        self._queue.append(_Pending(asked, future))
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
        return future

    def note_delivered(self, key: CursorKey, mark: int) -> None:
        """Remember how far a user's deliveries are confirmed; written with the next batch or ``flush``.

        A crash before that only means that confirmed events are sent once more.
        """
        if mark > self._cursors.get(key, -1):
            self._cursors[key] = mark

    def delivered(self, key: CursorKey) -> int:
        """How far deliveries are confirmed according to what is noted and not yet written; -1 when nothing is."""
        return max(self._cursors.get(key, -1), self._cursors_in_writing.get(key, -1))

    def flush(self) -> None:
        """Make the writer write what was confirmed, when there is anything."""
        self._is_flush_due = bool(self._cursors)
        if self._is_flush_due and self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            if not self.pending:
                if self._cursors and (self._is_flush_due or self._is_stopping):
                    await self._write_cursors()
                if self._is_stopping:
                    return
                if self._queue:
                    continue
                self._wake = loop.create_future()
                await self._wake
                continue
            await self._write_batch(self._next_batch())
            if self._carried:
                # A store in memory never waits, and nobody else would get a turn before the last one is finished.
                await asyncio.sleep(0)

    def _next_batch(self) -> list[_Pending]:
        """The next requests whose callers still wait: carried ones, then new ones."""
        carried = [self._carried.popleft() for _ in range(min(len(self._carried), MAX_CARRIED))]
        size = min(len(self._queue), MAX_BATCH - len(carried))
        new = [pending for pending in (self._queue.popleft() for _ in range(size)) if not pending.future.cancelled()]
        self.requests += len(new)
        return [pending for pending in carried if not pending.future.cancelled()] + new

    def _carry(self, unfinished: list[_Pending]) -> None:
        """Keep what is unfinished for the next batch; the first, which had the most of this one, goes behind."""
        if self._is_stopping:
            for pending in unfinished:
                _fail(pending, Unavailable("the server stops before this request is finished; send it again"))
            return
        self._carried.extend(unfinished[1:] + unfinished[:1])

    async def _write_cursors(self) -> None:
        self._is_flush_due = False
        # Nothing is lost by a failure: the cursors are kept and go with the next batch.
        with contextlib.suppress(Exception):
            await self._write([])

    async def _write_batch(self, batch: list[_Pending]) -> None:
        if not batch:
            return
        self.batches += 1
        try:
            await self._write(batch)
        except Unavailable as error:
            # It may have been committed all the same: a second try could do it twice. Whoever asks again with the
            # same reference is recognised.
            for pending in batch:
                _fail(pending, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, each request gets its own outcome
            if len(batch) == 1 and not isinstance(error, Conflict):
                _fail(batch[0], error)
                return
            for pending in batch:
                await self._write_alone(pending)

    async def _write_alone(self, pending: _Pending) -> None:
        for _ in range(MAX_TRIES):
            try:
                await self._write([pending])
            except Conflict:
                continue
            except Exception as error:  # noqa: BLE001 - the caller gets it
                _fail(pending, error)
            return
        _fail(pending, Unavailable("the record is being changed by others"))

    async def _write(self, batch: list[_Pending]) -> None:
        """Decide, save and commit one batch; answers its requests. Raises without having answered any."""
        outcomes = _Outcomes()
        cursors = self._cursors_in_writing = self._cursors
        self._cursors = {}
        try:
            stored = await self._transact(batch, outcomes, cursors)
        except BaseException:
            self._cursors = {**cursors, **self._cursors}
            if self._cache is not None:
                self._cache.clear()
            # What failed may be stored: the store is to be asked when it comes again.
            self._recent.add(
                [p.asked.request_key for p in batch if p.asked.request_key is not None], self._clock.now_ms()
            )
            raise
        finally:
            self._cursors_in_writing = {}
        self._announce(stored)
        for pending, at in outcomes.accepted:
            if not pending.future.done():
                pending.future.set_result(None if at is None else stored[at])
        for pending, error in outcomes.refused:
            _fail(pending, error)
        self._carry(outcomes.unfinished)

    def _announce(self, stored: list[StoredRow]) -> None:
        """Publish what is committed. A defect there must not look like a failed commit, which is tried again."""
        try:
            self._publish(stored)
        except Exception as error:  # noqa: BLE001 - the events are in the journal; who comes back gets them
            asyncio.get_running_loop().call_exception_handler({"message": "publishing failed", "exception": error})

    async def _transact(
        self,
        batch: list[_Pending],
        outcomes: _Outcomes,
        cursors: dict[CursorKey, int],
    ) -> list[StoredRow]:
        """One transaction; fills in the outcomes."""
        journal: list[JournalRow] = []
        async with self._store.begin() as unit:
            view = View(unit, self.book, self._clock.now_ms(), self._cache)
            await view.prefetch(_keys(batch))
            repeated = await self._repeated(view, batch)
            for pending in batch:
                asked = pending.asked
                rows = repeated.get(asked.request_key) if asked.request_key is not None else None
                try:
                    if rows is None:
                        handler = self._handlers[type(asked.command)]
                        decision = await handler(view, asked, asked.command, self._rules)
                        view.lay(decision)
                        if decision.is_unfinished:
                            outcomes.unfinished.append(pending)
                            continue
                        rows = self._rows(view, asked, decision)
                        if asked.request_key is not None and rows:
                            repeated[asked.request_key] = [again(rows[0], view.now_ms)]
                except Refused as error:
                    outcomes.refused.append((pending, error))
                    continue
                outcomes.accepted.append((pending, len(journal) if rows else None))
                journal.extend(rows)
            changes = view.changes()
            changes.journal = journal
            changes.cursors = cursors
            seqs = await unit.save(changes) if not _is_empty(changes) else []
        if changes.group_states:
            self.book = self.book.with_states(changes.group_states.values())
        if self._cache is not None:
            self._cache.absorb(changes)
        self._recent.add([row.request_key for row in journal if row.request_key is not None], view.now_ms)
        return [StoredRow(seq, row) for seq, row in zip(seqs, journal, strict=True)]

    async def _repeated(self, view: View, batch: list[_Pending]) -> dict[int, list[JournalRow]]:
        """Rows to write for requests that were carried out before (decisions 7): acknowledge again, change nothing."""
        asked = {p.asked.request_key: p.asked for p in batch if p.asked.request_key is not None}
        unsure = [key for key in asked if not self._recent.is_new(key, view.now_ms)]
        if not unsure:
            return {}
        found = await view.unit.repeats(unsure, view.now_ms - self._rules.repeat_window_ms)
        return {
            key: [again(stored.row, view.now_ms)]
            for key, stored in found.items()
            if stored.row.user_id == asked[key].caller.user_id
        }

    def _rows(self, view: View, asked: Asked, decision: Decision) -> list[JournalRow]:
        """The request's own row first (unless it is silent), then one for each notice to somebody else."""
        caller = asked.caller
        own = JournalRow(
            contact_centre_id=caller.contact_centre_id,
            user_id=caller.user_id,
            at_ms=view.now_ms,
            request_type=asked.request_type,
            door=asked.door,
            campaign_id=decision.campaign_id,
            list_id=decision.list_id,
            handle=decision.handle,
            outcome=decision.outcome,
            reference=None if asked.reference is None else _encode(asked.reference).decode(),
            request_key=asked.request_key,
            elapsed_ns=max(0, self._clock.monotonic_ns() - asked.received_ns) if asked.received_ns else 0,
            events=tuple(decision.events),
        )
        notices = [notice_row(own, entry, event) for entry, event in decision.notices]
        notices += [told_row(own, user_id, event) for user_id, event in decision.told]
        return notices if decision.is_silent else [own, *notices]


def _keys(batch: list[_Pending]) -> list[DeskKey]:
    keys = []
    for pending in batch:
        handle = getattr(pending.asked.command, "handle", None)
        if handle is not None:
            keys.append(DeskKey(pending.asked.caller.contact_centre_id, handle))
    return keys


def _is_empty(changes: Changes) -> bool:
    return changes == _NOTHING


_NOTHING = Changes()


def _fail(pending: _Pending, error: BaseException) -> None:
    if not pending.future.done():
        pending.future.set_exception(error)
