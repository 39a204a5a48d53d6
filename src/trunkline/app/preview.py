"""Use cases of preview dialing: begin, end, and the next chain, exactly once to one agent."""

from __future__ import annotations

import msgspec

from trunkline.app.access import Work, campaign_of, check_application
from trunkline.app.asking import Asked, Rules
from trunkline.app.ports import Held, PreviewSession, Search
from trunkline.app.records import record_shown
from trunkline.app.view import Decision, View
from trunkline.domain.campaigns import CallingList, Campaign, check_may_preview
from trunkline.domain.commands import EndPreview, NextPreview, StartPreview
from trunkline.domain.desk import DeskEntry
from trunkline.domain.enums import CallResult, GroupStatus, RecordStatus, RecordType
from trunkline.domain.events import Appearance, CampaignChanged, CampaignStep, NothingToPreview
from trunkline.domain.records import Happening, Record, is_open, moved
from trunkline.domain.validation import permits
from trunkline.errors import InvalidState

MAX_CHAINS_EXAMINED = 50
"""Chains that the requests of one transaction together may examine in vain, because do-not-call removes one after the
other; whoever has not found any goes on in the next transaction. Everybody waits for a transaction: with 50 it takes
a tenth of a second on a busy machine, and larger ones would not be faster a chain."""

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
    found = await _next_chain(view, campaign, user_id, rules)
    chosen, blocked = found.chosen, found.blocked
    if chosen is None:
        if found.is_unfinished:
            return Decision(records=blocked, is_unfinished=True)
        event = NothingToPreview(**asked.base(), application_id=campaign.application_id, campaign_name=campaign.name)
        return Decision(events=(event,), records=blocked, campaign_id=campaign.campaign_id)
    records = found.chain
    calling_list = view.book.list_by_id(centre, chosen.list_id)
    taken = [moved(r, Happening.TAKEN, campaign_id=campaign.campaign_id) if is_open(r.status) else r for r in records]
    entries = await hand_out(view, asked, campaign, taken, rules)
    at = next(i for i, record in enumerate(taken) if record.key == chosen.key)
    work = Work(campaign, calling_list, Held(entries[at], taken[at]))
    unchanged = {record.key for record, was in zip(taken, records, strict=True) if record is was}
    return Decision(
        events=(record_shown(view, asked, work, entries[at], taken[at], Appearance.PREVIEW),),
        records=[*blocked, *(record for record in taken if record.key not in unchanged)],
        desk=entries,
        list_id=chosen.list_id,
        campaign_id=campaign.campaign_id,
        handle=entries[at].handle,
    )


class _Found(msgspec.Struct):
    """What a search came to: the callable record with its chain, or none; and the do-not-call hits on the way."""

    blocked: list[Record]
    chosen: Record | None = None
    chain: list[Record] = []
    is_unfinished: bool = False


async def _next_chain(view: View, campaign: Campaign, user_id: int, rules: Rules) -> _Found:
    """The next callable record and its chain.

    Unfinished searches come to an end: the first search of a transaction has the whole limit, and is only then
    unfinished when a chain that it met has changed and will not be found again. The later ones have their turn in
    one of the next transactions.
    """
    centre = campaign.contact_centre_id
    lists = {list_id: view.book.list_by_id(centre, list_id) for list_id in campaign.open_lists()}
    search = Search(
        contact_centre_id=centre,
        list_ids=tuple(lists),
        max_attempts={list_id: entry.max_attempts for list_id, entry in lists.items()},
        user_id=user_id,
        now_s=view.now_s,
    )
    found = _Found([])
    is_nearer = view.chains_examined > 0
    while view.chains_examined < MAX_CHAINS_EXAMINED:
        record = await view.next_record(search)
        if record is None:
            return found
        chain = await view.chain(centre, record.list_id, record.chain_id)
        hits = await view.suppressed(campaign, chain)
        now_blocked = {r.key: out_of_dialing(r) for r in chain if r.key in hits and is_open(r.status)}
        found.blocked.extend(now_blocked.values())
        left = [now_blocked.get(r.key, r) for r in chain]
        callable_now = (r for r in left if is_callable(r, lists[r.list_id], user_id, view.now_s))
        # Asked last, about what nothing else holds back: the answer of somebody else's server costs a question.
        found.chosen = next((r for r in callable_now if permits(rules.validation(campaign, lists[r.list_id], r))), None)
        if found.chosen is not None:
            found.chain = left
            return found
        view.chains_examined += 1
        is_nearer = is_nearer or record not in left
        passed = search.passed_over | {(record.list_id, record.chain_id)}
        search = msgspec.structs.replace(search, passed_over=passed)
    found.is_unfinished = is_nearer
    return found


def out_of_dialing(record: Record) -> Record:
    """The record after a do-not-call hit before dialing."""
    return moved(record, Happening.DO_NOT_CALL, record_type=RecordType.NO_CALL, call_result=CallResult.DO_NOT_CALL)


def is_callable(record: Record, calling_list: CallingList, user_id: int, now_s: int) -> bool:
    """True when this record itself may be called now by this agent (outbound domain 2.5)."""
    return (
        record.status is RecordStatus.READY
        and record.phone_type.is_dialable
        and record.record_type is not RecordType.NO_CALL
        and (record.due_at_s is None or record.due_at_s <= now_s)
        and record.attempts < calling_list.max_attempts
        and (not record.record_type.is_personal or record.agent_id == user_id)
        and record.window.is_open(now_s)
    )


async def hand_out(view: View, asked: Asked, campaign: Campaign, chain: list[Record], rules: Rules) -> list[DeskEntry]:
    """Desk entries under fresh handles for a whole chain, closed siblings included so that they can be read."""
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
            lease_until_ms=view.now_ms + rules.lease_ms,
        )
        for handle, record in zip(handles, chain, strict=True)
    ]


def session_of(campaign: Campaign, asked: Asked) -> PreviewSession:
    """Key of the caller's preview session in a campaign."""
    return PreviewSession(campaign.contact_centre_id, asked.caller.user_id, campaign.campaign_id)


def campaign_changed(asked: Asked, campaign: Campaign, what: CampaignStep) -> CampaignChanged:
    """What befell a campaign, or the caller in it."""
    return CampaignChanged(
        **asked.base(),
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
