"""``trunkline import --create``: what is made, when, and that a refused import leaves nothing behind."""

from __future__ import annotations

import pytest

from tests.imports.desk import GOOD, MIXED, Desk, Program
from trunkline.app.ports import ObjectChanges, Store
from trunkline.config import Config
from trunkline.domain.objects import StoredObject


def test_a_list_can_be_made(desk: Desk) -> None:
    """--create makes a list that is missing, with the zone given, and not in a dry run."""
    refused = desk.run(GOOD, name="New")
    assert refused.exit_code == 1
    assert "--create makes it" in refused.stderr
    assert desk.run(GOOD, "--create", "--dry-run", name="New").exit_code == 0
    assert desk.run(GOOD, name="New").exit_code == 1
    made = desk.run(GOOD, "--create", "--time-zone", "Europe/Rome", name="New")
    assert made.exit_code == 0, made.output
    assert desk.run(GOOD, "--create", name="New").exit_code == 0
    assert desk.count(6) == 3
    assert desk.run(GOOD, "--create", name="").exit_code == 1


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        (MIXED, ()),
        (MIXED, ("--json",)),
        ("", ()),
        ("name\nAnn\n", ()),
        ("", ("--format", "jsonl")),
        ("\n\n", ("--format", "jsonl")),
        ('{"phone": "12"}\n', ("--format", "jsonl")),
        (GOOD, ("--map", "phone=Nothing")),
        (GOOD, ("--encoding", "hex")),
        (GOOD, ("--specification", "Nothing")),
        (GOOD, ("--do-not-call-list", "Nothing")),
        (GOOD, ("--save-specification", "exported")),
        (GOOD, ("--import-id", "a b")),
    ],
)
def test_an_import_that_is_refused_leaves_no_list(desk: Desk, text: str, arguments: tuple[str, ...]) -> None:
    """Whatever it is refused for, --create has made nothing, and the same command with a good file makes the list."""
    result = desk.run(text, "--create", *arguments, name="New")
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    assert "there is no calling list" in desk.run(GOOD, name="New").stderr
    assert desk.run(GOOD, "--create", name="New").exit_code == 0
    assert desk.count(6) == 3


def test_a_list_is_made_once(desk: Desk) -> None:
    """Somebody makes the list while its file is checked: the second import is refused and adds nothing."""

    class Late(Program):
        """Makes the list when the file has been checked."""

        def open_store(self, config: Config) -> Store:
            """The store, in which somebody else is first."""
            store = super().open_store(config)
            make = store.change_objects

            async def first(changes: ObjectChanges) -> list[StoredObject]:
                await make(changes)
                return await make(changes)

            store.change_objects = first  # type: ignore[method-assign]
            return store

    desk.program = Late(desk.folder)
    result = desk.run(GOOD, "--create", name="New")
    assert result.exit_code == 1
    assert "Error: " in result.stderr
    assert desk.count(6) == 0


def test_a_list_that_is_made_is_empty(desk: Desk) -> None:
    """--create never takes the number of a list that was deleted: its records would come back and be called."""
    assert desk.run(GOOD, "--create", name="Old").exit_code == 0
    old = desk.list_named("Old")
    desk.delete(old)
    assert desk.run(GOOD, "--create", "--import-id", "again", name="New").exit_code == 0
    new = desk.list_named("New")
    assert new.object_id != old.object_id
    assert desk.count(new.object_id) == 3


def test_a_list_that_is_made_has_a_name_for_addresses(desk: Desk) -> None:
    """The same names are refused as over HTTP."""
    made = desk.run(GOOD, "--create", name="Spring 25/26")
    assert made.exit_code == 1
    assert "slash" in made.stderr
