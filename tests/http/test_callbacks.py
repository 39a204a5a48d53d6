"""Callbacks over HTTP: the agent hears ScheduledCall over CometD, the supervisor lists and moves them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.http.desks import CAMPAIGN, LIST, Demo, Desktop, Json, accept, kind_of, refuse, user_data

TRUNKLINE = Path(sys.executable).with_name("trunkline")
CALLBACKS = "/api/v2/admin/callbacks"


def now_s() -> int:
    """Unix seconds."""
    return int(time.time())


def midday() -> str:
    """A zone in which it is about noon now, so that people may be called there."""
    hours = 12 - time.gmtime().tm_hour
    return "Etc/GMT" if hours == 0 else f"Etc/GMT{-hours:+d}"


def boss_of(demo: Demo) -> Desktop:
    """The supervisor."""
    return demo.desktop("supervisor1")


def page(boss: Desktop, **query: Any) -> list[Json]:
    """The callbacks of a page."""
    answer = boss.client.get(f"{CALLBACKS}?{urlencode(query)}")
    assert answer.http_status == 200, answer
    found: list[Json] = answer.body["callbacks"]
    return found


def schedule(desk: Desktop, due_at_s: int, kind: str = "Personal") -> Json:
    """Set a callback on the record that lies on the desk from the start, and finish it; the record."""
    record = desk.record()
    accept(desk.on_record("UpdateRecord", timeZone=midday(), **{"from": 0, "until": 86_400}))
    accept(desk.on_record("RescheduleRecord", callbackType=kind, timestamp=due_at_s))
    accept(desk.on_record("CompleteRecord", callingList=LIST, callResult="Answer"))
    return record


def test_scheduled_call_arrives_over_cometd(demo: Demo) -> None:
    """A personal callback comes to the agent by itself when it is due: both channels, the record on the desk."""
    desk = demo.desk().listen()
    accept(desk.on_me("StartContactCenterSession", channels=["voice"]))
    record = schedule(desk, now_s() + 1)
    assert desk.records() == []
    desk.wait_for("ScheduledCall")
    came = [part for part in desk.events.last_answer if "data" in part] + desk.heard()
    told = {message["channel"]: message for message in came if kind_of(message) == "ScheduledCall"}
    assert set(told) == {"/v2/me/outbound", "/me/internal"}
    data = user_data(told["/me/internal"])
    assert (data["GSW_CALLBACK_TYPE"], data["GSW_CHAIN_ID"]) == ("Personal", record["chainId"])
    assert told["/v2/me/outbound"]["data"]["record"]["recordHandle"] == data["GSW_RECORD_HANDLE"]
    (back,) = [one for one in desk.records() if one["phoneNumber"] == record["phoneNumber"]]
    assert back["chainId"] == record["chainId"]
    moved = desk.on_record("RescheduleRecord", back["recordHandle"], callbackType="Personal", timestamp=now_s() + 3600)
    accept(moved)


def test_a_callback_takes_another_number(demo: Demo) -> None:
    """RescheduleRecord with a number: the callback is for that one; what is no number is refused by name."""
    desk, boss = demo.desk(), boss_of(demo)
    record = desk.record()
    at: Json = {"callbackType": "Personal", "timestamp": now_s() + 7200}
    refuse(desk.on_record("RescheduleRecord", phoneNumber="call me", **at), 400, 10, "phoneNumber")
    accept(desk.on_record("RescheduleRecord", phoneNumber="+1 212 555 7777", **at))
    accept(desk.on_record("CompleteRecord", callingList=LIST, callResult="Answer"))
    (listed,) = page(boss, userName=desk.name)
    assert (listed["chainId"], listed["phoneNumber"]) == (record["chainId"], "+1 212 555 7777")


def test_a_supervisor_lists_and_moves_callbacks(demo: Demo) -> None:
    """The list tells who is to call whom and when; a move takes the version that was listed, once."""
    desk, other, boss = demo.desk(), demo.desk(), boss_of(demo)
    record = schedule(desk, now_s() + 7200)
    (listed,) = page(boss, userName=desk.name)
    assert listed["callingList"] == LIST
    assert (listed["campaignName"], listed["callbackType"], listed["userName"]) == (CAMPAIGN, "Personal", desk.name)
    assert (listed["chainId"], listed["phoneNumber"]) == (record["chainId"], record["phoneNumber"])
    assert (listed["lateSeconds"], listed["heldBy"]) == (0, None)
    assert page(boss, userName=desk.name, state="due") == []
    path = f"{CALLBACKS}/{LIST}/{listed['chainId']}/{listed['chainN']}"
    body = {"operationName": "ReassignCallback", "userName": other.name, "version": listed["version"]}
    accept(boss.client.post(path, body))
    refuse(boss.client.post(path, body), 409, 19, "changed")
    assert page(boss, userName=desk.name) == []
    (moved,) = page(boss, userName=other.name)
    assert (moved["chainId"], moved["timestamp"]) == (listed["chainId"], listed["timestamp"])
    accept(boss.client.post(path, {"operationName": "ReassignCallback", "timestamp": now_s() + 60}))
    (open_to_all,) = [one for one in page(boss, callbackType="Campaign") if one["chainId"] == listed["chainId"]]
    assert open_to_all["timestamp"] < listed["timestamp"]
    audit = boss.client.get("/api/v2/admin/requests?limit=5").body["requests"]
    assert "ReassignCallback" in [row["requestName"] for row in audit]


def test_pages_of_callbacks(demo: Demo) -> None:
    """A cursor goes on behind the last callback; the last page has none."""
    boss, due_at_s = boss_of(demo), now_s() + 90_000
    for n in range(3):
        schedule(demo.desk(), due_at_s + n)
    seen: list[int] = []
    query: dict[str, Any] = {"since": due_at_s, "until": due_at_s + 2, "limit": 2}
    while True:
        body = boss.client.get(f"{CALLBACKS}?{urlencode(query)}").body
        seen += [one["timestamp"] for one in body["callbacks"]]
        if body["nextCursor"] is None:
            break
        query["cursor"] = body["nextCursor"]
    assert seen == [due_at_s, due_at_s + 1, due_at_s + 2]


@pytest.mark.parametrize(
    ("query", "status", "code", "word"),
    [
        ("state=gone", 400, 10, "state"),
        ("limit=0", 400, 10, "limit"),
        ("limit=1001", 400, 10, "limit"),
        ("since=x", 400, 10, "since"),
        ("cursor=nonsense", 400, 10, "cursor"),
        ("cursor=WzEsMiwzLDk5OTk5OTk5OTk5OTk5OTk5OTk5OTldXQ", 400, 10, "cursor"),
        ("callbackType=None", 400, 10, "callbackType"),
        ("color=red", 400, 10, "color"),
        ("callingList=Nowhere", 404, 6, "callingList"),
        ("campaignName=Nowhere", 404, 6, "campaignName"),
        ("userName=nobody", 404, 6, "userName"),
    ],
)
def test_refused_queries(demo: Demo, query: str, status: int, code: int, word: str) -> None:
    """Each names its parameter."""
    refuse(boss_of(demo).client.get(f"{CALLBACKS}?{query}"), status, code, word)


def test_who_may_not(demo: Demo) -> None:
    """Agents neither list nor move; what does not exist is not found; a body that says something else is refused."""
    desk, boss = demo.desk(), boss_of(demo)
    refuse(desk.client.get(CALLBACKS), 403, 3)
    refuse(desk.client.post(f"{CALLBACKS}/{LIST}/1/0", {"operationName": "ReassignCallback"}), 403, 3)
    for path in (f"{LIST}/99999999/0", f"{LIST}/x/0", f"{LIST}/1/{'9' * 30}", "Nowhere/1/0"):
        refuse(boss.client.post(f"{CALLBACKS}/{path}", {"operationName": "ReassignCallback"}), 404, 6)
    for body, status, code in (
        ({}, 400, 1),
        ({"operationName": "Delete"}, 400, 10),
        ({"operationName": "ReassignCallback", "timestamp": "soon"}, 400, 10),
        ({"operationName": "ReassignCallback", "version": 0}, 400, 10),
        ({"operationName": "ReassignCallback", "userName": 5}, 400, 10),
        ({"operationName": "ReassignCallback", "userName": "nobody"}, 404, 6),
    ):
        refuse(boss.client.post(f"{CALLBACKS}/{LIST}/1/0", body), status, code)


def test_the_command_line(demo: Demo, tmp_path: Path) -> None:
    """``trunkline callbacks`` lists as a table and as JSON lines, and assigns; refusals are the server's sentences."""
    desk, other = demo.desk(), demo.desk()
    schedule(desk, now_s() + 5000)

    def run(*arguments: str, user: str = "supervisor1") -> subprocess.CompletedProcess[str]:
        login = ["--url", demo.url, "--user", user, "--password", "demo"]
        return subprocess.run(
            [TRUNKLINE, "callbacks", *arguments, *login],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={"COLUMNS": "200"},
        )

    assert desk.name in run("list", "--agent", desk.name).stdout
    (line,) = run("list", "--agent", desk.name, "--json").stdout.splitlines()
    listed = json.loads(line)
    place = f"{listed['chainId']}/{listed['chainN']}"
    assert run("assign", LIST, place, "--agent", other.name).returncode == 0
    assert run("list", "--agent", desk.name, "--json").stdout == ""
    refused = run("assign", LIST, place, "--at", "2020-01-01T00:00+00:00")
    assert (refused.returncode, "timestamp lies in the past" in refused.stderr) == (1, True)
    assert run("assign", LIST, place, "--at", "tomorrow").returncode == 2
    assert "supervisors" in run("list", user=desk.name).stderr
