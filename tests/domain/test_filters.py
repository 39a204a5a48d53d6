"""The language of filters: what it takes, what it refuses and where, what a tree means."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.domain.enums import CallResult, RecordStatus
from trunkline.domain.filter_evaluation import matches
from trunkline.domain.filter_parsing import parse_filter
from trunkline.domain.filters import (
    COLUMNS,
    MAX_CRITERIA,
    Ago,
    Both,
    ColumnType,
    Compared,
    FilterColumn,
    IsNull,
    Not,
    OneOf,
    Operator,
    OrderTerm,
)
from trunkline.domain.records import Record
from trunkline.errors import OutOfRange, TooLarge

NOW_S = 1_800_000_000


def record(**values: Any) -> Record:
    """A record."""
    default: dict[str, Any] = {"contact_centre_id": 1, "list_id": 1, "chain_id": 1, "chain_n": 0, "record_id": 1}
    return Record(**{**default, "phone_number": "+14155550100", **values})


def selects(criteria: str, **values: Any) -> bool:
    """Whether a filter selects a record with these values."""
    return matches(parse_filter(criteria, "").condition, record(**values), NOW_S)


def test_a_filter_becomes_a_tree() -> None:
    """Precedence, negation, enumerations by name, custom fields and moments come out as they were meant."""
    parsed = parse_filter(
        "call_result IN ('Busy', 7) AND NOT dial_sched_time IS NULL "
        'AND "balance" >= 10.5 AND call_time < days_ago(2)',
        "balance DESC, chain_id",
        {"balance"},
    )
    balance = FilterColumn("balance", ColumnType.FIELD)
    assert parsed.condition == Both(
        (
            OneOf(COLUMNS["call_result"], (int(CallResult.BUSY), int(CallResult.NO_ANSWER))),
            Not(IsNull(COLUMNS["due_at"])),
            Compared(balance, Operator.GREATER_OR_EQUAL, 10.5),
            Compared(COLUMNS["called_at"], Operator.LESS, Ago(172_800)),
        )
    )
    assert parsed.order == (OrderTerm(balance, is_descending=True), OrderTerm(COLUMNS["chain_id"]))


@pytest.mark.parametrize(
    ("criteria", "values", "expected"),
    [
        ("attempts < 3", {"attempts": 2}, True),
        ("attempts < 3", {"attempts": 3}, False),
        ("attempts = 1 OR attempts = 2 AND call_result = 'Busy'", {"attempts": 1}, True),
        ("(attempts = 1 OR attempts = 2) AND call_result = 'Busy'", {"attempts": 1}, False),
        ("record_status = 'Ready'", {}, True),
        ("status <> 'call back'", {}, None),
        ("due_at < now()", {}, False),
        ("NOT due_at < now()", {}, False),
        ("due_at BETWEEN '2027-01-15' AND '2027-01-15T09:00'", {"due_at_s": NOW_S}, True),
        ("phone_number LIKE '+1415%'", {}, True),
        ("phone_number LIKE '%0_00'", {}, True),
        ("state LIKE 't%'", {"other_fields": {"state": "TX"}}, False),
        ("state = 'TX'", {"other_fields": {"state": "TX"}}, True),
        ("state = 'it''s'", {"other_fields": {"state": "it's"}}, True),
        ("sum > 9", {"other_fields": {"sum": "10"}}, True),
        ("sum > '9'", {"other_fields": {"sum": "10"}}, False),
        ("sum > 9", {"other_fields": {"sum": "ten"}}, False),
        ("NOT sum > 9", {"other_fields": {"sum": "ten"}}, False),
        ("vip = 'true'", {"other_fields": {"vip": True}}, True),
        ("nothing IS NULL", {}, True),
        ("nothing IN ('a') OR attempts = 0", {}, True),
        ('"attempts" IS NULL', {"attempts": 4}, True),
    ],
)
def test_what_a_filter_selects(criteria: str, values: dict[str, Any], expected: object) -> None:
    """Comparisons mean what they say; a missing value is neither smaller nor greater nor different."""
    if expected is None:
        with pytest.raises(OutOfRange, match="no value of this name"):
            selects(criteria, **values)
    else:
        assert selects(criteria, **values) is expected


@pytest.mark.parametrize(
    ("criteria", "says"),
    [
        ("attempts", "character 9: a comparison"),
        ("attempts = ", "character 12: a number"),
        ("attempts = 'two'", "character 12: attempts is a number"),
        ("phone_number = 5", "phone_number is a text"),
        ("call_result = 'Bizy'", "character 15: call_result has no value of this name"),
        ("call_result = 99", "no value of this number"),
        ("salary > 5", "character 1: salary is neither"),
        ("attempts = 1; DROP TABLE record", "character 13: a sign that no filter has"),
        ("attempts = 1 -- x", "character 14"),
        ("attempts = (SELECT 1)", "a number, a text"),
        ("pg_sleep(10) = 1", "neither a column"),
        ("state = 'TX", "character 9: a quote that is never closed"),
        ("(attempts = 1", "a closing parenthesis was expected, and the text ends"),
        ("attempts = 1 attempts = 2", "character 14: AND, OR or the end"),
        ("attempts LIKE '1%'", "LIKE is for texts"),
        ("attempts = days_ago(1)", "no moment"),
        ("due_at = 'yesterday'", "due_at is a moment"),
        ("due_at > days_ago(99999999)", "100 years"),
        ("attempts = 99999999999999999999", "a number that no record has"),
        ("state = 'a\0b'", "a text that no record has"),
        ("and = 1", "the name of a column"),
        ("attempts NOT = 1", "IN, BETWEEN or LIKE"),
        ("attempts = 1.5.2", "character 12"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(criteria: str, says: str) -> None:
    """Hostile text, unknown columns and slips are refused with a sentence that names the character."""
    with pytest.raises(OutOfRange, match="criteria") as refused:
        parse_filter(criteria, "", {"state"})
    assert says in str(refused.value)


def test_a_slip_of_the_pen_is_not_taken_for_a_custom_field() -> None:
    """Where any field is allowed, a name that is nearly a column's is refused unless it is quoted."""
    with pytest.raises(OutOfRange, match="attemps is not a column; attempts is"):
        parse_filter("attemps < 3", "")
    assert parse_filter('"attemps" < 3', "").condition is not None
    assert parse_filter("balance < 3", "").condition is not None


