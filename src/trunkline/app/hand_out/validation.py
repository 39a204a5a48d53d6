"""The pre-dial validation: asks somebody's server about records that are to be called, before they are handed out.

The hand-out asks ``judge``, which never waits: what is not known yet is put on the way, and the hand-out takes another
chain meanwhile. The servers are asked beside the writer, a few at a time; a server that fails is left alone for a while
that grows, then tried with one question. A refusal is written down through the writer like any result. Only addresses
of the configuration are asked: a campaign that names another one is not dialed. Source: outbound domain 6.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

import msgspec

from trunkline.app.asking import Asked
from trunkline.app.outgoing import NotAnswered, NotAnsweredInTime, Outgoing
from trunkline.app.ports import Clock, StoredRow
from trunkline.contract.validation import mark_of, question, read_answer
from trunkline.domain.campaigns import CallingList, Campaign
from trunkline.domain.enums import CallResult, Door, RequestType
from trunkline.domain.people import Caller
from trunkline.domain.records import Record, RecordKey
from trunkline.domain.validation import Answer, Permission
from trunkline.domain.webhooks import backoff_ms

MAX_KNOWN = 100_000
"""Answers that are remembered, about 300 bytes each: some minutes of the largest buffers."""
MAX_WAITING = 2_000
"""Questions that wait for their turn; what comes beyond is asked when the hand-out meets the record again."""
SYSTEM = Caller(contact_centre_id=0, contact_centre_name="", user_id=0, public_id="", user_name="")


class NotValidated(NotAnswered):
    """A campaign's validation did not answer: its records are not dialed."""


class ValidationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """``urls`` are those that may be asked. ``keep_ms`` is how long an answer holds.

    ``timeout_result`` is what a record is treated with when there is no answer in time, ``race_result`` when the record
    was changed while it was asked about and then refused; None: it is asked again.
    """

    urls: frozenset[str] = frozenset()
    connections: int = 10
    timeout_s: float = 5.0
    keep_ms: int = 300_000
    timeout_result: CallResult | None = None
    race_result: CallResult | None = None


class SettleValidation(msgspec.Struct, frozen=True, kw_only=True):
    """Write down that a record is not to be called: for good with ``call_result``, or until ``held_until_s``.

    ``mark`` stands for the record as it was asked about.
    """

    campaign: Campaign
    list_id: int
    chain_id: int
    chain_n: int
    mark: bytes
    said: str
    call_result: CallResult | None = None
    race_result: CallResult | None = None
    held_until_s: int = 0


class Submit(Protocol):
    """The writer's door."""

    def __call__(self, asked: Asked) -> asyncio.Future[StoredRow | None]:
        """Queue a request."""


class Known(msgspec.Struct, frozen=True):
    """What is known of a record: of which question, until when it counts (Unix ms), how often it went unanswered."""

    mark: bytes
    answer: Answer
    at_ms: int
    until_ms: int
    failures: int = 0


class _Question(msgspec.Struct, frozen=True):
    campaign: Campaign
    record: Record
    body: bytes


class Server:
    """How a server that is asked fares."""

    def __init__(self) -> None:
        self.failures = 0
        self.closed_until_ms = 0
        self.under_way = 0
        self.last_error = ""

    def is_open(self, now_ms: int) -> bool:
        """True while it may be asked; of one that failed, a single question at a time."""
        return now_ms >= self.closed_until_ms and (self.failures == 0 or self.under_way == 0)


