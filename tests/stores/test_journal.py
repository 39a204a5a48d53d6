"""The journal: numbers, repeats, the newest rows of a user, cursors, audit, pruning."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.stores.storage import (
    AGENT,
    CAMPAIGN,
    CENTRE,
    LIST,
    Storage,
    acknowledged,
    ask,
    cursor,
    record,
    row,
    rows_of,
    save,
)
from trunkline.app.ports import AuditQuery, JournalRow, JournalSpan, Store, StoredRow
from trunkline.domain.enums import Door, RequestType
from trunkline.domain.events import Appearance, RecordShown


def query(**values: Any) -> AuditQuery:
    """A question about the whole contact centre."""
    return AuditQuery(**{"contact_centre_id": CENTRE, **values})


def test_rows_come_back_as_they_were_written(storage: Storage) -> None:
    """Every column and event survives, references with their JSON text, keys of 64 bits with their sign."""

    async def check(store: Store) -> None:
        shown = RecordShown(
            device_id="d1",
            reference=1.0,
            what=Appearance.PREVIEW,
            handle=2**31 - 1,
            record=record(1, other_fields={"note": 'Zoë "\\ 😀', "balance": 0.1}),
            list_name="List",
            campaign_name="Sales",
            application_id=5,
            group_id=1,
            group_name="g",
            group_description="",
            attempt_guid="a",
            agent_name="Ann",
            offset_s=-3600,
        )
        full = row(
            door=Door.REST,
            campaign_id=CAMPAIGN,
            list_id=LIST,
            handle=2**31 - 1,
            outcome=6,
            reference='"r\\u00fc"',
            request_key=-(2**63),
            elapsed_ns=2**40,
            events=(shown, acknowledged(reference="é", door=Door.USER_EVENT)),
        )
        bare = row(2000, request_type=RequestType.UNSOLICITED)
        seqs = await save(store, journal=[full, bare])
        assert await store.audit(query()) == [StoredRow(seqs[1], bare), StoredRow(seqs[0], full)]
        _, found = await store.newest(CENTRE, AGENT, None, 10)
        assert found == StoredRow(seqs[0], full)
        assert type(found.row.events[0].reference) is float

    storage.run(check)


def test_numbers_grow(storage: Storage) -> None:
    """Rows are numbered in the order given, without gaps inside a unit, and upwards from unit to unit."""

    async def check(store: Store) -> None:
        first = await save(store, journal=[row(n) for n in range(150)])
        second = await save(store, journal=[row(999), row(998)])
        assert await save(store, journal=[]) == []
        assert len(first) == 150
        for seqs in (first, second):
            assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
        assert second[0] > first[-1]
        newest = await store.audit(query(limit=2))
        assert newest == [StoredRow(second[1], row(998)), StoredRow(second[0], row(999))]

    storage.run(check)


def test_repeats(storage: Storage) -> None:
    """Of each key the newest row, unless it is too old; unknown keys and rows without one are left out."""

    async def check(store: Store) -> None:
        rows = [row(100, request_key=1), row(200, request_key=2), row(300, request_key=1, outcome=6), row(400)]
        seqs = await save(store, journal=rows)
        newest = {1: StoredRow(seqs[2], rows[2]), 2: StoredRow(seqs[1], rows[1])}
        assert await ask(store, "repeats", [1, 2, 3], 0) == newest
        assert await ask(store, "repeats", [1, 2], 200) == newest
        assert await ask(store, "repeats", [1, 2], 201) == {1: newest[1]}
        assert await ask(store, "repeats", [1], 301) == {}
        assert await ask(store, "repeats", [], 0) == {}

    storage.run(check)


def test_newest(storage: Storage) -> None:
    """A user's own rows, newest first, before a number, up to a limit."""

    async def check(store: Store) -> None:
        one = (acknowledged(),)
        rows = [
            row(100, events=one),
            row(200),
            row(300, events=one, user_id=8),
            row(400, events=one, contact_centre_id=2),
            row(500, events=(*one, acknowledged(handle=3))),
        ]
        seqs = await save(store, journal=rows)
        mine = [StoredRow(seqs[n], rows[n]) for n in (4, 1, 0)]
        assert await store.newest(CENTRE, AGENT, None, 10) == mine
        assert await store.newest(CENTRE, AGENT, None, 2) == mine[:2]
        assert await store.newest(CENTRE, AGENT, seqs[4], 10) == mine[1:]
        assert await store.newest(CENTRE, 99, None, 10) == []

    storage.run(check)


