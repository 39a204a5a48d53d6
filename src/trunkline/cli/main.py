"""``trunkline serve | migrate | user | doctor | import``."""

from __future__ import annotations

import asyncio
import sys
import uuid
from typing import Any, Protocol

import click
from rich.console import Console
from rich.table import Table

from trunkline import __version__
from trunkline.app.administration.provisioning import usual_objects
from trunkline.app.ports import Provision, Store, User
from trunkline.cli.commands import Commands
from trunkline.cli.flags import STORAGE, centre_option, config_from, with_options
from trunkline.config import Config
from trunkline.domain.people import MIN_PASSWORD, Caller, Device, Feature, Role, features_of
from trunkline.errors import Refused, TrunklineError

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Program(Protocol):
    """What the composition root gives to the commands."""

    def serve(self, config: Config, ready_fd: int | None) -> None:
        """Run the server until it is told to stop."""

    def migrate(self, config: Config) -> tuple[str | None, str]:
        """Bring the database to the newest schema; returns the revisions before and after."""

    def pending_sql(self, config: Config) -> str:
        """The statements that ``migrate`` would run."""

    def open_store(self, config: Config) -> Store:
        """A store on the configured database, not yet opened."""

    def hash_password(self, password: str) -> str:
        """The encoded hash of a password."""

    def examine(self, config: Config) -> list[tuple[str, bool, str]]:
        """Findings of the doctor: what was looked at, whether it is well, and a sentence."""


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="trunkline")
def cli() -> None:
    """Trunkline, an open outbound-contact server."""


@cli.command()
@with_options()
@click.option("--ready-fd", type=int, help="Write the bound port to this file descriptor when the server listens.")
@click.pass_obj
def serve(program: Program, /, toml_path: str | None, ready_fd: int | None, **flags: Any) -> None:
    """Run the server."""
    config = config_from(toml_path, flags)
    if config.demo and config.host not in LOOPBACK:
        raise click.UsageError("--demo has known passwords and so listens on loopback only; leave --host away")
    try:
        program.serve(config, ready_fd)
    except TrunklineError as error:
        raise click.ClickException(str(error)) from None


@cli.command()
@with_options(*STORAGE)
@click.option("--dry-run", is_flag=True, help="Print the statements instead of running them.")
@click.pass_obj
def migrate(program: Program, /, toml_path: str | None, *, dry_run: bool, **flags: Any) -> None:
    """Bring the database to the newest schema. The server does this by itself for SQLite."""
    config = config_from(toml_path, flags)
    try:
        if dry_run:
            click.echo(program.pending_sql(config))
            return
        before, after = program.migrate(config)
    except TrunklineError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"already at {after}" if before == after else f"migrated from {before or 'nothing'} to {after}")


@cli.group()
def user() -> None:
    """Accounts."""


@user.command("add")
@click.argument("user_name")
@centre_option("Made when it does not exist.", default="main")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.AGENT.value, show_default=True)
@click.option("--password", help="Asked for when not given; '-' reads one line from standard input.")
@click.option("--device", "devices", multiple=True, metavar="ID=NUMBER", help="A device of the user; repeatable.")
@click.option("--feature", "features", multiple=True, help="A feature; repeatable. Default: those of the role.")
@click.option("--first-name", default="")
@click.option("--last-name", default="")
@click.option("--email", default="")
@click.option("--disabled", is_flag=True, help="Keep the account from logging in.")
@with_options(*STORAGE)
@click.pass_obj
def user_add(program: Program, /, toml_path: str | None, user_name: str, **given: Any) -> None:
    """Add an account, or change one: a user name that exists gets the new password, role and devices."""
    flags = {name: given.pop(name) for name in STORAGE}
    config = config_from(toml_path, flags)
    password = _password(given.pop("password"))
    try:
        program.migrate(config)
        what = asyncio.run(_add_user(program, config, user_name, password, given))
    except Refused as error:
        raise click.UsageError(str(error)) from None
    except TrunklineError as error:
        raise click.ClickException(str(error)) from None
    click.echo(what)


