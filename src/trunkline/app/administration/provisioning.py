"""Whole campaigns and lists as the objects that they are kept as."""

from __future__ import annotations

from trunkline.app.reference_data import Provision, User
from trunkline.domain.campaigns import AgentGroup, Campaign, CampaignDefinition, CampaignGroup, GroupState
from trunkline.domain.objects import ObjectKey, ObjectKind, StoredObject
from trunkline.domain.time_zones import usual_aliases


def accounts_of(provision: Provision) -> list[User]:
    """The accounts of a provision, each once: of two with one key the last."""
    users = {(user.caller.contact_centre_id, user.caller.user_id): user for user in provision.users}
    return list(users.values())


def provisioned(provision: Provision) -> tuple[list[StoredObject], list[GroupState]]:
    """Objects and group states of a provision, each once, the last of its kind, by key."""
    objects: dict[ObjectKey, StoredObject] = {}
    states = {state.key: state for state in provision.group_states}
    for calling_list in provision.lists:
        stored = StoredObject(kind=ObjectKind.CALLING_LIST, value=calling_list)
        objects[stored.key] = stored
    for campaign in provision.campaigns:
        objects |= {stored.key: stored for stored in _objects_of(campaign)}
        state = _state_of(campaign)
        states[state.key] = state
    objects |= {stored.key: stored for stored in provision.objects}
    return [objects[key] for key in sorted(objects)], [states[key] for key in sorted(states)]


def usual_objects(contact_centre_id: int) -> list[StoredObject]:
    """What a new contact centre begins with: the usual names and numbers of time zones."""
    return [StoredObject(kind=ObjectKind.TIME_ZONE, value=alias) for alias in usual_aliases(contact_centre_id)]


def _group_id(campaign: Campaign) -> int:
    """The group's number; a campaign that names none has the one group of its own number."""
    return campaign.group_id or campaign.campaign_id


def _objects_of(campaign: Campaign) -> list[StoredObject]:
    centre, group_id = campaign.contact_centre_id, _group_id(campaign)
    agent_group_id = campaign.agent_group_id or group_id
    group_name = campaign.group_name or campaign.name
    definition = CampaignDefinition(
        contact_centre_id=centre,
        campaign_id=campaign.campaign_id,
        name=campaign.name,
        description=campaign.description,
        lists=campaign.lists,
        suppression_scope=campaign.suppression_scope,
        suppression_list_ids=campaign.suppression_list_ids,
        rule_set_id=campaign.rule_set_id,
        hours_from_s=campaign.hours_from_s,
        hours_until_s=campaign.hours_until_s,
        weekdays=campaign.weekdays,
        validation_url=campaign.validation_url,
    )
    agents = AgentGroup(
        contact_centre_id=centre, agent_group_id=agent_group_id, name=group_name, user_ids=campaign.agents
    )
    group = CampaignGroup(
        contact_centre_id=centre,
        campaign_group_id=group_id,
        campaign_id=campaign.campaign_id,
        agent_group_id=agent_group_id,
        name=group_name,
        description=campaign.group_description,
        application_id=campaign.application_id,
        dial_mode=campaign.dial_mode,
        optimize_by=campaign.optimize_by,
        optimize_goal=campaign.optimize_goal,
        min_buffer=campaign.min_buffer,
        opt_buffer=campaign.opt_buffer,
        completes_itself=campaign.completes_itself,
    )
    return [
        StoredObject(kind=ObjectKind.CAMPAIGN, value=definition),
        StoredObject(kind=ObjectKind.AGENT_GROUP, value=agents),
        StoredObject(kind=ObjectKind.CAMPAIGN_GROUP, value=group),
    ]


def _state_of(campaign: Campaign) -> GroupState:
    return GroupState(
        contact_centre_id=campaign.contact_centre_id,
        campaign_group_id=_group_id(campaign),
        status=campaign.status,
        dial_mode=campaign.dial_mode,
        optimize_by=campaign.optimize_by,
        optimize_goal=campaign.optimize_goal,
        changed_at_ms=campaign.status_since_ms,
    )
