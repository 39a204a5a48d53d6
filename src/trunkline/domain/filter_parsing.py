"""The language of filters, from text to tree.

::

    criteria    = condition { OR condition }
    condition   = term { AND term }
    term        = NOT term | "(" criteria ")" | comparison
    comparison  = column ( = | <> | != | < | <= | > | >= ) constant
                | column [NOT] IN "(" constant { "," constant } ")"
                | column [NOT] BETWEEN constant AND constant
                | column [NOT] LIKE 'pattern'
                | column IS [NOT] NULL
    constant    = number | 'text' | days_ago(n) | hours_ago(n) | minutes_ago(n) | now()
    column      = a column's name | a custom field's name, in double quotes when it is not one word

Keywords and columns are read without regard to case, texts and custom fields with it. Enumerations are written by
name or number (``call_result = 'Busy'`` or ``= 6``), moments as ISO 8601 texts in UTC or so long ago.

What is wrong is said with its place, counted in characters from 1.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime
from difflib import get_close_matches
from enum import IntEnum
from typing import NamedTuple

from trunkline.domain.enums import CallResult, PhoneType, RecordStatus, RecordType
from trunkline.domain.filters import (
    COLUMNS,
    MAX_CRITERIA,
    MAX_DEPTH,
    MAX_ORDER,
    MAX_TERMS,
    OTHER_NAMES,
    Ago,
    Between,
    Both,
    ColumnType,
    Compared,
    Condition,
    Either,
    FilterColumn,
    IsNull,
    Like,
    Not,
    OneOf,
    Operand,
    Operator,
    OrderTerm,
    ParsedFilter,
)
from trunkline.errors import OutOfRange, TooLarge

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>[+-]?[0-9]+(?:\.[0-9]+)?(?![\w.]))
    | (?P<text>'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")*")
    | (?P<word>[^\W\d]\w*)
    | (?P<sign><>|!=|<=|>=|[=<>(),])
    )""",
    re.VERBOSE,
)
_KEYWORDS = frozenset(("and", "or", "not", "in", "between", "like", "is", "null", "asc", "desc"))
_OPERATORS = {operator.value: operator for operator in Operator} | {"!=": Operator.NOT_EQUAL}
_AGO_SECONDS = {"days_ago": 86_400, "hours_ago": 3_600, "minutes_ago": 60}
_LONGEST_AGO_S = 100 * 366 * 86_400
"""A century: longer is a mistaken unit."""
_GREATEST = 2**63 - 1
_ENUMS: dict[ColumnType, type[IntEnum]] = {
    ColumnType.CALL_RESULT: CallResult,
    ColumnType.RECORD_TYPE: RecordType,
    ColumnType.RECORD_STATUS: RecordStatus,
    ColumnType.PHONE_TYPE: PhoneType,
}
_PLACES: dict[ColumnType, dict[str, int]] = {
    column_type: {str(member.name).replace("_", "").casefold(): int(member) for member in members}
    for column_type, members in _ENUMS.items()
}
_PLACES[ColumnType.CALL_RESULT]["answered"] = int(CallResult.ANSWER)


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def parse_filter(criteria: str, order_by: str, fields: Collection[str] | None = None) -> ParsedFilter:
    """The tree of a filter.

    ``fields`` are the custom fields that it may name; None allows any. Raises ``OutOfRange`` or ``TooLarge`` with a
    sentence that begins with ``criteria`` or ``order_by`` and names the place.
    """
    condition = _Parser("criteria", criteria, fields).condition() if criteria.strip() else None
    order = _Parser("order_by", order_by, fields).order() if order_by.strip() else ()
    return ParsedFilter(condition, order)


