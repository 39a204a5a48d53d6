"""Explanations as JSON, the same for HTTP and the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trunkline.app.explain.explaining import AttemptExplanation, RecordExplanation
from trunkline.app.explain.overview import Overview
from trunkline.contract.explanations import attempt_shape, held_shape, record_shape, verdict_shapes


def records_as_json(told: Sequence[RecordExplanation]) -> list[dict[str, Any]]:
    """Explained records."""
    return [
        {
            **record_shape(one.record, one.list_name),
            "at": one.at_s,
            "campaigns": [
                {
                    "campaignName": each.campaign_name,
                    "campaignGroupName": each.group_name,
                    "ruleSet": each.rule_set_name,
                    "ruleSetVersion": each.rule_set_version,
                    "mayBeCalled": each.may_be_called,
                    "freeAt": each.free_at_s,
                    "verdicts": verdict_shapes(each.verdicts),
                }
                for each in one.campaigns
            ],
            "history": [
                attempt_shape(stored.seq, stored.row, one.user_names.get(stored.row.agent_id or 0))
                for stored in one.history
            ],
        }
        for one in told
    ]


def attempts_as_json(told: Sequence[AttemptExplanation]) -> list[dict[str, Any]]:
    """Past attempts, judged again."""
    return [
        {
            **attempt_shape(one.stored.seq, one.stored.row, one.user_name),
            "callingList": one.list_name or None,
            "campaignName": one.campaign_name or None,
            "ruleSet": one.rule_set_name,
            "ruleSetVersion": one.stored.row.rule_set_version,
            "wasAllowed": one.was_allowed,
            "verdicts": verdict_shapes(one.verdicts),
        }
        for one in told
    ]


def overviews_as_json(told: Sequence[Overview]) -> list[dict[str, Any]]:
    """Lists and campaigns."""
    return [
        {
            "callingList": one.list_name,
            "campaignName": one.campaign_name,
            "campaignGroupName": one.group_name,
            "at": one.at_s,
            "records": one.records,
            "byStatus": one.by_status,
            "openRecords": one.open_records,
            "obstacles": verdict_shapes(one.obstacles),
            "callableNow": one.callable_now,
            "callableIfOn": one.callable_if_on,
            "personalCallbacks": one.personal,
            "heldBack": [held_shape(held) for held in one.held],
            "freePerHour": one.free_per_hour,
            "freeLater": one.free_later,
            "neverFree": one.never_free,
            "sampled": one.sampled,
            "bufferedChains": one.buffered_chains,
        }
        for one in told
    ]
