"""Campaign groups under control over HTTP and from the command line; what agents and late comers see of it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from tests.http.desks import CAMPAIGN, Demo, Desktop, Json, accept, demo_server, kind_of, refuse, user_data
from tests.http.test_access import PASSWORD, add_user
from trunkline.cli.campaigns import campaign
from trunkline.client import Answer

GROUP = "/api/v2/admin/campaign-groups/301"
OUTBOUND = "/v2/me/outbound"


@pytest.fixture(scope="module")
def site() -> Iterator[Demo]:
    """A demo server whose one group is loaded and unloaded here."""
    with demo_server(agents=30) as made:
        yield made


@pytest.fixture(scope="module")
def boss(site: Demo) -> Desktop:
    """The demo's supervisor."""
    return site.desktop("supervisor1")


@pytest.fixture(autouse=True)
def running(boss: Desktop) -> None:
    """Every test begins with the group running in Preview."""
    for operation, wanted in (("Load", "NotLoaded"), ("Start", "Active")):
        if status(boss)["groupStatusName"] == wanted:
            done(ask(boss, operation))
    assert status(boss)["groupStatusName"] == "Running"


def ask(who: Desktop, operation: str, path: str = GROUP, **more: Any) -> Answer:
    """An operation on a group."""
    return who.client.post(path, {"operationName": operation, **more})


def done(answer: Answer) -> Json:
    """The group after an operation that was accepted."""
    assert (answer.http_status, answer.status_code) == (200, 0), answer
    found: Json = answer.body["campaignGroup"]
    return found


def status(who: Desktop) -> Json:
    """The group as it stands."""
    return done(who.client.get(f"{GROUP}/status"))


def refused(answer: Answer, http: int, code: int, error: int, name: str) -> None:
    """Fail unless the control protocol refused so."""
    assert (answer.http_status, answer.status_code) == (http, code), answer
    assert (answer.body["errorCode"], answer.body["errorName"]) == (error, name)


def test_agents_hear_what_becomes_of_their_campaign(site: Demo, boss: Desktop) -> None:
    """Stop, change of mode, start, forced unload, load: the documented events on both channels, to every agent."""
    agents = [site.desk().listen() for _ in range(2)]
    steps = [
        ("Stop", {}, ["CampaignStopped"]),
        ("SetDialingMode", {"dialMode": "Progressive", "optimizeBy": "WaitTime"}, ["CampaignModeChanged"]),
        ("SetDialingMode", {"dialMode": "Preview"}, ["CampaignModeChanged"]),
        ("Start", {}, ["CampaignStarted"]),
        ("ForceUnload", {}, ["CampaignStopped", "RecordCancel", "CampaignUnloaded"]),
        ("Load", {}, ["CampaignLoaded"]),
        ("Start", {}, ["CampaignStarted"]),
    ]
    for operation, more, expected in steps:
        done(ask(boss, operation, **more))
        for agent in agents:
            heard = agent.heard()
            assert [kind_of(m) for m in heard if m["channel"] == OUTBOUND] == expected
            inner = [m for m in heard if m["channel"] == "/me/internal"]
            assert [kind_of(m) for m in inner] == expected
            if operation == "SetDialingMode":
                assert user_data(inner[0])["GSW_CAMPAIGN_MODE"] == more["dialMode"]
                assert heard[0]["data"]["campaign"]["dialingMode"] == more["dialMode"]
            if operation == "ForceUnload":
                assert user_data(inner[1])["GSW_RECORD_HANDLE"] == agent.handle
                assert agent.records() == []
    assert status(boss)["optimizeBy"] == "BusyFactor"  # the group was loaded anew with what it is configured with


