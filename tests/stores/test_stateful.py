"""The stores side by side: whatever is done to them, they answer as the reference model does."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import hypothesis
import msgspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.stores import draws
from tests.stores.questions import answers_by_key, answers_by_search, take
from tests.stores.storage import by_key, rows_of
from tests.support.postgres import PostgresServer
from trunkline.adapters.storage import MEMORY_URL, make_store, migrate
from trunkline.app.ports import AuditQuery, Changes, Conflict, Store
from trunkline.domain.enums import RecordStatus
from trunkline.domain.records import Record

STEPS = 15


class SideBySide(RuleBasedStateMachine):
    """The reference model and another store, given the same work and asked the same questions."""

    make_other: Callable[[], tuple[Store, Callable[[], None]]]
    stride = 1

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.model = make_store(MEMORY_URL)
        self.other, self.discard = self.make_other()
        self.seqs: list[tuple[int, int]] = []
        self.steps = 0
        for store in (self.model, self.other):
            self.runner.run(store.open())

    def teardown(self) -> None:
        """Close both."""
        for store in (self.model, self.other):
            self.runner.run(store.close())
        self.runner.close()
        self.discard()

    def both(self, work: Callable[[Store], Any]) -> Any:
        """Do the same to both; they must answer alike."""
        expected, found = (self.runner.run(work(store)) for store in (self.model, self.other))
        assert found == expected
        return expected

    @initialize(
        provision=draws.provisions(),
        records=st.lists(draws.new_records(), min_size=3, max_size=12, unique_by=lambda record: record.key),
    )
    def begin(self, provision: Any, records: list[Record]) -> None:
        """Start with some reference data and records."""
        self.both(lambda store: store.provision(provision))
        self.save_in_both(Changes(new_records=records), fails=False, reads_first=False)

    @rule(data=st.data(), times=st.integers(1, 4))
    def save(self, data: st.DataObject, times: int) -> None:
        """Save anything, a few times; now and then the block fails, or a record is stale."""
        for _ in range(times):
            records = self.runner.run(_all_records(self.model))
            fails = data.draw(st.integers(0, 7)) == 7
            self.save_in_both(data.draw(draws.changes(records)), fails=fails, reads_first=data.draw(st.booleans()))

    def save_in_both(self, changes: Changes, *, fails: bool, reads_first: bool) -> None:
        """Save; both succeed or both fail, and numbers grow in both."""
        expected, found = (
            self.runner.run(_save(store, changes, fails=fails, reads_first=reads_first))
            for store in (self.model, self.other)
        )
        assert (found is None) == (expected is None)
        if expected is not None and found is not None:
            self.seqs += zip(expected, found, strict=True)
            for seqs in zip(*self.seqs, strict=True):
                assert list(seqs) == sorted(set(seqs))

    @rule(wanted=draws.claims(), leaves=st.booleans(), fails=st.booleans())
    def claim(self, wanted: Any, *, leaves: bool, fails: bool) -> None:
        """Chains are claimed; some leave the buffer again in the same unit, which may fail."""
        self.both(lambda store: _claim(store, wanted, leaves=leaves, fails=fails))

    @rule(query=draws.queries(), user=draws.users, data=st.data())
    def pages(self, query: dict[str, Any], user: int, data: st.DataObject) -> None:
        """A page of the audit and of a user's last rows."""
        before = data.draw(st.sampled_from([(None, None), *self.seqs]))
        found: list[Any] = []
        for store, seq in zip((self.model, self.other), before, strict=True):
            audited = self.runner.run(store.audit(AuditQuery(before_seq=seq, **query)))
            newest = self.runner.run(store.newest(query["contact_centre_id"], user, seq, query["limit"]))
            after = self.runner.run(store.rows_after(query["contact_centre_id"], user, seq or 0, query["limit"]))
            found.append([rows_of(audited), rows_of(newest), rows_of(after)])
        assert found[1] == found[0]

    @rule(before_ms=st.integers(0, 20), limit=draws.limits)
    def prune(self, before_ms: int, limit: int) -> None:
        """Old rows go."""
        self.both(lambda store: store.prune(before_ms, limit))
        found = [self.runner.run(store.journal_span()) for store in (self.model, self.other)]
        # The stores number differently; what is known is where the numbers come from.
        places = [dict(zip(seqs, range(len(seqs)), strict=True)) for seqs in zip(*self.seqs, strict=True)] or [{}, {}]
        for model, other in zip(*[(span.pruned_to, span.newest) for span in found], strict=True):
            assert places[0].get(model) == places[1].get(other)

    @rule(provision=draws.provisions())
    def provision_and_reopen(self, provision: Any) -> None:
        """More reference data; then both are closed and opened again."""
        self.both(lambda store: store.provision(provision))
        for store in (self.model, self.other):
            self.runner.run(store.close())
            self.runner.run(store.open())

    @invariant()
    def everything(self) -> None:
        """All that can be asked is answered alike."""
        self.both(answers_by_key)
        self.steps += 1
        self.both(lambda store: answers_by_search(store, self.steps % self.stride, self.stride))


