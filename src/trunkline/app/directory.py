"""Reference data in memory: objects of every kind, found by number or name without a query.

Campaigns as the engine reads them are made here, of the campaign, its group, the agents of that group and its state.
The writer replaces the whole book when the store's version moved on; a request works with one book from its first
check to its last.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from trunkline.app.reference_data import Directory
from trunkline.domain.campaigns import (
    AgentGroup,
    CallingList,
    Campaign,
    CampaignDefinition,
    CampaignGroup,
    Format,
    GroupState,
)
from trunkline.domain.enums import GroupStatus
from trunkline.domain.group_control import obstacle_of, shown_status
from trunkline.domain.objects import ObjectKey, ObjectKind, ObjectValue, StoredObject
from trunkline.domain.suppression import SuppressionList
from trunkline.errors import NotFound

V = TypeVar("V", bound=ObjectValue)


class ReferenceBook:
    """An indexed, unchanging ``Directory``."""

    def __init__(self, directory: Directory) -> None:
        self.version = directory.version
        self.contact_centres = directory.contact_centres
        self._directory = directory
        self._objects: dict[ObjectKey, StoredObject] = {stored.key: stored for stored in directory.objects}
        self._named = {(o.contact_centre_id, o.kind, o.value.name): o for o in directory.objects}
        self._states = {state.key: state for state in directory.group_states}
        self._lists_by_id = {(one.contact_centre_id, one.list_id): one for one in self._resolved_lists()}
        self._lists = {(one.contact_centre_id, one.name): one for one in self._lists_by_id.values()}
        self._suppression_lists = [o.value for o in directory.objects if isinstance(o.value, SuppressionList)]
        self._groups: dict[tuple[int, int], Campaign] = {}
        self._campaigns: dict[tuple[int, str], list[Campaign]] = {}
        self._campaigns_by_id: dict[tuple[int, int], list[Campaign]] = {}
        for campaign in self._resolved_campaigns():
            centre = campaign.contact_centre_id
            self._groups[centre, campaign.group_id] = campaign
            self._campaigns.setdefault((centre, campaign.name), []).append(campaign)
            self._campaigns_by_id.setdefault((centre, campaign.campaign_id), []).append(campaign)

    def with_states(self, states: Iterable[GroupState]) -> ReferenceBook:
        """The book after groups changed state."""
        merged = {**self._states, **{state.key: state for state in states}}
        return ReferenceBook(msgspec.structs.replace(self._directory, group_states=tuple(merged.values())))

    def with_object(self, stored: StoredObject) -> ReferenceBook:
        """The book with one object more, or another version of one. Cost: that of a new book."""
        objects = {**self._objects, stored.key: stored}
        changed = msgspec.structs.replace(self._directory, version=self.version + 1, objects=tuple(objects.values()))
        return ReferenceBook(changed)

    def group_state(self, contact_centre_id: int, campaign_group_id: int) -> GroupState | None:
        """Where a group stands as it is stored; None for one that never was loaded."""
        return self._states.get((contact_centre_id, campaign_group_id))

    @property
    def group_states(self) -> Iterable[GroupState]:
        """Where the groups stand that were ever loaded."""
        return self._states.values()

    # Objects

    def objects_of(self, contact_centre_id: int, kind: ObjectKind) -> list[StoredObject]:
        """All objects of a kind, by number."""
        found = [o for o in self._objects.values() if o.kind is kind and o.contact_centre_id == contact_centre_id]
        return sorted(found, key=lambda stored: stored.object_id)

    def object(self, contact_centre_id: int, kind: ObjectKind, object_id: int) -> StoredObject | None:
        """An object by its number, or None."""
        return self._objects.get((contact_centre_id, kind, object_id))

    def object_named(self, contact_centre_id: int, kind: ObjectKind, name: str) -> StoredObject | None:
        """An object by its name, or None."""
        return self._named.get((contact_centre_id, kind, name))

    def value(self, struct: type[V], contact_centre_id: int, kind: ObjectKind, object_id: int | None) -> V | None:
        """The struct of an object; None for None and for what does not exist."""
        stored = None if object_id is None else self._objects.get((contact_centre_id, kind, object_id))
        return stored.value if stored is not None and isinstance(stored.value, struct) else None

    def skills_of(self, contact_centre_id: int) -> dict[int, dict[int, int]]:
        """Levels by skill of those users who have any."""
        found = self._directory.skills.items()
        return {user_id: skills for (centre, user_id), skills in found if centre == contact_centre_id}

    # Campaigns and lists as the engine reads them

    def campaign(self, contact_centre_id: int, name: str, user_id: int | None = None) -> Campaign:
        """The campaign of that name, or ``NotFound``; of its groups the one that the user works in (see ``_best``)."""
        groups = self._campaigns.get((contact_centre_id, name))
        if not groups:
            raise NotFound("there is no campaign with this campaignName")
        return _best(groups, user_id)

    def campaign_by_id(self, contact_centre_id: int, campaign_id: int, user_id: int | None = None) -> Campaign | None:
        """The campaign of that id, or None when it was deleted since; of its groups as ``campaign``."""
        groups = self._campaigns_by_id.get((contact_centre_id, campaign_id))
        return _best(groups, user_id) if groups else None

    def group(self, contact_centre_id: int, campaign_group_id: int) -> Campaign | None:
        """A campaign as that group works it, or None."""
        return self._groups.get((contact_centre_id, campaign_group_id))

    def groups_of(self, contact_centre_id: int, campaign_id: int | None = None) -> list[Campaign]:
        """Campaigns as their groups work them, those of one campaign or all, by the group's number."""
        found = [
            campaign
            for (centre, _), campaign in self._groups.items()
            if centre == contact_centre_id and campaign_id in (None, campaign.campaign_id)
        ]
        return sorted(found, key=lambda campaign: campaign.group_id)

    def groups_with_list(self, contact_centre_id: int, list_id: int) -> list[Campaign]:
        """Campaigns that have the list, as their groups work them."""
        return [campaign for campaign in self.groups_of(contact_centre_id) if campaign.has_list(list_id)]

    def list_named(self, contact_centre_id: int, name: str) -> CallingList:
        """The calling list of that name, or ``NotFound``."""
        found = self._lists.get((contact_centre_id, name))
        if found is None:
            raise NotFound("there is no calling list with this callingList")
        return found

    def list_by_id(self, contact_centre_id: int, list_id: int) -> CallingList:
        """The calling list of that id; ``NotFound`` when it was deleted since."""
        found = self._lists_by_id.get((contact_centre_id, list_id))
        if found is None:
            raise NotFound("the calling list of this record no longer exists")
        return found

    def campaigns_of(self, contact_centre_id: int, user_id: int) -> list[Campaign]:
        """The loaded campaigns that the user is an agent of, by name."""
        mine = [
            campaign
            for campaign in self._groups.values()
            if campaign.contact_centre_id == contact_centre_id
            and user_id in campaign.agents
            and campaign.status.is_loaded
        ]
        return sorted(mine, key=lambda campaign: (campaign.name, campaign.group_id))

    def lists_of(self, contact_centre_id: int) -> list[CallingList]:
        """All calling lists of a contact centre, by name."""
        mine = [entry for (centre, _), entry in self._lists.items() if centre == contact_centre_id]
        return sorted(mine, key=lambda entry: entry.name)

    def suppression_list_ids(self, contact_centre_id: int, campaign: Campaign | None) -> tuple[int, ...]:
        """The suppression lists that apply to a campaign besides the contact centre's own: required and named ones."""
        named = () if campaign is None else campaign.suppression_list_ids
        return tuple(
            entry.suppression_list_id
            for entry in self._suppression_lists
            if entry.contact_centre_id == contact_centre_id
            and entry.is_enabled
            and (entry.is_required or entry.suppression_list_id in named)
        )

    def _resolved_lists(self) -> Iterable[CallingList]:
        for stored in self._objects.values():
            value = stored.value
            if isinstance(value, CallingList):
                used = self.value(Format, value.contact_centre_id, ObjectKind.FORMAT, value.format_id)
                yield value if used is None else msgspec.structs.replace(value, fields=used.fields)

    def _resolved_campaigns(self) -> Iterable[Campaign]:
        skilled: dict[int, list[tuple[int, dict[int, int]]]] = {}
        for (centre, user_id), skills in self._directory.skills.items():
            skilled.setdefault(centre, []).append((user_id, skills))
        for stored in self._objects.values():
            group = stored.value
            if not isinstance(group, CampaignGroup):
                continue
            centre = group.contact_centre_id
            campaign = self.value(CampaignDefinition, centre, ObjectKind.CAMPAIGN, group.campaign_id)
            agents = self.value(AgentGroup, centre, ObjectKind.AGENT_GROUP, group.agent_group_id)
            if campaign is not None and agents is not None:
                members = _members(agents, skilled.get(centre, []))
                state = self._states.get((centre, group.campaign_group_id))
                yield resolved(campaign, group, agents, members, state, self._lists_by_id)


