"""``trunkline person`` as people type it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.test_commands import run


def test_a_person_is_shown_and_erased(tmp_path: Path) -> None:
    """An imported record is exported as JSON, counted by a dry run, erased, and gone; do-not-call stays."""
    made = run("user", "add", "chief", "--role", "supervisor", "--password", "chief-chief", folder=tmp_path)
    assert made.returncode == 0
    (tmp_path / "list.csv").write_text("phone,name\n+12125550010,Ann\n+12125550011,Bob\n")
    assert run("import", "L", "list.csv", "--create", folder=tmp_path).returncode == 0
    assert run("suppression", "add", "own", "+12125550010", "--reason", "asked", folder=tmp_path).returncode == 0
    shown = json.loads(run("person", "export", "(212) 555-0010", "--region", "US", folder=tmp_path).stdout)
    assert [one["otherFields"] for one in shown["records"]] == [{"name": "Ann"}]
    assert [one["reason"] for one in shown["suppressions"]] == ["asked"]
    erase = ("person", "erase", "+12125550010", "--reason", "asked by letter")
    dry = run(*erase, "--dry-run", folder=tmp_path).stdout
    assert dry.startswith("Dry run: nothing was erased. 1 records, 0 rows of the attempt log")
    assert json.loads(run(*erase, "--json", folder=tmp_path).stdout)["records"] == 1
    shown = json.loads(run("person", "export", "+12125550010", folder=tmp_path).stdout)
    assert shown["records"] == []
    assert len(shown["suppressions"]) == 1
    entered = run(*erase, "--do-not-call", folder=tmp_path).stdout
    assert entered.splitlines()[-1] == "The person is entered as do-not-call, in the list own."
    refused = run("person", "erase", "--reason", "x", folder=tmp_path)
    assert (refused.returncode, "either a number or a customer id is required" in refused.stderr) == (1, True)
