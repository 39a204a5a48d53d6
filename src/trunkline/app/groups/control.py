"""Use cases about campaign groups: what supervisors and schedules ask of them, and how they go on by themselves.

A change of a group and what its agents are told of it are one transaction, up to ``MAX_TOLD`` agents; those beyond are
told right afterwards (``app.groups.keeper``), so that no transaction grows with a group. An agent who is not told
because the server ended in between comes back with a new session, and that begins with the present state.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from trunkline.app.asking import Asked, Rules
from trunkline.app.directory import ReferenceBook, present_state
from trunkline.app.hand_out.buffers import returned
from trunkline.app.hand_out.preview import campaign_event, campaign_step
from trunkline.app.records import is_worked
from trunkline.app.rescue import withdrawn
from trunkline.app.stored import PreviewSession
from trunkline.app.view import Decision, View
from trunkline.domain.attempts import AttemptRow, AttemptStep, attempt_row
from trunkline.domain.campaigns import Campaign, CampaignDefinition, CampaignGroup, GroupState
from trunkline.domain.chains import given_back
from trunkline.domain.desk import DeskEntry
from trunkline.domain.enums import GroupStatus, RequestType
from trunkline.domain.events import AnyEvent, CampaignChanged, CampaignStep
from trunkline.domain.group_control import (
    Control,
    ControlRefused,
    Obstacle,
    Progress,
    ServerError,
    Wish,
    controlled,
    news,
    progressed,
    shown_status,
)
from trunkline.domain.objects import ObjectKind
from trunkline.domain.people import Caller, Role
from trunkline.domain.records import Record
from trunkline.errors import Forbidden

MAX_TOLD = 2_000
"""Agents who are told within one transaction: a tenth of a second of everybody's time on a busy PostgreSQL, a third of
that on SQLite."""

MAX_WITHDRAWN = 200
"""Desk entries that one transaction takes back; the next ones go on."""

REQUEST_TYPES: dict[Control, RequestType] = {
    Control.LOAD: RequestType.GROUP_LOAD,
    Control.UNLOAD: RequestType.GROUP_UNLOAD,
    Control.FORCE_UNLOAD: RequestType.GROUP_FORCE_UNLOAD,
    Control.START: RequestType.GROUP_START,
    Control.STOP: RequestType.GROUP_STOP,
    Control.SET_MODE: RequestType.GROUP_MODE,
    Control.COMPLETE: RequestType.GROUP_COMPLETE,
}
"""Number of a wish in the request audit."""


class ControlGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A wish about a group of the asker's contact centre.

    ``devices`` are the devices of the group's agents, by user id, that go out with what they are told.
    """

    campaign_group_id: int
    wish: Wish
    devices: dict[int, str] = {}


class AdvanceGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Let a group go on by itself: one step of its unloading, when it is time for it."""

    campaign_group_id: int
    devices: dict[int, str] = {}


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An agent, and what became of a group for that agent."""

    user_id: int
    what: CampaignStep
    campaign: Campaign


class TellAgents(msgspec.Struct, frozen=True, kw_only=True):
    """Tell agents of the asker's contact centre about groups; at most ``MAX_TOLD`` of them."""

    told: tuple[Told, ...]
    devices: dict[int, str] = {}


async def control_group(view: View, asked: Asked, command: ControlGroup, rules: Rules) -> Decision:
    """Carry out a wish; ``ControlRefused`` says why not. For supervisors, administrators and schedules."""
    caller = asked.caller
    check_may_control(caller)
    campaign = group_of(view.book, caller.contact_centre_id, command.campaign_group_id)
    before = state_of(view.book, campaign)
    obstacle = Obstacle(campaign.obstacle) if campaign.obstacle else None
    after = controlled(before, command.wish, obstacle, view.now_ms)
    return Decision(
        group_states=(after,),
        told=_told(campaign, before, after, command.devices, command.wish.control),
        campaign_id=campaign.campaign_id,
    )


async def advance_group(view: View, asked: Asked, command: AdvanceGroup, rules: Rules) -> Decision:
    """One step of an unloading: decide nothing while agents still work, take back, give back, at last be unloaded.

    Each step in UNLOAD_IN_PROGRESS takes something away or ends it, so it ends.
    """
    campaign = view.book.group(asked.caller.contact_centre_id, command.campaign_group_id)
    if campaign is None:
        return Decision(is_silent=True)
    state = state_of(view.book, campaign)
    if state.status is GroupStatus.RUNNING and state.is_completing:
        if await view.buffer_size(*state.key):
            return Decision(is_silent=True)
        return _gone_on(campaign, state, Progress.BUFFER_EMPTY, view, command.devices)
    if state.status is GroupStatus.WAITING_UNLOAD:
        if await _workers(view, campaign):
            return Decision(is_silent=True)
        return _gone_on(campaign, state, Progress.AGENTS_FINISHED, view, command.devices)
    if state.status is not GroupStatus.UNLOAD_IN_PROGRESS:
        return Decision(is_silent=True)
    taken = await _take_from_desks(view, campaign) or await _write_back(view, campaign)
    if taken is not None:
        return taken
    done = _gone_on(campaign, state, Progress.WRITTEN_BACK, view, command.devices)
    sessions = await view.unit.preview_users(campaign.contact_centre_id, campaign.campaign_id)
    for user_id in sessions:
        if works_in(view.book, campaign, user_id):
            done.preview_sessions[PreviewSession(campaign.contact_centre_id, user_id, campaign.campaign_id)] = False
    return done


