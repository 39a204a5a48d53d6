"""Ports: what the use cases ask of the outside world.

The store is batch-shaped where speed matters. One ``Unit`` is one transaction: it reads what a whole
batch of requests needs in few statements and writes everything they changed in few statements.
Three adapters implement it (PostgreSQL, SQLite, memory) and pass one conformance suite. What goes in and out is in
``app.stored``.

Conventions: times ending in ``_s`` are Unix seconds, in ``_ms`` Unix milliseconds. Every key begins with
the contact centre, and a record's with its list (decisions 10).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from trunkline.app.bulk import HasBulk
from trunkline.app.callbacks.reads import CallbackReads
from trunkline.app.explain.census import CensusGroup, CensusQuery
from trunkline.app.groups.reads import Counting, WorkReads
from trunkline.app.hand_out.claims import (
    EVERYTHING,
    MAX_CLAIM,
    Buffered,
    BufferEntry,
    BufferSize,
    CallbackClaim,
    ChainKey,
    Claim,
    Claimed,
    ClaimKind,
    ClaimList,
)
from trunkline.app.lists.reads import DeskPages, ListCounts, ListReads
from trunkline.app.person_reads import PersonStore
from trunkline.app.reference_data import (
    Directory,
    Namesake,
    ObjectChanges,
    ObjectVersion,
    ObjectWrite,
    Provision,
    User,
    UserWrite,
)
from trunkline.app.stored import (
    MAX_CHAIN,
    MAX_EVENTS_A_REQUEST,
    AgentSession,
    AuditQuery,
    Changes,
    Conflict,
    CursorKey,
    DeskKey,
    Held,
    ImportProgress,
    ImportState,
    JournalRow,
    JournalSpan,
    PreviewSession,
    RecordQuery,
    RecycleRun,
    RecycleState,
    StoredRow,
    Undo,
)
from trunkline.app.stored_contacts import (
    AttemptQuery,
    Suppression,
    SuppressionCount,
    SuppressionKey,
    SuppressionQuery,
)
from trunkline.domain.attempts import PastAttempt, StoredAttempt
from trunkline.domain.desk import DeskEntry
from trunkline.domain.enums import DoNotCallKind
from trunkline.domain.objects import ObjectKey, StoredObject
from trunkline.domain.records import Record
from trunkline.domain.suppression import Contact

__all__ = [
    "EVERYTHING",
    "MAX_CHAIN",
    "MAX_CLAIM",
    "MAX_EVENTS_A_REQUEST",
    "AgentSession",
    "AttemptQuery",
    "AuditQuery",
    "BufferEntry",
    "BufferSize",
    "Buffered",
    "CallbackClaim",
    "ChainKey",
    "Chance",
    "Changes",
    "Claim",
    "ClaimKind",
    "ClaimList",
    "Claimed",
    "Clock",
    "Conflict",
    "CursorKey",
    "DeskKey",
    "DeskReads",
    "Directory",
    "Held",
    "ImportProgress",
    "ImportState",
    "JournalRow",
    "JournalSpan",
    "Namesake",
    "ObjectChanges",
    "ObjectVersion",
    "ObjectWrite",
    "PreviewSession",
    "Provision",
    "RecordQuery",
    "RecycleRun",
    "RecycleState",
    "Store",
    "StoredRow",
    "Suppression",
    "SuppressionCount",
    "SuppressionKey",
    "SuppressionQuery",
    "Undo",
    "Unit",
    "User",
    "UserWrite",
]


class Clock(Protocol):
    """The time of day. Only ``main`` knows a real one."""

    def now_ms(self) -> int:
        """Unix milliseconds."""

    def now_s(self) -> int:
        """Unix seconds."""

    def monotonic_ns(self) -> int:
        """Nanoseconds that never jump back, for durations."""


class Chance(Protocol):
    """Where unguessable values come from."""

    def token(self) -> str:
        """At least 128 random bits as lower-case letters and digits."""

    def uuid(self) -> str:
        """A random uuid in its usual spelling."""


class DeskReads(Protocol):
    """What lies on desks and who is logged in: a unit reads it to decide, a store to show it."""

    async def held(self, keys: Sequence[DeskKey]) -> list[Held]:
        """Desk entries with their records; unknown handles are left out. Keys come sorted."""

    async def desk_of(self, contact_centre_id: int, user_id: int) -> list[Held]:
        """What lies on an agent's desk, by handle."""

    async def agent_session(self, contact_centre_id: int, user_id: int) -> AgentSession | None:
        """The agent's log-in, or None."""