class _Parser:
    def __init__(self, what: str, text: str, fields: Collection[str] | None) -> None:
        self._what = what
        self._fields = fields
        self._length = len(text)
        if len(text) > MAX_CRITERIA:
            raise TooLarge(f"{what} is longer than {MAX_CRITERIA} characters")
        self._tokens = self._split(text)
        self._place = 0
        self._terms = 0

    def condition(self) -> Condition:
        found = self._either(0)
        if self._place < len(self._tokens):
            raise self._wrong("AND, OR or the end")
        return found

    def order(self) -> tuple[OrderTerm, ...]:
        terms: list[OrderTerm] = []
        while True:
            column = self._column()
            is_descending = self._takes("desc")
            if not is_descending:
                self._takes("asc")
            if any(term.column == column for term in terms):
                raise OutOfRange(f"{self._what} names {column.name} twice")
            terms.append(OrderTerm(column, is_descending))
            if len(terms) > MAX_ORDER:
                raise TooLarge(f"{self._what} has more than {MAX_ORDER} columns")
            if self._place == len(self._tokens):
                return tuple(terms)
            self._demand(",", "a comma or the end")

    # Words

    def _split(self, text: str) -> list[_Token]:
        tokens: list[_Token] = []
        at, end = 0, len(text.rstrip())
        while at < end:
            found = _TOKEN.match(text, at, end)
            if found is None:
                at += len(text[at:]) - len(text[at:].lstrip())
                sign = "a quote that is never closed" if text[at] in "'\"" else "a sign that no filter has"
                raise OutOfRange(f"{self._what}, character {at + 1}: {sign}")
            kind = found.lastgroup or ""
            tokens.append(_Token(kind, found[kind], found.start(kind)))
            at = found.end()
        return tokens

    def _peek(self) -> _Token | None:
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def _takes(self, word: str) -> bool:
        """Go on when the next token is this keyword or sign."""
        token = self._peek()
        if token is None or token.kind in ("text", "quoted") or token.text.casefold() != word:
            return False
        self._place += 1
        return True

    def _demand(self, word: str, wanted: str) -> None:
        if not self._takes(word):
            raise self._wrong(wanted)

    def _wrong(self, wanted: str) -> OutOfRange:
        token = self._peek()
        at = self._length if token is None else token.at
        found = "the text ends" if token is None else f"it says {_shown(token.text)}"
        return OutOfRange(f"{self._what}, character {at + 1}: {wanted} was expected, and {found}")

    # Grammar

    def _either(self, depth: int) -> Condition:
        if depth > MAX_DEPTH:
            raise TooLarge(f"{self._what} is nested deeper than {MAX_DEPTH} times")
        conditions = [self._both(depth)]
        while self._takes("or"):
            conditions.append(self._both(depth))
        return conditions[0] if len(conditions) == 1 else Either(tuple(conditions))

    def _both(self, depth: int) -> Condition:
        conditions = [self._term(depth)]
        while self._takes("and"):
            conditions.append(self._term(depth))
        return conditions[0] if len(conditions) == 1 else Both(tuple(conditions))

    def _term(self, depth: int) -> Condition:
        if self._takes("not"):
            if depth >= MAX_DEPTH:
                raise TooLarge(f"{self._what} is nested deeper than {MAX_DEPTH} times")
            return Not(self._term(depth + 1))
        if self._takes("("):
            inner = self._either(depth + 1)
            self._demand(")", "a closing parenthesis")
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        column = self._column()
        if self._takes("is"):
            is_negated = self._takes("not")
            self._demand("null", "NULL")
            self._count()
            return Not(IsNull(column)) if is_negated else IsNull(column)
        is_negated = self._takes("not")
        condition = self._membership(column)
        if condition is None and is_negated:
            raise self._wrong("IN, BETWEEN or LIKE")
        if condition is None:
            token = self._peek()
            operator = None if token is None else _OPERATORS.get(token.text)
            if operator is None:
                raise self._wrong("a comparison such as =, IN, BETWEEN, LIKE or IS NULL")
            self._place += 1
            return Compared(column, operator, self._constant(column))
        return Not(condition) if is_negated else condition

    def _membership(self, column: FilterColumn) -> Condition | None:
        if self._takes("in"):
            self._demand("(", "an opening parenthesis")
            operands = [self._constant(column)]
            while self._takes(","):
                operands.append(self._constant(column))
            self._demand(")", "a comma or a closing parenthesis")
            return OneOf(column, tuple(operands))
        if self._takes("between"):
            low = self._constant(column)
            self._demand("and", "AND")
            return Between(column, low, self._constant(column))
        if self._takes("like"):
            token = self._peek()
            if column.column_type.is_number:
                raise self._wrong(f"a number for {column.name}, because LIKE is for texts,")
            if token is None or token.kind != "text":
                raise self._wrong("a pattern in single quotes")
            self._place += 1
            self._count()
            return Like(column, _unquoted(token.text))
        return None

    def _column(self) -> FilterColumn:
        token = self._peek()
        if token is None or token.kind not in ("word", "quoted") or token.text.casefold() in _KEYWORDS:
            raise self._wrong("the name of a column")
        name = _unquoted(token.text) if token.kind == "quoted" else token.text
        plain = OTHER_NAMES.get(name.casefold(), name.casefold())
        known = COLUMNS.get(plain) if token.kind == "word" else None
        is_unknown = not name or (self._fields is not None and name not in self._fields)
        if known is None and is_unknown:
            raise OutOfRange(
                f"{self._what}, character {token.at + 1}: "
                f"{_shown(name)} is neither a column of records nor a custom field"
            )
        if known is None and self._fields is None and token.kind == "word":
            near = get_close_matches(plain, COLUMNS, 1, 0.85)
            if near:
                raise OutOfRange(
                    f"{self._what}, character {token.at + 1}: {_shown(name)} is not a column; {near[0]} is; "
                    "a custom field of that name is written in double quotes"
                )
        self._place += 1
        return known or FilterColumn(name, ColumnType.FIELD)

    def _count(self) -> None:
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise TooLarge(f"{self._what} has more than {MAX_TERMS} comparisons and constants")

    def _constant(self, column: FilterColumn) -> Operand:
        self._count()
        token = self._peek()
        if token is None or token.kind not in ("number", "text", "word"):
            raise self._wrong("a number, a text in single quotes or a moment")
        if token.kind == "word":
            return self._ago(column)
        value = _number(token.text) if token.kind == "number" else _unquoted(token.text)
        try:
            operand = _fitting(column, value)
        except OutOfRange as error:
            raise OutOfRange(f"{self._what}, character {token.at + 1}: {column.name} {error}") from None
        self._place += 1
        return operand

    def _ago(self, column: FilterColumn) -> Ago:
        token = self._peek()
        assert token is not None
        word = token.text.casefold()
        if word != "now" and word not in _AGO_SECONDS:
            raise self._wrong("a number, a text in single quotes, days_ago(n), hours_ago(n), minutes_ago(n) or now()")
        if column.column_type is not ColumnType.TIME:
            raise self._wrong(f"a value for {column.name}, which is no moment,")
        self._place += 1
        self._demand("(", "an opening parenthesis")
        seconds = 0
        if word != "now":
            number = self._peek()
            if number is None or number.kind != "number" or not number.text.isdigit() or len(number.text) > 10:
                raise self._wrong("a whole number")
            seconds = int(number.text) * _AGO_SECONDS[word]
            if seconds > _LONGEST_AGO_S:
                raise self._wrong("a time of at most 100 years")
            self._place += 1
        self._demand(")", "a closing parenthesis")
        return Ago(seconds)


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)


