"""The only door to a contact centre's data: find campaign, list, device and record *for this caller*.

Checks run in the documented order (decisions 1): existence, ownership, agreement with the record. Foreign and
unknown answer alike.
"""

from __future__ import annotations

from trunkline.app.ports import Held
from trunkline.app.view import View
from trunkline.domain.campaigns import CallingList, Campaign, CampaignList
from trunkline.domain.commands import Command, RecordCommand
from trunkline.domain.desk import check_may_read, check_may_write
from trunkline.domain.people import Caller
from trunkline.domain.third_party import ThirdParty
from trunkline.errors import InvalidState, NotFound


def campaign_of(view: View, caller: Caller, command: Command) -> Campaign:
    """The campaign that a command names, when the caller is one of its agents.

    Raises ``NotFound`` for an unknown campaign, one of other agents, or a foreign device; ``InvalidState`` when
    the application is not the campaign's.
    """
    if isinstance(caller, ThirdParty):
        return _campaign_of_third_party(view, caller, command.campaign_name)
    campaign = view.book.campaign(caller.contact_centre_id, command.campaign_name, caller.user_id)
    if caller.user_id not in campaign.agents:
        raise NotFound("there is no campaign with this campaignName")
    check_device(caller, command.device_id)
    return campaign


def _campaign_of_third_party(view: View, caller: ThirdParty, name: str) -> Campaign:
    """Any campaign of the contact centre; without a name all of its lists, as one campaign that has no number."""
    centre = caller.contact_centre_id
    if name:
        return view.book.campaign(centre, name)
    lists = tuple(CampaignList(one.list_id) for one in view.book.lists_of(centre))
    return Campaign(contact_centre_id=centre, campaign_id=0, name="", application_id=0, lists=lists)


def check_application(campaign: Campaign, application_id: int) -> None:
    """Raise ``InvalidState`` when the application is not the campaign's; third parties need not name any (0)."""
    if application_id and campaign.application_id != application_id:
        raise InvalidState("applicationId is not the application of this campaign")


def check_device(caller: Caller, device_id: str) -> None:
    """Raise ``NotFound`` unless the device is one of the caller's, ``InvalidState`` when it has none at all."""
    if not caller.devices:
        raise InvalidState("no device is assigned to you")
    if caller.device(device_id) is None:
        raise NotFound("there is no device with this devicePath")


def list_named(view: View, caller: Caller, name: str | None) -> CallingList | None:
    """The list that a command names, None when it names none; ``NotFound`` when it is unknown."""
    return None if name is None else view.book.list_named(caller.contact_centre_id, name)


class Work:
    """A record on the caller's desk with everything that was found on the way to it."""

    __slots__ = ("calling_list", "campaign", "held")

    def __init__(self, campaign: Campaign, calling_list: CallingList, held: Held) -> None:
        self.campaign = campaign
        self.calling_list = calling_list
        self.held = held


async def work_of(view: View, caller: Caller, command: RecordCommand, *, to_read: bool = False) -> Work:
    """The record that a command names, found, owned and agreeing with what else the command says."""
    return await work_on(view, caller, command, command.handle, command.list_name, to_read=to_read)


async def work_on(
    view: View, caller: Caller, command: Command, handle: int, list_name: str | None, *, to_read: bool = False
) -> Work:
    """Like ``work_of`` for commands whose handle is optional."""
    centre = caller.contact_centre_id
    campaign = view.book.campaign(centre, command.campaign_name, caller.user_id)
    named = list_named(view, caller, list_name)
    check_device(caller, command.device_id)
    held = await view.held(centre, handle)
    entry = (check_may_read if to_read else check_may_write)(held.entry if held else None, caller.user_id)
    assert held is not None
    if campaign.campaign_id != entry.campaign_id:
        raise InvalidState("campaignName is not the campaign of this record")
    check_application(campaign, command.application_id)
    if named is not None and named.list_id != entry.list_id:
        raise InvalidState("callingList is not the list of this record")
    calling_list = named or view.book.list_by_id(centre, entry.list_id)
    return Work(campaign, calling_list, held)