def _password(given: str | None) -> str:
    if given == "-":
        given = sys.stdin.readline().rstrip("\n")
    password = given if given is not None else click.prompt("Password", hide_input=True, confirmation_prompt=True)
    if len(password) < MIN_PASSWORD:
        raise click.UsageError(f"a password has at least {MIN_PASSWORD} characters")
    return str(password)


async def _add_user(program: Program, config: Config, name: str, password: str, given: dict[str, Any]) -> str:
    store = program.open_store(config)
    await store.open()
    try:
        directory = await store.directory()
        centres = {title: centre for centre, title in directory.contact_centres.items()}
        title = given["contact_centre"]
        if title not in centres and set(title) & set(":\\"):
            raise Refused("the name of a contact centre has no colon and no backslash: users log in as centre\\name")
        centre = centres.get(title) or max(directory.contact_centres, default=0) + 1
        known = await store.user(centre, name)
        everybody = [] if known else await store.users(centre)
        user_id = known.caller.user_id if known else max((u.caller.user_id for u in everybody), default=0) + 1
        caller = _caller(centre, title, user_id, name, given, known)
        account = User(
            caller=caller,
            password_hash=program.hash_password(password),
            is_enabled=not given["disabled"],
            reference=known.reference if known else None,
            skills=known.skills if known else {},
        )
        objects = [] if centre in directory.contact_centres else usual_objects(centre)
        await store.provision(Provision(contact_centres={centre: title}, users=[account], objects=objects))
    finally:
        await store.close()
    return f"{'changed' if known else 'added'} {given['role']} {name} in contact centre {title}"


def _caller(centre: int, title: str, user_id: int, name: str, given: dict[str, Any], known: User | None) -> Caller:
    role = Role(given["role"])
    if not name or len(name) > 64 or not name.isprintable() or set(name) & set(":\\"):
        raise Refused("a user name has 1 to 64 printable characters, no colon and no backslash")
    unknown = set(given["features"]) - {feature.value for feature in Feature}
    if unknown:
        known_names = ", ".join(sorted(feature.value for feature in Feature))
        raise Refused(f"unknown feature {min(unknown)}; there are {known_names}")
    return Caller(
        contact_centre_id=centre,
        contact_centre_name=title,
        user_id=user_id,
        public_id=known.caller.public_id if known else uuid.uuid4().hex,
        user_name=name,
        first_name=given["first_name"],
        last_name=given["last_name"],
        email_address=given["email"],
        roles=(role,),
        features=frozenset(given["features"] or features_of((role,))),
        devices=_devices(given["devices"], role, known),
    )


def _devices(given: tuple[str, ...], role: Role, known: User | None) -> tuple[Device, ...]:
    devices = []
    for text in given:
        device_id, equals, number = text.partition("=")
        if not equals or not device_id or not number:
            raise Refused("a device is given as ID=NUMBER")
        devices.append(Device(device_id, number))
    if devices or known:
        return tuple(devices) or (known.caller.devices if known else ())
    return (Device(str(uuid.uuid4()), ""),) if role is Role.AGENT else ()


@cli.command()
@with_options()
@click.pass_obj
def doctor(program: Program, /, toml_path: str | None, **flags: Any) -> None:
    """Look at configuration, database and surroundings, and say what is wrong. Exits 1 when something is."""
    config = config_from(toml_path, flags)
    findings = program.examine(config)
    table = Table(show_header=False, box=None, padding=(0, 1))
    for subject, is_well, sentence in findings:
        table.add_row("[green]ok[/]" if is_well else "[red]!![/]", subject, sentence)
    Console(highlight=False).print(table)
    if not all(is_well for _, is_well, _ in findings):
        raise SystemExit(1)
