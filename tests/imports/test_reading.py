"""Reading: bytes to rows to chains, with the numbers of the rows, and the limits of each."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.imports.harness import LIST
from trunkline.app.import_reading import (
    ENCODINGS,
    MAX_ROW_CHARACTERS,
    MAX_WINDOWS,
    Chain,
    CsvFile,
    Pass,
    Reader,
    RefusedRow,
    check_delimiter,
)
from trunkline.app.ports import MAX_CHAIN
from trunkline.app.seen_keys import SeenKeys
from trunkline.errors import OutOfRange, Refused, TooLarge

READER = Reader(calling_list=LIST)


def read(text: str | bytes, reader: Reader = READER, encoding: str = "utf-8") -> list[Chain | RefusedRow]:
    """What one pass finds."""
    raw = text if isinstance(text, bytes) else text.encode()
    return [found for found in Pass(CsvFile(io.BytesIO(raw), encoding), reader) if found is not None]


def rows_of(found: list[Chain | RefusedRow]) -> list[list[tuple[int, int]]]:
    """Row number and place of each row, chain by chain."""
    return [[(row.row, row.place) for row in item.rows] for item in found if isinstance(item, Chain)]


def refused(found: list[Chain | RefusedRow]) -> list[tuple[int, str]]:
    """Row number and first field of each refused row."""
    return [(item.row, item.faults[0].field) for item in found if isinstance(item, RefusedRow)]


def test_rows_are_numbered_as_a_spreadsheet_does() -> None:
    """The header is row 1, a cell with line breaks is one row, empty rows count and are skipped."""
    text = 'phone,note\r\n+15550100,"two\r\nlines"\r\n\r\n , \r\n+15550101,\r\nbad,\r\n'
    found = read(text)
    assert rows_of(found) == [[(2, 0)], [(5, 0)]]
    assert refused(found) == [(6, "phone")]
    first = found[0]
    assert isinstance(first, Chain)
    assert first.rows[0].values.other_fields == {"note": "two\r\nlines"}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_one(end: str) -> None:
    """Files of all systems read alike."""
    assert rows_of(read(end.join(("phone,a", "+15550100,", "+15550101,")))) == [[(2, 0)], [(3, 0)]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_mark_at_the_beginning_is_no_part_of_the_first_name(encoding: str) -> None:
    """A byte-order mark goes, and text arrives as it was written."""
    mark = "\ufeff" if encoding == "utf-8" else ""
    found = read(f"{mark}phone,note\n+15550100,Zoë\n".encode(encoding), encoding=encoding)
    assert isinstance(found[0], Chain)
    assert found[0].rows[0].values.other_fields == {"note": "Zoë"}


def test_adjacent_rows_with_one_key_are_a_chain() -> None:
    """Places are the given ones or the next free; rows without a key stand alone; refused rows do not end a chain."""
    text = "phone,chain,chain_n\n+1550,a,\n+1551,a,5\nbad,a,\n+1552,a,\n+1553,,\n+1554,,7\n+1555,b,\n"
    found = read(text)
    assert rows_of(found) == [[(2, 0), (3, 5), (5, 6)], [(6, 0)], [(7, 7)], [(8, 0)]]
    assert [item.end_row for item in found if isinstance(item, Chain)] == [5, 6, 7, 8]
    assert refused(found) == [(4, "phone")]


def test_a_chain_that_comes_back_is_refused() -> None:
    """A key that ended in an earlier row is refused with its row; the rows around it stay."""
    found = read("phone,Key\n+1550,a\n+1551,b\n+1552,a\n+1553,b\n", Reader(calling_list=LIST, mapping={"chain": "Key"}))
    assert rows_of(found) == [[(2, 0)], [(3, 0), (5, 1)]]
    assert refused(found) == [(4, "Key")]


def test_a_place_comes_once_in_a_chain() -> None:
    """Two rows cannot stand at one place; the same place in another chain is free."""
    text = "phone,chain,chain_n\n+1550,a,0\n+1551,a,0\n+1552,b,0\n"
    found = read(text)
    assert rows_of(found) == [[(2, 0)], [(4, 0)]]
    assert refused(found) == [(3, "chain_n")]


def test_a_chain_has_an_end() -> None:
    """Past the limit of a chain its rows are refused."""
    text = "phone,chain\n" + "+15550100,a\n" * (MAX_CHAIN + 2)
    found = read(text)
    assert [len(chain) for chain in rows_of(found)] == [MAX_CHAIN]
    assert refused(found) == [(MAX_CHAIN + 2, "chain"), (MAX_CHAIN + 3, "chain")]


def test_a_file_has_a_limit_of_windows() -> None:
    """A column of random times is refused where it would slow the hand-out; known windows go on."""
    text = "phone,daily_from,daily_till\n" + "".join(f"+15550100,{100 + n},86000\n" for n in range(MAX_WINDOWS + 1))
    found = read(text + "+15550100,100,86000\n")
    assert refused(found) == [(MAX_WINDOWS + 2, "daily_from")]
    assert rows_of(found)[-1] == [(MAX_WINDOWS + 3, 0)]


def test_numbers_come_once_where_the_list_says_so() -> None:
    """Two spellings of one number are one number."""
    text = "phone\n+1 555 0100\n001 5550100\n+1 555 0101\n"
    assert refused(read(text)) == []
    strict = Reader(calling_list=LIST.__class__(contact_centre_id=1, list_id=7, name="Spring", refuses_duplicates=True))
    assert refused(read(text, strict)) == [(3, "phone")]


def test_a_check_may_refuse_a_number() -> None:
    """The reason that a check returns becomes the row's."""
    strict = Reader(calling_list=LIST, check=lambda values: "is odd" if values.phone_number.endswith("1") else None)
    assert refused(read("phone\n+15550100\n+15550101\n", strict)) == [(3, "phone")]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("phone,a\n+15550100\n+15550100,b,c\n", [(2, ""), (3, "")]),
        ('phone,a\n+15550100,"5" nails"\n+15550101,ok\n', [(2, "")]),
        ('phone,a\n+15550101,ok\n+15550100,"never ends', [(3, "")]),
        ("phone,a\n+15550100,nul\0\n", [(2, "a")]),
        (b"phone,a\n+15550100,\xff\xfe\n+15550101,ok\n", [(2, "a")]),
        ("phone,a\n+15550100," + "x" * 5000 + "\n", [(2, "a")]),
    ],
)
def test_a_bad_row_is_refused_by_its_number(text: str | bytes, rows: list[tuple[int, str]]) -> None:
    """Ragged rows, wrong quotes, NUL, undecodable bytes and long cells refuse their row and no other."""
    assert refused(read(text)) == rows


