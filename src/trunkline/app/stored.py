"""What goes into a store and comes out of it: rows, keys, questions, and all that a batch changed.

Conventions as in ``app.ports``: times ending in ``_s`` are Unix seconds, in ``_ms`` Unix milliseconds.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from trunkline.app.claims import ChainKey
from trunkline.domain.attempts import AttemptRow
from trunkline.domain.campaigns import CallingList, Campaign, GroupState
from trunkline.domain.desk import DeskEntry
from trunkline.domain.enums import DoNotCallKind, Door, RequestType
from trunkline.domain.events import AnyEvent
from trunkline.domain.objects import ObjectKind, ObjectValue, StoredObject
from trunkline.domain.people import Caller
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


class Suppression(msgspec.Struct, frozen=True, kw_only=True):
    """A do-not-call entry of a suppression list. ``campaign_id`` None means the whole contact centre.

    List 0 is the contact centre's own, which always applies. ``expires_at_s`` None means never.

    ``value`` is a number as the list holds it or a customer id; numbers are compared by
    ``domain.numbers.canonical_number``.
    """

    contact_centre_id: int
    kind: DoNotCallKind
    value: str
    campaign_id: int | None = None
    suppression_list_id: int = 0
    expires_at_s: int | None = None
    added_at_ms: int = 0
    added_by: int | None = None
    source: str = ""
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
    means ``Conflict``. ``off_buffer`` are chains that leave a buffer; one that lies in none means ``Conflict``:
    somebody else has it. ``journal`` is in the order of the requests.
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
    group_states: dict[tuple[int, int], GroupState] = {}
    attempts: list[AttemptRow] = []
    off_buffer: set[ChainKey] = set()
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
            or (self.cursors or self.imports)
            or (self.group_states or self.attempts or self.off_buffer)
        )


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A user account: the caller it authenticates and the stored hash (argon2id, encoded form).

    ``skills`` are levels, 0 to 100, by skill id; ``reference`` its creator's own mark.
    """

    caller: Caller
    password_hash: str
    is_enabled: bool = True
    version: int = 1
    reference: str | None = None
    skills: dict[int, int] = {}


class Directory(msgspec.Struct, frozen=True, kw_only=True):
    """Reference data of the whole installation, small enough to hold in memory.

    ``version`` grows with every ``provision`` and every change of objects, group states or users; users are not part of
    it (there may be many) but for the ``skills`` (skill id -> level) of those who have any. ``objects`` come by key.
    ``app.directory`` makes campaigns and lists of them.
    """

    version: int
    contact_centres: dict[int, str]
    objects: tuple[StoredObject, ...] = ()
    group_states: tuple[GroupState, ...] = ()
    skills: dict[tuple[int, int], dict[int, int]] = {}


class Provision(msgspec.Struct, kw_only=True):
    """Reference data to write, by key, in one transaction, whatever is there: what exists is replaced.

    ``campaigns`` are whole ones: each becomes a campaign, an agent group, a campaign group and its state (see
    ``app.provisioning.provisioned``).
    """

    contact_centres: dict[int, str] = {}
    users: list[User] = []
    lists: list[CallingList] = []
    campaigns: list[Campaign] = []
    objects: list[StoredObject] = []
    group_states: list[GroupState] = []


class ObjectWrite(msgspec.Struct, frozen=True, kw_only=True):
    """One object to write. ``object_id`` 0 asks for a new number; ``value`` None deletes.

    ``expected_version`` is the one that the writer saw, 0 for an object that must be new.
    """

    contact_centre_id: int
    kind: ObjectKind
    object_id: int
    expected_version: int
    value: ObjectValue | None
    reference: str | None = None


class ObjectChanges(msgspec.Struct, frozen=True, kw_only=True):
    """Objects to write in one transaction, by whom and why."""

    at_ms: int
    changed_by: int | None
    writes: tuple[ObjectWrite, ...]
    reason: str = ""


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