def _unquoted(text: str) -> str:
    return text[1:-1].replace(text[0] * 2, text[0])


def _shown(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:40])


def _fitting(column: FilterColumn, value: float | str) -> Operand:
    """The constant as it is compared with the column; ``OutOfRange``, a sentence without its subject, if it cannot."""
    kind = column.column_type
    if isinstance(value, int) and abs(value) > _GREATEST:
        raise OutOfRange("is compared with a number that no record has")
    if isinstance(value, str) and ("\0" in value or any("\ud800" <= c <= "\udfff" for c in value)):
        raise OutOfRange("is compared with a text that no record has")
    if kind is ColumnType.FIELD:
        return value
    if kind is ColumnType.TEXT:
        if not isinstance(value, str):
            raise OutOfRange("is a text: write the constant in single quotes")
        return value
    if kind is ColumnType.INTEGER:
        if isinstance(value, str):
            raise OutOfRange("is a number: write the constant without quotes")
        return value
    if kind is ColumnType.TIME:
        return _moment(value)
    return _member(kind, value)


def _member(kind: ColumnType, value: float | str) -> int:
    names = _PLACES[kind]
    if isinstance(value, str):
        found = names.get(re.sub(r"[\s_.-]", "", value).casefold())
        if found is None:
            raise OutOfRange(f"has no value of this name; it is a {kind.value}")
        return found
    if not isinstance(value, int) or value not in names.values():
        raise OutOfRange(f"has no value of this number; it is a {kind.value}")
    return value


def _moment(value: float | str) -> int:
    if isinstance(value, int):
        return value
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None:
        raise OutOfRange("is a moment: write Unix seconds, '2031-05-01', '2031-05-01T09:30' or days_ago(7)")
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
