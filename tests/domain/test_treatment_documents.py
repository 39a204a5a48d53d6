"""Treatment plans as documents: read, refused with the place of each fault, written back, shown in words."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.treatment_model import plans
from trunkline.contract.names import CALL_RESULT_NAMES
from trunkline.domain.enums import CallAction, CallResult, RecordAction
from trunkline.domain.treatment_checks import MAX_FAULTS, PlanRefused
from trunkline.domain.treatment_documents import document_of, plan_of, table_of
from trunkline.domain.treatments import MAX_RULES, MAX_STEPS, TreatmentPlan, read_history, result_name

Document = dict[str, Any]
GOOD: Document = {
    "name": "Standard",
    "description": "few calls",
    "disposition_field": "outcome",
    "rules": {
        "Busy": [
            {"action": "Cycle", "attempts": 3, "interval_min": 30, "increment_min": 5},
            {"action": "NextInChain"},
        ],
        "NoAnswer": [{"action": "RetryIn", "interval_min": 90}, {"action": "MarkDB"}],
        "AnsweringMachine": [
            {"action": "RetryAtDate", "at": "10:00", "call_action": "Transfer", "call_target": "7001"},
            {"action": "NextInChainAfter", "interval_min": 60, "passes": 2},
        ],
        "AgentCallBackError": [{"action": "AssignToGroup"}],
    },
    "dispositions": {
        "later": [{"action": "Reschedule", "field": "again", "interval_min": 2880}],
        "wrong person": [{"action": "HttpHook", "hook": "crm", "id": 77}, {"action": "DelegateForProcessing"}],
    },
}


def read(document: object, name: str = "") -> TreatmentPlan:
    """The plan of a document."""
    return plan_of(document, contact_centre_id=1, treatment_id=5, name=name)


def faults(document: object) -> list[str]:
    """What is wrong with a document."""
    with pytest.raises(PlanRefused) as refused:
        read(document)
    return [str(fault) for fault in refused.value.faults]


def changed(path: list[str | int], value: Any) -> Document:
    """The good document with one value replaced or added."""
    document = copy.deepcopy(GOOD)
    at: Any = document
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return document


def test_a_document_is_read_as_it_says() -> None:
    """Names, numbers and defaults arrive; every step has a stable number."""
    plan = read(GOOD)
    assert (plan.contact_centre_id, plan.treatment_id, plan.name) == (1, 5, "Standard")
    busy = plan.rule_for(CallResult.BUSY)
    assert busy is not None
    assert [step.step_id for step in busy.steps] == [601, 602]
    assert (busy.steps[0].attempts, busy.steps[0].interval_min, busy.steps[0].increment_min) == (3, 30, 5)
    machine = plan.rule_for(CallResult.ANSWERING_MACHINE)
    assert machine is not None
    assert (machine.steps[0].call_action, machine.steps[0].call_target) == (CallAction.TRANSFER, "7001")
    wrong = plan.rule_for(CallResult.ANSWER, "wrong person")
    assert wrong is not None
    assert [step.action for step in wrong.steps] == [
        RecordAction.EXECUTE_SQL_STATEMENT,
        RecordAction.DELEGATE_FOR_PROCESSING,
    ]
    assert wrong.steps[0].step_id == 77


def test_steps_keep_their_numbers_when_others_are_added() -> None:
    """A step behind, and sequences elsewhere, leave a step's number alone; so does writing it down."""
    document = copy.deepcopy(GOOD)
    document["rules"]["Busy"].append({"action": "MarkDB"})
    document["dispositions"]["another"] = [{"action": "MarkDB"}]
    before, after = read(GOOD), read(document)
    for rule in before.rules:
        for place, step in enumerate(rule.steps):
            found = after.find(step.step_id)
            assert found is not None
            assert (found[0].name, found[1]) == (rule.name, place)


def test_spellings() -> None:
    """A result may be written as a number, in any case, or as Answered; Redial is a Cycle; one step needs no list."""
    for name in ("NoAnswer", "no answer", "NO_ANSWER", 7, "7"):
        assert read({"name": "p", "rules": {name: {"action": "redial"}}}).rules[0].call_result is CallResult.NO_ANSWER
    plan = read({"name": "p", "rules": {"Answered": [{"action": 3}]}})
    assert plan.rules[0].call_result is CallResult.ANSWER
    assert plan.rules[0].steps[0].action is RecordAction.CYCLE
    assert read({"rules": {"Busy": {"action": "MarkDB"}}}, "from the file").name == "from the file"


