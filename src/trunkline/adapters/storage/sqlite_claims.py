"""The hand-out on SQLite: claims, callbacks, and the buffer. There is one writer, so nothing is ever contested."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from trunkline.adapters.storage.queries import sqlite_queries
from trunkline.adapters.storage.rows import PRIORITIES_FOR_ANYONE, as_json
from trunkline.adapters.storage.selecting import sqlite_conditions, sqlite_filter
from trunkline.adapters.storage.sqlite_connection import Statements
from trunkline.adapters.storage.sqlite_windows import WindowBook
from trunkline.app.ports import (
    Buffered,
    BufferEntry,
    BufferSize,
    CallbackClaim,
    ChainKey,
    Claim,
    Claimed,
    ClaimList,
)

_heads = msgspec.json.Decoder(list[tuple[int, int, int, int, int] | None]).decode
_integers = msgspec.json.Decoder(list[int]).decode
_own = msgspec.json.Decoder(list[tuple[int, int, int, int, int, int, int]]).decode
_buffered = msgspec.json.Decoder(list[Buffered]).decode
_entries = msgspec.json.Decoder(list[BufferEntry]).decode
_sizes = msgspec.json.Decoder(list[tuple[int, int, int]]).decode

_Callback = tuple[int, int, int, int, int]
"""Priority, due time, place of the list, chain, place in the chain: the smallest is called first."""


def claim(statements: Statements, windows: WindowBook, wanted: Claim) -> Claimed:
    """See ``Unit.claim``; inside a transaction. Cost: as there."""
    windows.refresh()
    opened = windows.open_for(wanted.contact_centre_id, wanted.list_id, wanted.opens)
    if not opened:
        return Claimed()
    names: dict[str, Any] = {
        "contact_centre_id": wanted.contact_centre_id,
        "list_id": wanted.list_id,
        "max_attempts": wanted.max_attempts,
        "now_s": wanted.now_s,
        "windows": as_json(opened),
        "priorities": as_json(PRIORITIES_FOR_ANYONE),
        "passed_over": as_json(list(wanted.passed_over)),
    }
    chains: dict[int, None] = {}
    for name, slot in _slots(statements, wanted, names):
        missing = wanted.limit - len(chains)
        limit = missing
        while missing > 0:
            # Records of one chain count once, so that more may be needed; all of a slot come again each time.
            picked = _ask(statements, name, wanted, {**names, **slot, "limit": limit}, _integers)
            new = [chain_id for chain_id in dict.fromkeys(picked) if chain_id not in chains]
            if len(new) >= missing or len(picked) < limit:
                chains.update(dict.fromkeys(new[:missing]))
                break
            limit *= 2
        if len(chains) >= wanted.limit:
            break
    return _take(statements, wanted, wanted.list_id, list(chains), wanted.first_place, wanted.place_step)


def _slots(statements: Statements, wanted: Claim, names: dict[str, Any]) -> Iterator[tuple[str, dict[str, int]]]:
    """The statements that pick, with what they are asked, in the order in which slots are emptied."""
    found = statements.read(f"{wanted.kind.value}_heads", _heads, names)
    heads = [one for one in found if one is not None]
    name = f"pick_{wanted.kind.value}"
    if wanted.selection.order:
        for priority in sorted({head[1] for head in heads}):
            yield f"{name}_in_order", {"priority": priority}
        return
    for window_id, priority, *_ in sorted(heads, key=lambda head: head[1:]):
        yield name, {"priority": priority, "window_id": window_id}


def _ask(statements: Statements, name: str, wanted: Claim, names: Mapping[str, Any], decode: Any) -> Any:
    text, more = sqlite_filter(sqlite_queries()[name], wanted.selection, wanted.now_s)
    return decode(statements.connection.execute(text, {**names, **more}).fetchone()[0])


def _take(
    statements: Statements, wanted: Claim | CallbackClaim, list_id: int, chains: list[int], first: int, step: int
) -> Claimed:
    if not chains:
        return Claimed()
    centre = wanted.contact_centre_id
    statements.run(
        "take_chains",
        {
            "contact_centre_id": centre,
            "list_id": list_id,
            "campaign_id": wanted.campaign_id,
            "chains": as_json(chains),
        },
    )
    times = (wanted.taken_at_ms, wanted.lease_until_ms)
    statements.write(
        "put_into_buffer",
        [
            (centre, list_id, chain_id, wanted.campaign_group_id, first + n * step, *times)
            for n, chain_id in enumerate(chains)
        ],
    )
    return Claimed(tuple((centre, list_id, chain_id) for chain_id in chains))


def claim_callback(statements: Statements, windows: WindowBook, wanted: CallbackClaim) -> Claimed:
    """See ``Unit.claim_callback``; inside a transaction."""
    windows.refresh()
    # Personal callbacks come before all others, so the lists are looked at only when there is none.
    best = _best_own(statements, windows, wanted) or _best_of_lists(statements, windows, wanted)
    if best is None:
        return Claimed()
    _, _, place, chain_id, _ = best
    return _take(statements, wanted, wanted.lists[place].list_id, [chain_id], wanted.place, 1)


def _best_own(statements: Statements, windows: WindowBook, wanted: CallbackClaim) -> _Callback | None:
    names = {"contact_centre_id": wanted.contact_centre_id, "user_id": wanted.user_id, "now_s": wanted.now_s}
    conditions = {entry.list_id: entry.condition for entry in wanted.lists}
    text, more = sqlite_conditions(sqlite_queries()["own_callbacks"], conditions, wanted.now_s)
    rows = _own(statements.connection.execute(text, {**names, **more}).fetchone()[0])
    if not rows:
        return None
    lists = {entry.list_id: (place, entry) for place, entry in enumerate(wanted.lists)}
    opened = {list_id: _opened(windows, wanted, lists[list_id][1]) for list_id in {row[2] for row in rows} & set(lists)}
    return min(
        (
            (priority, due_at_s, lists[list_id][0], chain_id, chain_n)
            for priority, due_at_s, list_id, chain_id, chain_n, window, attempts in rows
            if window in opened.get(list_id, ())
            and attempts < lists[list_id][1].max_attempts
            and (list_id, chain_id) not in wanted.passed_over
        ),
        default=None,
    )


def _best_of_lists(statements: Statements, windows: WindowBook, wanted: CallbackClaim) -> _Callback | None:
    found: list[_Callback] = []
    for place, entry in enumerate(wanted.lists):
        opened = _opened(windows, wanted, entry)
        if not opened:
            continue
        names = {
            "contact_centre_id": wanted.contact_centre_id,
            "list_id": entry.list_id,
            "now_s": wanted.now_s,
            "max_attempts": entry.max_attempts,
            "windows": as_json(opened),
            "passed_over": as_json([chain_id for list_id, chain_id in wanted.passed_over if list_id == entry.list_id]),
        }
        text, more = sqlite_conditions(
            sqlite_queries()["due_callbacks_of_list"], {entry.list_id: entry.condition}, wanted.now_s
        )
        heads = _heads(statements.connection.execute(text, {**names, **more}).fetchone()[0])
        found += ((head[1], head[2], place, head[3], head[4]) for head in heads if head is not None)
    return min(found, default=None)


def _opened(windows: WindowBook, wanted: CallbackClaim, entry: ClaimList) -> list[int]:
    return windows.open_for(wanted.contact_centre_id, entry.list_id, entry.opens)


def buffered(
    statements: Statements, group: tuple[int, int], passed_over: Collection[ChainKey], limit: int
) -> list[Buffered]:
    """See ``Unit.buffered``; ``group`` is contact centre and campaign group."""
    names = {
        "contact_centre_id": group[0],
        "campaign_group_id": group[1],
        "passed_over": as_json([key[1:] for key in passed_over if key[0] == group[0]]),
        "limit": limit,
    }
    found = _by_place(statements.read("buffered", _buffered, names))
    return sorted(found, key=lambda one: (one.entry.place, one.entry.list_id, one.entry.chain_id))


def buffers_ended(statements: Statements, now_ms: int, limit: int) -> list[Buffered]:
    """See ``Unit.buffers_ended``."""
    found = _by_place(statements.read("buffers_ended", _buffered, {"now_ms": now_ms, "limit": limit}))
    return sorted(found, key=lambda one: (one.entry.lease_until_ms, one.entry.chain_key))


def _by_place(found: list[Buffered]) -> list[Buffered]:
    for one in found:
        one.records.sort(key=lambda record: record.chain_n)
    return found


def buffer_entry(statements: Statements, chain: ChainKey) -> BufferEntry | None:
    """See ``Unit.buffer_entry``."""
    names = dict(zip(("contact_centre_id", "list_id", "chain_id"), chain, strict=True))
    return next(iter(statements.read("buffer_entry", _entries, names)), None)


def buffer_sizes(statements: Statements) -> list[BufferSize]:
    """See ``Unit.buffer_sizes``."""
    return sorted(BufferSize(*row) for row in statements.read("buffer_sizes", _sizes, {}))


def buffer_size(statements: Statements, group: tuple[int, int]) -> int:
    """See ``Unit.buffer_size``."""
    names = {"contact_centre_id": group[0], "campaign_group_id": group[1]}
    size: int = statements.value("buffer_size", names)
    return size
