"""Thousands of mutated requests against one server: never a 5xx, never a broken answer, nobody else's desk changed.

The mutations follow from a seed that a failure prints; ``--long`` sends twenty times as many.
"""

from __future__ import annotations

import http.client
import json
import random
import socket
from contextlib import closing
from typing import Any

import pytest

from tests.http.contracts import good_values
from tests.http.desks import CAMPAIGN, OPERATIONS, RECORDS, Demo, Json
from tests.http.findings import OPERATIONS as DOCUMENTED
from tests.http.findings import REQUESTS
from tests.http.test_contract_requests import values_of

SEED = 20_160_122
"""Any number: the date of the page's last change."""
REQUESTS_SHORT, REQUESTS_LONG = 3_000, 60_000
BASIC = b"Basic YWdlbnQxMDpkZW1v"  # agent10
JUNK: list[Any] = [
    *(None, True, False, 0, -1, 1, 2**31, 2**63 - 1, -(2**63), 2**64, 1.5, -0.0, 1e308, "", " ", "0", "-1", "null"),
    *("x" * 300, "ü", "😀", "\u0000", "\ud800", "\r\n", "'; DROP TABLE record; --", "%s%n", "../../etc/passwd", "=1+1"),
    *([], {}, [[]], [None], {"a": {"b": {"c": []}}}, ["AllChain"], {"": ""}, {"GSW_PHONE": []}, "PST", "Personal"),
    *(134, "134", 6, "6", 1_000_010, 1_000_011, CAMPAIGN, "CallingList1", "/devices/demo-device-10", "+1 415 555 0161"),
]
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "BREW"]
SEGMENTS = [
    "me",
    "..",
    "%2F",
    "%00",
    "%FF",
    "outbound-records",
    "6",
    "devices",
    "admin",
    "x" * 2000,
    "ü",
    "%",
    "?",
    ";",
    "*",
]
HEADERS = [
    b"Content-Type: text/plain",
    b"Content-Type: application/x-www-form-urlencoded",
    b"Content-Type: application/json; charset=utf-16",
    b"Content-Encoding: gzip",
    b"Cookie: JSESSIONID=x; BAYEUX_BROWSER=y",
    b"Cookie: ====;;;",
    b"Origin: null",
    b"Origin: http://[",
    b"X-CSRF-TOKEN: \xff",
    b"Accept: text/html",
    b"Connection: close",
    b"X-HTTP-Method-Override: DELETE",
]
NOTIFICATIONS: list[Json] = [
    {"channel": "/meta/handshake", "version": "1.0", "supportedConnectionTypes": ["long-polling"], "id": "1"},
    {"channel": "/meta/connect", "clientId": "nobody", "connectionType": "long-polling", "id": "2"},
    {"channel": "/meta/subscribe", "clientId": "nobody", "subscription": "/v2/me/*", "id": "3"},
    {"channel": "/v2/me/outbound", "clientId": "nobody", "data": {}, "id": "4"},
]