def test_late_comers_see_the_present_state(site: Demo, boss: Desktop) -> None:
    """Whoever subscribes hears that the campaign is started, loaded, or nothing when it is not loaded."""
    for operation, expected in (
        (None, [("CampaignStarted", "Started")]),
        ("Stop", [("CampaignLoaded", "Loaded")]),
        ("ForceUnload", []),
    ):
        if operation is not None:
            done(ask(boss, operation))
        late = site.again(site.desk())
        late.events.open()
        # What happened a moment ago waits for a new session too; the present state comes last, and from nobody.
        heard = [m["data"] for m in late.heard() if m["channel"] == OUTBOUND]
        states = [(d["notificationType"], d["campaign"]["state"]) for d in heard if "campaign" in d]
        assert states[-1:] == expected or (not expected and states[-1][0] == "CampaignUnloaded")


def test_unload_waits_for_the_agents(site: Demo, boss: Desktop) -> None:
    """The group waits until the last agent is done, over a restart of the server as well."""
    done(ask(boss, "ForceUnload"))
    done(ask(boss, "Load"))
    done(ask(boss, "Start"))
    agent = site.desk().listen()
    accept(agent.on_campaign("StartPreviewSession"))
    accept(agent.on_campaign("GetPreviewRecord"))
    (record,) = [m["data"]["record"] for m in agent.heard() if kind_of(m) == "PreviewRecord" and "record" in m["data"]]
    assert done(ask(boss, "Unload"))["groupStatusName"] == "WaitingUnload"
    refuse(agent.on_campaign("GetPreviewRecord"), 400, 2, "not loaded")
    refused(ask(boss, "Load"), 400, 2, 5, "CampaignAlreadyLoaded")
    refused(ask(boss, "Start"), 400, 2, 4, "CampaignNotLoaded")
    site.server.terminate()
    site.server.restart()
    assert status(boss)["groupStatus"] == 1
    accept(
        agent.on_record(
            "CompleteRecord", record["recordHandle"], callingList=record["callingList"], callResult="Answer"
        )
    )
    while status(boss)["groupStatusName"] != "NotLoaded":
        pass
    refused(ask(boss, "Unload"), 400, 2, 4, "CampaignNotLoaded")


def test_refusals(site: Demo, boss: Desktop) -> None:
    """Each refusal has the API's status code and the control protocol's own; nothing is changed by it."""
    refused(ask(boss, "Load"), 400, 2, 5, "CampaignAlreadyLoaded")
    refused(ask(boss, "Start"), 400, 2, 7, "CampaignAlreadyStarted")
    refused(ask(boss, "SetDialingMode", dialMode="Power"), 400, 2, 11, "InvalidCampaignMode")
    refused(ask(boss, "SetDialingMode", dialMode="Fast"), 400, 10, 11, "InvalidCampaignMode")
    refused(ask(boss, "SetDialingMode", optimizeGoal=101), 400, 10, 10, "InvalidParameter")
    for unknown in ("4711", "x", "99999999999", "-1"):
        path = f"/api/v2/admin/campaign-groups/{unknown}"
        refused(ask(boss, "Stop", path), 404, 6, 9, "CampaignGroupNotFound")
        refused(boss.client.get(f"{path}/statistics"), 404, 6, 9, "CampaignGroupNotFound")
    refuse(boss.client.get("/api/v2/admin/calling-lists/nothing/statistics"), 404, 6)
    refuse(boss.client.post(GROUP, {"operationName": "Explode"}), 400, 10, "operationName")
    done(ask(boss, "Stop"))
    refused(ask(boss, "Stop"), 400, 2, 6, "CampaignNotStarted")
    refused(ask(boss, "Start", dialMode="Predictive"), 400, 2, 16, "WrongConfiguration")
    assert done(ask(boss, "SetDialingMode", dialMode="Predictive"))["groupStatusName"] == "InActive"
    assert "Preview" in status(boss)["obstacle"]
    assert done(ask(boss, "Start", dialMode="Preview"))["groupStatusName"] == "Running"


