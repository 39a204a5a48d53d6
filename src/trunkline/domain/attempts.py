"""The attempt log: what was tried with whom, append-only. Audit, reports and attempt rules are computed from it."""

from __future__ import annotations

from enum import IntEnum

import msgspec

from trunkline.domain.enums import CallResult, RecordType
from trunkline.domain.numbers import canonical_number
from trunkline.domain.records import Record


class AttemptStep(IntEnum):
    """What a row of the log tells."""

    PERMITTED = 0
    """Every rule let the record go: it was handed to an agent or dialed."""
    ENDED = 1
    """The attempt has a result."""
    TREATED = 2
    """A treatment decided what comes next."""
    BLOCKED = 3
    """A rule held the record back when it was to be called."""
    CALLBACK_MISSED = 4
    RELEASED = 5
    """What was permitted came to nothing: rejected, the lease ended, the group was unloaded."""


class AttemptRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row. The window and the rule set are those of the moment, so that the row can be judged by itself.

    ``number_key`` is ``canonical_number``, ``person_key`` that of ``person_key``. ``detail`` are facts of the step.
    ``rule_set_id`` 0 means the built-in rules. ``is_lead``: no record of the chain may be called after this attempt.
    """

    contact_centre_id: int
    at_ms: int
    step: AttemptStep
    list_id: int
    chain_id: int
    chain_n: int
    record_id: int
    campaign_id: int | None
    campaign_group_id: int | None
    agent_id: int | None
    attempt_guid: str
    number_key: str
    person_key: str
    call_result: CallResult
    record_type: RecordType
    time_zone: str
    other_zones: tuple[str, ...]
    region: str
    from_s: int
    until_s: int
    rule_set_id: int = 0
    rule_set_version: int = 0
    is_lead: bool = False
    detail: dict[str, str | int | float | bool | None] = {}


class StoredAttempt(msgspec.Struct, frozen=True):
    """A row with its number; numbers grow in commit order."""

    seq: int
    row: AttemptRow


RULE_STEPS = (AttemptStep.PERMITTED, AttemptStep.ENDED, AttemptStep.RELEASED)
"""What attempt rules are computed from: what was begun, and how it ended."""

MAX_PAST_ATTEMPTS = 4_000
"""Rows of one number or person that attempt rules read, the newest: an attempt has three at most, and no rule permits
more than 1000 (``attempt_rules.MAX_AT_MOST``), so whoever has more is over every limit anyway."""


class PastAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """What attempt rules need of a row whose step is one of ``RULE_STEPS``."""

    seq: int
    at_ms: int
    step: AttemptStep
    call_result: CallResult
    record_type: RecordType
    campaign_id: int | None
    number_key: str
    person_key: str
    attempt_guid: str


def person_key(record: Record) -> str:
    """Who is called: the customer when the record names one, else everybody behind its chain.

    Chains are numbered through all lists, so the key stays when a chain moves to another list.
    """
    return f"c{record.customer_id}" if record.customer_id else f"#{record.chain_id}"


def attempt_row(record: Record, step: AttemptStep, at_ms: int, attempt_guid: str, **facts: object) -> AttemptRow:
    """A row about a record as it stands; ``facts`` are the row's other fields."""
    values: dict[str, object] = {
        "campaign_id": record.campaign_id,
        "campaign_group_id": None,
        "agent_id": record.agent_id,
        **facts,
    }
    return AttemptRow(
        contact_centre_id=record.contact_centre_id,
        at_ms=at_ms,
        step=step,
        list_id=record.list_id,
        chain_id=record.chain_id,
        chain_n=record.chain_n,
        record_id=record.record_id,
        attempt_guid=attempt_guid,
        number_key=canonical_number(record.phone_number),
        person_key=person_key(record),
        call_result=record.call_result,
        record_type=record.record_type,
        time_zone=record.time_zone,
        other_zones=record.other_zones,
        region=record.region,
        from_s=record.from_s,
        until_s=record.until_s,
        **values,  # type: ignore[arg-type]
    )
