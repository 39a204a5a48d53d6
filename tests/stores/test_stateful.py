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
from tests.stores.storage import rows_of
from tests.support.postgres import PostgresServer
from trunkline.adapters.storage import MEMORY_URL, make_store, migrate
from trunkline.app.ports import AuditQuery, Changes, Conflict, DeskKey, PreviewSession, Search, Store
from trunkline.domain.enums import DoNotCallKind

STEPS = 30


class SideBySide(RuleBasedStateMachine):
    """The reference model and another store, given the same work and asked the same questions."""

    make_other: Callable[[], tuple[Store, Callable[[], None]]]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.model = make_store(MEMORY_URL)
        self.other, self.discard = self.make_other()
        self.seqs: list[tuple[int, int]] = []
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

    def ask(self, question: str, *arguments: Any) -> Any:
        """Ask both in a unit of their own."""

        async def work(store: Store) -> Any:
            async with store.begin() as unit:
                return await getattr(unit, question)(*arguments)

        return self.both(work)

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

    @rule(search=draws.searches())
    def next_record(self, search: Search) -> None:
        """The hand-out."""
        self.ask("next_record", search)

    @rule(
        centre=draws.centres,
        lists=st.lists(draws.lists, max_size=2),
        contact=draws.contacts,
        limit=draws.limits,
    )
    def records_of_contact(self, centre: int, lists: list[int], contact: tuple[DoNotCallKind, str], limit: int) -> None:
        """Records of a number or customer."""
        self.ask("records_of_contact", centre, lists, *contact, limit)

    @rule(centre=draws.centres, user=draws.users, now_s=draws.moments_s, limit=draws.limits)
    def due_callbacks(self, centre: int, user: int, now_s: int, limit: int) -> None:
        """An agent's own callbacks."""
        self.ask("due_callbacks", centre, user, now_s, limit)

    @rule(now_ms=st.integers(0, 60), limit=draws.limits)
    def expired(self, now_ms: int, limit: int) -> None:
        """Leases that ended."""
        self.ask("expired", now_ms, limit)

    @rule(
        centre=draws.centres,
        campaign=st.none() | draws.campaigns,
        numbers=st.lists(draws.numbers),
        customers=st.lists(draws.customers),
    )
    def suppressed(self, centre: int, campaign: int | None, numbers: list[str], customers: list[str]) -> None:
        """Contacts that must not be called."""
        self.ask("suppressed", centre, campaign, numbers, customers)

    @rule(keys=st.lists(st.integers(1, 4)), since_ms=st.integers(0, 30))
    def repeats(self, keys: list[int], since_ms: int) -> None:
        """Requests carried out before."""

        async def work(store: Store) -> Any:
            async with store.begin() as unit:
                found = await unit.repeats(keys, since_ms)
            return {request_key: stored.row for request_key, stored in found.items()}

        self.both(work)

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
    def all_that_is_stored(self) -> None:
        """Everything that can be read by key is the same."""
        self.both(_everything)


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


async def _everything(store: Store) -> list[Any]:
    found: list[Any] = []
    async with store.begin() as unit:
        for key in draws.CHAINS:
            found += [await unit.chain(*key), await unit.entries_of_chain(*key)]
        keys = [DeskKey(centre, handle) for centre in draws.CENTRES for handle in draws.HANDLES]
        found.append(sorted(await unit.held(keys), key=lambda h: (h.entry.contact_centre_id, h.entry.handle)))
        for centre in draws.CENTRES:
            for user in draws.USERS:
                found += [await unit.desk_of(centre, user), await unit.agent_session(centre, user)]
                found.append(await unit.preview_sessions(centre, user))
                found += [
                    await unit.has_preview_session(PreviewSession(centre, user, campaign))
                    for campaign in draws.CAMPAIGNS
                ]
            found += [await unit.import_progress(centre, list_id, "i") for list_id in draws.LISTS]
    for centre in draws.CENTRES:
        found += [await store.users(centre), *[await store.cursors(centre, user) for user in draws.USERS]]
        found.append(rows_of(await store.audit(AuditQuery(contact_centre_id=centre, limit=1000))))
    directory = await store.directory()
    return [*found, directory.contact_centres, directory.campaigns, directory.lists]


def compare(make_other: Callable[[], tuple[Store, Callable[[], None]]], examples: int) -> None:
    """Run the machine with that kind of store."""
    machine = type("SideBySide", (SideBySide,), {"make_other": staticmethod(make_other)})
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

    compare(make, 500 if pytestconfig.getoption("--long") else 30)


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
    compare(make_postgres, 200 if pytestconfig.getoption("--long") else 8)