def _best(groups: list[Campaign], user_id: int | None) -> Campaign:
    """Of a campaign's groups one that the user is in, a loaded one if possible; without a user the loaded one."""
    return max(groups, key=lambda group: (user_id in group.agents, group.status.is_loaded, -group.group_id))


def _members(agents: AgentGroup, skilled: list[tuple[int, dict[int, int]]]) -> frozenset[int]:
    if not agents.is_enabled:
        return frozenset()
    if not agents.skills:
        return agents.user_ids
    able = {
        user_id
        for user_id, skills in skilled
        if all(skills.get(wanted.skill_id, 0) >= wanted.at_least for wanted in agents.skills)
    }
    return agents.user_ids | able


def present_state(group: CampaignGroup, state: GroupState | None) -> GroupState:
    """Where a group stands; one that is not loaded has the mode and goal that it will be loaded with."""
    if state is not None and state.status is not GroupStatus.NOT_LOADED:
        return state
    return msgspec.structs.replace(
        state or GroupState(contact_centre_id=group.contact_centre_id, campaign_group_id=group.campaign_group_id),
        dial_mode=group.dial_mode,
        optimize_by=group.optimize_by,
        optimize_goal=group.optimize_goal,
    )


def resolved(
    campaign: CampaignDefinition,
    group: CampaignGroup,
    agents: AgentGroup,
    members: frozenset[int],
    state: GroupState | None,
    lists: dict[tuple[int, int], CallingList],
) -> Campaign:
    """A campaign as one of its groups works it. ``lists`` are all there are, by contact centre and id."""
    present = present_state(group, state)
    obstacle = obstacle_of(
        is_enabled=campaign.is_enabled and group.is_enabled and agents.is_enabled,
        lists=campaign.lists,
        known={e.list_id: one for e in campaign.lists if (one := lists.get((group.contact_centre_id, e.list_id)))},
        agents=len(members),
        dial_mode=present.dial_mode,
    )
    return Campaign(
        contact_centre_id=campaign.contact_centre_id,
        campaign_id=campaign.campaign_id,
        name=campaign.name,
        application_id=group.application_id,
        description=campaign.description,
        group_id=group.campaign_group_id,
        group_name=group.name,
        group_description=group.description,
        agent_group_id=agents.agent_group_id,
        dial_mode=present.dial_mode,
        optimize_by=present.optimize_by,
        optimize_goal=present.optimize_goal,
        min_buffer=group.min_buffer,
        opt_buffer=group.opt_buffer,
        completes_itself=group.completes_itself,
        status=shown_status(present.status, obstacle),
        status_since_ms=present.changed_at_ms,
        is_completing=present.is_completing,
        loaded_at_ms=present.loaded_at_ms,
        obstacle="" if obstacle is None else obstacle.value,
        suppression_scope=campaign.suppression_scope,
        suppression_list_ids=campaign.suppression_list_ids,
        rule_set_id=campaign.rule_set_id,
        hours_from_s=campaign.hours_from_s,
        hours_until_s=campaign.hours_until_s,
        weekdays=campaign.weekdays,
        validation_url=campaign.validation_url,
        lists=campaign.lists,
        agents=members,
        is_enabled=campaign.is_enabled and group.is_enabled,
    )
