"""Where a campaign group stands, and what may be asked of it. Source: outbound domain 4.2 to 4.5.

``TRANSITIONS`` is the whole machine: the manual's picture is drawn from it and every change of a group goes through
``controlled`` or ``progressed``. What is stored is what was asked for. A loaded group that cannot work (``Obstacle``)
is shown as IN_ACTIVE for as long as that lasts, and is again what it was when the obstacle is gone.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

import msgspec

from trunkline.domain.campaigns import CallingList, CampaignList, GroupState
from trunkline.domain.enums import DialMode, GroupStatus, OptimizeBy
from trunkline.domain.events import CampaignStep
from trunkline.errors import InvalidState, NotFound, OutOfRange, Refused


class ServerError(IntEnum):
    """Error codes of the control protocol (outbound domain 4.2)."""

    NO_ERROR = 0
    """Done."""
    SERVER_CONNECTION_ERROR = 1
    """Not used: there is one server, and a request that does not reach it gets no answer."""
    REGISTRATION_ERROR = 2
    """Not used: events go to whoever subscribes over CometD or has a webhook."""
    CAMPAIGN_NOT_FOUND = 3
    """The group's campaign was deleted."""
    CAMPAIGN_NOT_LOADED = 4
    """The group is not loaded, or is being unloaded."""
    CAMPAIGN_ALREADY_LOADED = 5
    """The group is loaded, or has not finished its unloading."""
    CAMPAIGN_NOT_STARTED = 6
    """There is nothing to stop."""
    CAMPAIGN_ALREADY_STARTED = 7
    """The group dials already."""
    GROUP_NOT_FOUND = 8
    """The group's agent group was deleted."""
    CAMPAIGN_GROUP_NOT_FOUND = 9
    """There is no such campaign group in the caller's contact centre."""
    INVALID_PARAMETER = 10
    """A goal is out of the range of what is optimized."""
    INVALID_CAMPAIGN_MODE = 11
    """No dialing mode, or one that a running group cannot change to."""
    INVALID_CAMPAIGN_SCHEDULE = 12
    """A schedule contradicts itself; said when it is saved."""
    CAMPAIGN_SCHEDULE_NOT_FOUND = 13
    """Not used: a schedule that does not exist asks for nothing."""
    INVALID_CAMPAIGN_SCHEDULE_MODE = 14
    """Not used: schedules and people may control the same group."""
    LICENSE_VIOLATION = 15
    """Not used: there are no licences."""
    WRONG_CONFIGURATION = 16
    """Campaign, group or agents are disabled, or the group has nothing to work with."""
    PART_OF_SEQUENCE = 17
    """Not used: schedules and people may control the same group."""

    @property
    def title(self) -> str:
        """The name as the protocol spells it, like CampaignNotLoaded."""
        return "".join(part.capitalize() for part in self.name.split("_"))


_CODES = {
    ServerError.CAMPAIGN_NOT_FOUND: NotFound.code,
    ServerError.GROUP_NOT_FOUND: NotFound.code,
    ServerError.CAMPAIGN_GROUP_NOT_FOUND: NotFound.code,
    ServerError.INVALID_PARAMETER: OutOfRange.code,
    ServerError.INVALID_CAMPAIGN_SCHEDULE: OutOfRange.code,
}


class ControlRefused(Refused):
    """A group cannot do what was asked. ``error`` is the protocol's own number for it."""

    def __init__(self, error: ServerError, message: str, code: int | None = None) -> None:
        super().__init__(message, _CODES.get(error, InvalidState.code) if code is None else code)
        self.error = error


class Control(StrEnum):
    """What may be asked of a group."""

    LOAD = "load"
    START = "start"
    STOP = "stop"
    SET_MODE = "set mode"
    COMPLETE = "complete"
    """Fetch no more records, hand out what is in memory, then unload."""
    UNLOAD = "unload"
    FORCE_UNLOAD = "force unload"
    """Unload without waiting for the agents: what lies on their desks is taken back."""


class Progress(StrEnum):
    """What a group does by itself."""

    BUFFER_EMPTY = "buffer empty"
    """A completing group handed out the last record in memory."""
    AGENTS_FINISHED = "agents finished"
    """No record of the group is on a desk any more."""
    WRITTEN_BACK = "written back"
    """No record of the group is in memory any more."""