class Fuzzer:
    """Makes and sends the requests of one seed."""

    def __init__(self, seed: int, port: int, good: list[tuple[str, str, Any]]) -> None:
        self._random = random.Random(seed)
        self._port = port
        self._good = good
        self._socket: socket.socket | None = None

    def request(self) -> tuple[str, bytes, bytes]:
        """The next request: method, head without the last line, body."""
        chance = self._random
        method, path, body = chance.choice(self._good)
        for _ in range(chance.choice((0, 1, 1, 2, 4))):
            body = self._mutated(body)
        sent = b"" if body is None else json.dumps(body).encode()
        if chance.random() < 0.15:
            sent = self._damaged(sent)
        if chance.random() < 0.15:
            path = self._moved(path)
        if chance.random() < 0.05:
            method = chance.choice(METHODS)
        more = chance.sample(HEADERS, chance.choice((0, 0, 0, 1, 2)))
        target = path.encode().replace(b" ", b"%20")
        lines = [b"%s %s HTTP/1.1" % (method.encode(), target), b"Host: x", b"Authorization: " + BASIC, *more]
        return method, b"\r\n".join([*lines, b"Content-Length: %d" % len(sent), b"\r\n"]), sent

    def _mutated(self, value: Any) -> Any:
        """The value with one part changed, removed or added, at any depth."""
        chance = self._random
        if isinstance(value, dict) and value and chance.random() < 0.9:
            key = chance.choice(list(value))
            kind = chance.random()
            if kind < 0.15:
                return {k: v for k, v in value.items() if k != key}
            if kind < 0.25:
                return {**value, chance.choice((key.upper(), "", "x" * 100, "GSW_NEW", "ü")): chance.choice(JUNK)}
            return {**value, key: self._mutated(value[key])}
        if isinstance(value, list) and value and chance.random() < 0.7:
            return [self._mutated(item) for item in value] * chance.choice((1, 1, 2, 50))
        return chance.choice(JUNK)

    def _damaged(self, sent: bytes) -> bytes:
        """The body with a few bytes changed, cut, repeated or nested."""
        chance = self._random
        at = chance.randrange(len(sent) + 1)
        return chance.choice(
            (
                sent[:at],
                sent[:at] + bytes([chance.randrange(256)]) + sent[at + 1 :],
                sent[:at] + chance.randbytes(5) + sent[at:],
                sent * 2,
                b"[" * chance.randrange(2000) + sent,
                sent + b" " * 70_000,
            )
        )

    def _moved(self, path: str) -> str:
        parts = path.split("/")
        at = self._random.randrange(1, len(parts) + 1)
        return "/".join([*parts[:at], self._random.choice(SEGMENTS), *parts[at + self._random.randrange(2) :]])

    def send(self, method: str, head: bytes, body: bytes) -> tuple[int, bytes]:
        """The status and the body of the answer; -1 when the server closed the connection instead."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), 20)
        try:
            self._socket.sendall(head + body)
            response = http.client.HTTPResponse(self._socket, method=method)
            response.begin()
            said = response.read()
        except (ConnectionError, http.client.BadStatusLine):
            self.close()
            return -1, b""
        if response.will_close:
            self.close()
        return response.status, said

    def close(self) -> None:
        """Let go of the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def good_requests(demo: Demo) -> list[tuple[str, str, Any]]:
    """What is mutated: every documented operation, every desktop request, CometD messages, the supervisor's paths."""
    desk = demo.desktop("agent10", "demo-device-10", 1_000_010)
    values = {**good_values(desk, 11), "phoneNumber": "+1 415 555 0161"}
    paths = {"recordHandle": desk.handle, "campaignName": CAMPAIGN, "deviceId": desk.device_id, "userId": "x"}
    good: list[tuple[str, str, Any]] = []
    for operation in DOCUMENTED:
        body = {p["name"]: values[p["name"]] for p in operation["parameters"] if p["name"] in values}
        body["operationName"] = operation["name"]
        sent = body if operation["method"] == "POST" else None
        good.append((operation["method"], operation["path"].format(**paths), sent))
    for name in REQUESTS:
        user_data = {**values_of(desk), "GSW_AGENT_REQ_TYPE": name, "GSW_REFERENCE_ID": 1}
        body = {"operationName": "SendUserEvent", "deviceId": desk.device_id, "userData": user_data}
        good.append(("POST", OPERATIONS, body))
    good += [("POST", "/api/v2/notifications", [message]) for message in NOTIFICATIONS]
    good += [("GET", "/api/v2/admin/requests?since=1&recordHandle=6&limit=5", None)]
    return good


def test_mutated_requests_are_never_a_defect(abused: Demo, pytestconfig: pytest.Config) -> None:
    """Every answer is below 500 and, where it is JSON, has the documented form; others' desks stay as they are."""
    other = abused.desktop("agent11", "demo-device-11", 1_000_011)
    before = other.records()
    statuses: dict[int, int] = {}
    with closing(Fuzzer(SEED, abused.server.port, good_requests(abused))) as fuzzer:
        for number in range(REQUESTS_LONG if pytestconfig.getoption("--long") else REQUESTS_SHORT):
            request = fuzzer.request()
            status, said = fuzzer.send(*request)
            assert status < 500, (SEED, number, request, said)
            statuses[status] = statuses.get(status, 0) + 1
            if said.startswith(b"{"):
                answer = json.loads(said)
                assert ("statusMessage" in answer) is (status != 200), (SEED, number, request, said)
    assert {200, 400, 403, 404, 405, 413} <= statuses.keys(), statuses  # the requests reach all parts
    assert other.records() == before
    assert abused.desktop("agent12", "demo-device-12", 1_000_012).on_record("UpdateRecord").http_status == 200
    assert abused.desktop("agent12").client.get(RECORDS).http_status == 200
