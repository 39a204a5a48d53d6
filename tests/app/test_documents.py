"""Text of documents that people write: what is read, and what is refused with its place."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.app.administration.documents import MAX_DEPTH, MAX_DOCUMENT_BYTES, read_document
from trunkline.errors import OutOfRange, TooLarge


def test_values_are_those_that_json_knows() -> None:
    """No and a date stay texts, 0123 is a number's look only, true and null are what they say."""
    text = b"a: 1\nb: No\nc: 2026-01-01\nd: true\ne: null\nf: 1.5\n6: x\ng: 0123\nh:\n"
    assert read_document(text) == {
        "a": 1,
        "b": "No",
        "c": "2026-01-01",
        "d": True,
        "e": None,
        "f": 1.5,
        6: "x",
        "g": "0123",
        "h": None,
    }
    assert read_document(b'{"a": [1, {"b": "x"}], "c": "\\u00e9"}') == {"a": [1, {"b": "x"}], "c": "\u00e9"}
    assert read_document(b"") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"a: &x 1\nb: *x", "line 1, column 4: anchors are not allowed"),
        (b"a: *x", "line 1, column 4: aliases are not allowed"),
        (b"a: 1\na: 2", "line 2, column 1: the key a is there twice"),
        (b"a: !!python/object:os.system x", "line 1, column 4: tags are not allowed"),
        (b"a: [", "line 1, column 5: "),
        (b"- a\n---\n- b", "line 2, column 1: "),
        (b"? [a]\n: b", "a key must be a name or a number"),
        (b"[" * (MAX_DEPTH + 1), f"nested deeper than {MAX_DEPTH} levels"),
        (b"\xff", "the document is not UTF-8 (byte 1)"),
        (b"a: '\x00'", "special characters are not allowed"),
    ],
)
def test_refusals_name_the_place(text: bytes, said: str) -> None:
    """What is more than plain values, or hides something, is refused."""
    with pytest.raises(OutOfRange) as refused:
        read_document(text)
    assert said in str(refused.value)


def test_the_size_has_a_limit() -> None:
    """A larger text is not read at all."""
    with pytest.raises(TooLarge):
        read_document(b"a" * (MAX_DOCUMENT_BYTES + 1))


@given(st.binary(max_size=60) | st.text("ab: -[]{},'\"&*!|>\n#", max_size=60).map(str.encode))
def test_any_text_is_read_or_refused(text: bytes) -> None:
    """Whatever the bytes, the answer is a value or the documented refusal."""
    with contextlib.suppress(OutOfRange):
        read_document(text)
