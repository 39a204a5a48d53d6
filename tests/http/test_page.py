"""The Update Record page as printed: its request is the first that succeeds, and what comes back is the sample."""

from __future__ import annotations

import http.client
import json
from typing import Any

from tests.http.desks import exchange, order_of
from tests.http.sample import ANSWER, REQUEST
from tests.support.server import RunningServer

BASIC = {"Authorization": "Basic YWdlbnQxOmRlbW8=", "Content-Type": "application/json"}


def test_the_page_s_request_is_the_first_thing_that_succeeds(server: RunningServer) -> None:
    """On a fresh demo, one held poll is answered with both messages and its own reply, as the page prints them."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=60)

    def say(suffix: str, **message: Any) -> Any:
        connection.request("POST", f"/api/v2/notifications{suffix}", json.dumps([message]), BASIC)
        return json.loads(connection.getresponse().read())

    try:
        handshake = say(
            "/handshake", channel="/meta/handshake", version="1.0", supportedConnectionTypes=["long-polling"], id="1"
        )
        session = {"clientId": handshake[0]["clientId"]}
        for number, topic in enumerate(("/v2/me/outbound", "/me/internal"), 2):
            say("/", channel="/meta/subscribe", subscription=topic, id=str(number), **session)
        connect = {"channel": "/meta/connect", "connectionType": "long-polling", **session}
        say("/connect", **connect, id="19")  # the first is answered at once
        held = json.dumps([{**connect, "id": "20"}])
        connection.request("POST", "/api/v2/notifications/connect", held, BASIC)
        reply = exchange(server.url, "POST", "/api/v2/me/outbound-records/6", REQUEST, BASIC)
        assert (reply.status, reply.body) == (200, b'{"statusCode":0}')
        assert reply.headers["Content-Type"] == "application/json"
        response = connection.getresponse()
        assert response.status == 200
        answer = json.loads(response.read())
    finally:
        connection.close()
    assert [order_of(message) for message in answer] == [order_of(message) for message in ANSWER]
    metrics = answer[1]["data"]["metrics"]["eventProcessing"]
    assert all(type(value) is int and value >= 0 for value in metrics.values())
    answer[1]["data"]["metrics"] = ANSWER[1]["data"]["metrics"]
    assert answer == ANSWER


def test_the_body_as_printed_is_no_json(server: RunningServer) -> None:
    """The page prints the body in single quotes, which no client sends: it is refused as malformed, nothing else."""
    printed = REQUEST.replace('"', "'")
    reply = exchange(server.url, "POST", "/api/v2/me/outbound-records/6", printed, BASIC)
    assert (reply.status, reply.json["statusCode"]) == (400, 10)
