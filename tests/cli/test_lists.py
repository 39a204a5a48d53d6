"""``trunkline list`` as people type it: recycling undone with what stays, and lists of other formats."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.imports.desk import GOOD, Desk
from trunkline.adapters.storage import migrate
from trunkline.app.ports import Provision
from trunkline.cli.lists import lists
from trunkline.domain.campaigns import CallingList, ListField


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A database with three records in list L, an empty list of the same format and one of another."""
    migrate.upgrade(f"sqlite:///{tmp_path / 'trunkline.db'}")
    desk = Desk(tmp_path)
    alike = CallingList(contact_centre_id=1, list_id=6, name="Alike")
    fields = (ListField(name="balance", is_sent=False),)
    other = CallingList(contact_centre_id=1, list_id=7, name="Other", fields=fields)
    desk.provision(Provision(contact_centres={}, lists=[alike, other]))
    assert (
        desk.run(GOOD.replace("name", "name,attempts").replace("Ann", "Ann,1").replace("Bob", "Bob,1")).exit_code == 0
    )
    return desk


def ask(desk: Desk, *arguments: str) -> Result:
    """Run ``trunkline list``."""
    return CliRunner().invoke(lists, list(arguments), obj=desk.program, env={"COLUMNS": "200"})


def test_an_undoing_says_what_stays_and_why(desk: Desk) -> None:
    """How many records are as they were, how many stay, each reason with its count; a second time is refused."""
    assert "3 records of L were recycled; --run 1 undoes it." in ask(desk, "recycle", "L").stdout
    assert ask(desk, "empty", "L", "--where", "phone_number = '+16465550102'", "--yes").exit_code == 0
    undone = ask(desk, "undo", "L", "--run", "1")
    assert undone.stdout == "2 records are as they were before run 1; 1 left alone: 1 no longer in the list.\n"
    again = ask(desk, "undo", "L", "--run", "1")
    assert (again.exit_code, again.stderr) == (1, "Error: this recycling was undone before\n")
    ask(desk, "recycle", "L")
    assert json.loads(ask(desk, "undo", "L", "--run", "2", "--json").stdout)["leftBecause"] == {}
    ask(desk, "recycle", "L")
    assert "before run 3; none left alone." in ask(desk, "undo", "L", "--run", "3").stdout


@pytest.mark.parametrize("command", ["merge", "split"])
def test_a_list_of_another_format_is_refused_until_it_is_allowed(desk: Desk, command: str) -> None:
    """The sentence names the difference and nothing moves; with the flag, and into a list that is alike, all goes."""
    for more in ((), ("--dry-run",)):
        refused = ask(desk, command, "L", "Other", *more)
        assert refused.exit_code == 1
        assert "Other has another format than L: balance is a field of Other alone" in refused.stderr
    assert desk.count() == 3
    allowed = ask(desk, command, "L", "Other", "--allow-other-format")
    assert allowed.stdout == "3 records went to Other; none left alone.\n"
    assert ask(desk, command, "Other", "L", "--allow-other-format").exit_code == 0
    assert ask(desk, command, "L", "Alike").exit_code == 0
    assert desk.count(6) == 3
