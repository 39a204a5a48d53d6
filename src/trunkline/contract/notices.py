"""Notices that webhooks get: the state of a campaign group, and the report of an attempt.

Keys are those of the original (``outbound-enums.json``: group_state_notification, call_report_attributes); every key of
the list is always there, null where this server does not know the value (what only a telephone system can tell). Three
keys are ours: ``notice`` (the kind), ``noticeId`` (the same for every repetition), and for groups ``event`` and
``status``. Times are Unix seconds. Source: outbound domain 4.7.
"""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from trunkline.domain.attempts import AttemptRow, AttemptStep
from trunkline.domain.campaigns import Campaign
from trunkline.domain.eligibility import ZONE_ALIASES, offset_s
from trunkline.domain.enums import GroupStatus
from trunkline.domain.notices import GroupEvent
from trunkline.domain.webhooks import Notice
from trunkline.errors import Refused

Json = dict[str, Any]

STATUS_NAMES: dict[GroupStatus, str] = {
    GroupStatus.NOT_LOADED: "NotLoaded",
    GroupStatus.WAITING_UNLOAD: "WaitingUnload",
    GroupStatus.UNLOAD_IN_PROGRESS: "UnloadInProgress",
    GroupStatus.IN_ACTIVE: "InActive",
    GroupStatus.ACTIVE: "Active",
    GroupStatus.RUNNING: "Running",
}
CALL_REPORT_KEYS = (
    *("GSW_ABANDONED", "GSW_ACW_COMPLETED", "GSW_AGENT_ANSWERED", "GSW_AGENT_ID", "GSW_AGENT_RELEASED"),
    *("GSW_AGENT_RINGING", "GSW_ANSWERED", "GSW_BLOCKING_RULE", "GSW_BLOCKING_RULE_TYPE", "GSW_CALL_ATTEMPT_GUID"),
    *("GSW_CALL_RESULT", "GSW_CALL_TIME", "GSW_CALLING_LIST", "GSW_CALLING_LIST_DBID", "GSW_CAMPAIGN_GROUP_GUID"),
    *("GSW_CAMPAIGN_GROUP_NAME", "GSW_CAMPAIGN_NAME", "GSW_CAMPAIGN_TEMPLATE_NAME", "GSW_CHAIN_ID", "GSW_CHAIN_N"),
    *("GSW_COMPLETE_PROCESSING", "GSW_COUNTRY_CODE", "GSW_CPD_COMPLETED", "GSW_CPN_DIGITS_SET", "GSW_CUSTOMER_ID"),
    *("GSW_D_AREA_CODE", "GSW_D_COUNTRY_CODE", "GSW_D_STATE_CODE", "GSW_D_TZ_JAVA_NAME", "GSW_HIST_SEQUENCE_NUM"),
    *("GSW_TENANT_NAME", "GSW_PHONE", "GSW_CAMPAIGN_DBID", "GSW_PHONE_TYPE", "GSW_START_PROCESSING"),
    *("GSW_SCHEDULED_TIME", "GSW_TZ_OFFSET", "GSW_TZ_NAME", "GSW_GROUP_NAME", "GSW_QUEUE_NAME", "GSW_DIAL_MODE"),
    *("GSW_OPTIMIZE_BY", "GSW_OPTIMIZE_GOAL"),
)
REPORTED_STEPS = {AttemptStep.PERMITTED: 0, AttemptStep.ENDED: 1, AttemptStep.RELEASED: 1}
"""Steps of the attempt log that are reported -> GSW_HIST_SEQUENCE_NUM. What was permitted and came to nothing is closed
as well, so that nobody waits for its end."""

_GUIDS = uuid.UUID("8d0a2f4e-7c55-4d0e-9b43-0f0d6b2b7c11")


class ListFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of a list within a group; None where they are not known."""

    list_name: str
    hit_ratio: float | None = None
    time_to_complete_s: int | None = None


class GroupFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of a group: ratios 0 to 1, times in seconds; None where they are not known."""

    busy_factor: float | None = None
    hit_ratio: float | None = None
    overdial_rate: float | None = None
    time_to_complete_s: int | None = None
    lists: tuple[ListFigures, ...] = ()


class About(msgspec.Struct, frozen=True, kw_only=True):
    """The names that a notice needs of what it is about. ``campaign`` None: deleted since."""

    contact_centre_name: str
    campaign: Campaign | None
    agent_group_name: str = ""
    list_name: str | None = None
    agent_name: str | None = None


def group_guid(contact_centre_id: int, campaign_group_id: int) -> str:
    """GSW_CAMPAIGN_GROUP_GUID: the same for a group for ever."""
    return str(uuid.uuid5(_GUIDS, f"{contact_centre_id}/{campaign_group_id}"))


