"""The HTTP door of third parties on a running server: action x store x result, refusals, and who may use it."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.http.desks import CAMPAIGN, LIST, Demo, Desktop, Json, Reply, demo_server, exchange, kind_of
from tests.http.test_access import PASSWORD as STRANGER_PASSWORD
from tests.http.test_access import add_user

SUPERVISOR = "supervisor1"


def ask(
    demo: Demo,
    path: str,
    body: Any = None,
    name: str = SUPERVISOR,
    method: str = "POST",
    password: str = "demo",
    **headers: str,
) -> Reply:
    """One request of a third party."""
    credentials = base64.b64encode(f"{name}:{password}".encode()).decode()
    text = body if isinstance(body, (bytes, str)) else json.dumps(body or {})
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return exchange(demo.url, method, path, text, {"Authorization": f"Basic {credentials}", **more})


def accepted(reply: Reply) -> Json:
    """The acknowledgement."""
    assert reply.status == 200, reply
    assert reply.headers["Content-Type"] == "application/json"
    return reply.json


def refused(reply: Reply, status: int, *words: str) -> None:
    """Fail unless it was refused so, with a short sentence as plain text."""
    assert reply.status == status, reply
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    text = reply.body.decode()
    assert 0 < len(text) < 300
    assert "<" not in text
    for word in words:
        assert word in text, text


def heard(desk: Desktop, notification: str) -> Json:
    """What the desk hears of that kind on ``/me/internal``."""
    found = [m for m in desk.heard() if kind_of(m) == notification and m["channel"] == "/me/internal"]
    assert len(found) == 1
    data: Json = found[0]["data"]["userData"]
    return data


def test_add_record(contract: Demo) -> None:
    """A record comes into the list of the path; its handle, chain and fields are acknowledged."""
    body = {
        "GSW_CAMPAIGN_NAME": CAMPAIGN,
        "GSW_PHONE": "+1 646 555 0142",
        "GSW_PHONE_TYPE": "2",
        "GSW_TZ_NAME": "GMT",
        "GSW_FROM": 0,
        "GSW_UNTIL": "86400",
        "GSW_REFERENCE_ID": "r-1",
        "account": "Zoë 7",
    }
    said = accepted(ask(contract, f"/lists/{LIST}?req=AddRecord", body))
    assert said["GSW_USER_EVENT"] == "AddRecordAcknowledge"
    assert (said["GSW_CALLING_LIST"], said["GSW_CAMPAIGN_NAME"], said["GSW_APPLICATION_ID"]) == (LIST, CAMPAIGN, 134)
    assert (said["GSW_PHONE"], said["GSW_PHONE_TYPE"], said["GSW_TZ_NAME"]) == ("+1 646 555 0142", 2, "GMT")
    assert (said["GSW_RECORD_STATUS"], said["GSW_CALL_RESULT"], said["account"]) == (1, 28, "Zoë 7")
    assert said["GSW_REFERENCE_ID"] == "r-1"
    assert accepted(ask(contract, f"/lists/{LIST}?req=AddRecord", body)) == said
    other = accepted(ask(contract, f"/lists/{LIST}?req=AddRecord", {**body, "GSW_REFERENCE_ID": "r-2"}))
    assert other["GSW_CHAIN_ID"] != said["GSW_CHAIN_ID"]


def test_a_header_recognises_a_repetition(contract: Demo) -> None:
    """The same Idempotency-Key and body: one record. Without any mark: two."""
    body = {"GSW_PHONE": "+1 646 555 0143"}
    path = f"/lists/{LIST}?req=AddRecord"
    first, again = (accepted(ask(contract, path, body, Idempotency_Key="k1")) for _ in range(2))
    assert first == again
    other = accepted(ask(contract, path, body, Idempotency_Key="k2"))
    assert other["GSW_CHAIN_ID"] != first["GSW_CHAIN_ID"]
    third, fourth = (accepted(ask(contract, path, body)) for _ in range(2))
    assert third["GSW_CHAIN_ID"] != fourth["GSW_CHAIN_ID"]
    refused(ask(contract, path, body, Idempotency_Key="k" * 256), 413, "Idempotency-Key")


def test_update(contract: Demo) -> None:
    """The record on an agent's desk changes; the agent hears the acknowledgement unasked."""
    desk = contract.desk().listen()
    body = {"GSW_CALL_RESULT": "6", "note": "called back"}
    said = accepted(ask(contract, f"/records/{desk.handle}?req=UpdateCallCompletionStats", body))
    assert said["GSW_USER_EVENT"] == "UpdateCallCompletionStatsAcknowledge"
    assert (said["GSW_CALL_RESULT"], said["GSW_RECORD_HANDLE"]) == ("6", desk.handle)
    assert desk.record()["callResult"] == "Busy"
    news = heard(desk, "UpdateCallCompletionStatsAcknowledge")
    assert (news["GSW_RECORD_HANDLE"], news["GSW_CALL_RESULT"]) == (desk.handle, "6")


