"""The command line as people type it, on a real database file."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import msgspec

from trunkline import __version__
from trunkline.cli.main import cli

TRUNKLINE = Path(sys.executable).with_name("trunkline")


def run(
    *arguments: str, folder: Path, stdin: str = "", variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``trunkline`` in a folder of its own."""
    return subprocess.run(
        [TRUNKLINE, *arguments],
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **(variables or {})},
    )


def test_version(tmp_path: Path) -> None:
    """``--version`` tells the package's version."""
    assert __version__ in run("--version", folder=tmp_path).stdout


def test_migrate_makes_the_database_once(tmp_path: Path) -> None:
    """The first run migrates, the second has nothing to do, and a dry run shows statements and changes nothing."""
    dry = run("migrate", "--dry-run", folder=tmp_path)
    assert "CREATE TABLE record" in dry.stdout
    assert not list(tmp_path.glob("trunkline-data/*.db"))
    assert run("migrate", folder=tmp_path).stdout.startswith("migrated from nothing to ")
    assert run("migrate", folder=tmp_path).stdout.startswith("already at ")


def test_short_spellings_of_the_storage_flags(tmp_path: Path) -> None:
    """``--data`` and ``--database`` mean ``--data-dir`` and ``--database-url``, in the help as well."""
    assert run("migrate", "--data", "short", folder=tmp_path).returncode == 0
    assert run("migrate", "--data-dir", "short", folder=tmp_path).stdout.startswith("already at ")
    refused = run("migrate", "--database", "nonsense", folder=tmp_path)
    assert refused.returncode != 0
    assert "database_url" in refused.stderr
    shown = run("serve", "--help", folder=tmp_path).stdout
    assert "--data, --data-dir" in shown
    assert "--database, --database-url" in shown


def test_user_add_and_change(tmp_path: Path) -> None:
    """A user is added with a contact centre of its own, and changed by the same command."""
    first = run("user", "add", "anna", "--password", "-", "--device", "d1=5001", folder=tmp_path, stdin="long enough\n")
    assert first.stdout == "added agent anna in contact centre main\n"
    again = run("user", "add", "anna", "--role", "supervisor", "--password", "long enough", folder=tmp_path)
    assert again.stdout == "changed supervisor anna in contact centre main\n"


def test_the_environment_names_the_contact_centre(tmp_path: Path) -> None:
    """``TRUNKLINE_CONTACT_CENTRE`` stands for the option, which wins; an empty one is none."""
    for centre in ("acme", "main"):
        variables = {"TRUNKLINE_CONTACT_CENTRE": centre}
        added = run("user", "add", "anna", "--password", "long enough", folder=tmp_path, variables=variables)
        assert added.stdout == f"added agent anna in contact centre {centre}\n"
    listed = ("suppression", "list")
    for variables in ({}, {"TRUNKLINE_CONTACT_CENTRE": ""}):
        refused = run(*listed, folder=tmp_path, variables=variables)
        assert "--contact-centre or TRUNKLINE_CONTACT_CENTRE; there are: acme, main" in refused.stderr
    variables = {"TRUNKLINE_CONTACT_CENTRE": "acme"}
    assert run(*listed, folder=tmp_path, variables=variables).returncode == 0
    assert run(*listed, "--contact-centre", "other", folder=tmp_path, variables=variables).returncode == 1
    shown = " ".join(run(*listed, "--help", folder=tmp_path).stdout.split())
    assert "Needed when there are several. [env: TRUNKLINE_CONTACT_CENTRE]" in shown


def _commands(group: click.Group) -> Iterator[click.Command]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield from _commands(command) if isinstance(command, click.Group) else (command,)


def test_every_command_takes_the_contact_centre_from_there() -> None:
    """No command has an option of its own for it."""
    options = [one for command in _commands(cli) for one in command.params if one.name == "contact_centre"]
    assert len(options) > 20
    assert {one.envvar for one in options} == {"TRUNKLINE_CONTACT_CENTRE"}


def test_user_add_refusals(tmp_path: Path) -> None:
    """What is wrong is said in a sentence, and the exit status is that of a usage error."""
    for name in ("acme\\anna", "acme:anna"):
        assert "no backslash" in run("user", "add", name, "--password", "long enough", folder=tmp_path).stderr
    for arguments, said in (
        (("--password", "short"), "at least 8 characters"),
        (("--password", "long enough", "--contact-centre", "ac\\me"), "no backslash"),
        (("--password", "long enough", "--feature", "api-magic"), "unknown feature api-magic"),
        (("--password", "long enough", "--device", "d1"), "ID=NUMBER"),
    ):
        refused = run("user", "add", "anna", *arguments, folder=tmp_path)
        assert refused.returncode == 2
        assert said in refused.stderr


def test_doctor(tmp_path: Path) -> None:
    """The doctor finds a database that was never made, and is content after the migration."""
    before = run("doctor", "--port", "0", folder=tmp_path)
    assert before.returncode == 1
    assert "run trunkline migrate" in before.stdout.replace("\n", " ")
    run("migrate", folder=tmp_path)
    after = run("doctor", "--port", "0", folder=tmp_path)
    assert "!!" not in after.stdout.replace("open files", "")


def test_the_demo_stays_on_loopback(tmp_path: Path) -> None:
    """Known passwords are not offered to the network."""
    refused = run("serve", "--demo", "--host", "0.0.0.0", folder=tmp_path)
    assert refused.returncode == 2
    assert "loopback" in refused.stderr


def test_options_from_a_file_and_what_is_wrong_with_it(tmp_path: Path) -> None:
    """A wrong value in the file is refused with the option and the place."""
    (tmp_path / "t.toml").write_text("port = 99999\n")
    refused = run("serve", "--config", "t.toml", folder=tmp_path)
    assert refused.returncode == 2
    assert "port" in refused.stderr
    assert "t.toml" in refused.stderr


def test_import_from_the_command_line(tmp_path: Path) -> None:
    """A list is made and filled, a second run adds nothing, a bad row stops all of it and is named."""
    run("user", "add", "anna", "--password", "long enough", folder=tmp_path)
    (tmp_path / "good.csv").write_text("phone,name\n+12125550101,Ann\n+12125550102,Bob\n")
    command = ("import", "Spring", "good.csv", "--create", "--json")
    report = msgspec.json.decode(run(*command, folder=tmp_path).stdout)
    assert (report["recordsAdded"], report["rowsRefused"]) == (2, 0)
    again = msgspec.json.decode(run(*command, folder=tmp_path).stdout)
    assert again["isRepeat"] is True
    (tmp_path / "bad.csv").write_text("phone,name\n+12125550103,Cid\nnobody,Dan\n")
    refused = run("import", "Spring", "bad.csv", "--json", folder=tmp_path)
    assert refused.returncode == 1
    found = msgspec.json.decode(refused.stdout)
    assert found["recordsAdded"] == 0
    assert (found["refusals"][0]["row"], found["refusals"][0]["field"]) == (3, "phone")
