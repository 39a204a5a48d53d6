"""``/admin/explain``: supervisors get every rule's verdict, others nothing; and the same from the command line."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.cli.test_commands import run
from tests.http.desks import CAMPAIGN, LIST, Demo, refuse
from trunkline.domain.facts import Rule

EXPLAIN = "/api/v2/admin/explain"


def test_a_record_on_a_desk(demo: Demo) -> None:
    """By handle: the record, each campaign's verdicts, and that the chain is on that agent's desk."""
    desk = demo.desk()
    client = demo.desktop("supervisor1").client
    (told,) = client.get(f"{EXPLAIN}/records?recordHandle={desk.handle}").body["records"]
    assert told["callingList"] == LIST
    (campaign,) = told["campaigns"]
    assert (campaign["campaignName"], campaign["mayBeCalled"]) == (CAMPAIGN, False)
    assert isinstance(campaign["ruleSet"], str)
    verdicts = {verdict["rule"]: verdict for verdict in campaign["verdicts"]}
    assert set(verdicts) >= set(Rule) - {Rule.QUIET_TIME, Rule.ATTEMPT_LIMIT}
    assert verdicts["chain in work"]["isBlocking"] is True
    assert verdicts["chain in work"]["sentence"] == f"Its chain is on the desk of {desk.name}."
    by_chain = f"callingList={LIST}&chainId={told['chainId']}&chainN={told['chainN']}&campaignName={CAMPAIGN}"
    (again,) = client.get(f"{EXPLAIN}/records?{by_chain}").body["records"]
    assert again["recordId"] == told["recordId"]
    by_place = f"callingList={LIST}&chainId={told['chainId']}&chainN={told['chainN']}"
    past = client.get(f"{EXPLAIN}/attempts?{by_place}").body["attempts"]
    assert all(attempt["wasAllowed"] for attempt in past)


def test_lists_and_campaigns(demo: Demo) -> None:
    """A campaign's lists in numbers, and the list by itself: the same numbers."""
    client = demo.desktop("supervisor1").client
    (campaign,) = client.get(f"{EXPLAIN}/campaigns/{CAMPAIGN}").body["lists"]
    (calling_list,) = client.get(f"{EXPLAIN}/lists/{LIST}").body["lists"]
    assert campaign["callingList"] == calling_list["callingList"] == LIST
    assert campaign["records"] == sum(campaign["byStatus"].values()) > 100
    assert len(campaign["freePerHour"]) == 24
    assert {held["rule"] for held in campaign["heldBack"]} <= set(Rule)


@pytest.mark.parametrize(
    ("path", "status", "code", "told"),
    [
        ("records", 400, 1, "name a record"),
        ("records?chainId=1", 400, 1, "together with its list"),
        ("records?recordId=x", 400, 10, "recordId"),
        ("records?recordID=1", 400, 10, "recordID is no parameter"),
        ("records?recordId=999999999", 404, 6, "no such record"),
        (f"records?recordId=1&campaignName={CAMPAIGN}x", 404, 6, "campaignName"),
        ("records?callingList=Nowhere&chainId=1", 404, 6, "callingList"),
        ("attempts", 400, 1, "name a record"),
        ("lists/Nowhere", 404, 6, "callingList"),
        ("campaigns/Nowhere", 404, 6, "campaignName"),
    ],
)
def test_refusals(demo: Demo, path: str, status: int, code: int, told: str) -> None:
    """What is missing, wrong or not there is refused with its name."""
    refuse(demo.desktop("supervisor1").client.get(f"{EXPLAIN}/{path}"), status, code, told)


@pytest.mark.parametrize(
    "path", ["records?recordId=1", "attempts?recordId=1", f"lists/{LIST}", f"campaigns/{CAMPAIGN}"]
)
def test_agents_are_not_told(demo: Demo, path: str) -> None:
    """Explanations are for supervisors."""
    refuse(demo.desk().client.get(f"{EXPLAIN}/{path}"), 403, 3, "supervisors")


def test_the_command_line_says_the_same(demo: Demo) -> None:
    """``trunkline explain`` beside the running server, as tables and as JSON."""
    folder = demo.server.folder
    database = ("--data-dir", str(folder))
    if not demo.database_url.startswith("sqlite"):
        database = ("--database-url", demo.database_url)
    data = ("--contact-centre", "demo", *database)  # other tests make further ones

    def told(*arguments: str) -> Any:
        result = run("explain", *arguments, "--json", *data, folder=folder)
        assert result.stdout, result.stderr
        return msgspec.json.decode(result.stdout)

    (campaign,) = told("campaign", CAMPAIGN)
    assert campaign["callingList"] == LIST
    (by_list,) = told("list", LIST)
    assert by_list["records"] == campaign["records"]
    desk = demo.desk()
    (one,) = told("record", "--handle", str(desk.handle))
    assert one["campaigns"][0]["mayBeCalled"] is False
    shown = run("explain", "record", "--handle", str(desk.handle), *data, folder=folder)
    assert shown.returncode == 1
    assert f"on the desk of {desk.name}" in " ".join(shown.stdout.split())
    assert "may be called now" in run("explain", "campaign", CAMPAIGN, *data, folder=folder).stdout
    past = run("explain", "record", "--handle", str(desk.handle), "--attempts", *data, folder=folder)
    assert past.returncode == 0
    nobody = run("explain", "record", "--record-id", "999999999", *data, folder=folder)
    assert (nobody.returncode, "there is no such record" in nobody.stderr) == (2, True)