@pytest.mark.parametrize(
    ("text", "encoding", "error"),
    [
        ("", "utf-8", OutOfRange),
        ("\ufeff", "utf-8", Refused),
        ("\nphone\n", "utf-8", Refused),
        ('"pho"ne\n', "utf-8", OutOfRange),
        ("phone,GSW_PHONE\n", "utf-8", OutOfRange),
        ("phone,a\n+1550," + "x" * MAX_ROW_CHARACTERS + "\n", "utf-8", TooLarge),
        ('phone,a\n+1550,"never ends\n' + "+1551,x\n" * MAX_ROW_CHARACTERS, "utf-8", TooLarge),
        ('phone,a\n+1550,"two\nlines" or "so"\n+1551,x\n', "utf-8", OutOfRange),
        ('phone,a\n+1550,"never ends\n+1551,x\n', "utf-8", OutOfRange),
        ("x" * (MAX_ROW_CHARACTERS + 1), "utf-8", TooLarge),
        (b"\xff\xfep\x00h", "utf-16-be", Refused),
        (b"p\x00h\x00o\x00n\x00e\x00\n\x00\x00\xd8x\x00", "utf-16-le", OutOfRange),
    ],
)
def test_a_file_whose_rows_are_uncertain_is_refused(text: str | bytes, encoding: str, error: type[Exception]) -> None:
    """No header, quotes over several lines, rows without an end, another form of encoding: nothing is guessed."""
    with pytest.raises(error):
        read(text, encoding=encoding)


