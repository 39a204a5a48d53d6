"""Agents that go on working while their server is killed: each repeats what was not answered, and listens."""

from __future__ import annotations

import itertools
import json
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from typing import Any

from trunkline.client import Client, Events
from trunkline.errors import Unavailable

PHONE_TYPES = ("Mobile", "HomePhone", "Pager")
ADD_EVERY = 5
"""Every fifth request adds a record, whose double would be seen as such; the others update the one on the desk."""
RESTART_S = 60
"""The longest that a restart may take before an agent gives up."""
POLL_MS = 1000


class Floor:
    """What all agents share: whether the server is there, how many requests were answered, when to stop."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_up = threading.Event()
        self.is_up.set()
        self.is_over = threading.Event()
        self.answered = 0
        self.repeated = 0
        self._news = threading.Condition()

    def note_answer(self, tries: int) -> None:
        """Count a request that was answered with success after so many tries."""
        with self._news:
            self.answered += 1
            self.repeated += tries > 1
            self._news.notify_all()

    def wait_for_answers(self, more: int, timeout_s: float = 60) -> None:
        """Return when so many more requests have been answered."""
        with self._news:
            wanted = self.answered + more
            assert self._news.wait_for(lambda: self.answered >= wanted, timeout_s), "the load has stopped"


class Agent:
    """One agent with one record on the desk, one thread that sends and one that listens.

    ``updates`` are the fields of each accepted update in order, ``added`` the numbers of each accepted addition,
    ``references`` all marks that were answered, ``heard`` how often each came back in an event.
    """

    def __init__(self, floor: Floor, n: int) -> None:
        self.n = n
        self.handle = 1_000_000 + n
        self.updates: list[dict[str, Any]] = []
        self.added: list[str] = []
        self.references: set[str] = set()
        self.heard: Counter[str] = Counter()
        self._floor = floor
        self._error: BaseException | None = None
        self._news = threading.Condition()
        self._is_deaf = threading.Event()
        self._sender = threading.Thread(target=self._guarded, args=(self._send_all,), name=f"agent{n} sends")
        self._listener = threading.Thread(target=self._guarded, args=(self._listen,), name=f"agent{n} listens")

    def start(self) -> None:
        """Begin to listen and to send."""
        self._listener.start()
        self._sender.start()

    def finish(self, timeout_s: float) -> None:
        """Wait until the last request was answered and every event has come; raises what went wrong."""
        self._sender.join(timeout_s)
        assert not self._sender.is_alive(), f"agent{self.n} still sends"
        with self._news:
            complete = self._news.wait_for(
                lambda: self._error is not None or self.references <= self.heard.keys(), timeout_s
            )
        self.dismiss(timeout_s)
        if self._error is not None:
            raise self._error
        missing = sorted(self.references - self.heard.keys())
        assert complete, f"agent{self.n} was not told of {len(missing)} requests: {missing[:5]}"

    def dismiss(self, timeout_s: float) -> None:
        """Stop listening; sending stops with the floor."""
        self._is_deaf.set()
        for thread in (self._sender, self._listener):
            thread.join(timeout_s)

    def _guarded(self, work: Callable[[Client], None]) -> None:
        try:
            with closing(Client(self._floor.url, f"agent{self.n}", "demo")) as client:
                work(client)
        except BaseException as error:  # noqa: BLE001 - the test's thread raises it
            with self._news:
                self._error = error
                self._news.notify_all()

    def _send_all(self, client: Client) -> None:
        for number in itertools.count():
            if self._floor.is_over.is_set():
                break
            reference = f"agent{self.n}-{number}"
            if number % ADD_EVERY == ADD_EVERY - 1:
                self._add(client, number, reference)
            else:
                self._update(client, number, reference)
            self.references.add(reference)

    def _update(self, client: Client, number: int, reference: str) -> None:
        fields = {"phoneType": PHONE_TYPES[number % 3], "until": 40_000 + number % 40_000}
        self._insist(client, self.handle, "UpdateRecord", referenceId=reference, **fields)
        self.updates.append(fields)

    def _add(self, client: Client, number: int, reference: str) -> None:
        phone_number = f"+1646{self.n:02d}{number:05d}"
        self._insist(
            client,
            None,
            "AddRecord",
            referenceId=reference,
            callingList="CallingList1",
            phoneNumber=phone_number,
            phoneType="Mobile",
            timeZone="America/New_York",
            **{"from": 0, "until": 86_400},
            otherFields={"first_name": "Crash", "last_name": reference},
        )
        self.added.append(phone_number)

    def _insist(self, client: Client, handle: int | None, operation_name: str, **parameters: Any) -> None:
        """Send the same request until it is answered with success: a crash leaves open whether it was done."""
        for tries in itertools.count(1):
            try:
                answer = client.record_operation(
                    handle,
                    operation_name,
                    applicationId=134,
                    campaignName="Campaign1",
                    devicePath=f"/devices/demo-device-{self.n}",
                    **parameters,
                )
            except Unavailable:
                assert self._floor.is_up.wait(RESTART_S), "the server did not come back"
                continue
            if answer.http_status == 503:  # the database is away
                assert self._floor.is_up.wait(RESTART_S), "the database did not come back"
                continue
            assert (answer.http_status, answer.status_code) == (200, 0), json.dumps(answer.body)
            self._floor.note_answer(tries)
            return

    def _listen(self, client: Client) -> None:
        events = Events(client, ["/v2/me/outbound"])
        is_open = False
        while not self._is_deaf.is_set():
            try:
                if not is_open:
                    events.open()
                    is_open = True
                messages = events.poll(POLL_MS)
            except Unavailable:
                assert self._floor.is_up.wait(RESTART_S), "the server did not come back"
                continue
            with self._news:
                # What tells of the campaign, sent at each subscription, has no reference.
                self.heard.update(m.data["referenceId"] for m in messages if "referenceId" in m.data)
                self._news.notify_all()
