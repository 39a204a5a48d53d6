"""Everything that can be asked of a store about the rows of ``draws``."""

from __future__ import annotations

from itertools import islice, product
from typing import Any

import msgspec

from tests.stores import draws
from tests.stores.storage import NOON_S, rows_of
from trunkline.app.callback_reads import CallbackQuery
from trunkline.app.ports import (
    AttemptQuery,
    AuditQuery,
    DeskKey,
    PreviewSession,
    Search,
    Store,
    SuppressionQuery,
    Unit,
)
from trunkline.domain.enums import DoNotCallKind, RecordStatus
from trunkline.domain.suppression import contact_key

_NUMBERS = ["+1 415 555 0100", "4155550100", "a@B.c", ""]
_CUSTOMERS = ["c1", "C1", ""]
_CONTACTS = [(DoNotCallKind.NUMBER, value) for value in _NUMBERS]
_CONTACTS += [(DoNotCallKind.CUSTOMER, value) for value in _CUSTOMERS]
_KEYS = [(kind, contact_key(kind, value)) for kind, value in [*_CONTACTS, (DoNotCallKind.ACCOUNT, "c1")]]
_PERSONS = ["cc1", "#1", "#2"]
_HOURS = (0, 5, 11, 12, 13, 20)
_SEARCHES = [
    Search(
        contact_centre_id=centre,
        list_ids=list_ids,
        max_attempts=dict.fromkeys(draws.LISTS, max_attempts),
        user_id=user,
        now_s=NOON_S + hour * 3600,
        passed_over=frozenset(passed),
    )
    for centre, user, hour, (list_ids, max_attempts, passed) in product(
        draws.CENTRES,
        draws.USERS,
        _HOURS,
        [
            ((10, 11), 4, ()),
            ((11, 10), 2, ()),
            ((10,), 3, ((10, 1), (10, 2))),
            ((11, 10), 4, ((11, 1), (10, 3), (10, 1))),
        ],
    )
]
"""Every list, order, agent and part of the day, with chains passed over and without."""


async def answers_by_key(store: Store) -> list[Any]:
    """What lies under every key."""
    found: list[Any] = []
    async with store.begin() as unit:
        for key in draws.CHAINS:
            found += [await unit.chain(*key), await unit.entries_of_chain(*key)]
        keys = [DeskKey(centre, handle) for centre in draws.CENTRES for handle in draws.HANDLES]
        found.append(sorted(await unit.held(keys), key=lambda h: (h.entry.contact_centre_id, h.entry.handle)))
        for centre, user in product(draws.CENTRES, draws.USERS):
            found += [await unit.desk_of(centre, user), await unit.agent_session(centre, user)]
            found.append(await unit.preview_sessions(centre, user))
            sessions = [PreviewSession(centre, user, campaign) for campaign in draws.CAMPAIGNS]
            found += [await unit.has_preview_session(session) for session in sessions]
        for centre, list_id in product(draws.CENTRES, draws.LISTS):
            found.append(await unit.import_progress(centre, list_id, "i"))
    found.append(sorted(await store.held(keys), key=lambda h: (h.entry.contact_centre_id, h.entry.handle)))
    for centre, user in product(draws.CENTRES, draws.USERS):
        found += [await store.desk_of(centre, user), await store.agent_session(centre, user)]
    for centre, status in product(draws.CENTRES, (RecordStatus.READY, RecordStatus.MISSED_CALL_BACK)):
        query = CallbackQuery(contact_centre_id=centre, status=status)
        found += [await store.callbacks(query), await store.presences(centre)]
        found.append(await store.callbacks(msgspec.structs.replace(query, limit=1, list_id=draws.LISTS[0])))
    for centre in draws.CENTRES:
        found += [await store.users(centre), *[await store.cursors(centre, user) for user in draws.USERS]]
        found.append(rows_of(await store.audit(AuditQuery(contact_centre_id=centre, limit=1000))))
        found += await _lists_and_log(store, centre)
    directory = await store.directory()
    return [*found, directory.contact_centres, directory.objects, directory.group_states, directory.skills]


async def answers_by_search(store: Store, begin: int, stride: int) -> list[Any]:
    """What the searches find; of the many hand-outs every ``stride``-th from ``begin``."""
    async with store.begin() as unit:
        found = [(search, await unit.next_record(search)) for search in islice(_SEARCHES, begin, None, stride)]
        return [found, *await _contacts(unit), *await _times(unit)]


async def _contacts(unit: Unit) -> list[Any]:
    found: list[Any] = []
    for centre in draws.CENTRES:
        scopes = (None, *draws.CAMPAIGNS)
        for campaign, lists, hour in product(scopes, ([], [3]), (0, 12)):
            found.append(await unit.suppressed(centre, campaign, lists, NOON_S + hour * 3600, _KEYS))
        for kind, value in _CONTACTS:
            found.append(await unit.records_of_contact(centre, draws.LISTS[::-1], kind, value, 5))
            found.append(await unit.records_of_contact(centre, draws.LISTS[:1], kind, value, 1))
    return found


async def _lists_and_log(store: Store, centre: int) -> list[Any]:
    """Entries by list, and what was attempted; the stores number differently."""
    found: list[Any] = [await store.suppression_counts(centre, NOON_S + 6 * 3600)]
    for list_id, limit in product((0, 3), (2, 100)):
        query = SuppressionQuery(contact_centre_id=centre, suppression_list_id=list_id, limit=limit)
        found.append(await store.suppression_entries(query))
    found.append([one.row for one in await store.attempts(AttemptQuery(contact_centre_id=centre, since_ms=5))])
    for list_id, chain_id in product(draws.LISTS, (1, 2)):
        found.append([one.row for one in await store.attempts_of_chain(centre, list_id, chain_id, 3)])
    async with store.begin() as unit:
        for since_ms in (0, 20):
            past = await unit.attempts_of(centre, [key for _, key in _KEYS], _PERSONS, since_ms)
            found.append([msgspec.structs.replace(one, seq=0) for one in past])
    return found


async def _times(unit: Unit) -> list[Any]:
    found: list[Any] = []
    for centre, user, hour in product(draws.CENTRES, draws.USERS, (0, 12)):
        found.append(await unit.due_callbacks(centre, user, NOON_S + hour * 3600, 3))
    for now_ms, limit in product((0, 10, 30, 60), (2, 100)):
        found.append(await unit.expired(now_ms, limit))
    for since_ms in (0, 10, 20):
        repeated = await unit.repeats([1, 2, 3, 4, 5], since_ms)
        found.append({request_key: stored.row for request_key, stored in repeated.items()})
    return found
