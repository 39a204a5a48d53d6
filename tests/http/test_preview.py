"""The next record goes to exactly one agent, however many ask at once, until there is none left."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.http import stored
from tests.http.desks import APPLICATION, CAMPAIGN, LIST, Demo, Desktop, Json, accept, demo_server, kind_of, refuse
from trunkline.domain.enums import RecordStatus

AGENTS = 20
MOST = 60
"""Requests of one agent: twenty together ask far more often than the demo's list has chains."""


@pytest.fixture(scope="module")
def crowd() -> Iterator[Demo]:
    """A demo server whose list is used up here."""
    with demo_server(agents=AGENTS + 5) as made:
        yield made


def take_all(desk: Desktop) -> list[Json]:
    """Ask for records until there is none; returns the messages on /v2/me/outbound."""
    desk.listen()
    accept(desk.on_campaign("StartPreviewSession"))
    desk.heard()
    heard: list[Json] = []
    for _ in range(MOST):
        accept(desk.on_campaign("GetPreviewRecord"))
        heard += [message for message in desk.heard() if message["channel"] == "/v2/me/outbound"]
        if kind_of(heard[-1]) == "PreviewRecordEmpty":
            break
    return heard


def test_every_record_goes_to_one_agent(crowd: Demo) -> None:
    """Twenty agents ask at the same time until nothing is left: no chain is handed out twice, each desk is its agent's.

    The last answer of each is PreviewRecordEmpty with the documented keys.
    """
    desks = [crowd.desk() for _ in range(AGENTS)]
    with ThreadPoolExecutor(AGENTS) as pool:
        heard = list(pool.map(take_all, desks))
    shown = [[m["data"]["record"] for m in messages if kind_of(m) == "PreviewRecord"] for messages in heard]
    handles = [record["recordHandle"] for records in shown for record in records]
    chains = [record["userData"]["GSW_CHAIN_ID"] for records in shown for record in records]
    assert len(chains) >= 100  # what the demo promises for every hour of the day
    assert len(handles) == len(set(handles))
    assert len(chains) == len(set(chains))
    for desk, records in zip(desks, shown, strict=True):
        on_desk = desk.records()
        assert {record["recordHandle"] for record in records} <= {record["recordHandle"] for record in on_desk}
        assert {r["userData"]["GSW_CHAIN_ID"] for r in records} == {r["chainId"] for r in on_desk} - {
            desk.record()["chainId"]
        }
    for desk, messages in zip(desks, heard, strict=True):
        assert messages[-1]["data"] == {
            "notificationType": "PreviewRecordEmpty",
            "messageType": "OutboundRecordMessage",
            "record": {"campaignName": CAMPAIGN, "devicePath": desk.device_path, "applicationId": APPLICATION},
        }


def test_a_returned_record_is_found_again(crowd: Demo) -> None:
    """What one agent rejects, the next who asks gets; a number on the do-not-call list is passed over."""
    desk, other = crowd.desk().listen(), crowd.desk()
    while kind_of(take_all(other)[-1]) != "PreviewRecordEmpty":
        pass
    blocked, free = "+1 415 555 0141", "+1 415 555 0142"
    accept(desk.on_records("DoNotCallRecord", phoneNumber=blocked))
    desk.heard()
    on_list = desk.add(blocked)["GSW_CHAIN_ID"]
    wanted = desk.add(free)["GSW_CHAIN_ID"]
    accept(other.on_campaign("GetPreviewRecord"))
    first = other.heard()[0]["data"]["record"]
    assert first["userData"]["GSW_CHAIN_ID"] == wanted
    accept(other.on_record("RejectRecord", first["recordHandle"], callingList=LIST))
    other.heard()
    accept(other.on_campaign("GetPreviewRecord"))
    second = other.heard()[0]["data"]["record"]
    assert second["userData"]["GSW_CHAIN_ID"] == wanted
    assert second["recordHandle"] != first["recordHandle"]
    assert stored.chain(crowd, on_list)[0].status is RecordStatus.UPDATED


def test_preview_needs_its_session(crowd: Demo) -> None:
    """Without StartPreviewSession, and again after EndPreviewSession, there is no record."""
    desk = crowd.desk().listen()
    refuse(desk.on_campaign("GetPreviewRecord"), 400, 2, "StartPreviewSession")
    refuse(desk.on_campaign("EndPreviewSession"), 400, 2)
    accept(desk.on_campaign("StartPreviewSession"))
    accept(desk.on_campaign("StartPreviewSession"))
    accept(desk.on_campaign("EndPreviewSession"))
    refuse(desk.on_campaign("GetPreviewRecord"), 400, 2, "StartPreviewSession")
