"""Use cases about the agent: log in, log out, change state, ask for campaigns."""

from __future__ import annotations

import msgspec

from trunkline.app.access import campaign_of, check_application, check_device
from trunkline.app.asking import Asked, Rules
from trunkline.app.hand_out.preview import campaign_changed, campaign_step
from trunkline.app.ports import AgentSession
from trunkline.app.view import Decision, View
from trunkline.contract.refusals import NoCampaignLoaded
from trunkline.domain.commands import (
    ChangeState,
    ContinueProcessing,
    EndSession,
    LogOut,
    ReadCampaigns,
    ReadyTime,
    StartSession,
)
from trunkline.domain.desk import DeskEntry, touched
from trunkline.domain.events import AgentAcknowledged, DeviceStateChanged, MayLogOut
from trunkline.errors import InvalidState

LOGGED_OUT = "Offline"
"""Name of the state of an agent who is not logged in."""


async def start_session(view: View, asked: Asked, command: StartSession, rules: Rules) -> Decision:
    """Log the agent in; doing it again keeps the session. Records left on the desk get their full lease back."""
    check_device(asked.caller, command.device_id)
    centre, user_id = asked.caller.contact_centre_id, asked.caller.user_id
    session = await view.agent_session(centre, user_id)
    if session is None or session.device_id != command.device_id:
        session = AgentSession(
            contact_centre_id=centre,
            user_id=user_id,
            device_id=command.device_id,
            state_name=command.state_name,
            started_at_ms=view.now_ms,
            place=command.place,
        )
    return Decision(
        events=(_state_changed(asked, session.device_id, session.state_name),),
        desk=await _renewed(view, asked, rules),
        agent_session=(centre, user_id, session),
    )


async def end_session(view: View, asked: Asked, command: EndSession, rules: Rules) -> Decision:
    """Log the agent out: preview sessions end, what lies on the desk stays for the grace time (decisions 5)."""
    centre, user_id = asked.caller.contact_centre_id, asked.caller.user_id
    session = await view.agent_session(centre, user_id)
    previews = await view.preview_sessions(centre, user_id)
    device_id = session.device_id if session else asked.device_id
    return Decision(
        events=(_state_changed(asked, device_id, LOGGED_OUT),),
        desk=await _expiring(view, asked, rules, None),
        preview_sessions=dict.fromkeys(previews, False),
        agent_session=(centre, user_id, None),
    )


async def change_state(view: View, asked: Asked, command: ChangeState, rules: Rules) -> Decision:
    """Set Ready, NotReady, AfterCallWork or AuxWork; ``InvalidState`` before the log-in."""
    centre, user_id = asked.caller.contact_centre_id, asked.caller.user_id
    session = await view.agent_session(centre, user_id)
    if session is None:
        raise InvalidState("StartContactCenterSession comes first: you are not logged in")
    session = msgspec.structs.replace(session, state_name=command.state_name)
    return Decision(
        events=(_state_changed(asked, session.device_id, session.state_name),),
        agent_session=(centre, user_id, session),
    )


async def log_out(view: View, asked: Asked, command: LogOut, rules: Rules) -> Decision:
    """Leave one campaign: its preview session ends, its records stay on the desk for the grace time.

    The agent is told when nothing of the campaign holds it any longer: at once, or when the grace time ends.
    """
    campaign = campaign_of(view, asked.caller, command)
    check_application(campaign, command.application_id)
    previews = await view.preview_sessions(asked.caller.contact_centre_id, asked.caller.user_id)
    left = await _expiring(view, asked, rules, campaign.campaign_id)
    free_ms = max((entry.lease_until_ms or 0 for entry in left), default=view.now_ms)
    may_log_out = MayLogOut(
        **asked.base(), application_id=command.application_id, campaign_name=campaign.name, at_s=-(-free_ms // 1000)
    )
    return Decision(
        events=(_acknowledged(asked, command.application_id, campaign.name), may_log_out),
        desk=left,
        preview_sessions={p: False for p in previews if p.campaign_id == campaign.campaign_id},
        campaign_id=campaign.campaign_id,
    )


async def ready_time(view: View, asked: Asked, command: ReadyTime, rules: Rules) -> Decision:
    """Keep the agent's estimate in the audit; acknowledge."""
    campaign = campaign_of(view, asked.caller, command)
    check_application(campaign, command.application_id)
    event = _acknowledged(asked, command.application_id, campaign.name)
    return Decision(events=(event,), campaign_id=campaign.campaign_id)


async def continue_processing(view: View, asked: Asked, command: ContinueProcessing, rules: Rules) -> Decision:
    """Renew the lease of what lies on the desk; acknowledge."""
    campaign = campaign_of(view, asked.caller, command)
    check_application(campaign, command.application_id)
    event = _acknowledged(asked, command.application_id, campaign.name)
    desk = await _renewed(view, asked, rules)
    return Decision(events=(event,), desk=desk, campaign_id=campaign.campaign_id)


async def read_campaigns(view: View, asked: Asked, command: ReadCampaigns, rules: Rules) -> Decision:
    """One event for each loaded campaign of the agent; ``NoCampaignLoaded`` when there is none (decisions 2)."""
    check_device(asked.caller, command.device_id)
    campaigns = view.book.campaigns_of(asked.caller.contact_centre_id, asked.caller.user_id)
    if command.campaign_name is not None:
        campaigns = [c for c in campaigns if c.name == command.campaign_name]
    if command.application_id is not None:
        campaigns = [c for c in campaigns if c.application_id == command.application_id]
    if not campaigns:
        raise NoCampaignLoaded
    return Decision(events=[campaign_changed(asked, campaign, campaign_step(campaign)) for campaign in campaigns])


def _acknowledged(asked: Asked, application_id: int, campaign_name: str) -> AgentAcknowledged:
    return AgentAcknowledged(
        **asked.base(), what=asked.request_type, application_id=application_id, campaign_name=campaign_name
    )


def _state_changed(asked: Asked, device_id: str, state_name: str) -> DeviceStateChanged:
    device = asked.caller.device(device_id)
    base = {**asked.base(), "device_id": device_id}
    return DeviceStateChanged(
        **base,  # type: ignore[arg-type]
        state_name=state_name,
        phone_number=device.phone_number if device else "",
    )


async def _renewed(view: View, asked: Asked, rules: Rules) -> list[DeskEntry]:
    """The caller's entries with their full lease."""
    held = await view.desk_of(asked.caller.contact_centre_id, asked.caller.user_id)
    return [touched(h.entry, view.now_ms, rules.lease_ms) for h in held if h.entry.lease_until_ms is not None]


async def _expiring(view: View, asked: Asked, rules: Rules, campaign_id: int | None) -> list[DeskEntry]:
    """The caller's entries (of one campaign) with the grace time left; demo entries never expire."""
    until_ms = view.now_ms + rules.grace_ms
    held = await view.desk_of(asked.caller.contact_centre_id, asked.caller.user_id)
    return [
        msgspec.structs.replace(h.entry, lease_until_ms=min(until_ms, h.entry.lease_until_ms))
        for h in held
        if h.entry.lease_until_ms is not None and campaign_id in (None, h.entry.campaign_id)
    ]
