"""Keeps campaign groups going: hands wishes to the writer, moves unloadings on, tells agents what they must know."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from trunkline.app.asking import Asked
from trunkline.app.directory import ReferenceBook
from trunkline.app.groups.control import (
    MAX_TOLD,
    REQUEST_TYPES,
    AdvanceGroup,
    ControlGroup,
    TellAgents,
    Told,
    changes_between,
    check_may_control,
    group_of,
    in_state,
    inside,
    state_of,
)
from trunkline.app.ports import Store, StoredRow
from trunkline.app.upkeep import Report
from trunkline.app.writer import Writer
from trunkline.domain.campaigns import Campaign, GroupState
from trunkline.domain.enums import Door, GroupStatus, RequestType
from trunkline.domain.group_control import Control, Wish, news
from trunkline.domain.people import Caller
from trunkline.errors import Refused

MAX_TELLING = 100_000
"""Agents who wait to be told of changed reference data: a server has 20,000, and a change may tell each of them twice.
Past it the eldest are dropped; they see the present state when they subscribe again."""


class GroupKeeper:
    """What supervisors, the HTTP door, schedules and the clock ask of groups goes through here."""

    def __init__(self, store: Store, writer: Writer, report: Report) -> None:
        self._store = store
        self._writer = writer
        self._report = report
        self._told: dict[int, list[Told]] = {}
        self._telling: asyncio.Task[None] | None = None
        self._advancing: asyncio.Task[None] | None = None
        self._is_advance_due = False
        self._unfinished_of: ReferenceBook | None = None
        self._unfinished: list[Campaign] = []
        self._devices: dict[tuple[int, int], tuple[int, frozenset[int], dict[int, str]]] = {}

    def status(self, caller: Caller, campaign_group_id: int) -> Campaign:
        """The campaign as the group works it now; for supervisors and administrators."""
        check_may_control(caller)
        return group_of(self._writer.book, caller.contact_centre_id, campaign_group_id)

    async def control(
        self,
        caller: Caller,
        campaign_group_id: int,
        wish: Wish,
        *,
        door: Door = Door.REST,
        reference: str | float | bool | None = None,
        request_key: int | None = None,
    ) -> Campaign:
        """Carry out a wish; returns the campaign as the group works it afterwards.

        What can go on at once has gone on. Raises ``ControlRefused``, ``Forbidden``.
        """
        check_may_control(caller)
        campaign = group_of(self._writer.book, caller.contact_centre_id, campaign_group_id)
        command = ControlGroup(campaign_group_id=campaign_group_id, wish=wish, devices=await self._devices_of(campaign))
        asked = Asked(
            caller=caller,
            command=command,
            request_type=REQUEST_TYPES[wish.control],
            door=door,
            reference=reference,
            request_key=request_key,
        )
        await self._carry_out(asked, campaign, wish.control)
        await self._advance(campaign)
        return group_of(self._writer.book, caller.contact_centre_id, campaign_group_id)

    async def advance(self) -> None:
        """Move on every group that is completing or being unloaded; a step of upkeep."""
        for campaign in self._in_motion():
            try:
                await self._advance(campaign)
            except Refused as error:
                self._report(f"advance group {campaign.group_id}", error)

    def notice(self, rows: Sequence[StoredRow]) -> None:
        """Look at committed rows: an agent who finished a record may have been the last that a group waits for."""
        moving = {(campaign.contact_centre_id, campaign.campaign_id) for campaign in self._in_motion()}
        if moving and any((s.row.contact_centre_id, s.row.campaign_id) in moving and s.row.handle for s in rows):
            self._is_advance_due = True
            if self._advancing is None or self._advancing.done():
                self._advancing = asyncio.get_running_loop().create_task(self._advance_noticed(), name="groups")

    def book_changed(self, before: ReferenceBook, after: ReferenceBook) -> None:
        """Tell agents what changed for them with the reference data; see ``changes_between``."""
        for centre, told in changes_between(before, after).items():
            waiting = self._told.setdefault(centre, [])
            waiting += told
            del waiting[:-MAX_TELLING]
        if self._told and (self._telling is None or self._telling.done()):
            self._telling = asyncio.get_running_loop().create_task(self._tell_waiting(), name="telling")

    async def stop(self) -> None:
        """Wait for what is under way."""
        running = [task for task in (self._telling, self._advancing) if task is not None and not task.done()]
        await asyncio.gather(*running, return_exceptions=True)

    async def _advance_noticed(self) -> None:
        while self._is_advance_due:
            self._is_advance_due = False
            try:
                await self.advance()
            except Exception as error:  # noqa: BLE001 - upkeep comes by again in a second
                self._report("advance groups", error)

    def _in_motion(self) -> list[Campaign]:
        """Groups that are completing or being unloaded; looked up once for each book."""
        book = self._writer.book
        if self._unfinished_of is not book:
            self._unfinished_of = book
            moving = (GroupStatus.WAITING_UNLOAD, GroupStatus.UNLOAD_IN_PROGRESS)
            groups = [(state, book.group(*state.key)) for state in book.group_states]
            self._unfinished = [
                campaign
                for state, campaign in groups
                if campaign is not None and (state.status in moving or state.is_completing)
            ]
        return self._unfinished

    async def _advance(self, campaign: Campaign) -> None:
        """Let a group go on as far as it can."""
        while True:
            before = self._state(campaign)
            is_moving = before.is_completing or before.status in (
                GroupStatus.WAITING_UNLOAD,
                GroupStatus.UNLOAD_IN_PROGRESS,
            )
            if not is_moving:
                return
            command = AdvanceGroup(campaign_group_id=campaign.group_id, devices=await self._devices_of(campaign))
            asked = Asked(
                caller=inside(campaign.contact_centre_id),
                command=command,
                request_type=RequestType.UNSOLICITED,
                door=Door.INSIDE,
            )
            await self._carry_out(asked, campaign, None)
            # In UNLOAD_IN_PROGRESS each step took something away; before that it waits for the agents.
            if self._state(campaign) == before and before.status is not GroupStatus.UNLOAD_IN_PROGRESS:
                return

    async def _carry_out(self, asked: Asked, campaign: Campaign, control: Control | None) -> None:
        """Submit, then tell the agents whom the transaction had no room for."""
        before = self._state(campaign)
        await self._writer.submit(asked)
        if len(campaign.agents) <= MAX_TOLD:
            return
        after = self._state(campaign)
        what = news(before, after, control)
        if what is not None:
            present = in_state(campaign, after)
            rest = sorted(campaign.agents)[MAX_TOLD:]
            await self._tell(
                campaign.contact_centre_id, [Told(user_id=user, what=what, campaign=present) for user in rest]
            )

    async def _tell_waiting(self) -> None:
        while self._told:
            centre, told = self._told.popitem()
            try:
                await self._tell(centre, told)
            except Exception as error:  # noqa: BLE001 - who is not told sees the state at the next subscription
                self._report("tell agents", error)

    async def _tell(self, contact_centre_id: int, told: Sequence[Told]) -> None:
        for at in range(0, len(told), MAX_TOLD):
            part = told[at : at + MAX_TOLD]
            devices = await self._first_devices(contact_centre_id, frozenset(one.user_id for one in part))
            await self._writer.submit(
                Asked(
                    caller=inside(contact_centre_id),
                    command=TellAgents(told=tuple(part), devices=devices),
                    request_type=RequestType.UNSOLICITED,
                    door=Door.INSIDE,
                )
            )

    def _state(self, campaign: Campaign) -> GroupState:
        present = self._writer.book.group(campaign.contact_centre_id, campaign.group_id)
        return state_of(self._writer.book, present or campaign)

    async def _devices_of(self, campaign: Campaign) -> dict[int, str]:
        """First devices of the agents who are told within the transaction; read anew when the directory moved."""
        key, version = (campaign.contact_centre_id, campaign.group_id), self._writer.book.version
        agents = frozenset(sorted(campaign.agents)[:MAX_TOLD])
        known = self._devices.get(key)
        if known is None or known[:2] != (version, agents):
            known = (version, agents, await self._first_devices(campaign.contact_centre_id, agents))
            self._devices[key] = known
        return known[2]

    async def _first_devices(self, contact_centre_id: int, user_ids: frozenset[int]) -> dict[int, str]:
        users = await self._store.users(contact_centre_id, sorted(user_ids))
        return {user.caller.user_id: user.caller.devices[0].device_id for user in users if user.caller.devices}
