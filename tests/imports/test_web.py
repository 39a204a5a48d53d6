"""The HTTP door of imports: what is asked, who may, how large, and what is answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.imports.harness import AGENT, LIST, SUPERVISOR, Bench
from trunkline.domain.people import Caller
from trunkline.errors import AlreadyExists, Forbidden, NotFound, OutOfRange, TooLarge, TrunklineError, Unavailable
from trunkline.web import uploads
from trunkline.web.exchange import ClientGone, Exchange
from trunkline.web.imports import ImportDoor, import_list, show_import
from trunkline.web.uploads import MAX_AT_ONCE, MAX_OF_CENTRE, Places

CSV = b"phone,chain\n+16465550100,a\n+16465550101,a\n"
MIXED = CSV + b"bad,b\n"
Message = MutableMapping[str, Any]


class Services:
    """The part of the services that the routes use."""

    def __init__(self, bench: Bench, spool_dir: str = "", max_bytes: int = 1000) -> None:
        self.imports = ImportDoor(bench.importer, lambda: bench.writer.book, spool_dir, max_bytes)


class Asking:
    """One request and what was answered."""

    def __init__(self, query: str, parts: Iterable[bytes], headers: dict[str, str]) -> None:
        self.parts = list(parts)
        self.status = 0
        self.body: Any = None
        self.is_cut_short = False
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        self.exchange = Exchange(scope, self.receive, self.send)

    async def receive(self) -> Message:
        """The next part of the body; a client that goes, or waits for ever, when the parts say so."""
        if not self.parts:
            if self.is_cut_short:
                return {"type": "http.disconnect"}
            await asyncio.Event().wait()
        part = self.parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(self.parts) or self.is_cut_short}

    async def send(self, message: Message) -> None:
        """Keep the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.body = json.loads(message["body"])


