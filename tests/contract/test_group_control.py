"""Wire shapes of the control of campaign groups."""

from __future__ import annotations

import json
from typing import Any

import pytest

from trunkline.contract.answers import http_status, refusal
from trunkline.contract.group_control import (
    OPERATIONS,
    OPTIMIZE_BY_NAMES,
    group_object,
    group_statistics,
    list_statistics,
    parse_control,
)
from trunkline.contract.messages import Timing, messages_of
from trunkline.domain.campaigns import CallingList, Campaign, GroupState
from trunkline.domain.enums import CallResult, DialMode, Door, GroupStatus, OptimizeBy
from trunkline.domain.events import MayLogOut
from trunkline.domain.group_control import Control, ControlRefused, ServerError
from trunkline.domain.statistics import (
    AgentCounts,
    Counted,
    GroupStatistics,
    ListStatistics,
    RecordCounts,
    Tally,
    Waiting,
)
from trunkline.errors import MissingParameter, OutOfRange, Refused, TooLarge

CAMPAIGN = Campaign(
    contact_centre_id=1,
    campaign_id=2,
    name="Sales",
    application_id=3,
    group_id=7,
    group_name="Sales@North",
    agent_group_id=8,
    status=GroupStatus.RUNNING,
    status_since_ms=5,
    loaded_at_ms=4,
)


def test_every_operation_is_a_wish() -> None:
    """The seven operations ask the seven things; mode and goal go along by name or number."""
    assert {parse_control({"operationName": name, "dialMode": "Preview"}).wish.control for name in OPERATIONS} == set(
        Control
    )
    for mode in ("Progressive", 2, "2"):
        wish = parse_control({"operationName": "SetDialingMode", "dialMode": mode}).wish
        assert wish.dial_mode is DialMode.PROGRESS
    for method in OptimizeBy:
        for spelled in (OPTIMIZE_BY_NAMES[method], method.value, str(method.value)):
            wish = parse_control({"operationName": "Start", "optimizeBy": spelled, "optimizeGoal": 9}).wish
            assert (wish.optimize_by, wish.optimize_goal) == (method, 9)
    assert parse_control({"operationName": "Stop", "referenceId": 5, "anything": 1}).reference == 5


@pytest.mark.parametrize(
    ("content", "kind", "error"),
    [
        ({}, MissingParameter, None),
        ({"operationName": "Explode"}, OutOfRange, None),
        ({"operationName": 5}, OutOfRange, None),
        ({"operationName": "SetDialingMode"}, MissingParameter, None),
        ({"operationName": "Load", "dialMode": "Fast"}, ControlRefused, ServerError.INVALID_CAMPAIGN_MODE),
        ({"operationName": "Load", "dialMode": "NoDialMode"}, ControlRefused, ServerError.INVALID_CAMPAIGN_MODE),
        ({"operationName": "Load", "dialMode": 99}, ControlRefused, ServerError.INVALID_CAMPAIGN_MODE),
        ({"operationName": "Load", "dialMode": True}, ControlRefused, ServerError.INVALID_CAMPAIGN_MODE),
        ({"operationName": "Load", "dialMode": [1]}, ControlRefused, ServerError.INVALID_CAMPAIGN_MODE),
        ({"operationName": "Load", "optimizeBy": "Luck"}, ControlRefused, ServerError.INVALID_PARAMETER),
        ({"operationName": "Load", "optimizeGoal": 1.5}, ControlRefused, ServerError.INVALID_PARAMETER),
        ({"operationName": "Load", "optimizeGoal": -1}, ControlRefused, ServerError.INVALID_PARAMETER),
        ({"operationName": "Stop", "referenceId": {}}, OutOfRange, None),
        ({"operationName": "Stop", "referenceId": "x" * 256}, TooLarge, None),
    ],
)
def test_what_is_wrong_with_a_body(content: dict[str, Any], kind: type[Refused], error: ServerError | None) -> None:
    """Each defect has its kind; unknown names are out of range, modes and goals have the protocol's code."""
    with pytest.raises(kind) as caught:
        parse_control(content)
    if error is not None:
        assert isinstance(caught.value, ControlRefused)
        assert (caught.value.error, caught.value.code, http_status(caught.value)) == (error, 10, 400)