class Unit(DeskReads, WorkReads, ListReads, Protocol):
    """One transaction. Reads see what was committed before it; writes happen in ``save``."""

    async def repeats(self, request_keys: Sequence[int], since_ms: int) -> dict[int, StoredRow]:
        """The newest journal row of each request key not older than ``since_ms``."""

    async def chain(self, contact_centre_id: int, list_id: int, chain_id: int) -> list[Record]:
        """All records of a chain by place; empty when there is none."""

    async def entries_of_chain(self, contact_centre_id: int, list_id: int, chain_id: int) -> list[DeskEntry]:
        """Every desk entry of a chain's records, by handle."""

    async def expired(self, now_ms: int, limit: int) -> list[Held]:
        """Entries whose lease ended, oldest first."""

    async def claim(self, claim: Claim) -> Claimed:
        """Take chains for a campaign group (see ``Claim``); written at once, so that later reads of the unit see it.

        Cost: a few index look-ups for each open window and each chain taken, however long the list is; with a selection
        as many as it passes over.
        """

    async def claim_callback(self, claim: CallbackClaim) -> Claimed:
        """Take the callback that an agent is to get next (see ``CallbackClaim``), written at once; one at most."""

    async def buffered(
        self, contact_centre_id: int, campaign_group_id: int, passed_over: Collection[ChainKey], limit: int
    ) -> list[Buffered]:
        """The chains that a group's buffer hands out next, in order (place, list, chain)."""

    async def buffers_ended(self, now_ms: int, limit: int) -> list[Buffered]:
        """Buffer entries whose lease ended, by its end, then key."""

    async def buffer_entry(self, contact_centre_id: int, list_id: int, chain_id: int) -> BufferEntry | None:
        """The entry of a chain that lies in a buffer, or None."""

    async def buffer_sizes(self) -> list[BufferSize]:
        """Every group that has a buffer, by key. Cost: a look at every chain that lies in one."""

    async def buffer_size(self, contact_centre_id: int, campaign_group_id: int) -> int:
        """Chains in a group's buffer."""

    async def suppressed(
        self,
        contact_centre_id: int,
        campaign_id: int | None,
        suppression_list_ids: Collection[int],
        now_s: int,
        contacts: Collection[Contact],
    ) -> dict[Contact, list[Suppression]]:
        """The entries that keep those contacts from being called, by contact; without those that nothing holds back.

        Looked at are the contact centre's own list and those given, entries for all campaigns and for this one (None:
        for all campaigns only) that hold at ``now_s``. Cost: one index look-up a contact, however long the lists are.
        """

    async def attempts_of(
        self, contact_centre_id: int, number_keys: Collection[str], person_keys: Collection[str], since_ms: int
    ) -> list[PastAttempt]:
        """What attempt rules need to know of those numbers and persons, each row once, by number.

        Of each number and each person the newest ``MAX_PAST_ATTEMPTS`` rows since then.
        """

    async def attempts_of_chain(
        self, contact_centre_id: int, list_id: int, chain_id: int, limit: int
    ) -> list[StoredAttempt]:
        """The newest rows of the attempt log about a chain, newest first."""

    async def records_of_contact(
        self, contact_centre_id: int, list_ids: Sequence[int], kind: DoNotCallKind, value: str, limit: int
    ) -> list[Record]:
        """Records with that number (compared by ``canonical_number``) or customer id, by key."""

    async def due_callbacks(self, contact_centre_id: int, user_id: int, now_s: int, limit: int) -> list[Record]:
        """READY records of personal types that the agent owns and that are due, oldest first."""

    async def has_preview_session(self, session: PreviewSession) -> bool:
        """True while the agent takes preview records of the campaign."""

    async def preview_sessions(self, contact_centre_id: int, user_id: int) -> list[int]:
        """Campaign ids of the agent's preview sessions."""

    async def import_progress(self, contact_centre_id: int, list_id: int, import_id: str) -> ImportProgress | None:
        """How far that import is, or None when it never began."""

    async def take_numbers(self, *, handles: int = 0, records: int = 0, chains: int = 0) -> tuple[range, range, range]:
        """Fresh handles, record ids and chain ids; they never repeat, gaps are allowed. Handles fit 32 bits."""

    async def save(self, changes: Changes) -> list[int]:
        """Write; returns the journal's sequence numbers in order. Raises ``Conflict``. At most once, as the last step.

        A unit that only saves a common batch (``Changes.is_common``) may be committed by this already.
        """


