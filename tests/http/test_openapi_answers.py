"""Every operation of the administration API is described whole, and what the server answers is what is described."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from http.client import HTTPMessage
from typing import Any

import jsonschema
import pytest

from tests.http.administration import PREFIX, Administrator, accepted, check_answer, check_body, description
from tests.http.desks import CAMPAIGN, LIST, Demo, Json, Reply, accept, demo_server
from tests.http.samples import SAMPLES, fresh
from trunkline.contract.admin_kinds import KINDS
from trunkline.contract.callbacks import PARAMETERS
from trunkline.web import callbacks, described, explain, imports, openapi
from trunkline.web.routes import rows
from trunkline.web.rows import Row

ROWS = [row for row in rows() if row.path.startswith(f"{PREFIX}/")]
SAYS_NOTHING_ELSE = {"post_chain", "post_callback", "post_deliveries", "delete_object"}
"""Handlers that answer a success with nothing but its code."""
OTHER_LIST = "Another list"
NUMBER = "+14155557799"
PERSON = {"number": NUMBER}


def handler(row: Row) -> Any:
    """The function behind a row."""
    return row.handler.func if isinstance(row.handler, partial) else row.handler


def operation(row: Row) -> Json:
    """What the description says of it."""
    found: Json = description()["paths"][row.path][row.method.lower()]
    return found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method} {row.path}")
def test_every_operation_is_described_whole(row: Row) -> None:
    """Bodies, parameters with their schemas, answers of their own shape, and the envelope of errors."""
    told = operation(row)
    for parameter in told["parameters"]:
        assert parameter["schema"], parameter
    assert ("requestBody" in told) is (row.method in ("POST", "PUT", "PATCH"))
    for content in (told.get("requestBody", {}).get("content") or {"": {"schema": {"type": "none"}}}).values():
        assert content["schema"]
        assert content["schema"] != {"type": "object"}
    success = told["responses"]["200"]["content"]
    if handler(row).__name__ not in SAYS_NOTHING_ELSE:
        assert "$ref" not in success.get("application/json", {"schema": {}})["schema"], "nothing is said of the answer"
    for status in ("400", "403", "500", "503", *(["404"] if "{" in row.path else [])):
        found = json.dumps(told["responses"][status])
        assert "Refusal" in found
    if row.method != "GET":
        assert {"409", "413"} <= set(told["responses"])


def test_nothing_is_described_that_is_not_there() -> None:
    """Every description belongs to a route, and every route beside the kinds has one."""
    beside = {handler(row) for row in ROWS if "kind" not in getattr(row.handler, "keywords", {})}
    assert beside - {openapi.get_openapi} == set(described.DESCRIBED)
    assert {name for row in ROWS for name in re.findall(r"{(\w+)}", row.path)} == set(described.PATH)


def test_parameters_are_those_that_handlers_take() -> None:
    """Handlers that know their parameters by a table are described with all of it."""

    def named(handler: Any) -> set[str]:
        return {one["name"] for one in described.DESCRIBED[handler].parameters}

    assert named(callbacks.get_callbacks) == set(PARAMETERS)
    assert named(explain.get_records) == explain._PARAMETERS
    taken = {"importId", "dryRun", "encoding", "specification", *imports._PARAMETERS}
    assert named(imports.post_import) - {"mapping"} == taken


class Site:
    """A server with something of everything, and who asks it."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        self.admin = Administrator(demo)
        self.ids: dict[str, int] = {}
        for kind in KINDS.values():
            made = self.admin.make(kind.path, name=fresh(kind.kind), **SAMPLES[kind.kind](self.admin))
            self.ids[kind.path] = made["id"]
        self.admin.make("calling-lists", name=OTHER_LIST)
        self.asked: set[str] = set()
        self.group = self.admin.get("campaign-groups?limit=1")["campaignGroups"][0]["id"]

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """A request that succeeds; its body and its answer are as they are described."""
        reply = self.admin.ask(method, path, body, **headers)
        assert reply.status in (200, 202), (method, path, reply)
        self.asked.add(f"{method} {template(f'{PREFIX}/{path}')}")
        return reply


