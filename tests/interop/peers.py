"""Real clients as programs: which there are, and what they tell line by line."""

from __future__ import annotations

import base64
import json
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, Self

import pytest

from tests.http.desks import PASSWORD, Desktop, accept
from tests.support import nodes
from tests.support.processes import Found, Program

Json = dict[str, Any]

OUTBOUND = "/v2/me/outbound"
INTERNAL = "/me/internal"
ENDPOINT = "/api/v2/notifications"

HANDLE = "GSW_RECORD_HANDLE"
RESULT = "GSW_CALL_RESULT"
ASIDE = "GSW_REFERENCE_ID"

PATIENCE_S = 30
"""How long a line may take: the backing off of a client after an outage and a busy two-core machine."""


BACKING_OFF_MS = 900
"""Refused, the official client tries again at once, then after 1 s, 2 s and so on; its timers are a little off."""


class Kind(NamedTuple):
    """A client and the way it is told to talk."""

    script: str
    transport: str
    has_ack: bool = False

    @property
    def title(self) -> str:
        """As tests are named."""
        return f"{Path(self.script).stem} {self.transport}{' ack' if self.has_ack else ''}"

    @property
    def is_official(self) -> bool:
        """The official JavaScript client, whichever line."""
        return self.script.startswith("cometd")


OFFICIAL = ("cometd3.cjs", "cometd9.mjs")
SCRIPTS = (*OFFICIAL, "faye.cjs", "aiocometd.py")
ANY = "any"
"""In place of a transport: the client chooses."""
TRANSPORTS = ("long-polling", "websocket")
KINDS = [
    *(Kind(script, transport, has_ack) for script in OFFICIAL for transport in TRANSPORTS for has_ack in (False, True)),
    *(Kind(script, transport) for script in SCRIPTS if script not in OFFICIAL for transport in TRANSPORTS),
]


class Peer:
    """One running client. What it told is a list of objects; ``what`` in each says which."""

    def __init__(self, program: Program) -> None:
        self.program = program

    @classmethod
    def start(cls, kind: Kind, url: str, topics: Sequence[str], *, user: str = "", cookie: str = "") -> Self:
        """Start a client of the server at ``url``, as ``user`` of the demo or with a session's cookie."""
        options = {
            "url": url + ENDPOINT,
            "transport": kind.transport,
            "ack": kind.has_ack,
            "topics": list(topics),
            "authorization": basic(user) if user else None,
            "cookie": cookie or None,
        }
        return cls(run(kind.script, options))

    @property
    def told(self) -> list[Json]:
        """Everything so far."""
        return self._mine(self.program.output.splitlines())

    def _mine(self, lines: Sequence[str]) -> list[Json]:
        return parsed(lines)

    def said(self, what: str, channel: str | None = None, **more: Any) -> list[Json]:
        """What it told of one sort; ``more`` are values that must be equal."""
        return select(self.told, what, channel, more)

    def wait(self, what: str, channel: str | None = None, *, count: int = 1, **more: Any) -> Json:
        """Wait until it has told this ``count`` times; returns the last of them."""
        return self.wait_until(lambda told: nth(select(told, what, channel, more), count), f"{what} {channel} {more}")

    def wait_until(self, find: Callable[[list[Json]], Found | None], what: str) -> Found:
        """Wait until ``find`` makes something of what it told."""
        return self.program.wait_for(lambda lines: find(self._mine(lines)), what, PATIENCE_S)

    def wait_for_subscriptions(self, *topics: str, round_: int = 1) -> None:
        """Wait for the replies, ``round_`` of them for each topic."""
        for topic in topics:
            self.wait("reply", "/meta/subscribe", subscription=topic, successful=True, count=round_)

    def ask(self, command: str, **more: Any) -> None:
        """Send it a command."""
        self.program.write_line(json.dumps({"do": command, **more}))

    def heard(self, channel: str) -> list[int]:
        """The numbers of the updates whose messages came on a channel, in order."""
        return [number for message in self.said("message", channel) if (number := number_of(message)) is not None]

    def wait_to_hear(self, number: int, *channels: str) -> None:
        """Wait for the message of this update on each channel."""

        def missing(told: list[Json]) -> set[str]:
            return {*channels} - {m["channel"] for m in select(told, "message", None, {}) if number_of(m) == number}

        self.wait_until(lambda told: None if missing(told) else True, f"the messages of update {number}")

    def ends_by_itself(self) -> int:
        """Close its input; return the exit code of a client that has nothing left to wait for."""
        self.program.close_input()
        return self.program.process.wait(PATIENCE_S)

    def freeze(self) -> None:
        """Stop it in its tracks: it keeps its sockets and reads nothing."""
        self.program.send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self.program.send(signal.SIGCONT)

    def end(self) -> None:
        """End it, whatever it does."""
        self.program.end(signal.SIGKILL)


@contextmanager
def peer(kind: Kind, url: str, topics: Sequence[str], *, user: str = "", cookie: str = "") -> Iterator[Peer]:
    """One client for the time of a test."""
    started = Peer.start(kind, url, topics, user=user, cookie=cookie)
    try:
        yield started
    finally:
        started.end()


def basic(user: str) -> str:
    """The header's value for a user of the demo."""
    return "Basic " + base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()


def run(script: str, options: Json) -> Program:
    """Start a script of this folder, in Python or for Node."""
    text = json.dumps(options)
    if script.endswith(".py"):
        return Program([sys.executable, nodes.FOLDER / script, text], directory=nodes.FOLDER, takes_input=True)
    return nodes.run(script, text)


def parsed(lines: Sequence[str]) -> list[Json]:
    """The lines that are objects; what a library writes besides is for the failure report."""
    return [json.loads(line) for line in lines if line.startswith("{")]


def select(told: Sequence[Json], what: str, channel: str | None, more: Json) -> list[Json]:
    """Those of one sort."""
    return [
        line
        for line in told
        if line["what"] == what
        and channel in (None, line.get("channel"))
        and all(line.get(name) == value for name, value in more.items())
    ]


def nth(found: Sequence[Json], number: int) -> Json | None:
    """The one with this number, counted from 1; None while there are fewer."""
    return found[number - 1] if len(found) >= number else None


def update(desk: Desktop, number: int) -> None:
    """Cause a pair of acknowledgements that carry ``number``: as reference on one channel, as call result on the other.

    REST echoes the result that the record has, so it is set through the desktop's own door first.
    """
    accept(desk.send("UpdateCallCompletionStats", **{HANDLE: desk.handle, RESULT: number, ASIDE: "aside"}))
    accept(desk.on_record("UpdateRecord", referenceId=str(number)))


def number_of(message: Json) -> int | None:
    """The number of ``update`` in one of the two messages; None in all others."""
    data = message["data"]
    user_data = data.get("userData", {})
    text = data.get("referenceId") or (user_data.get(RESULT) if ASIDE not in user_data else None)
    return int(text) if text else None


def kinds_asked_for(request: pytest.FixtureRequest) -> list[Kind]:
    """The clients of the tests that were selected and use this fixture: no other needs to be started."""
    assert request.fixturename is not None
    asked = {
        item.callspec.params["kind"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and request.fixturename in item.fixturenames
    }
    return [kind for kind in KINDS if kind in asked]


def check_backing_off(client: Peer, channel: str) -> None:
    """Every refusal is reported with its status, and each try comes later after the one before."""
    client.wait("reply", channel, successful=False, status=403, count=3)
    times = [reply["at"] for reply in client.said("reply", channel, successful=False)]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert all(pause >= number * BACKING_OFF_MS for number, pause in enumerate(pauses))
