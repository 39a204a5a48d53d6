"""What the one server keeps in memory: desks and request keys, always as the last commit left them."""

from __future__ import annotations

import asyncio

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.app.harness import CENTRE, House, agent, record
from trunkline.app.desk_cache import DeskCache
from trunkline.app.ports import Changes, DeskKey, Held
from trunkline.app.recent_keys import RecentKeys
from trunkline.domain import commands
from trunkline.domain.desk import DeskEntry
from trunkline.domain.enums import CallbackType
from trunkline.domain.events import RecordShown
from trunkline.domain.records import FieldChanges
from trunkline.errors import Refused

PEOPLE = [agent(1), agent(2), agent(3)]
steps = st.lists(
    st.tuples(
        st.sampled_from(["take", "update", "complete", "reject", "reschedule", "suppress", "chain", "add", "cancel"]),
        st.integers(0, 2),
        st.integers(0, 5),
    ),
    max_size=40,
)


@given(steps)
def test_the_cache_is_what_is_stored(plan: list[tuple[str, int, int]]) -> None:
    """After any sequence of requests each remembered entry and record equals the stored one."""

    async def run() -> None:
        house = await House().open([record(c, n) for c in (1, 2, 3, 4) for n in (0, 1)])
        await house.writer.prepare()
        handles: list[int] = []
        for step, who, which in plan:
            handles += await perform(house, step, who, handles[which % len(handles)] if handles else 999)
        cache = house.writer._cache
        assert cache is not None
        async with house.store.begin() as unit:
            for key in list(cache._held):
                (stored,) = await unit.held([key])
                assert cache.get(key) == stored
        await house.close()

    asyncio.run(run())


async def perform(house: House, step: str, who: int, handle: int) -> list[int]:
    """One request; handles it brought."""
    person = PEOPLE[who]
    due_at_s = house.clock.now_s() + 60
    requests: dict[str, tuple[type, dict[str, object]]] = {
        "update": (commands.UpdateRecord, {"handle": handle, "changes": FieldChanges(until_s=handle % 100 + 1)}),
        "complete": (commands.CompleteRecord, {"handle": handle, "changes": FieldChanges()}),
        "reject": (commands.RejectRecord, {"handle": handle}),
        "reschedule": (
            commands.RescheduleRecord,
            {"handle": handle, "callback_type": CallbackType.CAMPAIGN, "due_at_s": due_at_s},
        ),
        "suppress": (commands.SuppressContact, {"handle": handle}),
        "chain": (commands.ReadChain, {"handle": handle}),
        "add": (commands.AddRecord, {"list_name": "List", "phone_number": "+12125550999", "chain_id": 1}),
        "cancel": (commands.CancelRecord, {"phone_number": "+12125550010"}),
    }
    try:
        if step == "take":
            events = await house.preview(person)
            return [event.handle for event in events if isinstance(event, RecordShown)]
        kind, fields = requests[step]
        await house.ask(person, kind, **fields)  # type: ignore[arg-type]
    except Refused:
        pass
    return []


def held(handle: int) -> Held:
    """An entry of Ann's."""
    one = record(handle)
    entry = DeskEntry(
        contact_centre_id=CENTRE,
        handle=handle,
        list_id=one.list_id,
        chain_id=one.chain_id,
        chain_n=0,
        user_id=1,
        device_id="d1",
        campaign_id=201,
        attempt_guid="g",
        lease_until_ms=None,
    )
    return Held(entry, one)


def test_the_cache_is_bounded() -> None:
    """The least recently used entry goes, and so does what pointed to it."""
    cache = DeskCache(max_entries=2)
    for handle in (1, 2):
        cache.learn(held(handle))
    assert cache.get(DeskKey(CENTRE, 1)) == held(1)
    cache.learn(held(3))
    assert cache.get(DeskKey(CENTRE, 2)) is None
    changed = msgspec.structs.replace(held(2).record, until_s=5)
    cache.absorb(Changes(records={changed.key: changed}))
    assert len(cache) == 2
    cache.clear()
    assert len(cache) == 0


WINDOW_MS = 1000


@given(
    requests=st.lists(st.tuples(st.integers(1, 30), st.integers(0, 400)), max_size=120),
    is_complete=st.booleans(),
)
def test_new_is_only_said_of_what_is_new(requests: list[tuple[int, int]], *, is_complete: bool) -> None:
    """New is never said of a key that the window holds; with all known it is said of the others."""
    recent = RecentKeys(WINDOW_MS, generation_keys=5)
    recent.begin([99], 0, is_complete=is_complete)
    seen: dict[int, int] = {99: 0}
    now_ms = 0
    for key, pause_ms in requests:
        now_ms += pause_ms
        is_repeated = key in seen and now_ms - seen[key] <= WINDOW_MS
        if recent.is_new(key, now_ms):
            assert not is_repeated
        recent.add([key], now_ms)
        seen[key] = now_ms
    if is_complete and len(requests) < 20:
        assert recent.is_new(12345, now_ms)


def test_without_all_keys_nothing_is_certain_for_a_window() -> None:
    """A start that could not load everything asks the store until the window has passed."""
    recent = RecentKeys(WINDOW_MS)
    assert not recent.is_new(1, 0)
    recent.begin([], 0, is_complete=False)
    assert not recent.is_new(1, WINDOW_MS - 1)
    assert recent.is_new(1, WINDOW_MS)
