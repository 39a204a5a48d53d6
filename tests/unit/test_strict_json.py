"""The one decoder: what it takes, what it refuses, and that nothing else comes out of it."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.errors import OutOfRange, TooLarge
from trunkline.strict_json import INT64_MAX, INT64_MIN, MAX_BODY_BYTES, MAX_DEPTH, Malformed, decode, decode_object

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(INT64_MIN, INT64_MAX)
    | st.floats(-1e15, 1e15)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_what_is_well_formed_comes_back(value: object) -> None:
    """Any JSON value within the limits is read as Python's own decoder reads it."""
    assert decode(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b'{"a": True}',
        b"NaN",
        b"[Infinity]",
        b"[1e999]",
        b"[1e30]",
        b"[9223372036854775808]",
        b"[-9223372036854775809]",
        b"1 2",
        b'"\xff"',
        b'"\x00"',
        b'"\\u0000"',
        b'{"a\\u0000": 1}',
        b'"\\ud800"',
        b'"\\udc00 x"',
        b"\xef\xbb\xbf{}",
        b"[01]",
        b"[1,]",
    ],
)
def test_malformed(body: bytes) -> None:
    """Each is refused as malformed, with code 10 and a sentence that quotes nothing of it."""
    with pytest.raises(Malformed) as refused:
        decode(body)
    assert refused.value.code == 10
    assert str(refused.value)


def test_the_limits_are_met_exactly() -> None:
    """The deepest nesting and the largest body pass, one more does not."""
    assert decode(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    with pytest.raises(TooLarge):
        decode(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))
    body = b'"' + b"x" * (MAX_BODY_BYTES - 2) + b'"'
    assert len(decode(body)) == MAX_BODY_BYTES - 2
    with pytest.raises(TooLarge):
        decode(body + b" ")
    assert decode(b"[%d,%d]" % (INT64_MIN, INT64_MAX)) == [INT64_MIN, INT64_MAX]


def test_brackets_in_strings_do_not_nest() -> None:
    """Depth is counted outside strings, escapes heeded."""
    text = '[{"' * 40
    assert decode(json.dumps([text, '\\"' * 40]).encode()) == [text, '\\"' * 40]


def test_a_surrogate_pair_is_one_character() -> None:
    """Only half a pair is refused."""
    assert decode(b'"\\ud83d\\ude00"') == "\U0001f600"


@pytest.mark.parametrize("body", [b"[]", b"1", b"null", b'"x"'])
def test_a_request_is_one_object(body: bytes) -> None:
    """Anything but an object is no request."""
    with pytest.raises(Malformed):
        decode_object(body)


@given(st.binary(max_size=200) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """Whatever arrives, the only error is the documented one, and what was read can be written again."""
    try:
        value = decode(body)
    except OutOfRange:
        return
    assert decode(msgspec.json.encode(value)) == value
