"""Bad input: each line of the table is refused with its status, its code and a sentence that names the fault.

Never a 5xx, never a partial change: desk, chain and campaign session are the same before and after.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import pytest

from tests.http import stored
from tests.http.desks import CAMPAIGN, CAMPAIGNS, LIST, OPERATIONS, RECORDS, Demo, Desktop, Json, Reply, exchange

BASIC = {"Authorization": "Basic YWdlbnQyOmRlbW8=", "Content-Type": "application/json"}
GOOD: Json = {
    "operationName": "UpdateRecord",
    "applicationId": 134,
    "campaignName": "Campaign1",
    "devicePath": "/devices/demo-device-2",
}
LISTED = {**GOOD, "callingList": LIST}
ADD = {
    **LISTED,
    "operationName": "AddRecord",
    "phoneNumber": "+1 212 555 0100",
    "timeZone": "GMT",
    "phoneType": "Mobile",
    "from": 0,
    "until": 86_400,
}
START = {key: value for key, value in GOOD.items() if key != "campaignName"} | {"operationName": "StartPreviewSession"}
RESCHEDULE = {
    **GOOD,
    "operationName": "RescheduleRecord",
    "callbackType": "Personal",
    "timestamp": 4_000_000_000,
}
RECORD = f"{RECORDS}/1000002"


class Case(NamedTuple):
    """One line: what is sent, and what it is answered with. ``word`` stands in the sentence."""

    name: str
    body: Any
    status: int
    code: int
    word: str
    path: str = RECORD
    method: str = "POST"


def bytes_of(body: Any) -> bytes | None:
    """The body as sent: bytes as they are, anything else as JSON."""
    return body if body is None or isinstance(body, bytes) else json.dumps(body).encode()


def nested(depth: int) -> bytes:
    """A good body with a list so deep."""
    return json.dumps({**GOOD, "x": 0}).encode().replace(b'"x": 0', b'"x": ' + b"[" * depth + b"]" * depth)


MALFORMED = [
    Case("empty", b"", 400, 10, "JSON"),
    Case("no JSON", b"operationName=UpdateRecord", 400, 10, "JSON"),
    Case("cut off", b'{"operationName": "UpdateRecord"', 400, 10, "JSON"),
    Case("two objects", b"{}{}", 400, 10, "JSON"),
    Case("trailing comma", b'{"operationName": "UpdateRecord",}', 400, 10, "JSON"),
    Case("single quotes", str(GOOD).encode(), 400, 10, "JSON"),
    Case("a list", [GOOD], 400, 10, "object"),
    Case("a text", b'"UpdateRecord"', 400, 10, "object"),
    Case("null", b"null", 400, 10, "object"),
    Case("NaN", b'{"applicationId": NaN}', 400, 10, "JSON"),
    Case("a huge number", b'{"operationName": "UpdateRecord", "applicationId": 1e999}', 400, 10, ""),
    Case("a long integer", b'{"operationName": "UpdateRecord", "applicationId": ' + b"9" * 400 + b"}", 400, 10, ""),
    Case("NUL", b'{"operationName": "UpdateRecord\\u0000"}', 400, 10, "NUL"),
    Case("raw NUL", b'{"operationName": "UpdateRecord\x00"}', 400, 10, "JSON"),
    Case("lone surrogate", b'{"operationName": "\\ud800"}', 400, 10, ""),
    Case("no UTF-8", b'{"operationName": "\xff\xfe"}', 400, 10, "JSON"),
    Case("UTF-16", json.dumps(GOOD).encode("utf-16"), 400, 10, "JSON"),
    Case("nested 33 deep", nested(32), 413, 10, "nests"),
    Case("nested 20,000 deep", nested(20_000), 413, 10, "nests"),
    Case("over 64 KiB", {**GOOD, "x": "x" * 65_536}, 413, 10, "body"),
]
PARAMETERS = [
    Case("no operation", {}, 400, 1, "operationName"),
    Case("null operation", {**GOOD, "operationName": None}, 400, 1, "operationName"),
    Case("unknown operation", {**GOOD, "operationName": "EatRecord"}, 400, 3, "operationName"),
    Case("operation of another resource", {**GOOD, "operationName": "AddRecord"}, 400, 3, "operationName"),
    Case("operation in small letters", {**GOOD, "operationName": "updaterecord"}, 400, 3, "operationName"),
    *(Case(f"no {name}", {k: v for k, v in GOOD.items() if k != name}, 400, 1, name) for name in list(GOOD)[1:]),
    *(Case(f"null {name}", {**GOOD, name: None}, 400, 1, name) for name in list(GOOD)[1:]),
    *(Case(f"{name} is a list", {**GOOD, name: [1]}, 400, 10, name) for name in GOOD),
    Case("application as a text", {**GOOD, "applicationId": "134"}, 400, 10, "applicationId"),
    Case("application as a float", {**GOOD, "applicationId": 134.0}, 400, 10, "applicationId"),
    Case("application as a boolean", {**GOOD, "applicationId": True}, 400, 10, "applicationId"),
    Case("application out of range", {**GOOD, "applicationId": 2**31}, 400, 10, "applicationId"),
    Case("device without /devices/", {**GOOD, "devicePath": "demo-device-2"}, 400, 10, "devicePath"),
    Case("device with a path", {**GOOD, "devicePath": "/devices/../x"}, 400, 10, "devicePath"),
    Case("long reference", {**GOOD, "referenceId": "r" * 256}, 413, 10, "referenceId"),
    Case("reference as a number", {**GOOD, "referenceId": 1}, 400, 10, "referenceId"),
    Case("long campaign", {**GOOD, "campaignName": "c" * 256}, 413, 10, "campaignName"),
    Case("from beyond the day", {**GOOD, "from": 86_400}, 400, 10, "from"),
    Case("from before the day", {**GOOD, "from": -1}, 400, 10, "from"),
    Case("until of nothing", {**GOOD, "until": 0}, 400, 10, "until"),
    Case("until beyond the day", {**GOOD, "until": 86_401}, 400, 10, "until"),
    Case("from as a text", {**GOOD, "from": "0"}, 400, 10, "from"),
    Case("unknown time zone", {**GOOD, "timeZone": "Mars/Olympus"}, 400, 10, "timeZone"),
    Case("time zone as a path", {**GOOD, "timeZone": "../../etc/passwd"}, 400, 10, "timeZone"),
    Case("empty time zone", {**GOOD, "timeZone": ""}, 400, 10, "timeZone"),
    Case("unknown phone type", {**GOOD, "phoneType": "Fax"}, 400, 10, "phoneType"),
    Case("phone type as a number", {**GOOD, "phoneType": 4}, 400, 10, "phoneType"),
    Case("empty number", {**GOOD, "phoneNumber": ""}, 400, 10, "phoneNumber"),
    Case("number of letters", {**GOOD, "phoneNumber": "call me"}, 400, 10, "phoneNumber"),
    Case("number with a line feed", {**GOOD, "phoneNumber": "555\n0100"}, 400, 10, "phoneNumber"),
    Case("long number", {**GOOD, "phoneNumber": "5" * 129}, 413, 10, "phoneNumber"),
    Case(
        "unknown result", {**LISTED, "operationName": "CompleteRecord", "callResult": "Splendid"}, 400, 10, "callResult"
    ),
    Case("no list", {**GOOD, "operationName": "CompleteRecord"}, 400, 1, "callingList"),
    Case(
        "unknown attribute",
        {**LISTED, "operationName": "DoNotCallRecord", "chainAttribute": "All"},
        400,
        10,
        "chainAttribute",
    ),
    Case("unknown callback", {**RESCHEDULE, "callbackType": "Friendly"}, 400, 10, "callbackType"),
    Case("timestamp in the past", {**RESCHEDULE, "timestamp": 1_433_917_552}, 400, 2, "timestamp"),
    Case("timestamp in milliseconds", {**RESCHEDULE, "timestamp": 1_900_000_000_000}, 400, 10, "timestamp"),
    Case("timestamp as a float", {**RESCHEDULE, "timestamp": 1.9e9}, 400, 10, "timestamp"),
    *(Case(f"add without {name}", {k: v for k, v in ADD.items() if k != name}, 400, 1, name, RECORDS) for name in ADD),
    Case("fields as a list", {**ADD, "otherFields": []}, 400, 10, "otherFields", RECORDS),
    Case("field in a field", {**ADD, "otherFields": {"a": {"b": 1}}}, 400, 10, "otherFields", RECORDS),
    Case("field without a name", {**ADD, "otherFields": {"": 1}}, 400, 10, "otherFields", RECORDS),
    Case("101 fields", {**ADD, "otherFields": {f"f{n}": n for n in range(101)}}, 413, 10, "otherFields", RECORDS),
    Case("long field", {**ADD, "otherFields": {"a": "x" * 4097}}, 413, 10, "otherFields", RECORDS),
    Case("long field name", {**ADD, "otherFields": {"x" * 65: 1}}, 413, 10, "otherFields", RECORDS),
    Case("unknown chain", {**ADD, "chainId": 999_999}, 404, 6, "chainId", RECORDS),
    Case("negative chain", {**ADD, "chainId": -1}, 400, 10, "chainId", RECORDS),
    Case(
        "mail address as a number",
        {**ADD, "phoneNumber": "ann@example.org", "phoneType": "Mobile"},
        400,
        10,
        "phoneNumber",
        RECORDS,
    ),
]
AGREEMENT = [
    Case("wrong application", {**GOOD, "applicationId": 135}, 400, 2, "applicationId"),
    Case("unknown campaign", {**GOOD, "campaignName": "Campaign9"}, 404, 6, "campaignName"),
    Case("campaign of other records", {**GOOD, "campaignName": "Käse & Co"}, 400, 2, "campaignName"),
    Case("unknown list", {**GOOD, "callingList": "CallingList9"}, 404, 6, "callingList"),
    Case("list of other records", {**GOOD, "callingList": "Other list"}, 400, 2, "callingList"),
    Case("list of another campaign", {**ADD, "callingList": "Other list"}, 400, 2, "callingList", RECORDS),
    Case("unknown device", {**GOOD, "devicePath": "/devices/nothing"}, 404, 6, "devicePath"),
    Case("foreign device", {**GOOD, "devicePath": "/devices/demo-device-3"}, 404, 6, "devicePath"),
    Case("unknown handle", GOOD, 404, 6, "recordHandle", f"{RECORDS}/999999999"),
    Case("foreign handle", GOOD, 404, 6, "recordHandle", f"{RECORDS}/1000003"),
    Case("handle beyond 32 bits", GOOD, 404, 6, "recordHandle", f"{RECORDS}/4294967302"),
    Case("handle of 300 digits", GOOD, 404, 6, "recordHandle", f"{RECORDS}/" + "9" * 300),
    Case("negative handle", GOOD, 404, 6, "recordHandle", f"{RECORDS}/-6"),
    Case("handle of letters", GOOD, 404, 6, "recordHandle", f"{RECORDS}/six"),
    Case("Arabic digits", GOOD, 404, 6, "recordHandle", f"{RECORDS}/%D9%A6"),
    Case("handle with NUL", GOOD, 404, 6, "recordHandle", f"{RECORDS}/1000002%00"),
    Case("deeper path", GOOD, 404, 6, "", f"{RECORD}/x"),
    Case("longer path", GOOD, 404, 6, "", "/api/v2/me/outbound-recordsX"),
]
CAMPAIGN_NAMES = [
    Case("unknown name", START, 404, 6, "campaignName", f"{CAMPAIGNS}/Nothing"),
    Case("encoded slash", START, 404, 6, "campaignName", f"{CAMPAIGNS}/a%2Fb"),
    Case("plain slash", START, 404, 6, "", f"{CAMPAIGNS}/a/b"),
    Case("NUL in the name", START, 404, 6, "campaignName", f"{CAMPAIGNS}/Campaign1%00"),
    Case("name of invalid UTF-8", START, 404, 6, "campaignName", f"{CAMPAIGNS}/%FF%FE"),
    Case("half an escape", START, 404, 6, "campaignName", f"{CAMPAIGNS}/Campaign1%"),
    Case("name of dots", START, 404, 6, "", f"{CAMPAIGNS}/.."),
    Case("name of 300", START, 413, 10, "campaignName", f"{CAMPAIGNS}/" + "c" * 300),
    Case("campaign not loaded", START, 400, 2, "campaign", f"{CAMPAIGNS}/K%C3%A4se%20%26%20Co"),
    Case("no operation on the campaign", {}, 400, 1, "operationName", f"{CAMPAIGNS}/{CAMPAIGN}"),
    Case("post to all campaigns", START, 405, 3, "method", CAMPAIGNS),
]
OTHERS = [
    *(Case(f"{method} a record", GOOD, 405, 3, "method", RECORD, method) for method in ("PUT", "DELETE", "PATCH")),
    *(Case(f"{method} records", ADD, 405, 3, "method", RECORDS, method) for method in ("PUT", "DELETE", "TRACE")),
    Case("GET on operations", None, 405, 3, "method", OPERATIONS, "GET"),
    Case("GET on notifications", None, 405, 3, "method", "/api/v2/notifications", "GET"),
    Case("DELETE me", None, 405, 3, "method", "/api/v2/me", "DELETE"),
    Case("unknown path", GOOD, 404, 6, "", "/api/v2/me/outbound"),
    Case("unknown state", {"operationName": "Dancing"}, 400, 3, "operationName", "/api/v2/me/channels/voice"),
    Case("unknown channel", {"operationName": "Ready"}, 404, 6, "channel", "/api/v2/me/channels/chat"),
    Case("state before the log-in", {"operationName": "Ready"}, 400, 2, "StartContactCenterSession", "/api/v2/me"),
    Case("no channels", {"operationName": "StartContactCenterSession"}, 400, 1, "channels", "/api/v2/me"),
    Case(
        "other channels",
        {"operationName": "StartContactCenterSession", "channels": ["chat"]},
        400,
        10,
        "channels",
        "/api/v2/me",
    ),
    Case(
        "foreign device",
        {"operationName": "StartContactCenterSession", "channels": ["voice"], "devicePath": "/devices/demo-device-3"},
        404,
        6,
        "devicePath",
        "/api/v2/me",
    ),
    Case("unknown subresource", None, 400, 10, "subresources", "/api/v2/me?subresources=secrets", "GET"),
    Case("wrong paging", None, 400, 10, "limit", "/api/v2/me/devices?limit=0", "GET"),
    Case("wrong order", None, 400, 10, "order", "/api/v2/me/devices?order=Up", "GET"),
    Case("long query", None, 413, 10, "query", "/api/v2/me?" + "x" * 5000, "GET"),
    Case("many parameters", None, 400, 10, "query", "/api/v2/me?" + "&".join(f"a{n}=1" for n in range(60)), "GET"),
    Case("dial", {"operationName": "Dial"}, 400, 2, "telephony", "/api/v2/me/devices/demo-device-2/calls"),
]
CASES = [*MALFORMED, *PARAMETERS, *AGREEMENT, *CAMPAIGN_NAMES, *OTHERS]


class Before(NamedTuple):
    """What must not change."""

    desk: list[Json]
    chain: object
    other: list[Json]


@pytest.fixture(scope="module")
def victim(abused: Demo) -> Desktop:
    """The agent in whose name bad input is sent."""
    return abused.desktop("agent2", "demo-device-2", 1_000_002).listen()


@pytest.fixture
def unchanged(abused: Demo, victim: Desktop) -> Iterator[None]:
    """Compare what the agent has, and what others have, before and after."""
    other = abused.desktop("agent3", "demo-device-3", 1_000_003)

    def look() -> Before:
        return Before(victim.records(), stored.chain(abused, victim.record()["chainId"]), other.records())

    before = look()
    yield
    assert look() == before
    assert victim.heard() == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_is_refused(abused: Demo, unchanged: None, case: Case) -> None:
    """The line of the table: HTTP status, code, a sentence that names the parameter, and nothing else."""
    reply = exchange(abused.url, case.method, case.path, bytes_of(case.body), BASIC)
    assert reply.headers["Content-Type"] == "application/json"
    assert (reply.status, reply.json["statusCode"]) == (case.status, case.code), reply.json
    assert list(reply.json) == ["statusCode", "statusMessage"]
    assert case.word in reply.json["statusMessage"]
    if case.status == 405:
        assert reply.headers["Allow"]


def test_unknown_and_foreign_handles_get_the_same_bytes(abused: Demo, unchanged: None) -> None:
    """Nothing in the answer tells a foreign record from none."""
    bodies = {
        exchange(abused.url, "POST", f"{RECORDS}/{handle}", bytes_of(GOOD), BASIC).body
        for handle in ("1000003", "6", "999999999", "9" * 300, "six")
    }
    assert len(bodies) == 1


# --- what looks odd and is fine ----------------------------------------------------------------------------------


def fine(reply: Reply) -> bool:
    """True when the request was accepted."""
    return (reply.status, reply.json) == (200, {"statusCode": 0})


def test_odd_but_good_requests_are_accepted(abused: Demo, victim: Desktop) -> None:
    """No content type, another content type, a BOM-free body with spaces, unknown keys, duplicates: all accepted."""
    body = bytes_of(GOOD)
    bare = {"Authorization": BASIC["Authorization"]}
    assert fine(exchange(abused.url, "POST", RECORD, body, bare))
    assert fine(exchange(abused.url, "POST", RECORD, body, {**bare, "Content-Type": "text/plain"}))
    assert fine(exchange(abused.url, "POST", RECORD, b"\r\n \t" + (body or b"") + b"\n", BASIC))
    assert fine(exchange(abused.url, "POST", f"{RECORD}/", body, BASIC))
    assert fine(exchange(abused.url, "POST", RECORD, bytes_of({**GOOD, "$x": {"deep": [None]}}), BASIC))
    assert fine(exchange(abused.url, "POST", RECORD, bytes_of({**GOOD, "x": "y" * 60_000}), BASIC))
    assert fine(exchange(abused.url, "POST", RECORD, bytes_of({**GOOD, "from": 60, "until": 60}), BASIC))
    assert fine(exchange(abused.url, "POST", RECORD, bytes_of({**GOOD, "referenceId": "😀" * 255}), BASIC))
    victim.heard()


def test_chunked_bodies_are_read(abused: Demo, victim: Desktop) -> None:
    """A body without a length, in chunks, is read; one over the limit is refused all the same."""

    def chunks(body: bytes) -> Iterator[bytes]:
        yield from (body[at : at + 7] for at in range(0, len(body), 7))

    headers = {**BASIC, "Transfer-Encoding": "chunked"}
    assert fine(exchange(abused.url, "POST", RECORD, chunks(bytes_of(GOOD) or b""), headers))
    big = bytes_of({**GOOD, "x": "x" * 70_000}) or b""
    reply = exchange(abused.url, "POST", RECORD, iter([big[:60_000], big[60_000:]]), headers)
    assert (reply.status, reply.json["statusCode"]) == (413, 10)
    victim.heard()


def test_expect_100_continue_is_answered(abused: Demo, victim: Desktop) -> None:
    """A client that asks first is told to go on before it sends its body, or refused at once."""
    body = bytes_of(GOOD) or b""
    for authorization, first in ((BASIC["Authorization"], b"HTTP/1.1 100"), ("Basic AAAA", b"HTTP/1.1 403")):
        head = (
            f"POST {RECORD} HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\n"
            f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", abused.server.port), 30) as connection:
            connection.sendall(head.encode())
            assert connection.recv(4096).startswith(first)
            if first.endswith(b"100"):
                connection.sendall(body)
                assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    victim.heard()


@pytest.mark.parametrize(
    "sent",
    [
        b"GARBAGE\r\n\r\n",
        b"POST /api/v2/me HTTP/1.1\r\nContent-Length: abc\r\n\r\n",
        b"POST /api/v2/me HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST /api/v2/me HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /api/v2/me HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /api/v2/me\x00 HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(abused: Demo, sent: bytes) -> None:
    """Broken requests get a 4xx or a closed connection, and the server goes on."""
    first = b""
    with socket.create_connection(("127.0.0.1", abused.server.port), 30) as connection, suppress(OSError):
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        first = connection.recv(4096)
    assert first == b"" or first.startswith(b"HTTP/1.1 4"), first
    assert exchange(abused.url, "GET", "/api/v2/diagnostics/version").status == 200


def test_names_may_be_percent_encoded(abused: Demo, victim: Desktop) -> None:
    """A campaign is found under any spelling of its name in the path, and a name with a slash too."""
    for spelling in ("Campaign1", "%43ampaign1", "Campaign%31", "Campaign1/"):
        assert fine(exchange(abused.url, "POST", f"{CAMPAIGNS}/{spelling}", bytes_of(START), BASIC))
    assert fine(exchange(abused.url, "POST", f"{CAMPAIGNS}/Campaign1?x=%2F", bytes_of(START), BASIC))
    victim.heard()
    assert fine(exchange(abused.url, "POST", f"{CAMPAIGNS}/1%2F2%20%C3%BCber%25", bytes_of(START), BASIC))
    assert victim.heard()[0]["data"]["campaign"]["name"] == "1/2 über%"
    read = exchange(abused.url, "GET", f"{CAMPAIGNS}/1%2F2%20%C3%BCber%25", headers=BASIC)
    assert read.json["campaign"]["name"] == "1/2 über%"
