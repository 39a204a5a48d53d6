"""``trunkline suppression`` as people type it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_commands import run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a database that has one contact centre."""
    made = run("user", "add", "chief", "--role", "supervisor", "--password", "chief-chief", folder=tmp_path)
    assert made.returncode == 0
    return tmp_path


def test_a_list_goes_in_and_out(folder: Path) -> None:
    """A list is made, imported twice without a difference, shown, exported, and imported from its export."""
    (folder / "numbers.csv").write_text("number,reason\n212-555-0010,asked\n+33612345678,\n")
    arguments = ("suppression", "import", "Register", "numbers.csv", "--region", "US", "--source", "register")
    missing = run(*arguments, folder=folder)
    assert (missing.returncode, "--create makes it" in missing.stderr) == (1, True)
    dry = run(*arguments, "--create", "--dry-run", folder=folder)
    assert "Dry run: nothing was written; 2 rows are good, 0 were refused." in dry.stdout
    made = run(*arguments, "--create", "--required", folder=folder)
    assert "2 rows are good, 0 were refused; Register had 0 entries and has 2." in made.stdout
    again = json.loads(run(*arguments, "--json", folder=folder).stdout)
    assert (again["entriesBefore"], again["entriesAfter"]) == (2, 2)
    shown = run("suppression", "list", folder=folder).stdout
    assert "Register" in shown
    assert "always" in shown
    rows = json.loads(run("suppression", "list", "--json", folder=folder).stdout)
    assert rows == [{"name": "own", "entries": 0, "ended": 0}, {"name": "Register", "entries": 2, "ended": 0}]
    assert run("suppression", "export", "Register", "-o", "out.csv", folder=folder).returncode == 0
    exported = (folder / "out.csv").read_text()
    assert run("suppression", "export", "Register", folder=folder).stdout.split() == exported.split()
    assert "number,+12125550010,,never,asked,register," in exported
    copied = run("suppression", "import", "own", "-", folder=folder, stdin=exported)
    assert "own had 0 entries and has 2." in copied.stdout


def test_refused_rows_are_printed(folder: Path) -> None:
    """Rows with their reasons; exit 1, and nothing is added, unless the good ones are asked for."""
    text = "+12125550010\n12\n"
    refused = run("suppression", "import", "own", "-", folder=folder, stdin=text)
    assert refused.returncode == 1
    assert "row 2: value has no country code; give the region that its numbers are of" in refused.stdout
    assert "Nothing was added" in refused.stdout
    assert run("suppression", "import", "own", "-", "--mode", "good", folder=folder, stdin=text).returncode == 0
    assert run("suppression", "check", "+12125550010", folder=folder).returncode == 1


def test_an_import_that_is_refused_leaves_no_list(folder: Path) -> None:
    """Rows that are refused, an empty file, a wrong option: --create has made nothing, and works afterwards."""
    arguments = ("suppression", "import", "New", "-", "--create", "--required")
    for text, more in (
        ("+12125550010\n12\n", ()),
        ("", ()),
        ("+12125550010\n", ("--encoding", "hex")),
        ("+12125550010\n", ("--map", "number=Nothing")),
    ):
        assert run(*arguments, *more, folder=folder, stdin=text).returncode == 1
    assert [one["name"] for one in json.loads(run("suppression", "list", "--json", folder=folder).stdout)] == ["own"]
    assert "New had 0 entries and has 1." in run(*arguments, folder=folder, stdin="+12125550010\n").stdout


def test_single_entries(folder: Path) -> None:
    """Added, found in any spelling with who and why, removed with a reason; each change is a row of the audit."""
    assert run("suppression", "check", "2125550010", "--region", "US", folder=folder).stdout == "no list names it\n"
    added = run(
        *("suppression", "add", "own", "+12125550010", "+12125550011", "--reason", "asked by letter"),
        *("--expires", "2090-01-01", "--source", "letter"),
        folder=folder,
    )
    assert added.stdout == "2 in the list own\n"
    found = run("suppression", "check", "(212) 555-0010", "--region", "US", folder=folder)
    assert found.returncode == 1
    assert found.stdout.startswith("own: +12125550010 since ")
    assert found.stdout.endswith("until 2090-01-02T00:00:00Z; letter: asked by letter\n")
    (as_json,) = json.loads(run("suppression", "check", "+12125550010", "--json", folder=folder).stdout)
    assert (as_json["list_name"], as_json["holds"]) == ("own", True)
    removed = run(
        *("suppression", "remove", "own", "+12125550010", "+12125550099", "--reason", "a mistake"), folder=folder
    )
    assert removed.stdout == "1 of 2 removed from the list own\n"
    assert run("suppression", "check", "+12125550010", folder=folder).returncode == 0


def test_a_list_is_emptied(folder: Path) -> None:
    """Counted, asked about, and emptied with a reason; a list that applies is left alone."""
    text = "+12125550010\n+12125550011\n"
    for name, more in (("Old", ()), ("Register", ("--required",))):
        made = run("suppression", "import", name, "-", "--create", *more, folder=folder, stdin=text)
        assert made.returncode == 0
    counted = run("suppression", "empty", "Old", "--dry-run", folder=folder)
    assert counted.stdout == "2 entries of Old would be removed, 0 of them ended.\n"
    why = ("--reason", "replaced")
    asked = run("suppression", "empty", "Old", *why, folder=folder, stdin="n\n")
    assert (asked.returncode, "Remove all 2 entries of Old for good?" in asked.stderr) == (1, True)
    gone = run("suppression", "empty", "Old", *why, folder=folder, stdin="y\n")
    assert gone.stdout == "2 entries of Old were removed; it has 0.\n"
    again = json.loads(run("suppression", "empty", "Old", *why, "--yes", "--json", folder=folder).stdout)
    assert again == {"listName": "Old", "entries": 0, "ended": 0, "left": 0, "isDryRun": False}
    rows = json.loads(run("suppression", "list", "--json", folder=folder).stdout)
    assert [(row["name"], row["entries"]) for row in rows] == [("own", 0), ("Old", 0), ("Register", 2)]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("add", "own", "+12125550010"), "Missing option '--reason'"),
        (("add", "Nothing", "+12125550010", "--reason", "x"), "there is no suppression list with this name"),
        (("add", "own", "2125550010", "--reason", "x"), "value has no country code"),
        (("add", "own", "x", "--kind", "fax", "--reason", "x"), "kind must be one of number, customer, account"),
        (("import", "own", "-", "--map", "number"), "--map is given as MEANING=COLUMN"),
        (("import", "own", "-", "--encoding", "utf-16"), "encoding must be utf-8, iso-8859-1 or windows-1252"),
        (("check", " "), "a contact has 1 to 128 characters"),
        (("empty", "own", "--yes"), "Missing option '--reason'"),
        (("empty", "own", "--yes", "--reason", "x"), "the contact centre's own list always applies"),
        (("empty", "Nothing", "--yes", "--reason", "x"), "there is no suppression list with this name"),
        (("list", "--contact-centre", "other"), "name one contact centre with --contact-centre"),
    ],
)
def test_what_cannot_be_done(folder: Path, arguments: tuple[str, ...], sentence: str) -> None:
    """A sentence, no trace."""
    done = run("suppression", *arguments, folder=folder, stdin="+12125550010\n")
    assert done.returncode in (1, 2)
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
