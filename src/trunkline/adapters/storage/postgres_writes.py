"""What a unit writes on PostgreSQL: everything a batch changed, in few statements, one for each kind of row.

Rows go in the order of their keys, journal rows in their own. All of it happens under ``COMMIT_LOCK``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from trunkline.adapters.storage import (
    postgres_attempts,
    postgres_contacts,
    postgres_groups,
    postgres_objects,
    postgres_selecting,
    rows,
)
from trunkline.adapters.storage.postgres_rows import columns
from trunkline.adapters.storage.postgres_server import COMMIT_LOCK, QUERIES, Connection
from trunkline.adapters.storage.postgres_windows import ListKey, Value, Windows, value_of
from trunkline.app.ports import Changes, Conflict, JournalRow
from trunkline.domain.campaigns import TYPE_PRIORITY
from trunkline.domain.enums import RecordStatus
from trunkline.domain.records import Record, RecordKey

_RECORDS_AT_ONCE = 5_000
"""Rows of one insert: 23 arrays of 5,000 values are a few megabytes, and an import may bring millions."""


class Writes:
    """One save. ``learned`` are the windows it added, for ``Windows.learn`` after the commit."""

    def __init__(self, connection: Connection, windows: Windows, seen: Mapping[RecordKey, Record]) -> None:
        self._connection = connection
        self._windows = windows
        self._seen = seen
        self._new_numbers: dict[tuple[ListKey, Value], int] = {}
        self.learned: list[tuple[ListKey, int, Value]] = []

    async def write(self, changes: Changes) -> list[int]:
        """Write all changes; returns the numbers of the journal rows. Raises ``Conflict``."""
        await postgres_selecting.remove(self._connection, changes)
        await postgres_selecting.keep(self._connection, changes)
        if changes.new_records:
            await self._add_records(changes.new_records)
        results, whole = self._sorted_out(changes.records, changes.before)
        if whole:
            await self._change_records(whole)
        await self._write_desk(changes)
        await self._write_sessions(changes)
        await self._write_rest(changes)
        if results and changes.journal:
            return await self._change_results_and_write_journal(results, changes.journal)
        if results:
            self._check(await self._connection.execute(QUERIES["change_results"], *columns(results)), len(results))
        return await self._write_journal(changes.journal) if changes.journal else []

    def _sorted_out(
        self, records: Mapping[RecordKey, Record], before: Mapping[RecordKey, Record]
    ) -> tuple[list[rows.Row], list[Record]]:
        """Rows of the records of which only columns without an index changed; and the other records."""
        results: list[rows.Row] = []
        whole: list[Record] = []
        seen = self._seen
        for key in sorted(records):
            record = records[key]
            old = before.get(key) or seen.get(key)
            if old is None or rows.indexed_differ(old, record):
                whole.append(record)
            else:
                results.append(rows.result_row(record))
        return results, whole

    async def _change_records(self, records: Sequence[Record]) -> None:
        for record in records:
            old = self._seen.get(record.key)
            if old is None or old.status is RecordStatus.READY:
                self._windows.marks.moved(*record.key[:3])
        numbered = await self._numbered(records)
        self._check(await self._connection.execute(QUERIES["change_records"], *columns(numbered)), len(records))

    async def _add_records(self, records: Sequence[Record]) -> None:
        joined = sorted({record.key[:3] for record in records if record.chain_n > 0})
        if joined:
            await self._connection.execute(QUERIES["join_chains"], *columns(joined))
        new = await self._numbered(sorted(records, key=lambda record: record.key))
        for first in range(0, len(new), _RECORDS_AT_ONCE):
            part = new[first : first + _RECORDS_AT_ONCE]
            await self._connection.execute(QUERIES["add_records"], *columns(part))

    async def _numbered(self, records: Sequence[Record]) -> list[rows.Row]:
        """Rows of records, with the numbers of their windows; new windows are written first."""
        unknown = [record for record in records if self._number(record) is None]
        if unknown:
            added = await self._windows.intern(self._connection, unknown)
            self.learned.extend(added)
            self._new_numbers.update({(key, value): number for key, number, value in added})
        numbered = []
        for record in records:
            number = self._number(record)
            assert number is not None
            if record.status is RecordStatus.READY:
                priority = TYPE_PRIORITY[record.record_type]
                where = (record.contact_centre_id, record.list_id, number, priority)
                self._windows.marks.written(*where, record.due_at_s, record.chain_id)
            numbered.append(rows.record_row(record, number))
        return numbered

    def _number(self, record: Record) -> int | None:
        number = self._windows.number(record)
        if number is None and self._new_numbers:
            key = (record.contact_centre_id, record.list_id)
            number = self._new_numbers.get((key, value_of(record)))
        return number

    async def write_at_once(self, changes: Changes) -> list[int] | None:
        """Write the common batch in a transaction of its own, or return None, having done nothing, for another one.

        The common batch changes records only where no index is concerned, and has a journal. Raises ``Conflict``.
        """
        if not changes.is_common:
            return None
        results, whole = self._sorted_out(changes.records, changes.before)
        if whole or not results:
            return None
        return await self._change_results_and_write_journal(results, changes.journal)

    async def _change_results_and_write_journal(
        self, results: Sequence[rows.Row], journal: Sequence[JournalRow]
    ) -> list[int]:
        try:
            seqs: list[int] = await self._connection.fetchval(
                QUERIES["change_results_and_write_journal"], *columns(results), *_journal_columns(journal), COMMIT_LOCK
            )
        except asyncpg.DivisionByZeroError:
            raise Conflict from None
        return seqs

    async def _write_journal(self, journal: Sequence[JournalRow]) -> list[int]:
        seqs: list[int] = await self._connection.fetchval(QUERIES["write_journal"], *_journal_columns(journal))
        return seqs

    async def _write_desk(self, changes: Changes) -> None:
        if changes.desk:
            entries = columns(rows.desk_row(changes.desk[key]) for key in sorted(changes.desk))
            entries[10] = [bool(is_settled) for is_settled in entries[10]]
            await self._connection.execute(QUERIES["put_on_desk"], *entries)
        if changes.off_desk:
            keys = columns((key.contact_centre_id, key.handle) for key in sorted(changes.off_desk))
            await self._connection.execute(QUERIES["take_off_desk"], *keys)

    async def _write_sessions(self, changes: Changes) -> None:
        for name, is_wanted in (("open_preview_sessions", True), ("close_preview_sessions", False)):
            keys = sorted(
                (session.contact_centre_id, session.user_id, session.campaign_id)
                for session, is_open in changes.preview_sessions.items()
                if is_open is is_wanted
            )
            await self._execute(name, keys)
        sessions = changes.agent_sessions
        logged_in = [rows.agent_session_row(s) for key in sorted(sessions) if (s := sessions[key]) is not None]
        await self._execute("log_in_agents", logged_in)
        await self._execute("log_out_agents", sorted(key for key, session in sessions.items() if session is None))

    async def _write_rest(self, changes: Changes) -> None:
        await postgres_contacts.change(self._connection, changes.lifted, changes.suppressions)
        await postgres_attempts.write(self._connection, changes.attempts)
        for progress in changes.imports:
            self._check(await self._connection.execute(QUERIES["note_imports"], *rows.import_row(progress)), 1)
        if changes.group_states:
            await postgres_objects.put_states(self._connection, changes.group_states.values())
            await self._connection.execute(QUERIES["bump_version"])
        await postgres_groups.write(self._connection, changes)
        cursors = sorted((k.contact_centre_id, k.user_id, k.channel, mark) for k, mark in changes.cursors.items())
        await self._execute("move_cursors", cursors)

    async def _execute(self, name: str, values: Sequence[rows.Row]) -> None:
        if values:
            await self._connection.execute(QUERIES[name], *columns(values))

    def _check(self, tag: str, expected: int) -> None:
        # The tag is "UPDATE <rows>".
        if int(tag.rpartition(" ")[2]) != expected:
            raise Conflict


def _journal_columns(journal: Sequence[JournalRow]) -> list[Sequence[Any]]:
    # Without the number in front: the database gives it.
    return columns(rows.journal_row(row, 0) for row in journal)[1:]