def test_names_of_results_are_those_of_the_api() -> None:
    """Documents name a call result as the API does."""
    assert {result: result_name(result) for result in CallResult} == CALL_RESULT_NAMES


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["rules", "Busy", 0, "interval_min"], -1, "rules.Busy[0].interval_min: must lie between 0 and 43200 minutes"),
        (["rules", "Busy", 0, "interval_min"], 43_201, "rules.Busy[0].interval_min: must lie between"),
        (["rules", "Busy", 0, "interval_min"], 1.5, "rules.Busy[0].interval_min: must be a whole number"),
        (["rules", "Busy", 0, "interval_min"], "30", "rules.Busy[0].interval_min: must be a whole number"),
        (["rules", "Busy", 0, "increment_min"], 1441, "rules.Busy[0].increment_min: must lie between 0 and 1440"),
        (["rules", "Busy", 0, "attempts"], 0, "rules.Busy[0].attempts: must lie between 1 and 100"),
        (["rules", "Busy", 0, "attempts"], 10**30, "rules.Busy[0].attempts: must lie between 1 and 100"),
        (["rules", "Busy", 0, "attempts"], True, "rules.Busy[0].attempts: must be a whole number"),
        (["rules", "Busy", 1, "attempts"], 2, "rules.Busy[1].attempts: NextInChain is done once"),
        (["rules", "Busy", 1, "interval_min"], 5, "rules.Busy[1].interval_min: NextInChain does not wait"),
        (["rules", "Busy", 1, "passes"], 11, "rules.Busy[1].passes: must lie between 1 and 10"),
        (["rules", "Busy", 0, "passes"], 2, "rules.Busy[0].passes: Cycle does not go through the chain"),
        (["rules", "Busy", 0, "intervall_min"], 2, "rules.Busy[0].intervall_min: is not known here"),
        (["rules", "Busy", 0, "action"], "Dial", "rules.Busy[0].action: must be one of MarkDB"),
        (["rules", "Busy", 0, "action"], None, "rules.Busy[0].action: is required"),
        (["rules", "Busy", 0, "action"], "ExecuteSQLstatement", "rules.Busy[0].action: a plan runs no SQL here"),
        (["rules", "Busy", 0, "action"], 13, "rules.Busy[0].action: a plan runs no SQL here"),
        (["rules", "Busy", 0, "id"], 77, "dispositions.wrong person[0].id: 77 is the number of rules.Busy[0] too"),
        (["rules", "Busy", 0, "id"], 0, "rules.Busy[0].id: must be 1 or more"),
        (["rules", "Busy", 0, "at"], "10:00", "rules.Busy[0].at: Cycle has no date"),
        (["rules", "Busy", 0, "hook"], "crm", "rules.Busy[0].hook: Cycle has none"),
        (["rules", "Busy", 0], "redial", "rules.Busy[0]: must be a mapping with an action"),
        (["rules", "Busy"], [], "rules.Busy: a sequence needs at least one step"),
        (["rules", "Busy"], "redial", "rules.Busy: must be a list of steps"),
        (["rules", "Bussy"], [{"action": "MarkDB"}], "rules.Bussy: is not a call result"),
        (["rules", 1.2], [{"action": "MarkDB"}], "rules.1.2: is not a call result"),
        (["rules", "54"], [{"action": "MarkDB"}], "rules.54: is not a call result"),
        (["rules", 6], [{"action": "MarkDB"}], "rules.6: there are two sequences for Busy: here and rules.Busy"),
        (["rules", "DoNotCall"], [{"action": "MarkDB"}], "rules.DoNotCall: is never treated"),
        (["rules", "NoAnswer", 0, "interval_min"], 1440, "rules.NoAnswer[0].interval_min: must lie between 1 and 1439"),
        (["rules", "NoAnswer", 0, "interval_min"], None, "rules.NoAnswer[0].interval_min: RetryIn needs it"),
        (["rules", "AnsweringMachine", 0, "at"], "25:00", "rules.AnsweringMachine[0].at: must have the form"),
        (["rules", "AnsweringMachine", 0, "at"], "2026-02-30 10:00", "rules.AnsweringMachine[0].at: must have the"),
        (["rules", "AnsweringMachine", 0, "call_action"], "Sing", "rules.AnsweringMachine[0].call_action: must be one"),
        (["rules", "AnsweringMachine", 0, "call_action"], None, "rules.AnsweringMachine[0].call_target: has a meaning"),
        (
            ["rules", "AgentCallBackError", 0, "action"],
            "NextInChain",
            "rules.AgentCallBackError[0].action: nobody was called; allowed are AssignToGroup, Cycle, MarkAsAgentError",
        ),
        (["dispositions", "later", 0, "field"], " ", "dispositions.later[0].field: Reschedule needs it"),
        (["dispositions", "wrong person", 0, "hook"], "a,b", "dispositions.wrong person[0].hook: may hold no comma"),
        (["dispositions", " x"], [{"action": "MarkDB"}], "dispositions. x: a disposition neither begins nor ends"),
        (["dispositions", True], [{"action": "MarkDB"}], "dispositions.True: a disposition must be a text"),
        (["dispositions", "y" * 65], [{"action": "MarkDB"}], "is longer than 64 characters"),
        (["dispositions"], [], "dispositions: must be a mapping"),
        (["disposition_field"], None, "disposition_field: is required"),
        (["name"], "", "name: is required"),
        (["name"], 5, "name: must be a text; write it in quotes"),
        (["name"], "a\x00", "name: may hold printable characters only"),
        (["is_enabled"], "yes", "is_enabled: must be true or false"),
        (["rule"], {}, "rule: is not known here; known are name"),
    ],
)
def test_faults_name_their_place(path: list[str | int], value: Any, said: str) -> None:
    """Each fault is told with the path of what is wrong."""
    assert any(said in fault for fault in faults(changed(path, value))), faults(changed(path, value))


