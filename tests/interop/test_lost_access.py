"""Clients whose user may come in no more: they are told, stop or say that it failed, and neither hang nor spin."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.http.desks import Demo, Desktop, accept, demo_server, exchange
from tests.interop.peers import (
    INTERNAL,
    KINDS,
    OFFICIAL,
    OUTBOUND,
    Kind,
    Peer,
    basic,
    check_backing_off,
    kinds_asked_for,
    peer,
    select,
)
from tests.support.processes import NotReadyError
from trunkline.app.demo import CENTRE_NAME

WAYS: dict[str, list[str]] = {"new password": [], "disabled": ["--disabled"]}
"""What is done to the account on the command line."""

TOPICS = (OUTBOUND, INTERNAL)

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """A demo server for all of them."""
    with demo_server(agents=len(WAYS) + len(OFFICIAL) + 2) as made:
        yield made


def change_account(demo: Demo, name: str, *more: str) -> None:
    """Give the account a new password, as its keeper would."""
    command = [str(Path(sys.executable).with_name("trunkline")), "user", "add", name, "--contact-centre", CENTRE_NAME]
    flags = ["--password", "another password", "--data-dir", str(demo.server.folder), *more]
    subprocess.run([*command, *flags], check=True, capture_output=True, timeout=60)


def wait_until_held(client: Peer) -> None:
    """Wait for the second connect: the first is answered at once. Who does not get there fails in its own test."""
    with suppress(NotReadyError):
        client.wait("sent", "/meta/connect", count=2)


@pytest.fixture(scope="module", params=WAYS)
def dismissed(node_modules: Path, demo: Demo, request: pytest.FixtureRequest) -> Iterator[dict[Kind, Peer]]:
    """All clients as sessions of one user, after the account was changed under them."""
    name = demo.desk().name
    clients = {kind: Peer.start(kind, demo.url, TOPICS, user=name) for kind in kinds_asked_for(request)}
    try:
        with ThreadPoolExecutor(len(clients)) as pool:
            list(pool.map(wait_until_held, clients.values()))
        change_account(demo, name, *WAYS[request.param])
        yield clients
    finally:
        for client in clients.values():
            client.end()


@pytest.mark.item(52)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.title)
def test_a_client_is_told_to_stop(dismissed: dict[Kind, Peer], kind: Kind) -> None:
    """The held connect comes back with advice none: the client asks nothing more and has nothing left to wait for."""
    client = dismissed[kind]
    told = client.wait("reply", "/meta/connect", successful=False)
    assert told["advice"]["reconnect"] == "none"
    assert client.ends_by_itself() == 0
    assert select(client.told[client.told.index(told) :], "sent", None, {}) == []


def log_in(desk: Desktop) -> str:
    """Begin a session over HTTP; returns its cookie."""
    authorization = basic(desk.name)
    body = json.dumps({"operationName": "StartContactCenterSession", "channels": ["voice"]})
    headers = {"Authorization": authorization, "Content-Type": "application/json"}
    reply = exchange(desk.client.url, "POST", "/api/v2/me", body, headers)
    assert reply.status == 200, reply
    return reply.headers["Set-Cookie"].partition(";")[0]


def log_out(desk: Desktop, cookie: str) -> None:
    """End the session."""
    headers = {"Cookie": cookie, "Content-Type": "application/json"}
    reply = exchange(desk.client.url, "POST", "/api/v2/me", '{"operationName": "EndContactCenterSession"}', headers)
    assert reply.status == 200, reply


@pytest.mark.parametrize("script", OFFICIAL)
def test_a_session_that_ended_is_reported(node_modules: Path, demo: Demo, script: str) -> None:
    """With the cookie alone, after the log-out: 403 on each try, told to the application, further and further apart."""
    desk = demo.desk()
    cookie = log_in(desk)
    with peer(Kind(script, "long-polling"), demo.url, TOPICS, cookie=cookie) as client:
        client.wait_for_subscriptions(*TOPICS)
        log_out(desk, cookie)
        accept(desk.on_record("UpdateRecord"))  # which ends the poll that is held
        check_backing_off(client, "/meta/connect")
        client.ask("disconnect")
        assert client.ends_by_itself() == 0


@pytest.mark.parametrize("script", OFFICIAL)
def test_a_wrong_password_is_reported(node_modules: Path, demo: Demo, script: str) -> None:
    """403 on each handshake, told to the application, further and further apart."""
    with peer(Kind(script, "long-polling"), demo.url, TOPICS, user="nobody") as client:
        check_backing_off(client, "/meta/handshake")
        client.ask("disconnect")
        assert client.ends_by_itself() == 0