async def _all_records(store: Store) -> list[Any]:
    async with store.begin() as unit:
        return [record for key in draws.CHAINS for record in await unit.chain(*key)]


async def _save(store: Store, changes: Changes, *, fails: bool, reads_first: bool) -> list[int] | None:
    try:
        async with store.begin() as unit:
            if reads_first:
                for key in draws.CHAINS:
                    await unit.chain(*key)
            seqs = await unit.save(changes)
            if fails:
                raise ZeroDivisionError  # noqa: TRY301 - it must be raised inside the unit
    except (Conflict, ZeroDivisionError):
        return None
    return seqs


async def _claim(store: Store, wanted: Any, *, leaves: bool, fails: bool) -> Any:
    found: list[Any] = []
    with suppress(ZeroDivisionError):
        async with store.begin() as unit:
            taken = await take(unit, wanted)
            found.append(taken)
            if leaves and taken.chains:
                records = [
                    msgspec.structs.replace(one, status=RecordStatus.READY, version=one.version + 1)
                    for one in await unit.chain(*taken.chains[0])
                    if one.status is RecordStatus.RETRIEVED
                ]
                await unit.save(Changes(records=by_key(*records), off_buffer={taken.chains[0]}))
            if fails:
                raise ZeroDivisionError
    return found


def compare(
    make_other: Callable[[], tuple[Store, Callable[[], None]]], examples: int, stride: int, *, shrinks: bool
) -> None:
    """Run the machine with that kind of store; each step asks for every ``stride``-th hand-out.

    A failure is made smaller on the long run only: that takes minutes, and the short one shows the same every time.
    """
    machine = type("SideBySide", (SideBySide,), {"make_other": staticmethod(make_other), "stride": stride})
    settings = hypothesis.settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[phase for phase in hypothesis.Phase if shrinks or phase is not hypothesis.Phase.shrink],
    )
    run_state_machine_as_test(machine, settings=settings)


@pytest.mark.timeout(1800)
def test_sqlite_answers_as_the_model_does(sqlite_template: Path, pytestconfig: pytest.Config) -> None:
    """Any order of writes, failures and questions: SQLite and memory agree."""

    def make() -> tuple[Store, Callable[[], None]]:
        folder = Path(tempfile.mkdtemp(prefix="trunkline-stores-"))
        shutil.copy(sqlite_template, folder / "x.db")
        return make_store(f"sqlite:///{folder}/x.db"), lambda: shutil.rmtree(folder)

    is_long: bool = pytestconfig.getoption("--long")
    compare(make, 500 if is_long else 30, stride=1, shrinks=is_long)


@pytest.fixture
def make_postgres(postgres_server: PostgresServer) -> Callable[[], tuple[Store, Callable[[], None]]]:
    """Empty PostgreSQL databases, one after the other."""
    template = postgres_server.template("stores", migrate.upgrade)

    def make() -> tuple[Store, Callable[[], None]]:
        url = postgres_server.create(template)
        return make_store(url), lambda: postgres_server.drop(url)

    return make


@pytest.mark.timeout(1800)
def test_postgres_answers_as_the_model_does(
    make_postgres: Callable[[], tuple[Store, Callable[[], None]]], pytestconfig: pytest.Config
) -> None:
    """Any order of writes, failures and questions: PostgreSQL and memory agree."""
    is_long: bool = pytestconfig.getoption("--long")
    compare(make_postgres, 200 if is_long else 8, stride=12, shrinks=is_long)
