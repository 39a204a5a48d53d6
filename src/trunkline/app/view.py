"""What a batch of requests sees and changes: the store's rows under the changes made so far.

Requests of one batch are decided one after the other. Each returns a ``Decision``; only when it was reached
without a refusal is it laid over the view, so that a refused request leaves nothing behind and the next
one sees what the earlier ones did. Nothing is written before the end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec

from trunkline.app.buffer_reads import BufferReads
from trunkline.app.desk_cache import DeskCache
from trunkline.app.directory import ReferenceBook
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
    Suppression,
    Unit,
)
from trunkline.domain.attempts import AttemptRow
from trunkline.domain.campaigns import GroupState
from trunkline.domain.desk import DeskEntry
from trunkline.domain.enums import DoNotCallKind
from trunkline.domain.events import AnyEvent
from trunkline.domain.numbers import canonical_number
from trunkline.domain.records import Record, RecordKey


class Decision(msgspec.Struct, kw_only=True):
    """What one request changes and causes.

    ``notices`` are events for others: those on whose desk the entry lies. ``is_silent`` requests come from inside and
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
    preview_sessions: dict[PreviewSession, bool] = {}
    agent_session: tuple[int, int, AgentSession | None] | None = None
    import_progress: ImportProgress | None = None
    group_states: Sequence[GroupState] = ()
    attempts: Sequence[AttemptRow] = ()
    off_buffer: Sequence[ChainKey] = ()
    list_id: int | None = None
    campaign_id: int | None = None
    handle: int | None = None
    outcome: int = 0
    is_silent: bool = False
    is_unfinished: bool = False


class View:
    """One batch's working set over one ``Unit``.

    ``chains_examined`` counts what the batch's searches for a chain met in vain; see ``app.hand_out``. What these
    need not ask twice: agents (contact centre, group, user) without a due callback, groups whose lists have no more
    chains to claim; and chains that claims are to leave where they are.
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
        self._preview: dict[PreviewSession, bool] = {}
        self._sessions: dict[tuple[int, int], AgentSession | None] = {}
        self._imports: list[ImportProgress] = []
        self._group_states: dict[tuple[int, int], GroupState] = {}
        self._attempts: list[AttemptRow] = []

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
        return [chain[key] for key in sorted(chain)]

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

    async def suppressed(self, contact_centre_id: int, campaign_id: int, chain: Sequence[Record]) -> set[RecordKey]:
        """Keys of those records of a chain whose number or customer must not be called for that campaign."""
        numbers = {record.phone_number for record in chain}
        customers = {record.customer_id for record in chain if record.customer_id}
        hits = await self.unit.suppressed(contact_centre_id, campaign_id, numbers, customers)
        fresh = {
            (entry.kind, entry.value)
            for entry in self._suppressions
            if entry.contact_centre_id == contact_centre_id and entry.campaign_id in (None, campaign_id)
        }
        fresh_numbers = {canonical_number(value) for kind, value in fresh if kind is DoNotCallKind.NUMBER}
        return {
            record.key
            for record in chain
            if (DoNotCallKind.NUMBER, record.phone_number) in hits
            or (DoNotCallKind.CUSTOMER, record.customer_id) in hits
            or canonical_number(record.phone_number) in fresh_numbers
            or (DoNotCallKind.CUSTOMER, record.customer_id) in fresh
        }

    async def records_of_contact(
        self, contact_centre_id: int, list_ids: Sequence[int], kind: DoNotCallKind, value: str, limit: int
    ) -> list[Record]:
        """Records with that number or customer id as they stand now."""
        found = await self.unit.records_of_contact(contact_centre_id, list_ids, kind, value, limit)
        return [self._records.get(record.key, record) for record in found]

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
            preview_sessions=self._preview,
            agent_sessions=self._sessions,
            imports=self._imports,
            group_states=self._group_states,
            attempts=self._attempts,
            off_buffer=self._off_buffer,
        )

    def _before(self) -> dict[RecordKey, Record]:
        """The stored values of changed records, as far as they were met on a desk."""
        met = {held.record.key: held.record for held in self._held.values() if held is not None}
        return {key: met[key] for key in self._records if key in met}