_S = GroupStatus
TRANSITIONS: dict[tuple[GroupStatus, Control | Progress], GroupStatus] = {
    (_S.NOT_LOADED, Control.LOAD): _S.ACTIVE,
    (_S.ACTIVE, Control.START): _S.RUNNING,
    (_S.RUNNING, Control.STOP): _S.ACTIVE,
    (_S.ACTIVE, Control.SET_MODE): _S.ACTIVE,
    (_S.RUNNING, Control.SET_MODE): _S.RUNNING,
    (_S.RUNNING, Control.COMPLETE): _S.RUNNING,
    (_S.ACTIVE, Control.COMPLETE): _S.WAITING_UNLOAD,
    (_S.ACTIVE, Control.UNLOAD): _S.WAITING_UNLOAD,
    (_S.RUNNING, Control.UNLOAD): _S.WAITING_UNLOAD,
    (_S.ACTIVE, Control.FORCE_UNLOAD): _S.UNLOAD_IN_PROGRESS,
    (_S.RUNNING, Control.FORCE_UNLOAD): _S.UNLOAD_IN_PROGRESS,
    (_S.WAITING_UNLOAD, Control.FORCE_UNLOAD): _S.UNLOAD_IN_PROGRESS,
    (_S.RUNNING, Progress.BUFFER_EMPTY): _S.WAITING_UNLOAD,
    (_S.WAITING_UNLOAD, Progress.AGENTS_FINISHED): _S.UNLOAD_IN_PROGRESS,
    (_S.UNLOAD_IN_PROGRESS, Progress.WRITTEN_BACK): _S.NOT_LOADED,
}
"""(stored status, what is asked or happens) -> next status; a pair that is missing is refused or cannot happen."""

_NEWS: dict[tuple[GroupStatus, GroupStatus], CampaignStep] = {
    (_S.NOT_LOADED, _S.ACTIVE): CampaignStep.LOADED,
    (_S.ACTIVE, _S.RUNNING): CampaignStep.STARTED,
    (_S.RUNNING, _S.ACTIVE): CampaignStep.STOPPED,
    (_S.RUNNING, _S.WAITING_UNLOAD): CampaignStep.STOPPED,
    (_S.RUNNING, _S.UNLOAD_IN_PROGRESS): CampaignStep.STOPPED,
    (_S.UNLOAD_IN_PROGRESS, _S.NOT_LOADED): CampaignStep.UNLOADED,
}


class Obstacle(StrEnum):
    """Why a loaded group cannot work; the value is a sentence for people."""

    DISABLED = "the campaign, the campaign group or the agent group is disabled"
    NO_LISTS = "the campaign has no calling list that is enabled, active and has a share above 0"
    NO_AGENTS = "the agent group has no agents"
    NO_DIALER = "this server dials in Preview mode only, and the group is in another one"


SERVED_MODES = frozenset({DialMode.PREVIEW})
"""Modes that this server can work in; in the others a group is loaded but cannot work."""

SWITCHABLE: tuple[frozenset[DialMode], ...] = (
    frozenset({DialMode.PREDICT, DialMode.PROGRESS}),
    frozenset({DialMode.PREDICT_AND_SEIZE, DialMode.PROGRESS_AND_SEIZE}),
)
"""Modes between which a running group may change; every other change needs stop and start."""

MAX_GOAL_S = 86_400
"""The longest waiting time that can be aimed at: a day, beyond which it is a mistaken unit."""

GOALS: dict[OptimizeBy, tuple[int, int, int]] = {
    OptimizeBy.BUSY_FACTOR: (1, 100, 85),
    OptimizeBy.OVERDIAL_RATE: (0, 100, 3),
    OptimizeBy.WAIT_TIME: (1, MAX_GOAL_S, 30),
    OptimizeBy.DISTRIBUTION_TIME: (1, MAX_GOAL_S, 2),
    OptimizeBy.MAXIMUM_GAIN: (0, 100, 0),
}
"""What is optimized -> smallest goal, greatest goal, goal when none is given. Percent or seconds."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a group. Mode and goal go with load, start and set mode; None leaves what there is.

    ``schedule_id`` is the schedule that asks, 0 for a person.
    """

    control: Control
    dial_mode: DialMode | None = None
    optimize_by: OptimizeBy | None = None
    optimize_goal: int | None = None
    schedule_id: int = 0


def controlled(state: GroupState, wish: Wish, obstacle: Obstacle | None, now_ms: int) -> GroupState:
    """Where the group stands after a wish, or ``ControlRefused``. ``state`` is the stored one.

    ``obstacle`` is what keeps the group from working at the moment, with the mode that it has now.
    """
    after = TRANSITIONS.get((state.status, wish.control))
    if after is None:
        raise _refusal(state.status, wish.control)
    if wish.control is Control.LOAD and obstacle is Obstacle.DISABLED:
        raise ControlRefused(ServerError.WRONG_CONFIGURATION, f"the group cannot be loaded: {obstacle.value}")
    state = _with_mode_and_goal(state, wish)
    if wish.control is Control.START and (obstacle := _obstacle_in(obstacle, state.dial_mode)) is not None:
        raise ControlRefused(ServerError.WRONG_CONFIGURATION, f"the group cannot be started: {obstacle.value}")
    if wish.control is Control.LOAD:
        state = msgspec.structs.replace(state, loaded_at_ms=now_ms)
    return msgspec.structs.replace(
        state,
        status=after,
        is_completing=after is GroupStatus.RUNNING and (state.is_completing or wish.control is Control.COMPLETE),
        changed_at_ms=now_ms,
        schedule_id=wish.schedule_id,
    )


