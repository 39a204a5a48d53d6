"""Stand-ins and facts that explanations look at beside those of the hand-out."""

from __future__ import annotations

from collections.abc import Sequence

from trunkline.domain.attempts import AttemptStep, StoredAttempt
from trunkline.domain.campaigns import CallingList, Campaign
from trunkline.domain.enums import RecordStatus
from trunkline.domain.facts import Rule, Validation
from trunkline.domain.records import Record

NOBODY = 0
"""In place of the user who would get a record: no agent has this number."""


def nobody(contact_centre_id: int, campaign_id: int = 0) -> Campaign:
    """A stand-in for no campaign, or for one of which only the number counts."""
    return Campaign(contact_centre_id=contact_centre_id, campaign_id=campaign_id, name="", application_id=0)


def nothing(calling_list: CallingList) -> Record:
    """A stand-in for any record of a list."""
    return Record(
        contact_centre_id=calling_list.contact_centre_id,
        list_id=calling_list.list_id,
        chain_id=0,
        chain_n=0,
        record_id=0,
        phone_number="0",
    )


def as_it_was(stored: StoredAttempt) -> Record:
    """The record as a row of the attempt log tells of it."""
    row = stored.row
    return Record(
        contact_centre_id=row.contact_centre_id,
        list_id=row.list_id,
        chain_id=row.chain_id,
        chain_n=row.chain_n,
        record_id=row.record_id,
        phone_number=row.number_key,
        record_type=row.record_type,
        time_zone=row.time_zone,
        other_zones=row.other_zones,
        region=row.region,
        from_s=row.from_s,
        until_s=row.until_s,
    )


def last_validation(history: Sequence[StoredAttempt], record: Record, campaign: Campaign | None) -> Validation | None:
    """What the pre-dial validation said last of the record, as far as it is in the attempt log (refusals and waits)."""
    for stored in history:
        row = stored.row
        is_mine = row.chain_n == record.chain_n and campaign is not None and row.campaign_id == campaign.campaign_id
        if is_mine and row.step is AttemptStep.BLOCKED and row.detail.get("rule") == Rule.VALIDATION.value:
            is_final = "call_result" in row.detail and record.status is not RecordStatus.READY
            return Validation(is_refused=is_final, answer=str(row.detail.get("said")), at_s=row.at_ms // 1000)
    return None
