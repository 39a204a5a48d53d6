"""Wire shapes of the control of campaign groups: wishes, states, statistics.

The requests of the original's control protocol (outbound domain 4.2) are operations on ``/admin/campaign-groups/<id>``;
keys are in the API's own style. Times are Unix milliseconds, durations seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from trunkline.contract.names import CALL_RESULT_NAMES, DIAL_MODE_NAMES
from trunkline.contract.notices import STATUS_NAMES
from trunkline.contract.values import MAX_REFERENCE
from trunkline.domain.campaigns import Campaign, GroupState
from trunkline.domain.enums import DialMode, OptimizeBy, RecordStatus
from trunkline.domain.group_control import MAX_GOAL_S, Control, ControlRefused, ServerError, Wish
from trunkline.domain.statistics import Counted, GroupStatistics, ListStatistics, Tally
from trunkline.errors import MissingParameter, OutOfRange, TooLarge

Json = dict[str, Any]
T = TypeVar("T")

OPERATIONS: dict[str, Control] = {
    "Load": Control.LOAD,
    "Start": Control.START,
    "Stop": Control.STOP,
    "SetDialingMode": Control.SET_MODE,
    "Complete": Control.COMPLETE,
    "Unload": Control.UNLOAD,
    "ForceUnload": Control.FORCE_UNLOAD,
}
"""operationName -> what is asked of the group."""

DIAL_MODES: dict[str, DialMode] = {name: mode for mode, name in DIAL_MODE_NAMES.items()}

OPTIMIZE_BY_NAMES: dict[OptimizeBy, str] = {
    OptimizeBy.BUSY_FACTOR: "BusyFactor",
    OptimizeBy.OVERDIAL_RATE: "OverdialRate",
    OptimizeBy.WAIT_TIME: "WaitTime",
    OptimizeBy.DISTRIBUTION_TIME: "DistributionTime",
    OptimizeBy.MAXIMUM_GAIN: "MaximumGain",
}
"""What predictive dialing aims at, as the original's configuration calls it."""

_OPTIMIZE_BY = {name: method for method, name in OPTIMIZE_BY_NAMES.items()}
_RECORD_STATUS_NAMES = {
    status: "".join(part.capitalize() for part in status.name.split("_")) for status in RecordStatus
}


class ControlRequest(NamedTuple):
    """A wish as it came in; ``reference`` recognises its repetition."""

    wish: Wish
    reference: str | int | float | bool | None


def parse_control(content: Json) -> ControlRequest:
    """An operation on a group.

    Body: ``operationName``, and for Load, Start and SetDialingMode ``dialMode``, ``optimizeBy`` (names or numbers) and
    ``optimizeGoal`` (percent or seconds). Raises ``MissingParameter``, ``OutOfRange``, ``ControlRefused``.
    """
    name = content.get("operationName")
    if name is None:
        raise MissingParameter("operationName is required")
    control = OPERATIONS.get(name) if type(name) is str else None
    if control is None:
        raise OutOfRange(f"operationName must be one of {', '.join(OPERATIONS)}")
    mode = _given(content.get("dialMode"), dial_mode)
    method = _given(content.get("optimizeBy"), optimize_by)
    goal = _given(content.get("optimizeGoal"), optimize_goal)
    if control is Control.SET_MODE and mode is None and method is None and goal is None:
        raise MissingParameter("dialMode is required")
    return ControlRequest(
        Wish(control=control, dial_mode=mode, optimize_by=method, optimize_goal=goal), _reference(content)
    )


def dial_mode(value: Any) -> DialMode:
    """A dialing mode by name or number."""
    found = _named(value, DIAL_MODES, DialMode)
    if found in (None, DialMode.NO_DIAL_MODE):
        names = ", ".join(name for name in DIAL_MODES if name != "NoDialMode")
        raise ControlRefused(
            ServerError.INVALID_CAMPAIGN_MODE, f"dialMode must be one of {names}", code=OutOfRange.code
        )
    assert found is not None
    return found


def optimize_by(value: Any) -> OptimizeBy:
    """What is optimized, by name or number."""
    found = _named(value, _OPTIMIZE_BY, OptimizeBy)
    if found is None:
        raise ControlRefused(ServerError.INVALID_PARAMETER, f"optimizeBy must be one of {', '.join(_OPTIMIZE_BY)}")
    return found


def optimize_goal(value: Any) -> int:
    """A goal; its range depends on what is optimized."""
    if type(value) is not int or not 0 <= value <= MAX_GOAL_S:
        raise ControlRefused(ServerError.INVALID_PARAMETER, f"optimizeGoal must be an integer from 0 to {MAX_GOAL_S}")
    return value


