"""The HTTP door of lists: specifications, long imports, exports."""

from __future__ import annotations

import asyncio
import json
from contextlib import nullcontext

import pytest

from tests.imports.harness import AGENT, LIST, SUPERVISOR, Bench
from tests.imports.test_web import Message, Services, asking, post
from trunkline.app.directory import ReferenceBook
from trunkline.app.ports import Provision
from trunkline.domain.import_specifications import ImportMode, ImportSpecification
from trunkline.domain.objects import ObjectKind, StoredObject
from trunkline.errors import AlreadyExists, Forbidden, NotFound, OutOfRange, TrunklineError
from trunkline.web.exchange import Exchange
from trunkline.web.exports import export_list
from trunkline.web.imports import ImportDoor, import_list, show_import


def test_json_lines_are_taken() -> None:
    """The type of the body says how it holds rows, and a parameter may say it too."""
    bench = Bench()
    line = b'{"phone": "(646) 555-0100", "note": "x"}\n'
    post(asking("", line, content_type="application/x-ndjson"), bench)
    post(asking("format=jsonl&numbers=as-given&importId=y", line, content_type="text/csv"), bench)
    assert [record.phone_number for record in bench.records] == ["+16465550100", "(646) 555-0100"]


def test_a_specification_says_how_a_file_is_read() -> None:
    """A saved one by its name, and what the query changes of it; one that nobody saved is not found."""
    bench = Bench()
    saved = ImportSpecification(
        contact_centre_id=1,
        specification_id=3,
        name="Shop",
        delimiter=";",
        mapping={"phone": "Tel"},
        mode=ImportMode.GOOD,
    )

    async def steps(b: Bench) -> None:
        stored = StoredObject(kind=ObjectKind.IMPORT_SPECIFICATION, value=saved)
        await b.store.provision(Provision(objects=[stored]))
        b.writer.book = ReferenceBook(await b.store.directory())
        services = Services(b)
        asked = asking("specification=Shop&numbers=possible", b"Tel;n\n6465550100;a\nbad;b\n")
        await import_list(asked.exchange, SUPERVISOR, LIST.name, services)
        assert asked.body["report"]["recordsAdded"] == 1
        with pytest.raises(NotFound):
            await import_list(asking("specification=Else").exchange, SUPERVISOR, LIST.name, services)

    bench.run(steps)
    assert [record.other_fields for record in bench.records] == [{"n": "a"}]


def test_a_long_import_is_answered_before_its_end() -> None:
    """Whoever waits is told where to ask; the import goes on, its place is taken meanwhile, and the report is kept."""
    bench = Bench()

    async def steps(b: Bench) -> None:
        go_on = asyncio.Event()

        async def hold(_: int) -> None:
            await go_on.wait()

        b.before_chunk = hold
        services = Services(b)
        services.imports.watch_s = 0.05
        asked = asking("")
        await import_list(asked.exchange, SUPERVISOR, LIST.name, services)
        assert (asked.status, asked.body["statusCode"]) == (202, 0)
        import_id = asked.body["import"]["importId"]
        assert asked.body["import"]["state"] in ("checking", "running")
        assert services.imports.places.in_use == 1
        go_on.set()
        await asyncio.wait(services.imports._tasks)
        await asyncio.sleep(0)
        assert services.imports.places.in_use == 0
        shown = asking()
        await show_import(shown.exchange, SUPERVISOR, LIST.name, import_id, services)
        assert (shown.body["import"]["state"], shown.body["import"]["report"]["recordsAdded"]) == ("done", 2)

    bench.run(steps)
    assert len(bench.records) == 2


def test_an_import_that_fails_behind_its_answer_says_why() -> None:
    """The progress of an import that failed holds the reason."""
    bench = Bench()

    async def steps(b: Bench) -> None:
        services = Services(b)
        asked = asking("importId=x", b"name\nAnn\n")
        with pytest.raises(TrunklineError):
            await import_list(asked.exchange, SUPERVISOR, LIST.name, services)
        with pytest.raises(NotFound):
            await show_import(asking().exchange, SUPERVISOR, LIST.name, "y", services)
        shown = asking()
        await show_import(shown.exchange, SUPERVISOR, LIST.name, "x", services)
        assert shown.body["import"]["state"] == "ended"
        assert "no column holds the phone number" in shown.body["import"]["reason"]

    bench.run(steps)


def test_the_report_of_a_finished_import_stays() -> None:
    """Neither a repetition nor another file under the same id takes the report's place."""
    bench = Bench()

    async def steps(b: Bench) -> None:
        services = Services(b)
        good = b"phone\n+16465550100\n"
        for body, refusal in ((good, None), (good, None), (b"phone\n+16465550101\n", AlreadyExists)):
            asked = asking("importId=x", body)
            with nullcontext() if refusal is None else pytest.raises(refusal):
                await import_list(asked.exchange, SUPERVISOR, LIST.name, services)
            shown = asking()
            await show_import(shown.exchange, SUPERVISOR, LIST.name, "x", services)
            told = shown.body["import"]
            assert (told["state"], told["report"]["chainsAdded"], told.get("reason", "")) == ("done", 1, "")

    bench.run(steps)


def test_a_list_is_sent_in_parts() -> None:
    """The export's route sends the file with its name and type; unknown parameters and agents are refused."""
    bench = Bench()

    class Door:
        def __init__(self, b: Bench) -> None:
            self.imports = ImportDoor(b.importer, lambda: b.writer.book)
            self.store = b.store

    async def steps(b: Bench) -> tuple[dict[bytes, bytes], bytes]:
        await import_list(asking().exchange, SUPERVISOR, LIST.name, Services(b))
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        def exchange(query: str) -> Exchange:
            scope = {"type": "http", "method": "GET", "path": "/", "query_string": query.encode(), "headers": []}
            return Exchange(scope, asking().receive, send)

        await export_list(exchange("format=jsonl"), SUPERVISOR, LIST.name, Door(b))
        for query, caller, error in (
            ("sheet=true", SUPERVISOR, OutOfRange),
            ("format=xml", SUPERVISOR, OutOfRange),
            ("spreadsheet=yes", SUPERVISOR, OutOfRange),
            ("", AGENT, Forbidden),
        ):
            with pytest.raises(error):
                await export_list(exchange(query), caller, LIST.name, Door(b))
        with pytest.raises(NotFound):
            await export_list(exchange(""), SUPERVISOR, "Nothing", Door(b))
        return dict(sent[0]["headers"]), b"".join(message["body"] for message in sent[1:])

    headers, body = bench.run(steps)
    assert headers[b"content-type"] == b"application/x-ndjson"
    assert headers[b"content-disposition"] == b"attachment; filename*=UTF-8''Spring.jsonl"
    assert [json.loads(line)["phone"] for line in body.splitlines()] == ["+16465550100", "+16465550101"]
