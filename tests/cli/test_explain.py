"""How explanations are printed."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from trunkline.app.explain import AttemptExplanation
from trunkline.app.overview import Overview
from trunkline.cli.explain import show_attempts, show_overviews
from trunkline.domain.attempts import AttemptRow, AttemptStep, StoredAttempt, attempt_row
from trunkline.domain.facts import Rule, Verdict
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


def overview(**values: Any) -> str:
    """What the command prints of a list."""
    out = io.StringIO()
    told: dict[str, Any] = {
        "list_name": "Spring", "campaign_name": "Spring2027", "group_name": "Morning", "at_s": 1, "records": 9,
        "by_status": {"READY": 9}, "open_records": 9, "obstacles": [], "callable_now": 4, "callable_if_on": 4,
        "personal": 1, "held": [], "free_per_hour": [5] + [0] * 23, "free_later": 0, "never_free": 0, "sampled": 9,
    }  # fmt: skip
    show_overviews([Overview(**{**told, **values})], Console(file=out, width=250))
    return out.getvalue()


def test_what_is_not_started_is_told_before_the_figures() -> None:
    """What keeps everything back is a line of its own; the figures say what they suppose."""
    running = overview()
    assert "4 may be called now (1 of them personal callbacks)\n" in running
    assert "until then" not in running
    sentence = "The campaign group Morning is not loaded; it dials in mode PREVIEW."
    stands = Verdict(rule=Rule.GROUP_STATE, is_blocking=True, value="NOT_LOADED", sentence=sentence)
    told = overview(obstacles=[stands], callable_now=0)
    assert f"!! campaign group state: {sentence}\n   Nothing is called until then." in told
    assert "0 may be called now, 4 if it were on (1 of them personal callbacks)\n" in told
    assert "become free in each of the next 24 hours: 5 0" in told
    waits = Verdict(rule=Rule.GROUP_STARTED, is_blocking=True, value="not started", sentence="It is not started.")
    assert "Nothing but callbacks is called until then." in overview(obstacles=[waits], callable_now=1)
