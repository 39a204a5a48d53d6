"""What goes into a store and comes out of it: rows, keys, questions, and all that a batch changed.

Conventions as in ``app.ports``: times ending in ``_s`` are Unix seconds, in ``_ms`` Unix milliseconds.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from trunkline.app.hand_out.claims import ChainKey
from trunkline.app.stored_contacts import Suppression, SuppressionKey
from trunkline.domain.attempts import AttemptRow
from trunkline.domain.campaigns import GroupState
from trunkline.domain.desk import DeskEntry
from trunkline.domain.enums import Door, RequestType
from trunkline.domain.events import AnyEvent
from trunkline.domain.filters import Condition
from trunkline.domain.records import Record, RecordKey
from trunkline.errors import TrunklineError

MAX_EVENTS_A_REQUEST = 1024
"""Events that one request may cause: the longest chain read. A mark is ``seq * 1024 + place``."""

MAX_CHAIN = 500
"""Records in one chain: a customer with 500 numbers is an import error; the limit keeps chain reads bounded."""


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

    ``source_rows_done`` counts rows of the file, good and bad, whose outcome is committed; ``source_rows`` are all.
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
    source_rows: int = 0


SCHEDULE_RUNS_KEPT_S = 400 * 86_400
"""Turns of schedules are kept for a year and a month before the newest ones, so that last year's are there to compare;
that is at most some ten thousand rows of a busy schedule."""


class ScheduleRun(msgspec.Struct, frozen=True, kw_only=True):
    """An item of a schedule that had its turn, so that it never has it twice. ``outcome`` says what came of it."""

    contact_centre_id: int
    schedule_id: int
    item_n: int
    due_at_s: int
    done_at_ms: int
    outcome: str


class RecordQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Records of a list that a condition selects, by place: those behind ``after`` (chain, place in it).

    The condition is judged as of ``now_s``. ``limit`` bounds a page; counts have none.
    """

    contact_centre_id: int
    list_id: int
    condition: Condition | None
    now_s: int
    after: tuple[int, int] = (-1, -1)
    limit: int = 1000


class RecycleState(StrEnum):
    """How far a recycling is."""

    RUNNING = "running"
    DONE = "done"
    UNDONE = "undone"


class RecycleRun(msgspec.Struct, frozen=True, kw_only=True):
    """One recycling of a list: who did what to how many records. ``what`` is the order in words."""

    contact_centre_id: int
    list_id: int
    run_id: int
    made_at_ms: int
    made_by: int | None
    what: str
    records: int
    state: RecycleState


class Undo(msgspec.Struct, frozen=True):
    """A record as it was before a recycling. ``record.version`` is the one that the recycling left."""

    run_id: int
    record: Record


class Changes(msgspec.Struct):
    """Everything a batch changed; written by ``Unit.save`` in one go.

    ``records`` hold the new values; the stored row must still have ``version - 1``, else ``Conflict``. ``desk``
    are upserts, ``off_desk`` removals. ``preview_sessions`` and ``agent_sessions`` map to False/None for removal.
    ``removed`` are records that go, in the version that the store must still have, before ``new_records`` come.
    ``before`` are the values that ``records`` replace, where they are known: a store may spare the indexes that did
    not change. ``cursors`` only ever move forward. So do ``imports``: one that is done, or further, in the store
    means ``Conflict``. ``off_buffer`` are chains that leave a buffer; one that lies in none means ``Conflict``:
    somebody else has it. ``journal`` is in the order of the requests.
    """

    records: dict[RecordKey, Record] = {}
    new_records: list[Record] = []
    removed: list[Record] = []
    desk: dict[DeskKey, DeskEntry] = {}
    off_desk: set[DeskKey] = set()
    suppressions: list[Suppression] = []
    lifted: set[SuppressionKey] = set()
    preview_sessions: dict[PreviewSession, bool] = {}
    agent_sessions: dict[tuple[int, int], AgentSession | None] = {}
    before: dict[RecordKey, Record] = {}
    cursors: dict[CursorKey, int] = {}
    imports: list[ImportProgress] = []
    group_states: dict[tuple[int, int], GroupState] = {}
    recycle_runs: list[RecycleRun] = []
    undo: list[Undo] = []
    undone: list[tuple[RecordKey, int]] = []
    attempts: list[AttemptRow] = []
    off_buffer: set[ChainKey] = set()
    schedule_runs: list[ScheduleRun] = []
    journal: list[JournalRow] = []

    @property
    def is_common(self) -> bool:
        """Tell whether this is the batch that comes most: changed records, and the journal of the requests."""
        return bool(self.records and self.journal) and not (
            (self.new_records or self.removed)
            or self.desk
            or self.off_desk
            or (self.suppressions or self.lifted)
            or (self.preview_sessions or self.agent_sessions)
            or (self.cursors or self.imports)
            or (self.group_states or self.attempts)
            or (self.off_buffer or self.schedule_runs)
            or (self.group_states or self.attempts or self.recycle_runs)
        )


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
