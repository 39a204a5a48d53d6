"""How explanations are printed."""

from __future__ import annotations

import io

from rich.console import Console

from trunkline.app.explain import AttemptExplanation
from trunkline.cli.explain import show_attempts
from trunkline.domain.attempts import AttemptRow, AttemptStep, StoredAttempt, attempt_row
from trunkline.domain.records import Record

RECORD = Record(contact_centre_id=1, list_id=2, chain_id=3, chain_n=0, record_id=4, phone_number="+12125550100")


def shown(row: AttemptRow, *, was_allowed: bool) -> str:
    """What the command prints of a row, in one line."""
    out = io.StringIO()
    one = AttemptExplanation(
        stored=StoredAttempt(seq=1, row=row), rule_set_name="ours", was_allowed=was_allowed, verdicts=[]
    )
    show_attempts([one], Console(file=out, width=250))
    return out.getvalue().splitlines()[0]


def test_what_held_a_past_attempt_back_is_named() -> None:
    """A refusal is not called allowed because hours and limits, which are all that is judged again, let it go."""
    detail = {"rule": "suppression", "value": "Register (number)", "until_s": None}
    row = attempt_row(RECORD, AttemptStep.BLOCKED, 1_800_000_000_000, "", detail=detail)
    told = shown(row, was_allowed=True)
    assert told.startswith("BLOCKED by suppression: Register (number), ")
    assert told.endswith("hours and limits of then alone would have let it go")
    assert shown(row, was_allowed=False).endswith("not allowed by the rules of then")
    asked = attempt_row(RECORD, AttemptStep.BLOCKED, 1, "", detail={"rule": "pre-dial validation", "said": "409"})
    assert shown(asked, was_allowed=False).startswith("BLOCKED by pre-dial validation: 409, ")
    permitted = attempt_row(RECORD, AttemptStep.PERMITTED, 1_800_000_000_000, "guid")
    assert shown(permitted, was_allowed=True).endswith(": allowed by the rules of then")