def asking(query: str = "", *parts: bytes, **headers: str) -> Asking:
    """A POST of CSV."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Asking(query, parts or (CSV,), {"content-type": "text/csv", **given})


def post(
    asked: Asking, bench: Bench | None = None, *, caller: Caller = SUPERVISOR, name: str = LIST.name, **door: Any
) -> Asking:
    """Serve a POST."""

    async def steps(b: Bench) -> Asking:
        await import_list(asked.exchange, caller, name, Services(b, **door))
        return asked

    return (bench or Bench()).run(steps)


def refusal(asked: Asking, **given: Any) -> TrunklineError:
    """How a POST is refused."""
    bench = Bench()
    with pytest.raises(TrunklineError) as caught:
        post(asked, bench, **given)
    assert bench.records == []
    return caught.value


def test_a_body_is_imported() -> None:
    """The answer holds the report, and the list holds the records."""
    bench = Bench()
    asked = post(asking("importId=x&mode=good", *(bytes((byte,)) for byte in MIXED)), bench)
    assert asked.status == 200
    report = asked.body["report"]
    assert asked.body["statusCode"] == 0
    assert (report["importId"], report["recordsAdded"], report["rowsRefused"]) == ("x", 2, 1)
    assert report["refusals"][0]["row"] == 4
    assert len(bench.records) == 2


def test_a_body_with_a_refused_row_is_refused_when_all_were_asked_for() -> None:
    """HTTP 400 with code 10, a sentence and the report; nothing is added."""
    bench = Bench()
    asked = post(asking("", MIXED), bench)
    assert asked.status == 400
    assert asked.body["statusCode"] == 10
    assert asked.body["statusMessage"] == "1 of 3 rows were refused, so nothing was added"
    assert asked.body["report"]["rowsGood"] == 2
    assert bench.records == []


def test_a_dry_run_is_an_answer() -> None:
    """A dry run was carried out, whatever it found."""
    bench = Bench()
    asked = post(asking("dryRun=true", MIXED), bench)
    assert (asked.status, asked.body["statusCode"], asked.body["report"]["isDryRun"]) == (200, 0, True)
    assert bench.records == []


@pytest.mark.parametrize("body", [b"", b"\n\n"])
@pytest.mark.parametrize("query", ["", "dryRun=true", "mode=good"])
def test_an_empty_body_is_said(query: str, body: bytes) -> None:
    """Nothing, and blank lines alone, are refused in a sentence."""
    found = refusal(asking(query, body, content_type="application/x-ndjson"))
    assert isinstance(found, OutOfRange)
    assert str(found) == "the file is empty"


def test_a_repeat_is_said() -> None:
    """Done again, tried or not, an import that was finished adds nothing, and the answer says so in a sentence."""
    bench = Bench()
    post(asking("importId=x"), bench)
    for query in ("importId=x", "importId=x&dryRun=true"):
        asked = post(asking(query), bench)
        assert (asked.status, asked.body["statusCode"], asked.body["report"]["isRepeat"]) == (200, 0, True)
        assert asked.body["statusMessage"] == "this import was finished before with 2 records; it adds nothing"
    assert len(bench.records) == 2


def test_columns_delimiter_and_encoding_are_asked_for_in_the_query() -> None:
    """The mapping stands in parameters that begin with map. and the rest has names of its own."""
    bench = Bench()
    body = "Telefon;Stück\n+16465550100;é\n".encode("cp1252")
    post(asking("map.phone=Telefon&map.piece=St%C3%BCck&delimiter=%3B&encoding=windows-1252&region=US", body), bench)
    assert bench.records[0].other_fields == {"piece": "é"}


def test_the_charset_of_the_type_counts() -> None:
    """Content-Type may name the encoding."""
    bench = Bench()
    body = "phone,n\n+16465550100,é\n".encode("latin-1")
    post(asking("", body, content_type='Text/CSV; header=present; charset="iso-8859-1"'), bench)
    assert bench.records[0].other_fields == {"n": "é"}


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("mode=some", OutOfRange),
        ("dryRun=yes", OutOfRange),
        ("dryrun=true", OutOfRange),
        ("importId=a%20b", OutOfRange),
        ("encoding=hex", OutOfRange),
        ("delimiter=", OutOfRange),
        ("region=Germany", OutOfRange),
        ("map.phone=Telephone", OutOfRange),
        ("%zz=1&%ff", OutOfRange),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(query: str, error: type[Exception]) -> None:
    """A parameter that is misspelled must not turn a dry run into an import."""
    assert type(refusal(asking(query))) is error


@pytest.mark.parametrize(
    "headers",
    [
        {"content_type": "application/json"},
        {"content_type": "multipart/form-data; boundary=x"},
        {"content_type": "text/plain"},
        {"content_encoding": "gzip"},
    ],
)
def test_only_plain_csv_is_taken(headers: dict[str, str]) -> None:
    """Types that a foreign page could send without asking, and packed bodies, are refused."""
    assert isinstance(refusal(asking("", CSV, **headers)), OutOfRange)


def test_agents_may_not_import() -> None:
    """Role first: code 3 before the body is read."""
    asked = asking()
    assert isinstance(refusal(asked, caller=AGENT), Forbidden)
    assert asked.parts == [CSV]


def test_an_unknown_list_is_not_found() -> None:
    """Known before the body is read; another contact centre's list is as unknown."""
    foreign = Caller(2, "other", 9, "f" * 32, "s", roles=SUPERVISOR.roles)
    assert isinstance(refusal(asking(), name="Nothing"), NotFound)
    assert isinstance(refusal(asking(), caller=foreign), NotFound)


@pytest.mark.parametrize(
    "asked",
    [
        asking("", b"x" * 600, b"x" * 600),
        asking("", CSV, content_length="1001"),
        asking("", CSV, content_length="-1"),
        asking("", CSV, content_length="9" * 100),
    ],
)
def test_a_body_has_a_limit(asked: Asking) -> None:
    """Announced or not, a body over the limit is refused as soon as that is known."""
    error = refusal(asked)
    assert isinstance(error, TooLarge)
    assert str(error) == "the body is larger than 1000 bytes"


def test_a_large_body_goes_through_the_disk(tmp_path: Path) -> None:
    """More than one block arrives whole, and no file is left behind."""
    bench = Bench()
    lines = b"".join(b"+1555%07d,c%d,%s\n" % (n, n, b"x" * 200) for n in range(6000))
    body = b"phone,chain,note\n" + lines
    parts = [body[at : at + 65_536] for at in range(0, len(body), 65_536)]
    asked = post(asking("numbers=as-given", *parts), bench, spool_dir=str(tmp_path), max_bytes=len(body))
    assert asked.body["report"]["recordsAdded"] == len(bench.records) == 6000
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_no_fault_of_the_caller() -> None:
    """The caller is told to come back."""
    assert isinstance(refusal(asking(), spool_dir="/nowhere/at/all"), Unavailable)


