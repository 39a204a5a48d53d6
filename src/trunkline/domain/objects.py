"""Everything that a supervisor configures, as objects with a kind, a number, a name and a version."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import msgspec

from trunkline.domain.campaigns import AgentGroup, CallingList, CampaignDefinition, CampaignGroup, Format, Skill
from trunkline.domain.filters import Filter
from trunkline.domain.import_specifications import ImportSpecification
from trunkline.domain.rule_sets import RuleOverride, RuleSet
from trunkline.domain.schedules import Schedule
from trunkline.domain.suppression import SuppressionList
from trunkline.domain.time_zones import TimeZoneAlias
from trunkline.domain.treatments import TreatmentPlan
from trunkline.domain.webhooks import Webhook


class ObjectKind(StrEnum):
    """What an object is; the value is its name in the database and in addresses."""

    FORMAT = "format"
    CALLING_LIST = "calling-list"
    SUPPRESSION_LIST = "suppression-list"
    FILTER = "filter"
    TREATMENT = "treatment"
    CAMPAIGN = "campaign"
    AGENT_GROUP = "agent-group"
    CAMPAIGN_GROUP = "campaign-group"
    SCHEDULE = "schedule"
    SKILL = "skill"
    TIME_ZONE = "time-zone"
    RULE_SET = "rule-set"
    RULE_OVERRIDE = "rule-override"
    IMPORT_SPECIFICATION = "import-specification"
    WEBHOOK = "webhook"


ObjectValue = (
    Format
    | CallingList
    | SuppressionList
    | Filter
    | TreatmentPlan
    | CampaignDefinition
    | AgentGroup
    | CampaignGroup
    | Schedule
    | Skill
    | TimeZoneAlias
    | RuleSet
    | RuleOverride
    | ImportSpecification
    | Webhook
)


class ObjectType(NamedTuple):
    """How objects of a kind are kept: their struct, and its field that holds the object's number."""

    struct: type[ObjectValue]
    key: str


OBJECT_TYPES: dict[ObjectKind, ObjectType] = {
    ObjectKind.FORMAT: ObjectType(Format, "format_id"),
    ObjectKind.CALLING_LIST: ObjectType(CallingList, "list_id"),
    ObjectKind.SUPPRESSION_LIST: ObjectType(SuppressionList, "suppression_list_id"),
    ObjectKind.FILTER: ObjectType(Filter, "filter_id"),
    ObjectKind.TREATMENT: ObjectType(TreatmentPlan, "treatment_id"),
    ObjectKind.CAMPAIGN: ObjectType(CampaignDefinition, "campaign_id"),
    ObjectKind.AGENT_GROUP: ObjectType(AgentGroup, "agent_group_id"),
    ObjectKind.CAMPAIGN_GROUP: ObjectType(CampaignGroup, "campaign_group_id"),
    ObjectKind.SCHEDULE: ObjectType(Schedule, "schedule_id"),
    ObjectKind.SKILL: ObjectType(Skill, "skill_id"),
    ObjectKind.TIME_ZONE: ObjectType(TimeZoneAlias, "time_zone_id"),
    ObjectKind.RULE_SET: ObjectType(RuleSet, "rule_set_id"),
    ObjectKind.RULE_OVERRIDE: ObjectType(RuleOverride, "override_id"),
    ObjectKind.IMPORT_SPECIFICATION: ObjectType(ImportSpecification, "specification_id"),
    ObjectKind.WEBHOOK: ObjectType(Webhook, "webhook_id"),
}


class StoredObject(msgspec.Struct, frozen=True, kw_only=True):
    """An object as it is kept. ``reference`` is its creator's own mark; ``changed_by`` a user id."""

    kind: ObjectKind
    value: ObjectValue
    version: int = 1
    reference: str | None = None
    changed_at_ms: int = 0
    changed_by: int | None = None

    @property
    def contact_centre_id(self) -> int:
        """Whose it is."""
        return self.value.contact_centre_id

    @property
    def object_id(self) -> int:
        """Its number among those of its kind."""
        number: int = getattr(self.value, OBJECT_TYPES[self.kind].key)
        return number

    @property
    def key(self) -> ObjectKey:
        """The primary key."""
        return (self.contact_centre_id, self.kind, self.object_id)


ObjectKey = tuple[int, ObjectKind, int]
"""Contact centre, kind, number."""


def numbered(kind: ObjectKind, value: ObjectValue, object_id: int) -> ObjectValue:
    """The value under another number."""
    return msgspec.structs.replace(value, **{OBJECT_TYPES[kind].key: object_id})
