"""What the conformance suite works with: a database, and rows to put into it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from trunkline.app.ports import (
    CallbackClaim,
    Changes,
    Claim,
    ClaimKind,
    ClaimList,
    CursorKey,
    DeskKey,
    Held,
    JournalRow,
    Store,
    StoredRow,
    Suppression,
)
from trunkline.domain.attempts import AttemptRow, AttemptStep, attempt_row
from trunkline.domain.desk import DeskEntry
from trunkline.domain.eligibility import Window
from trunkline.domain.enums import DoNotCallKind, RequestType
from trunkline.domain.events import Acknowledgement, RecordAcknowledged
from trunkline.domain.records import Record
from trunkline.domain.suppression import contact_key

CENTRE = 1
LIST = 10
CAMPAIGN = 100
AGENT = 7
GROUP = 300
NOON_S = 1_750_000_000 - 1_750_000_000 % 86_400 + 43_200
"""A noon in UTC."""


class Storage:
    """A database and a way to make stores on it."""

    def __init__(self, kind: str, url: str, make: Callable[[], Store]) -> None:
        self.kind = kind
        self.url = url
        self.make = make

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Store]:
        """An open store, closed at the end."""
        store = self.make()
        await store.open()
        try:
            yield store
        finally:
            await store.close()

    def run(self, check: Callable[[Store], Awaitable[None]]) -> None:
        """Run a check with an open store."""

        async def main() -> None:
            async with self.opened() as store:
                await check(store)

        asyncio.run(main())


async def save(store: Store, **changes: Any) -> list[int]:
    """Write changes in a unit of their own; the journal's numbers."""
    async with store.begin() as unit:
        return await unit.save(Changes(**changes))


async def ask(store: Store, question: str, *arguments: Any) -> Any:
    """The answer of a unit's method, in a unit of its own; what the store answers too, it must answer alike."""
    async with store.begin() as unit:
        answer = await getattr(unit, question)(*arguments)
    if question == "held":
        assert sorted(await store.held(*arguments), key=_by_handle) == sorted(answer, key=_by_handle)
    elif question in ("desk_of", "agent_session", "attempts_of_chain"):
        assert await getattr(store, question)(*arguments) == answer
    return answer


def _by_handle(held: Held) -> tuple[int, int]:
    return held.entry.contact_centre_id, held.entry.handle


async def add(store: Store, *records: Record) -> None:
    """Write new records."""
    await save(store, new_records=list(records))


def by_key(*records: Record) -> dict[Any, Record]:
    """Changed records as ``Changes`` holds them."""
    return {record.key: record for record in records}


def on_desk(*entries: DeskEntry) -> dict[DeskKey, DeskEntry]:
    """Desk entries as ``Changes`` holds them."""
    return {DeskKey(entry.contact_centre_id, entry.handle): entry for entry in entries}


def record(chain_id: int = 1, chain_n: int = 0, **values: Any) -> Record:
    """A record that may be called at any time."""
    default: dict[str, Any] = {
        "contact_centre_id": CENTRE,
        "list_id": LIST,
        "record_id": chain_id * 1000 + chain_n,
        "phone_number": f"+1415555{chain_id:04d}",
        "time_zone": "UTC",
        "from_s": 0,
        "until_s": 86_400,
    }
    return Record(chain_id=chain_id, chain_n=chain_n, **{**default, **values})


def entry(handle: int, of: Record | None = None, **values: Any) -> DeskEntry:
    """A desk entry of a record."""
    of = of or record()
    default: dict[str, Any] = {
        "contact_centre_id": of.contact_centre_id,
        "list_id": of.list_id,
        "chain_id": of.chain_id,
        "chain_n": of.chain_n,
        "user_id": AGENT,
        "device_id": "d1",
        "campaign_id": CAMPAIGN,
        "attempt_guid": "a1",
        "lease_until_ms": None,
    }
    return DeskEntry(handle=handle, **{**default, **values})


def row(at_ms: int = 1000, **values: Any) -> JournalRow:
    """A journal row without events."""
    default: dict[str, Any] = {
        "contact_centre_id": CENTRE,
        "user_id": AGENT,
        "request_type": RequestType.UPDATE_CALL_COMPLETION_STATS,
    }
    return JournalRow(at_ms=at_ms, **{**default, **values})


