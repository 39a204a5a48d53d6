"""Webhooks of a running server: made beside it, delivered to a real receiver, shown and resumed over HTTP."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.http import stored
from tests.http.desks import Demo, Json, demo_server
from tests.http.test_door import accepted, ask
from tests.support.postgres import PostgresServer
from trunkline.adapters.storage import migrate
from trunkline.app.demo import CAMPAIGN_ID, CENTRE_ID, GROUP_ID
from trunkline.app.ports import Provision
from trunkline.client.webhooks import verify
from trunkline.domain.attempts import AttemptStep, attempt_row
from trunkline.domain.objects import ObjectKind, StoredObject
from trunkline.domain.records import Record
from trunkline.domain.webhooks import Notice, Webhook

SECRET = "a secret of sixteen"
WEBHOOK_ID = 7
IN_TIME_S = 60


class Receiver:
    """Somebody else's server: keeps what it gets, answers with ``status``."""

    def __init__(self) -> None:
        """Answers 200."""
        self.status = 200
        self.got: queue.Queue[Json] = queue.Queue()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                verify(SECRET, dict(self.headers), body, time.time())
                receiver.got.put(json.loads(body))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server.server_port}/hook"

    def next(self, notice: str, guid: str | None = None) -> Json:
        """The next notice of that kind (about that attempt)."""
        while True:
            found = self.got.get(timeout=IN_TIME_S)
            if found["notice"] == notice and guid in (None, found.get("GSW_CALL_ATTEMPT_GUID")):
                return found


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver at work."""
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield receiver
    finally:
        receiver.server.shutdown()
        thread.join()
        receiver.server.server_close()


@pytest.fixture(scope="module")
def demo(request: pytest.FixtureRequest, store: str) -> Iterator[Demo]:
    """A server on each store that may send to this machine, and gives up after a minute."""
    flags = ["--outgoing-allowed-networks", "127.0.0.0/8"]
    if store == "sqlite":
        with demo_server(*flags, agents=5) as made:
            yield made
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = server.create(server.template("stores", migrate.upgrade))
    with demo_server(*flags, agents=5, database_url=url) as made:
        yield made
    server.drop(url)


def save(demo: Demo, url: str, version: int, **changes: Any) -> None:
    """Write the webhook beside the running server."""
    fields: Json = {
        "contact_centre_id": CENTRE_ID,
        "webhook_id": WEBHOOK_ID,
        "name": "crm",
        "url": url,
        "secret": SECRET,
        "notices": (Notice.CALL_REPORT, Notice.GROUP_STATE),
        **changes,
    }
    stored.provision(
        demo, Provision(objects=[StoredObject(kind=ObjectKind.WEBHOOK, value=Webhook(**fields), version=version)])
    )


def log(demo: Demo, guid: str) -> None:
    """An attempt, as another program of the same database would write it."""
    one = Record(
        contact_centre_id=CENTRE_ID, list_id=101, chain_id=1, chain_n=0, record_id=1, phone_number="+12125550100"
    )
    facts = {"campaign_id": CAMPAIGN_ID, "campaign_group_id": GROUP_ID, "agent_id": 1}
    row = attempt_row(one, AttemptStep.PERMITTED, int(time.time() * 1000), guid, **facts)
    stored.append(demo, [row])


def deliveries(demo: Demo) -> Json:
    """How the deliveries fare."""
    answer = accepted(ask(demo, f"/api/v2/admin/webhooks/{WEBHOOK_ID}/deliveries", name="admin1", method="GET"))
    assert SECRET not in json.dumps(answer)
    shown: Json = answer["deliveries"]
    return shown


def until_state(demo: Demo, state: str) -> Json:
    """How the deliveries fare once they are in that state; the test's own time limit ends the wait."""
    while (shown := deliveries(demo))["state"] != state:
        time.sleep(0.05)
    return shown


def test_a_webhook_hears_of_groups_and_attempts(demo: Demo) -> None:
    """States, reports, a restart in between, a receiver that is gone, and the resumption."""
    with receiving() as receiver:
        save(demo, receiver.url, 1)
        state = receiver.next("group-state")
        assert (state["event"], state["status"], state["GSW_CAMPAIGN_NAME"]) == ("periodic", "Running", "Campaign1")
        log(demo, "a1")
        report = receiver.next("call-report", "a1")
        assert (report["GSW_AGENT_ID"], report["GSW_HIST_SEQUENCE_NUM"], report["GSW_TENANT_NAME"]) == (
            "agent1",
            0,
            "demo",
        )
        shown = until_state(demo, "delivering")
        assert shown["delivered"] >= 1
        demo.server.terminate()
        log(demo, "a2")
        demo.server.restart()
        report = receiver.next("call-report")
        assert report["GSW_CALL_ATTEMPT_GUID"] == "a2"
        receiver.status = 410
        log(demo, "a3")
        shown = until_state(demo, "stopped")
        assert "trunkline_webhooks_stopped 1.0" in ask(demo, "/metrics", method="GET").body.decode()
        assert (shown["lastStatus"], shown["lastError"], shown["nextTryAt"]) == (410, "answered 410", None)
        receiver.status = 200
        path = f"/api/v2/admin/webhooks/{WEBHOOK_ID}/deliveries"
        assert accepted(ask(demo, path, {"operationName": "Resume"}, name="admin1")) == {"statusCode": 0}
        until_state(demo, "delivering")
        save(demo, receiver.url, 2, is_enabled=False)
        assert until_state(demo, "disabled") == {"state": "disabled"}
        reply = ask(demo, path, {"operationName": "Resume"}, name="admin1")
        assert (reply.status, reply.json["statusCode"]) == (400, 2)
    assert SECRET not in demo.server.log


@pytest.mark.parametrize(
    ("name", "path", "body", "status"),
    [
        ("supervisor1", "7", None, 403),
        ("agent1", "7", None, 403),
        ("admin1", "8", None, 404),
        ("admin1", "x", None, 404),
        ("admin1", "9999999999", None, 404),
        ("admin1", "7", {}, 400),
        ("admin1", "7", {"operationName": "Stop"}, 400),
        ("admin1", "8", {"operationName": "Resume"}, 404),
        ("supervisor1", "7", {"operationName": "Resume"}, 403),
    ],
)
def test_who_may_and_what(demo: Demo, name: str, path: str, body: Json | None, status: int) -> None:
    """Administrators; an unknown webhook is not found, whatever it is called."""
    address = f"/api/v2/admin/webhooks/{path}/deliveries"
    assert ask(demo, address, body, name=name, method="GET" if body is None else "POST").status == status
