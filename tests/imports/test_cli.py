"""``trunkline import``: a file into a real database, a second time, in parts, and what is printed."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.imports.desk import GOOD, MIXED, Desk, Program
from trunkline.app.imports import questions as import_questions
from trunkline.app.ports import Provision
from trunkline.cli.exports import export_list
from trunkline.cli.imports import import_list
from trunkline.domain.campaigns import CallingList
from trunkline.domain.enums import DoNotCallKind
from trunkline.domain.objects import ObjectKind, StoredObject
from trunkline.domain.suppression import SuppressionList


def test_a_file_is_imported_once(desk: Desk) -> None:
    """The records are in the database, the report says so, and a second time adds nothing."""
    result = desk.run(GOOD)
    assert result.exit_code == 0, result.output
    assert "Added 3 records in 2 chains." in result.stdout
    assert "custom field name" in result.stdout
    again = desk.run(GOOD)
    assert again.exit_code == 0
    assert "was finished before with 3 records; nothing was added" in again.stdout
    assert desk.count() == 3


def test_refused_rows_end_with_one(desk: Desk) -> None:
    """In mode all nothing is added, the rows are named, and the exit code says so."""
    result = desk.run(MIXED)
    assert result.exit_code == 1
    assert "Nothing was added, because rows were refused" in result.stdout
    assert "5    phone" in result.stdout
    assert desk.count() == 0


def test_good_rows_only(desk: Desk) -> None:
    """In mode good the exit code is 0, and all refusals are in the file asked for, harmless for spreadsheets."""
    refused = desk.folder / "refused.csv"
    text = "=phone,name\nbad,\n+16465550100,\n"
    result = desk.run(text, "--mode", "good", "--refused", str(refused), "--map", "phone==phone")
    assert result.exit_code == 0, result.output
    assert desk.count() == 1
    rows = list(csv.reader(refused.read_text(encoding="utf-8").splitlines()))
    assert rows[0] == ["row", "field", "reason"]
    assert rows[1][:2] == ["2", "'=phone"]


def test_more_refusals_than_a_screen(desk: Desk) -> None:
    """A screenful is shown, the rest counted."""
    result = desk.run("phone\n" + "bad\n" * 60, "--dry-run")
    assert result.exit_code == 1
    assert "and 10 more" in result.stdout
    assert "Dry run: nothing was written; 0 records in 0 chains are good." in result.stdout


def test_a_dry_run_says_that_the_file_was_imported(desk: Desk) -> None:
    """Doing it again would add nothing, which is said also when rows are refused; another name is another import."""
    assert desk.run(MIXED, "--mode", "good").exit_code == 0
    dry = desk.run(MIXED, "--dry-run")
    assert dry.exit_code == 0
    assert "this import was finished before with 3 records, and doing it again would add nothing" in dry.stdout
    other = desk.run(MIXED, "--dry-run", "--mode", "good", "--import-id", "other")
    assert "Dry run: nothing was written; 3 records in 2 chains are good." in other.stdout
    assert desk.count() == 3


def test_a_file_without_rows_is_said(desk: Desk) -> None:
    """A header alone is no fault, and is not told as if something was added; a file with nothing in it is refused."""
    for options in ((), ("--dry-run", "--import-id", "x")):
        result = desk.run("phone\n", *options)
        assert result.exit_code == 0
        assert "The file has no rows: there is nothing to add." in result.stdout
    for text in ("", "\n \n"):
        for arguments in (("--format", "jsonl"), ("--format", "jsonl", "--dry-run", "--json")):
            result = desk.run(text, *arguments)
            assert (result.exit_code, result.stderr) == (1, "Error: the file is empty\n")


def test_the_report_as_json(desk: Desk) -> None:
    """Standard output is one JSON object."""
    result = desk.run(None, "--json", "--import-id", "x", stdin=GOOD)
    assert json.loads(result.stdout)["recordsAdded"] == 3
    assert json.loads(desk.run(GOOD, "--json", "--import-id", "x").stdout)["isRepeat"] is True
    assert desk.count() == 3


def test_columns_delimiter_and_encoding(desk: Desk) -> None:
    """What can be said over HTTP can be said here."""
    text = "Telefon\tName\n+16465550100\tZoë\n"
    arguments = ("--map", "phone=Telefon", "--delimiter", "tab", "--encoding", "utf8", "--region", "US")
    result = desk.run(text, *arguments, "--json")
    assert json.loads(result.stdout)["columns"] == {"Telefon": "phone", "Name": "custom field Name"}


def test_the_contact_centre_is_named_when_there_are_several(desk: Desk) -> None:
    """One is taken by itself; of several the command says which there are."""
    desk.provision(Provision(contact_centres={2: "second"}))
    result = desk.run(GOOD)
    assert result.exit_code == 1
    assert "demo, second" in result.stderr
    assert desk.run(GOOD, "--contact-centre", "demo").exit_code == 0
    assert desk.run(GOOD, "--contact-centre", "third").exit_code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("--map", "phone"),
        ("--map", "=x"),
        ("--map", "a=phone", "--map", "a=name"),
        ("--map", "phone=Nothing"),
        ("--delimiter", "xx"),
        ("--encoding", "hex"),
        ("--import-id", "a b"),
        ("--time-zone", "Mars"),
        ("--refused", "/nowhere/at/all/x.csv"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(desk: Desk, arguments: tuple[str, ...]) -> None:
    """No trace of the program's inside, exit code 1 or 2, nothing added."""
    result = desk.run(GOOD, *arguments)
    assert result.exit_code in (1, 2)
    assert isinstance(result.exception, SystemExit)
    assert "Error: " in result.stderr
    assert desk.count() == 0