def acknowledged(**values: Any) -> RecordAcknowledged:
    """An event."""
    default: dict[str, Any] = {
        "device_id": "d1",
        "what": Acknowledgement.UPDATED,
        "application_id": 5,
        "campaign_name": "Sales",
    }
    return RecordAcknowledged(**{**default, **values})


def suppression(value: str, kind: DoNotCallKind = DoNotCallKind.NUMBER, **values: Any) -> Suppression:
    """A do-not-call entry."""
    return Suppression(contact_centre_id=CENTRE, kind=kind, value=value, **values)


def attempt(at_ms: int = 1000, of: Record | None = None, **values: Any) -> AttemptRow:
    """A row of the attempt log about a record."""
    step, guid = values.pop("step", AttemptStep.ENDED), values.pop("attempt_guid", "a1")
    row = attempt_row(of or record(), step, at_ms, guid)
    return msgspec.structs.replace(row, **values)


async def hits(
    store: Store,
    numbers: Sequence[str] = (),
    customers: Sequence[str] = (),
    *,
    campaign_id: int | None = CAMPAIGN,
    lists: Sequence[int] = (),
    now_s: int = NOON_S,
    contact_centre_id: int = CENTRE,
) -> dict[str, list[Suppression]]:
    """The entries that name those contacts, by the contact as given."""
    given = [(DoNotCallKind.NUMBER, value) for value in numbers]
    given += [(DoNotCallKind.CUSTOMER, value) for value in customers]
    asked = [(kind, contact_key(kind, value)) for kind, value in given]
    found = await ask(store, "suppressed", contact_centre_id, campaign_id, lists, now_s, asked)
    assert set(found) <= set(asked)
    assert all(found.values())
    return {value: found[key] for (_, value), key in zip(given, asked, strict=True) if key in found}


def opens_at(now_s: int) -> Callable[[Window], bool]:
    """Windows by their own hours."""
    return lambda window: window.is_open(now_s)


def claim(kind: ClaimKind = ClaimKind.FRESH, now_s: int = NOON_S, **values: Any) -> Claim:
    """A claim at noon for the group 300."""
    default: dict[str, Any] = {
        "contact_centre_id": CENTRE,
        "campaign_group_id": GROUP,
        "campaign_id": CAMPAIGN,
        "list_id": LIST,
        "max_attempts": 10,
        "limit": 100,
        "taken_at_ms": 5,
        "lease_until_ms": 60,
        "opens": opens_at(now_s),
    }
    return Claim(kind=kind, now_s=now_s, **{**default, **values})


def callback_claim(list_ids: Sequence[int] = (LIST,), now_s: int = NOON_S, **values: Any) -> CallbackClaim:
    """A search for the agent's next callback at noon."""
    max_attempts = values.pop("max_attempts", 10)
    default: dict[str, Any] = {
        "contact_centre_id": CENTRE,
        "campaign_group_id": GROUP,
        "campaign_id": CAMPAIGN,
        "user_id": AGENT,
        "taken_at_ms": 5,
        "lease_until_ms": 60,
    }
    lists = tuple(ClaimList(list_id=n, max_attempts=max_attempts, opens=opens_at(now_s)) for n in list_ids)
    return CallbackClaim(lists=lists, now_s=now_s, **{**default, **values})


async def claimed(store: Store, wanted: Claim | CallbackClaim) -> list[int]:
    """Carry out a claim; the chains."""
    found = await ask(store, "claim" if isinstance(wanted, Claim) else "claim_callback", wanted)
    assert not found.is_contested
    return [chain_id for _, _, chain_id in found.chains]


def key(handle: int, contact_centre_id: int = CENTRE) -> DeskKey:
    """A desk key."""
    return DeskKey(contact_centre_id, handle)


def cursor(channel: str = "/me/internal", user_id: int = AGENT) -> CursorKey:
    """A cursor key."""
    return CursorKey(CENTRE, user_id, channel)


def rows_of(stored: Sequence[StoredRow]) -> list[JournalRow]:
    """Journal rows without their numbers."""
    return [one.row for one in stored]
