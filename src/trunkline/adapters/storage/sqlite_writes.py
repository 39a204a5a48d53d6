"""What a unit writes on SQLite: everything a batch changed in a few statements."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from trunkline.adapters.storage import rows, sqlite_contacts, sqlite_groups, sqlite_objects, sqlite_selecting
from trunkline.adapters.storage.sqlite_connection import Statements
from trunkline.adapters.storage.sqlite_windows import WindowBook
from trunkline.app.ports import Changes, Conflict
from trunkline.domain.records import Record, RecordKey

_DUPLICATE = {"SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_UNIQUE"}


def write(statements: Statements, windows: WindowBook, seen: Mapping[RecordKey, Record], changes: Changes) -> list[int]:
    """Write all changes; returns the numbers of the journal rows. Raises ``Conflict``.

    ``seen`` are records as the same transaction read them.
    """
    sqlite_selecting.remove(statements, changes)
    sqlite_selecting.keep(statements, changes)
    if changes.new_records:
        _add_records(statements, windows, changes.new_records)
    if changes.records:
        _change_records(statements, windows, {**seen, **changes.before}, changes.records)
    if changes.desk:
        statements.write("put_on_desk", [rows.desk_row(entry) for entry in changes.desk.values()])
    if changes.off_desk:
        statements.write("take_off_desk", [(key.contact_centre_id, key.handle) for key in changes.off_desk])
    sqlite_contacts.change(statements, changes.lifted, changes.suppressions)
    if changes.attempts:
        sqlite_contacts.write_attempts(statements, changes.attempts)
    if changes.imports:
        _note_imports(statements, changes)
    if changes.group_states:
        sqlite_objects.put_states(statements, changes.group_states.values())
        statements.run("bump_directory", {})
    sqlite_groups.write(statements, changes)
    if changes.cursors:
        marks = [(key.contact_centre_id, key.user_id, key.channel, mark) for key, mark in changes.cursors.items()]
        statements.write("move_cursors", marks)
    _write_sessions(statements, changes)
    return _write_journal(statements, changes) if changes.journal else []


def _note_imports(statements: Statements, changes: Changes) -> None:
    written = statements.write("note_imports", [rows.import_row(progress) for progress in changes.imports])
    if written != len(changes.imports):
        raise Conflict("the import went on elsewhere meanwhile")


def _add_records(statements: Statements, windows: WindowBook, records: list[Record]) -> None:
    windows.refresh()
    new = [rows.record_row(record, windows.number(record)) for record in records]
    try:
        statements.write("add_records", new)
    except sqlite3.IntegrityError as error:
        if error.sqlite_errorname in _DUPLICATE:
            raise Conflict("a new record's key was taken meanwhile") from error
        raise


def _change_records(
    statements: Statements, windows: WindowBook, seen: Mapping[RecordKey, Record], changed: dict[RecordKey, Record]
) -> None:
    results: list[rows.Row] = []
    whole: list[Record] = []
    for key, record in changed.items():
        old = seen.get(key)
        if old is None or rows.indexed_differ(old, record):
            whole.append(record)
        else:
            results.append(rows.result_row(record))
    written = statements.write("change_results", results) if results else 0
    if whole:
        windows.refresh()
        numbered = [rows.record_row(record, windows.number(record)) for record in whole]
        written += statements.write("change_records", numbered)
    if written != len(changed):
        raise Conflict("a record was changed meanwhile")


def _write_sessions(statements: Statements, changes: Changes) -> None:
    begun = [s for s, is_open in changes.preview_sessions.items() if is_open]
    if begun:
        statements.write("start_preview", [(s.contact_centre_id, s.user_id, s.campaign_id) for s in begun])
    for session, is_open in changes.preview_sessions.items():
        if not is_open:
            names = {"contact_centre_id": session.contact_centre_id, "user_id": session.user_id}
            statements.run("end_preview", {**names, "campaign_id": session.campaign_id})
    logged_in = [rows.agent_session_row(s) for s in changes.agent_sessions.values() if s is not None]
    if logged_in:
        statements.write("log_in", logged_in)
    for (centre, user_id), session_or_none in changes.agent_sessions.items():
        if session_or_none is None:
            statements.run("log_out", {"contact_centre_id": centre, "user_id": user_id})


def _write_journal(statements: Statements, changes: Changes) -> list[int]:
    first: int = statements.value("first_seq", {})
    seqs = list(range(first, first + len(changes.journal)))
    new = [rows.journal_row(row, seq) for row, seq in zip(changes.journal, seqs, strict=True)]
    statements.write("write_journal", new)
    return seqs
