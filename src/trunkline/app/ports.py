"""Ports: what the use cases ask of the outside world.

The store is batch-shaped where speed matters. One ``Unit`` is one transaction: it reads what a whole
batch of requests needs in few statements and writes everything they changed in few statements.
Three adapters implement it (PostgreSQL, SQLite, memory) and pass one conformance suite.

Conventions: times ending in ``_s`` are Unix seconds, in ``_ms`` Unix milliseconds. Every key begins with
the contact centre, and a record's with its list (decisions 10).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Protocol

import msgspec

from trunkline.domain.campaigns import CallingList, Campaign
from trunkline.domain.desk import DeskEntry
from trunkline.domain.enums import DoNotCallKind, Door, RequestType
from trunkline.domain.events import AnyEvent
from trunkline.domain.people import Caller
from trunkline.domain.records import Record, RecordKey
from trunkline.errors import TrunklineError

MAX_EVENTS_A_REQUEST = 1024
"""Events that one request may cause: the longest chain read. A mark is ``seq * 1024 + place``."""

MAX_CHAIN = 500
"""Records in one chain: a customer with 500 numbers is an import error; the limit keeps chain reads bounded."""


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


class Conflict(TrunklineError):
    """Another writer changed a row since it was read; the transaction was rolled back, try it again."""


class DeskKey(msgspec.Struct, frozen=True, order=True):
    """Contact centre and handle."""

    contact_centre_id: int
    handle: int


class Held(msgspec.Struct, frozen=True):
    """A desk entry with its record."""

    entry: DeskEntry
    record: Record


class Suppression(msgspec.Struct, frozen=True, kw_only=True):
    """A do-not-call entry. ``campaign_id`` None means the whole contact centre.

    ``value`` is a number as the list holds it or a customer id; numbers are compared by
    ``domain.numbers.canonical_number``.
    """

    contact_centre_id: int
    kind: DoNotCallKind
    value: str
    campaign_id: int | None = None
    added_at_ms: int = 0
    added_by: int | None = None
    reason: str = ""


class PreviewSession(msgspec.Struct, frozen=True):
    """An agent takes preview records of a campaign."""

    contact_centre_id: int
    user_id: int
    campaign_id: int


class AgentSession(msgspec.Struct, frozen=True, kw_only=True):
    """An agent is logged in. ``state_name`` is one of the five fixed states."""

    contact_centre_id: int
    user_id: int
    device_id: str
    state_name: str
    started_at_ms: int
    place: str | None = None


class JournalRow(msgspec.Struct, frozen=True, kw_only=True):
    """One request (or unsolicited event) as it is kept for ever: audit, outbox and repeat check in one row.

    ``outcome`` is 0 or the error number that went to the agent. ``reference`` is the caller's mark as JSON
    text. ``request_key`` is a 64-bit digest of principal, reference and body; None when no reference was given.
    ``elapsed_ns`` is how long the server worked on it before the commit.
    """

    contact_centre_id: int
    user_id: int
    at_ms: int
    request_type: RequestType
    door: Door = Door.INSIDE
    campaign_id: int | None = None
    list_id: int | None = None
    handle: int | None = None
    outcome: int = 0
    reference: str | None = None
    request_key: int | None = None
    elapsed_ns: int = 0
    events: tuple[AnyEvent, ...] = ()


class StoredRow(msgspec.Struct, frozen=True):
    """A journal row with the sequence number it was given; numbers grow in commit order."""

    seq: int
    row: JournalRow


class JournalSpan(msgspec.Struct, frozen=True):
    """Which part of the journal is there: rows up to ``pruned_to`` may be gone, ``newest`` is the last number given.

    Both are 0 for a journal that never had a row.
    """

    pruned_to: int
    newest: int


class CursorKey(msgspec.Struct, frozen=True, order=True):
    """Whose deliveries on which channel."""

    contact_centre_id: int
    user_id: int
    channel: str


class ImportState(StrEnum):
    """How far an import is."""

    RUNNING = "running"
    DONE = "done"


class ImportProgress(msgspec.Struct, frozen=True, kw_only=True):
    """An import, so that repeating it adds nothing and resuming it goes on where it stopped.

    ``source_rows_done`` counts rows of the file, good and bad, whose outcome is committed.
    """

    contact_centre_id: int
    list_id: int
    import_id: str
    state: ImportState
    source_rows_done: int = 0
    records_added: int = 0
    rows_refused: int = 0
    file_digest: str = ""
    started_at_ms: int = 0


class Changes(msgspec.Struct):
    """Everything a batch changed; written by ``Unit.save`` in one go.

    ``records`` hold the new values; the stored row must still have ``version - 1``, else ``Conflict``. ``desk``
    are upserts, ``off_desk`` removals. ``preview_sessions`` and ``agent_sessions`` map to False/None for removal.
    ``before`` are the values that ``records`` replace, where they are known: a store may spare the indexes that did
    not change. ``cursors`` only ever move forward. So do ``imports``: one that is done, or further, in the store
    means ``Conflict``. ``journal`` is in the order of the requests.
    """

    records: dict[RecordKey, Record] = {}
    new_records: list[Record] = []
    desk: dict[DeskKey, DeskEntry] = {}
    off_desk: set[DeskKey] = set()
    suppressions: list[Suppression] = []
    preview_sessions: dict[PreviewSession, bool] = {}
    agent_sessions: dict[tuple[int, int], AgentSession | None] = {}
    before: dict[RecordKey, Record] = {}
    cursors: dict[CursorKey, int] = {}
    imports: list[ImportProgress] = []
    journal: list[JournalRow] = []

    @property
    def is_common(self) -> bool:
        """Tell whether this is the batch that comes most: changed records, and the journal of the requests."""
        return bool(self.records and self.journal) and not (
            self.new_records
            or self.desk
            or self.off_desk
            or self.suppressions
            or (self.preview_sessions or self.agent_sessions)
            or self.cursors
            or self.imports
        )


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What the hand-out looks for: the next chain that may be called now.

    Considered are records of ``list_ids`` (in the campaign's order) with status READY, a dialable contact type,
    not NO_CALL, not yet due excluded, attempts below ``max_attempts[list_id]``, an open window, and personal
    types only when ``user_id`` owns them. Order: ``TYPE_PRIORITY``, then place of the list, then chain_id, chain_n.
    ``passed_over`` are chains (list_id, chain_id) already examined and dropped in this transaction.
    """

    contact_centre_id: int
    list_ids: tuple[int, ...]
    max_attempts: dict[int, int]
    user_id: int
    now_s: int
    passed_over: frozenset[tuple[int, int]] = frozenset()