class Store(DeskReads, CallbackReads, PersonStore, WorkReads, Counting, ListCounts, DeskPages, HasBulk, Protocol):
    """Durable storage.

    Reads outside a unit see committed data only, and all of it: every commit that had returned when they began. They
    wait for no unit, and no unit waits for them.
    """

    async def open(self) -> None:
        """Connect and check; refuses a database whose settings would lose answered requests."""

    async def close(self) -> None:
        """Finish what runs and let go."""

    def begin(self) -> AbstractAsyncContextManager[Unit]:
        """One transaction: commits (flushed) on leaving the block, rolls back on an error."""

    async def directory(self) -> Directory:
        """All reference data but users."""

    async def directory_version(self) -> int:
        """Cheap look whether the directory (or any user) changed."""

    async def provision(self, provision: Provision) -> None:
        """Write reference data and bump the directory's version."""

    async def change_objects(self, changes: ObjectChanges) -> list[StoredObject]:
        """Write objects and accounts, each if it is still what the writer saw; all of them or none.

        Moves the directory's version. Returns the objects as they are kept now, without those deleted, in order. Raises
        ``StaleVersion``, ``NotFound`` for one that does not exist, ``AlreadyExists`` when a name or reference is
        another's, ``Conflict`` when the directory is not what ``seen_version`` says.
        """

    async def census(self, query: CensusQuery) -> list[CensusGroup]:
        """How many records of a list there are of each kind, in any order. Cost: reads the whole list once."""

    async def records_by_id(self, contact_centre_id: int, list_ids: Sequence[int], record_id: int) -> list[Record]:
        """The records of some lists with that record id, by key. Cost: reads the lists; no index holds record ids."""

    async def sample(self, contact_centre_id: int, list_id: int, size: int) -> list[Record]:
        """Of each of ``size`` equal parts of a list's chain numbers the first READY record that can be called, by key.

        Parts without one give none. NO_CALL records and contacts that are not telephones are not looked at. Cost: a
        look at each part, and the rows that are passed over in it.
        """

    async def object_versions(self, key: ObjectKey, limit: int) -> list[StoredObject]:
        """The newest versions of an object that there ever were, newest first, without deletions."""

    async def object_history(
        self, contact_centre_id: int, kind: str, object_id: int, before_version: int | None, limit: int
    ) -> list[ObjectVersion]:
        """Who changed an object (or, with kind ``user``, an account), when and why, newest first, deletions too.

        Only versions before ``before_version`` when it is given.
        """

    async def user(self, contact_centre_id: int, user_name: str) -> User | None:
        """An account by its name as typed (compared exactly)."""

    async def users(self, contact_centre_id: int, user_ids: Sequence[int] | None = None) -> list[User]:
        """Accounts by id, or all of a contact centre."""

    async def user_by_name(self, user_name: str) -> list[User]:
        """Accounts of that name in any contact centre (a log-in need not name one)."""

    async def namesakes(self) -> list[Namesake]:
        """Enabled accounts whose name several contact centres have, by name and centre.

        Cost: a look at all accounts.
        """

    async def newest(self, contact_centre_id: int, user_id: int, before_seq: int | None, limit: int) -> list[StoredRow]:
        """A user's newest journal rows, newest first; those before ``before_seq`` when it is given.

        Cost: ``limit`` rows, however long the user's history is.
        """

    async def rows_after(self, contact_centre_id: int, user_id: int, after_seq: int, limit: int) -> list[StoredRow]:
        """A user's journal rows behind ``after_seq``, oldest first. Cost: ``limit`` rows, as for ``newest``."""

    async def epoch(self) -> str:
        """The name of this database's journal: a few random letters and digits, the same for its whole life."""

    async def journal_span(self) -> JournalSpan:
        """How far the journal was pruned and how far it reaches. Cost: one look at each end."""

    async def cursors(self, contact_centre_id: int, user_id: int) -> dict[str, int]:
        """Highest delivered mark by channel."""

    async def recent_request_keys(self, since_ms: int, limit: int) -> list[int]:
        """Request keys of the newest journal rows not older than ``since_ms``; ``limit`` of them at most."""

    async def audit(self, query: AuditQuery) -> list[StoredRow]:
        """A page of the request audit."""

    async def prune(self, before_ms: int, limit: int) -> int:
        """Delete journal rows older than that, at most ``limit``; returns how many."""

    async def attempts(self, query: AttemptQuery) -> list[StoredAttempt]:
        """A portion of the attempt log, by number."""

    async def newest_attempt(self) -> int:
        """The number of the newest row of the attempt log, 0 when there is none."""

    async def attempts_of_chain(
        self, contact_centre_id: int, list_id: int, chain_id: int, limit: int
    ) -> list[StoredAttempt]:
        """See ``Unit.attempts_of_chain``."""

    async def make_attempt_parts(self, now_ms: int) -> int:
        """Have parts of the attempt log for this month and the next ones, where the store keeps it in parts.

        Rows that lie in no month's part get one. Returns how many parts were made.
        """

    async def drop_attempts(self, before_ms: int, limit: int) -> int:
        """Delete rows of the attempt log older than that, as far as the store can cheaply; returns how many.

        A store with parts drops those that are older as a whole, others at most ``limit`` rows at once.
        """

    async def drop_suppressions(self, before_s: int, limit: int) -> int:
        """Delete entries of suppression lists that ended before that, at most ``limit``; returns how many."""

    async def suppression_entries(self, query: SuppressionQuery) -> list[Suppression]:
        """A page of a suppression list."""

    async def suppression_counts(self, contact_centre_id: int, now_s: int) -> dict[int, SuppressionCount]:
        """Entries by list. Cost: reads all of them."""
