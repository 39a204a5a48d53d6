"""What rows of the attempt log amount to, as attempts that rules count."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trunkline.domain.attempt_history import attempts_of
from trunkline.domain.attempts import AttemptRow, AttemptStep, attempt_row
from trunkline.domain.enums import CallResult, RecordType
from trunkline.domain.records import Record

NOW_MS = 1_800_000_000_000


def row(step: AttemptStep, at_s: int = 0, guid: str = "a", place: int = 0, **facts: Any) -> AttemptRow:
    """A row about a record of a chain of two."""
    record = Record(
        contact_centre_id=1,
        list_id=2,
        chain_id=3,
        chain_n=place,
        record_id=place,
        phone_number=f"+1415555000{place}",
        campaign_id=9,
        call_result=facts.pop("call_result", CallResult.UNKNOWN),
        record_type=facts.pop("record_type", RecordType.GENERAL),
    )
    return attempt_row(record, step, NOW_MS + at_s * 1000, guid, **facts)


def test_an_attempt_from_begin_to_end() -> None:
    """Permitted it is open and counts from then; ended it counts from its result, with what became of it."""
    permitted = row(AttemptStep.PERMITTED, record_type=RecordType.CAMPAIGN_CALL_BACK)
    (one,) = attempts_of([permitted])
    assert (one.is_open, one.at_s, one.is_callback, one.campaign_id) == (True, NOW_MS // 1000, True, 9)
    assert (one.number_key, one.person_key) == ("14155550000", "#3")
    (one,) = attempts_of([permitted, row(AttemptStep.ENDED, 60, call_result=CallResult.ANSWER)])
    assert (one.is_open, one.at_s, one.is_callback, one.is_conversation) == (False, NOW_MS // 1000 + 60, True, True)


def test_what_is_no_attempt() -> None:
    """Released hand-outs, results without a call and the other steps count nothing."""
    permitted = row(AttemptStep.PERMITTED)
    assert attempts_of([permitted, row(AttemptStep.RELEASED, 1)]) == []
    assert attempts_of([permitted, row(AttemptStep.ENDED, 1, call_result=CallResult.NO_DIAL_TONE)]) == []
    assert len(attempts_of([permitted, row(AttemptStep.ENDED, 1, call_result=CallResult.UNKNOWN)])) == 1
    assert attempts_of([row(AttemptStep.BLOCKED), row(AttemptStep.TREATED), row(AttemptStep.CALLBACK_MISSED)]) == []


def test_a_sibling_that_was_called_instead() -> None:
    """An agent called the second number: that one counts, and the first is no longer open."""
    (one,) = attempts_of([row(AttemptStep.PERMITTED), row(AttemptStep.ENDED, 5, place=1, call_result=CallResult.BUSY)])
    assert (one.number_key, one.is_open) == ("14155550001", False)


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(list(AttemptStep)), st.integers(0, 1))))
def test_every_guid_is_told_apart(steps: list[tuple[str, AttemptStep, int]]) -> None:
    """Rows of several attempts in any order amount to what the rows of each amount to."""
    rows = [row(step, at, guid, place) for at, (guid, step, place) in enumerate(steps)]
    alone = [one for guid in "abc" for one in attempts_of([r for r in rows if r.attempt_guid == guid])]
    assert sorted(map(repr, attempts_of(rows))) == sorted(map(repr, alone))