def test_a_step_behind_an_end_is_never_reached() -> None:
    """What can never happen is refused, not ignored."""
    document = changed(["rules", "NoAnswer"], [{"action": "MarkDB"}, {"action": "Cycle"}])
    assert faults(document) == ["rules.NoAnswer[1]: is never reached: step 0 ends the treatment"]


@pytest.mark.parametrize("document", [None, [], "text", 5, {}, {"name": "x"}, {"name": "x", "rules": {}}])
def test_what_is_no_plan(document: object) -> None:
    """Anything else is refused in a sentence."""
    assert faults(document)


def test_too_much_is_refused_without_reading_it() -> None:
    """Sequences and steps have limits, and so has the list of faults."""
    steps = [{"action": "Cycle"}] * (MAX_STEPS + 1)
    assert f"rules.Busy: holds more than {MAX_STEPS} steps" in faults(changed(["rules", "Busy"], steps))
    many = {f"d{n}": [{"action": "MarkDB"}] for n in range(MAX_RULES + 1)}
    assert f"dispositions: holds more than {MAX_RULES} sequences" in faults(changed(["dispositions"], many))
    wrong: Document = {f"x{n}": [] for n in range(MAX_RULES)}
    assert len(faults(changed(["rules"], wrong))) == MAX_FAULTS


def test_all_faults_are_told_at_once() -> None:
    """An author does not learn of one fault after the other."""
    document = changed(["rules", "Busy", 0, "attempts"], "x")
    document["rules"]["Nothing"] = []
    assert len(faults(document)) == 2


@settings(max_examples=100, deadline=None)
@given(plans())
def test_writing_a_plan_and_reading_it_again_changes_nothing(plan: TreatmentPlan) -> None:
    """``document_of`` and ``plan_of`` are inverse, also through JSON."""
    document = msgspec.json.decode(msgspec.json.encode(document_of(plan)))
    assert plan_of(document, contact_centre_id=1, treatment_id=1) == plan


def test_the_good_document_survives_the_round_trip() -> None:
    """Dispositions, hooks and explicit numbers as well."""
    assert read(document_of(read(GOOD))) == read(GOOD)
    assert document_of(read(GOOD)) == GOOD


_junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_keys = st.sampled_from(["name", "rules", "dispositions", "disposition_field", "Busy", "action", "attempts", "at"])


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(_keys, st.dictionaries(_keys | st.text(max_size=4), _junk, max_size=3) | _junk, max_size=5))
def test_any_value_is_read_or_refused_with_the_documented_error(document: object) -> None:
    """Whatever comes, the answer is a plan or ``PlanRefused`` with at least one fault."""
    refused: PlanRefused | None = None
    try:
        read(document)
    except PlanRefused as error:
        refused = error
    assert refused is None or refused.faults


def test_the_table_view() -> None:
    """A row for each sequence, in words."""
    rows = {row.name: row.sentence for row in table_of(read(GOOD))}
    assert rows["Busy"] == "30 min, +5, at most 3, then next number"
    assert rows["NoAnswer"] == "90 min the same day, then no more calls"
    assert rows["AnsweringMachine"] == "at 10:00 [call: Transfer 7001], then next number after 60 min (2 passes)"
    assert rows["later"] == "at the time in again, else 2 days"
    assert rows["wrong person"] == "tell crm, then delegated"


@given(st.text(max_size=40) | st.from_regex(r"[0-9]{1,12}(@[0-9]{1,4}){2,4}", fullmatch=True))
def test_any_text_in_the_history_column_is_survived(text: str) -> None:
    """An imported column may hold anything: it is a history that writes itself back, or none."""
    history = read_history(text)
    if history is not None:
        assert read_history(str(history)) == history