def test_the_storage_is_configured_as_everywhere(desk: Desk) -> None:
    """Flags of the storage reach whoever opens the store."""
    desk.run(GOOD, "--data-dir", str(desk.folder))
    assert desk.program.configs[0].data_dir == str(desk.folder)


def test_a_database_that_is_not_there_is_said(tmp_path: Path) -> None:
    """Nothing is made by an import but records."""
    (tmp_path / "list.csv").write_text(GOOD)
    result = CliRunner().invoke(import_list, ["L", str(tmp_path / "list.csv")], obj=Program(tmp_path))
    assert result.exit_code == 1
    assert "Error: " in result.stderr
    assert not (tmp_path / "trunkline.db").exists()


def test_what_was_exported_comes_in_again(desk: Desk) -> None:
    """The file of an export, in either form, fills another list with the same records."""
    assert desk.run(GOOD).exit_code == 0
    for name in ("out.csv", "out.jsonl"):
        path = desk.folder / name
        done = CliRunner().invoke(export_list, ["L", str(path)], obj=desk.program)
        assert done.exit_code == 0, done.output
        assert done.stderr == "Exported 3 records.\n"
        command = [name, str(path), "--create", "--specification", "exported", "--json"]
        again = CliRunner().invoke(import_list, command, obj=desk.program)
        assert again.exit_code == 0, again.output
        assert (json.loads(again.stdout)["recordsAdded"], json.loads(again.stdout)["chainsAdded"]) == (3, 2)
    assert desk.count(6) == desk.count(7) == 3
    assert not list(desk.folder.glob("*.part"))


def test_an_export_may_go_to_standard_output_and_to_spreadsheets(desk: Desk) -> None:
    """A dash writes the file where it is printed; formulas are defused on request; an unknown list is said."""
    assert desk.run(GOOD).exit_code == 0
    done = CliRunner().invoke(export_list, ["L", "-", "--spreadsheet", "--format", "csv"], obj=desk.program)
    assert done.stdout.count("'+16465550") == 3
    missing = CliRunner().invoke(export_list, ["Nothing", "-"], obj=desk.program)
    assert missing.exit_code == 1
    assert "Error: there is no calling list" in missing.stderr
    nowhere = CliRunner().invoke(export_list, ["L", "/nowhere/at/all/x.csv"], obj=desk.program)
    assert nowhere.exit_code in (1, 2)


def test_how_a_file_is_read_is_saved_under_a_name(desk: Desk) -> None:
    """A saved specification reads the next file, options change it, and saving again replaces it."""
    text = "Tel;note\n646 555 0100;x\n12;y\n"
    options = ("--delimiter", ";", "--map", "phone=Tel", "--mode", "good")
    saved = desk.run(text, *options, "--save-specification", "Shop")
    assert saved.exit_code == 0, saved.output
    again = desk.run(text.replace("0100", "0101"), "--specification", "Shop", "--json")
    assert json.loads(again.stdout)["recordsAdded"] == 1
    changed = desk.run(text.replace("0100", "0102"), "--specification", "Shop", "--numbers", "as-given", "--json")
    assert json.loads(changed.stdout)["recordsAdded"] == 2
    assert desk.run(text, *options, "--save-specification", "Shop", "--import-id", "z").exit_code == 0
    assert desk.run(text, *options, "--save-specification", "exported", "--import-id", "u").exit_code == 1
    assert desk.run(text, "--specification", "Else").exit_code == 1


