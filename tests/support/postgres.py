"""A private PostgreSQL server for the tests: own folder, free port, durable like a real one."""

from __future__ import annotations

import asyncio
import itertools
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg

from tests.support.processes import NotReadyError, Program

OLDEST = 13
"""The oldest major version that the server supports."""

USER = "trunkline"

_READY = "database system is ready to accept connections"
_SETTINGS = {
    "fsync": "on",  # what a commit promises is part of what is tested
    "shared_buffers": "32MB",
    "max_connections": "120",
    "listen_addresses": "127.0.0.1",
    "lc_messages": "C",  # the line above is waited for
    "log_min_messages": "warning",
    "max_wal_size": "256MB",
    "password_encryption": "scram-sha-256",
}


class PostgresMissingError(RuntimeError):
    """PostgreSQL's server programs (initdb, postgres) were not found: apt-get install postgresql."""


def find_programs() -> Path:
    """Return the folder with initdb and postgres: from PATH, else the newest that Debian's packages installed.

    Raises ``PostgresMissingError`` if there is none of version ``OLDEST`` or newer.
    """
    folders = []
    on_path = shutil.which("initdb")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    folders += sorted(installed, key=lambda folder: _number(folder.parent.name), reverse=True)
    for folder in folders:
        if (folder / "postgres").exists() and (folder / "initdb").exists() and _version(folder) >= OLDEST:
            return folder
    raise PostgresMissingError(PostgresMissingError.__doc__)


def _number(text: str) -> float:
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else 0


def _version(folder: Path) -> int:
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"\s(\d+)", said)
    return int(found.group(1)) if found else 0


class PostgresServer:
    """One running server, with other ``settings`` than the usual ones. ``stop`` ends it and removes its folder."""

    def __init__(self, **settings: str) -> None:
        self._settings = settings
        self._programs = find_programs()
        self._account = _account()
        self._password = secrets.token_urlsafe(12)
        self._numbers = itertools.count(1)
        self._templates: dict[str, str] = {}
        self._template_lock = threading.Lock()
        # A Unix socket's path has at most 107 bytes, so the folder is not in TMPDIR, which may be long.
        self.folder = Path(tempfile.mkdtemp(prefix="trunkline-postgres-", dir="/tmp"))
        self.port = 0
        self._program: Program | None = None
        try:
            self._initialise()
            self.start()
        except BaseException:
            self.stop()
            raise

    def start(self) -> None:
        """Start it, on the port it had before if it ran already (after ``crash``)."""
        for _ in range(5):  # another program may take the free port first
            port = self.port or _free_port()
            settings = {**_SETTINGS, **self._settings, "port": str(port), "unix_socket_directories": str(self.folder)}
            flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
            program = self._run(["postgres", "-D", str(self.folder / "data"), *flags])
            try:
                # A recovery after a crash is the longest start.
                program.wait_for_line(_READY, timeout_s=60)
            except NotReadyError:
                program.end(signal.SIGINT)
                if "could not bind" not in program.output or self.port:
                    raise
            else:
                self._program, self.port = program, port
                return
        raise NotReadyError("PostgreSQL found no free port in five attempts")

    def crash(self) -> None:
        """End it as a power failure would: nothing is flushed that a commit did not flush."""
        if self._program is not None:
            self._program.end(signal.SIGQUIT)
            self._program = None

    def stop(self) -> None:
        """End it and remove its folder. Harmless when it has been stopped already."""
        if self._program is not None:
            self._program.end(signal.SIGINT)  # "fast": clients are disconnected
            self._program = None
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def output(self) -> str:
        """What the running server has logged."""
        return self._program.output if self._program is not None else ""

    def url(self, database: str) -> str:
        """Return the address of one database."""
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self.port}/{database}"

    def create(self, template: str = "template0") -> str:
        """Make a fresh database, a copy of ``template``, and return its address."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, and whoever is still connected to it."""
        self.execute(f'DROP DATABASE IF EXISTS "{url.rpartition("/")[2]}" WITH (FORCE)')

    def template(self, name: str, prepare: Callable[[str], object]) -> str:
        """Return a template database that ``prepare(url)`` filled, made at the first call with this name.

        Copying a template takes 50 ms, running all migrations takes longer.
        """
        with self._template_lock:
            if name not in self._templates:
                database = f"template_{name}"
                self.execute(f'CREATE DATABASE "{database}" TEMPLATE template0')
                prepare(self.url(database))
                self._templates[name] = database
            return self._templates[name]

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run one statement as superuser."""

        async def run() -> None:
            connection = await asyncpg.connect(self.url(database))
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        # Its own thread: the caller may be inside an event loop.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(lambda: asyncio.run(run())).result()

    def _initialise(self) -> None:
        secret = self.folder / "password"
        secret.write_text(self._password, encoding="utf-8")
        if self._account is not None:
            for path in (self.folder, secret):
                os.chown(path, *self._account)
        options = ["--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8", "--locale=C", "--no-sync"]
        program = self._run(["initdb", "-D", str(self.folder / "data"), "-U", USER, *options])
        if program.process.wait(120) != 0:
            raise program.not_ready("could not make the cluster")
        program.end()

    def _run(self, command: list[str]) -> Program:
        user_id, group_id = self._account or (None, None)
        return Program(
            [self._programs / command[0], *command[1:]],
            user_id=user_id,
            group_id=group_id,
            environment={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            directory=self.folder,
            orphan_signal=signal.SIGINT,
        )


def _account() -> tuple[int, int] | None:
    """Return user and group to run as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise PostgresMissingError("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
