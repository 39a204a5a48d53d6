"""A database with one list, and the command that fills it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from click.testing import CliRunner, Result

from trunkline.adapters.storage import make_store
from trunkline.app.directory import ReferenceBook
from trunkline.app.ports import Changes, ObjectChanges, ObjectWrite, Provision, Store, Suppression
from trunkline.cli.imports import import_list
from trunkline.config import Config
from trunkline.domain.campaigns import CallingList
from trunkline.domain.enums import DoNotCallKind
from trunkline.domain.objects import ObjectKind, StoredObject

T = TypeVar("T")
GOOD = "phone,chain,name\n+16465550100,a,Ann\n+16465550101,a,Ann\n+16465550102,b,[red]Bob\n"
MIXED = GOOD + "bad,c,\n+1,,=1+1,extra\n"


class Program:
    """Opens the store of this test."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder / 'trunkline.db'}"
        self.configs: list[Config] = []

    def open_store(self, config: Config) -> Store:
        """The store, not yet opened."""
        self.configs.append(config)
        return make_store(self.url)


class Desk:
    """A folder with a database, a file and the command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = Program(folder)
        self.provision(
            Provision(contact_centres={1: "demo"}, lists=[CallingList(contact_centre_id=1, list_id=5, name="L")])
        )

    def provision(self, provision: Provision) -> None:
        """Write reference data."""

        async def steps(store: Store) -> None:
            await store.provision(provision)

        self._with_store(steps)

    def suppress(self, value: str, list_id: int, kind: DoNotCallKind = DoNotCallKind.NUMBER) -> None:
        """Put a number, a customer or an account on a do-not-call list."""

        async def steps(store: Store) -> None:
            entry = Suppression(contact_centre_id=1, kind=kind, value=value, suppression_list_id=list_id)
            async with store.begin() as unit:
                await unit.save(Changes(suppressions=[entry]))

        self._with_store(steps)

    def _with_store(self, steps: Callable[[Store], Awaitable[T]]) -> T:
        async def run() -> T:
            store = make_store(self.program.url)
            await store.open()
            try:
                return await steps(store)
            finally:
                await store.close()

        return asyncio.run(run())

    def run(self, text: str | None, *arguments: str, name: str = "L", stdin: str | None = None) -> Result:
        """Run the command on a file with that text, or on standard input."""
        path = self.folder / "list.csv"
        if text is not None:
            path.write_text(text, encoding="utf-8")
        command = [name, str(path) if stdin is None else "-", *arguments]
        return CliRunner().invoke(import_list, command, obj=self.program, input=stdin, env={"COLUMNS": "200"})

    def list_named(self, name: str) -> StoredObject:
        """A calling list as it is kept."""

        async def steps(store: Store) -> StoredObject:
            found = ReferenceBook(await store.directory()).object_named(1, ObjectKind.CALLING_LIST, name)
            assert found is not None
            return found

        return self._with_store(steps)

    def delete(self, stored: StoredObject) -> None:
        """Delete an object, as the administration does."""

        async def steps(store: Store) -> None:
            gone = ObjectWrite(
                contact_centre_id=1,
                kind=stored.kind,
                object_id=stored.object_id,
                expected_version=stored.version,
                value=None,
            )
            await store.change_objects(ObjectChanges(at_ms=1, changed_by=None, writes=(gone,)))

        self._with_store(steps)

    def count(self, list_id: int = 5) -> int:
        """Records of the numbers used here."""

        async def steps(store: Store) -> int:
            async with store.begin() as unit:
                numbers = ("+16465550100", "+16465550101", "+16465550102")
                found = [await unit.records_of_contact(1, [list_id], DoNotCallKind.NUMBER, n, 10) for n in numbers]
            return sum(map(len, found))

        return self._with_store(steps)
