"""Suppression lists over HTTP, on a running server: an entry holds from its answer on."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

import pytest

from tests.http.administration import Administrator, accepted, refused
from tests.http.desks import Demo, exchange, refuse

BASE = "/api/v2/admin/suppression-lists/own"


def csv_post(demo: Demo, path: str, text: str, name: str = "supervisor1") -> tuple[int, Any]:
    """Send a file."""
    credentials = base64.b64encode(f"{name}:demo".encode()).decode()
    headers = {"Content-Type": "text/csv", "Authorization": f"Basic {credentials}"}
    reply = exchange(demo.url, "POST", path, text, headers)
    return reply.status, reply.json


def test_entries_hold_at_once(demo: Demo) -> None:
    """An entry made over HTTP keeps the next record from being handed out; the page shows it with who and why."""
    supervisor = demo.desktop("supervisor1").client
    number = "+14155559911"
    body = {"value": "(415) 555-9911", "region": "US", "reason": "asked by letter", "expiresAt": "2090-01-01"}
    assert supervisor.post(f"{BASE}/entries", body).body == {"statusCode": 0, "added": 1}
    page = supervisor.get(f"{BASE}/entries?value={quote(number)}&count=true").body
    (entry,) = page["entries"]
    assert (entry["value"], entry["kind"], entry["holds"], entry["reason"]) == (
        number,
        "number",
        True,
        "asked by letter",
    )
    assert entry["expiresAt"] == "2090-01-02T00:00:00Z"
    assert page["count"]["entries"] >= 1
    assert supervisor.get(f"{BASE}/entries?value={quote(number)}&holds=false").body["entries"] == []
    row = supervisor.get("/api/v2/admin/requests?requestType=120&limit=1").body["requests"][0]
    assert (row["requestName"], row["userName"]) == ("AddSuppression", "supervisor1")
    assert row["referenceId"] == "1 to own: asked by letter"
    gone = supervisor.request("DELETE", f"{BASE}/entries?value={quote(number)}&reason=mistake")
    assert gone.body["removed"] == 1
    assert supervisor.get(f"{BASE}/entries?value={quote(number)}").body["entries"] == []


def test_a_file_goes_in_and_out(demo: Demo) -> None:
    """A file is imported with a report and pages through; the export is CSV."""
    supervisor = demo.desktop("supervisor1").client
    text = "kind,value\ncustomer,h-1\ncustomer,h-2\ncustomer,h-3\n"
    status, body = csv_post(demo, f"{BASE}/entries?reason=register", text)
    assert (status, body["report"]["rowsGood"]) == (200, 3)
    status, body = csv_post(demo, f"{BASE}/entries", "12\n")
    assert (status, body["statusCode"], body["report"]["refusals"][0]["row"]) == (400, 10, 1)
    first = supervisor.get(f"{BASE}/entries?kind=customer&limit=2").body
    rest = supervisor.get(f"{BASE}/entries?kind=customer&limit=2&after={quote(first['next'])}").body
    assert [one["value"] for one in first["entries"] + rest["entries"]] == ["h-1", "h-2", "h-3"]
    assert "next" not in rest
    credentials = base64.b64encode(b"supervisor1:demo").decode()
    reply = exchange(demo.url, "GET", f"{BASE}/export", None, {"Authorization": f"Basic {credentials}"})
    assert reply.headers["content-type"].startswith("text/csv")


def test_a_list_is_emptied_before_it_is_deleted(demo: Demo) -> None:
    """A list with entries stays; emptied with a reason it goes, and nothing of it is left in the database."""
    admin = Administrator(demo, "supervisor1")
    made = admin.make("suppression-lists", name="Old register", isRequired=True)
    one = f"suppression-lists/{made['id']}"
    admin.ask("POST", "suppression-lists/Old%20register/entries", {"value": "+14155559921", "reason": "register"})
    removals = "suppression-lists/Old%20register/removals"
    refused(admin.ask("POST", removals, {"all": True, "reason": "replaced"}), 409, 19, "applies to every campaign")
    admin.change(one, 1, isRequired=False)
    refused(admin.ask("DELETE", f"{one}?version=2"), 409, 19, "has entries; empty it first")
    counted = accepted(admin.ask("POST", removals, {"all": True, "dryRun": True}))["report"]
    assert counted == {"listName": "Old register", "entries": 1, "ended": 0, "left": 0, "isDryRun": True}
    for body, code in (
        ({"reason": "replaced"}, 1),
        ({"all": True}, 1),
        ({"all": True, "reason": 5}, 10),
        ({"all": True, "dryRun": "yes"}, 10),
        ({"all": True, "dryrun": True}, 10),
    ):
        refused(admin.ask("POST", removals, body), 400, code)
    gone = accepted(admin.ask("POST", removals, {"all": True, "reason": "replaced"}))["report"]
    assert (gone["entries"], gone["left"], gone["isDryRun"]) == (1, 0, False)
    row = admin.get("requests?requestType=125&limit=1")["requests"][0]
    assert (row["requestName"], row["referenceId"]) == ("EmptySuppressionList", "1 from Old register: replaced")
    admin.drop(one, 2)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_agents_may_not(demo: Demo, method: str) -> None:
    """Agents have no business with the lists."""
    refuse(demo.desk().client.request(method, f"{BASE}/entries", b"{}" if method == "POST" else None), 403, 3)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 1),
        ({"value": "+14155559911"}, 1),
        ({"value": 5, "reason": "x"}, 10),
        ({"value": "12", "reason": "x"}, 10),
        ({"value": "+14155559911", "reason": "x", "campaign": "Nowhere"}, 10),
        ({"entries": []}, 10),
        ({"entries": ["x"]}, 10),
        ({"value": "+14155559911", "reason": "x", "region": 5}, 10),
    ],
)
def test_bad_bodies(demo: Demo, body: dict[str, Any], code: int) -> None:
    """What cannot be an entry is refused with the parameter's name."""
    refuse(demo.desktop("supervisor1").client.post(f"{BASE}/entries", body), 400, code)


