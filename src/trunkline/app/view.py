"""What a batch of requests sees and changes: the store's rows under the changes made so far.

Requests of one batch are decided one after the other. Each returns a ``Decision``; only when it was reached
without a refusal is it laid over the view, so that a refused request leaves nothing behind and the next
one sees what the earlier ones did. Nothing is written before the end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec

from trunkline.app.desk_cache import DeskCache
from trunkline.app.directory import ReferenceBook
from trunkline.app.hand_out.buffer_reads import BufferReads
from trunkline.app.ports import (
    AgentSession,
    Buffered,
    BufferEntry,
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
    Suppression,
    SuppressionKey,
    Undo,
    Unit,
)
from trunkline.app.stored import ScheduleRun
from trunkline.app.suppression.matching import amended, by_record, contacts_of, list_of
from trunkline.domain.attempts import AttemptRow, PastAttempt
from trunkline.domain.campaigns import Campaign, GroupState
from trunkline.domain.desk import DeskEntry
from trunkline.domain.enums import DoNotCallKind
from trunkline.domain.events import AnyEvent
from trunkline.domain.filter_evaluation import matches
from trunkline.domain.records import Record, RecordKey


class Decision(msgspec.Struct, kw_only=True):
    """What one request changes and causes.

    ``notices`` are events for others: those on whose desk the entry lies; ``told`` are for users of the asker's contact
    centre, by id. ``off_buffer`` are chains that leave the buffer. ``is_silent`` requests come from inside and
    leave no row of their own. ``list_id``, ``campaign_id``, ``handle`` and ``outcome`` (0 or the error number) go into
    the audit.

    An ``is_unfinished`` request could not be decided within one transaction: its changes are saved, it gets neither row
    nor answer, and is decided again in the next one. Whoever decides so says why that comes to an end.
    """

    events: Sequence[AnyEvent] = ()
    notices: Sequence[tuple[DeskEntry, AnyEvent]] = ()
    records: Sequence[Record] = ()
    new_records: Sequence[Record] = ()
    desk: Sequence[DeskEntry] = ()
    off_desk: Sequence[DeskEntry] = ()
    suppressions: Sequence[Suppression] = ()
    lifted: Sequence[SuppressionKey] = ()
    preview_sessions: dict[PreviewSession, bool] = {}
    agent_session: tuple[int, int, AgentSession | None] | None = None
    import_progress: ImportProgress | None = None
    group_states: Sequence[GroupState] = ()
    removed: Sequence[Record] = ()
    recycle_run: RecycleRun | None = None
    undo: Sequence[Undo] = ()
    undone: Sequence[tuple[RecordKey, int]] = ()
    attempts: Sequence[AttemptRow] = ()
    told: Sequence[tuple[int, AnyEvent]] = ()
    off_buffer: Sequence[ChainKey] = ()
    schedule_runs: Sequence[ScheduleRun] = ()
    list_id: int | None = None
    campaign_id: int | None = None
    handle: int | None = None
    outcome: int = 0
    is_silent: bool = False
    is_unfinished: bool = False


class View:
    """One batch's working set over one ``Unit``.

    ``chains_examined`` counts what the batch's searches for a chain met in vain; see ``app.hand_out.next_chain``. What
    these need not ask twice: agents (contact centre, group, user) without a due callback, groups whose lists have no
    more chains to claim; and chains that claims are to leave where they are.
    """

    def __init__(self, unit: Unit, book: ReferenceBook, now_ms: int, cache: DeskCache | None = None) -> None:
        self.unit = unit
        self._cache = cache
        self.book = book
        self.now_ms = now_ms
        self.now_s = now_ms // 1000
        self.chains_examined = 0
        self.without_callbacks: set[tuple[int, int, int]] = set()
        self.dry_groups: set[tuple[int, int]] = set()
        self.passed_over: set[ChainKey] = set()
        self._buffers = BufferReads(unit)
        self._held: dict[DeskKey, Held | None] = {}
        self._records: dict[RecordKey, Record] = {}
        self._new: dict[RecordKey, Record] = {}
        self._desk: dict[DeskKey, DeskEntry] = {}
        self._off_desk: set[DeskKey] = set()
        self._off_buffer: set[ChainKey] = set()
        self._suppressions: list[Suppression] = []
        self._lifted: set[SuppressionKey] = set()
        self._preview: dict[PreviewSession, bool] = {}
        self._sessions: dict[tuple[int, int], AgentSession | None] = {}
        self._imports: list[ImportProgress] = []
        self._group_states: dict[tuple[int, int], GroupState] = {}
        self._attempts: list[AttemptRow] = []
        self._schedule_runs: list[ScheduleRun] = []
        self._removed: dict[RecordKey, Record] = {}
        self._recycle_runs: dict[tuple[int, int, int], RecycleRun] = {}
        self._undo: list[Undo] = []
        self._undone: list[tuple[RecordKey, int]] = []

    async def prefetch(self, keys: Iterable[DeskKey]) -> None:
        """Find the desk entries that the batch names: in the cache, the others in one statement."""
        wanted: list[DeskKey] = []
        cache = self._cache
        for key in set(keys):
            known = self._held[key] = cache.get(key) if cache is not None else None
            if known is None:
                wanted.append(key)
        if wanted:
            wanted.sort()
            for held in await self.unit.held(wanted):
                self._keep(held)

    def _keep(self, held: Held) -> None:
        self._held[DeskKey(held.entry.contact_centre_id, held.entry.handle)] = held
        if self._cache is not None:
            self._cache.learn(held)

    async def held(self, contact_centre_id: int, handle: int) -> Held | None:
        """A desk entry with its record as they stand now, or None."""
        key = DeskKey(contact_centre_id, handle)
        if key in self._off_desk:
            return None
        if key not in self._held:
            await self.prefetch([key])
        stored = self._held[key]
        entry = self._desk.get(key)
        if entry is None:
            if stored is None:
                return None
            record = self._records.get(stored.record.key)
            return stored if record is None else Held(stored.entry, record)
        record = self._record_of(entry, stored)
        return Held(entry, record) if record is not None else None

    def _record_of(self, entry: DeskEntry, stored: Held | None) -> Record | None:
        key = entry.record_key
        changed = self._records.get(key) or self._new.get(key)
        if changed is not None:
            return changed
        return stored.record if stored is not None else None

    async def chain(self, contact_centre_id: int, list_id: int, chain_id: int) -> list[Record]:
        """The records of a chain as they stand now, by place."""
        stored = await self.unit.chain(contact_centre_id, list_id, chain_id)
        return self._as_they_stand((contact_centre_id, list_id, chain_id), stored)

    def _as_they_stand(self, prefix: ChainKey, stored: Iterable[Record]) -> list[Record]:
        chain = {record.key: self._records.get(record.key, record) for record in stored}
        chain.update({key: record for key, record in self._new.items() if key[:3] == prefix})
        return [chain[key] for key in sorted(chain) if key not in self._removed]

    async def entries_of_chain(self, contact_centre_id: int, list_id: int, chain_id: int) -> list[DeskEntry]:
        """The desk entries of a chain as they stand now, by handle."""
        prefix = (contact_centre_id, list_id, chain_id)
        stored = await self.unit.entries_of_chain(*prefix)
        entries = {DeskKey(entry.contact_centre_id, entry.handle): entry for entry in stored}
        entries.update({key: entry for key, entry in self._desk.items() if entry.record_key[:3] == prefix})
        return [entries[key] for key in sorted(entries) if key not in self._off_desk]

    async def desk_of(self, contact_centre_id: int, user_id: int) -> list[Held]:
        """An agent's desk as it stands now, by handle."""
        keys = {
            DeskKey(h.entry.contact_centre_id, h.entry.handle): h
            for h in await self.unit.desk_of(contact_centre_id, user_id)
        }
        for key, held in keys.items():
            self._held.setdefault(key, held)
        mine = set(keys) | {
            k for k, e in self._desk.items() if e.user_id == user_id and k.contact_centre_id == contact_centre_id
        }
        found = [await self.held(key.contact_centre_id, key.handle) for key in sorted(mine)]
        return [held for held in found if held is not None and held.entry.user_id == user_id]

    # The hand-out

    async def claim(self, claim: Claim) -> Claimed:
        """Claim chains for a group's buffer, apart from those that this batch has changed or passed over."""
        prefix = (claim.contact_centre_id, claim.list_id)
        left = {chain_id for centre, list_id, chain_id in self._touched() if (centre, list_id) == prefix}
        claimed = await self.unit.claim(msgspec.structs.replace(claim, passed_over=claim.passed_over | left))
        self._buffers.grown((claim.contact_centre_id, claim.campaign_group_id), len(claimed.chains))
        return claimed

    async def claim_callback(self, claim: CallbackClaim) -> Claimed:
        """Claim the next callback of an agent in the same way; ``next_buffered`` does not yield it."""
        left = {
            (list_id, chain_id) for centre, list_id, chain_id in self._touched() if centre == claim.contact_centre_id
        }
        claimed = await self.unit.claim_callback(msgspec.structs.replace(claim, passed_over=claim.passed_over | left))
        self._buffers.met.update(claimed.chains)
        return claimed

    def _touched(self) -> set[ChainKey]:
        return {key[:3] for changed in (self._records, self._new) for key in changed} | self.passed_over

    async def next_buffered(self, contact_centre_id: int, campaign_group_id: int) -> Buffered | None:
        """The next chain of a group's buffer as it stands now, each once in a batch; None when there is no more."""
        found = await self._buffers.next((contact_centre_id, campaign_group_id))
        if found is None:
            return None
        return Buffered(found.entry, self._as_they_stand(found.entry.chain_key, found.records))

    def ahead(self, contact_centre_id: int, campaign_group_id: int) -> Sequence[Buffered]:
        """Chains that ``next_buffered`` has read already and will yield next, as they were stored."""
        return self._buffers.ahead((contact_centre_id, campaign_group_id))

    async def buffer_size(self, contact_centre_id: int, campaign_group_id: int) -> int:
        """Chains that ``next_buffered`` has still to yield."""
        return await self._buffers.size((contact_centre_id, campaign_group_id))

    async def preview_agents(self, contact_centre_id: int, campaign_id: int) -> Collection[int]:
        """User ids of those who take preview records of a campaign, as they were stored."""
        return await self._buffers.agents(contact_centre_id, campaign_id)

    async def buffers_ended(self, now_ms: int, limit: int) -> list[Buffered]:
        """Buffered chains whose lease ended, as they stand now; those that left in this batch are not among them."""
        found = await self.unit.buffers_ended(now_ms, limit)
        return [
            Buffered(one.entry, self._as_they_stand(one.entry.chain_key, one.records))
            for one in found
            if one.entry.chain_key not in self._off_buffer
        ]

    async def buffer_entry(self, contact_centre_id: int, list_id: int, chain_id: int) -> BufferEntry | None:
        """The entry of a chain that lies in a buffer now, or None."""
        key = (contact_centre_id, list_id, chain_id)
        return None if key in self._off_buffer else await self.unit.buffer_entry(*key)

    # Everything else

    async def suppressed(self, campaign: Campaign, records: Sequence[Record]) -> dict[RecordKey, list[Suppression]]:
        """The do-not-call entries that keep records from being called for that campaign, by record; one question."""
        contacts = {record.key: contacts_of(record, list_of(self.book, record)) for record in records}
        asked = {contact for each in contacts.values() for contact in each}
        centre = campaign.contact_centre_id
        lists = self.book.suppression_list_ids(centre, campaign)
        hits = await self.unit.suppressed(centre, campaign.campaign_id, lists, self.now_s, asked)
        if self._suppressions or self._lifted:
            hits = amended(hits, self._suppressions, self._lifted, campaign, lists, self.now_s)
        return by_record(contacts, hits)

    async def attempts_of(
        self, contact_centre_id: int, number_keys: Collection[str], person_keys: Collection[str], since_ms: int
    ) -> list[PastAttempt | AttemptRow]:
        """What attempt rules need to know of numbers and persons, what this batch adds included, in order."""
        found: list[PastAttempt | AttemptRow] = []
        found += await self.unit.attempts_of(contact_centre_id, number_keys, person_keys, since_ms)
        found += [
            row
            for row in self._attempts
            if row.contact_centre_id == contact_centre_id
            and (row.number_key in number_keys or row.person_key in person_keys)
        ]
        return found

    async def records_of_contact(
        self, contact_centre_id: int, list_ids: Sequence[int], kind: DoNotCallKind, value: str, limit: int
    ) -> list[Record]:
        """Records with that number or customer id as they stand now."""
        found = await self.unit.records_of_contact(contact_centre_id, list_ids, kind, value, limit)
        return [self._records.get(record.key, record) for record in found]

    def still_selected(self, found: Sequence[Record], query: RecordQuery) -> list[Record]:
        """Records that the unit found, as they stand now; those that this batch made unselected are left out."""
        present = [self._records.get(record.key, record) for record in found if record.key not in self._removed]
        return [record for record in present if matches(query.condition, record, query.now_s)]

    def is_changed(self, key: RecordKey) -> bool:
        """True when this batch changed or removed the record."""
        return key in self._records or key in self._removed

    async def has_preview_session(self, session: PreviewSession) -> bool:
        """True while the agent takes preview records of the campaign."""
        known = self._preview.get(session)
        return await self.unit.has_preview_session(session) if known is None else known

    async def preview_sessions(self, contact_centre_id: int, user_id: int) -> list[PreviewSession]:
        """The agent's preview sessions as they stand now."""
        stored = await self.unit.preview_sessions(contact_centre_id, user_id)
        sessions = {PreviewSession(contact_centre_id, user_id, campaign_id) for campaign_id in stored}
        for session, is_open in self._preview.items():
            if (session.contact_centre_id, session.user_id) == (contact_centre_id, user_id):
                (sessions.add if is_open else sessions.discard)(session)
        return sorted(sessions, key=lambda session: session.campaign_id)

    async def agent_session(self, contact_centre_id: int, user_id: int) -> AgentSession | None:
        """The agent's log-in as it stands now, or None."""
        key = (contact_centre_id, user_id)
        if key in self._sessions:
            return self._sessions[key]
        return await self.unit.agent_session(contact_centre_id, user_id)

    def lay(self, decision: Decision) -> None:
        """Lay a decision over the view."""
        for record in decision.records:
            (self._new if record.key in self._new else self._records)[record.key] = record
        for record in decision.new_records:
            self._new[record.key] = record
        for entry in decision.desk:
            self._desk[DeskKey(entry.contact_centre_id, entry.handle)] = entry
        for entry in decision.off_desk:
            key = DeskKey(entry.contact_centre_id, entry.handle)
            self._desk.pop(key, None)
            self._off_desk.add(key)
        if decision.lifted:
            self._lifted.update(decision.lifted)
            self._suppressions = [entry for entry in self._suppressions if entry.key not in self._lifted]
        self._suppressions.extend(decision.suppressions)
        self._preview.update(decision.preview_sessions)
        if decision.agent_session is not None:
            centre, user_id, session = decision.agent_session
            self._sessions[centre, user_id] = session
        if decision.import_progress is not None:
            self._imports.append(decision.import_progress)
        if decision.group_states:
            self._group_states.update({state.key: state for state in decision.group_states})
            # Requests behind this one in the batch see the group as it stands now.
            self.book = self.book.with_states(decision.group_states)
        self._attempts.extend(decision.attempts)
        self._off_buffer.update(decision.off_buffer)
        self._schedule_runs.extend(decision.schedule_runs)
        for record in decision.removed:
            self._records.pop(record.key, None)
            self._removed[record.key] = record
            self.passed_over.add(record.key[:3])
        if decision.recycle_run is not None:
            run = decision.recycle_run
            self._recycle_runs[run.contact_centre_id, run.list_id, run.run_id] = run
        self._undo.extend(decision.undo)
        self._undone.extend(decision.undone)

    def changes(self) -> Changes:
        """Everything laid over the view, with the versions the store is to find and leave."""
        replace = msgspec.structs.replace
        return Changes(
            records={key: replace(record, version=record.version + 1) for key, record in self._records.items()},
            new_records=list(self._new.values()),
            before=self._before(),
            desk=self._desk,
            off_desk=self._off_desk,
            suppressions=self._suppressions,
            lifted=self._lifted,
            preview_sessions=self._preview,
            agent_sessions=self._sessions,
            imports=self._imports,
            group_states=self._group_states,
            removed=list(self._removed.values()),
            recycle_runs=list(self._recycle_runs.values()),
            undo=self._undo,
            undone=self._undone,
            attempts=self._attempts,
            off_buffer=self._off_buffer,
            schedule_runs=self._schedule_runs,
        )

    def _before(self) -> dict[RecordKey, Record]:
        """The stored values of changed records, as far as they were met on a desk."""
        met = {held.record.key: held.record for held in self._held.values() if held is not None}
        return {key: met[key] for key in self._records if key in met}
