"""Use cases over the reference store, with a clock that is turned by hand."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from trunkline.adapters.storage.memory import MemoryStore
from trunkline.app.asking import Asked, Rules
from trunkline.app.directory import ReferenceBook
from trunkline.app.handlers import HANDLERS
from trunkline.app.ports import Changes, Held, Provision, Store, StoredRow, User
from trunkline.app.view import Decision
from trunkline.app.writer import Handler, Writer
from trunkline.domain import commands
from trunkline.domain.attempts import AttemptRow
from trunkline.domain.campaigns import CallingList, Campaign, CampaignList, ListField
from trunkline.domain.enums import Door, GroupStatus, RequestType
from trunkline.domain.events import AnyEvent
from trunkline.domain.objects import ObjectKind, StoredObject
from trunkline.domain.people import Caller, Device, Feature, Role
from trunkline.domain.records import Record
from trunkline.domain.rule_sets import RuleSet
from trunkline.domain.treatments import TreatmentPlan

NOON_S = 1_795_435_200
"""2026-11-23 12:00 UTC."""
CENTRE, APPLICATION, CAMPAIGN_ID, LIST_ID, OTHER_LIST_ID = 1, 134, 201, 101, 102


UNLIMITED = RuleSet(
    contact_centre_id=CENTRE,
    rule_set_id=900,
    name="unlimited",
    calling_times=(),
    attempt_rules=(),
    reason="tests of other things call whenever they like",
)
"""The rules of the harness's campaigns unless a test chooses others."""


class HandClock:
    """Time stands still until it is turned."""

    def __init__(self) -> None:
        """Begin at noon."""
        self.ms = NOON_S * 1000

    def now_ms(self) -> int:
        """Unix milliseconds."""
        return self.ms

    def now_s(self) -> int:
        """Unix seconds."""
        return self.ms // 1000

    def monotonic_ns(self) -> int:
        """Nanoseconds."""
        return self.ms * 1_000_000


class CountedChance:
    """Unguessable enough for a test, and the same every time."""

    def __init__(self) -> None:
        """Begin at one."""
        self._count = itertools.count(1)

    def token(self) -> str:
        """A text."""
        return f"token{next(self._count)}"

    def uuid(self) -> str:
        """A uuid."""
        return f"00000000-0000-4000-8000-{next(self._count):012d}"


def agent(n: int, *roles: Role) -> Caller:
    """Agent n with device dn."""
    return Caller(
        contact_centre_id=CENTRE,
        contact_centre_name="centre",
        user_id=n,
        public_id=f"{n:032x}",
        user_name=f"agent{n}",
        roles=roles or (Role.AGENT,),
        features=frozenset({Feature.VOICE.value, Feature.VOICE_OUTBOUND.value}),
        devices=(Device(f"d{n}", f"500{n}"),),
    )


def record(chain_id: int, chain_n: int = 0, **changes: Any) -> Record:
    """A record that may be called all day."""
    fields: dict[str, Any] = {
        "contact_centre_id": CENTRE,
        "list_id": LIST_ID,
        "chain_id": chain_id,
        "chain_n": chain_n,
        "record_id": chain_id * 100 + chain_n,
        "phone_number": f"+1212555{chain_id:03d}{chain_n}",
        "time_zone": "UTC",
        "from_s": 0,
        "until_s": 86_400,
        **changes,
    }
    return Record(**fields)


