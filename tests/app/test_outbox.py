"""The outbox: what was committed reaches the user's sessions in order, until somebody confirmed it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.app.harness import House, agent, record
from tests.app.replay_desk import ANN as DESK_USER
from tests.app.replay_desk import Desk, at_desk
from trunkline.app.outbox import Message, Outbox, UserKey
from trunkline.app.ports import JournalRow, StoredRow
from trunkline.domain import commands
from trunkline.domain.enums import Door, RequestType
from trunkline.domain.events import NothingToPreview, RecordShown
from trunkline.domain.records import FieldChanges

ANN = agent(1)
USER: UserKey = (1, 1)
OUTBOUND, INTERNAL = "/v2/me/outbound", "/me/internal"


class Listener:
    """A courier that keeps what it was given."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.got: list[tuple[UserKey, Message]] = []

    def deliver(self, user: UserKey, messages: Sequence[Message]) -> None:
        """Keep."""
        self.got.extend((user, message) for message in messages)


class Post:
    """A house whose writer publishes to an outbox with a listener."""

    def __init__(self, house: House, outbox: Outbox, listener: Listener, handle: int) -> None:
        """Put together by ``in_post``."""
        self.house = house
        self.outbox = outbox
        self.listener = listener
        self.handle = handle

    async def update(self) -> None:
        """One update of the record on Ann's desk: one message on each channel."""
        await self.house.ask(ANN, commands.UpdateRecord, handle=self.handle, changes=FieldChanges(until_s=5))

    def fresh_outbox(self) -> Outbox:
        """An outbox as a restarted server has it."""
        outbox = Outbox(self.house.store, self.house.clock)
        outbox.connect(Listener(), self.house.writer)
        return outbox


def in_post(test: Callable[[Post], Awaitable[None]]) -> None:
    """Run a test with a record on Ann's desk."""

    async def run() -> None:
        house = await House().open([record(1)])
        outbox, listener = Outbox(house.store, house.clock), Listener()
        outbox.connect(listener, house.writer)
        house.writer._publish = outbox.publish
        shown = (await house.preview(ANN))[0]
        assert isinstance(shown, RecordShown)
        house.clock.ms += 700_000
        try:
            await test(Post(house, outbox, listener, shown.handle))
        finally:
            await house.close()

    asyncio.run(run())


def everything(_: str) -> bool:
    """A subscription to all channels."""
    return True


def test_nobody_listens_and_nothing_is_kept() -> None:
    """Without a session the journal alone keeps; the next session gets it, once loaded, in order."""

    async def test(post: Post) -> None:
        for _ in range(3):
            await post.update()
        assert post.listener.got == []
        assert post.outbox.open_mailboxes == 0
        await post.outbox.open(USER)
        waiting = post.outbox.waiting(USER, everything)
        assert [message.channel for message in waiting] == [OUTBOUND, INTERNAL] * 3
        assert [message.mark for message in waiting] == sorted({message.mark for message in waiting})

    in_post(test)


def test_an_open_mailbox_delivers_at_once() -> None:
    """A committed event goes to the user's sessions and to nobody else's."""

    async def test(post: Post) -> None:
        await post.outbox.open(USER)
        await post.update()
        assert [(user, message.channel) for user, message in post.listener.got] == [(USER, OUTBOUND), (USER, INTERNAL)]

    in_post(test)


def test_confirmed_is_not_sent_again_and_the_other_channel_is() -> None:
    """Confirmations count per channel, survive a restart, and never move back."""

    async def test(post: Post) -> None:
        await post.outbox.open(USER)
        await post.update()
        await post.update()
        first = [message for _, message in post.listener.got if message.channel == OUTBOUND]
        post.outbox.confirmed(USER, OUTBOUND, first[0].mark)
        post.outbox.confirmed(USER, OUTBOUND, -5)
        assert [m.channel for m in post.outbox.waiting(USER, everything)] == [INTERNAL, OUTBOUND, INTERNAL]
        post.outbox.confirmed(USER, OUTBOUND, first[1].mark)
        waiting = post.outbox.waiting(USER, everything)
        assert [message.channel for message in waiting] == [INTERNAL, INTERNAL]
        post.house.writer.flush()
        await post.update()
        again = post.fresh_outbox()
        await again.open(USER)
        assert [m.mark for m in again.waiting(USER, everything)][:2] == [m.mark for m in waiting]

    in_post(test)


def test_what_is_committed_and_not_published_yet_comes_by_its_publication() -> None:
    """A mailbox that is loaded in between leaves it out: it would come twice, to clients that count on once too."""

    async def test(desk: Desk) -> None:
        desk.outbox.forget(DESK_USER)
        await desk.commit(Door.REST)
        await desk.outbox.open(DESK_USER)
        assert desk.outbox.waiting(DESK_USER, everything) == []
        desk.publish()
        assert [message.channel for message in desk.delivered] == [OUTBOUND, INTERNAL]
        assert desk.outbox.waiting(DESK_USER, everything) == desk.delivered

    at_desk(test)


def test_too_old_is_not_delivered() -> None:
    """What waited longer than the redelivery time is news to nobody."""

    async def test(post: Post) -> None:
        await post.update()
        post.house.clock.ms += 600_001
        await post.update()
        await post.outbox.open(USER)
        assert len(post.outbox.waiting(USER, everything)) == 2

    in_post(test)


