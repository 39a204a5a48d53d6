"""Who may come in, and what each may see and do."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http import stored
from tests.http.desks import (
    CAMPAIGN,
    CAMPAIGNS,
    LIST,
    OPERATIONS,
    RECORDS,
    Demo,
    Desktop,
    Reply,
    accept,
    demo_server,
    exchange,
    kinds,
    refuse,
    user_data,
)
from tests.support.processes import NotReadyError
from tests.support.server import RunningServer
from trunkline.web.exchange import Headers
from trunkline.web.guards import address_of
from trunkline.web.routes import rows

BASIC_1 = {"Authorization": "Basic YWdlbnQxOmRlbW8="}
DENIED = {"statusCode": 20, "statusMessage": "Access denied"}
PUBLIC = ("/", "/metrics", "/api/v2/diagnostics/version")
PASSWORD = "long enough"


def add_user(demo: Demo, *arguments: str) -> None:
    """``trunkline user add`` beside the running server."""
    add_user_in(demo.server.folder, *arguments)


def add_user_in(folder: Path, *arguments: str) -> None:
    """``trunkline user add`` on the database of a folder."""
    program = Path(sys.executable).with_name("trunkline")
    where = ["--data-dir", str(folder), "--password", PASSWORD]
    subprocess.run([program, "user", "add", *arguments, *where], check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def elsewhere(demo: Demo) -> Desktop:
    """An agent of another contact centre on the same server."""
    add_user(demo, "stranger", "--contact-centre", "elsewhere", "--device", "their-device=7001")
    return demo.desktop("stranger", "their-device", 1_000_050, PASSWORD).listen()


# --- coming in ---------------------------------------------------------------------------------------------------


def _paths() -> list[tuple[str, str]]:
    routed = {(method, re.sub(r"\{\w+\}", "x", path)) for method, path, *_ in rows()}
    hot = {("GET", RECORDS), ("POST", RECORDS), ("GET", f"{RECORDS}/6"), ("POST", f"{RECORDS}/6")}
    hot |= {("GET", CAMPAIGNS), ("GET", f"{CAMPAIGNS}/{CAMPAIGN}"), ("POST", f"{CAMPAIGNS}/{CAMPAIGN}")}
    hot |= {("POST", OPERATIONS), ("POST", "/api/v2/notifications"), ("POST", "/api/v2/notifications/connect")}
    nowhere = {("GET", "/nothing"), ("POST", "/api/v2/nothing"), ("DELETE", f"{RECORDS}/6"), ("PUT", "/api/v3/me")}
    return sorted(entry for entry in routed | hot | nowhere if entry[1] not in PUBLIC)


@pytest.mark.item(34)
@pytest.mark.parametrize(("method", "path"), _paths(), ids=lambda value: value)
def test_nobody_comes_in_without_credentials(demo: Demo, method: str, path: str) -> None:
    """Every path, known or not, answers 403 and code 20 to whoever does not say who it is."""
    for headers in ({}, {"Cookie": "JSESSIONID=0123456789"}, {"Authorization": "Bearer abc"}):
        reply = exchange(demo.url, method, path, b"{}" if method != "GET" else None, headers)
        assert (reply.status, reply.json) == (403, DENIED)
        assert "WWW-Authenticate" not in reply.headers  # no password prompt of the browser


@pytest.mark.parametrize("path", PUBLIC)
def test_few_paths_are_public(demo: Demo, path: str) -> None:
    """Version, metrics and the root answer everybody."""
    assert exchange(demo.url, "GET", path).status == 200


@pytest.mark.parametrize(
    "credentials",
    [
        "Basic YWdlbnQxOndyb25n",  # agent1:wrong
        "Basic bm9ib2R5OmRlbW8=",  # nobody:demo
        "Basic YWdlbnQx",  # no colon
        "Basic ~~~~",
        "Basic //8=",  # no UTF-8
        "Basic YWdlbnQxAGE6ZGVtbw==",  # NUL
        "Basic " + "A" * 5000,
        "Digest username=agent1",
        "",
    ],
)
def test_wrong_credentials_do_not_come_in(demo: Demo, credentials: str) -> None:
    """Wrong, malformed and oversized credentials are all answered alike."""
    reply = exchange(demo.url, "GET", "/api/v2/me", headers={"Authorization": credentials})
    assert (reply.status, reply.json) == (403, DENIED)


def cookie_of(reply: Reply) -> str:
    """The session cookie that an answer sets: exactly one."""
    (cookie,) = [c for c in reply.headers.get_all("Set-Cookie", []) if c.startswith("JSESSIONID=")]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    return cookie.partition(";")[0]


def test_a_session_cookie_is_enough(demo: Demo) -> None:
    """GET /me with a password answers with a session cookie that works alone, until EndContactCenterSession."""
    cookie = {"Cookie": cookie_of(exchange(demo.url, "GET", "/api/v2/me", headers=BASIC_1))}
    reply = exchange(demo.url, "GET", "/api/v2/me", headers=cookie)
    assert (reply.status, reply.json["user"]["userName"]) == (200, "agent1")
    assert reply.headers["Set-Cookie"] is None
    for operation in ("StartContactCenterSession", "EndContactCenterSession"):
        body = f'{{"operationName": "{operation}", "channels": ["voice"]}}'
        assert exchange(demo.url, "POST", "/api/v2/me", body, cookie).json == {"statusCode": 0}
    assert exchange(demo.url, "GET", "/api/v2/me", headers=cookie).json == DENIED


# --- cross-site requests -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def guarded() -> Iterator[Demo]:
    """A server with CSRF protection."""
    with demo_server("--csrf-protection", "--allowed-origins", "https://desk.example", agents=5) as made:
        yield made


def test_csrf_protection_asks_cookie_sessions_for_the_token(guarded: Demo) -> None:
    """A write with a cookie needs the token of the GET that gave the cookie; a client without cookies needs none."""
    first = exchange(guarded.url, "GET", "/api/v2/me", headers=BASIC_1)
    assert first.headers["X-CSRF-HEADER"] == "X-CSRF-TOKEN"
    cookie, token = {"Cookie": cookie_of(first)}, first.headers["X-CSRF-TOKEN"]
    body = '{"operationName": "StartContactCenterSession", "channels": ["voice"]}'
    for wrong in ({}, {"X-CSRF-TOKEN": "0" * 32}, {"X-CSRF-TOKEN": ""}):
        reply = exchange(guarded.url, "POST", "/api/v2/me", body, {**cookie, **wrong})
        assert (reply.status, reply.json) == (403, {"statusCode": 3, "statusMessage": "Missing or invalid Csrf token"})
    assert exchange(guarded.url, "POST", "/api/v2/me", body, {**cookie, "X-CSRF-TOKEN": token}).status == 200
    again = exchange(guarded.url, "GET", f"{RECORDS}/6", headers=cookie)
    assert again.headers["X-CSRF-TOKEN"] == token
    assert exchange(guarded.url, "POST", "/api/v2/me", body, BASIC_1).status == 200


def test_without_the_switch_there_is_no_token(demo: Demo) -> None:
    """Off by default: no token is given and none is asked for."""
    first = exchange(demo.url, "GET", "/api/v2/me", headers=BASIC_1)
    assert first.headers["X-CSRF-TOKEN"] is None
    body = '{"operationName": "StartContactCenterSession", "channels": ["voice"]}'
    assert exchange(demo.url, "POST", "/api/v2/me", body, {"Cookie": cookie_of(first)}).status == 200


@pytest.mark.item(97)
def test_foreign_origins_are_refused(guarded: Demo) -> None:
    """A page of another site is refused, an allowed one gets the CORS headers, the server's own passes."""
    for origin, status in (("https://evil.example", 403), ("null", 403), ("https://desk.example", 200)):
        reply = exchange(guarded.url, "GET", "/api/v2/me", headers={**BASIC_1, "Origin": origin})
        assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == (
            status,
            origin if status == 200 else None,
        )
    assert exchange(guarded.url, "GET", "/api/v2/me", headers={**BASIC_1, "Origin": guarded.url}).status == 200
    asked = {"Origin": "https://desk.example", "Access-Control-Request-Method": "POST"}
    reply = exchange(guarded.url, "OPTIONS", f"{RECORDS}/6", headers=asked)
    assert (reply.status, reply.headers["Access-Control-Allow-Credentials"]) == (204, "true")


