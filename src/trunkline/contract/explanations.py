"""Wire shapes of explanations: verdicts, records, lists and campaigns. An extension of ours; times are Unix seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from trunkline.contract.names import CALL_RESULT_NAMES
from trunkline.domain.attempts import AttemptRow
from trunkline.domain.enums import Hold
from trunkline.domain.facts import Rule, Verdict
from trunkline.domain.records import Record


class HeldShape(Protocol):
    """How many records a rule holds back; see ``app.explain.overview.Held``."""

    @property
    def rule(self) -> Rule:
        """The rule."""

    @property
    def records(self) -> int:
        """All that it holds back."""

    @property
    def alone(self) -> int:
        """Those that it alone holds back."""

    @property
    def is_estimate(self) -> bool:
        """True when a sample says so."""


def verdict_shape(verdict: Verdict) -> dict[str, Any]:
    """One verdict."""
    return {
        "rule": verdict.rule.value,
        "isBlocking": verdict.is_blocking,
        "value": verdict.value,
        "sentence": verdict.sentence,
        "since": verdict.since_s,
        "until": verdict.until_s,
    }


def record_shape(record: Record, list_name: str) -> dict[str, Any]:
    """The record that is explained."""
    return {
        "callingList": list_name,
        "chainId": record.chain_id,
        "chainN": record.chain_n,
        "recordId": record.record_id,
        "phoneNumber": record.phone_number,
        "recordStatus": record.status.name,
        "recordType": record.record_type.name,
        "callResult": CALL_RESULT_NAMES[record.call_result],
        "attempts": record.attempts,
        "dueAt": record.due_at_s,
        "heldBy": None if record.hold is Hold.NONE else record.hold.name,
        "timeZone": record.time_zone,
        "otherTimeZones": list(record.other_zones),
        "region": record.region,
        "from": record.from_s,
        "until": record.until_s,
    }


def attempt_shape(seq: int, row: AttemptRow, user_name: str | None) -> dict[str, Any]:
    """A row of the attempt log. ``phoneNumber`` are the digits under which it is counted, ``userName`` the agent."""
    return {
        "seq": seq,
        "timestamp": row.at_ms,
        "step": row.step.name,
        "chainId": row.chain_id,
        "chainN": row.chain_n,
        "recordId": row.record_id,
        "phoneNumber": row.number_key,
        "userName": user_name or None,
        "campaignId": row.campaign_id,
        "attemptGuid": row.attempt_guid,
        "callResult": CALL_RESULT_NAMES[row.call_result],
        "detail": row.detail,
    }


def held_shape(held: HeldShape) -> dict[str, Any]:
    """How many records a rule holds back."""
    return {
        "rule": held.rule.value,
        "records": held.records,
        "alone": held.alone,
        "isEstimate": held.is_estimate,
    }


def verdict_shapes(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Verdicts in their order."""
    return [verdict_shape(verdict) for verdict in verdicts]
