"""The machine of campaign groups: every wish in every state, modes, goals, obstacles."""

from __future__ import annotations

import json
from importlib.resources import files
from itertools import product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from trunkline.domain.campaigns import CallingList, CampaignList, GroupState
from trunkline.domain.enums import DialMode, GroupStatus, OptimizeBy
from trunkline.domain.group_control import (
    GOALS,
    TRANSITIONS,
    Control,
    ControlRefused,
    Obstacle,
    Progress,
    ServerError,
    Wish,
    controlled,
    news,
    obstacle_of,
    progressed,
    shown_status,
)
from trunkline.errors import InvalidState, Refused

S, C, E, M = GroupStatus, Control, ServerError, DialMode
STORED = [status for status in S if status is not S.IN_ACTIVE]


def state(status: GroupStatus = S.NOT_LOADED, **values: object) -> GroupState:
    """A group's state."""
    return GroupState(contact_centre_id=1, campaign_group_id=7, status=status, **values)  # type: ignore[arg-type]


def refusal(group: GroupState, wish: Wish, obstacle: Obstacle | None = None) -> ServerError:
    """The error that a wish gets."""
    with pytest.raises(ControlRefused) as caught:
        controlled(group, wish, obstacle, 5)
    return caught.value.error


def test_error_codes_are_those_of_the_control_protocol() -> None:
    """Numbers and names of outbound domain 4.2, each once."""
    numbers = json.loads(files("trunkline.contract.data").joinpath("outbound-enums.json").read_text("utf-8"))
    expected = {each["value"]: each["name"] for each in numbers["server_errors"]["values"]}
    assert {error.value: error.title for error in E} == expected


@pytest.mark.parametrize(("status", "control"), list(product(STORED, C)))
def test_every_wish_in_every_state(status: GroupStatus, control: Control) -> None:
    """What the table has is done; everything else is refused with the protocol's own number, and changes nothing."""
    group = state(status)
    after = TRANSITIONS.get((status, control))
    if after is not None:
        assert controlled(group, Wish(control=control, schedule_id=4), None, 9) == msgspec.structs.replace(
            group,
            status=after,
            changed_at_ms=9,
            schedule_id=4,
            is_completing=control is C.COMPLETE and status is S.RUNNING,
            loaded_at_ms=9 if control is C.LOAD else 0,
        )
        return
    expected = {C.LOAD: E.CAMPAIGN_ALREADY_LOADED, C.START: E.CAMPAIGN_ALREADY_STARTED, C.STOP: E.CAMPAIGN_NOT_STARTED}
    is_away = status in (S.NOT_LOADED, S.WAITING_UNLOAD, S.UNLOAD_IN_PROGRESS)
    error = expected.get(control, E.CAMPAIGN_NOT_LOADED) if control is C.LOAD or not is_away else E.CAMPAIGN_NOT_LOADED
    assert refusal(group, Wish(control=control)) is error


def test_the_documented_ways() -> None:
    """Load 0 to 4, start 4 to 5, stop 5 to 4, unload 4 or 5 to 1 to 2 to 0, force unload skips the wait."""
    loaded = controlled(state(), Wish(control=C.LOAD), None, 1)
    assert loaded.status == 4
    running = controlled(loaded, Wish(control=C.START), None, 2)
    assert running.status == 5
    assert controlled(running, Wish(control=C.STOP), None, 3).status == 4
    for group in (loaded, running):
        waiting = controlled(group, Wish(control=C.UNLOAD), None, 3)
        assert waiting.status == 1
        leaving = progressed(waiting, Progress.AGENTS_FINISHED, 4)
        assert leaving.status == 2
        assert progressed(leaving, Progress.WRITTEN_BACK, 5).status == 0
        assert controlled(waiting, Wish(control=C.FORCE_UNLOAD), None, 4).status == 2
        assert controlled(group, Wish(control=C.FORCE_UNLOAD), None, 4).status == 2


