"""From rows of the attempt log to attempts as the rules count them.

An attempt is known by its guid: a hand-out permits it (one row, or one for each record of the chain), results end it
(one row for each number that was called), a release says that it came to nothing. Until one of these comes it is open,
and counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec

from trunkline.domain.attempt_rules import CALL_RESULTS_WITHOUT_A_CALL, CONVERSATION_RESULTS, Attempt
from trunkline.domain.attempts import AttemptStep
from trunkline.domain.enums import CallResult, RecordType

CALLBACK_TYPES = (RecordType.PERSONAL_CALL_BACK, RecordType.CAMPAIGN_CALL_BACK)
"""Records that are called because the person asked for it."""


class Row(Protocol):
    """What is needed of a row of the attempt log; see ``domain.attempts.AttemptRow``."""

    @property
    def at_ms(self) -> int:
        """When it was written, Unix milliseconds."""

    @property
    def step(self) -> AttemptStep:
        """What it tells."""

    @property
    def attempt_guid(self) -> str:
        """Which attempt."""

    @property
    def number_key(self) -> str:
        """Which number."""

    @property
    def person_key(self) -> str:
        """Whom."""

    @property
    def campaign_id(self) -> int | None:
        """For which campaign."""

    @property
    def call_result(self) -> CallResult:
        """With which result."""

    @property
    def record_type(self) -> RecordType:
        """Why the record waited to be called."""


class _Story(msgspec.Struct):
    """What the log tells of one attempt: permitted and ended rows by number."""

    permitted: dict[str, Row] = {}
    ended: dict[str, Row] = {}
    is_released: bool = False


def attempts_of(rows: Iterable[Row]) -> list[Attempt]:
    """The attempts that rows, in the order of the log, amount to, oldest first.

    Rows of a step that makes no attempt are passed over. Rows may begin in the middle of an attempt.
    """
    stories: dict[str, _Story] = {}
    for row in rows:
        if row.step not in (AttemptStep.PERMITTED, AttemptStep.ENDED, AttemptStep.RELEASED):
            continue
        story = stories.setdefault(row.attempt_guid, _Story())
        if row.step is AttemptStep.PERMITTED:
            story.permitted[row.number_key] = row
        elif row.step is AttemptStep.ENDED:
            story.ended[row.number_key] = row
        else:
            story.is_released = True
    found = [attempt for story in stories.values() for attempt in _attempts_of(story)]
    return sorted(found, key=lambda attempt: attempt.at_s)


def _attempts_of(story: _Story) -> list[Attempt]:
    if story.ended:
        return [
            _attempt(row, story.permitted.get(number, row), is_open=False)
            for number, row in story.ended.items()
            if row.call_result not in CALL_RESULTS_WITHOUT_A_CALL
        ]
    if story.is_released:
        return []
    return [_attempt(row, row, is_open=True) for row in story.permitted.values()]


def _attempt(row: Row, begun: Row, *, is_open: bool) -> Attempt:
    return Attempt(
        at_s=row.at_ms // 1000,
        number_key=row.number_key,
        person_key=row.person_key,
        campaign_id=row.campaign_id or 0,
        is_callback=begun.record_type in CALLBACK_TYPES,
        is_conversation=not is_open and row.call_result in CONVERSATION_RESULTS,
        is_open=is_open,
    )
