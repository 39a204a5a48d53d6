"""Log lines: nothing private gets out, whichever way it got in."""

from __future__ import annotations

import io
import json
import logging
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from trunkline import log

PRIVATE = {
    "phone": "+14155550101",
    "GSW_PHONE": "4155550101",
    "phoneNumber": "(415) 555-0101",
    "password": "hunter2",
    "access_token": "abc.def",
    "Authorization": "Basic YW5uOmh1bnRlcjI=",
    "Set-Cookie": "SESSION=xyz",
    "clientId": "1a2b3c4d5e",
    "client_id": "1a2b3c4d5e",
    "name": "Ann Lee",
    "firstName": "Ann",
    "contact_info": "Ann Lee, 1 Main St",
    "user_name": "ann@example.com",
}


@contextmanager
def _logging(style: str = "json", level: str = "info") -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, threshold = root.handlers, root.level
    stream = io.StringIO()
    log._configure(level, style, stream)
    try:
        yield stream
    finally:
        root.handlers = handlers
        root.setLevel(threshold)
        logging.captureWarnings(capture=False)
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()


def _masked(**line: object) -> dict[str, Any]:
    return dict(log.mask(None, "info", line))


@pytest.mark.item(98)
@pytest.mark.parametrize("key", PRIVATE)
def test_private_keys_are_masked(key: str) -> None:
    """What stands under a private key does not appear in the line, at the top or nested."""
    value = PRIVATE[key]
    for line in (_masked(**{key: value}), _masked(record={"inner": [{key: value}]})):
        assert value not in str(line)
        assert "***" in str(line) or log.MASKED in str(line)


@pytest.mark.item(98)
@pytest.mark.parametrize("key", PRIVATE)
def test_private_pairs_in_text_are_masked(key: str) -> None:
    """The same holds for key=value, JSON and repr inside a sentence."""
    value = PRIVATE[key]
    samples = [f'refused {{"{key}": "{value}", "x": 1}} at once', f"Record({key}='{value}', x=1)"]
    if " " not in value.removeprefix("Basic "):
        samples.append(f"with {key}={value}, again")
    for sample in samples:
        text = log.mask_text(sample)
        assert value not in text, text
        assert value.rpartition(" ")[2].strip("()") not in text, text


@pytest.mark.parametrize(
    "number",
    ["+14155550101", "+1 415 555 0101", "(415) 555-0101", "415-555-0101", "415.555.0101", "5550101", "0041445550101"],
)
def test_phone_numbers_in_text_are_masked(number: str) -> None:
    """A phone number in a sentence keeps its last two digits, which tell two numbers of a log apart."""
    text = log.mask_text(f"dialing {number} now")
    assert text == f"dialing ***{number[-2:]} now"


@pytest.mark.parametrize(
    "text",
    [
        "listening on 127.0.0.1:8080",
        "started at 2026-01-31 10:15:00",
        "took 0.1234567 s",
        "incident 9f8e7d6c5b4a39281706",
        "chain 12, attempt 3 of 5",
        "version 1.22.333",
    ],
)
def test_harmless_text_stays(text: str) -> None:
    """Addresses, dates, durations, hexadecimal ids and small numbers are no phone numbers."""
    assert log.mask_text(text) == text


def test_numbers_and_switches_stay() -> None:
    """Handles, durations and flags are the substance of a line and are kept as they are."""
    line = {"event": "record retrieved", "record_handle": 1234567890, "took_ms": 1.5, "is_held": True, "reason": None}
    assert _masked(**line) == line
    assert _masked(phoneType="Mobile", campaign_name="Campaign1") == {
        "phoneType": "Mobile",
        "campaign_name": "Campaign1",
    }


def test_credentials_in_urls_and_headers_are_masked() -> None:
    """The password of a database URL and the value of an Authorization header go, the rest stays readable."""
    assert log.mask_text("no route to postgresql://u:hunter2@db/x") == f"no route to postgresql://{log.MASKED}@db/x"
    assert log.mask_text("got Bearer abcdefgh.ijk") == f"got Bearer {log.MASKED}"
    assert "YW5u" not in log.mask_text("Authorization: Basic YW5uOmh1bnRlcjI=")


def test_objects_are_shown_masked() -> None:
    """A struct that reaches the log is written as text without what is private in it."""

    class Person(msgspec.Struct):
        name: str
        phone: str
        attempts: int

    shown = _masked(person=Person("Ann Lee", "+14155550101", 3))["person"]
    assert "Ann" not in shown
    assert "0101" not in shown
    assert "attempts=3" in shown
    assert _masked(body=b"secret bytes") == {"body": "<12 bytes>"}


