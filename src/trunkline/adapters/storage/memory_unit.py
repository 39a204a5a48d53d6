"""The reference model's tables and its unit: every question is answered by looking at every row."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Collection, Sequence

import msgspec

from trunkline.adapters.storage import memory_claims, memory_contacts, memory_groups, memory_selecting
from trunkline.adapters.storage.memory_groups import UnitGroups
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
    Conflict,
    CursorKey,
    DeskKey,
    Held,
    ImportProgress,
    ImportState,
    ObjectVersion,
    PreviewSession,
    RecordQuery,
    RecycleRun,
    StoredRow,
    Suppression,
    SuppressionKey,
    Undo,
    User,
)
from trunkline.app.stored import ScheduleRun
from trunkline.domain.attempts import PastAttempt, StoredAttempt
from trunkline.domain.campaigns import GroupState
from trunkline.domain.desk import DeskEntry
from trunkline.domain.enums import DoNotCallKind, RecordStatus
from trunkline.domain.objects import ObjectKey, StoredObject
from trunkline.domain.records import Record, RecordKey
from trunkline.domain.suppression import Contact, contact_key
from trunkline.errors import Defect, Unavailable


class Tables(msgspec.Struct):
    """Everything that is committed.

    ``next_numbers`` are the next handle, record id, chain id, and those of the journal and the attempt log.
    ``epoch`` and ``pruned_to``: see ``Store.epoch`` and ``JournalSpan``.
    """

    contact_centres: dict[int, str] = {}
    users: dict[tuple[int, int], User] = {}
    objects: dict[ObjectKey, StoredObject] = {}
    object_history: dict[ObjectKey, list[StoredObject | None]] = {}
    object_log: dict[tuple[int, str, int], list[ObjectVersion]] = {}
    group_states: dict[tuple[int, int], GroupState] = {}
    schedule_runs: dict[tuple[int, int, int, int], ScheduleRun] = {}
    directory_version: int = 0
    records: dict[RecordKey, Record] = {}
    desk: dict[DeskKey, DeskEntry] = {}
    buffer: dict[ChainKey, BufferEntry] = {}
    suppressions: dict[SuppressionKey, Suppression] = {}
    attempts: list[StoredAttempt] = []
    preview_sessions: set[PreviewSession] = set()
    agent_sessions: dict[tuple[int, int], AgentSession] = {}
    cursors: dict[CursorKey, int] = {}
    imports: dict[tuple[int, int, str], ImportProgress] = {}
    recycle_runs: memory_selecting.Runs = {}
    undos: memory_selecting.Undos = {}
    journal: list[StoredRow] = []
    epoch: str = msgspec.field(default_factory=lambda: secrets.token_hex(6))
    pruned_to: int = 0
    next_numbers: dict[str, int] = msgspec.field(
        default_factory=lambda: {"handle": 1, "record": 1, "chain": 1, "journal": 1, "attempt": 1}
    )


class MemoryUnit(UnitGroups):
    """See ``app.ports.Unit``. ``save`` checks and keeps the changes, ``commit`` makes them visible."""

    def __init__(self, tables: Tables, is_open: Callable[[], bool]) -> None:
        self.is_over = False
        self._tables = tables
        self._is_open = is_open
        self._changes: Changes | None = None
        # What claims wrote: this unit sees it, others after the commit.
        self._claimed: dict[RecordKey, Record] = {}
        self._buffered: dict[ChainKey, BufferEntry] = {}
        self._rows: list[StoredRow] = []
        self._attempts: list[StoredAttempt] = []

    def commit(self) -> None:
        """Make visible what was saved."""
        tables = self._now()
        tables.records |= self._claimed
        tables.buffer |= self._buffered
        changes = self._changes
        if changes is None:
            return
        for gone in changes.removed:
            tables.records.pop(gone.key)
        memory_selecting.keep(tables.recycle_runs, tables.undos, changes)
        tables.records |= {record.key: record for record in changes.new_records} | changes.records
        tables.desk |= changes.desk
        for key in changes.off_desk:
            tables.desk.pop(key, None)
        memory_contacts.changed(tables.suppressions, changes.lifted, changes.suppressions)
        for preview, is_begun in changes.preview_sessions.items():
            (tables.preview_sessions.add if is_begun else tables.preview_sessions.discard)(preview)
        for whose, session in changes.agent_sessions.items():
            if session is None:
                tables.agent_sessions.pop(whose, None)
            else:
                tables.agent_sessions[whose] = session
        for cursor, mark in changes.cursors.items():
            tables.cursors[cursor] = max(mark, tables.cursors.get(cursor, mark))
        if changes.group_states:
            tables.group_states |= changes.group_states
            tables.directory_version += 1
        for progress in changes.imports:
            tables.imports[progress.contact_centre_id, progress.list_id, progress.import_id] = progress
        memory_groups.commit(tables, changes)
        tables.attempts += self._attempts
        tables.journal += self._rows

    async def save(self, changes: Changes) -> list[int]:
        """See ``Unit.save``."""
        tables = self._now()
        if self._changes is not None:
            raise Defect("a unit saves at most once")
        _check_imports(tables, changes)
        if not changes.off_buffer <= set(self._buffer()):
            raise Conflict("a chain left the buffer meanwhile")
        stored = tables.records | self._claimed
        memory_selecting.remove(stored, changes.removed)
        for record in changes.new_records:
            if record.key in stored:
                raise Conflict("a new record's key was taken meanwhile")
            stored[record.key] = record
        for key, record in changes.records.items():
            if key not in stored or stored[key].version != record.version - 1:
                raise Conflict("a record was changed meanwhile")
        self._changes = changes
        attempts = self._numbers("attempt", len(changes.attempts))
        self._attempts = [StoredAttempt(seq, row) for seq, row in zip(attempts, changes.attempts, strict=True)]
        seqs = self._numbers("journal", len(changes.journal))
        self._rows = [StoredRow(seq, row) for seq, row in zip(seqs, changes.journal, strict=True)]
        return list(seqs)

    async def take_numbers(self, *, handles: int = 0, records: int = 0, chains: int = 0) -> tuple[range, range, range]:
        """See ``Unit.take_numbers``."""
        self._now()
        return self._numbers("handle", handles), self._numbers("record", records), self._numbers("chain", chains)

    async def held(self, keys: Sequence[DeskKey]) -> list[Held]:
        """See ``Unit.held``."""
        wanted = set(keys)
        return [held for held in self._all_held() if _key(held) in wanted]

    async def desk_of(self, contact_centre_id: int, user_id: int) -> list[Held]:
        """See ``Unit.desk_of``."""
        whose = (contact_centre_id, user_id)
        return [held for held in self._all_held() if (held.entry.contact_centre_id, held.entry.user_id) == whose]

    async def expired(self, now_ms: int, limit: int) -> list[Held]:
        """See ``Unit.expired``."""
        ended = [
            (held.entry.lease_until_ms, _key(held), held)
            for held in self._all_held()
            if held.entry.lease_until_ms is not None and held.entry.lease_until_ms <= now_ms
        ]
        return [held for _, _, held in sorted(ended, key=lambda found: found[:2])[:limit]]

    async def entries_of_chain(self, contact_centre_id: int, list_id: int, chain_id: int) -> list[DeskEntry]:
        """See ``Unit.entries_of_chain``."""
        desk = self._now().desk
        chain = (contact_centre_id, list_id, chain_id)
        return [desk[key] for key in sorted(desk) if desk[key].record_key[:3] == chain]

    async def chain(self, contact_centre_id: int, list_id: int, chain_id: int) -> list[Record]:
        """See ``Unit.chain``."""
        return [record for record in self._records() if record.key[:3] == (contact_centre_id, list_id, chain_id)]

    async def claim(self, claim: Claim) -> Claimed:
        """See ``Unit.claim``."""
        return self._take(claim, memory_claims.claimed(self._records(), claim))

    async def claim_callback(self, claim: CallbackClaim) -> Claimed:
        """See ``Unit.claim_callback``."""
        return self._take(claim, memory_claims.callback(self._records(), claim))

    def _take(self, claim: Claim | CallbackClaim, chains: list[ChainKey]) -> Claimed:
        taken = memory_claims.taken(self._records(), chains, claim.campaign_id)
        self._claimed |= {record.key: record for record in taken}
        self._buffered |= {entry.chain_key: entry for entry in memory_claims.entries(claim, chains)}
        return Claimed(tuple(chains))

    async def buffered(
        self, contact_centre_id: int, campaign_group_id: int, passed_over: Collection[ChainKey], limit: int
    ) -> list[Buffered]:
        """See ``Unit.buffered``."""
        found = [
            entry
            for key, entry in self._buffer().items()
            if (entry.contact_centre_id, entry.campaign_group_id) == (contact_centre_id, campaign_group_id)
            and key not in passed_over
        ]
        found.sort(key=lambda entry: (entry.place, entry.list_id, entry.chain_id))
        return memory_claims.with_records(self._records(), found[:limit])

    async def buffers_ended(self, now_ms: int, limit: int) -> list[Buffered]:
        """See ``Unit.buffers_ended``."""
        found = [entry for entry in self._buffer().values() if entry.lease_until_ms <= now_ms]
        found.sort(key=lambda entry: (entry.lease_until_ms, entry.chain_key))
        return memory_claims.with_records(self._records(), found[:limit])

    async def buffer_entry(self, contact_centre_id: int, list_id: int, chain_id: int) -> BufferEntry | None:
        """See ``Unit.buffer_entry``."""
        return self._buffer().get((contact_centre_id, list_id, chain_id))

    async def buffer_sizes(self) -> list[BufferSize]:
        """See ``Unit.buffer_sizes``."""
        counted = Counter((entry.contact_centre_id, entry.campaign_group_id) for entry in self._buffer().values())
        return [BufferSize(*group, counted[group]) for group in sorted(counted)]

    async def buffer_size(self, contact_centre_id: int, campaign_group_id: int) -> int:
        """See ``Unit.buffer_size``."""
        sizes = await self.buffer_sizes()
        group = (contact_centre_id, campaign_group_id)
        return next((one.chains for one in sizes if (one.contact_centre_id, one.campaign_group_id) == group), 0)

    async def records_of_contact(
        self, contact_centre_id: int, list_ids: Sequence[int], kind: DoNotCallKind, value: str, limit: int
    ) -> list[Record]:
        """See ``Unit.records_of_contact``."""
        found = []
        for record in self._records():
            contact = record.phone_number if kind is DoNotCallKind.NUMBER else record.customer_id
            if contact is not None and contact_key(kind, contact) == contact_key(kind, value):
                found.append(record)
        return [r for r in found if r.contact_centre_id == contact_centre_id and r.list_id in list_ids][:limit]

    async def due_callbacks(self, contact_centre_id: int, user_id: int, now_s: int, limit: int) -> list[Record]:
        """See ``Unit.due_callbacks``."""
        due = [
            (record.due_at_s, record.key, record)
            for record in self._records()
            if (record.contact_centre_id, record.agent_id) == (contact_centre_id, user_id)
            and record.status is RecordStatus.READY
            and record.record_type.is_personal
            and record.due_at_s is not None
            and record.due_at_s <= now_s
        ]
        return [record for _, _, record in sorted(due, key=lambda found: found[:2])[:limit]]

    async def suppressed(
        self,
        contact_centre_id: int,
        campaign_id: int | None,
        suppression_list_ids: Collection[int],
        now_s: int,
        contacts: Collection[Contact],
    ) -> dict[Contact, list[Suppression]]:
        """See ``Unit.suppressed``."""
        entries = self._now().suppressions
        asked = (suppression_list_ids, now_s, contacts)
        return memory_contacts.suppressed(entries, contact_centre_id, campaign_id, *asked)

    async def attempts_of(
        self, contact_centre_id: int, number_keys: Collection[str], person_keys: Collection[str], since_ms: int
    ) -> list[PastAttempt]:
        """See ``Unit.attempts_of``."""
        log = self._now().attempts
        return memory_contacts.attempts_of(log, contact_centre_id, number_keys, person_keys, since_ms)

    async def attempts_of_chain(
        self, contact_centre_id: int, list_id: int, chain_id: int, limit: int
    ) -> list[StoredAttempt]:
        """See ``Unit.attempts_of_chain``."""
        return memory_contacts.of_chain(self._now().attempts, (contact_centre_id, list_id, chain_id), limit)

    async def records_where(self, query: RecordQuery) -> list[Record]:
        """See ``Unit.records_where``."""
        return memory_selecting.page(self._records(), query)

    async def recycle_runs(self, contact_centre_id: int, list_id: int, limit: int) -> list[RecycleRun]:
        """See ``Unit.recycle_runs``."""
        return memory_selecting.runs_of(self._now().recycle_runs, contact_centre_id, list_id, limit)

    async def undo_of(self, contact_centre_id: int, list_id: int, run_id: int, limit: int) -> list[Undo]:
        """See ``Unit.undo_of``."""
        return memory_selecting.undo_of(self._now().undos, contact_centre_id, list_id, run_id, limit)

    async def repeats(self, request_keys: Sequence[int], since_ms: int) -> dict[int, StoredRow]:
        """See ``Unit.repeats``."""
        return {
            stored.row.request_key: stored
            for stored in self._now().journal
            if stored.row.request_key is not None
            and stored.row.request_key in request_keys
            and stored.row.at_ms >= since_ms
        }

    async def has_preview_session(self, session: PreviewSession) -> bool:
        """See ``Unit.has_preview_session``."""
        return session in self._now().preview_sessions

    async def preview_sessions(self, contact_centre_id: int, user_id: int) -> list[int]:
        """See ``Unit.preview_sessions``."""
        sessions = self._now().preview_sessions
        whose = (contact_centre_id, user_id)
        return sorted(s.campaign_id for s in sessions if (s.contact_centre_id, s.user_id) == whose)

    async def agent_session(self, contact_centre_id: int, user_id: int) -> AgentSession | None:
        """See ``Unit.agent_session``."""
        return self._now().agent_sessions.get((contact_centre_id, user_id))

    async def import_progress(self, contact_centre_id: int, list_id: int, import_id: str) -> ImportProgress | None:
        """See ``Unit.import_progress``."""
        return self._now().imports.get((contact_centre_id, list_id, import_id))

    def _now(self) -> Tables:
        if self.is_over:
            raise Defect("the transaction is over")
        if not self._is_open():
            raise Unavailable("the store is closed")
        return self._tables

    def _numbers(self, name: str, count: int) -> range:
        # At once and for good: a number that was handed out in vain does not come again.
        start = self._tables.next_numbers[name]
        self._tables.next_numbers[name] = start + count
        return range(start, start + count)

    def _records(self) -> list[Record]:
        records = self._now().records | self._claimed
        return [records[key] for key in sorted(records)]

    def _buffer(self) -> dict[ChainKey, BufferEntry]:
        return self._now().buffer | self._buffered

    def _all_held(self) -> list[Held]:
        tables = self._now()
        entries = [tables.desk[key] for key in sorted(tables.desk)]
        records = tables.records | self._claimed
        return [Held(e, records[e.record_key]) for e in entries if e.record_key in records]


def _key(held: Held) -> DeskKey:
    return DeskKey(held.entry.contact_centre_id, held.entry.handle)


def _check_imports(tables: Tables, changes: Changes) -> None:
    """An import only ever moves forward; ``Conflict`` when another process is further."""
    known = dict(tables.imports)
    for progress in changes.imports:
        key = (progress.contact_centre_id, progress.list_id, progress.import_id)
        before = known.get(key)
        if before is not None:
            is_further = before.source_rows_done < progress.source_rows_done or progress.state is ImportState.DONE
            if before.state is not ImportState.RUNNING or not is_further:
                raise Conflict("the import went on elsewhere meanwhile")
        known[key] = progress
