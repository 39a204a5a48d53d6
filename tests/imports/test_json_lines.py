"""JSON lines: objects with other keys, values of other types, and lines that are no objects."""

from __future__ import annotations

import msgspec
import pytest

from tests.imports.harness import LIST, ORDER, load, reasons
from trunkline.app.imports.files import MAX_ROW_CHARACTERS
from trunkline.app.imports.json_lines import MAX_SHAPES
from trunkline.domain.campaigns import ListField
from trunkline.domain.enums import FieldType
from trunkline.domain.import_specifications import FileFormat, ImportMode
from trunkline.errors import MissingParameter, OutOfRange, Refused, TooLarge

JSON = msgspec.structs.replace(ORDER, file_format=FileFormat.JSON_LINES, mode=ImportMode.GOOD)


def test_objects_become_records() -> None:
    """Keys are columns; custom fields keep their types; a key that is not there is no field of that record."""
    text = (
        '{"phone": "+15550100", "chain": 7, "attempts": 2, "n": 5, "b": true}\n\n'
        '{"chain": 7, "phone": 15550101, "x": null, "f": 1.5}\r\n'
        '{"phone": "+15550102", "attempts": 1e0}'
    )
    report, records = load(text, JSON)
    assert report.refusals == []
    assert [record.other_fields for record in records] == [{"n": 5, "b": True}, {"x": None, "f": 1.5}, {}]
    assert [record.phone_number for record in records] == ["+15550100", "15550101", "+15550102"]
    assert [record.attempts for record in records] == [2, 0, 1]
    assert records[0].chain_id == records[1].chain_id != records[2].chain_id
    assert report.columns["n"] == "custom field n"
    assert report.rows_read == 3


def test_blank_lines_before_the_first_object_count() -> None:
    """However many there are: the rows after them keep the numbers of their lines."""
    blank = 300_000
    report, records = load("\n" * blank + '{"phone": "+15550100"}\n[]\n', JSON)
    assert (len(records), reasons(report)[0][0]) == (1, blank + 2)


def test_lines_that_are_no_objects_are_refused_by_their_number() -> None:
    """Rows are numbered as lines; a line in which something is nested, and one that is no JSON, are refused alone."""
    lines = (b'{"phone": "+15550100"}', b"[1]", b'{"phone": {"a": 1}}', b'{"phone": ', b'{"phone": "\xff"}', b"null")
    text = b"\n".join((*lines, b'{"phone": "+15550101"}'))
    report, records = load(text, JSON)
    assert [row for row, _, _ in reasons(report)] == [2, 3, 4, 5, 6]
    assert len(records) == 2


def test_values_are_checked_against_the_format() -> None:
    """A declared field has its type, from texts and from numbers; the others are what they are."""
    fields = (
        ListField(name="n", field_type=FieldType.INT),
        ListField(name="t", max_length=3),
        ListField(name="d", is_nullable=False, default="x"),
    )
    strict = msgspec.structs.replace(LIST, fields=fields)
    text = (
        '{"phone": "+15550100", "n": "5", "t": "abc"}\n{"phone": "+15550101", "n": 6.5}\n'
        '{"phone": "+15550102", "t": 7}\n{"phone": "+15550103", "t": "abcd"}\n'
    )
    report, records = load(text, JSON, strict)
    assert [(row, field) for row, field, _ in reasons(report)] == [(2, "n"), (3, "t"), (4, "t")]
    assert [record.other_fields for record in records] == [{"n": 5, "t": "abc", "d": "x"}]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", OutOfRange),
        ("\ufeff", OutOfRange),
        ("\n  \r\n\n" * 100_000, OutOfRange),
        ('{"name": "Ann"}\n', MissingParameter),
        ('{"phone": "+15550100"}\n{"phone": "+15550101", "GSW_PHONE": "x"}\n', OutOfRange),
        ('{"phone": "+15550100", "' + "x" * 100 + '": 1}\n', TooLarge),
        ('{"phone": "' + "1" * MAX_ROW_CHARACTERS + '"}\n', TooLarge),
        (
            "".join(f'{{"phone": "+15550100", "a{n % 90}": 1, "b{n % 89}": 1}}\n' for n in range(MAX_SHAPES + 9)),
            Refused,
        ),
    ],
)
def test_a_file_that_cannot_be_a_list_is_refused(text: str, error: type[Exception]) -> None:
    """No object, no number, names that cannot be, lines without an end, too many keys: a refusal of the whole."""
    with pytest.raises(error):
        load(text, JSON)