def test_lines_cannot_be_forged() -> None:
    """Line breaks and escapes in a value are written out, so that one event is one line."""
    shown = _masked(event="hello\n2026-01-01 [error] forged\x1b[2J\u2028")["event"]
    assert shown == "hello\\x0a2026-01-01 [error] forged\\x1b[2J\\x2028"


def test_limits() -> None:
    """Long texts, long lists and deep nesting are cut."""
    assert len(_masked(event="x" * 100_000)["event"]) == log.MAX_TEXT + 3
    assert len(_masked(rows=list(range(1000)))["rows"]) == log.MAX_ITEMS
    assert len(_masked(rows={str(i): i for i in range(1000)})["rows"]) == log.MAX_ITEMS
    deep: object = "bottom"
    for _ in range(50):
        deep = [deep]
    assert "bottom" not in str(_masked(deep=deep))


@pytest.mark.parametrize("piece", ["token", "a-", "1", "1 ", "name=", "://", "Basic ", '"', "password='"])
def test_masking_is_fast_on_hostile_text(piece: str) -> None:
    """Text made to exhaust a backtracking search costs less than a tenth of a second of this processor."""
    begin_s = time.process_time()
    log.mask_text(piece * log.MAX_TEXT)
    assert time.process_time() - begin_s < 0.1


@given(st.text(), st.text(), st.recursive(st.none() | st.integers() | st.text() | st.binary(), st.lists))
def test_anything_can_be_logged(key: str, event: str, value: object) -> None:
    """Every line ends as one valid JSON object on one line, whatever it is made of."""
    line = log.mask(None, "info", {key: value, "event": event})
    written = log._serialize({k: str(v).encode("utf-8", "replace").decode() for k, v in line.items()})
    assert "\n" not in written
    assert "event" in json.loads(written)


def test_json_lines() -> None:
    """Our lines and those of libraries come out as JSON objects with time, level and logger, masked alike."""
    with _logging() as stream:
        structlog.get_logger("trunkline.app").info("record retrieved", phone="+14155550101", took_ms=3)
        logging.getLogger("uvicorn").warning("refused %s for %s", "password=hunter2", "x")
        lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["record retrieved", f"refused password={log.MASKED} for x"]
    assert [line["level"] for line in lines] == ["info", "warning"]
    assert [line["logger"] for line in lines] == ["trunkline.app", "uvicorn"]
    assert lines[0]["phone"] == "***01"
    assert lines[0]["took_ms"] == 3
    assert all(line["timestamp"].endswith("Z") for line in lines)


def test_console_lines() -> None:
    """The console style writes one readable line, masked, without colours when it is no terminal."""
    with _logging("console") as stream:
        structlog.get_logger("trunkline.app").info("record retrieved", name="Ann Lee", took_ms=3)
        text = stream.getvalue()
    assert "record retrieved" in text
    assert "took_ms=3" in text
    assert "Ann" not in text
    assert "\x1b" not in text
    assert text.count("\n") == 1


@pytest.mark.parametrize("style", ["json", "console"])
def test_exceptions_are_masked(style: str) -> None:
    """A traceback is written in full, without what its messages gave away."""
    with _logging(style) as stream:
        try:
            int("no such customer: phone=+14155550101 password=hunter2")
        except ValueError:
            structlog.get_logger().exception("failed")
            logging.getLogger("asyncpg").exception("failed too")
        text = stream.getvalue()
    assert text.count("ValueError") >= 2
    assert text.count("test_exceptions_are_masked") >= 2
    assert "hunter2" not in text
    assert "5550101" not in text


def test_levels_and_warnings() -> None:
    """Lines below the level are not written; a warning of Python is a line like any other."""
    with _logging(level="warning") as stream:
        structlog.get_logger().info("quiet")
        logging.getLogger("x").info("quiet")
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.captureWarnings(capture=True)
            warnings.warn("old call", stacklevel=1)
        lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert len(lines) == 1
    assert lines[0]["logger"] == "py.warnings"
    assert "old call" in lines[0]["event"]


def test_bound_context_is_in_every_line() -> None:
    """What was bound for the request at hand stands in each line, masked."""
    with _logging() as stream:
        structlog.contextvars.bind_contextvars(incident="9f8e", clientId="1a2b3c")
        structlog.get_logger().info("one")
        line = json.loads(stream.getvalue())
    assert line["incident"] == "9f8e"
    assert line["clientId"] == log.MASKED


def test_configure_twice_writes_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Setting up again replaces the set-up; lines go to standard error."""
    with _logging():
        log.configure("info", "json")
        log.configure("info", "json")
        structlog.get_logger().info("once")
        said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("once") == 1
