"""The Python client against a real server: operations, events, and a connection that the server closed."""

from __future__ import annotations

import http.server
import threading
from contextlib import closing

import pytest

from tests.support.server import RunningServer
from trunkline.client import Client, Events
from trunkline.errors import TrunklineError, Unavailable

DEVICE = {"devicePath": "/devices/demo-device-3", "applicationId": 134}


def test_a_preview_record_from_request_to_message(server: RunningServer) -> None:
    """Operations are answered at once; what they cause is polled, in order, and a new session begins where it must."""
    client, listener = Client(server.url, "agent3", "demo"), Client(server.url, "agent3", "demo")
    with closing(client), closing(listener):
        work_and_listen(client, listener)


def work_and_listen(client: Client, listener: Client) -> None:
    """The session of an agent."""
    events = Events(listener, ["/v2/me/outbound"])
    events.open()
    assert [m.data["notificationType"] for m in events.poll()] == ["CampaignStarted"]
    for operation in ("StartPreviewSession", "GetPreviewRecord"):
        answer = client.campaign_operation("Campaign1", operation, **DEVICE)
        assert (answer.http_status, answer.status_code) == (200, 0)
    seen = [message for _ in range(2) for message in events.poll(1000)]
    shown = next(m.data["record"] for m in seen if m.data["notificationType"] == "PreviewRecord")
    refused = client.record_operation(shown["recordHandle"], "RejectRecord", **DEVICE, campaignName="Campaign1")
    assert (refused.http_status, refused.status_code) == (400, 1)
    events.close()
    assert events.poll() == []
    assert events.poll(0) is not None


def test_a_refused_channel_is_an_error(server: RunningServer) -> None:
    """What may not be subscribed is said when the session is opened."""
    with (
        closing(Client(server.url, "agent3", "demo")) as client,
        pytest.raises(TrunklineError, match="/v2/other"),
    ):
        Events(client, ["/v2/other"]).open()


def test_no_server() -> None:
    """A server that is not there is unavailable; a wrong address is said at once."""
    with pytest.raises(Unavailable):
        Client("http://127.0.0.1:9", "a", "b").get("/")
    with pytest.raises(TrunklineError, match="http://host:port"):
        Client("ftp://x", "a", "b")


class Closing(http.server.BaseHTTPRequestHandler):
    """Answers, then closes without having said so."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """One answer."""
        self.send_response(200)
        self.send_header("Content-Length", "16")
        self.end_headers()
        self.wfile.write(b'{"statusCode":0}')
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_closed_connection_is_opened_anew() -> None:
    """A connection that the server closed while it was idle costs no request."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Closing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with closing(Client(f"http://127.0.0.1:{server.server_address[1]}", "a", "b")) as client:
            for _ in range(5):
                assert client.get("/").status_code == 0
                sock = client._connection.sock
                if sock is not None:
                    sock.settimeout(5)
                    sock.recv(1)  # the server's goodbye has arrived when this returns
        server.shutdown()