# --- features, roles, contact centres ----------------------------------------------------------------------------


def test_a_missing_feature_is_refused(demo: Demo) -> None:
    """Without api-voice-outbound every outbound door answers 403 and code 5, and nothing changes."""
    desk = demo.desk()
    chain_id = desk.record()["chainId"]
    before = stored.chain(demo, chain_id)
    add_user(demo, desk.name, "--contact-centre", "demo", "--feature", "api-voice")
    bare = demo.desktop(desk.name, desk.device_id, desk.handle, PASSWORD)
    feature = "api-voice-outbound"
    for operation in ("UpdateRecord", "CompleteRecord", "RejectRecord", "DoNotCallRecord", "CancelRecord"):
        refuse(bare.on_record(operation, callingList=LIST, phoneNumber="+1 212 555 0100"), 403, 5, feature)
    refuse(bare.on_record("GetChainedRecord"), 403, 5, feature)
    refuse(bare.on_records("AddRecord"), 403, 5, feature)
    for operation in ("StartPreviewSession", "GetPreviewRecord", "EndPreviewSession"):
        refuse(bare.on_campaign(operation), 403, 5, feature)
    refuse(bare.send("RecordReject", GSW_RECORD_HANDLE=bare.handle), 403, 5, feature)
    for path in (RECORDS, f"{RECORDS}/{bare.handle}", CAMPAIGNS):
        refuse(bare.client.get(path), 403, 5, feature)
    accept(bare.on_me("StartContactCenterSession", channels=["voice"]))  # that needs the other feature
    assert stored.chain(demo, chain_id) == before