class DeskReads(Protocol):
    """What lies on desks and who is logged in: a unit reads it to decide, a store to show it."""

    async def held(self, keys: Sequence[DeskKey]) -> list[Held]:
        """Desk entries with their records; unknown handles are left out. Keys come sorted."""

    async def desk_of(self, contact_centre_id: int, user_id: int) -> list[Held]:
        """What lies on an agent's desk, by handle."""

    async def agent_session(self, contact_centre_id: int, user_id: int) -> AgentSession | None:
        """The agent's log-in, or None."""


class Unit(DeskReads, Protocol):
    """One transaction. Reads see what was committed before it; writes happen in ``save``."""

    async def repeats(self, request_keys: Sequence[int], since_ms: int) -> dict[int, StoredRow]:
        """The newest journal row of each request key not older than ``since_ms``."""

    async def chain(self, contact_centre_id: int, list_id: int, chain_id: int) -> list[Record]:
        """All records of a chain by place; empty when there is none."""

    async def entries_of_chain(self, contact_centre_id: int, list_id: int, chain_id: int) -> list[DeskEntry]:
        """Every desk entry of a chain's records, by handle."""

    async def expired(self, now_ms: int, limit: int) -> list[Held]:
        """Entries whose lease ended, oldest first."""

    async def next_record(self, search: Search) -> Record | None:
        """The best record of the next chain (see ``Search``), or None."""

    async def suppressed(
        self, contact_centre_id: int, campaign_id: int | None, numbers: Iterable[str], customers: Iterable[str]
    ) -> set[tuple[DoNotCallKind, str]]:
        """Those of the numbers and customer ids (as given) that must not be called for that campaign."""

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


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A user account: the caller it authenticates and the stored hash (argon2id, encoded form)."""

    caller: Caller
    password_hash: str
    is_enabled: bool = True


class Directory(msgspec.Struct, frozen=True, kw_only=True):
    """Reference data of the whole installation, small enough to hold in memory.

    ``version`` grows with every ``provision``; users are not part of it (there may be many).
    """

    version: int
    contact_centres: dict[int, str]
    campaigns: tuple[Campaign, ...]
    lists: tuple[CallingList, ...]


class Provision(msgspec.Struct, kw_only=True):
    """Reference data to write, by key, in one transaction; what exists is replaced."""

    contact_centres: dict[int, str] = {}
    users: list[User] = []
    lists: list[CallingList] = []
    campaigns: list[Campaign] = []


class AuditQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the request audit, newest first. ``before_seq`` continues a page; None starts at the newest."""

    contact_centre_id: int
    user_id: int | None = None
    request_type: int | None = None
    handle: int | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    before_seq: int | None = None
    limit: int = 100


class Store(DeskReads, Protocol):
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

    async def user(self, contact_centre_id: int, user_name: str) -> User | None:
        """An account by its name as typed (compared exactly)."""

    async def users(self, contact_centre_id: int, user_ids: Sequence[int] | None = None) -> list[User]:
        """Accounts by id, or all of a contact centre."""

    async def user_by_name(self, user_name: str) -> list[User]:
        """Accounts of that name in any contact centre (log-in does not name one)."""

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