class Validator:
    """Asks, remembers, and writes down. ``chance`` yields numbers in [0, 1); ``report`` logs what failed."""

    def __init__(
        self,
        outgoing: Outgoing,
        submit: Submit,
        clock: Clock,
        chance: Callable[[], float],
        report: Callable[[str, BaseException], None],
        settings: ValidationSettings,
    ) -> None:
        self._outgoing = outgoing
        self._submit = submit
        self._clock = clock
        self._chance = chance
        self._report = report
        self._settings = settings
        self._known: dict[RecordKey, Known] = {}
        self._waiting: dict[RecordKey, _Question] = {}
        self._order: deque[RecordKey] = deque()
        self._servers: dict[str, Server] = {}
        self._unknown: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._workers = 0
        self._is_stopping = False

    # What the hand-out asks

    def judge(self, campaign: Campaign, calling_list: CallingList, record: Record) -> Permission:
        """Whether the record may be called. Never waits; what is not known is asked meanwhile.

        Cost: the encoding of one record, for campaigns that have a validation.
        """
        url = campaign.validation_url
        if not url:
            return Permission.NOT_ASKED
        body = question(campaign, calling_list.name, record)
        now_ms = self._clock.now_ms()
        known = self._known.get(record.key)
        if known is not None and known.until_ms > now_ms and known.mark == mark_of(body):
            return known.answer.permission
        self._want(url, _Question(campaign, record, body), now_ms)
        return Permission.WAITING

    def last(self, key: RecordKey) -> tuple[Answer, int] | None:
        """The last answer about a record and when it came (Unix ms), for the explanation; None when there is none."""
        known = self._known.get(key)
        return None if known is None else (known.answer, known.at_ms)

    def servers(self) -> dict[str, Server]:
        """How the servers fare that were asked, by address."""
        return dict(self._servers)

    @property
    def waiting(self) -> int:
        """Questions that wait for their turn or for their answer."""
        return len(self._waiting)

    # Asking

    def _want(self, url: str, asked: _Question, now_ms: int) -> None:
        key = asked.record.key
        if self._is_stopping or key in self._waiting or len(self._waiting) >= MAX_WAITING:
            return
        server = self._servers.get(url)
        if server is None:
            if url not in self._settings.urls:
                self._report_once(url)
                return
            server = self._servers[url] = Server()
        if not server.is_open(now_ms):
            return
        server.under_way += 1
        self._waiting[key] = asked
        self._order.append(key)
        if self._workers < self._settings.connections:
            self._workers += 1
            task = asyncio.get_running_loop().create_task(self._work(), name="validation")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _report_once(self, url: str) -> None:
        if url not in self._unknown:
            self._unknown.add(url)
            error = NotValidated("a campaign names a validation that is not in validation_urls; it is not dialed")
            self._report("validation", error)

    async def _work(self) -> None:
        """Ask until nothing waits."""
        try:
            await self._ask_all()
        finally:
            # Here and not in the task's callback, which runs later: what is wanted meanwhile would find nobody.
            self._workers -= 1

    async def _ask_all(self) -> None:
        while self._order:
            key = self._order.popleft()
            asked = self._waiting[key]
            server = self._servers[asked.campaign.validation_url]
            try:
                if server.failures == 0 or self._clock.now_ms() >= server.closed_until_ms:
                    await self._ask(server, asked)
            except Exception as error:  # noqa: BLE001 - one question's defect must not cost the others their answers
                self._report("validation", error)
            finally:
                server.under_way -= 1
                del self._waiting[key]

    async def _ask(self, server: Server, asked: _Question) -> None:
        settings = self._settings
        try:
            reply = await self._outgoing.post(asked.campaign.validation_url, {}, asked.body, settings.timeout_s)
        except NotAnsweredInTime as error:
            permission = Permission.UNANSWERED if settings.timeout_result is None else Permission.REFUSED
            answer = Answer(
                permission=permission, said=str(error), call_result=settings.timeout_result, is_server_failing=True
            )
        except NotAnswered as error:
            answer = Answer(permission=Permission.UNANSWERED, said=str(error), is_server_failing=True)
        else:
            answer = read_answer(reply.status, reply.body)
        now_ms = self._clock.now_ms()
        self._note(server, answer, now_ms)
        known = self._remember(asked, answer, now_ms)
        if answer.permission is not Permission.PERMITTED:
            await self._write_down(asked, answer, known)

    def _note(self, server: Server, answer: Answer, now_ms: int) -> None:
        """Close the way to a server that fails, open it for one that answers."""
        if not answer.is_server_failing:
            server.failures, server.closed_until_ms, server.last_error = 0, 0, ""
            return
        server.last_error = answer.said
        if now_ms < server.closed_until_ms:
            return  # one of several that were under way; the first has counted
        server.failures += 1
        server.closed_until_ms = now_ms + backoff_ms(server.failures, self._chance())
        self._report("validation", NotValidated(f"the validation does not answer: {answer.said}"))

    def _remember(self, asked: _Question, answer: Answer, now_ms: int) -> Known:
        key = asked.record.key
        before = self._known.pop(key, None)
        failures, keep_ms = 0, self._settings.keep_ms
        if answer.permission is Permission.UNANSWERED:
            failures = 1 + (before.failures if before is not None else 0)
            keep_ms = backoff_ms(failures, self._chance())
        if len(self._known) >= MAX_KNOWN:
            self._known = {key: one for key, one in self._known.items() if one.until_ms > now_ms}
            while len(self._known) >= MAX_KNOWN:
                del self._known[next(iter(self._known))]
        known = self._known[key] = Known(mark_of(asked.body), answer, now_ms, now_ms + keep_ms, failures)
        return known

    async def _write_down(self, asked: _Question, answer: Answer, known: Known) -> None:
        record, is_refused = asked.record, answer.permission is Permission.REFUSED
        command = SettleValidation(
            campaign=asked.campaign,
            list_id=record.list_id,
            chain_id=record.chain_id,
            chain_n=record.chain_n,
            mark=known.mark,
            said=answer.said,
            call_result=answer.call_result if is_refused else None,
            race_result=self._settings.race_result,
            held_until_s=0 if is_refused else -(-known.until_ms // 1000),
        )
        await self._submit(
            Asked(caller=SYSTEM, command=command, request_type=RequestType.UNSOLICITED, door=Door.INSIDE)
        )

    async def stop(self) -> None:
        """Ask nobody any more."""
        self._is_stopping = True
        self._order.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._waiting.clear()