def test_another_contact_centre_sees_nothing(demo: Demo, elsewhere: Desktop) -> None:
    """A user of another contact centre finds no record, campaign, list, device or colleague, and hears nothing."""
    desk = demo.desk()
    assert elsewhere.client.get(RECORDS).body == {"statusCode": 0, "records": []}
    assert elsewhere.client.get(CAMPAIGNS).body == {"statusCode": 0, "campaigns": []}
    refuse(elsewhere.client.get(f"{CAMPAIGNS}/{CAMPAIGN}"), 404, 6)
    refuse(elsewhere.client.get(f"{RECORDS}/{desk.handle}"), 404, 6)
    refuse(elsewhere.on_record("UpdateRecord", desk.handle), 404, 6)
    refuse(elsewhere.on_campaign("StartPreviewSession"), 404, 6)
    number = {"phoneNumber": "+1 212 555 0100", "timeZone": "GMT", "phoneType": "Mobile", "from": 0, "until": 1}
    refuse(elsewhere.on_records("AddRecord", callingList=LIST, **number), 404, 6)
    refuse(elsewhere.on_records("DoNotCallRecord", phoneNumber="+1 212 555 0100"), 404, 6)
    user_id = desk.client.get("/api/v2/me").body["user"]["id"]
    assert elsewhere.client.get(f"/api/v2/contacts/{user_id}").body == elsewhere.client.get("/api/v2/contacts/x").body
    refuse(elsewhere.client.get(f"/api/v2/me/devices/{desk.device_id}"), 404, 6)
    accept(desk.on_record("UpdateRecord"))
    accept(elsewhere.send_raw({"GSW_AGENT_REQ_TYPE": "CampaignStatusRequest"}))
    heard = elsewhere.heard()
    assert kinds(heard) == ["ErrorMessage"]
    assert user_data(heard[0])["GSW_ERROR_NUMBER"] == 1


def test_a_supervisor_elsewhere_sees_its_own(demo: Demo, elsewhere: Desktop) -> None:
    """The audit and the reset of another contact centre's supervisor do not reach the demo's."""
    add_user(demo, "overseer", "--contact-centre", "elsewhere", "--role", "supervisor")
    overseer = demo.desktop("overseer", password=PASSWORD)
    accept(elsewhere.send_raw({"GSW_AGENT_REQ_TYPE": "CampaignStatusRequest"}))
    rows = overseer.client.get("/api/v2/admin/requests?limit=1000").body["requests"]
    assert {row["userName"] for row in rows} == {"stranger"}
    refuse(overseer.client.get("/api/v2/admin/requests?userName=agent1"), 404, 6)
    path = f"/api/v2/admin/calling-lists/{LIST}/chains/1"
    refuse(overseer.client.post(path, {"operationName": "ResetStale"}), 404, 6)


