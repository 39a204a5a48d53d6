"""Calling lists, campaigns and their groups as the rules see them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from trunkline.domain.enums import DialMode, FieldType, GroupStatus, OptimizeBy, RecordType, SuppressionScope
from trunkline.domain.records import FieldValue
from trunkline.errors import InvalidState

V = TypeVar("V")


class ListField(msgspec.Struct, frozen=True, kw_only=True):
    """A custom field of a format.

    ``is_sent`` says whether the field travels to agents (``send_attribute`` of the original), under the key
    ``sent_as``, its own name when that is empty. ``max_length`` is characters of a text, None for the general limit.
    """

    name: str
    field_type: FieldType = FieldType.VARCHAR
    max_length: int | None = None
    is_nullable: bool = True
    default: str | int | float | None = None
    is_sent: bool = True
    sent_as: str = ""
    is_read_only: bool = False
    is_mandatory: bool = False
    label: str = ""


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """The custom fields of calling lists, in their order. With records in its lists it keeps them: see ``formats``."""

    contact_centre_id: int
    format_id: int
    name: str
    fields: tuple[ListField, ...] = ()
    description: str = ""
    is_enabled: bool = True


class CallingList(msgspec.Struct, frozen=True, kw_only=True):
    """A calling list. ``default_region`` is a two-letter country code for numbers without one.

    ``from_s`` and ``until_s`` bound dialing together with the records' own windows. ``fields`` are those of the format
    when ``format_id`` names one. ``account_field`` is the custom field that holds the account a record is about, by
    which do-not-call entries of accounts are found; empty for none.
    """

    contact_centre_id: int
    list_id: int
    name: str
    description: str = ""
    from_s: int = 0
    until_s: int = 86_400
    max_attempts: int = 10
    default_time_zone: str = "UTC"
    default_region: str = "US"
    refuses_duplicates: bool = False
    fields: tuple[ListField, ...] = ()
    format_id: int | None = None
    filter_id: int | None = None
    treatment_id: int | None = None
    account_field: str = ""
    is_enabled: bool = True

    def sends_field(self, name: str) -> bool:
        """True unless the format says that the field stays here. Fields nobody declared are sent."""
        return next((field.is_sent for field in self.fields if field.name == name), True)

    def sent_fields(self, fields: Mapping[str, V]) -> dict[str, V]:
        """Those of a record's custom fields that travel to agents, under the keys that they travel under."""
        keys = {field.name: field.sent_as or field.name for field in self.fields}
        return {keys.get(name, name): value for name, value in fields.items() if self.sends_field(name)}

    def account_in(self, fields: Mapping[str, FieldValue]) -> str | None:
        """The account that a record with these custom fields is about; None when they name none."""
        value = fields.get(self.account_field) if self.account_field else None
        return None if value is None or value == "" else str(value)

    def own_fields(self, sent: Mapping[str, V]) -> dict[str, V]:
        """What an agent sends back, under the fields' own names."""
        names = {field.sent_as: field.name for field in self.fields if field.sent_as}
        return {names.get(key, key): value for key, value in sent.items()}


class CampaignList(msgspec.Struct, frozen=True):
    """A list in a campaign; ``share`` 0 means that it is switched off."""

    list_id: int
    share: int = 10
    is_active: bool = True


class CampaignDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign as it is configured: which lists, and the rules for all its groups.

    ``hours_*`` are the campaign's own hours on the wall clock of the person called (equal bounds: the whole day);
    ``weekdays`` those on which it calls, Monday is 0. ``rule_set_id`` None means the built-in safe rules.
    ``validation_url`` names the pre-dial validation of the configuration, empty for none.
    """

    contact_centre_id: int
    campaign_id: int
    name: str
    description: str = ""
    lists: tuple[CampaignList, ...] = ()
    suppression_scope: SuppressionScope = SuppressionScope.CONTACT_CENTRE
    suppression_list_ids: tuple[int, ...] = ()
    rule_set_id: int | None = None
    hours_from_s: int = 0
    hours_until_s: int = 86_400
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    validation_url: str = ""
    is_enabled: bool = True


class SkillLevel(msgspec.Struct, frozen=True):
    """A skill and the least level of it, 0 to 100."""

    skill_id: int
    at_least: int = 1


class Skill(msgspec.Struct, frozen=True, kw_only=True):
    """Something that agents can, each at a level."""

    contact_centre_id: int
    skill_id: int
    name: str
    description: str = ""
    is_enabled: bool = True


class AgentGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Agents by name, and those who have all of ``skills`` (a virtual group) when there are any."""

    contact_centre_id: int
    agent_group_id: int
    name: str
    description: str = ""
    user_ids: frozenset[int] = frozenset()
    skills: tuple[SkillLevel, ...] = ()
    is_enabled: bool = True


class CampaignGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign as one agent group works it. Source: outbound domain 4.1.

    ``min_buffer`` and ``opt_buffer`` are chains kept ready for each agent: below the first the buffer is filled up to
    the second. ``dial_mode`` and the goal are what the group is loaded with; the present ones are in ``GroupState``.
    """

    contact_centre_id: int
    campaign_group_id: int
    campaign_id: int
    agent_group_id: int
    name: str
    description: str = ""
    application_id: int = 1
    dial_mode: DialMode = DialMode.PREVIEW
    optimize_by: OptimizeBy = OptimizeBy.BUSY_FACTOR
    optimize_goal: int = 85
    min_buffer: int = 4
    opt_buffer: int = 6
    channels: int = 10
    completes_itself: bool = False
    is_enabled: bool = True


class GroupState(msgspec.Struct, frozen=True, kw_only=True):
    """Where a campaign group stands. ``schedule_id`` is the schedule that brought it there, 0 for a person.

    What may happen to it is in ``group_control``. An ``is_completing`` group takes no new records into its buffer.
    Statistics count from ``loaded_at_ms``.
    """

    contact_centre_id: int
    campaign_group_id: int
    status: GroupStatus = GroupStatus.NOT_LOADED
    dial_mode: DialMode = DialMode.PREVIEW
    optimize_by: OptimizeBy = OptimizeBy.BUSY_FACTOR
    optimize_goal: int = 85
    changed_at_ms: int = 0
    schedule_id: int = 0
    is_completing: bool = False
    loaded_at_ms: int = 0

    @property
    def key(self) -> tuple[int, int]:
        """Contact centre and campaign group."""
        return (self.contact_centre_id, self.campaign_group_id)


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign as one of its groups works it: what the engine reads.

    Made of ``CampaignDefinition``, ``CampaignGroup``, ``AgentGroup`` and ``GroupState`` by ``app.directory``.
    ``agents`` holds the user ids of the group. The group's id and names go out with every record. ``status`` is the
    shown one: IN_ACTIVE while something (``obstacle``, a sentence) keeps a loaded group from working.
    """

    contact_centre_id: int
    campaign_id: int
    name: str
    application_id: int
    description: str = ""
    group_id: int = 0
    group_name: str = ""
    group_description: str = ""
    agent_group_id: int = 0
    dial_mode: DialMode = DialMode.PREVIEW
    optimize_by: OptimizeBy = OptimizeBy.BUSY_FACTOR
    optimize_goal: int = 85
    min_buffer: int = 4
    opt_buffer: int = 6
    completes_itself: bool = False
    status: GroupStatus = GroupStatus.NOT_LOADED
    status_since_ms: int = 0
    is_completing: bool = False
    loaded_at_ms: int = 0
    obstacle: str = ""
    suppression_scope: SuppressionScope = SuppressionScope.CONTACT_CENTRE
    suppression_list_ids: tuple[int, ...] = ()
    rule_set_id: int | None = None
    hours_from_s: int = 0
    hours_until_s: int = 86_400
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    validation_url: str = ""
    lists: tuple[CampaignList, ...] = ()
    agents: frozenset[int] = frozenset()
    is_enabled: bool = True

    @property
    def hands_out_fresh(self) -> bool:
        """True while agents get fresh records and retries; a loaded group that is stopped keeps its callbacks only.

        Source: outbound domain 4.3.
        """
        return self.status is GroupStatus.RUNNING

    @property
    def fetches(self) -> bool:
        """True while new records may be taken into the group's buffer."""
        return self.hands_out_fresh and not self.is_completing

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
