"""Campaign groups through the door of third parties, on each store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.http.desks import APPLICATION, CAMPAIGN, Demo, Json, demo_server
from tests.http.test_door import accepted, ask, heard, refused
from tests.support.postgres import PostgresServer
from trunkline.adapters.storage import migrate
from trunkline.app.demo import CAMPAIGN_ID, GROUP_ID

GROUP = f"/campaigngroups/{GROUP_ID}"


@pytest.fixture
def demo(request: pytest.FixtureRequest, store: str) -> Iterator[Demo]:
    """A server on each store, whose group is running."""
    if store == "sqlite":
        with demo_server(agents=5) as made:
            yield made
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = server.create(server.template("stores", migrate.upgrade))
    with demo_server(agents=5, database_url=url) as made:
        yield made
    server.drop(url)


def test_a_group_is_controlled(demo: Demo) -> None:
    """Stopped, set, started, unloaded and loaded; its agents are told, repetitions change nothing, refusals say why."""
    desk = demo.desk().listen()
    state = accepted(ask(demo, f"{GROUP}?req=Status"))
    assert state == {
        "status": "Running",
        "GSW_CAMPAIGN_GROUP_NAME": state["GSW_CAMPAIGN_GROUP_NAME"],
        "GSW_CAMPAIGN_GROUP_GUID": state["GSW_CAMPAIGN_GROUP_GUID"],
        "GSW_CAMPAIGN_GROUP_DBID": GROUP_ID,
        "GSW_CAMPAIGN_NAME": CAMPAIGN,
        "GSW_CAMPAIGN_DBID": CAMPAIGN_ID,
        "GSW_APPLICATION_ID": APPLICATION,
        "GSW_CAMPAIGN_MODE": "Preview",
        "GSW_DIAL_MODE": 3,
        "GSW_OPTIMIZE_BY": 1,
        "GSW_OPTIMIZE_GOAL": 85,
    }
    refused(ask(demo, f"{GROUP}?req=Load"), 400, "CampaignAlreadyLoaded (5)")
    refused(ask(demo, f"{GROUP}?req=Start"), 400, "CampaignAlreadyStarted (7)")
    stop: Json = {"GSW_REFERENCE_ID": "stop-1"}
    assert accepted(ask(demo, f"{GROUP}?req=Stop", stop))["status"] == "Active"
    assert heard(desk, "CampaignStopped")["GSW_CAMPAIGN_NAME"] == CAMPAIGN
    said = accepted(ask(demo, f"{GROUP}?req=Stop", stop))
    assert (said["status"], said["GSW_REFERENCE_ID"]) == ("Active", "stop-1")
    refused(ask(demo, f"{GROUP}?req=Stop"), 400, "CampaignNotStarted (6)")
    assert accepted(ask(demo, f"{GROUP}?req=SetDialingMode", {"GSW_OPTIMIZE_GOAL": "70"}))["GSW_OPTIMIZE_GOAL"] == 70
    assert accepted(ask(demo, f"{GROUP}?req=Start", {"GSW_CAMPAIGN_MODE": "Preview"}))["status"] == "Running"
    assert accepted(ask(demo, f"{GROUP}?req=ForceUnload"))["status"] == "NotLoaded"
    assert desk.records() == []
    refused(ask(demo, f"{GROUP}?req=Unload"), 400, "CampaignNotLoaded (4)")
    assert accepted(ask(demo, f"{GROUP}?req=Load"))["status"] == "Active"
    rows = ask(demo, "/api/v2/admin/requests", method="GET").json["requests"]
    controls = [(row["requestName"], row["referenceId"]) for row in reversed(rows) if row["door"] == "HTTP"]
    assert controls[0][1] == "stop-1"
    assert len(controls) >= 5


def test_who_may_and_what(demo: Demo) -> None:
    """Supervisors of the contact centre; bad input changes nothing."""
    refused(ask(demo, f"{GROUP}?req=Stop", name="agent1"), 403, "supervisors")
    refused(ask(demo, "/campaigngroups/999?req=Stop"), 404, "CampaignGroupNotFound (9)")
    refused(ask(demo, "/campaigngroups/x?req=Stop"), 404, "campaign group")
    refused(ask(demo, GROUP), 400, "req")
    refused(ask(demo, f"{GROUP}?req=Pause"), 400, "one of Load")
    refused(ask(demo, f"{GROUP}?req=SetDialingMode"), 400, "GSW_CAMPAIGN_MODE")
    refused(ask(demo, f"{GROUP}?req=SetDialingMode", {"GSW_DIAL_MODE": 1}), 400, "(11)")
    refused(ask(demo, f"{GROUP}?req=SetDialingMode", {"GSW_OPTIMIZE_GOAL": 101}), 400, "(10)")
    refused(ask(demo, f"{GROUP}?req=Status", method="GET"), 405)
    assert accepted(ask(demo, f"{GROUP}?req=Status"))["status"] == "Running"