@pytest.mark.parametrize(
    ("action", "body", "event", "stays"),
    [
        ("RecordProcessed", {"GSW_CALL_RESULT": 33, "GSW_TREATMENT": "Campaign"}, "RecordProcessedAcknowledge", False),
        ("RecordCancel", {"GSW_CHAIN_ATTR": "AllChain"}, "RecordCancelAcknowledge", True),
        ("DoNotCall", {}, "DoNotCallAcknowledge", True),
        (
            "RecordReschedule",
            {"GSW_DATE_TIME": "12/01/2096 10:00", "GSW_CALLBACK_TYPE": "Personal"},
            "RecordRescheduleAcknowledge",
            True,
        ),
    ],
)
def test_a_record_is_taken_from_a_desk(contract: Demo, action: str, body: Json, event: str, *, stays: bool) -> None:
    """Its agent is told by RecordCancel; a processed one is gone, the others may still be read."""
    desk = contract.desk().listen()
    said = accepted(ask(contract, f"/records/{desk.handle}?req={action}", body))
    assert (said["GSW_USER_EVENT"], said["GSW_RECORD_HANDLE"]) == (event, desk.handle)
    assert {key: said.get(key) for key in body if key != "GSW_CALL_RESULT"} == {
        key: value for key, value in body.items() if key != "GSW_CALL_RESULT"
    }
    assert heard(desk, "RecordCancel")["GSW_RECORD_HANDLE"] == desk.handle
    assert [record["recordHandle"] for record in desk.records()] == ([desk.handle] if stays else [])
    assert desk.heard() == []


@pytest.mark.parametrize("resource", ["phones", "customer_ids"])
@pytest.mark.parametrize("action", ["RecordCancel", "DoNotCall"])
def test_contacts(contract: Demo, resource: str, action: str) -> None:
    """By number or customer, in every list of the contact centre, whatever characters the id has."""
    number = f"+1 646 777 {len(resource):04d}"
    customer = f"c/{action}&ä"
    new = {"GSW_PHONE": number, "GSW_CUSTOMER_ID": customer}
    accepted(ask(contract, f"/lists/{LIST}?req=AddRecord", new))
    contact = quote(number if resource == "phones" else customer, safe="")
    said = accepted(ask(contract, f"/{resource}/{contact}?req={action}", {}))
    assert said["GSW_USER_EVENT"] == {"RecordCancel": "RecordCancelAcknowledge"}.get(action, "DoNotCallAcknowledge")
    key = "GSW_PHONE" if resource == "phones" else "GSW_CUSTOMER_ID"
    assert said[key] == (number if resource == "phones" else customer)
    assert "GSW_CAMPAIGN_NAME" not in said
    refused(ask(contract, f"/{resource}/{contact}?req=RecordCancel", {}), 404, "no open record")


