"""Campaign groups at the door of third parties: requests, refusals, and the state as an answer."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.test_requests import JSON
from trunkline.contract.door_groups import ACTIONS, group_answer, parse_group_request
from trunkline.domain.campaigns import Campaign
from trunkline.domain.enums import DialMode, GroupStatus, OptimizeBy
from trunkline.domain.group_control import Control, Wish
from trunkline.errors import InvalidState, MissingParameter, NotFound, OutOfRange, Refused


def test_each_action_is_a_wish() -> None:
    """Mode and goal go with it, numbers may be texts; a question for the state wishes nothing."""
    body = {
        "GSW_CAMPAIGN_MODE": "Preview",
        "GSW_DIAL_MODE": "3",
        "GSW_OPTIMIZE_BY": "2",
        "GSW_OPTIMIZE_GOAL": 5,
        "GSW_REFERENCE_ID": "r",
    }
    for action, control in ACTIONS.items():
        request = parse_group_request("301", action, body)
        assert (request.campaign_group_id, request.reference) == (301, "r")
        if control is None:
            assert request.wish is None
        else:
            assert request.wish == Wish(
                control=control, dial_mode=DialMode.PREVIEW, optimize_by=OptimizeBy.OVERDIAL_RATE, optimize_goal=5
            )
    assert parse_group_request("301", "Start", {}).wish == Wish(control=Control.START)


@pytest.mark.parametrize(
    ("group", "action", "body", "error", "words"),
    [
        ("301", None, {}, MissingParameter, "req"),
        ("301", "load", {}, Refused, "one of Load"),
        ("x", "Load", {}, NotFound, "campaign group"),
        ("", "Load", {}, NotFound, "campaign group"),
        ("9999999999", "Load", {}, NotFound, "campaign group"),
        ("301", "SetDialingMode", {}, MissingParameter, "GSW_CAMPAIGN_MODE"),
        ("301", "Start", {"GSW_CAMPAIGN_MODE": "Fast"}, OutOfRange, "GSW_CAMPAIGN_MODE"),
        ("301", "Start", {"GSW_CAMPAIGN_MODE": "NoDialMode"}, OutOfRange, "GSW_CAMPAIGN_MODE"),
        ("301", "Start", {"GSW_DIAL_MODE": 0}, OutOfRange, "GSW_DIAL_MODE"),
        ("301", "Start", {"GSW_DIAL_MODE": 12}, OutOfRange, "GSW_DIAL_MODE"),
        ("301", "Start", {"GSW_DIAL_MODE": 1, "GSW_CAMPAIGN_MODE": "Preview"}, InvalidState, "two modes"),
        ("301", "Start", {"GSW_OPTIMIZE_BY": 6}, OutOfRange, "GSW_OPTIMIZE_BY"),
        ("301", "Start", {"GSW_OPTIMIZE_GOAL": -1}, OutOfRange, "GSW_OPTIMIZE_GOAL"),
        ("301", "Start", {"GSW_REFERENCE_ID": []}, OutOfRange, "GSW_REFERENCE_ID"),
    ],
)
def test_bad_requests(group: str, action: str | None, body: dict[str, Any], error: type[Refused], words: str) -> None:
    """Each is refused with its kind of error and a sentence that names the place."""
    with pytest.raises(error) as caught:
        parse_group_request(group, action, body)
    assert words in str(caught.value)


@given(
    st.text(max_size=12),
    st.one_of(st.none(), st.sampled_from(sorted(ACTIONS))),
    st.dictionaries(
        st.sampled_from(["GSW_CAMPAIGN_MODE", "GSW_DIAL_MODE", "GSW_OPTIMIZE_BY", "GSW_OPTIMIZE_GOAL"]),
        JSON,
        max_size=4,
    ),
)
def test_anything_at_all(group: str, action: str | None, body: dict[str, Any]) -> None:
    """Parsed, or refused: nothing else."""
    with contextlib.suppress(Refused):
        parse_group_request(group, action, body)


def test_the_state_is_the_answer() -> None:
    """With names and numbers, and the reference as it came."""
    campaign = Campaign(
        contact_centre_id=1,
        campaign_id=201,
        name="C",
        application_id=134,
        group_id=301,
        group_name="C@G",
        status=GroupStatus.RUNNING,
    )
    answer = msgspec.json.decode(group_answer(campaign, 5))
    assert (answer["status"], answer["GSW_CAMPAIGN_GROUP_DBID"], answer["GSW_REFERENCE_ID"]) == ("Running", 301, 5)
    assert (answer["GSW_CAMPAIGN_MODE"], answer["GSW_DIAL_MODE"], answer["GSW_OPTIMIZE_GOAL"]) == ("Preview", 3, 85)
    assert "GSW_REFERENCE_ID" not in msgspec.json.decode(group_answer(campaign, None))