class House:
    """A contact centre with one running preview campaign over two lists, agents 1 to 3 and supervisor 9."""

    def __init__(self, *, store: Store | None = None, campaign: dict[str, Any] | None = None) -> None:
        """Nothing is written before ``open``."""
        self.store: Store = store or MemoryStore()
        self.clock = HandClock()
        self.rules = Rules(chance=CountedChance())
        self.published: list[StoredRow] = []
        self.attempts: list[AttemptRow] = []
        """Rows of the attempt log that requests wrote, in order."""
        self._campaign = campaign or {}

    async def open(
        self,
        records: Sequence[Record],
        *,
        list_changes: dict[str, Any] | None = None,
        plan: TreatmentPlan | None = None,
    ) -> House:
        """Write the reference data and the records; begin to take requests. The plan is that of the first list."""
        await self.store.open()
        first = {**(list_changes or {}), **({"treatment_id": plan.treatment_id} if plan is not None else {})}
        lists = [
            CallingList(contact_centre_id=CENTRE, list_id=LIST_ID, name="List", **first),
            CallingList(
                contact_centre_id=CENTRE,
                list_id=OTHER_LIST_ID,
                name="Other",
                fields=(ListField(name="secret", is_sent=False),),
            ),
            CallingList(contact_centre_id=CENTRE, list_id=103, name="Foreign"),
        ]
        fields: dict[str, Any] = {
            "contact_centre_id": CENTRE,
            "campaign_id": CAMPAIGN_ID,
            "name": "Campaign",
            "application_id": APPLICATION,
            "status": GroupStatus.RUNNING,
            "lists": (CampaignList(LIST_ID), CampaignList(OTHER_LIST_ID)),
            "agents": frozenset({1, 2, 3}),
            "rule_set_id": UNLIMITED.rule_set_id,
            **self._campaign,
        }
        elsewhere = msgspec.structs.replace(Campaign(**fields), campaign_id=202, name="Elsewhere")
        people = [agent(1), agent(2), agent(3), agent(9, Role.SUPERVISOR)]
        await self.store.provision(
            Provision(
                contact_centres={CENTRE: "centre"},
                users=[User(caller=who, password_hash="-") for who in people],
                lists=lists,
                campaigns=[Campaign(**fields), elsewhere],
                objects=[
                    StoredObject(kind=ObjectKind.RULE_SET, value=UNLIMITED),
                    *([StoredObject(kind=ObjectKind.TREATMENT, value=plan)] if plan is not None else []),
                ],
            )
        )
        async with self.store.begin() as unit:
            await unit.take_numbers(handles=10, records=100, chains=100)
            await unit.save(Changes(new_records=list(records)))
        book = ReferenceBook(await self.store.directory())
        handlers = {kind: self._watched(handler) for kind, handler in HANDLERS.items()}
        self.writer = Writer(self.store, self.clock, book, self.rules, handlers, self.published.extend)
        self.writer.start()
        return self

    def _watched(self, handler: Handler) -> Handler:
        """The handler, with the attempts that it decides kept for the test."""

        async def watched(*given: Any) -> Decision:
            decision = await handler(*given)
            self.attempts += decision.attempts
            return decision

        return watched

    async def refresh(self) -> None:
        """Let the writer see what was changed in the reference data."""
        self.writer.adopt(ReferenceBook(await self.store.directory()))

    async def close(self) -> None:
        """End."""
        await self.writer.stop()
        await self.store.close()

    async def ask(
        self,
        who: Caller,
        kind: type,
        *,
        door: Door = Door.REST,
        key: int | None = None,
        reference: str | None = None,
        **fields: Any,
    ) -> list[AnyEvent]:
        """Send a command; returns the events that go to the asker, raises what refused it."""
        if issubclass(kind, commands.Command):
            fields = {
                "application_id": APPLICATION,
                "campaign_name": "Campaign",
                "device_id": who.devices[0].device_id,
                **fields,
            }
        asked = Asked(
            caller=who,
            command=kind(**fields),
            request_type=RequestType.UNSOLICITED,
            door=door,
            request_key=key,
            reference=reference,
        )
        row = await self.writer.submit(asked)
        return list(row.row.events) if row is not None else []

    async def preview(self, who: Caller) -> list[AnyEvent]:
        """Begin a preview session and take the next chain."""
        await self.ask(who, commands.StartPreview)
        return await self.ask(who, commands.NextPreview)

    async def desk(self, who: Caller) -> list[Held]:
        """What lies on the desk."""
        async with self.store.begin() as unit:
            return await unit.desk_of(CENTRE, who.user_id)

    async def chain(self, chain_id: int, list_id: int = LIST_ID) -> list[Record]:
        """The stored records of a chain."""
        async with self.store.begin() as unit:
            return await unit.chain(CENTRE, list_id, chain_id)


def run_in_house(
    test: Callable[[House], Awaitable[None]],
    records: Sequence[Record],
    *,
    campaign: dict[str, Any] | None = None,
    list_changes: dict[str, Any] | None = None,
    plan: TreatmentPlan | None = None,
) -> None:
    """Run a test in a house with these records; open at its beginning, closed at its end."""

    async def run() -> None:
        house = await House(campaign=campaign).open(records, list_changes=list_changes, plan=plan)
        try:
            await test(house)
        finally:
            await house.close()

    asyncio.run(run())