def test_what_is_committed_while_a_mailbox_loads_is_neither_lost_nor_doubled() -> None:
    """Commits before and after the load's read of the journal each come once, in order."""

    async def test(post: Post) -> None:
        await post.update()
        before_read, after_read = asyncio.Event(), asyncio.Event()
        working = post.house.store.newest

        async def slow(*arguments: Any) -> list[StoredRow]:
            await before_read.wait()
            rows = await working(*arguments)
            await after_read.wait()
            return rows

        post.house.store.newest = slow  # type: ignore[method-assign,assignment]
        loads = [asyncio.ensure_future(post.outbox.open(USER)) for _ in range(2)]
        await asyncio.sleep(0)
        await post.update()
        before_read.set()
        for _ in range(5):
            await asyncio.sleep(0)
        await post.update()
        after_read.set()
        await asyncio.gather(*loads)
        await post.update()
        marks = [message.mark for message in post.outbox.waiting(USER, everything)]
        assert len(marks) == 8
        assert marks == sorted(set(marks))
        assert [message.mark for _, message in post.listener.got] == marks[-2:]

    in_post(test)


def test_a_mailbox_that_cannot_load_is_forgotten() -> None:
    """A failing store fails the subscription; the next try begins anew."""

    async def test(post: Post) -> None:
        await post.update()
        working = post.house.store.newest

        async def broken(*_: object) -> list[StoredRow]:
            raise OSError

        post.house.store.newest = broken  # type: ignore[method-assign,assignment]
        with pytest.raises(OSError):  # noqa: PT011 - the store's own error comes through
            await post.outbox.open(USER)
        assert post.outbox.open_mailboxes == 0
        post.house.store.newest = working  # type: ignore[method-assign]
        await post.outbox.open(USER)
        assert len(post.outbox.waiting(USER, everything)) == 2

    in_post(test)


def test_a_forgotten_mailbox_loads_again() -> None:
    """With the last session the mailbox goes; unconfirmed messages come back with the next."""

    async def test(post: Post) -> None:
        await post.outbox.open(USER)
        await post.update()
        post.outbox.forget(USER)
        assert post.outbox.open_mailboxes == 0
        await post.update()
        await post.outbox.open(USER)
        assert len(post.outbox.waiting(USER, everything)) == 4

    in_post(test)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["update", "confirm", "restart", "forget"]), max_size=25))
def test_every_message_until_it_is_confirmed(steps: list[str]) -> None:
    """Whatever happens in between, what waits is exactly what was committed and not confirmed, in order."""

    async def test(post: Post) -> None:
        outbox = post.outbox
        committed: list[int] = []
        confirmed = -1
        await outbox.open(USER)
        for step in steps:
            if step == "update":
                await post.update()
                committed.append(outbox.waiting(USER, lambda channel: channel == OUTBOUND)[-1].mark)
            elif step == "confirm" and committed:
                confirmed = committed[-1]
                outbox.confirmed(USER, OUTBOUND, confirmed)
            elif step in ("forget", "restart"):
                outbox.forget(USER)
                if step == "restart":
                    outbox = post.fresh_outbox()
                    post.house.writer._publish = outbox.publish
                await outbox.open(USER)
            waiting = [m.mark for m in outbox.waiting(USER, lambda channel: channel == OUTBOUND)]
            assert waiting == [mark for mark in committed if mark > confirmed]
            assert len(outbox.waiting(USER, lambda channel: channel == INTERNAL)) == len(committed)

    in_post(test)


def test_an_event_for_a_user_without_a_device() -> None:
    """A row without events, or of a user nobody listens for, costs nothing and delivers nothing."""

    async def test(post: Post) -> None:
        await post.outbox.open(USER)
        empty = JournalRow(contact_centre_id=1, user_id=1, at_ms=post.house.clock.ms, request_type=RequestType.LOGOUT)
        event = NothingToPreview(device_id="d9", door=Door.REST, application_id=134, campaign_name="Campaign")
        foreign = JournalRow(
            contact_centre_id=2, user_id=1, at_ms=0, request_type=RequestType.UNSOLICITED, events=(event,)
        )
        post.outbox.publish([StoredRow(900, empty), StoredRow(901, foreign)])
        assert post.listener.got == []

    in_post(test)


def test_one_users_defect_does_not_cost_the_others_their_events() -> None:
    """When the courier fails with one user's messages, those of the users behind it go out, and the loop is told."""

    class Fragile(Listener):
        def deliver(self, user: UserKey, messages: Sequence[Message]) -> None:
            if user == USER:
                raise KeyError(user)
            super().deliver(user, messages)

    async def test(post: Post) -> None:
        told: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        courier, other = Fragile(), (1, 2)
        post.outbox.connect(courier, post.house.writer)
        (row,) = await post.house.store.newest(*USER, None, 1)
        await post.outbox.open(USER)
        await post.outbox.open(other)
        theirs = StoredRow(row.seq + 2, msgspec.structs.replace(row.row, user_id=2))
        post.outbox.publish([StoredRow(row.seq + 1, row.row), theirs])
        assert {user for user, _ in courier.got} == {other}
        assert len(told) == 1

    in_post(test)