def test_a_full_disk_is_no_fault_of_the_caller() -> None:
    """A write that fails is answered like any shortage."""
    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(Unavailable):
        uploads._write(full, b"x")


def test_a_client_that_goes_leaves_nothing() -> None:
    """A body cut short is not imported, and its place is free again."""
    bench = Bench()

    async def steps(b: Bench) -> int:
        services = Services(b)
        for _ in range(MAX_OF_CENTRE + 1):
            asked = asking("", CSV)
            asked.is_cut_short = True
            with pytest.raises(ClientGone):
                await import_list(asked.exchange, SUPERVISOR, LIST.name, services)
        return services.imports.places.in_use

    assert bench.run(steps) == 0
    assert bench.records == []


def test_a_client_that_stops_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender without a sign of life loses its place."""
    monkeypatch.setattr(uploads, "STALL_S", 0.01)
    asked = asking()
    asked.parts = []
    assert isinstance(refusal(asked), OutOfRange)


def test_few_bodies_are_stored_at_once() -> None:
    """The next sender is told to come back; when one has ended there is room."""
    bench = Bench()

    async def steps(b: Bench) -> None:
        services = Services(b)

        def serve(asked: Asking) -> Awaitable[None]:
            return import_list(asked.exchange, SUPERVISOR, LIST.name, services)

        slow = [asking() for _ in range(MAX_OF_CENTRE)]
        for asked in slow:
            asked.parts = []
        waiting = [asyncio.ensure_future(serve(asked)) for asked in slow]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await serve(asking())
        waiting[0].cancel()
        await asyncio.wait(waiting[:1])
        await serve(asking())
        waiting[1].cancel()
        await asyncio.wait(waiting)

    bench.run(steps)
    assert len(bench.records) == 2


def test_no_contact_centre_waits_for_the_imports_of_another() -> None:
    """Each has places of its own, and one alone never takes all that the process has; several together may."""
    assert MAX_OF_CENTRE < MAX_AT_ONCE
    places = Places()
    with ExitStack() as stack:
        for n in range(MAX_AT_ONCE):
            centre = n // MAX_OF_CENTRE
            stack.enter_context(places.taken(centre))
            if n % MAX_OF_CENTRE == MAX_OF_CENTRE - 1:
                with pytest.raises(Unavailable), places.taken(centre):
                    pass
        with pytest.raises(Unavailable), places.taken(MAX_AT_ONCE):
            pass
    assert places.in_use == 0
    with places.taken(1):
        assert places.in_use == 1


def show(bench: Bench, import_id: str, caller: Caller = SUPERVISOR, name: str = LIST.name) -> Asking:
    """Serve a GET."""
    asked = asking()

    async def steps(b: Bench) -> Asking:
        await show_import(asked.exchange, caller, name, import_id, Services(b))
        return asked

    return bench.run(steps)


def test_progress_is_shown() -> None:
    """The GET tells what is stored of an import, to those who may import."""
    bench = Bench()
    post(asking("importId=x"), bench)
    shown = show(bench, "x").body
    assert shown["statusCode"] == 0
    assert (shown["import"]["state"], shown["import"]["recordsAdded"]) == ("done", 2)
    attempts: list[tuple[Callable[[], Asking], type[Exception]]] = [
        (lambda: show(bench, "y"), NotFound),
        (lambda: show(bench, "x", name="Nothing"), NotFound),
        (lambda: show(bench, "x", caller=AGENT), Forbidden),
        (lambda: post(asking("importId=x", CSV + b"+1555,b\n"), bench), AlreadyExists),
    ]
    for attempt, error in attempts:
        with pytest.raises(error):
            attempt()


def test_the_temporary_file_has_no_name(tmp_path: Path) -> None:
    """Personal data are in no folder listing, and gone with the process."""
    with uploads.temporary_file(str(tmp_path)) as file:
        uploads._write(file, b"secret")
        assert list(tmp_path.iterdir()) == []
