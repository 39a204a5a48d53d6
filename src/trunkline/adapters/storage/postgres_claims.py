"""The hand-out on PostgreSQL: claims, callbacks, and the buffer.

A claim has to know the first record of each window and priority (``postgres_marks``); then it takes chains from these
slots in one statement. Rows that another program has locked are passed over; so is a chain of which it has a part.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import asyncpg

from trunkline.adapters.storage import postgres_desks
from trunkline.adapters.storage.postgres_marks import Head, Slot
from trunkline.adapters.storage.postgres_rows import record_of
from trunkline.adapters.storage.postgres_server import QUERIES, Connection
from trunkline.adapters.storage.postgres_windows import Windows
from trunkline.adapters.storage.rows import PRIORITIES_FOR_ANYONE
from trunkline.adapters.storage.selecting import postgres_conditions, postgres_filter
from trunkline.app.ports import Buffered, BufferEntry, BufferSize, CallbackClaim, ChainKey, Claim, Claimed, ClaimKind
from trunkline.domain.records import Record

_ENTRY_COLUMNS = 7
_CONTESTED_S = 0.01
"""How long to wait for another program that has everything locked, before the caller comes again: its transactions are
about that short, and asking without a pause would keep a processor busy."""
_Slots = list[tuple[Slot, Head]]
"""Slots and their first READY records, in the order in which they are to be emptied."""


async def claim(connection: Connection, windows: Windows, wanted: Claim) -> Claimed:
    """See ``Unit.claim``; inside a transaction."""
    centre, list_id = wanted.contact_centre_id, wanted.list_id
    is_due = wanted.kind is ClaimKind.DUE
    taken: list[int] = []
    is_any = await _taken(connection, windows, wanted, taken)
    if len(taken) < wanted.limit and windows.marks.forget(centre, list_id, wanted.now_s if is_due else None):
        # Another program may have written records before the marks.
        is_any = await _taken(connection, windows, wanted, taken)
    is_contested = is_any and not taken and await _is_left(connection, windows, wanted)
    if is_contested:
        await connection.execute(QUERIES["wait_a_little"], _CONTESTED_S)
    return Claimed(tuple((centre, list_id, chain_id) for chain_id in taken), is_contested)


async def _taken(connection: Connection, windows: Windows, wanted: Claim, taken: list[int]) -> bool:
    """Add to ``taken`` until there are enough or no more; False when there is not even a READY record."""
    slots = await _slots(connection, windows, wanted)
    passed = set(wanted.passed_over)
    while slots and len(taken) < wanted.limit:
        left = wanted.limit - len(taken)
        picks, last = 0, 0
        met: list[int] = []
        for chain_id, picked, slot, is_whole in await _take(connection, wanted, slots, passed, left, len(taken)):
            picks += picked
            last = max(last, slot)
            met.append(chain_id)
            if is_whole:
                taken.append(chain_id)
            else:
                passed.add(chain_id)
        # Fewer than asked for: the slots are empty. As many: some were records of one chain, or belong to others.
        is_short = picks < left
        visited = slots if is_short or wanted.selection.order else slots[:last]
        marks = windows.marks.of(wanted.contact_centre_id, wanted.list_id)
        marks.taken([slot for slot, _ in visited], met)
        if is_short:
            break
    return bool(slots)


async def _slots(connection: Connection, windows: Windows, wanted: Claim) -> _Slots:
    """The slots in which there is a READY record, in order."""
    is_due = wanted.kind is ClaimKind.DUE
    centre, list_id = wanted.contact_centre_id, wanted.list_id
    while True:
        opened = windows.open_for(centre, list_id, wanted.opens)
        marks = windows.marks.of(centre, list_id)
        every = [(is_due, window, priority) for window in opened for priority in PRIORITIES_FOR_ANYONE]
        asked = marks.unknown(every, wanted.now_s)
        if asked or not marks.knows_windows:
            *firsts, newest = await connection.fetch(
                QUERIES["due_first" if is_due else "fresh_first"],
                *(centre, list_id, [window for _, window, _ in asked], [priority for *_, priority in asked]),
                [marks.places.get(slot, 0) for slot in asked],
                *([wanted.now_s] if is_due else []),
            )
            if newest["chain_id"] > windows.newest(centre, list_id):
                await windows.load(connection, [(centre, list_id)])
                continue
            heads = {(is_due, first[0], first[1]): (first[2], first[3], first[4]) for first in firsts}
            marks.found(asked, heads, wanted.now_s)
            marks.share([(is_due, first[0], first[1]) for first in firsts if first["is_held"]])
        slots = [(slot, marks.heads[slot]) for slot in every if slot in marks.heads]
        if is_due:
            slots = [(slot, head) for slot, head in slots if head[0] <= wanted.now_s]
        return sorted(slots, key=marks.order)


async def _take(
    connection: Connection, wanted: Claim, slots: _Slots, passed: Collection[int], limit: int, done: int
) -> list[asyncpg.Record]:
    is_ordered = bool(wanted.selection.order)
    is_due = wanted.kind is ClaimKind.DUE
    numbers = [window for (_, window, _), _ in slots]
    priorities = [priority for (*_, priority), _ in slots]
    places = [head[0 if is_due else 1] for _, head in slots]
    if is_ordered:
        numbers, priorities = sorted(set(numbers)), sorted(set(priorities))
    values = [
        *(wanted.contact_centre_id, wanted.list_id, numbers, priorities),
        *(wanted.max_attempts, list(passed), limit),
        *(wanted.campaign_group_id, wanted.campaign_id, wanted.first_place + done * wanted.place_step),
        *(wanted.place_step, wanted.taken_at_ms, wanted.lease_until_ms),
        *([wanted.now_s] if is_due else []),
        *([] if is_ordered else [places]),
    ]
    name = f"claim_{wanted.kind.value}{'_in_order' if is_ordered else ''}"
    text, more = postgres_filter(QUERIES[name], wanted.selection, wanted.now_s, len(values) + 1)
    found: list[asyncpg.Record] = await connection.fetch(text, *values, *more)
    return found


async def _is_left(connection: Connection, windows: Windows, wanted: Claim) -> bool:
    """True when there is something to take after all: another program has it locked."""
    is_due = wanted.kind is ClaimKind.DUE
    centre, list_id = wanted.contact_centre_id, wanted.list_id
    values = [
        *(centre, list_id, windows.open_for(centre, list_id, wanted.opens), PRIORITIES_FOR_ANYONE),
        *(wanted.max_attempts, list(wanted.passed_over)),
        *([wanted.now_s] if is_due else []),
    ]
    name = "due_heads" if is_due else "fresh_heads"
    text, more = postgres_filter(QUERIES[name], wanted.selection, wanted.now_s, len(values) + 1)
    return bool(await connection.fetch(text, *values, *more))


async def claim_callback(connection: Connection, windows: Windows, wanted: CallbackClaim) -> Claimed:
    """See ``Unit.claim_callback``; inside a transaction."""
    centre = wanted.contact_centre_id
    passed = set(wanted.passed_over)
    is_contested = False
    while True:
        lists = [entry.list_id for entry in wanted.lists]
        slots = [
            (place, window_id)
            for place, entry in enumerate(wanted.lists, start=1)
            for window_id in windows.open_for(centre, entry.list_id, entry.opens)
        ]
        conditions = {entry.list_id: entry.condition for entry in wanted.lists}
        text, more = postgres_conditions(QUERIES["callback_head"], conditions, wanted.now_s, 11)
        head = await connection.fetchrow(
            text,
            *(centre, lists, [entry.max_attempts for entry in wanted.lists]),
            *([place for place, _ in slots], [window_id for _, window_id in slots], wanted.user_id, wanted.now_s),
            *([list_id for list_id, _ in passed], [chain_id for _, chain_id in passed]),
            [windows.newest(centre, list_id) for list_id in lists],
            *more,
        )
        assert head is not None
        list_id, chain_id, chain_n, version, unknown = head
        if unknown:
            await windows.load(connection, [(centre, one) for one in unknown])
            continue
        if list_id is None:
            if is_contested:
                await connection.execute(QUERIES["wait_a_little"], _CONTESTED_S)
            return Claimed((), is_contested)
        found = await connection.fetch(
            QUERIES["claim_one"],
            *(centre, list_id, chain_id, chain_n, version, None, None, wanted.campaign_group_id, wanted.campaign_id),
            *(wanted.place, 1, wanted.taken_at_ms, wanted.lease_until_ms),
        )
        if any(is_whole for *_, is_whole in found):
            return Claimed(((centre, list_id, chain_id),))
        passed.add((list_id, chain_id))
        is_contested = True


async def buffered(
    connection: Connection,
    windows: Windows,
    group: tuple[int, int],
    passed_over: Collection[ChainKey],
    limit: int,
) -> list[Buffered]:
    """See ``Unit.buffered``; ``group`` is contact centre and campaign group."""
    passed = [(list_id, chain_id) for centre, list_id, chain_id in passed_over if centre == group[0]]
    lists, chains = [list_id for list_id, _ in passed], [chain_id for _, chain_id in passed]
    return await _together(
        connection, windows, await connection.fetch(QUERIES["buffered"], *group, lists, chains, limit)
    )


async def buffers_ended(connection: Connection, windows: Windows, now_ms: int, limit: int) -> list[Buffered]:
    """See ``Unit.buffers_ended``."""
    return await _together(connection, windows, await connection.fetch(QUERIES["buffers_ended"], now_ms, limit))


async def _together(connection: Connection, windows: Windows, rows: Sequence[asyncpg.Record]) -> list[Buffered]:
    def build(row: asyncpg.Record | tuple[object, ...]) -> tuple[BufferEntry, Record | None]:
        columns = tuple(row)
        record = columns[_ENTRY_COLUMNS:]
        return _entry_of(columns), None if record[0] is None else record_of(record, windows)

    together: dict[ChainKey, Buffered] = {}
    for entry, record in await postgres_desks.built(connection, windows, rows, build):
        of_chain = together.setdefault(entry.chain_key, Buffered(entry, []))
        if record is not None:
            of_chain.records.append(record)
    return list(together.values())


def _entry_of(row: Sequence[object]) -> BufferEntry:
    centre, list_id, chain_id, group_id, place, taken_at_ms, lease_until_ms = row[:_ENTRY_COLUMNS]
    return BufferEntry(
        contact_centre_id=centre,  # type: ignore[arg-type]
        list_id=list_id,  # type: ignore[arg-type]
        chain_id=chain_id,  # type: ignore[arg-type]
        campaign_group_id=group_id,  # type: ignore[arg-type]
        place=place,  # type: ignore[arg-type]
        taken_at_ms=taken_at_ms,  # type: ignore[arg-type]
        lease_until_ms=lease_until_ms,  # type: ignore[arg-type]
    )


async def buffer_entry(connection: Connection, chain: ChainKey) -> BufferEntry | None:
    """See ``Unit.buffer_entry``."""
    row = await connection.fetchrow(QUERIES["buffer_entry"], *chain)
    return None if row is None else _entry_of(tuple(row))


async def buffer_sizes(connection: Connection) -> list[BufferSize]:
    """See ``Unit.buffer_sizes``."""
    return [BufferSize(*row) for row in await connection.fetch(QUERIES["buffer_sizes"])]