def test_who_may_control(site: Demo, boss: Desktop) -> None:
    """Agents may not, and a supervisor of another contact centre finds nothing."""
    agent = site.desk()
    add_user(site, "chief", "--contact-centre", "elsewhere", "--role", "supervisor")
    chief = site.desktop("chief", password=PASSWORD)
    for path in (f"{GROUP}/status", f"{GROUP}/statistics"):
        refuse(agent.client.get(path), 403, 3)
        refused(chief.client.get(path), 404, 6, 9, "CampaignGroupNotFound")
    refuse(ask(agent, "Stop"), 403, 3)
    refused(ask(chief, "Stop"), 404, 6, 9, "CampaignGroupNotFound")
    refuse(chief.client.get("/api/v2/admin/calling-lists/CallingList1/statistics"), 404, 6)
    refuse(agent.client.get("/api/v2/admin/campaign-groups/status"), 403, 3)
    assert chief.client.get("/api/v2/admin/campaign-groups/status").body["campaignGroups"] == []
    assert [g["id"] for g in boss.client.get("/api/v2/admin/campaign-groups/status").body["campaignGroups"]] == [301]


def test_a_repeated_wish_is_carried_out_once(boss: Desktop) -> None:
    """The same reference and body again: accepted, and nobody is refused for what was done already."""
    for _ in range(2):
        assert done(ask(boss, "Stop", referenceId="once"))["groupStatusName"] == "Active"
    audit = boss.client.get("/api/v2/admin/requests?requestType=114&limit=2").body["requests"]
    assert [row["requestName"] for row in audit] == ["StopDialing", "StopDialing"]
    assert {row["campaignName"] for row in audit} == {CAMPAIGN}


def test_statistics(site: Demo, boss: Desktop) -> None:
    """The figures follow what agents do."""
    agent = site.desk().listen()
    before = boss.client.get(f"{GROUP}/statistics").body["statistics"]
    accept(agent.on_campaign("StartPreviewSession"))
    accept(agent.on_campaign("GetPreviewRecord"))
    after = boss.client.get(f"{GROUP}/statistics").body["statistics"]
    assert after["agents"]["inPreview"] == before["agents"]["inPreview"] + 1
    assert "WaitingAgents" not in after["waiting"]
    (one,) = after["lists"]
    assert one["callingList"] == "CallingList1"
    assert one["chains"] >= one["openChains"] > 0
    assert sum(one["records"].values()) > 500
    whole = boss.client.get("/api/v2/admin/calling-lists/CallingList1/statistics").body["statistics"]
    assert whole["campaignGroups"] == [301]


def test_statistics_are_those_of_before_after_a_restart(site: Demo, boss: Desktop) -> None:
    """A server that starts counts the attempt log anew; every figure of group and list is what it was."""
    agent = site.desk().listen()
    accept(agent.on_campaign("StartPreviewSession"))
    for result in ("Answer", "Busy", "Abandoned", "Answer"):
        accept(agent.on_campaign("GetPreviewRecord"))
        shown = [m["data"]["record"] for m in agent.heard() if kind_of(m) == "PreviewRecord" and "record" in m["data"]]
        one = {"callingList": shown[-1]["callingList"], "callResult": result}
        accept(agent.on_record("CompleteRecord", shown[-1]["recordHandle"], **one))
    before = settled(boss, leads=4)
    assert before["group"]["results"]["Answer"] >= 2
    assert before["group"]["hitRatio"] is not None
    site.server.kill()
    site.server.restart()
    after = settled(boss, leads=4)
    # Open chains at the rate since the loading: known at once, and another one by the seconds that passed.
    for figures in (before, after):
        for place in (figures["group"], figures["group"]["lists"][0]):
            assert place.pop("timeToComplete") > 0
    for part, figures in before.items():
        assert {name: after[part][name] for name, value in figures.items() if after[part][name] != value} == {}