@pytest.mark.parametrize(
    ("criteria", "order_by"),
    [
        ("attempts = 1 OR " * 300 + "attempts = 1", ""),
        ("(" * 30 + "attempts = 1" + ")" * 30, ""),
        ("NOT " * 30 + "attempts = 1", ""),
        ("attempts IN (" + "1," * 250 + "1)", ""),
        (" " * MAX_CRITERIA + "attempts = 1", ""),
        ("", ", ".join(f"f{n}" for n in range(20))),
    ],
)
def test_every_filter_has_an_end(criteria: str, order_by: str) -> None:
    """Length, nesting, terms and sort columns have limits."""
    with pytest.raises(TooLarge):
        parse_filter(criteria, order_by)


@pytest.mark.parametrize("order_by", ["chain_id,", "chain_id chain_n", "chain_id UP", "a, a", "1", "'a'"])
def test_orders_that_are_wrong(order_by: str) -> None:
    """An order is a list of different columns."""
    with pytest.raises(OutOfRange, match="order_by"):
        parse_filter("", order_by)


def test_every_column_can_be_asked() -> None:
    """Each column that the language knows is one that a record has."""
    for name in COLUMNS:
        assert isinstance(selects(f"{name} IS NULL"), bool)
    assert selects(f"status = {int(RecordStatus.READY)} AND tz_name = 'PST' AND daily_till > 5") is True


def like(text: str, pattern: str) -> bool:
    """What LIKE means, sign by sign."""

    @cache
    def rest(at: int, sign: int) -> bool:
        if sign == len(pattern):
            return at == len(text)
        if pattern[sign] == "%":
            return rest(at, sign + 1) or (at < len(text) and rest(at + 1, sign))
        return at < len(text) and pattern[sign] in ("_", text[at]) and rest(at + 1, sign + 1)

    return rest(0, 0)


@given(st.text("ab.\n", max_size=8), st.text("ab.\n%_", max_size=8))
def test_like_is_what_it_says(text: str, pattern: str) -> None:
    """Any text for ``%``, one character for ``_``, everything else stands for itself."""
    assert selects(f"note LIKE '{pattern}'", other_fields={"note": text}) is like(text, pattern)


@pytest.mark.timeout(10)
def test_no_pattern_holds_up_the_server() -> None:
    """A pattern made to be slow is judged at once: with every ``%`` trying every place it would take years."""
    pattern, text = "%a" * 200 + "%b", "a" * 4000
    assert not selects(f"note LIKE '{pattern}'", other_fields={"note": text})
    assert selects(f"note LIKE '{pattern}'", other_fields={"note": text + "b"})
