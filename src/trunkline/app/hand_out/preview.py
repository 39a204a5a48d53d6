"""Use cases of preview dialing: begin, end, and the next chain, exactly once to one agent."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from trunkline.app.access import Work, campaign_of, check_application
from trunkline.app.asking import Asked, Rules
from trunkline.app.hand_out.next_chain import MAX_CHAINS_EXAMINED, next_chain
from trunkline.app.judging.chains import permitted_row
from trunkline.app.ports import Held, PreviewSession
from trunkline.app.records import record_shown
from trunkline.app.view import Decision, View
from trunkline.domain.campaigns import Campaign, check_may_preview
from trunkline.domain.commands import EndPreview, NextPreview, StartPreview
from trunkline.domain.desk import DeskEntry
from trunkline.domain.enums import GroupStatus
from trunkline.domain.events import Appearance, CampaignChanged, CampaignStep, NothingToPreview
from trunkline.domain.records import Record, RecordKey
from trunkline.errors import InvalidState

MAX_DESK = 500
"""Records on one desk: an agent who never finishes any is a runaway script."""


async def start_preview(view: View, asked: Asked, command: StartPreview, rules: Rules) -> Decision:
    """Begin to take preview records of a campaign; doing it again changes nothing and is acknowledged."""
    campaign = campaign_of(view, asked.caller, command)
    check_application(campaign, command.application_id)
    check_may_preview(campaign)
    session = session_of(campaign, asked)
    return Decision(
        events=(campaign_changed(asked, campaign, CampaignStep.PREVIEW_STARTED),),
        preview_sessions={session: True},
        campaign_id=campaign.campaign_id,
    )


async def end_preview(view: View, asked: Asked, command: EndPreview, rules: Rules) -> Decision:
    """Stop taking preview records; what lies on the desk stays there."""
    campaign = campaign_of(view, asked.caller, command)
    check_application(campaign, command.application_id)
    session = session_of(campaign, asked)
    if not await view.has_preview_session(session):
        raise InvalidState("there is no preview session for this campaign")
    return Decision(
        events=(campaign_changed(asked, campaign, CampaignStep.PREVIEW_ENDED),),
        preview_sessions={session: False},
        campaign_id=campaign.campaign_id,
    )


async def next_preview(view: View, asked: Asked, command: NextPreview, rules: Rules) -> Decision:
    """Hand out the next chain that may be called now, or say that there is none.

    Records that the do-not-call list names are taken out of dialing on the way (outbound domain 6); when there are
    too many of them for one transaction the decision is unfinished.
    """
    campaign = campaign_of(view, asked.caller, command)
    check_application(campaign, command.application_id)
    check_may_preview(campaign)
    if view.chains_examined >= MAX_CHAINS_EXAMINED:
        return Decision(is_unfinished=True)
    if not await view.has_preview_session(session_of(campaign, asked)):
        raise InvalidState("StartPreviewSession comes first: there is no preview session for this campaign")
    centre, user_id = asked.caller.contact_centre_id, asked.caller.user_id
    if len(await view.desk_of(centre, user_id)) >= MAX_DESK:
        raise InvalidState(f"there are {MAX_DESK} records on your desk; finish some first")
    found = await next_chain(view, asked, campaign, rules)
    changed = list(found.changed.values())
    chosen = found.chosen
    if chosen is None:
        if found.is_unfinished:
            return Decision(records=changed, off_buffer=found.off_buffer, attempts=found.attempts, is_unfinished=True)
        event = NothingToPreview(**asked.base(), application_id=campaign.application_id, campaign_name=campaign.name)
        return Decision(
            events=(event,),
            records=changed,
            off_buffer=found.off_buffer,
            attempts=found.attempts,
            campaign_id=campaign.campaign_id,
        )
    calling_list = view.book.list_by_id(centre, chosen.list_id)
    entries = await hand_out(view, asked, campaign, found.chain, rules, found.permitted)
    entry = next(one for one in entries if one.record_key == chosen.key)
    work = Work(campaign, calling_list, Held(entry, chosen))
    return Decision(
        events=(record_shown(view, asked, work, entry, chosen, Appearance.PREVIEW),),
        records=changed,
        desk=entries,
        off_buffer=found.off_buffer,
        attempts=[*found.attempts, permitted_row(view, asked, campaign, entry, chosen)],
        list_id=chosen.list_id,
        campaign_id=campaign.campaign_id,
        handle=entry.handle,
    )


async def hand_out(
    view: View,
    asked: Asked,
    campaign: Campaign,
    chain: list[Record],
    rules: Rules,
    permitted: Collection[RecordKey],
    lease_ms: int | None = None,
) -> list[DeskEntry]:
    """Desk entries under fresh handles for a whole chain, closed siblings included so that they can be read.

    ``permitted`` are the records that every rule lets go. ``lease_ms`` None is the usual lease.
    """
    until_ms = view.now_ms + (rules.lease_ms if lease_ms is None else lease_ms)
    handles, _, _ = await view.unit.take_numbers(handles=len(chain))
    guid = rules.chance.uuid()
    return [
        DeskEntry(
            contact_centre_id=record.contact_centre_id,
            handle=handle,
            list_id=record.list_id,
            chain_id=record.chain_id,
            chain_n=record.chain_n,
            user_id=asked.caller.user_id,
            device_id=asked.device_id,
            campaign_id=campaign.campaign_id,
            attempt_guid=guid,
            lease_until_ms=until_ms,
            permitted_at_ms=view.now_ms if record.key in permitted else 0,
        )
        for handle, record in zip(handles, chain, strict=True)
    ]


def session_of(campaign: Campaign, asked: Asked) -> PreviewSession:
    """Key of the caller's preview session in a campaign."""
    return PreviewSession(campaign.contact_centre_id, asked.caller.user_id, campaign.campaign_id)


def campaign_changed(asked: Asked, campaign: Campaign, what: CampaignStep) -> CampaignChanged:
    """What befell a campaign, or the caller in it."""
    return campaign_event(campaign, what, **asked.base())


def campaign_event(campaign: Campaign, what: CampaignStep, **base: Any) -> CampaignChanged:
    """The event about a campaign; ``base`` is what all events have (device, and for answers the request)."""
    return CampaignChanged(
        **base,
        what=what,
        application_id=campaign.application_id,
        campaign_name=campaign.name,
        description=campaign.description,
        group_name=campaign.group_name,
        group_description=campaign.group_description,
        dial_mode=campaign.dial_mode,
        is_running=campaign.status is GroupStatus.RUNNING,
    )


def campaign_step(campaign: Campaign) -> CampaignStep:
    """Which event tells the present state of a loaded campaign."""
    return CampaignStep.STARTED if campaign.status is GroupStatus.RUNNING else CampaignStep.LOADED
