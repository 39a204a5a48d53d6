"""Requests of third parties: the use cases of agents, for records on any desk, in any list, of one contact centre.

What is about a record on a desk is carried out in the name of the agent it lies with, by the same use case that serves
the agent; the agent is told, because the record changed or went without its doing. What names no campaign means the
whole contact centre. Source: outbound domain 2.1, 3.2 (RecordCancel), 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from trunkline.app import contacts, records
from trunkline.app.asking import Asked, Rules
from trunkline.app.rescue import withdrawn
from trunkline.app.view import Decision, View
from trunkline.app.writer import Handler
from trunkline.domain import commands
from trunkline.domain.desk import DeskEntry
from trunkline.domain.enums import Door
from trunkline.domain.events import AnyEvent, RecordAcknowledged
from trunkline.domain.people import Caller, Device
from trunkline.domain.permissions import Permission, check_permission
from trunkline.domain.third_party import ThirdParty, ThirdPartyRequest
from trunkline.errors import InvalidState, MissingParameter, NotFound

_USE_CASES: dict[type, Handler] = {
    commands.UpdateRecord: records.update_record,
    commands.CompleteRecord: records.complete_record,
    commands.RescheduleRecord: records.reschedule_record,
    commands.CancelRecord: contacts.cancel_record,
    commands.SuppressContact: contacts.suppress_contact,
    commands.AddRecord: contacts.add_record,
}


async def third_party_request(view: View, asked: Asked, command: ThirdPartyRequest, rules: Rules) -> Decision:
    """Carry out a request of somebody who is no agent of the campaign."""
    check_permission(Permission.SUPERVISE, asked.caller)
    if command.handle is not None:
        return await _on_desk(view, asked, command.command, command.handle, rules)
    inner: Any = command.command
    if isinstance(inner, commands.AddRecord) and inner.record_type.is_personal and command.agent is None:
        raise MissingParameter("GSW_AGENT_ID is required: a personal record is somebody's")
    caller = ThirdParty(**msgspec.structs.asdict(command.agent or asked.caller))
    decision = await _use_case(inner)(view, msgspec.structs.replace(asked, caller=caller, command=inner), inner, rules)
    return _in_the_name_of(asked, decision)


async def _on_desk(view: View, asked: Asked, inner: Any, handle: int, rules: Rules) -> Decision:
    """A request about a record that lies on somebody's desk; raises ``NotFound`` when it lies on none."""
    centre = asked.caller.contact_centre_id
    held = await view.held(centre, handle)
    campaign = None if held is None else view.book.campaign_by_id(centre, held.entry.campaign_id, held.entry.user_id)
    if held is None or campaign is None:
        raise NotFound("there is no record with this handle on a desk")
    entry = held.entry
    if inner.campaign_name and inner.campaign_name != campaign.name:
        view.book.campaign(centre, inner.campaign_name)
        raise InvalidState("GSW_CAMPAIGN_NAME is not the campaign of this record")
    inner = msgspec.structs.replace(
        inner,
        campaign_name=campaign.name,
        application_id=inner.application_id or campaign.application_id,
        device_id=entry.device_id,
    )
    caller = asked.caller
    owner = Caller(
        contact_centre_id=centre,
        contact_centre_name=caller.contact_centre_name,
        user_id=entry.user_id,
        public_id="",
        user_name="",
        devices=(Device(entry.device_id, ""),),
    )
    decision = await _use_case(inner)(view, msgspec.structs.replace(asked, caller=owner, command=inner), inner, rules)
    decision = _in_the_name_of(asked, decision)
    if isinstance(inner, commands.UpdateRecord):
        return _with_notices(decision, [(entry, told) for told in _as_news(decision.events)])
    was_settled = {one.handle: one.is_settled for one in await view.entries_of_chain(*entry.record_key[:3])}
    gone = [*decision.off_desk, *(one for one in decision.desk if one.is_settled)]
    fresh = [one for one in gone if not was_settled.get(one.handle, False)]
    return _with_notices(decision, [(one, event) for one in fresh if (event := withdrawn(view, one)) is not None])


def _use_case(inner: object) -> Handler:
    return _USE_CASES[type(inner)]


def _in_the_name_of(asked: Asked, decision: Decision) -> Decision:
    """The decision with the third party as whoever entered what it adds to the do-not-call list."""
    entered = [msgspec.structs.replace(one, added_by=asked.caller.user_id) for one in decision.suppressions]
    return msgspec.structs.replace(decision, suppressions=entered)


def _with_notices(decision: Decision, notices: Sequence[tuple[DeskEntry, AnyEvent]]) -> Decision:
    return msgspec.structs.replace(decision, notices=[*decision.notices, *notices])


def _as_news(events: Sequence[AnyEvent]) -> list[AnyEvent]:
    """Acknowledgements as an agent gets them who did not ask."""
    return [
        msgspec.structs.replace(event, door=Door.INSIDE, reference=None)
        for event in events
        if isinstance(event, RecordAcknowledged)
    ]
