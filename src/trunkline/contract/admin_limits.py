"""Limits of what the administration API takes, and a sentence for each field.

``LIMITS`` is looked up by struct and field, then by field alone, then by the kind of value. What a kind's own checks
refuse beyond that (a filter that does not parse, a plan that never ends) is in ``app.administration.checks``.
"""

from __future__ import annotations

import msgspec

from trunkline.contract.values import INT32_MAX, MAX_NAME, MAX_TIME_S
from trunkline.domain.records import MAX_FIELD_NAME, MAX_FIELD_TEXT, MAX_FIELDS, MAX_PHONE_NUMBER

MAX_OBJECT_BYTES = 1 << 20
"""A body of the administration API: an agent group of 10,000 has 70 KB, the largest plan of treatments half a MB."""
MAX_DESCRIPTION = 1000
"""Characters: some sentences for people."""
MAX_TEXT = 4096
"""Characters of any text for which nothing else is said."""
MAX_LIST = 1000
"""Items of any list for which nothing else is said: more than a person keeps in view, and bounded."""
MAX_MEMBERS = 10_000
"""Users of an agent group: the largest sites of the field; each change writes all of them."""
MAX_DAY_S = 86_400


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of a value: numbers ``low`` to ``high``, texts up to ``length``, lists and objects up to ``items``."""

    low: float = 0
    high: float = INT32_MAX
    length: int = MAX_TEXT
    min_length: int = 0
    items: int = MAX_LIST


_DAY = Limit(high=MAX_DAY_S - 1)
_DAY_END = Limit(low=1, high=MAX_DAY_S)
_NAME = Limit(length=MAX_NAME, min_length=1)
_ID = Limit(low=1)

LIMITS: dict[str, Limit] = {
    "name": _NAME,
    "Account.name": Limit(length=64, min_length=1),
    "ListField.name": Limit(length=MAX_FIELD_NAME, min_length=1),
    "description": Limit(length=MAX_DESCRIPTION),
    "reason": Limit(length=MAX_DESCRIPTION),
    "CallingList.from_s": _DAY,
    "CallingList.until_s": _DAY_END,
    "CampaignDefinition.hours_from_s": _DAY,
    "CampaignDefinition.hours_until_s": _DAY_END,
    "CampaignDefinition.weekdays": Limit(high=6, items=7),
    "CampaignDefinition.lists": Limit(items=100),
    "CampaignDefinition.suppression_list_ids": Limit(low=1, items=100),
    "CampaignDefinition.validation_url": Limit(length=MAX_NAME),
    "CallingList.max_attempts": Limit(low=1, high=10_000),
    "CallingList.default_time_zone": Limit(length=64, min_length=1),
    "CallingList.default_region": Limit(length=2),
    "TimeZoneAlias.time_zone": Limit(length=64, min_length=1),
    "Format.fields": Limit(items=MAX_FIELDS),
    "CallingList.fields": Limit(items=MAX_FIELDS),
    "ListField.max_length": Limit(low=1, high=MAX_FIELD_TEXT),
    "ListField.sent_as": Limit(length=MAX_FIELD_NAME),
    "ListField.label": Limit(length=MAX_NAME),
    "CampaignList.share": Limit(high=1000),
    "AgentGroup.user_ids": Limit(low=1, items=MAX_MEMBERS),
    "AgentGroup.skills": Limit(items=20),
    "SkillLevel.at_least": Limit(high=100),
    "SkillHeld.level": Limit(high=100),
    "Account.skills": Limit(items=100),
    "Account.devices": Limit(items=10),
    "Account.roles": Limit(items=3),
    "Account.first_name": Limit(length=64),
    "Account.last_name": Limit(length=64),
    "Account.email_address": Limit(length=255),
    "Device.device_id": Limit(length=64, min_length=1),
    "Device.phone_number": Limit(length=MAX_PHONE_NUMBER),
    "CampaignGroup.optimize_goal": Limit(high=3600),
    "CampaignGroup.min_buffer": Limit(low=1, high=1000),
    "CampaignGroup.opt_buffer": Limit(low=2, high=2000),
    "CampaignGroup.channels": Limit(low=1, high=10_000),
    "RuleOverride.until_s": Limit(high=MAX_TIME_S),
    "RuleOverride.from_s": Limit(high=MAX_TIME_S),
}
"""By ``Struct.field`` or by ``field``."""
# Shares: weights up to 1000 tell lists apart finely enough; 0 switches a list off. Buffers are chains per agent: 2000
# for one agent is a day's work. Goals are percents or seconds. Channels: the ports of a large gateway.

TEXTS: dict[str, str] = {
    "id": "The number of the object among those of its kind. It never comes again.",
    "name": "Unique among the objects of its kind in the contact centre.",
    "description": "For people.",
    "is_enabled": "False sets the object aside without deleting it.",
    "Account.name": "What the user logs in with.",
    "Account.public_id": "The id under which other parts of the API show the user; given by the server.",
    "Account.roles": "What the user is in the contact centre.",
    "Account.features": "Features of the API. Without the key: those of the roles.",
    "Account.devices": "Telephones. A device belongs to one user.",
    "Account.skills": "Skills and how well each is mastered, 0 to 100.",
    "Format.fields": "Custom fields, in the order in which people see them.",
    "ListField.field_type": "What values the field takes; writes by agents, imports and programs are checked.",
    "ListField.max_length": "Characters of a text; null for the general limit of 4096.",
    "ListField.is_nullable": "Whether the field may be empty.",
    "ListField.default": "The value of new records that do not bring one.",
    "ListField.is_sent": "Whether the field travels to agents.",
    "ListField.sent_as": "The key under which it travels; empty: its own name.",
    "ListField.is_read_only": "Whether agents may not change it.",
    "ListField.is_mandatory": "Whether it must have a value.",
    "ListField.label": "What forms show instead of the name.",
    "CallingList.from_s": "Seconds after local midnight from which records may be called, together with their own.",
    "CallingList.until_s": "Seconds after local midnight until which; as `from` or before it: over midnight.",
    "CallingList.max_attempts": "Attempts of one record at most.",
    "CallingList.default_time_zone": "The zone of records that come without one.",
    "CallingList.default_region": "Two-letter country code for numbers without one.",
    "CallingList.refuses_duplicates": "Whether a number that the list already has is refused.",
    "CallingList.fields": "Custom fields of a list without a format; empty when there is one.",
    "CallingList.format_id": "The format whose fields the records have.",
    "CallingList.filter_id": "The filter that says which records are called, and in what order.",
    "CallingList.treatment_id": "What follows each call result.",
    "CampaignList.list_id": "The calling list.",
    "CampaignList.share": "Weight among the campaign's lists; 0 switches the list off.",
    "CampaignDefinition.lists": "Calling lists with their shares.",
    "CampaignDefinition.suppression_scope": "How far a do-not-call entry of an agent reaches.",
    "CampaignDefinition.suppression_list_ids": "Suppression lists beside the contact centre's own, which always holds.",
    "CampaignDefinition.rule_set_id": "When and how often people may be called; null: the built-in safe rules.",
    "CampaignDefinition.hours_from_s": "Seconds after midnight of the person called from which the campaign calls.",
    "CampaignDefinition.hours_until_s": "Until when; equal to `hoursFrom`: the whole day.",
    "CampaignDefinition.weekdays": "Days on which the campaign calls; 0 is Monday.",
    "CampaignDefinition.validation_url": "Name of a pre-dial validation of the configuration; empty: none.",
    "AgentGroup.user_ids": "Users of the group.",
    "AgentGroup.skills": "Users with all of these skills belong to the group too.",
    "CampaignGroup.dial_mode": "The mode that the group is loaded with.",
    "CampaignGroup.min_buffer": "Chains for each agent below which the buffer is filled again.",
    "CampaignGroup.opt_buffer": "Chains for each agent up to which it is filled; more than `minBuffer`.",
    "CampaignGroup.optimize_by": "What predictive dialing aims at.",
    "CampaignGroup.optimize_goal": "Percent for BusyFactor and OverdialRate, seconds for the rest.",
    "CampaignGroup.completes_itself": "Whether the group ends when its lists are worked.",
    "TimeZoneAlias.time_zone": "The IANA zone that the number and the name stand for.",
    "secret": "Never shown; kept when it is left out.",
}
"""Sentences of the description, by ``Struct.field`` or by ``field``."""


def limit_of(struct: str, field: str) -> Limit:
    """The limit of a struct's field."""
    found = LIMITS.get(f"{struct}.{field}") or LIMITS.get(field)
    if found is not None:
        return found
    return _ID if field.endswith("_id") else Limit()


def text_of(struct: str, field: str) -> str:
    """The sentence of a struct's field; empty when its name says it all."""
    return TEXTS.get(f"{struct}.{field}") or TEXTS.get(field, "")