@pytest.mark.parametrize(
    ("name", "text", "is_good"),
    [
        ("s.yaml", "delimiter: ';'\nmapping: {phone: Tel}\nmode: good\n", True),
        ("s.json", '{"delimiter": ";", "mapping": {"phone": "Tel"}, "mode": "good"}', True),
        ("s.yaml", "delimiter: ab\n", False),
        ("s.yaml", "numbers: some\n", False),
        ("s.yaml", "delimeter: ';'\n", False),
        ("s.yaml", "- 1\n", False),
        ("s.yaml", "a: [\n", False),
        ("s.yaml", "encoding: hex\n", False),
    ],
)
def test_a_specification_may_be_a_file(desk: Desk, name: str, text: str, is_good: bool) -> None:  # noqa: FBT001
    """YAML and JSON; what cannot be a specification is refused with a sentence, before anything is read."""
    (desk.folder / name).write_text(text)
    result = desk.run("Tel;note\n646 555 0100;x\n12;y\n", "--specification", str(desk.folder / name))
    assert result.exit_code == (0 if is_good else 1), result.output
    assert is_good or "Error: " in result.stderr
    assert desk.count() == int(is_good)


@pytest.mark.parametrize("kept_keys", [import_questions.KEPT_KEYS, 1])
def test_contacts_on_do_not_call_lists_are_refused(desk: Desk, kept_keys: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The own list and a required one count by themselves, others when they are named; the check can be left out.

    It is the same with fewer entries than are kept in memory and with more.
    """
    monkeypatch.setattr(import_questions, "KEPT_KEYS", kept_keys)
    shop = SuppressionList(contact_centre_id=1, suppression_list_id=3, name="Shop")
    law = SuppressionList(contact_centre_id=1, suppression_list_id=4, name="Law", is_required=True)
    objects = [StoredObject(kind=ObjectKind.SUPPRESSION_LIST, value=value) for value in (shop, law)]
    desk.provision(Provision(objects=objects))
    desk.suppress("+1 646 555 0100", 0)
    desk.suppress("+1 646 555 0101", 4)
    desk.suppress("+1 646 555 0102", 3)
    found = [
        json.loads(desk.run(GOOD, "--dry-run", "--json", *options).stdout)["rowsRefused"]
        for options in ((), ("--do-not-call-list", "Shop"), ("--no-do-not-call",))
    ]
    assert found == [2, 3, 0]
    assert desk.run(GOOD, "--do-not-call-list", "None").exit_code == 1


@pytest.mark.parametrize("kept_keys", [import_questions.KEPT_KEYS, 0])
@pytest.mark.parametrize("is_json", [False, True])
def test_accounts_on_do_not_call_lists_are_refused(
    desk: Desk,
    kept_keys: int,
    is_json: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The account is the custom field that the list names, whatever the file calls its column; a number is its text.

    Another list's entry counts when it is named, and a list that names no account field refuses nothing.
    """
    monkeypatch.setattr(import_questions, "KEPT_KEYS", kept_keys)
    shop = SuppressionList(contact_centre_id=1, suppression_list_id=3, name="Shop")
    loans = CallingList(contact_centre_id=1, list_id=6, name="Loans", account_field="loan")
    objects = [StoredObject(kind=ObjectKind.SUPPRESSION_LIST, value=shop)]
    desk.provision(Provision(objects=objects, lists=[loans]))
    desk.suppress("77", 0, DoNotCallKind.ACCOUNT)
    desk.suppress("A-1", 3, DoNotCallKind.ACCOUNT)
    text = "phone,no,customer_id\n+16465550100,77,78\n+16465550101,A-1,77\n+16465550102,,A-1\n+16465550103,78,\n"
    options = ["--json", "--dry-run", "--map", "loan=no"]
    if is_json:
        text = (
            '{"phone": "+16465550100", "no": 77}\n{"phone": "+16465550101", "no": "A-1", "x": "77"}\n'
            '{"phone": "+16465550102", "x": "77"}\n{"phone": "+16465550103", "no": 78}\n'
        )
        options += ["--format", "jsonl"]

    def refused(name: str, *more: str) -> list[tuple[str, str]]:
        found = json.loads(desk.run(text, *options, *more, name=name).stdout)["refusals"]
        return [(one["field"], one["reason"]) for one in found]

    fault = ("no", "must not be called: it is on a do-not-call list")
    assert refused("Loans") == [fault]
    assert refused("Loans", "--do-not-call-list", "Shop") == [fault, fault]
    assert refused("Loans", "--no-do-not-call") == []
    assert refused("L") == []
