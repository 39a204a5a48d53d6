"""One write transaction on SQLite, as its thread sees it: the reads of a unit, the hand-out, the numbers.

The asynchronous face is in ``sqlite_unit``; what a unit writes is in ``sqlite_writes``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

import msgspec

from trunkline.adapters.storage import sqlite_claims, sqlite_desks, sqlite_selecting
from trunkline.adapters.storage.rows import as_json
from trunkline.adapters.storage.sqlite_bulk import add_block
from trunkline.adapters.storage.sqlite_connection import Statements
from trunkline.adapters.storage.sqlite_numbers import NumberPools
from trunkline.adapters.storage.sqlite_windows import WindowBook
from trunkline.adapters.storage.sqlite_writes import write
from trunkline.app.ports import (
    AgentSession,
    Buffered,
    CallbackClaim,
    ChainKey,
    Changes,
    Claim,
    Claimed,
    DeskKey,
    Held,
    ImportProgress,
    RecordQuery,
    RecycleRun,
    StoredRow,
    Undo,
)
from trunkline.app.record_columns import RecordBlock
from trunkline.domain.desk import DeskEntry
from trunkline.domain.enums import DoNotCallKind
from trunkline.domain.records import Record, RecordKey
from trunkline.domain.suppression import contact_key

_held = msgspec.json.Decoder(list[Held]).decode
_records = msgspec.json.Decoder(list[Record]).decode
_entries = msgspec.json.Decoder(list[DeskEntry]).decode
_stored = msgspec.json.Decoder(list[StoredRow]).decode
_imports = msgspec.json.Decoder(list[ImportProgress]).decode
_integers = msgspec.json.Decoder(list[int]).decode

T = TypeVar("T")


class Transactions:
    """The write connection: one transaction after the other, each begun by its first read or write."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._statements = Statements(connection)
        self._windows = WindowBook(self._statements)
        self._numbers = NumberPools(self._statements)
        # Records as this transaction read them: what did not change in an index need not be written to it.
        self._seen: dict[RecordKey, Record] = {}

    def commit(self) -> None:
        """End the transaction, flushed. When that fails it is rolled back, and the error raised."""
        if not self._connection.in_transaction:
            return
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            self.roll_back()
            raise
        self._windows.committed()
        self._numbers.committed()

    def roll_back(self) -> None:
        """End the transaction without a trace; harmless when there is none."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._windows.rolled_back()
        self._numbers.rolled_back()

    def close(self) -> None:
        """Roll back what runs and let go of the file."""
        try:
            self.roll_back()
        finally:
            self._connection.close()

    def alone(self, function: Callable[[Statements], T]) -> T:
        """Run a function in a transaction of its own."""
        try:
            result = function(self.begun())
        except BaseException:
            self.roll_back()
            raise
        self.commit()
        return result

    def add_block(self, block: RecordBlock) -> None:
        """See ``Bulk.add``."""
        self.alone(lambda statements: add_block(statements, self._windows, self._numbers, block))

    def begun(self) -> Statements:
        """The statements, inside a transaction."""
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN IMMEDIATE")
            self._seen.clear()
        return self._statements

    def read(self, function: Callable[[Statements], T]) -> T:
        """Run a read inside the transaction."""
        return function(self.begun())

    def save(self, changes: Changes) -> list[int]:
        """See ``Unit.save``."""
        return write(self.begun(), self._windows, self._seen, changes)

    def save_alone(self, changes: Changes) -> list[int]:
        """Save in a transaction of its own."""
        try:
            seqs = self.save(changes)
        except BaseException:
            self.roll_back()
            raise
        self.commit()
        return seqs

    def held(self, keys: Sequence[DeskKey]) -> list[Held]:
        """See ``Unit.held``."""
        return self._noted(sqlite_desks.held(self.begun(), keys))

    def desk_of(self, contact_centre_id: int, user_id: int) -> list[Held]:
        """See ``Unit.desk_of``."""
        return self._noted(sqlite_desks.desk_of(self.begun(), contact_centre_id, user_id))

    def expired(self, now_ms: int, limit: int) -> list[Held]:
        """See ``Unit.expired``."""
        found = self._noted(self.begun().read("expired", _held, {"now_ms": now_ms, "limit": limit}))
        return sorted(found, key=_lease_order)

    def entries_of_chain(self, contact_centre_id: int, list_id: int, chain_id: int) -> list[DeskEntry]:
        """See ``Unit.entries_of_chain``."""
        names = {"contact_centre_id": contact_centre_id, "list_id": list_id, "chain_id": chain_id}
        return sorted(self.begun().read("entries_of_chain", _entries, names), key=lambda entry: entry.handle)

    def chain(self, contact_centre_id: int, list_id: int, chain_id: int) -> list[Record]:
        """See ``Unit.chain``."""
        names = {"contact_centre_id": contact_centre_id, "list_id": list_id, "chain_id": chain_id}
        return sorted(self._read_records("chain", names), key=lambda record: record.chain_n)

    def repeats(self, request_keys: Sequence[int], since_ms: int) -> dict[int, StoredRow]:
        """See ``Unit.repeats``."""
        names = {"request_keys": as_json(request_keys), "since_ms": since_ms}
        found = self.begun().read("repeats", _stored, names)
        newest = sorted(found, key=lambda stored: stored.seq)
        return {stored.row.request_key: stored for stored in newest if stored.row.request_key is not None}

    def records_of_contact(
        self, contact_centre_id: int, list_ids: Sequence[int], kind: DoNotCallKind, value: str, limit: int
    ) -> list[Record]:
        """See ``Unit.records_of_contact``."""
        query = "records_by_number" if kind is DoNotCallKind.NUMBER else "records_by_customer"
        found: list[Record] = []
        for list_id in sorted(set(list_ids)):
            if len(found) < limit:
                names = {"contact_centre_id": contact_centre_id, "list_id": list_id, "limit": limit - len(found)}
                found += self._read_records(query, {**names, "value": contact_key(kind, value)})
        return sorted(found, key=lambda record: record.key)

    def due_callbacks(self, contact_centre_id: int, user_id: int, now_s: int, limit: int) -> list[Record]:
        """See ``Unit.due_callbacks``."""
        names = {"contact_centre_id": contact_centre_id, "user_id": user_id, "now_s": now_s, "limit": limit}
        return sorted(self._read_records("due_callbacks", names), key=_due_order)

    def records_where(self, query: RecordQuery) -> list[Record]:
        """See ``Unit.records_where``."""
        records = sqlite_selecting.records_where(self.begun(), query)
        self._seen.update({record.key: record for record in records})
        return records

    def recycle_runs(self, contact_centre_id: int, list_id: int, limit: int) -> list[RecycleRun]:
        """See ``Unit.recycle_runs``."""
        return sqlite_selecting.recycle_runs(self.begun(), contact_centre_id, list_id, limit)

    def undo_of(self, contact_centre_id: int, list_id: int, run_id: int, limit: int) -> list[Undo]:
        """See ``Unit.undo_of``."""
        return sqlite_selecting.undo_of(self.begun(), contact_centre_id, list_id, run_id, limit)

    def preview_sessions(self, contact_centre_id: int, user_id: int) -> list[int]:
        """See ``Unit.preview_sessions``."""
        names = {"contact_centre_id": contact_centre_id, "user_id": user_id}
        return sorted(self.begun().read("preview_sessions", _integers, names))

    def agent_session(self, contact_centre_id: int, user_id: int) -> AgentSession | None:
        """See ``Unit.agent_session``."""
        return sqlite_desks.agent_session(self.begun(), contact_centre_id, user_id)

    def import_progress(self, contact_centre_id: int, list_id: int, import_id: str) -> ImportProgress | None:
        """See ``Unit.import_progress``."""
        names = {"contact_centre_id": contact_centre_id, "list_id": list_id, "import_id": import_id}
        return next(iter(self.begun().read("import_progress", _imports, names)), None)

    def take_numbers(self, handles: int, records: int, chains: int) -> tuple[range, range, range]:
        """See ``Unit.take_numbers``."""
        self.begun()
        take = self._numbers.take
        return take("handle", handles), take("record", records), take("chain", chains)

    def claim(self, claim: Claim) -> Claimed:
        """See ``Unit.claim``."""
        return sqlite_claims.claim(self.begun(), self._windows, claim)

    def claim_callback(self, claim: CallbackClaim) -> Claimed:
        """See ``Unit.claim_callback``."""
        return sqlite_claims.claim_callback(self.begun(), self._windows, claim)

    def buffered(self, group: tuple[int, int], passed_over: Collection[ChainKey], limit: int) -> list[Buffered]:
        """See ``Unit.buffered``; ``group`` is contact centre and campaign group."""
        return self._met(sqlite_claims.buffered(self.begun(), group, passed_over, limit))

    def buffers_ended(self, now_ms: int, limit: int) -> list[Buffered]:
        """See ``Unit.buffers_ended``."""
        return self._met(sqlite_claims.buffers_ended(self.begun(), now_ms, limit))

    def _met(self, found: list[Buffered]) -> list[Buffered]:
        for one in found:
            self._seen.update((record.key, record) for record in one.records)
        return found

    def _read_records(self, name: str, names: Mapping[str, int | str]) -> list[Record]:
        found = self.begun().read(name, _records, names)
        self._seen.update((record.key, record) for record in found)
        return found

    def _noted(self, found: list[Held]) -> list[Held]:
        self._seen.update((held.record.key, held.record) for held in found)
        return found


def _lease_order(held: Held) -> tuple[int, int, int]:
    return held.entry.lease_until_ms or 0, held.entry.contact_centre_id, held.entry.handle


def _due_order(record: Record) -> tuple[int, RecordKey]:
    return record.due_at_s or 0, record.key