BAD: list[tuple[str, Any, int, str]] = [
    (f"/lists/{LIST}", {}, 400, "req is required"),
    (f"/lists/{LIST}?req=", {}, 400, "one of AddRecord"),
    (f"/lists/{LIST}?req=Remove", {}, 400, "one of AddRecord"),
    (f"/lists/{LIST}?req=AddRecord", {}, 400, "GSW_PHONE is required"),
    (f"/lists/{LIST}?req=AddRecord", {"GSW_PHONE": "+1", "GSW_FROM": "noon"}, 400, "GSW_FROM"),
    (f"/lists/{LIST}?req=AddRecord", {"GSW_PHONE": "+1", "GSW_AGENT_ID": "nobody"}, 404, "GSW_AGENT_ID"),
    (f"/lists/{LIST}?req=AddRecord", {"GSW_PHONE": "+1", "GSW_RECORD_TYPE": 5}, 400, "GSW_AGENT_ID is required"),
    (f"/lists/{LIST}?req=AddRecord", {"GSW_PHONE": "+1", "GSW_CAMPAIGN_NAME": "none"}, 404, "campaign"),
    (f"/lists/{LIST}?req=AddRecord", {"GSW_PHONE": "+1", "GSW_CHAIN_ID": 999_999_999}, 404, "chain"),
    ("/lists/Nothing?req=AddRecord", {"GSW_PHONE": "+1"}, 404, "calling list"),
    ("/lists/?req=AddRecord", {"GSW_PHONE": "+1"}, 404, "list"),
    ("/lists/a/b?req=AddRecord", {"GSW_PHONE": "+1"}, 404, "nothing at this path"),
    ("/lists/%FF?req=AddRecord", {"GSW_PHONE": "+1"}, 404, "UTF-8"),
    ("/lists/%00?req=AddRecord", {"GSW_PHONE": "+1"}, 404, "calling list"),
    ("/records/7x?req=DoNotCall", {}, 404, "handle"),
    ("/records/2000000000?req=DoNotCall", {}, 404, "handle"),
    ("/phones/abc?req=DoNotCall", {}, 404, "number"),
    ("/customer_ids/nobody?req=RecordCancel", {}, 404, "no open record"),
    (f"/lists/{LIST}?req=AddRecord", b"{", 400, ""),
    (f"/lists/{LIST}?req=AddRecord", b"[]", 400, "object"),
    (f"/lists/{LIST}?req=AddRecord", b'{"GSW_PHONE": "\xff"}', 400, ""),
    (f"/lists/{LIST}?req=AddRecord", {"GSW_PHONE": "x" * 70_000}, 413, "larger"),
    (f"/lists/{LIST}?req=AddRecord&x=%FF", {"GSW_PHONE": "+1"}, 400, "query"),
]


@pytest.mark.parametrize(("path", "body", "status", "words"), BAD)
def test_bad_input(contract: Demo, path: str, body: Any, status: int, words: str) -> None:
    """Each defect gets the status of decisions 1 and a sentence as plain text that names the place."""
    refused(ask(contract, path, body), status, words)


def test_contradictions_change_nothing(contract: Demo) -> None:
    """What the body says against the record is refused; the desk stays as it was and hears nothing."""
    desk = contract.desk().listen()
    before = desk.records()
    path = f"/records/{desk.handle}"
    for action, body in (
        ("RecordProcessed", {"GSW_APPLICATION_ID": 5}),
        ("RecordProcessed", {"GSW_RECORD_HANDLE": desk.handle + 1}),
        ("RecordReschedule", {"GSW_DATE_TIME": "12/01/2006 10:00"}),
    ):
        refused(ask(contract, f"{path}?req={action}", body), 400)
    refused(ask(contract, f"{path}?req=RecordProcessed", {"GSW_CALLING_LIST": "none"}), 404)
    assert desk.records() == before
    assert desk.heard() == []