def test_a_completing_group_works_until_its_buffer_is_empty() -> None:
    """Complete keeps a running group running; only one that completes goes on when nothing is left in memory."""
    running = state(S.RUNNING)
    with pytest.raises(InvalidState):
        progressed(running, Progress.BUFFER_EMPTY, 1)
    completing = controlled(running, Wish(control=C.COMPLETE), None, 1)
    assert completing.status is S.RUNNING
    assert completing.is_completing
    stopped = controlled(completing, Wish(control=C.STOP), None, 2)
    assert not stopped.is_completing
    waiting = progressed(completing, Progress.BUFFER_EMPTY, 2)
    assert waiting.status is S.WAITING_UNLOAD
    assert not waiting.is_completing
    assert controlled(state(S.ACTIVE), Wish(control=C.COMPLETE), None, 1).status is S.WAITING_UNLOAD


@pytest.mark.parametrize(("before", "after"), list(product(M, M)))
def test_modes_of_a_running_group(before: DialMode, after: DialMode) -> None:
    """Predictive and Progressive change into each other, and so do the seizing two; all else needs stop and start."""
    pairs = [{M.PREDICT, M.PROGRESS}, {M.PREDICT_AND_SEIZE, M.PROGRESS_AND_SEIZE}]
    is_allowed = after is not M.NO_DIAL_MODE and (before is after or {before, after} in pairs)
    group, wish = state(S.RUNNING, dial_mode=before), Wish(control=C.SET_MODE, dial_mode=after)
    if is_allowed:
        assert controlled(group, wish, None, 1).dial_mode is after
    else:
        assert refusal(group, wish) is E.INVALID_CAMPAIGN_MODE
    loaded = state(S.ACTIVE, dial_mode=before)
    if after is not M.NO_DIAL_MODE:
        assert controlled(loaded, wish, None, 1).dial_mode is after


@given(st.sampled_from(OptimizeBy), st.one_of(st.none(), st.integers(-10, 100_000)))
def test_goals(method: OptimizeBy, goal: int | None) -> None:
    """A goal in its range is taken, none means the method's own, anything else is InvalidParameter."""
    low, high, default = GOALS[method]
    wish = Wish(control=C.SET_MODE, optimize_by=method, optimize_goal=goal)
    group = state(S.ACTIVE, optimize_by=OptimizeBy.BUSY_FACTOR, optimize_goal=70)
    if goal is not None and not low <= goal <= high:
        assert refusal(group, wish) is E.INVALID_PARAMETER
        return
    after = controlled(group, wish, None, 1)
    kept = 70 if method is OptimizeBy.BUSY_FACTOR else default
    assert (after.optimize_by, after.optimize_goal) == (method, kept if goal is None else goal)


def test_what_a_wish_is_not_about_stays() -> None:
    """Stop and unload leave mode and goal alone, whatever they say."""
    group = state(S.RUNNING, dial_mode=M.PROGRESS, optimize_goal=60)
    after = controlled(group, Wish(control=C.STOP, dial_mode=M.PREVIEW, optimize_goal=1), None, 1)
    assert (after.dial_mode, after.optimize_goal) == (M.PROGRESS, 60)


def test_obstacles() -> None:
    """A disabled group is not loaded, one that cannot work is not started, and both are told why."""
    assert refusal(state(), Wish(control=C.LOAD), Obstacle.DISABLED) is E.WRONG_CONFIGURATION
    assert controlled(state(), Wish(control=C.LOAD), Obstacle.NO_AGENTS, 1).status is S.ACTIVE
    for obstacle in Obstacle:
        wrong = M.PROGRESS if obstacle is Obstacle.NO_DIALER else M.PREVIEW
        assert refusal(state(S.ACTIVE, dial_mode=wrong), Wish(control=C.START), obstacle) is E.WRONG_CONFIGURATION
    # The mode that comes with the start counts, not the one before.
    assert refusal(state(S.ACTIVE), Wish(control=C.START, dial_mode=M.POWER)) is E.WRONG_CONFIGURATION
    elsewhere = state(S.ACTIVE, dial_mode=M.POWER)
    started = controlled(elsewhere, Wish(control=C.START, dial_mode=M.PREVIEW), Obstacle.NO_DIALER, 1)
    assert started.status is S.RUNNING
    assert {shown_status(status, Obstacle.NO_LISTS) for status in (S.ACTIVE, S.RUNNING)} == {S.IN_ACTIVE}
    assert shown_status(S.WAITING_UNLOAD, Obstacle.NO_LISTS) is S.WAITING_UNLOAD


