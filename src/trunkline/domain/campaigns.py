"""Calling lists, campaigns and their groups as the rules see them."""

from __future__ import annotations

import msgspec

from trunkline.domain.enums import DialMode, GroupStatus, RecordType, SuppressionScope
from trunkline.errors import InvalidState


class ListField(msgspec.Struct, frozen=True, kw_only=True):
    """A custom field of a list's format.

    ``is_sent`` says whether the field travels to agents (``send_attribute`` of the original).
    """

    name: str
    is_sent: bool = True
    is_read_only: bool = False
    is_mandatory: bool = False


class CallingList(msgspec.Struct, frozen=True, kw_only=True):
    """A calling list. ``default_region`` is a two-letter country code for numbers without one."""

    contact_centre_id: int
    list_id: int
    name: str
    from_s: int = 0
    until_s: int = 86_400
    max_attempts: int = 10
    default_time_zone: str = "UTC"
    default_region: str = "US"
    refuses_duplicates: bool = False
    fields: tuple[ListField, ...] = ()

    def sends_field(self, name: str) -> bool:
        """True unless the format says that the field stays here. Fields nobody declared are sent."""
        return next((field.is_sent for field in self.fields if field.name == name), True)


class CampaignList(msgspec.Struct, frozen=True):
    """A list in a campaign; ``share`` 0 means that it is switched off."""

    list_id: int
    share: int = 10
    is_active: bool = True


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign with its one group (campaign x agent group).

    ``agents`` holds the user ids of the group. The group's id and names go out with every record.
    """

    contact_centre_id: int
    campaign_id: int
    name: str
    application_id: int
    description: str = ""
    group_id: int = 0
    group_name: str = ""
    group_description: str = ""
    dial_mode: DialMode = DialMode.PREVIEW
    status: GroupStatus = GroupStatus.NOT_LOADED
    suppression_scope: SuppressionScope = SuppressionScope.CONTACT_CENTRE
    lists: tuple[CampaignList, ...] = ()
    agents: frozenset[int] = frozenset()

    def has_list(self, list_id: int) -> bool:
        """True when the list belongs to this campaign."""
        return any(entry.list_id == list_id for entry in self.lists)

    def open_lists(self) -> list[int]:
        """Ids of the lists that may be called, in the campaign's order."""
        return [entry.list_id for entry in self.lists if entry.is_active and entry.share > 0]


def check_may_preview(campaign: Campaign) -> None:
    """Raise ``InvalidState`` unless the campaign is loaded and in a mode in which agents pull records."""
    if not campaign.status.is_loaded:
        raise InvalidState("campaignName is not loaded")
    if campaign.dial_mode is not DialMode.PREVIEW:
        raise InvalidState("campaignName does not dial in preview mode")


TYPE_PRIORITY: dict[RecordType, int] = {
    RecordType.PERSONAL_CALL_BACK: 0,
    RecordType.PERSONAL_RESCHEDULED: 1,
    RecordType.CAMPAIGN_CALL_BACK: 2,
    RecordType.CAMPAIGN_RESCHEDULED: 3,
    RecordType.GENERAL: 4,
    RecordType.UNKNOWN: 5,
    RecordType.NO_RECORD_TYPE: 5,
    RecordType.NO_CALL: 9,
}
"""Order of hand-out: promises to a person first, then retries, then fresh records; smaller is sooner."""