def test_rows_after(storage: Storage) -> None:
    """A user's own rows behind a number, oldest first, up to a limit."""

    async def check(store: Store) -> None:
        one = (acknowledged(),)
        rows = [row(100, events=one), row(200, user_id=8), row(300), row(400, contact_centre_id=2), row(500)]
        seqs = await save(store, journal=rows)
        mine = [StoredRow(seqs[n], rows[n]) for n in (0, 2, 4)]
        assert await store.rows_after(CENTRE, AGENT, -1, 10) == mine
        assert await store.rows_after(CENTRE, AGENT, 0, 2) == mine[:2]
        assert await store.rows_after(CENTRE, AGENT, seqs[0], 10) == mine[1:]
        assert await store.rows_after(CENTRE, AGENT, seqs[4], 10) == []
        assert await store.rows_after(CENTRE, 99, 0, 10) == []

    storage.run(check)


def test_the_epoch_stays(storage: Storage) -> None:
    """A journal's name is a few letters and digits, the same whenever the store is opened, and after pruning."""
    epochs: set[str] = set()

    async def check(store: Store) -> None:
        epochs.add(await store.epoch())
        await save(store, journal=[row(1)])
        await store.prune(10, 10)
        epochs.add(await store.epoch())

    for _ in range(2):
        storage.run(check)
    (epoch,) = epochs
    assert re.fullmatch("[a-z0-9]{8,16}", epoch)


def test_the_span_of_the_journal(storage: Storage) -> None:
    """The last number and the highest that was pruned.

    Also when a row before that was kept because its clock went ahead, when nothing is left, and when the store is
    opened anew.
    """
    seqs: list[int] = []

    async def check(store: Store) -> None:
        assert await store.journal_span() == JournalSpan(0, 0)
        seqs.extend(await save(store, journal=[row(100), row(900), row(200), row(300)]))
        assert await store.journal_span() == JournalSpan(0, seqs[3])
        assert await store.prune(50, 10) == 0
        assert await store.journal_span() == JournalSpan(0, seqs[3])
        assert await store.prune(250, 10) == 2
        assert await store.journal_span() == JournalSpan(seqs[2], seqs[3])
        assert await store.prune(1000, 1) == 1
        assert await store.journal_span() == JournalSpan(seqs[2], seqs[3])
        assert await store.prune(1000, 10) == 1

    async def check_again(store: Store) -> None:
        assert await store.journal_span() == JournalSpan(seqs[3], seqs[3])

    storage.run(check)
    storage.run(check_again)


def test_cursors_move_forward_only(storage: Storage) -> None:
    """The highest mark of each channel stays, in whatever order marks come."""

    async def check(store: Store) -> None:
        assert await store.cursors(CENTRE, AGENT) == {}
        await save(store, cursors={cursor(): 5 * 2**40, cursor("/v2/me/*"): 1, cursor(user_id=8): 9})
        await save(store, cursors={cursor(): 7, cursor("/v2/me/*"): 2})
        assert await store.cursors(CENTRE, AGENT) == {"/me/internal": 5 * 2**40, "/v2/me/*": 2}
        assert await store.cursors(CENTRE, 8) == {"/me/internal": 9}
        assert await store.cursors(2, AGENT) == {}

    storage.run(check)


