"""The composition root: the only place that knows every room. Builds the program from its configuration."""

from __future__ import annotations

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from trunkline.adapters.storage import make_store, migrate
from trunkline.adapters.system import SystemClock
from trunkline.app.ports import Store
from trunkline.cli.main import cli as commands
from trunkline.config import Config
from trunkline.errors import Refused

# What only the server needs is loaded where it is used: a command is typed often and waits for all that it imports.


def database_url(config: Config) -> str:
    """Where the data are: the configured PostgreSQL, or SQLite in the data folder (which is made)."""
    if config.database_url:
        return config.database_url
    folder = Path(config.data_dir).resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return f"sqlite:///{folder / 'trunkline.db'}"


async def make_attempt_parts(url: str) -> None:
    """Give a migrated database the parts of its attempt log that come next, so that no row has to be moved later.

    A database that no server may use has none: the server says why, and makes them when it may.
    """
    store = make_store(url)
    try:
        await store.open()
    except Refused:
        return
    try:
        await store.make_attempt_parts(SystemClock().now_ms())
    finally:
        await store.close()


class Program:
    """What the commands of the command line work with; see ``trunkline.cli.main.Program``."""

    def serve(self, config: Config, ready_fd: int | None) -> None:
        """Run the server until it is told to stop."""
        from trunkline.serving import serve  # noqa: PLC0415 - see above

        serve(config, database_url(config), ready_fd)

    def migrate(self, config: Config) -> tuple[str | None, str]:
        """Bring the database to the newest schema."""
        url = database_url(config)
        before = migrate.current(url)
        migrate.upgrade(url)
        if migrate.sqlite_path(url) is None:
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
        from trunkline.web.auth import hash_password  # noqa: PLC0415 - see above

        return hash_password(password)

    def examine(self, config: Config) -> list[tuple[str, bool, str]]:
        """Findings of the doctor."""
        from trunkline.diagnosis import examine  # noqa: PLC0415 - see above

        return asyncio.run(examine(config, database_url(config)))


def cli() -> None:
    """Entry point of the ``trunkline`` command."""
    commands.main(args=sys.argv[1:], prog_name="trunkline", obj=Program(), standalone_mode=True)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    cli()
