"""The stores side by side: whatever is done to them, they answer as the reference model does."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.stores import draws
from tests.stores.questions import answers_by_key, answers_by_search
from tests.stores.storage import rows_of
from tests.support.postgres import PostgresServer
from trunkline.adapters.storage import MEMORY_URL, make_store, migrate
from trunkline.app.ports import AuditQuery, Changes, Conflict, Store

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

    @initialize(provision=draws.provisions())
    def begin(self, provision: Any) -> None:
        """Start with some reference data."""
        self.both(lambda store: store.provision(provision))

    @rule(data=st.data(), fails=st.sampled_from([False, False, False, True]), reads_first=st.booleans())
    def save(self, data: st.DataObject, *, fails: bool, reads_first: bool) -> None:
        """Save anything; now and then the block fails, or a record is stale."""
        records = self.runner.run(_all_records(self.model))
        changes = data.draw(draws.changes(records))
        outcomes = []
        for store in (self.model, self.other):
            seqs = self.runner.run(_save(store, changes, fails=fails, reads_first=reads_first))
            outcomes.append(seqs)
        expected, found = outcomes
        assert (found is None) == (expected is None)
        if expected is not None and found is not None:
            self.seqs += zip(expected, found, strict=True)
            assert self.seqs == sorted(self.seqs)
            assert sorted(seq for _, seq in self.seqs) == [seq for _, seq in self.seqs]

    @rule(centre=draws.centres, user=draws.users, limit=draws.limits, data=st.data())
    def newest(self, centre: int, user: int, limit: int, data: st.DataObject) -> None:
        """A user's last rows."""
        before = data.draw(st.sampled_from([(None, None), *self.seqs]))
        stores = zip((self.model, self.other), before, strict=True)
        expected, found = (rows_of(self.runner.run(store.newest(centre, user, seq, limit))) for store, seq in stores)
        assert found == expected

    @rule(query=draws.queries(), data=st.data())
    def audit(self, query: dict[str, Any], data: st.DataObject) -> None:
        """A page of the audit."""
        before = data.draw(st.sampled_from([(None, None), *self.seqs]))
        stores = zip((self.model, self.other), before, strict=True)
        expected, found = (
            rows_of(self.runner.run(store.audit(AuditQuery(before_seq=seq, **query)))) for store, seq in stores
        )
        assert found == expected

    @rule(before_ms=st.integers(0, 20), limit=draws.limits)
    def prune(self, before_ms: int, limit: int) -> None:
        """Old rows go."""
        self.both(lambda store: store.prune(before_ms, limit))

    @rule(provision=draws.provisions())
    def provision(self, provision: Any) -> None:
        """More reference data."""
        self.both(lambda store: store.provision(provision))

    @rule()
    def reopen(self) -> None:
        """Close both and open them again."""
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


def compare(make_other: Callable[[], tuple[Store, Callable[[], None]]], examples: int, stride: int) -> None:
    """Run the machine with that kind of store; each step asks for every ``stride``-th hand-out."""
    machine = type("SideBySide", (SideBySide,), {"make_other": staticmethod(make_other), "stride": stride})
    settings = hypothesis.settings(
        max_examples=examples, stateful_step_count=STEPS, suppress_health_check=list(hypothesis.HealthCheck)
    )
    run_state_machine_as_test(machine, settings=settings)


def test_sqlite_answers_as_the_model_does(sqlite_template: Path, pytestconfig: pytest.Config) -> None:
    """Any order of writes, failures and questions: SQLite and memory agree."""

    def make() -> tuple[Store, Callable[[], None]]:
        folder = Path(tempfile.mkdtemp(prefix="trunkline-stores-"))
        shutil.copy(sqlite_template, folder / "x.db")
        return make_store(f"sqlite:///{folder}/x.db"), lambda: shutil.rmtree(folder)

    compare(make, 500 if pytestconfig.getoption("--long") else 30, stride=1)


@pytest.fixture
def make_postgres(postgres_server: PostgresServer) -> Callable[[], tuple[Store, Callable[[], None]]]:
    """Empty PostgreSQL databases, one after the other."""
    template = postgres_server.template("stores", migrate.upgrade)

    def make() -> tuple[Store, Callable[[], None]]:
        url = postgres_server.create(template)
        return make_store(url), lambda: postgres_server.drop(url)

    return make


def test_postgres_answers_as_the_model_does(
    make_postgres: Callable[[], tuple[Store, Callable[[], None]]], pytestconfig: pytest.Config
) -> None:
    """Any order of writes, failures and questions: PostgreSQL and memory agree."""
    compare(make_postgres, 200 if pytestconfig.getoption("--long") else 8, stride=12)