AUDITED = [
    row(100, handle=1),
    row(200, handle=2, request_type=RequestType.ADD_RECORD),
    row(300, user_id=8, handle=1),
    row(400, contact_centre_id=2, handle=1),
    row(500, handle=1, outcome=6),
]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, [4, 2, 1, 0]),
        ({"contact_centre_id": 2}, [3]),
        ({"user_id": AGENT}, [4, 1, 0]),
        ({"user_id": 99}, []),
        ({"request_type": 3}, [1]),
        ({"handle": 1}, [4, 2, 0]),
        ({"handle": 1, "user_id": AGENT}, [4, 0]),
        ({"since_ms": 200}, [4, 2, 1]),
        ({"until_ms": 300}, [1, 0]),
        ({"since_ms": 200, "until_ms": 201, "user_id": AGENT}, [1]),
        ({"limit": 2}, [4, 2]),
        ({"limit": 1, "user_id": AGENT}, [4]),
    ],
    ids=str,
)
def test_audit(storage: Storage, asked: dict[str, Any], expected: list[int]) -> None:
    """Each condition narrows the page; rows come newest first; ``until_ms`` is exclusive."""

    async def check(store: Store) -> None:
        await save(store, journal=AUDITED)
        assert rows_of(await store.audit(query(**asked))) == [AUDITED[n] for n in expected]

    storage.run(check)


def test_audit_by_pages(storage: Storage) -> None:
    """``before_seq`` goes on where a page ended, for the contact centre and for one user."""

    async def check(store: Store) -> None:
        await save(store, journal=[row(n) for n in range(7)])
        for whose in ({}, {"user_id": AGENT}):
            times: list[int] = []
            page = await store.audit(query(limit=3, **whose))
            while page:
                times += [stored.row.at_ms for stored in page]
                page = await store.audit(query(limit=3, before_seq=page[-1].seq, **whose))
            assert times == [6, 5, 4, 3, 2, 1, 0]

    storage.run(check)


def test_prune(storage: Storage) -> None:
    """Old rows go from the front, at most so many at once; what is not old stays."""

    async def check(store: Store) -> None:
        assert await store.prune(10**12, 10) == 0
        await save(store, journal=[row(n, user_id=n % 2) for n in range(10)])
        assert await store.prune(5, 3) == 3
        assert await store.prune(5, 3) == 2
        assert await store.prune(5, 3) == 0
        assert [r.at_ms for r in rows_of(await store.audit(query()))] == [9, 8, 7, 6, 5]

    storage.run(check)


def test_numbers_do_not_come_again_after_pruning(storage: Storage) -> None:
    """A journal that was pruned to nothing goes on counting, also when the store is opened anew."""

    async def check_all_gone(store: Store) -> None:
        assert await store.prune(10**12, 100) == 2
        assert await store.audit(query()) == []

    async def write(store: Store) -> None:
        seqs.extend(await save(store, journal=[row(1), row(2)]))

    seqs: list[int] = []
    for _ in range(2):
        storage.run(write)
        storage.run(check_all_gone)
    storage.run(write)
    assert seqs == sorted(set(seqs))


def test_a_page_of_many_rows(storage: Storage) -> None:
    """Hundreds of rows with events come back in order in one answer."""

    async def check(store: Store) -> None:
        rows: list[JournalRow] = [row(n, events=(acknowledged(handle=n),)) for n in range(300)]
        await save(store, journal=rows)
        assert rows_of(await store.newest(CENTRE, AGENT, None, 1000)) == rows[::-1]
        assert rows_of(await store.audit(query(limit=1000))) == rows[::-1]

    storage.run(check)


def test_recent_request_keys(storage: Storage) -> None:
    """Keys of the last rows that have one, not older than a time, up to a limit."""

    async def check(store: Store) -> None:
        await save(
            store, journal=[row(100, request_key=1), row(200), row(300, request_key=-5), row(400, request_key=7)]
        )
        assert sorted(await store.recent_request_keys(0, 10)) == [-5, 1, 7]
        assert sorted(await store.recent_request_keys(300, 10)) == [-5, 7]
        assert await store.recent_request_keys(0, 1) == [7]
        assert await store.recent_request_keys(401, 10) == []

    storage.run(check)