def group_object(campaign: Campaign, state: GroupState | None) -> Json:
    """A campaign group as it stands. ``state`` is the stored one, None for one that never was loaded."""
    return {
        "id": campaign.group_id,
        "name": campaign.group_name,
        "campaignId": campaign.campaign_id,
        "campaignName": campaign.name,
        "agentGroupId": campaign.agent_group_id,
        "groupStatus": campaign.status.value,
        "groupStatusName": STATUS_NAMES[campaign.status],
        "isCompleting": campaign.is_completing,
        "obstacle": campaign.obstacle or None,
        "dialMode": DIAL_MODE_NAMES[campaign.dial_mode],
        "optimizeBy": OPTIMIZE_BY_NAMES[campaign.optimize_by],
        "optimizeGoal": campaign.optimize_goal,
        "since": campaign.status_since_ms or None,
        "loadedAt": campaign.loaded_at_ms or None,
        "scheduleScriptId": 0 if state is None else state.schedule_id,
    }


def group_statistics(figures: GroupStatistics, state: GroupState | None) -> Json:
    """The statistics of a group since it was loaded (outbound domain 4.7)."""
    agents = figures.agents
    return {
        "campaignGroup": group_object(figures.campaign, state),
        "at": figures.at_ms,
        "busyFactor": _rounded(figures.busy_factor),
        **_tally(figures.tally),
        "timeToComplete": figures.time_to_complete_s,
        "agents": {
            "assigned": agents.assigned,
            "loggedIn": agents.logged_in,
            "inPreview": agents.in_preview,
            "withRecords": agents.with_records,
        },
        "bufferedChains": figures.buffered,
        "waiting": [what.value for what in figures.waiting],
        "lists": [list_statistics(one) for one in figures.lists],
    }


def list_statistics(figures: ListStatistics, *, is_whole: bool = False) -> Json:
    """The statistics of a list, within a group or (``is_whole``) over all groups that are loaded."""
    shown = {
        "callingListId": figures.calling_list.list_id,
        "callingList": figures.calling_list.name,
        **_tally(figures.tally),
        "timeToComplete": figures.time_to_complete_s,
        "bufferedChains": figures.buffered,
        **_records(figures.counted),
    }
    if is_whole:
        del shown["timeToComplete"]
        shown["campaignGroups"] = [group_object(campaign, None)["id"] for campaign in figures.groups]
    return shown


def _tally(tally: Tally) -> Json:
    return {
        "hitRatio": _rounded(tally.hit_ratio),
        "overdialRate": _rounded(tally.overdial_rate),
        "attempts": tally.attempts,
        "leadsProcessed": tally.leads,
        "callbacksCompleted": tally.callbacks_completed,
        "callbacksMissed": tally.callbacks_missed,
        "results": {CALL_RESULT_NAMES[result]: count for result, count in sorted(tally.results.items()) if count},
    }


def _records(counted: Counted | None) -> Json:
    """What was counted in the list; nulls while it was not."""
    if counted is None:
        return {"countedAt": None, "records": None, "callbacksScheduled": None, "chains": None, "openChains": None}
    counts = counted.counts
    return {
        "countedAt": counted.counted_at_ms,
        "records": {
            name: counts.by_status[status.value]
            for status, name in _RECORD_STATUS_NAMES.items()
            if counts.by_status.get(status.value)
        },
        "callbacksScheduled": counts.callbacks,
        "chains": counts.chains,
        "openChains": counts.open_chains,
    }


def _rounded(value: float | None) -> float | None:
    # Four digits: a hundredth of a percent.
    return None if value is None else round(value, 4)


def _given(value: Any, parse: Callable[[Any], T]) -> T | None:
    return None if value is None else parse(value)


def _named(value: Any, names: dict[str, T], numbers: Callable[[Any], T]) -> T | None:
    """What a name or a number stands for; a number may come as text."""
    if type(value) is str and value in names:
        return names[value]
    if type(value) is str and value.isascii() and value.isdigit() and len(value) <= 2:
        value = int(value)
    if type(value) is not int:
        return None
    try:
        return numbers(value)
    except ValueError:
        return None


def _reference(content: Json) -> str | int | float | bool | None:
    reference = content.get("referenceId")
    if reference is not None and not isinstance(reference, (str, int, float, bool)):
        raise OutOfRange("referenceId must be a plain value")
    if isinstance(reference, str) and len(reference) > MAX_REFERENCE:
        raise TooLarge(f"referenceId is longer than {MAX_REFERENCE} characters")
    return reference
