"""Calling lists that are do-not-call for a long way."""

from __future__ import annotations

from collections.abc import Sequence

from tests.app.harness import CENTRE, House, record
from trunkline.app.ports import Changes, StoredRow, Suppression
from trunkline.domain.enums import DoNotCallKind, RecordStatus, RecordType
from trunkline.domain.events import AnyEvent, NothingToPreview, RecordShown
from trunkline.domain.records import Record


def blocked_then(blocked: int, callable_chains: int) -> list[Record]:
    """Chains of one record each, from 1; ``block`` puts the first ones on the do-not-call list."""
    return [
        record(chain_id, phone_number=f"+1212{chain_id:07d}") for chain_id in range(1, blocked + callable_chains + 1)
    ]


async def block(house: House, records: Sequence[Record]) -> None:
    """Put the records' numbers on the do-not-call list of the contact centre."""
    entries = [
        Suppression(contact_centre_id=CENTRE, kind=DoNotCallKind.NUMBER, value=one.phone_number) for one in records
    ]
    async with house.store.begin() as unit:
        await unit.save(Changes(suppressions=entries))


async def out_of_dialing(house: House, chain_ids: Sequence[int]) -> list[int]:
    """Those of the chains whose first record went out of dialing for good."""
    firsts = [(await house.chain(chain_id))[0] for chain_id in chain_ids]
    return [
        one.chain_id
        for one in firsts
        if (one.status, one.record_type) == (RecordStatus.UPDATED, RecordType.NO_CALL) and one.attempts == 0
    ]


def shown_chain(outcome: StoredRow | BaseException | Sequence[AnyEvent] | None) -> int | None:
    """The chain that was handed out, None for "there is none"; anything else fails."""
    assert outcome is not None
    assert not isinstance(outcome, BaseException), outcome
    (event,) = outcome.row.events if isinstance(outcome, StoredRow) else outcome
    if isinstance(event, NothingToPreview):
        return None
    assert isinstance(event, RecordShown)
    return event.record.chain_id