def test_a_refusal_names_the_keys_of_the_body(demo: Demo) -> None:
    """An end that is none is told as ``expiresAt``, one among many entries with its place; a file has columns."""
    admin = Administrator(demo, "supervisor1")
    path = "suppression-lists/own/entries"
    good = {"value": "+14155559931", "reason": "x"}
    for text, word in (("soon", "must be a date"), ("2020-01-01", "is over already")):
        wrong = {**good, "expiresAt": text}
        refused(admin.ask("POST", path, wrong), 400, 10, f"expiresAt {word}")
        refused(admin.ask("POST", path, {"entries": [good, wrong]}), 400, 10, f"entries[1].expiresAt {word}")
    refused(admin.ask("POST", path, {**good, "kind": "fax"}), 400, 10, "kind must be")
    _, body = csv_post(demo, f"{BASE}/entries?reason=x", "number,expires_at\n+14155559931,soon\n")
    assert body["report"]["refusals"][0]["field"] == "expires_at"


@pytest.mark.parametrize(
    "query", ["holds=yes", "after=x", "after=number:x:1", "kind=fax", "limit=0", "dryrun=true", "value=12"]
)
def test_bad_queries(demo: Demo, query: str) -> None:
    """What nobody understands is refused."""
    refuse(demo.desktop("supervisor1").client.get(f"{BASE}/entries?{query}"), 400, 10)


def test_lists_that_do_not_exist(demo: Demo) -> None:
    """An unknown list is not found, whatever is asked of it."""
    supervisor = demo.desktop("supervisor1").client
    for method, path in (("GET", "entries"), ("GET", "export"), ("DELETE", "entries?value=x&reason=y")):
        refuse(supervisor.request(method, f"/api/v2/admin/suppression-lists/Nothing/{path}"), 404, 6)
