"""Delivery to webhooks: one after the other for each, signed, tried again until it got through or it is given up.

Each enabled webhook has one task with at most one request under way, so that its deliveries keep their order and a dead
receiver costs what waits in ``app.webhooks.notices`` and no more. Source: outbound domain 4.7; ``domain.webhooks``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from trunkline.app.directory import ReferenceBook
from trunkline.app.outgoing import NotAnswered, Outgoing
from trunkline.app.ports import Clock, Store
from trunkline.app.webhooks.notices import AttemptTail, Batch, CallReports, Figures, GroupStates, Names, cursor_key
from trunkline.app.writer import Writer
from trunkline.contract.notices import GroupFigures
from trunkline.domain.campaigns import GroupState
from trunkline.domain.objects import ObjectKind
from trunkline.domain.webhooks import DeliveryState, Notice, Progress, Webhook, failed, resumed, signature, succeeded
from trunkline.errors import NotFound

MAX_WEBHOOKS = 200
"""Webhooks that are served; each is a task and a connection. Those beyond, by number, are reported as not served."""
PERIOD_S = 1.0
"""Between two looks for changed webhooks and new attempts: how late a report is at most when all goes well."""
ID_HEADER = "Trunkline-Delivery"
TIMESTAMP_HEADER = "Trunkline-Timestamp"
SIGNATURE_HEADER = "Trunkline-Signature"

Report = Callable[[str, BaseException], None]


def no_figures(contact_centre_id: int, campaign_group_id: int) -> GroupFigures:
    """Figures of a group while nobody counts."""
    return GroupFigures()


class Settings:
    """``timeout_s`` for each try, ``give_up_ms`` of failing before a webhook is stopped."""

    def __init__(self, *, timeout_s: float = 10.0, give_up_ms: int = 86_400_000) -> None:
        self.timeout_s = timeout_s
        self.give_up_ms = give_up_ms


class Postman:
    """Delivers to one webhook."""

    def __init__(self, house: Webhooks, webhook: Webhook, version: int, now_ms: int) -> None:
        self.webhook = webhook
        self.version = version
        self.progress = Progress()
        self.reports = CallReports(house.tail, house.names, house.writer, webhook)
        self.states = GroupStates(house.writer, webhook, house.figures, now_ms)
        self._house = house
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_report_next = True

    def start(self) -> None:
        """Begin to deliver."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"webhook {self.webhook.webhook_id}")

    async def stop(self) -> None:
        """End; what is under way is tried again by the next one."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def nudge(self) -> None:
        """There may be something to do."""
        self._wake.set()

    def resume(self) -> None:
        """Try again at once."""
        self.progress = resumed(self.progress)
        self._wake.set()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                is_done = await self._try_one()
            except Exception as error:  # noqa: BLE001 - a defect here must not end the deliveries for ever
                self._house.report("webhook", error)
                is_done = False
            if not is_done:
                await self._pause()

    async def _pause(self) -> None:
        """Wait until something may have changed, or the next time of the clock has come."""
        try:
            async with asyncio.timeout(self._wait_s()):
                await self._wake.wait()
        except TimeoutError:
            return

    def _wait_s(self) -> float | None:
        now_ms = self._house.clock.now_ms()
        if self.progress.state is DeliveryState.STOPPED:
            return None
        if self.progress.next_try_ms is not None:
            return max(0.0, (self.progress.next_try_ms - now_ms) / 1000)
        return self.states.due_in_ms(now_ms) / 1000 if self._tells(Notice.GROUP_STATE) else None

    def _tells(self, notice: Notice) -> bool:
        return notice in self.webhook.notices

    async def _try_one(self) -> bool:
        """Make one delivery if one is due; False when there is nothing to do now."""
        now_ms = self._house.clock.now_ms()
        progress = self.progress
        if progress.state is DeliveryState.STOPPED or (progress.next_try_ms or 0) > now_ms:
            return False
        batch = await self._next()
        if batch is None:
            return False
        await self._deliver(batch)
        return self.progress.next_try_ms is None

    async def _next(self) -> Batch | None:
        """The next batch; reports and states take turns."""
        book, now_ms = self._house.writer.book, self._house.clock.now_ms()
        for _ in range(2):
            is_report, self._is_report_next = self._is_report_next, not self._is_report_next
            if is_report and self.webhook.reads_log:
                batch = await self.reports.take(book)
            elif not is_report and self._tells(Notice.GROUP_STATE):
                batch = await self.states.take(book, now_ms)
            else:
                batch = None
            if batch is not None:
                return batch
        return None

    async def _deliver(self, batch: Batch) -> None:
        house, webhook = self._house, self.webhook
        timestamp_s = house.clock.now_s()
        headers = {
            ID_HEADER: batch.delivery_id,
            TIMESTAMP_HEADER: str(timestamp_s),
            SIGNATURE_HEADER: f"v1={signature(webhook.secret, batch.delivery_id, timestamp_s, batch.body)}",
        }
        status, retry_after_s, error = None, None, ""
        try:
            reply = await house.outgoing.post(webhook.url, headers, batch.body, house.settings.timeout_s)
        except NotAnswered as failure:
            error = str(failure)
        else:
            status, retry_after_s = reply.status, reply.retry_after_s
        now_ms = house.clock.now_ms()
        if status is not None and 200 <= status < 300:
            batch.settle()
            self.progress = succeeded(self.progress, now_ms, status, batch.notices)
            return
        self.states.skip_periodic()
        self.progress = failed(
            self.progress,
            now_ms,
            status=status,
            error=error or f"answered {status}",
            chance=house.chance(),
            give_up_ms=house.settings.give_up_ms,
            retry_after_s=retry_after_s,
            is_final=status == 410,
        )
        if self.progress.state is DeliveryState.STOPPED:
            house.report("webhook", Stopped(f"webhook {webhook.webhook_id} is stopped: {self.progress.last_error}"))


class Stopped(NotAnswered):
    """A webhook got nothing through for so long that it is no longer tried."""


class Webhooks:
    """All webhooks of the installation. ``chance`` yields numbers in [0, 1); ``figures`` those of a group."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        clock: Clock,
        outgoing: Outgoing,
        chance: Callable[[], float],
        report: Report,
        settings: Settings,
        figures: Figures = no_figures,
    ) -> None:
        self.writer = writer
        self.clock = clock
        self.outgoing = outgoing
        self.chance = chance
        self.report = report
        self.settings = settings
        self.figures = figures
        self.names = Names(store)
        self.tail = AttemptTail(store)
        self._store = store
        self._book: ReferenceBook | None = None
        self._states: dict[tuple[int, int], GroupState] = {}
        self._postmen: dict[tuple[int, int], Postman] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; after the writer has its reference data."""
        self._states = {state.key: state for state in self.writer.book.group_states}
        await self.round()
        self._task = asyncio.get_running_loop().create_task(self._run(), name="webhooks")

    async def stop(self) -> None:
        """End all deliveries; before the writer stops, which keeps what got through."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.gather(*(postman.stop() for postman in self._postmen.values()))
        self._postmen.clear()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(PERIOD_S)
            try:
                await self.round()
            except Exception as error:  # noqa: BLE001 - the next round comes in a second
                self.report("webhooks", error)

    def committed(self) -> None:
        """Something was committed: tell of groups that changed state. Cost: one comparison when none did."""
        book = self.writer.book
        if book is self._book:
            return
        self._book = book
        for state in book.group_states:
            before = self._states.get(state.key)
            if before == state:
                continue
            self._states[state.key] = state
            for postman in self._postmen.values():
                postman.states.changed(before, state)
                postman.nudge()

    async def round(self) -> None:
        """Serve webhooks that are new or changed, let go of others, and look for new attempts."""
        self.committed()
        wanted = self._wanted()
        progress = {}
        for key in [key for key, postman in self._postmen.items() if wanted.get(key) != postman.version]:
            postman = self._postmen.pop(key)
            await postman.stop()
            progress[key] = resumed(postman.progress)
        is_news = False
        if any(self._reports(key) for key in wanted):
            is_news = await self.tail.follow()
        else:
            self.tail.rest()
        for key in wanted.keys() - self._postmen.keys():
            await self._begin(key, wanted[key], progress.get(key, Progress()))
        if is_news:
            for postman in self._postmen.values():
                postman.nudge()

    def _reports(self, key: tuple[int, int]) -> bool:
        webhook = self.writer.book.value(Webhook, key[0], ObjectKind.WEBHOOK, key[1])
        return webhook is not None and webhook.reads_log

    def _wanted(self) -> dict[tuple[int, int], int]:
        book = self.writer.book
        found: dict[tuple[int, int], int] = {}
        for centre in sorted(book.contact_centres):
            for stored in book.objects_of(centre, ObjectKind.WEBHOOK):
                value = stored.value
                if isinstance(value, Webhook) and value.is_enabled and value.url and value.notices:
                    found[centre, stored.object_id] = stored.version
        return dict(list(found.items())[:MAX_WEBHOOKS])

    async def _begin(self, key: tuple[int, int], version: int, progress: Progress) -> None:
        webhook = self.writer.book.value(Webhook, key[0], ObjectKind.WEBHOOK, key[1])
        if webhook is None:
            return
        postman = Postman(self, webhook, version, self.clock.now_ms())
        postman.progress = progress
        cursors = await self._store.cursors(key[0], 0)
        postman.reports.prepare(cursors.get(cursor_key(webhook, Notice.CALL_REPORT).channel, -1))
        postman.states.prepare(
            cursors.get(cursor_key(webhook, Notice.GROUP_STATE).channel, -1), self.writer.book.group_states
        )
        self._postmen[key] = postman
        postman.start()

    def count(self, state: DeliveryState) -> int:
        """How many webhooks are in that state."""
        return sum(postman.progress.state is state for postman in self._postmen.values())

    @property
    def delivered(self) -> int:
        """Notices that got through since the start, to webhooks that are served now."""
        return sum(postman.progress.delivered for postman in self._postmen.values())

    def postman(self, contact_centre_id: int, webhook_id: int) -> Postman | None:
        """Who delivers to a webhook; None for one that is disabled or beyond the limit. ``NotFound`` when unknown."""
        if self.writer.book.object(contact_centre_id, ObjectKind.WEBHOOK, webhook_id) is None:
            raise NotFound("there is no webhook with this id")
        return self._postmen.get((contact_centre_id, webhook_id))