@pytest.mark.parametrize("encoding", ["", "utf-7", "hex", "zlib", "rot13", "idna", "no such", "utf\0-8", "undefined"])
def test_only_encodings_of_text_are_read(encoding: str) -> None:
    """Codecs that are no text, or that nobody writes, are refused by name."""
    with pytest.raises(OutOfRange):
        CsvFile(io.BytesIO(), encoding)


def test_every_encoding_is_there() -> None:
    """The names of the list are names that the interpreter gives back."""
    for encoding in ENCODINGS:
        assert CsvFile(io.BytesIO(), encoding).encoding == encoding


@pytest.mark.parametrize("delimiter", ["", ",,", "a", "1", '"', "\n", "\r", " ", "§", "\0"])
def test_a_delimiter_is_one_sign(delimiter: str) -> None:
    """What could be part of a cell, a quote or a line end does not part cells."""
    with pytest.raises(OutOfRange):
        check_delimiter(delimiter)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(delimiter: str) -> None:
    """The usual delimiters part cells."""
    text = f"phone{delimiter}a\n+15550100{delimiter}b\n"
    found = read(text, Reader(calling_list=LIST, delimiter=delimiter))
    assert rows_of(found) == [[(2, 0)]]


def test_a_file_is_read_again_from_its_beginning() -> None:
    """Two passes see the same lines, also when the first was left in the middle; the file stays open."""
    file = io.BytesIO(b"a\nb\nc\n")
    source = CsvFile(file)
    assert next(iter(source)) == "a\n"
    assert list(source) == list(source) == ["a\n", "b\n", "c\n"]
    assert not file.closed


def test_a_digest_tells_contents_and_encodings_apart() -> None:
    """The same bytes in the same encoding, and only they, have the same digest."""
    digests = {
        CsvFile(io.BytesIO(raw), encoding).digest()
        for raw, encoding in ((b"a", "utf-8"), (b"a", "UTF8"), (b"b", "utf-8"), (b"a", "cp1252"))
    }
    assert len(digests) == 3


@given(st.binary(max_size=300), st.sampled_from(sorted(ENCODINGS)))
def test_any_bytes_give_rows_or_a_refusal(raw: bytes, encoding: str) -> None:
    """Whatever the bytes, a pass ends with rows, or the file is refused; no other error."""
    for head in (b"", "phone,chain,note\n".encode(encoding)):
        try:
            found = read(head + raw, encoding=encoding)
        except Refused:
            continue
        assert all(item.faults if isinstance(item, RefusedRow) else item.rows for item in found)


@given(st.lists(st.text(alphabet='",\r\n\tab0', max_size=8), max_size=20))
def test_any_lines_give_rows_or_a_refusal(lines: list[str]) -> None:
    """A source that does not split lines as files do is no way around the rules."""
    try:
        reading = Pass(["phone,note\n", *lines], READER)
        list(reading)
    except Refused:
        return
    assert reading.row >= 1


def test_memory_does_not_grow_with_the_file() -> None:
    """A hundred thousand rows need no more than a hundred, apart from the few bytes of each chain key."""

    def lines(count: int) -> Iterator[str]:
        yield "phone,chain,note\n"
        for n in range(count):
            yield f"+1555{n:07d},k{n // 2},{'x' * 100}\n"

    def peak(count: int) -> int:
        tracemalloc.start()
        for _ in Pass(lines(count), READER):
            pass
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(10)
    assert peak(20_000) - peak(100) < 500_000


@given(st.lists(st.text(max_size=6)))
def test_seen_keys_are_a_set(keys: list[str]) -> None:
    """What was added is in, what was not is not, doubles count once."""
    seen = SeenKeys()
    for key in keys:
        seen.add(key)
        assert key in seen
    assert len(seen) == len(set(keys))
    assert "never added, longer" not in seen


def test_seen_keys_grow_to_their_limit() -> None:
    """The table grows over its first size and refuses the key past the limit."""
    seen = SeenKeys(max_keys=10_000)
    for n in range(10_000):
        seen.add(str(n))
    assert all(str(n) in seen for n in range(10_000))
    assert "10000" not in seen
    seen.add("0")
    with pytest.raises(TooLarge):
        seen.add("10000")
