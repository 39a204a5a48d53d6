"""The pre-dial validation of a running server: its option, the campaign's address, the questions and what follows."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec

from tests.http import stored
from tests.http.desks import CAMPAIGN, Demo, Json, accept, demo_server, kinds
from trunkline.adapters.storage import make_store
from trunkline.app.demo import CAMPAIGN_ID, CENTRE_ID
from trunkline.app.ports import Provision
from trunkline.domain.campaigns import CampaignDefinition
from trunkline.domain.objects import ObjectKind, StoredObject


class Hook(ThreadingHTTPServer):
    """Somebody else's server: permits every other number, refuses the rest as wrong numbers."""

    def __init__(self) -> None:
        """Nothing was asked yet."""
        self.asked: list[Json] = []
        super().__init__(("127.0.0.1", 0), _Answering)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}/may-we-call"


class _Answering(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Hook)
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(question)
        is_permitted = question["GSW_CHAIN_ID"] % 2 == 0
        body = b"" if is_permitted else b'{"GSW_CALL_RESULT": 53}'
        self.send_response(200 if is_permitted else 409)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def name_validation(demo: Demo, url: str) -> None:
    """Give the demo's campaign its validation."""

    async def present() -> CampaignDefinition:
        store = make_store(demo.database_url)
        await store.open()
        try:
            directory = await store.directory()
        finally:
            await store.close()
        key = (CENTRE_ID, ObjectKind.CAMPAIGN, CAMPAIGN_ID)
        value = next(one.value for one in directory.objects if one.key == key)
        assert isinstance(value, CampaignDefinition)
        return value

    changed = msgspec.structs.replace(asyncio.run(present()), validation_url=url)
    stored.provision(demo, Provision(objects=[StoredObject(kind=ObjectKind.CAMPAIGN, value=changed, version=2)]))


def test_a_campaign_asks_before_it_calls() -> None:
    """An agent gets permitted records only; what was asked names campaign and number; refusals have their result."""
    hook = Hook()
    thread = threading.Thread(target=hook.serve_forever, args=(0.05,))
    thread.start()
    try:
        flags = ["--validation-urls", hook.url, "--outgoing-allowed-networks", "127.0.0.0/8"]
        with demo_server(*flags, agents=5) as demo:
            demo.server.terminate()
            name_validation(demo, hook.url)
            demo.server.restart()
            desk = demo.desk().listen()
            accept(desk.on_campaign("StartPreviewSession"))
            desk.heard()
            got: list[Json] = []
            while len(got) < 3:
                accept(desk.on_campaign("GetPreviewRecord"))
                messages = desk.heard()
                if "PreviewRecord" in kinds(messages):
                    got += [m["data"]["userData"] for m in messages if m["channel"] == "/me/internal"]
            assert all(one["GSW_CHAIN_ID"] % 2 == 0 for one in got)
            assert {one["GSW_CHAIN_ID"] for one in got} <= {question["GSW_CHAIN_ID"] for question in hook.asked}
            question = hook.asked[0]
            assert (question["GSW_CAMPAIGN_NAME"], question["GSW_CALLING_LIST"]) == (CAMPAIGN, "CallingList1")
            assert question["GSW_PHONE"]
    finally:
        hook.shutdown()
        thread.join()
        hook.server_close()
