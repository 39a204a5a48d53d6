"""The clock's part of callbacks: every second a look at those that are due, in portions."""

from __future__ import annotations

import msgspec

from trunkline.app.asking import Asked
from trunkline.app.callbacks.deciding import MAX_SERVED, ServeCallbacks, group_of_owner, is_late, room_on
from trunkline.app.callbacks.reads import CallbackPlace, CallbackQuery, place_of
from trunkline.app.judging.calling_times import opens
from trunkline.app.ports import Clock, Store
from trunkline.app.rescue import SYSTEM
from trunkline.app.writer import Writer
from trunkline.domain.enums import Door, RequestType
from trunkline.domain.people import Caller
from trunkline.domain.records import Record, RecordKey

PAGE = 200
"""Due callbacks looked at in one round of a contact centre; when more wait, the next round goes on behind them."""
RETRY_S = 10
"""Before a callback that could not be shown is tried again: something holds it back that the look from outside does
not see, and trying costs the writer's time."""


class CallbackRounds:
    """Finds due callbacks for which something is to be done. ``grace_s`` as in ``Rules.callback_grace_ms``.

    Looking is cheap and happens beside the writer; what is to be done is decided again inside its transaction.
    """

    def __init__(self, store: Store, writer: Writer, clock: Clock, grace_s: int) -> None:
        self._store = store
        self._writer = writer
        self._clock = clock
        self._grace_s = grace_s
        self._serving_since_s = clock.now_s()
        self._places: dict[int, CallbackPlace] = {}
        self._tried: dict[RecordKey, int] = {}

    async def serve_callbacks(self) -> None:
        """One round over all contact centres."""
        book = self._writer.book
        for centre in sorted(book.contact_centres):
            if any(group.status.is_loaded for group in book.groups_of(centre)):
                await self._serve(centre)

    async def _serve(self, contact_centre_id: int) -> None:
        now_s = self._clock.now_s()
        query = CallbackQuery(
            contact_centre_id=contact_centre_id,
            until_s=now_s,
            after=self._places.pop(contact_centre_id, None),
            limit=PAGE,
        )
        due = await self._store.callbacks(query)
        if not due:
            return
        if len(due) == PAGE:
            self._places[contact_centre_id] = place_of(due[-1])
        people = await self._people(contact_centre_id, due)
        wanted = await self._wanted(due, people, now_s)
        for begin in range(0, len(wanted), MAX_SERVED):
            portion = wanted[begin : begin + MAX_SERVED]
            owners = {record.agent_id for record in portion}
            command = ServeCallbacks(
                keys=tuple(record.key for record in portion),
                people={user_id: caller for user_id, caller in people.items() if user_id in owners},
                serving_since_s=self._serving_since_s,
            )
            caller = msgspec.structs.replace(SYSTEM, contact_centre_id=contact_centre_id)
            await self._writer.submit(
                Asked(caller=caller, command=command, request_type=RequestType.UNSOLICITED, door=Door.INSIDE)
            )

    async def _people(self, contact_centre_id: int, due: list[Record]) -> dict[int, Caller]:
        """The owners who are there, by user id; accounts that are switched off are not."""
        owners = {record.agent_id for record in due if record.record_type.is_personal and record.agent_id is not None}
        if not owners:
            return {}
        there = {presence.user_id for presence in await self._store.presences(contact_centre_id)}
        users = await self._store.users(contact_centre_id, sorted(owners & there))
        return {user.caller.user_id: user.caller for user in users if user.is_enabled}

    async def _wanted(self, due: list[Record], people: dict[int, Caller], now_s: int) -> list[Record]:
        """Those that are late, and those that may be shown: as many for each agent as the desk has room for."""
        room: dict[int, int] = {}
        found = []
        self._tried = {key: at_s for key, at_s in self._tried.items() if now_s - at_s < RETRY_S}
        for record in due:
            if is_late(self._writer.book, record, now_s, self._serving_since_s, self._grace_s):
                found.append(record)
                continue
            owner = people.get(record.agent_id or 0) if record.record_type.is_personal else None
            if owner is None or record.key in self._tried or not self._may_be_called(record, now_s):
                continue
            if owner.user_id not in room:
                desk = await self._store.desk_of(owner.contact_centre_id, owner.user_id)
                room[owner.user_id] = room_on(desk)
            if room[owner.user_id] > 0:
                room[owner.user_id] -= 1
                self._tried[record.key] = now_s
                found.append(record)
        return found

    def _may_be_called(self, record: Record, now_s: int) -> bool:
        book = self._writer.book
        campaign = group_of_owner(book, record)
        if campaign is None:
            return False
        calling_list = book.list_by_id(record.contact_centre_id, record.list_id)
        return opens(campaign, calling_list, book, now_s)(record.window)