async def tell_agents(view: View, asked: Asked, command: TellAgents, rules: Rules) -> Decision:
    """Store what agents are told, so that it is delivered like any event."""
    told = [
        (one.user_id, shown_campaign(one.campaign, one.what, command.devices.get(one.user_id, "")))
        for one in command.told
    ]
    return Decision(told=told, is_silent=True)


def check_may_control(caller: Caller) -> None:
    """Raise ``Forbidden`` unless a supervisor or an administrator asks, or the server itself (see ``inside``)."""
    if caller.user_id and not caller.has_role(Role.SUPERVISOR, Role.ADMINISTRATOR):
        raise Forbidden("this is for supervisors and administrators")


def group_of(book: ReferenceBook, contact_centre_id: int, campaign_group_id: int) -> Campaign:
    """The campaign as the group works it, or ``ControlRefused`` with what is missing."""
    campaign = book.group(contact_centre_id, campaign_group_id)
    if campaign is not None:
        return campaign
    group = book.value(CampaignGroup, contact_centre_id, ObjectKind.CAMPAIGN_GROUP, campaign_group_id)
    if group is None:
        raise ControlRefused(ServerError.CAMPAIGN_GROUP_NOT_FOUND, "there is no campaign group with this id")
    if book.value(CampaignDefinition, contact_centre_id, ObjectKind.CAMPAIGN, group.campaign_id) is None:
        raise ControlRefused(ServerError.CAMPAIGN_NOT_FOUND, "the campaign of this group no longer exists")
    raise ControlRefused(ServerError.GROUP_NOT_FOUND, "the agent group of this group no longer exists")


def state_of(book: ReferenceBook, campaign: Campaign) -> GroupState:
    """Where a group stands as it is stored, or would be if it ever had been loaded."""
    group = book.value(CampaignGroup, campaign.contact_centre_id, ObjectKind.CAMPAIGN_GROUP, campaign.group_id)
    assert group is not None
    return present_state(group, book.group_state(campaign.contact_centre_id, campaign.group_id))


def works_in(book: ReferenceBook, campaign: Campaign, user_id: int) -> bool:
    """True when this is the group in which the agent works on the campaign.

    Who is in several groups of a campaign works in the loaded one.
    """
    best = book.campaign_by_id(campaign.contact_centre_id, campaign.campaign_id, user_id)
    return best is not None and best.group_id == campaign.group_id


def shown_campaign(campaign: Campaign, what: CampaignStep, device_id: str) -> CampaignChanged:
    """What an agent is told of a group that nobody asked about."""
    return campaign_event(campaign, what, device_id=device_id)


def in_state(campaign: Campaign, state: GroupState) -> Campaign:
    """The campaign as the group works it in that state."""
    obstacle = Obstacle(campaign.obstacle) if campaign.obstacle else None
    return msgspec.structs.replace(
        campaign,
        status=shown_status(state.status, obstacle),
        dial_mode=state.dial_mode,
        optimize_by=state.optimize_by,
        optimize_goal=state.optimize_goal,
        is_completing=state.is_completing,
        status_since_ms=state.changed_at_ms,
    )


def changes_between(before: ReferenceBook, after: ReferenceBook) -> dict[int, list[Told]]:
    """What agents are to be told after reference data changed, by contact centre.

    Who came to a loaded group is assigned to it and told its state; for who left one the campaign is unloaded, unless
    another group of the same campaign has the agent. A group that cannot work any more, or can again, stops or starts.
    """
    found: dict[int, list[Told]] = {}
    for centre in after.contact_centres:
        groups = {campaign.group_id: campaign for campaign in before.groups_of(centre)}
        now = {campaign.group_id: campaign for campaign in after.groups_of(centre)}
        told: list[Told] = []
        for group_id in sorted(groups.keys() | now.keys()):
            was, here = groups.get(group_id), now.get(group_id)
            if was != here:
                told += _differences(was, here, after)
        if told:
            found[centre] = told
    return found