def progressed(state: GroupState, progress: Progress, now_ms: int) -> GroupState:
    """Where the group stands after it went on by itself; ``InvalidState`` when it cannot."""
    after = TRANSITIONS.get((state.status, progress))
    if after is None or (progress is Progress.BUFFER_EMPTY and not state.is_completing):
        raise InvalidState(f"a group in status {state.status.name} cannot go on with {progress}")
    return msgspec.structs.replace(state, status=after, is_completing=False, changed_at_ms=now_ms)


def news(before: GroupState, after: GroupState, control: Control | None = None) -> CampaignStep | None:
    """What the group's agents are told of a change; None for nothing."""
    if control is Control.SET_MODE:
        return CampaignStep.MODE_CHANGED
    return _NEWS.get((before.status, after.status))


def shown_status(status: GroupStatus, obstacle: Obstacle | None) -> GroupStatus:
    """The status that everybody sees: IN_ACTIVE in the place of ACTIVE and RUNNING while there is an obstacle."""
    return GroupStatus.IN_ACTIVE if obstacle is not None and status.is_loaded else status


def obstacle_of(
    *,
    is_enabled: bool,
    lists: tuple[CampaignList, ...],
    known: dict[int, CallingList],
    agents: int,
    dial_mode: DialMode,
) -> Obstacle | None:
    """What keeps a group from working; None for nothing.

    ``is_enabled``: campaign, group and agent group all are. ``known`` are the contact centre's lists by id.
    """
    if not is_enabled:
        return Obstacle.DISABLED
    working = (known.get(entry.list_id) for entry in lists if entry.is_active and entry.share > 0)
    if not any(one is not None and one.is_enabled for one in working):
        return Obstacle.NO_LISTS
    if not agents:
        return Obstacle.NO_AGENTS
    return _obstacle_in(None, dial_mode)


def check_goal(optimize_by: OptimizeBy, goal: int) -> None:
    """Raise ``ControlRefused`` (InvalidParameter) for a goal out of range (outbound domain 4.5)."""
    low, high, _ = GOALS[optimize_by]
    if not low <= goal <= high:
        raise ControlRefused(
            ServerError.INVALID_PARAMETER, f"optimizeGoal must be {low} to {high} for what is optimized"
        )


def _obstacle_in(obstacle: Obstacle | None, mode: DialMode) -> Obstacle | None:
    """The obstacle when the group dials in that mode."""
    if obstacle not in (None, Obstacle.NO_DIALER):
        return obstacle
    return None if mode in SERVED_MODES else Obstacle.NO_DIALER


def _with_mode_and_goal(state: GroupState, wish: Wish) -> GroupState:
    """The state in the mode and with the goal of the wish."""
    if wish.control not in (Control.LOAD, Control.START, Control.SET_MODE):
        return state
    mode = state.dial_mode if wish.dial_mode is None else wish.dial_mode
    if mode is DialMode.NO_DIAL_MODE:
        raise ControlRefused(ServerError.INVALID_CAMPAIGN_MODE, "dialMode must be one of the dialing modes")
    if state.status is GroupStatus.RUNNING and not _may_switch(state.dial_mode, mode):
        raise ControlRefused(
            ServerError.INVALID_CAMPAIGN_MODE,
            "dialMode is one that a running group cannot change to; stop it first",
        )
    method = state.optimize_by if wish.optimize_by is None else wish.optimize_by
    goal = wish.optimize_goal
    if goal is None:
        goal = state.optimize_goal if method is state.optimize_by else GOALS[method][2]
    check_goal(method, goal)
    return msgspec.structs.replace(state, dial_mode=mode, optimize_by=method, optimize_goal=goal)


def _may_switch(before: DialMode, after: DialMode) -> bool:
    return before is after or any({before, after} <= modes for modes in SWITCHABLE)


def _refusal(status: GroupStatus, control: Control) -> ControlRefused:
    """Why a wish cannot be granted in that status."""
    unloading = (GroupStatus.WAITING_UNLOAD, GroupStatus.UNLOAD_IN_PROGRESS)
    if control is Control.LOAD:
        is_unloading = status in unloading
        sentence = "the group has not finished its unloading" if is_unloading else "the group is loaded already"
        return ControlRefused(ServerError.CAMPAIGN_ALREADY_LOADED, sentence)
    if status is GroupStatus.NOT_LOADED:
        return ControlRefused(ServerError.CAMPAIGN_NOT_LOADED, "the group is not loaded")
    if status in unloading:
        return ControlRefused(ServerError.CAMPAIGN_NOT_LOADED, "the group is being unloaded")
    if control is Control.START:
        return ControlRefused(ServerError.CAMPAIGN_ALREADY_STARTED, "the group is running already")
    return ControlRefused(ServerError.CAMPAIGN_NOT_STARTED, "the group is not running")
