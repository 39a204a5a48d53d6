"""How explanations are printed."""

from __future__ import annotations

import io
from typing import Any

import msgspec
import pytest
from rich.console import Console

from trunkline.app.explain.explaining import AttemptExplanation, Explained, RecordExplanation
from trunkline.app.explain.overview import Held, Overview
from trunkline.cli.explain import history_line, show_attempts, show_overviews, show_records
from trunkline.domain.attempts import AttemptRow, AttemptStep, StoredAttempt, attempt_row
from trunkline.domain.enums import CallResult
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
    assert "become free in the next 24 hours:\n  hour  1, from Thu 1970-01-01 00:00 (UTC) to 01:00: 5\nlater: 0" in told
    assert "no rule holds a record back" in told
    assert "none becomes free in the next 24 hours" in overview(free_per_hour=[0] * 24)
    fetched = overview(buffered_chains=1, by_status={"READY": 6, "CHAIN_READY": 1, "RETRIEVED": 1, "UPDATED": 1},
                       held=[Held(rule=Rule.STATUS, records=2, alone=2)])  # fmt: skip
    assert "1 chain was fetched for Morning and goes out next" in fetched
    assert " record status (CHAIN_READY, RETRIEVED) " in fetched
    waits = Verdict(rule=Rule.GROUP_STARTED, is_blocking=True, value="not started", sentence="It is not started.")
    assert "Nothing but callbacks is called until then." in overview(obstacles=[waits], callable_now=1)


def test_a_record_begins_with_what_holds_it_back() -> None:
    """Number, the rules that block and until when, before all rules; each with value and times."""
    at_s, until_s = 1_800_000_000, 1_800_000_060
    limit = Verdict(
        rule=Rule.ATTEMPT_LIMIT,
        is_blocking=True,
        value="3 of 3",
        sentence="Too often.",
        since_s=at_s,
        until_s=until_s,
    )
    off = Verdict(rule=Rule.LIST_ENABLED, is_blocking=True, value="off", sentence="The list is off.")
    fine = Verdict(rule=Rule.FILTER, is_blocking=False, value="none", sentence="No filter applies.")

    def told(*verdicts: Verdict, free_at_s: int | None) -> str:
        out = io.StringIO()
        each = Explained(
            campaign_name="Spring", group_name="Morning", rule_set_name="ours", rule_set_version=1,
            may_be_called=not any(one.is_blocking for one in verdicts), free_at_s=free_at_s, verdicts=list(verdicts),
        )  # fmt: skip
        rows = [StoredAttempt(seq=1, row=attempt_row(RECORD, AttemptStep.ENDED, 1_000, "g", agent_id=7))]
        one = RecordExplanation(
            record=RECORD, list_name="List", at_s=at_s, campaigns=[each], history=rows, user_names={7: "anna"}
        )
        show_records([one], Console(file=out, width=250))
        return out.getvalue()

    free = told(limit, fine, free_at_s=until_s)
    assert free.startswith("Record 4, +12125550100: List, chain 3, place 0, READY, at Fri 2027-01-15 ")
    assert "held back by attempt limit: every one has let go by Fri 2027-01-15 " in free
    assert "Too often. (3 of 3)" in free
    assert "No filter applies. (none)" in free
    assert "ended by anna with Unknown: the number of place 0\n" in free
    never = told(limit, off, free_at_s=None)
    assert "held back by attempt limit; calling list enabled: until something is changed\n" in never
    assert "held back" not in told(fine, free_at_s=None)


@pytest.mark.parametrize(
    ("step", "detail", "line"),
    [
        (AttemptStep.PERMITTED, {}, "handed out to anna: the number of place 0"),
        (AttemptStep.ENDED, {"phone_type": 1}, "ended by anna with Busy: the number of place 0"),
        (
            AttemptStep.TREATED,
            {"why": "Busy, step 1: dial again", "due_at_s": 1_800_000_000},
            "treatment: Busy, step 1: dial again, at Fri 2027-01-15 08:00 (UTC)",
        ),
        (AttemptStep.TREATED, {"why": "it is final", "due_at_s": None}, "treatment: it is final"),
        (
            AttemptStep.BLOCKED,
            {"rule": "attempt limit", "value": "3 of 3 in 24 h", "until_s": 1_800_000_000},
            "held back by attempt limit: 3 of 3 in 24 h, until Fri 2027-01-15 08:00 (UTC)",
        ),
        (AttemptStep.BLOCKED, {"rule": "pre-dial validation", "said": "409"}, "held back by pre-dial validation: 409"),
        (
            AttemptStep.CALLBACK_MISSED,
            {"due_at_s": 1_800_000_000},
            "nobody took the callback of Fri 2027-01-15 08:00 (UTC)",
        ),
        (AttemptStep.RELEASED, {"why": "unloaded"}, "given back without a call by anna (unloaded)"),
        (AttemptStep.RELEASED, {}, "given back without a call by anna"),
    ],
)
def test_what_was_tried_is_told_in_words(step: AttemptStep, detail: dict[str, Any], line: str) -> None:
    """Each kind of row is a sentence with names and times, not fields of a table."""
    tried = msgspec.structs.replace(RECORD, call_result=CallResult.BUSY, time_zone="UTC")
    assert history_line(attempt_row(tried, step, 1, "g", agent_id=7, detail=detail), "anna") == line