def _differences(was: Campaign | None, now: Campaign | None, after: ReferenceBook) -> Iterable[Told]:
    old = was.agents if was is not None and was.status.is_loaded else frozenset()
    new = now.agents if now is not None and now.status.is_loaded else frozenset()
    if was is not None:
        unloaded = msgspec.structs.replace(was, status=GroupStatus.NOT_LOADED)
        kept: set[int] = set()
        for other in after.groups_of(was.contact_centre_id, was.campaign_id):
            if other.status.is_loaded:
                kept |= other.agents
        for user_id in sorted(old - new - kept):
            yield Told(user_id=user_id, what=CampaignStep.UNLOADED, campaign=unloaded)
    if now is None:
        return
    is_new = was is None or not was.status.is_loaded
    for user_id in sorted(new - old):
        if not is_new:
            yield Told(user_id=user_id, what=CampaignStep.ASSIGNED, campaign=now)
        yield Told(user_id=user_id, what=campaign_step(now), campaign=now)
    if was is None:
        return
    for step in _turns(was, now):
        for user_id in sorted(old & new):
            yield Told(user_id=user_id, what=step, campaign=now)


def _turns(was: Campaign, now: Campaign) -> Sequence[CampaignStep]:
    steps = []
    ran, runs = was.status is GroupStatus.RUNNING, now.status is GroupStatus.RUNNING
    if ran != runs:
        steps.append(CampaignStep.STARTED if runs else CampaignStep.STOPPED)
    if was.dial_mode is not now.dial_mode:
        steps.append(CampaignStep.MODE_CHANGED)
    return steps


def _told(
    campaign: Campaign, before: GroupState, after: GroupState, devices: dict[int, str], control: Control | None = None
) -> list[tuple[int, AnyEvent]]:
    """The group's first ``MAX_TOLD`` agents with what they are told."""
    what = news(before, after, control)
    if what is None:
        return []
    present = in_state(campaign, after)
    agents = sorted(campaign.agents)[:MAX_TOLD]
    return [(user_id, shown_campaign(present, what, devices.get(user_id, ""))) for user_id in agents]


def _gone_on(
    campaign: Campaign, before: GroupState, progress: Progress, view: View, devices: dict[int, str]
) -> Decision:
    after = progressed(before, progress, view.now_ms)
    return Decision(
        group_states=(after,),
        told=_told(campaign, before, after, devices),
        preview_sessions={},
        campaign_id=campaign.campaign_id,
        is_silent=True,
    )


async def _workers(view: View, campaign: Campaign) -> list[int]:
    """Agents of the group with records of the campaign on their desks."""
    users = await view.unit.desk_users(campaign.contact_centre_id, campaign.campaign_id)
    return sorted(user_id for user_id in users if works_in(view.book, campaign, user_id))


async def _take_from_desks(view: View, campaign: Campaign) -> Decision | None:
    """Take records of the group from desks, a portion; None when there are none."""
    worked: dict[tuple[int, int, int], list[Record]] = {}
    entries: list[DeskEntry] = []
    notices: list[tuple[DeskEntry, AnyEvent]] = []
    attempts: list[AttemptRow] = []
    for user_id in await _workers(view, campaign):
        for held in await view.desk_of(campaign.contact_centre_id, user_id):
            entry = held.entry
            if entry.campaign_id != campaign.campaign_id:
                continue
            if is_worked(entry, {held.record.chain_n: held.record}):
                worked.setdefault(held.record.key[:3], []).append(held.record)
                attempts.append(_released(campaign, held.record, view.now_ms, entry.attempt_guid, user_id))
            entries.append(entry)
            notice = withdrawn(view, entry)
            if notice is not None:
                notices.append((entry, notice))
        if len(entries) >= MAX_WITHDRAWN:
            break
    if not entries:
        return None
    records = [record for chain in worked.values() for record in given_back(chain)]
    return Decision(
        records=records, off_desk=entries, notices=notices, attempts=attempts, is_silent=True,
        campaign_id=campaign.campaign_id,
    )  # fmt: skip


async def _write_back(view: View, campaign: Campaign) -> Decision | None:
    """Give chains of the group's buffer back to their lists, a portion; None when there are none."""
    given_back = await returned(view, campaign.contact_centre_id, campaign.group_id)
    if not given_back.off_buffer:
        return None
    return Decision(records=given_back.records, off_buffer=given_back.off_buffer, is_silent=True)


def _released(campaign: Campaign, record: Record, at_ms: int, attempt_guid: str, user_id: int) -> AttemptRow:
    return attempt_row(
        record,
        AttemptStep.RELEASED,
        at_ms,
        attempt_guid,
        campaign_id=campaign.campaign_id,
        campaign_group_id=campaign.group_id,
        agent_id=user_id,
        detail={"why": "unloaded"},
    )


def inside(contact_centre_id: int) -> Caller:
    """Who asks in a contact centre when nobody asks: schedules and the server itself."""
    return Caller(contact_centre_id=contact_centre_id, contact_centre_name="", user_id=0, public_id="", user_name="")