def settled(boss: Desktop, leads: int) -> Json:
    """The figures of group and list, counted after the last attempt, without those that are of the moment."""
    deadline_s = time.monotonic() + 60
    while True:
        group = boss.client.get(f"{GROUP}/statistics").body["statistics"]
        whole = boss.client.get("/api/v2/admin/calling-lists/CallingList1/statistics").body["statistics"]
        (one,) = group["lists"]
        is_counted = one["records"] is not None and one["records"].get("Updated", 0) >= leads
        if is_counted and group["leadsProcessed"] >= leads and whole["countedAt"] == one["countedAt"]:
            break
        assert time.monotonic() < deadline_s, (group, whole)
        time.sleep(0.2)  # figures are at most a second old, counts of a list ten
    for figures in (group, one, whole):
        for name in ("at", "countedAt", "busyFactor", "bufferedChains"):
            figures.pop(name, None)
        # What was fetched ahead goes back when a server starts.
        figures["records"] = figures.get("records", {}).get("Updated")
    return {"group": group, "whole": whole}


def test_schedules_are_saved_and_judged(boss: Desktop) -> None:
    """A schedule is an object like any other; one that cannot be kept is refused with the place at fault."""
    item = {"action": "load", "atSeconds": 3600, "weekdays": [0], "dialMode": "Preview"}
    body = {"name": "days", "timeZone": "Europe/Paris", "campaignGroupIds": [301], "items": [item]}
    answer = boss.client.post("/api/v2/admin/schedules", body)
    assert (answer.http_status, answer.status_code) == (200, 0), answer
    assert answer.body["schedule"]["items"][0]["action"] == "load"
    runs = f"/api/v2/admin/schedules/{answer.body['schedule']['id']}/runs"
    assert boss.client.get(runs).body == {"statusCode": 0, "runs": []}
    refuse(boss.client.get("/api/v2/admin/schedules/4711/runs"), 404, 6)
    refuse(boss.client.get("/api/v2/admin/schedules/x/runs"), 404, 6)
    wrong = {**item, "dates": ["2024-02-30"]}
    for change, place in (({"timeZone": "Mars"}, "timeZone"), ({"items": [item, wrong]}, "items[1].dates[0]")):
        refuse(boss.client.post("/api/v2/admin/schedules", {**body, "name": "other", **change}), 400, 10, place)


def command(site: Demo, *arguments: str, code: int = 0) -> str:
    """``trunkline campaign ...``; what it prints, or why it failed."""
    who = {"TRUNKLINE_URL": site.url, "TRUNKLINE_USER": "supervisor1", "TRUNKLINE_PASSWORD": "demo", "COLUMNS": "200"}
    ended = CliRunner().invoke(campaign, list(arguments), env=who)
    assert ended.exit_code == code, ended.output
    return ended.output


def test_from_the_command_line(site: Demo) -> None:
    """Every command, by the names that a group has; refusals are said and end with 1."""
    assert "Running" in command(site, "list")
    assert "Active" in command(site, "stop", "Campaign1")
    assert "CampaignNotStarted" in command(site, "stop", "301", code=1)
    assert json.loads(command(site, "mode", "Campaign1", "Progressive", "--goal", "90", "--json"))["optimizeGoal"] == 90
    assert "Running" in command(site, "start", "Campaign1@AgentGroup1", "--mode", "Preview")
    assert json.loads(command(site, "status", "Campaign1", "--json"))["groupStatus"] == 5
    assert "hit ratio" in command(site, "statistics", "Campaign1")
    assert "CallingList1" in command(site, "statistics", "--list", "CallingList1")
    assert "there is no campaign" in command(site, "status", "nothing", code=2)
    assert "NotLoaded" in command(site, "unload", "Campaign1", "--force", "--wait")
    assert "Active" in command(site, "load", "Campaign1")
    assert "NotLoaded" in command(site, "complete", "Campaign1", "--wait", "--timeout", "60")
    assert "Access denied" in command(site, "list", "--password", "wrong", code=1)