def test_the_audit_is_for_supervisors(demo: Demo) -> None:
    """Each request is in the audit with who, what, which record and what became of it; agents may not read it."""
    desk = demo.desk()
    accept(desk.on_record("UpdateRecord", referenceId="u"))
    accept(desk.send("RecordReject", GSW_RECORD_HANDLE=4711, GSW_REFERENCE_ID=7))
    accept(desk.on_record("CompleteRecord", callingList=LIST))
    refuse(desk.client.get("/api/v2/admin/requests"), 403, 3)
    supervisor = demo.desktop("supervisor1").client
    answer = supervisor.get(f"/api/v2/admin/requests?userName={desk.name}")
    assert answer.http_status == 200
    rows = [
        (r["requestType"], r["requestName"], r["door"], r["recordHandle"], r["errorNumber"], r["referenceId"])
        for r in answer.body["requests"]
    ]
    assert rows == [
        (10, "RecordProcessed", "REST", desk.handle, 0, None),
        (11, "RecordReject", "SendUserEvent", 4711, 8, 7),
        (9, "UpdateCallCompletionStats", "REST", desk.handle, 0, "u"),
    ]
    newest = answer.body["requests"][0]
    assert (newest["campaignName"], newest["callingList"], newest["userName"]) == (CAMPAIGN, LIST, desk.name)
    base = f"/api/v2/admin/requests?userName={desk.name}"
    for query, count in (("&requestType=9", 1), (f"&recordHandle={desk.handle}", 2), ("&limit=1", 1)):
        assert len(supervisor.get(base + query).body["requests"]) == count
    assert len(supervisor.get(f"{base}&before={newest['seq']}").body["requests"]) == 2
    assert supervisor.get(f"{base}&since=4000000000").body["requests"] == []
    assert len(supervisor.get(f"{base}&until=4000000000").body["requests"]) == 3
    assert len(demo.desktop("admin1").client.get(base).body["requests"]) == 3


def test_the_audit_takes_no_parameter_that_it_does_not_know(contract: Demo) -> None:
    """A misspelt filter would show what everybody did."""
    supervisor = contract.desktop("supervisor1").client
    for query in ("foo=1", "username=agent1", "limit=1&offset=2"):
        refuse(supervisor.get(f"/api/v2/admin/requests?{query}"), 400, 10)


@pytest.mark.parametrize("name", ["since", "until", "requestType", "recordHandle", "before", "limit"])
def test_the_audit_s_numbers_may_be_anything(contract: Demo, name: str) -> None:
    """A number beyond what the database holds finds nothing or is refused; it is no defect."""
    supervisor = contract.desktop("supervisor1").client
    for number in ("0", "999999999999999999", "9" * 30, "-1", "x", "1.5", "%00", "%D9%A1"):
        assert supervisor.get(f"/api/v2/admin/requests?{name}={number}").http_status in (200, 400), number
    for user_name in ("%00", "a%00b", "%FF", "x" * 3000):
        assert supervisor.get(f"/api/v2/admin/requests?userName={user_name}").http_status in (400, 404, 413), user_name


def test_the_demo_takes_nobody_s_place(tmp_path: Path) -> None:
    """``--demo`` refuses a database with a contact centre of its own, whose numbers it would take."""
    add_user_in(tmp_path, "ann", "--contact-centre", "main")
    with pytest.raises(NotReadyError, match="empty database"):
        RunningServer("--demo", folder=tmp_path)
    with RunningServer(folder=tmp_path) as server, Desktop(server.url, "ann", password=PASSWORD) as ann:
        assert ann.client.get("/internal-api/contact-center").body["contactCenter"]["name"] == "main"


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("10.0.0.9", "192.0.2.1", "10.0.0.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.7, 192.0.2.1, 10.0.0.2", "192.0.2.1"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.1"),
        (None, "192.0.2.1", None),
    ],
)
def test_only_our_proxies_are_believed(peer: str | None, forwarded: str, address: str | None) -> None:
    """The address is the peer's, unless the peer is a proxy of ours: then the last one that is none."""
    request = Headers({b"x-forwarded-for": forwarded.encode()})
    assert address_of(request, peer, frozenset({"10.0.0.1", "10.0.0.2"})) == address