def group_state(about: About, event: GroupEvent, changed_at_ms: int, figures: GroupFigures) -> Json:
    """The state of a group. ``about.campaign`` is the campaign as the group works it, in the state that is told."""
    campaign = about.campaign
    assert campaign is not None
    return {
        "notice": Notice.GROUP_STATE.value,
        "noticeId": f"group-{campaign.group_id}-{changed_at_ms}",
        "event": event.value,
        "status": STATUS_NAMES[campaign.status],
        "GSW_TENANT_NAME": about.contact_centre_name,
        "GSW_CAMPAIGN_GROUP_NAME": campaign.group_name,
        "GSW_CAMPAIGN_GROUP_GUID": group_guid(campaign.contact_centre_id, campaign.group_id),
        "GSW_CAMPAIGN_GROUP_DBID": campaign.group_id,
        "GSW_GROUP_NAME": about.agent_group_name,
        "GSW_CAMPAIGN_NAME": campaign.name,
        "GSW_CAMPAIGN_DBID": campaign.campaign_id,
        "GSW_DIAL_MODE": campaign.dial_mode.value,
        "GSW_OPTIMIZE_BY": campaign.optimize_by.value,
        "GSW_OPTIMIZE_GOAL": campaign.optimize_goal,
        "GSW_STAT_BUSY_FACTOR": figures.busy_factor,
        "GSW_STAT_HIT_RATIO": figures.hit_ratio,
        "GSW_STAT_OVERDIAL_RATE": figures.overdial_rate,
        "GSW_STAT_TIME_TO_COMPLETE": figures.time_to_complete_s,
        "lists": [
            {
                "GSW_CALLING_LIST": one.list_name,
                "GSW_STAT_HIT_RATIO": one.hit_ratio,
                "GSW_STAT_TIME_TO_COMPLETE": one.time_to_complete_s,
            }
            for one in figures.lists
        ],
    }


def call_report(seq: int, row: AttemptRow, about: About) -> Json:
    """The report of an attempt: at its beginning without a result, at its end with it."""
    own = {"notice": Notice.CALL_REPORT.value, "noticeId": f"call-{seq}"}
    return {**own, **dict.fromkeys(CALL_REPORT_KEYS), **_known(row, about, REPORTED_STEPS[row.step])}


def treatment(seq: int, row: AttemptRow, about: About) -> Json:
    """What a treatment decided after a call: the keys of the report that are known, and the decision."""
    detail = row.detail
    decision = {
        "rule": detail.get("rule"),
        "action": detail.get("action"),
        "history": detail.get("history"),
        "dueAt": detail.get("due_at_s"),
        "nextChainN": detail.get("next_chain_n"),
        "why": detail.get("why"),
    }
    known = {key: value for key, value in _known(row, about, 1).items() if value is not None}
    del known["GSW_HIST_SEQUENCE_NUM"], known["GSW_COMPLETE_PROCESSING"]
    return {"notice": Notice.TREATMENT.value, "noticeId": f"treatment-{seq}", **known, "treatment": decision}


def _known(row: AttemptRow, about: About, order: int) -> Json:
    """What this server knows of an attempt; ``order`` 0 at its beginning, 1 at its end."""
    detail, campaign, at_s = row.detail, about.campaign, row.at_ms // 1000
    begun_at_ms = row.at_ms if order == 0 else detail.get("permitted_at_ms")
    begun_at_s = begun_at_ms // 1000 if isinstance(begun_at_ms, int) and begun_at_ms > 0 else None
    known: Json = {
        "GSW_AGENT_ID": about.agent_name,
        "GSW_CALL_ATTEMPT_GUID": row.attempt_guid,
        "GSW_CALL_RESULT": row.call_result.value if order else None,
        "GSW_CALL_TIME": begun_at_s,
        "GSW_CALLING_LIST": about.list_name,
        "GSW_CALLING_LIST_DBID": row.list_id,
        "GSW_CHAIN_ID": row.chain_id,
        "GSW_CHAIN_N": row.chain_n,
        "GSW_COMPLETE_PROCESSING": at_s if order else None,
        "GSW_CUSTOMER_ID": row.person_key[1:] if row.person_key.startswith("c") else None,
        "GSW_D_STATE_CODE": row.region or None,
        "GSW_D_TZ_JAVA_NAME": ZONE_ALIASES.get(row.time_zone, row.time_zone),
        "GSW_HIST_SEQUENCE_NUM": order,
        "GSW_TENANT_NAME": about.contact_centre_name,
        "GSW_PHONE": detail.get("phone_number") or row.number_key,
        "GSW_PHONE_TYPE": detail.get("phone_type"),
        "GSW_CAMPAIGN_DBID": row.campaign_id,
        "GSW_START_PROCESSING": begun_at_s,
        "GSW_SCHEDULED_TIME": detail.get("due_at_s"),
        "GSW_TZ_OFFSET": _offset_s(row.time_zone, at_s),
        "GSW_TZ_NAME": row.time_zone,
        "GSW_GROUP_NAME": about.agent_group_name or None,
    }
    if campaign is not None:
        known |= {
            "GSW_CAMPAIGN_GROUP_GUID": group_guid(campaign.contact_centre_id, campaign.group_id),
            "GSW_CAMPAIGN_GROUP_NAME": campaign.group_name,
            "GSW_CAMPAIGN_NAME": campaign.name,
            "GSW_DIAL_MODE": campaign.dial_mode.value,
            "GSW_OPTIMIZE_BY": campaign.optimize_by.value,
            "GSW_OPTIMIZE_GOAL": campaign.optimize_goal,
        }
    return known


def _offset_s(time_zone: str, at_s: int) -> int | None:
    """Seconds east of UTC then; None for a zone that this installation no longer knows."""
    try:
        return offset_s(time_zone, at_s)
    except Refused:
        return None
