"""The servers that other tests stand on: they start, are isolated, and go away."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.support import nodes
from tests.support.paths import ROOT
from tests.support.postgres import OLDEST, PostgresServer
from tests.support.processes import NotReadyError, Program
from tests.support.server import RunningServer


def _ask(url: str, *statements: str) -> str:
    """Run statements in one connection; return the first value of the last one as text."""

    async def run() -> str:
        connection = await asyncpg.connect(url)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return str(await connection.fetchval(statements[-1]))
        finally:
            await connection.close()

    return asyncio.run(run())


def test_postgres_is_durable_and_supported(postgres_server: PostgresServer, postgres_url: str) -> None:
    """The server flushes commits to disk and is of a version that we support."""
    assert _ask(postgres_url, "SHOW fsync") == "on"
    assert _ask(postgres_url, "SHOW synchronous_commit") == "on"
    assert int(_ask(postgres_url, "SHOW server_version_num")) // 10_000 >= OLDEST
    assert postgres_server.port > 0


def test_each_test_has_its_own_database(postgres_server: PostgresServer, postgres_url: str) -> None:
    """A second database does not see the tables of the first, and a dropped one is gone."""
    other = postgres_server.create()
    assert _ask(postgres_url, "CREATE TABLE here (x int)", "SELECT to_regclass('here') IS NOT NULL") == "True"
    assert _ask(other, "SELECT to_regclass('here') IS NULL") == "True"
    postgres_server.drop(other)
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        _ask(other, "SELECT 1")


def test_templates_are_prepared_once(postgres_server: PostgresServer) -> None:
    """A template is filled at its first use; copies of it are independent."""
    calls: list[str] = []

    def prepare(url: str) -> None:
        calls.append(url)
        _ask(url, "CREATE TABLE seeds (x int)", "INSERT INTO seeds VALUES (1), (2) RETURNING x")

    first, second = (postgres_server.create(postgres_server.template("seeds", prepare)) for _ in range(2))
    assert len(calls) == 1
    assert _ask(first, "DELETE FROM seeds", "SELECT count(*) FROM seeds") == "0"
    assert _ask(second, "SELECT count(*) FROM seeds") == "2"
    postgres_server.drop(first)
    postgres_server.drop(second)


def test_postgres_survives_a_crash() -> None:
    """After a crash the server starts again on its port, with what was committed; ``stop`` leaves nothing behind."""
    server = PostgresServer()
    try:
        url, port = server.create(), server.port
        _ask(url, "CREATE TABLE kept (x int)", "INSERT INTO kept VALUES (7) RETURNING x")
        server.crash()
        server.start()
        assert server.port == port
        assert _ask(url, "SELECT x FROM kept") == "7"
    finally:
        server.stop()
    assert not server.folder.exists()


def test_an_interrupted_run_stops_its_servers(tmp_path: Path) -> None:
    """A test run that gets SIGTERM in the middle of a test ends its PostgreSQL and removes the folder."""
    test = tmp_path / "test_waits.py"
    # It tells where its server is, then waits for a signal.
    test.write_text(
        "import signal\n"
        "def test_waits(postgres_server):\n"
        "    print('FOLDER', postgres_server.folder, flush=True)\n"
        "    signal.pause()\n",
        encoding="utf-8",
    )
    program = Program(
        [sys.executable, "-m", "pytest", "-s", "-p", "tests.conftest", "-p", "no:cacheprovider", test], directory=ROOT
    )
    try:
        folder = Path(program.wait_for_line("FOLDER", 60).split()[-1])
        assert folder.exists()
    finally:
        assert program.end(signal.SIGTERM) != 0
    assert not folder.exists()


def test_programs_end_with_the_tests() -> None:
    """When the tests are killed, the kernel ends the programs they started (Linux)."""
    if not sys.platform.startswith("linux"):
        pytest.skip("the kernel's help is Linux's")
    script = (
        "import sys; from tests.support.processes import Program\n"
        "program = Program([sys.executable, '-c', 'import signal; print(1, flush=True); signal.pause()'])\n"
        "program.wait_for_line('1', 30); print(program.process.pid, flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        descriptor = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
    # The descriptor becomes readable when the grandchild has ended.
    try:
        assert select.select([descriptor], [], [], 30)[0]
    finally:
        os.close(descriptor)


def test_a_server_starts_stops_and_starts_again(server: RunningServer) -> None:
    """A server answers once it is announced, ends cleanly when asked, and comes back on its port after a crash."""
    version = f"{server.url}/api/v2/diagnostics/version"
    assert httpx.get(version).status_code == 200
    port = server.port
    assert server.terminate() == 0
    server.restart()
    assert server.kill() == -signal.SIGKILL
    server.restart()
    assert server.port == port
    assert httpx.get(version).status_code == 200


def test_a_program_that_ends_early_is_reported() -> None:
    """A program that ends instead of getting ready raises at once, and the error shows what it said."""
    program = Program(["/bin/sh", "-c", "echo no such option; exit 3"])
    with pytest.raises(NotReadyError, match=r"(?s)did not write 'ready'.*no such option"):
        program.wait_for_line("ready", 60)
    assert program.end() == 3


def test_a_program_can_be_spoken_to() -> None:
    """It reads what is written to it line by line, and the end of its input."""
    program = Program(["/bin/cat"], takes_input=True)
    program.write_line("one")
    program.write_line("two")
    assert program.wait_for(lambda lines: list(lines) if len(lines) > 1 else None, "two lines", 60) == [
        "one\n",
        "two\n",
    ]
    program.close_input()
    assert program.process.wait(60) == 0
    program.end()


OLD_CLIENT = 'require("cometd-nodejs-client1").adapt(); console.log("is", typeof require("cometd3").CometD)'
NEW_CLIENT = """
import * as adapter from "cometd-nodejs-client2";
import * as client from "cometd9";
adapter.adapt();
console.log("is", typeof client.CometD);
"""


@pytest.mark.parametrize("flags", [["-e", OLD_CLIENT], ["--input-type=module", "-e", NEW_CLIENT]])
def test_both_javascript_clients_load(node_modules: Path, flags: list[str]) -> None:
    """The old and the newest CometD client load in Node beside each other, each with its own adapter."""
    done = subprocess.run(
        [nodes.find_node() / "node", *flags], cwd=nodes.FOLDER, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == "is function\n", done.stderr
    assert node_modules == nodes.FOLDER / "node_modules"
