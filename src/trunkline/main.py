"""The composition root: the only place that knows every room. Builds the program from its configuration."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

import structlog
import uvloop

from trunkline import __version__, log
from trunkline.adapters.storage import make_store, migrate
from trunkline.adapters.system import SystemClock
from trunkline.app import demo
from trunkline.app.directory import ReferenceBook
from trunkline.app.import_files import TextFile
from trunkline.app.imports import ImportOrder, import_alone
from trunkline.app.ports import Store
from trunkline.cli.apply import apply, get
from trunkline.cli.audit import audit
from trunkline.cli.callbacks import callbacks
from trunkline.cli.campaigns import campaign
from trunkline.cli.explain import explain
from trunkline.cli.exports import export_list
from trunkline.cli.imports import import_list
from trunkline.cli.lists import lists
from trunkline.cli.main import cli as commands
from trunkline.cli.persons import person
from trunkline.cli.rules import rules
from trunkline.cli.suppression import suppression
from trunkline.cli.treatments import treatments
from trunkline.config import Config
from trunkline.diagnosis import examine
from trunkline.domain.import_specifications import NumberCheck
from trunkline.errors import AlreadyExists, TrunklineError
from trunkline.running import Running
from trunkline.settings import bounds
from trunkline.web.app import Application
from trunkline.web.auth import hash_password
from trunkline.web.server import Server, announce_port

DEMO_PASSWORD = "demo"  # noqa: S105 - printed on the first screen of the README; the demo binds loopback only

commands.add_command(audit)
commands.add_command(explain)
commands.add_command(import_list)
commands.add_command(apply)
commands.add_command(get)
commands.add_command(export_list)
commands.add_command(lists)
commands.add_command(rules)
commands.add_command(treatments)
commands.add_command(callbacks)
commands.add_command(campaign)
commands.add_command(suppression)
commands.add_command(person)


def database_url(config: Config) -> str:
    """Where the data are: the configured PostgreSQL, or SQLite in the data folder (which is made)."""
    if config.database_url:
        return config.database_url
    folder = Path(config.data_dir).resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return f"sqlite:///{folder / 'trunkline.db'}"


async def run(config: Config, ready_fd: int | None) -> None:
    """Run the server until it is told to stop."""
    url = database_url(config)
    store = make_store(url, exclusive=True)
    await store.open()
    for warning in getattr(store, "warnings", ()):
        structlog.get_logger("trunkline").warning("database", warning=warning)
    if config.demo:
        await make_demo(config, store)
    running = Running(config, store, ReferenceBook(await store.directory()), await store.epoch())

    def on_ready(port: int) -> None:
        if not running.settings.external_prefix:
            running.settings.external_prefix = config.external_prefix(port)
        running.log.info("listening", url=running.settings.external_prefix, version=__version__)
        if ready_fd is not None:
            announce_port(ready_fd, port)

    application = Application(running.services)
    server = Server(
        application,
        host=config.host,
        port=config.port,
        shutdown_grace_s=config.shutdown_grace_s,
        on_ready=on_ready,
        on_stop=running.answer_held,
        bounds=bounds(config),
        door=application.door,
        gate=application.door.gate if config.cometd_websocket else None,
    )
    await running.start()
    try:
        await server.serve()
    finally:
        await running.stop()
    if not server.started:
        raise TrunklineError(f"cannot listen on {config.host}:{config.port}")


async def make_demo(config: Config, store: Store) -> None:
    """Fill an empty database with the demo contact centre; nothing when it is there already."""
    await demo.seed(store, config.demo_agents, hash_password(DEMO_PASSWORD))
    calling_list = ReferenceBook(await store.directory()).list_named(demo.CENTRE_ID, demo.LIST_NAME)
    order = ImportOrder(import_id=demo.IMPORT_ID, numbers=NumberCheck.AS_GIVEN)
    # An older release's list under the same import id stays: the demo is made once for each data directory.
    with files("trunkline.demo").joinpath("calling_list_1.csv").open("rb") as file, suppress(AlreadyExists):
        await import_alone(store, SystemClock(), demo.administrator(), calling_list, order, TextFile(file))


async def make_attempt_parts(url: str) -> None:
    """Give a migrated database the parts of its attempt log that come next, so that no row has to be moved later."""
    store = make_store(url)
    await store.open()
    try:
        await store.make_attempt_parts(SystemClock().now_ms())
    finally:
        await store.close()


class Program:
    """What the commands of the command line work with; see ``trunkline.cli.main.Program``."""

    def serve(self, config: Config, ready_fd: int | None) -> None:
        """Run the server until it is told to stop."""
        log.configure(config.log_level, config.log_format)
        for chatty in ("alembic", "uvicorn.error"):
            logging.getLogger(chatty).setLevel(logging.WARNING)
        if config.demo or not config.database_url:
            migrate.upgrade(database_url(config))
        uvloop.run(run(config, ready_fd))

    def migrate(self, config: Config) -> tuple[str | None, str]:
        """Bring the database to the newest schema."""
        url = database_url(config)
        before = migrate.current(url)
        migrate.upgrade(url)
        with ThreadPoolExecutor(max_workers=1) as aside:  # the caller's thread may have a loop that runs
            aside.submit(asyncio.run, make_attempt_parts(url)).result()
        return before, migrate.head()

    def pending_sql(self, config: Config) -> str:
        """The statements that ``migrate`` would run."""
        return migrate.pending_sql(database_url(config))

    def open_store(self, config: Config) -> Store:
        """A store on the configured database, not yet opened."""
        return make_store(database_url(config))

    def hash_password(self, password: str) -> str:
        """The encoded hash of a password."""
        return hash_password(password)

    def examine(self, config: Config) -> list[tuple[str, bool, str]]:
        """Findings of the doctor."""
        return asyncio.run(examine(config, database_url(config)))


def cli() -> None:
    """Entry point of the ``trunkline`` command."""
    commands.main(args=sys.argv[1:], prog_name="trunkline", obj=Program(), standalone_mode=True)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    cli()
