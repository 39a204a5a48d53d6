"""From rows of the attempt log to attempts as the rules count them.

An attempt is known by its guid, within a chain: a hand-out permits it (one row, or one for each record of the chain),
results end it (one row for each number that was called), a release says that it came to nothing. Until one of these
comes it is open, and counts.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from trunkline.domain.attempt_rules import CALL_RESULTS_WITHOUT_A_CALL, CONVERSATION_RESULTS, Attempt
from trunkline.domain.attempts import AttemptRow, AttemptStep
from trunkline.domain.enums import CallResult, RecordType

CALLBACK_TYPES = (RecordType.PERSONAL_CALL_BACK, RecordType.CAMPAIGN_CALL_BACK)
"""Records that are called because the person asked for it."""

CALLED = "called"
"""Key of ``AttemptRow.detail``: whether a call was made, where it is known better than from the result."""


class _Story(msgspec.Struct):
    """What the log tells of one attempt: permitted and ended rows by place in the chain."""

    permitted: dict[int, AttemptRow] = {}
    ended: dict[int, AttemptRow] = {}
    is_released: bool = False


def was_called(row: AttemptRow) -> bool:
    """True when somebody's telephone rang in this ended attempt, as far as the row tells."""
    told = row.detail.get(CALLED)
    return bool(told) if told is not None else row.call_result not in CALL_RESULTS_WITHOUT_A_CALL


def attempts_of(rows: Iterable[AttemptRow]) -> list[Attempt]:
    """The attempts that rows, in the order of the log, amount to, oldest first.

    Rows of a step that makes no attempt are passed over. Rows may begin in the middle of an attempt.
    """
    stories: dict[tuple[int, int, str], _Story] = {}
    for row in rows:
        if row.step not in (AttemptStep.PERMITTED, AttemptStep.ENDED, AttemptStep.RELEASED):
            continue
        story = stories.setdefault((row.list_id, row.chain_id, row.attempt_guid), _Story())
        if row.step is AttemptStep.PERMITTED:
            story.permitted[row.chain_n] = row
        elif row.step is AttemptStep.ENDED:
            story.ended[row.chain_n] = row
        else:
            story.is_released = True
    found = [attempt for story in stories.values() for attempt in _attempts_of(story)]
    return sorted(found, key=lambda attempt: attempt.at_s)


def _attempts_of(story: _Story) -> list[Attempt]:
    if story.ended:
        return [
            _attempt(row, story.permitted.get(place, row), is_open=False)
            for place, row in story.ended.items()
            if was_called(row)
        ]
    if story.is_released:
        return []
    return [_attempt(row, row, is_open=True) for row in story.permitted.values()]


def _attempt(row: AttemptRow, begun: AttemptRow, *, is_open: bool) -> Attempt:
    return Attempt(
        at_s=row.at_ms // 1000,
        number_key=row.number_key,
        person_key=row.person_key,
        campaign_id=row.campaign_id or 0,
        is_callback=begun.record_type in CALLBACK_TYPES,
        is_conversation=not is_open and CallResult(row.call_result) in CONVERSATION_RESULTS,
        is_open=is_open,
    )
