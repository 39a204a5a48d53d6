"""Reading: bytes to rows to chains, with the numbers of the rows, and the limits of each."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterator, Mapping

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.imports.harness import LIST
from trunkline.app.imports import files as import_files
from trunkline.app.imports import keys as import_keys
from trunkline.app.imports.checking import Checking
from trunkline.app.imports.columns import ColumnReader
from trunkline.app.imports.files import ENCODINGS, MAX_ROW_CHARACTERS, Source, TextFile
from trunkline.app.imports.keys import KeyFile
from trunkline.app.imports.reading import CsvReader, check_delimiter
from trunkline.app.imports.windows import MAX_WINDOWS, WindowBook
from trunkline.app.ports import MAX_CHAIN
from trunkline.domain.campaigns import CallingList
from trunkline.domain.row_cells import RowRules
from trunkline.errors import OutOfRange, Refused, TooLarge


class Found:
    """What a pass over a file comes to: records by chain, refused rows with their first field."""

    def __init__(self, source: Source, calling_list: CallingList, mapping: Mapping[str, str], delimiter: str) -> None:
        columns = ColumnReader(RowRules(calling_list=calling_list), None, WindowBook(lambda _: True))
        checking = Checking(
            CsvReader(source, mapping, delimiter),
            columns,
            folder=None,
            wants_numbers=calling_list.refuses_duplicates,
            wants_customers=False,
        )
        try:
            self._look(checking)
        finally:
            checking.close()

    def _look(self, checking: Checking) -> None:
        refused = []
        while (read := checking.read()) is not None:
            refused += checking.settle(read, [])
        checking.end()
        for rows in checking.repeats():
            refused += rows
        self.refused = sorted((row.row, row.faults[0].field) for row in refused)
        self.chains: dict[int, list[tuple[int, int]]] = {}
        self.fields: list[dict[str, str]] = []
        for block in checking.spool:
            records = block.records
            if not len(records):
                continue
            each = zip(
                records.rows, records.column("chain"), records.column("chain_n"), records.column("other_fields"),
                strict=True,
            )  # fmt: skip
            for row, chain, place, fields in each:
                if row not in checking.dropped:
                    self.chains.setdefault(chain, []).append((row, place))
                    self.fields.append(msgspec.json.decode(fields) if fields else {})
        self.rows_read = checking.rows_read


def read(
    text: str | bytes,
    calling_list: CallingList = LIST,
    encoding: str = "utf-8",
    mapping: Mapping[str, str] | None = None,
    delimiter: str = ",",
) -> Found:
    """What one pass finds."""
    raw = text if isinstance(text, bytes) else text.encode()
    return Found(TextFile(io.BytesIO(raw), encoding), calling_list, mapping or {}, delimiter)


def rows_of(found: Found) -> list[list[tuple[int, int]]]:
    """Row number and place of each row, chain by chain."""
    return list(found.chains.values())


def refused(found: Found) -> list[tuple[int, str]]:
    """Row number and first field of each refused row."""
    return found.refused


def test_rows_are_numbered_as_a_spreadsheet_does() -> None:
    """The header is row 1, a cell with line breaks is one row, empty rows count and are skipped."""
    text = 'phone,note\r\n+15550100,"two\r\nlines"\r\n\r\n , \r\n+15550101,\r\nbad,\r\n'
    found = read(text)
    assert rows_of(found) == [[(2, 0)], [(5, 0)]]
    assert refused(found) == [(6, "phone")]
    assert found.fields[0] == {"note": "two\r\nlines"}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_one(end: str) -> None:
    """Files of all systems read alike."""
    assert rows_of(read(end.join(("phone,a", "+15550100,", "+15550101,")))) == [[(2, 0)], [(3, 0)]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_mark_at_the_beginning_is_no_part_of_the_first_name(encoding: str) -> None:
    """A byte-order mark goes, and text arrives as it was written."""
    mark = "\ufeff" if encoding == "utf-8" else ""
    found = read(f"{mark}phone,note\n+15550100,Zoë\n".encode(encoding), encoding=encoding)
    assert found.fields == [{"note": "Zoë"}]


def test_adjacent_rows_with_one_key_are_a_chain() -> None:
    """Places are the given ones or the next free; rows without a key stand alone; refused rows do not end a chain."""
    text = "phone,chain,chain_n\n+1550,a,\n+1551,a,5\nbad,a,\n+1552,a,\n+1553,,\n+1554,,7\n+1555,b,\n"
    found = read(text)
    assert rows_of(found) == [[(2, 0), (3, 5), (5, 6)], [(6, 0)], [(7, 7)], [(8, 0)]]
    assert refused(found) == [(4, "phone")]


def test_a_chain_that_comes_back_is_refused() -> None:
    """A key that ended in an earlier row is refused with its row; the rows around it stay."""
    found = read("phone,Key\n+1550,a\n+1551,b\n+1551,b\n+1552,a\n+1553,c\n", mapping={"chain": "Key"})
    assert rows_of(found) == [[(2, 0)], [(3, 0), (4, 1)], [(6, 0)]]
    assert refused(found) == [(5, "Key")]


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
    strict = msgspec.structs.replace(LIST, refuses_duplicates=True)
    assert refused(read(text, strict)) == [(3, "phone")]


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
        TextFile(io.BytesIO(), encoding)


def test_every_encoding_is_there() -> None:
    """The names of the list are names that the interpreter gives back."""
    for encoding in ENCODINGS:
        assert TextFile(io.BytesIO(), encoding).encoding == encoding


@pytest.mark.parametrize("delimiter", ["", ",,", "a", "1", '"', "\n", "\r", " ", "§", "\0"])
def test_a_delimiter_is_one_sign(delimiter: str) -> None:
    """What could be part of a cell, a quote or a line end does not part cells."""
    with pytest.raises(OutOfRange):
        check_delimiter(delimiter)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(delimiter: str) -> None:
    """The usual delimiters part cells."""
    for text in (f"phone{delimiter}a\n+15550100{delimiter}b\n", f'phone{delimiter}a\n+15550100{delimiter}"b"\n'):
        found = read(text, delimiter=delimiter)
        assert rows_of(found) == [[(2, 0)]]
        assert found.fields == [{"a": "b"}]


def test_a_file_is_read_again_from_its_beginning() -> None:
    """Two passes see the same lines, also when the first was left in the middle; the file stays open."""
    file = io.BytesIO(b"a\nb\nc\n")
    source = TextFile(file)
    assert next(source.pieces()).startswith("a\n")
    assert "".join(source.pieces()) == "".join(source.pieces()) == "a\nb\nc\n"
    assert not file.closed


def test_a_digest_tells_contents_and_encodings_apart() -> None:
    """The same bytes in the same encoding, and only they, have the same digest."""
    digests = {
        TextFile(io.BytesIO(raw), encoding).digest()
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
        assert found.rows_read == len(set(found.refused)) + sum(map(len, found.chains.values()))


LINES = st.lists(st.text(alphabet='",\r\n ab0', max_size=8), max_size=20).map(
    lambda lines: "phone,note\n" + "\n".join(lines)
)


@given(LINES, st.integers(1, 40))
def test_the_pieces_of_a_file_do_not_matter(lines: list[str], size: int) -> None:
    """A file read in small pieces gives the same rows, or the same refusal: quotes and ends may lie anywhere."""
    text = "phone,note\n" + "\n".join(lines)
    outcomes: list[object] = []
    for piece in (import_files.PIECE_BYTES, size):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(import_files, "PIECE_BYTES", piece)
            try:
                found = read(text)
                outcomes.append((rows_of(found), refused(found), found.fields))
            except Refused as error:
                outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]


def test_memory_does_not_grow_with_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty thousand rows need no more than some thousands: what must be compared is on disk."""
    monkeypatch.setattr(import_keys, "HELD_KEYS", 2000)

    class Lines:
        def __init__(self, count: int) -> None:
            self.count = count

        def pieces(self) -> Iterator[str]:
            yield "phone,chain,note\n"
            for begin in range(0, self.count, 1000):
                yield "".join(f"+1555{n:07d},k{n // 2},{'x' * 100}\n" for n in range(begin, begin + 1000))

        def digest(self) -> str:
            return ""

    def peak(count: int) -> int:
        columns = ColumnReader(RowRules(calling_list=LIST), None, WindowBook(lambda _: True))
        checking = Checking(CsvReader(Lines(count), {}), columns, folder=None, wants_numbers=True, wants_customers=True)
        tracemalloc.start()
        while (reading := checking.read()) is not None:
            checking.settle(reading, [])
        checking.end()
        assert not list(checking.repeats())
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        checking.close()
        return size

    peak(1000)
    assert peak(30_000) - peak(6_000) < 500_000


@given(st.lists(st.text(alphabet="abc", max_size=2)), st.integers(1, 10))
def test_key_files_find_what_comes_again(keys: list[str], held: int) -> None:
    """The keys that were added more than once are told, and no others, wherever they were kept meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_keys, "HELD_KEYS", held)
        file = KeyFile(io.BytesIO())
        for key in keys:
            file.add([key])
        found = [key for part in file.repeated() for key in part]
    assert sorted(found) == sorted({key for key in keys if keys.count(key) > 1})