def test_who_may_use_it(contract: Demo) -> None:
    """Supervisors and administrators; agents and strangers are refused before anything is looked at."""
    path = "/records/1?req=RecordProcessed"
    for name in (SUPERVISOR, "admin1"):
        refused(ask(contract, path, {}, name), 404)
    refused(ask(contract, path, {}, "agent1"), 403, "supervisors")
    refused(ask(contract, path, {}, "nobody"), 403, "Access denied")
    refused(exchange(contract.url, "POST", path, "{}", {}), 403, "Access denied")


FOREIGN = [
    (f"/lists/{LIST}?req=AddRecord", "/lists/Unknown?req=AddRecord", {"GSW_PHONE": "+1 212 555 0100"}),
    *(
        (f"/records/6?req={action}", f"/records/2000000000?req={action}", body)
        for action, body in (
            ("RecordProcessed", {}),
            ("UpdateCallCompletionStats", {}),
            ("RecordCancel", {}),
            ("DoNotCall", {}),
            ("RecordReschedule", {"GSW_DATE_TIME": "12/01/2096 10:00"}),
        )
    ),
    ("/phones/+1%20415%20555%200161?req=RecordCancel", "/phones/+1%20415%20555%209999?req=RecordCancel", {}),
    ("/customer_ids/c1?req=RecordCancel", "/customer_ids/c2?req=RecordCancel", {}),
    (
        f"/customer_ids/c1?req=DoNotCall&campaign={CAMPAIGN}",
        "/customer_ids/c1?req=DoNotCall",
        {"GSW_CAMPAIGN_NAME": CAMPAIGN},
    ),
]


@pytest.fixture(scope="module")
def stranger(demo: Demo) -> str:
    """A supervisor of another contact centre on the same server."""
    add_user(demo, "stranger9", "--contact-centre", "elsewhere9", "--role", "supervisor")
    return "stranger9"


@pytest.mark.parametrize(("theirs", "unknown", "body"), FOREIGN)
def test_another_contact_centre_looks_unknown(demo: Demo, stranger: str, theirs: str, unknown: str, body: Json) -> None:
    """What belongs to another contact centre is answered in the very words of what does not exist."""
    said = [ask(demo, path, body, stranger, password=STRANGER_PASSWORD) for path in (theirs, unknown)]
    refused(said[0], 404)
    assert said[0].body == said[1].body
    refused(ask(demo, theirs, body, "agent1"), 403, "supervisors")


def test_other_methods_and_paths(contract: Demo) -> None:
    """POST alone; what is no resource type is an ordinary unknown path."""
    reply = ask(contract, "/records/1?req=RecordProcessed", method="GET")
    refused(reply, 405)
    assert reply.headers["Allow"] == "POST"
    reply = ask(contract, "/things/1?req=RecordProcessed")
    assert (reply.status, reply.json["statusCode"]) == (404, 6)


def test_the_audit_names_the_door(contract: Demo) -> None:
    """Who asked, what, and that it came through this door; the agent's own notice is beside it."""
    desk = contract.desk()
    accepted(ask(contract, f"/records/{desk.handle}?req=RecordCancel", {"GSW_REFERENCE_ID": "audit me"}))
    rows = ask(contract, f"/api/v2/admin/requests?recordHandle={desk.handle}", method="GET").json["requests"]
    [row] = [row for row in rows if row["door"] == "HTTP"]
    assert (row["userName"], row["requestName"], row["referenceId"]) == (SUPERVISOR, "RequestRecordCancel", "audit me")
    assert (row["campaignName"], row["callingList"]) == (CAMPAIGN, LIST)


def test_it_can_be_switched_off() -> None:
    """Then its paths are unknown."""
    with demo_server("--no-http-door", agents=5) as demo:
        refused(ask(demo, f"/lists/{LIST}?req=AddRecord", {"GSW_PHONE": "+1"}), 404, "nothing at this path")
