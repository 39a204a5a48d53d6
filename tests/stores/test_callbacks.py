"""Callbacks of a contact centre by time, page by page, and who is there to take them."""

from __future__ import annotations

from itertools import product
from typing import Any

import msgspec
import pytest

from tests.stores.storage import AGENT, CAMPAIGN, CENTRE, LIST, NOON_S, Storage, add, record, save
from trunkline.app.callbacks.reads import CallbackQuery, Presence, is_asked, place_of
from trunkline.app.ports import AgentSession, PreviewSession, Store
from trunkline.domain.enums import RecordStatus, RecordType
from trunkline.domain.records import Record

S, T = RecordStatus, RecordType


def stock() -> list[Record]:
    """Records of every type in a few statuses, with due times that repeat and some without."""
    made = []
    combinations = product(T, (S.READY, S.RETRIEVED, S.UPDATED, S.MISSED_CALL_BACK), (None, 0, 60), (LIST, LIST + 1))
    for n, (kind, status, due, list_id) in enumerate(combinations, start=1):
        made.append(
            record(
                n,
                list_id=list_id,
                record_type=kind,
                status=status,
                due_at_s=None if due is None else NOON_S + due,
                agent_id=AGENT if n % 2 else None,
                campaign_id=CAMPAIGN if n % 3 else None,
            )
        )
    return made


@pytest.mark.parametrize("status", [S.READY, S.RETRIEVED, S.MISSED_CALL_BACK])
def test_only_callbacks_in_that_status_by_time(storage: Storage, status: RecordStatus) -> None:
    """Types 4 to 6 with a due time, oldest first; pages that follow each other miss and repeat none."""

    async def check(store: Store) -> None:
        rows = stock()
        await add(store, *rows, record(9, contact_centre_id=2, record_type=T.CAMPAIGN_CALL_BACK, due_at_s=1))
        query = CallbackQuery(contact_centre_id=CENTRE, status=status)
        expected = sorted((one for one in rows if is_asked(one, query)), key=place_of)
        assert len(expected) == 12
        assert await store.callbacks(query) == expected
        pages: list[Record] = []
        while True:
            after = place_of(pages[-1]) if pages else None
            page = await store.callbacks(msgspec.structs.replace(query, limit=5, after=after))
            pages += page
            if len(page) < 5:
                break
        assert pages == expected

    storage.run(check)


@pytest.mark.parametrize(
    "narrowed",
    [
        {"list_id": LIST},
        {"agent_id": AGENT},
        {"campaign_id": CAMPAIGN},
        {"record_type": T.CAMPAIGN_CALL_BACK},
        {"until_s": NOON_S},
        {"until_s": NOON_S - 1},
        {"since_s": NOON_S + 1},
        {"since_s": NOON_S, "until_s": NOON_S},
        {"list_id": LIST, "agent_id": AGENT, "campaign_id": CAMPAIGN, "until_s": NOON_S + 60},
    ],
)
def test_conditions(storage: Storage, narrowed: dict[str, Any]) -> None:
    """List, owner, campaign, type and time narrow the page."""

    async def check(store: Store) -> None:
        rows = stock()
        await add(store, *rows)
        query = CallbackQuery(contact_centre_id=CENTRE, **narrowed)
        expected = sorted((one for one in rows if is_asked(one, query)), key=place_of)
        assert await store.callbacks(query) == expected
        assert bool(expected) is (narrowed != {"until_s": NOON_S - 1})

    storage.run(check)


def test_who_is_there(storage: Storage) -> None:
    """Those who are logged in, and those who take preview records, once each, of one contact centre."""

    async def check(store: Store) -> None:
        def session(user_id: int, centre: int = CENTRE) -> AgentSession:
            return AgentSession(
                contact_centre_id=centre, user_id=user_id, device_id=f"d{user_id}", state_name="Ready", started_at_ms=1
            )

        await save(
            store,
            agent_sessions={(CENTRE, 7): session(7), (CENTRE, 8): session(8), (2, 5): session(5, 2)},
            preview_sessions={
                PreviewSession(CENTRE, 8, 100): True,
                PreviewSession(CENTRE, 8, 101): True,
                PreviewSession(CENTRE, 9, 100): True,
                PreviewSession(2, 6, 100): True,
            },
        )
        assert await store.presences(CENTRE) == [
            Presence(user_id=7, device_id="d7"),
            Presence(user_id=8, device_id="d8", campaign_ids=frozenset({100, 101})),
            Presence(user_id=9, campaign_ids=frozenset({100})),
        ]
        assert await store.presences(3) == []

    storage.run(check)
