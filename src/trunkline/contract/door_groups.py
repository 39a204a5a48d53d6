"""Campaign groups at the HTTP door: ``POST /campaigngroups/<DBID>?req=<action>``.

The actions are the requests of the original's control protocol; mode and goal go with Load, Start and SetDialingMode.
Source: outbound domain 4.2, 4.4, 7.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from trunkline.contract.names import DIAL_MODE_NAMES
from trunkline.contract.notices import STATUS_NAMES, group_guid
from trunkline.contract.refusals import UnknownOperation
from trunkline.contract.user_events import optional_number, reference_of
from trunkline.contract.values import INT32_MAX, Body
from trunkline.domain.campaigns import Campaign
from trunkline.domain.commands import Reference
from trunkline.domain.enums import DialMode, OptimizeBy
from trunkline.domain.group_control import MAX_GOAL_S, Control, Wish
from trunkline.errors import InvalidState, MissingParameter, NotFound, OutOfRange

RESOURCE = "campaigngroups"
STATUS = "Status"
ACTIONS: dict[str, Control | None] = {
    "Load": Control.LOAD,
    "Start": Control.START,
    "Stop": Control.STOP,
    "SetDialingMode": Control.SET_MODE,
    "Complete": Control.COMPLETE,
    "Unload": Control.UNLOAD,
    "ForceUnload": Control.FORCE_UNLOAD,
    STATUS: None,
}
"""``req`` -> what is asked of the group; None asks for its state alone."""

_MODES = {name: mode for mode, name in DIAL_MODE_NAMES.items() if mode is not DialMode.NO_DIAL_MODE}
_encode = msgspec.json.Encoder().encode


class GroupRequest(NamedTuple):
    """What is asked of which group; ``wish`` None asks for its state."""

    campaign_group_id: int
    wish: Wish | None
    reference: Reference


def parse_group_request(resource_id: str, action: str | None, body: Body) -> GroupRequest:
    """A request about a group. GSW_CAMPAIGN_MODE is a mode by the name that desktops know, GSW_DIAL_MODE by number.

    Raises ``MissingParameter``, ``OutOfRange``, ``UnknownOperation``, ``NotFound`` for what is no number of a group.
    """
    if action is None:
        raise MissingParameter("req is required in the query")
    if action not in ACTIONS:
        raise UnknownOperation(f"req must be one of {', '.join(ACTIONS)}")
    is_number = resource_id.isascii() and resource_id.isdigit() and len(resource_id) <= 10
    if not is_number or int(resource_id) > INT32_MAX:
        raise NotFound("there is no campaign group with this id")
    control = ACTIONS[action]
    wish = None
    if control is not None:
        wish = Wish(
            control=control,
            dial_mode=_mode(body),
            optimize_by=_optimize_by(body),
            optimize_goal=optional_number(body, "GSW_OPTIMIZE_GOAL", 0, MAX_GOAL_S),
        )
        if control is Control.SET_MODE and (wish.dial_mode, wish.optimize_by, wish.optimize_goal) == (None, None, None):
            raise MissingParameter("GSW_CAMPAIGN_MODE or GSW_DIAL_MODE is required")
    return GroupRequest(int(resource_id), wish, reference_of(body))


def group_answer(campaign: Campaign, reference: Reference) -> bytes:
    """The state of a group, which answers every request about it."""
    answer: dict[str, Any] = {
        "status": STATUS_NAMES[campaign.status],
        "GSW_CAMPAIGN_GROUP_NAME": campaign.group_name,
        "GSW_CAMPAIGN_GROUP_GUID": group_guid(campaign.contact_centre_id, campaign.group_id),
        "GSW_CAMPAIGN_GROUP_DBID": campaign.group_id,
        "GSW_CAMPAIGN_NAME": campaign.name,
        "GSW_CAMPAIGN_DBID": campaign.campaign_id,
        "GSW_APPLICATION_ID": campaign.application_id,
        "GSW_CAMPAIGN_MODE": DIAL_MODE_NAMES[campaign.dial_mode],
        "GSW_DIAL_MODE": campaign.dial_mode.value,
        "GSW_OPTIMIZE_BY": campaign.optimize_by.value,
        "GSW_OPTIMIZE_GOAL": campaign.optimize_goal,
    }
    if reference is not None:
        answer["GSW_REFERENCE_ID"] = reference
    return _encode(answer)


def _mode(body: Body) -> DialMode | None:
    name = body.get("GSW_CAMPAIGN_MODE")
    by_name = None
    if name is not None:
        by_name = _MODES.get(name) if type(name) is str else None
        if by_name is None:
            raise OutOfRange(f"GSW_CAMPAIGN_MODE must be one of {', '.join(_MODES)}")
    number = optional_number(body, "GSW_DIAL_MODE", 1, max(DialMode))
    by_number = None if number is None else DialMode(number)
    if None not in (by_name, by_number) and by_name is not by_number:
        raise InvalidState("GSW_CAMPAIGN_MODE and GSW_DIAL_MODE name two modes")
    return by_name or by_number


def _optimize_by(body: Body) -> OptimizeBy | None:
    number = optional_number(body, "GSW_OPTIMIZE_BY", min(OptimizeBy), max(OptimizeBy))
    return None if number is None else OptimizeBy(number)
