"""A unit on SQLite: each method is one hop to the thread that owns the write connection."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Concatenate, ParamSpec, TypeVar

from trunkline.adapters.storage import sqlite_claims, sqlite_contacts
from trunkline.adapters.storage.sqlite_connection import Statements
from trunkline.adapters.storage.sqlite_groups import UnitGroups
from trunkline.adapters.storage.sqlite_thread import DatabaseThread
from trunkline.adapters.storage.sqlite_transaction import Transactions
from trunkline.app.ports import (
    AgentSession,
    Buffered,
    BufferEntry,
    BufferSize,
    CallbackClaim,
    ChainKey,
    Changes,
    Claim,
    Claimed,
    DeskKey,
    Held,
    ImportProgress,
    PreviewSession,
    RecordQuery,
    RecycleRun,
    StoredRow,
    Suppression,
    Undo,
)
from trunkline.domain.attempts import PastAttempt, StoredAttempt
from trunkline.domain.desk import DeskEntry
from trunkline.domain.enums import DoNotCallKind
from trunkline.domain.records import Record
from trunkline.domain.suppression import Contact
from trunkline.errors import Defect, Unavailable

P = ParamSpec("P")
T = TypeVar("T")


class SqliteUnit(UnitGroups):
    """See ``app.ports.Unit``."""

    def __init__(self, thread: DatabaseThread, transactions: Transactions) -> None:
        self._thread = thread
        self._transactions = transactions
        self._is_touched = False
        self._is_over = False
        self._is_saved = False

    async def finish(self) -> None:
        """Commit."""
        self._is_over = True
        if self._is_touched:
            await self._thread.run(self._transactions.commit)

    async def roll_back(self) -> None:
        """Roll back; afterwards other programs see the numbers that this unit has used up."""
        self._is_over = True
        if self._is_touched:
            # The unit's own error is the one to tell; a thread that takes nothing any more has rolled back.
            with suppress(Exception):
                await self._thread.run(self._transactions.roll_back)

    def abandon(self) -> None:
        """Roll back, without a wait: the thread does it before whatever comes next."""
        self._is_over = True
        if self._is_touched:
            # A thread that takes nothing any more has been closed, and closing rolled back.
            with suppress(Unavailable):
                dropped = self._thread.post(self._transactions.roll_back)
                dropped.add_done_callback(lambda done: done.exception())

    async def _run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._is_over:
            raise Defect("the transaction is over")
        self._is_touched = True
        return await self._thread.run(function, *args, **kwargs)

    async def _ask(self, function: Callable[Concatenate[Statements, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._run(lambda: function(self._transactions.begun(), *args, **kwargs))

    async def save(self, changes: Changes) -> list[int]:
        """See ``Unit.save``."""
        if self._is_saved:
            raise Defect("a unit saves at most once")
        self._is_saved = True
        if self._is_touched or not changes.is_common:
            return await self._run(self._transactions.save, changes)
        if self._is_over:
            raise Defect("the transaction is over")
        return await self._thread.run(self._transactions.save_alone, changes)

    async def held(self, keys: Sequence[DeskKey]) -> list[Held]:
        """See ``Unit.held``."""
        return await self._run(self._transactions.held, keys)

    async def repeats(self, request_keys: Sequence[int], since_ms: int) -> dict[int, StoredRow]:
        """See ``Unit.repeats``."""
        return await self._run(self._transactions.repeats, request_keys, since_ms)

    async def chain(self, contact_centre_id: int, list_id: int, chain_id: int) -> list[Record]:
        """See ``Unit.chain``."""
        return await self._run(self._transactions.chain, contact_centre_id, list_id, chain_id)

    async def entries_of_chain(self, contact_centre_id: int, list_id: int, chain_id: int) -> list[DeskEntry]:
        """See ``Unit.entries_of_chain``."""
        return await self._run(self._transactions.entries_of_chain, contact_centre_id, list_id, chain_id)

    async def desk_of(self, contact_centre_id: int, user_id: int) -> list[Held]:
        """See ``Unit.desk_of``."""
        return await self._run(self._transactions.desk_of, contact_centre_id, user_id)

    async def expired(self, now_ms: int, limit: int) -> list[Held]:
        """See ``Unit.expired``."""
        return await self._run(self._transactions.expired, now_ms, limit)

    async def claim(self, claim: Claim) -> Claimed:
        """See ``Unit.claim``."""
        return await self._run(self._transactions.claim, claim)

    async def claim_callback(self, claim: CallbackClaim) -> Claimed:
        """See ``Unit.claim_callback``."""
        return await self._run(self._transactions.claim_callback, claim)

    async def buffered(
        self, contact_centre_id: int, campaign_group_id: int, passed_over: Collection[ChainKey], limit: int
    ) -> list[Buffered]:
        """See ``Unit.buffered``."""
        group = (contact_centre_id, campaign_group_id)
        return await self._run(self._transactions.buffered, group, passed_over, limit)

    async def buffers_ended(self, now_ms: int, limit: int) -> list[Buffered]:
        """See ``Unit.buffers_ended``."""
        return await self._run(self._transactions.buffers_ended, now_ms, limit)

    async def buffer_entry(self, contact_centre_id: int, list_id: int, chain_id: int) -> BufferEntry | None:
        """See ``Unit.buffer_entry``."""
        chain = (contact_centre_id, list_id, chain_id)
        return await self._ask(sqlite_claims.buffer_entry, chain)

    async def buffer_sizes(self) -> list[BufferSize]:
        """See ``Unit.buffer_sizes``."""
        return await self._ask(sqlite_claims.buffer_sizes)

    async def buffer_size(self, contact_centre_id: int, campaign_group_id: int) -> int:
        """See ``Unit.buffer_size``."""
        group = (contact_centre_id, campaign_group_id)
        return await self._ask(sqlite_claims.buffer_size, group)

    async def suppressed(
        self,
        contact_centre_id: int,
        campaign_id: int | None,
        suppression_list_ids: Collection[int],
        now_s: int,
        contacts: Collection[Contact],
    ) -> dict[Contact, list[Suppression]]:
        """See ``Unit.suppressed``."""
        if not contacts:
            return {}
        asked = (contact_centre_id, campaign_id, suppression_list_ids, now_s, contacts)
        return await self._run(self._transactions.read, lambda on: sqlite_contacts.suppressed(on, *asked))

    async def attempts_of(
        self, contact_centre_id: int, number_keys: Collection[str], person_keys: Collection[str], since_ms: int
    ) -> list[PastAttempt]:
        """See ``Unit.attempts_of``."""
        if not number_keys and not person_keys:
            return []
        asked = (contact_centre_id, number_keys, person_keys, since_ms)
        return await self._run(self._transactions.read, lambda on: sqlite_contacts.attempts_of(on, *asked))

    async def attempts_of_chain(
        self, contact_centre_id: int, list_id: int, chain_id: int, limit: int
    ) -> list[StoredAttempt]:
        """See ``Unit.attempts_of_chain``."""
        chain = (contact_centre_id, list_id, chain_id)
        return await self._run(self._transactions.read, lambda on: sqlite_contacts.of_chain(on, chain, limit))

    async def records_of_contact(
        self, contact_centre_id: int, list_ids: Sequence[int], kind: DoNotCallKind, value: str, limit: int
    ) -> list[Record]:
        """See ``Unit.records_of_contact``."""
        find = self._transactions.records_of_contact
        return await self._run(find, contact_centre_id, list_ids, kind, value, limit)

    async def due_callbacks(self, contact_centre_id: int, user_id: int, now_s: int, limit: int) -> list[Record]:
        """See ``Unit.due_callbacks``."""
        return await self._run(self._transactions.due_callbacks, contact_centre_id, user_id, now_s, limit)

    async def records_where(self, query: RecordQuery) -> list[Record]:
        """See ``Unit.records_where``."""
        return await self._run(self._transactions.records_where, query)

    async def recycle_runs(self, contact_centre_id: int, list_id: int, limit: int) -> list[RecycleRun]:
        """See ``Unit.recycle_runs``."""
        return await self._run(self._transactions.recycle_runs, contact_centre_id, list_id, limit)

    async def undo_of(self, contact_centre_id: int, list_id: int, run_id: int, limit: int) -> list[Undo]:
        """See ``Unit.undo_of``."""
        return await self._run(self._transactions.undo_of, contact_centre_id, list_id, run_id, limit)

    async def has_preview_session(self, session: PreviewSession) -> bool:
        """See ``Unit.has_preview_session``."""
        return session.campaign_id in await self.preview_sessions(session.contact_centre_id, session.user_id)

    async def preview_sessions(self, contact_centre_id: int, user_id: int) -> list[int]:
        """See ``Unit.preview_sessions``."""
        return await self._run(self._transactions.preview_sessions, contact_centre_id, user_id)

    async def agent_session(self, contact_centre_id: int, user_id: int) -> AgentSession | None:
        """See ``Unit.agent_session``."""
        return await self._run(self._transactions.agent_session, contact_centre_id, user_id)

    async def import_progress(self, contact_centre_id: int, list_id: int, import_id: str) -> ImportProgress | None:
        """See ``Unit.import_progress``."""
        return await self._run(self._transactions.import_progress, contact_centre_id, list_id, import_id)

    async def take_numbers(self, *, handles: int = 0, records: int = 0, chains: int = 0) -> tuple[range, range, range]:
        """See ``Unit.take_numbers``."""
        return await self._run(self._transactions.take_numbers, handles, records, chains)
