"""Records that a condition selects: every store answers as the reference does, on any tree and any record."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.stores.storage import CENTRE, LIST, NOON_S, Storage, add, ask, by_key, record, save
from trunkline.app.ports import Conflict, RecordQuery, RecycleRun, RecycleState, Store, Undo
from trunkline.domain.enums import CallResult, PhoneType
from trunkline.domain.filter_evaluation import matches
from trunkline.domain.filter_parsing import parse_filter
from trunkline.domain.filters import (
    COLUMNS,
    Ago,
    Between,
    Both,
    ColumnType,
    Compared,
    Condition,
    Either,
    FilterColumn,
    IsNull,
    Like,
    Not,
    OneOf,
    Operator,
)
from trunkline.domain.records import Record

NAMES = ["state", 'o"dd', "$.a", "Sum"]
TEXTS = ["", "TX", "tx", "10", "9", "-1.5", "1e5", "a%b", "a_b", "[x]*?", "ä", "true", "\\", "+1415555000"]
NUMBERS = [0, 1, 9, 10, -1, 7, 2.5]


def columns(kind: str) -> st.SearchStrategy[FilterColumn]:
    """Columns that texts, or numbers, can stand beside."""
    fields = [FilterColumn(name, ColumnType.FIELD) for name in NAMES]
    known = [column for column in COLUMNS.values() if column.column_type.is_number is (kind == "number")]
    return st.sampled_from(known + fields * 2)


def comparisons() -> st.SearchStrategy[Condition]:
    """Single comparisons."""
    operators = st.sampled_from(Operator)
    numbers = st.sampled_from(NUMBERS) | st.builds(Ago, st.sampled_from([0, 5, NOON_S]))
    texts = st.sampled_from(TEXTS)
    either: list[st.SearchStrategy[Condition]] = []
    for kind, operands in (("number", numbers), ("text", texts)):
        either += [
            st.builds(Compared, columns(kind), operators, operands),
            st.builds(OneOf, columns(kind), st.lists(operands, min_size=1, max_size=3).map(tuple)),
            st.builds(Between, columns(kind), operands, operands),
            st.builds(IsNull, columns(kind)),
        ]
    return st.one_of(*either, st.builds(Like, columns("text"), st.sampled_from([*TEXTS, "%", "1%", "t_", "%[x]%"])))


conditions = st.recursive(
    comparisons(),
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(Both, st.lists(inner, min_size=1, max_size=3).map(tuple))
        | st.builds(Either, st.lists(inner, min_size=1, max_size=3).map(tuple))
    ),
    max_leaves=6,
)


def drawn(chain_id: int, draw: Any) -> Record:
    """A record with values that the conditions ask about."""
    values = st.sampled_from([*TEXTS, *NUMBERS, True, False, None])
    return record(
        chain_id,
        attempts=draw(st.sampled_from([0, 1, 9, 10])),
        call_result=draw(st.sampled_from([CallResult.BUSY, CallResult.NO_ANSWER])),
        phone_type=draw(st.sampled_from([PhoneType.MOBILE, PhoneType.HOME_PHONE])),
        due_at_s=draw(st.sampled_from([None, 0, 10, NOON_S])),
        called_at_s=draw(st.sampled_from([None, NOON_S - 5])),
        customer_id=draw(st.sampled_from([None, "TX", "10"])),
        agent_id=draw(st.sampled_from([None, 7])),
        region=draw(st.sampled_from(["", "TX"])),
        time_zone=draw(st.sampled_from(["UTC", "GMT"])),
        other_fields=draw(st.dictionaries(st.sampled_from(NAMES), values)),
    )


def query(condition: Condition | None, **values: Any) -> RecordQuery:
    """A question about the list."""
    return RecordQuery(contact_centre_id=CENTRE, list_id=LIST, condition=condition, now_s=NOON_S, **values)


def test_any_condition_selects_what_the_reference_says(storage: Storage, pytestconfig: pytest.Config) -> None:
    """A tree compiled to SQL and the same tree judged record by record agree, also on missing and odd values."""
    examples = 400 if pytestconfig.getoption("--long") else 40

    async def check(store: Store, records: list[Record], trees: list[Condition]) -> None:
        await add(store, *records)
        for tree in trees:
            found = await ask(store, "records_where", query(tree))
            assert found == [one for one in records if matches(tree, one, NOON_S)], tree
            assert await store.count_records(query(tree)) == await store.count_chains(query(tree)) == len(found)
        async with store.begin() as unit:
            await unit.save(_without(records))

    def _without(records: list[Record]) -> Any:
        from trunkline.app.ports import Changes

        return Changes(removed=records)

    @settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(st.data())
    def run(data: st.DataObject) -> None:
        records = [drawn(chain_id, data.draw) for chain_id in range(1, 6)]
        trees = data.draw(st.lists(conditions, min_size=1, max_size=8))
        storage.run(lambda store: check(store, records, trees))

    run()


def test_pages_go_on_where_the_last_one_ended(storage: Storage) -> None:
    """Pages by chain and place hold every selected record once, and nothing of other lists."""

    async def check(store: Store) -> None:
        mine = [record(chain_id, chain_n) for chain_id in range(1, 5) for chain_n in range(3)]
        await add(store, *mine, record(1, list_id=LIST + 1))
        found: list[Record] = []
        after = (-1, -1)
        while True:
            page = await ask(store, "records_where", query(None, after=after, limit=5))
            if not page:
                break
            found += page
            after = (page[-1].chain_id, page[-1].chain_n)
        assert found == mine
        assert (await store.count_records(query(None)), await store.count_chains(query(None))) == (12, 4)

    storage.run(check)


def test_removed_records_are_gone_and_can_come_back_elsewhere(storage: Storage) -> None:
    """A record moves to another list in one transaction; a stale version is a conflict and leaves it."""

    async def check(store: Store) -> None:
        old = record(1)
        new = record(1, list_id=LIST + 1, phone_number=old.phone_number)
        await add(store, old)
        await save(store, records=by_key(record(1, version=2, attempts=1)))
        with pytest.raises(Conflict):
            await save(store, removed=[old], new_records=[new])
        assert await ask(store, "chain", CENTRE, LIST, 1)
        await save(store, removed=[record(1, version=2)], new_records=[new])
        assert await ask(store, "chain", CENTRE, LIST, 1) == []
        assert await ask(store, "chain", CENTRE, LIST + 1, 1) == [new]

    storage.run(check)


def test_recyclings_and_what_undoes_them(storage: Storage) -> None:
    """Runs come newest first and move on; records as they were come back by key, until they are undone."""

    async def check(store: Store) -> None:
        values: dict[str, Any] = {"made_at_ms": 5, "made_by": 7, "what": "Busy", "state": RecycleState.RUNNING}
        first = RecycleRun(contact_centre_id=CENTRE, list_id=LIST, run_id=1, records=1, **values)
        second = RecycleRun(contact_centre_id=CENTRE, list_id=LIST, run_id=2, records=0, **values)
        before = [Undo(1, record(2, other_fields={"a": "ä"})), Undo(1, record(1))]
        await save(store, recycle_runs=[first, second], undo=before)
        assert await ask(store, "recycle_runs", CENTRE, LIST, 9) == [second, first]
        assert await ask(store, "recycle_runs", CENTRE, LIST, 1) == [second]
        assert await ask(store, "undo_of", CENTRE, LIST, 1, 9) == [before[1], before[0]]
        assert await ask(store, "undo_of", CENTRE, LIST, 2, 9) == []
        done = RecycleRun(
            contact_centre_id=CENTRE, list_id=LIST, run_id=1, records=9, **{**values, "state": RecycleState.DONE}
        )
        await save(store, recycle_runs=[done], undone=[(before[1].record.key, 1)])
        found = await ask(store, "recycle_runs", CENTRE, LIST, 9)
        assert (found[1].records, found[1].state) == (9, RecycleState.DONE)
        assert await ask(store, "undo_of", CENTRE, LIST, 1, 9) == [before[0]]

    storage.run(check)


def test_a_filter_written_by_hand(storage: Storage) -> None:
    """From text to records on every store."""

    async def check(store: Store) -> None:
        await add(
            store,
            record(1, call_result=CallResult.BUSY, called_at_s=NOON_S - 90_000, other_fields={"state": "TX"}),
            record(2, call_result=CallResult.BUSY, called_at_s=NOON_S - 80_000, other_fields={"state": "TX"}),
            record(3, call_result=CallResult.NO_ANSWER, called_at_s=NOON_S - 90_000, other_fields={"state": "CA"}),
        )
        parsed = parse_filter("call_result IN ('Busy', 'NoAnswer') AND called_at < days_ago(1) AND state <> 'CA'", "")
        assert [one.chain_id for one in await ask(store, "records_where", query(parsed.condition))] == [1]

    storage.run(check)