def test_a_refusal_has_the_protocols_code() -> None:
    """Beside the API's own status code, as a number and by name; other refusals have neither."""
    answer = refusal(ControlRefused(ServerError.CAMPAIGN_NOT_LOADED, "no"))
    assert answer.http_status == 400
    assert answer.body == b'{"statusCode":2,"statusMessage":"no","errorCode":4,"errorName":"CampaignNotLoaded"}'
    missing = refusal(ControlRefused(ServerError.CAMPAIGN_GROUP_NOT_FOUND, "no"))
    assert (missing.http_status, b'"statusCode":6' in missing.body) == (404, True)
    assert b"errorCode" not in refusal(OutOfRange("x")).body


def test_a_group() -> None:
    """What everybody sees of a group; times that never were are null."""
    state = GroupState(contact_centre_id=1, campaign_group_id=7, schedule_id=12)
    assert group_object(CAMPAIGN, state) == {
        "id": 7,
        "name": "Sales@North",
        "campaignId": 2,
        "campaignName": "Sales",
        "agentGroupId": 8,
        "groupStatus": 5,
        "groupStatusName": "Running",
        "isCompleting": False,
        "obstacle": None,
        "dialMode": "Preview",
        "optimizeBy": "BusyFactor",
        "optimizeGoal": 85,
        "since": 5,
        "loadedAt": 4,
        "scheduleScriptId": 12,
    }
    fresh = group_object(Campaign(contact_centre_id=1, campaign_id=2, name="n", application_id=3), None)
    assert (fresh["since"], fresh["loadedAt"], fresh["scheduleScriptId"]) == (None, None, 0)


def test_statistics_of_a_group() -> None:
    """Ratios with four digits, counters by name, lists inside; what nobody knows is null."""
    tally = Tally(leads=3, callbacks_completed=1, callbacks_missed=2)
    tally.results.update({CallResult.ANSWER: 1, CallResult.BUSY: 2, CallResult.CANCEL_RECORD: 5})
    counts = RecordCounts(by_status={1: 10, 3: 5}, callbacks=4, chains=9, open_chains=6)
    calling_list = CallingList(contact_centre_id=1, list_id=10, name="L")
    one = ListStatistics(
        calling_list=calling_list,
        tally=tally,
        counted=Counted(counts=counts, counted_at_ms=77, took_ms=1),
        buffered=2,
        time_to_complete_s=60,
        groups=(CAMPAIGN,),
    )
    figures = GroupStatistics(
        campaign=CAMPAIGN,
        at_ms=99,
        tally=tally,
        agents=AgentCounts(5, 4, 3, 2),
        waiting=(Waiting.RECORDS,),
        busy_factor=2 / 3,
        buffered=2,
        lists=(one, ListStatistics(calling_list=calling_list, tally=Tally())),
    )
    shown = group_statistics(figures, None)
    assert shown["campaignGroup"]["id"] == 7
    assert (shown["busyFactor"], shown["hitRatio"], shown["overdialRate"]) == (0.6667, 0.3333, 0.0)
    assert (shown["timeToComplete"], shown["attempts"], shown["leadsProcessed"]) == (None, 3, 3)
    assert shown["results"] == {"Busy": 2, "Answer": 1, "CancelRecord": 5}
    assert shown["agents"] == {"assigned": 5, "loggedIn": 4, "inPreview": 3, "withRecords": 2}
    assert (shown["waiting"], shown["bufferedChains"], shown["callbacksMissed"]) == (["WaitingRecords"], 2, 2)
    counted, unknown = shown["lists"]
    assert (counted["records"], counted["countedAt"], counted["timeToComplete"]) == (
        {"Ready": 10, "Updated": 5},
        77,
        60,
    )
    assert (counted["callbacksScheduled"], counted["chains"], counted["openChains"]) == (4, 9, 6)
    assert (unknown["records"], unknown["countedAt"], unknown["hitRatio"]) == (None, None, None)
    whole = list_statistics(one, is_whole=True)
    assert whole["campaignGroups"] == [7]
    assert "timeToComplete" not in whole


def test_when_an_agent_may_log_out() -> None:
    """The time goes to the desktop as an integer, beside application and campaign."""
    event = MayLogOut(device_id="d1", door=Door.USER_EVENT, application_id=134, campaign_name="Campaign1", at_s=99)
    ((channel, body),) = messages_of(event, Timing(generated_at_ms=1, processing_ns=0, total_ms=0))
    assert channel == "/me/internal"
    assert json.loads(body)["userData"] == {
        "GSW_APPLICATION_ID": 134,
        "GSW_USER_EVENT": "LogOutTime",
        "GSW_CAMPAIGN_NAME": "Campaign1",
        "GSW_LOGOUT_TIME": 99,
    }