def template(path: str) -> str:
    """The path of a route as the table has it."""
    plain = path.partition("?")[0]
    matches = [row.path for row in ROWS if re.fullmatch(re.sub(r"{\w+}", "[^/]+", row.path), plain)]
    return min(matches, key=lambda one: one.count("{"))


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A server of these tests alone, whose lists were worked a little."""
    with demo_server(agents=8) as demo:
        made = Site(demo)
        desk = demo.desk().listen()
        desk.add(NUMBER)
        body = {"value": NUMBER, "reason": "asked"}
        accepted(made.admin.ask("POST", "suppression-lists/own/entries", body))
        accept(desk.on_campaign("StartPreviewSession"))
        desk.heard()
        accept(desk.on_campaign("GetPreviewRecord"))
        given = desk.heard()[0]["data"]["record"]
        made.ids["handle"] = given["recordHandle"]
        other = demo.desk().listen()
        at_s = made.admin.demo_now_s() + 3600
        accept(other.on_record("RescheduleRecord", callbackType="Personal", timestamp=at_s))
        accept(other.on_record("CompleteRecord", callingList=LIST, phoneNumber=other.record()["phoneNumber"]))
        yield made


def files(site: Site) -> None:
    """Lists and suppression lists go in and out."""
    text = {"Content_Type": "text/csv"}
    one = f"calling-lists/{LIST}/imports"
    site.ask("POST", f"{one}?importId=one&mode=good&map.phone=Tel", b"Tel\n+14155557801\nbad\n", **text)
    assert site.ask("POST", f"{one}?importId=two&dryRun=true", b"phone\nbad\n", **text).json["report"]["refusals"]
    assert site.admin.ask("POST", f"{one}?importId=three", b"phone\nbad\n", **text).status == 400
    again = site.ask("POST", f"{one}?importId=one&mode=good&map.phone=Tel", b"Tel\n+14155557801\nbad\n", **text)
    assert "statusMessage" in again.json
    for name in ("one", "three"):
        assert site.ask("GET", f"{one}/{name}").json["import"]["report"]
    for query in ("", "?format=jsonl", "?spreadsheet=true"):
        assert site.ask("GET", f"calling-lists/{LIST}/export{query}").body
    own = "suppression-lists/own"
    entry = {"value": "+14155557802", "reason": "asked", "expiresAt": "2090-01-01", "campaign": "", "region": "US"}
    site.ask("POST", f"{own}/entries", entry)
    site.ask("POST", f"{own}/entries", {"entries": [{"value": "c-7", "kind": "customer", "reason": "asked"}]})
    site.ask("POST", f"{own}/entries?reason=letter", b"value\n+14155557803\n", **text)
    assert site.admin.ask("POST", f"{own}/entries?reason=letter", b"value\nbad\n", **text).status == 400
    page = site.ask("GET", f"{own}/entries?limit=1&count=true").json
    assert len(site.ask("GET", f"{own}/entries?limit=5&after={page['next']}").json["entries"]) > 2
    assert site.ask("GET", f"{own}/export").body
    site.ask("DELETE", f"{own}/entries?value=c-7&kind=customer&reason=mistake")
    unused = f"suppression-lists/{site.admin.make('suppression-lists', name='Unused')['name']}/removals"
    site.ask("POST", unused, {"all": True, "dryRun": True})
    site.ask("POST", unused, {"all": True, "reason": "old"})


def list_work(site: Site) -> None:
    """Filters, recyclings, moves, removals, stale chains."""
    here, there = f"calling-lists/{LIST}", f"calling-lists/{OTHER_LIST.replace(' ', '%20')}"
    site.ask("POST", "filters/check", {"criteria": "attempts < 3", "orderBy": "attempts DESC", "callingList": LIST})
    site.ask("POST", "filters/check", {"criteria": "attempts < 3"})
    site.ask("POST", f"{here}/recyclings", {"criteria": "attempts < 3", "keepAttempts": True, "dryRun": True})
    site.ask("POST", f"{here}/recyclings", {})
    (run,) = site.ask("GET", f"{here}/recyclings").json["recyclings"]
    site.ask("POST", f"{here}/recyclings/{run['runId']}/undo", {})
    site.ask("POST", f"{here}/moves", {"targetList": OTHER_LIST, "count": 2, "percent": None, "allowOtherFormat": True})
    site.ask("POST", f"{there}/removals", {"criteria": "", "all": True, "dryRun": False})


def groups(site: Site) -> None:
    """States and figures of groups and lists, turns of schedules."""
    site.ask("GET", "campaign-groups/status")
    body = {"operationName": "SetDialingMode", "dialMode": "Preview", "optimizeBy": None, "referenceId": "mark"}
    site.ask("POST", f"campaign-groups/{site.group}", body)
    refusal = site.admin.ask("POST", "campaign-groups/999999", {"operationName": "Stop"})
    assert (refusal.status, "errorName" in refusal.json) == (404, True)
    site.ask("GET", f"campaign-groups/{site.group}/status")
    assert site.ask("GET", f"campaign-groups/{site.group}/statistics").json["statistics"]["lists"]
    assert site.ask("GET", f"calling-lists/{LIST}/statistics").json["statistics"]["campaignGroups"]
    site.ask("GET", f"schedules/{site.ids['schedules']}/runs")


def contacts(site: Site) -> None:
    """Explanations, callbacks, persons, the audit, deliveries."""
    (told,) = site.ask("GET", f"explain/records?recordHandle={site.ids['handle']}").json["records"]
    assert told["campaigns"]
    assert told["history"]
    place = f"callingList={LIST}&chainId={told['chainId']}"
    assert site.ask("GET", f"explain/attempts?{place}").json["attempts"]
    assert site.ask("GET", f"explain/lists/{LIST}").json["lists"]
    assert site.ask("GET", f"explain/campaigns/{CAMPAIGN}").json["lists"]
    back = site.ask("GET", "callbacks?state=waiting&limit=1").json["callbacks"][0]
    path = f"callbacks/{back['callingList']}/{back['chainId']}/{back['chainN']}"
    site.ask("POST", path, {"operationName": "ReassignCallback", "userName": "agent3", "version": back["version"]})
    seen = site.ask("POST", "persons/export", {"number": told["phoneNumber"], "region": "US"}).json["person"]
    added = site.ask("POST", "persons/export", PERSON).json["person"]
    assert seen["attempts"]
    assert added["suppressions"]
    assert min(len(one[part]) for one in (seen, added) for part in ("records", "requests")) > 0
    site.ask("POST", "persons/erase", {**PERSON, "reason": "asked", "dryRun": False, "doNotCall": False})
    for query in ("?limit=100", "?userName=admin1&requestType=100", "?recordHandle=1"):
        site.ask("GET", f"requests{query}")
    deliveries = f"webhooks/{site.ids['webhooks']}/deliveries"
    # The server's postmen follow the book at their own pace; the test's time limit ends the wait.
    while "position" not in site.ask("GET", deliveries).json["deliveries"]:
        pass
    site.ask("POST", deliveries, {"operationName": "Resume"})
    off = site.admin.change(f"webhooks/{site.ids['webhooks']}", 1, isEnabled=False)
    assert off["isEnabled"] is False
    while site.ask("GET", deliveries).json["deliveries"] != {"state": "disabled"}:
        pass


def objects(site: Site) -> None:
    """All that is read of the kinds."""
    for kind in KINDS.values():
        number = site.ids[kind.path]
        page = site.ask("GET", f"{kind.path}?limit=1").json
        assert (page["nextCursor"] is None) is (page["total"] == 1)
        assert site.ask("GET", f"{kind.path}?fields=name,id").json["total"] > 0
        site.ask("GET", f"{kind.path}/{number}")
        site.ask("GET", f"{kind.path}/{number}?fields=name")
        assert site.ask("GET", f"{kind.path}/{number}/versions").json["versions"]


def test_what_is_answered_is_what_is_described(site: Site) -> None:
    """Every GET of the table and every operation beside the kinds, asked of a server that has something to show.

    Bodies that the server takes and answers that it gives are valid by their schemas, which know no further keys.
    """
    site.ask("GET", "openapi.json")
    document = {"formats": [{"name": "Any"}, {"name": "Bad", "fields": [{"name": "GSW_X"}]}], "campaigns": None}
    assert len(site.ask("POST", "documents/check", document).json["outcomes"]) == 2
    for part in (groups, contacts, files, list_work, objects):
        part(site)
    wanted = {f"{row.method} {row.path}" for row in ROWS if row.method == "GET" or handler(row) in described.DESCRIBED}
    stale = f"POST {PREFIX}/calling-lists/{{list_name}}/chains/{{chain_id}}"  # needs an agent who is long gone
    assert wanted - site.asked == {stale}
    check_body("POST", f"{PREFIX}/calling-lists/{LIST}/chains/1", {"operationName": "ResetStale"})


def test_bodies_and_queries_are_those_that_handlers_take(site: Site) -> None:
    """Where a handler refuses what it does not know by naming what it knows, that is what is described."""
    number = str(site.group)
    values = {"list_name": LIST, "campaign_name": CAMPAIGN, "run_id": "1", "object_id": number, "import_id": "one"}
    compared = 0
    for row in ROWS:
        told = described.DESCRIBED.get(handler(row))
        if told is None or "list_name" not in row.ids:
            continue
        name = "own" if "/suppression-lists/" in row.path else LIST
        path = row.path.removeprefix(f"{PREFIX}/").format(**{**values, "list_name": name, "chain_id": 1, "chain_n": 0})
        has_body = "application/json" in told.body and row.method == "POST"
        reply = site.admin.ask(row.method, path if has_body else f"{path}?zz=1", {"zz": 1} if has_body else None)
        found = re.fullmatch(r"the (?:body|query) may hold (.+) alone", reply.json.get("statusMessage", ""))
        if found is None:
            continue
        names = {one["name"] for one in told.parameters}
        if has_body:
            names = set(told.body["application/json"]["properties"])
        assert names == set(re.split(", | and ", found[1])), row
        compared += 1
    assert compared >= 6


def test_an_answer_that_is_not_described_is_noticed() -> None:
    """The check itself: a key too many, a key too few."""
    good = {"statusCode": 0, "removed": 1}
    for content in ({**good, "more": 1}, {"statusCode": 0}):
        headers = HTTPMessage()
        headers["Content-Type"] = "application/json"
        reply = Reply(200, headers, json.dumps(content).encode())
        with pytest.raises(jsonschema.ValidationError):
            check_answer("DELETE", f"{PREFIX}/suppression-lists/own/entries", reply)