def test_what_keeps_a_group_from_working() -> None:
    """Disabled objects, no list that works, no agents, a mode without a dialer: the first of them is named."""
    on = CallingList(contact_centre_id=1, list_id=1, name="on")
    off = CallingList(contact_centre_id=1, list_id=2, name="off", is_enabled=False)

    def found(*lists: CampaignList, agents: int = 1, mode: DialMode = M.PREVIEW, enabled: bool = True) -> object:
        known = {1: on, 2: off}
        return obstacle_of(is_enabled=enabled, lists=lists, known=known, agents=agents, dial_mode=mode)

    assert found(CampaignList(1)) is None
    assert found(CampaignList(1), enabled=False) is Obstacle.DISABLED
    for useless in ((), (CampaignList(2),), (CampaignList(1, 0),), (CampaignList(1, is_active=False),)):
        assert found(*useless) is Obstacle.NO_LISTS
    assert found(CampaignList(9)) is Obstacle.NO_LISTS
    assert found(CampaignList(2), CampaignList(1), agents=0) is Obstacle.NO_AGENTS
    assert found(CampaignList(1), mode=M.PREDICT) is Obstacle.NO_DIALER


class GroupMachine(RuleBasedStateMachine):
    """Any wishes and any progress, in any order, from the state before."""

    def __init__(self) -> None:
        """Begin with a group that is not loaded."""
        super().__init__()
        self.group = state()
        self.told: list[str] = []
        self.now_ms = 0

    @rule(
        control=st.sampled_from(C),
        mode=st.one_of(st.none(), st.sampled_from(M)),
        method=st.one_of(st.none(), st.sampled_from(OptimizeBy)),
        goal=st.one_of(st.none(), st.integers(0, 200)),
        obstacle=st.one_of(st.none(), st.sampled_from(Obstacle)),
    )
    def wish(
        self,
        control: Control,
        mode: DialMode | None,
        method: OptimizeBy | None,
        goal: int | None,
        obstacle: Obstacle | None,
    ) -> None:
        """A wish is granted or refused; refused it leaves no trace."""
        wish = Wish(control=control, dial_mode=mode, optimize_by=method, optimize_goal=goal)
        self.step(lambda: controlled(self.group, wish, obstacle, self.now_ms), control)

    @rule(progress=st.sampled_from(Progress))
    def go_on(self, progress: Progress) -> None:
        """The group goes on by itself, where it can."""
        self.step(lambda: progressed(self.group, progress, self.now_ms), None)

    def step(self, act: object, control: Control | None) -> None:
        """One step."""
        self.now_ms += 1
        before = self.group
        try:
            self.group = act()  # type: ignore[operator]
        except Refused:
            assert self.group is before
            return
        what = news(before, self.group, control)
        if what is not None and control is not C.SET_MODE:
            self.told.append(what.value)

    @invariant()
    def is_whole(self) -> None:
        """The status is a stored one, goals are in range, and only a running group completes."""
        assert self.group.status in STORED
        low, high, _ = GOALS[self.group.optimize_by]
        assert low <= self.group.optimize_goal <= high
        assert self.group.dial_mode is not M.NO_DIAL_MODE
        assert self.group.status is S.RUNNING or not self.group.is_completing

    @invariant()
    def is_told_in_order(self) -> None:
        """Agents hear of loading before starting, of stopping before unloading, and of everything in turn."""
        told = " ".join(self.told)
        assert "started started" not in told
        assert "loaded started unloaded" not in told
        assert "loaded loaded" not in told.replace("unloaded", "gone")
        assert ("gone" if self.group.status is S.NOT_LOADED else "") in told.replace("unloaded", "gone") or not told
        if self.group.status is S.RUNNING:
            assert self.told[-1] == "started"


TestGroupMachine = GroupMachine.TestCase
