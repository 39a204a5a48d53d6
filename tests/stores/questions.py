"""Everything that can be asked of a store about the rows of ``draws``."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice, product
from typing import Any

import msgspec

from tests.stores import draws
from tests.stores.storage import NOON_S, callback_claim, claim, rows_of
from trunkline.app.callbacks.reads import CallbackQuery
from trunkline.app.ports import (
    AttemptQuery,
    AuditQuery,
    CallbackClaim,
    Claim,
    Claimed,
    ClaimKind,
    DeskKey,
    PreviewSession,
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
_GROUPS = (300, 301)
_CLAIMS: list[Claim | CallbackClaim] = [
    claim(
        kind,
        NOON_S + hour * 3600,
        contact_centre_id=centre,
        list_id=list_id,
        max_attempts=max_attempts,
        limit=limit,
        passed_over=frozenset(passed),
    )
    for centre, kind, hour, (list_id, max_attempts, limit, passed) in product(
        draws.CENTRES, ClaimKind, _HOURS, [(10, 4, 9, ()), (11, 2, 2, ()), (10, 3, 1, (1,)), (11, 4, 9, (3, 1))]
    )
]
_CLAIMS += [
    callback_claim(
        list_ids,
        NOON_S + hour * 3600,
        contact_centre_id=centre,
        user_id=user,
        max_attempts=max_attempts,
        passed_over=frozenset(passed),
    )
    for centre, user, hour, (list_ids, max_attempts, passed) in product(
        draws.CENTRES, draws.USERS, _HOURS, [((11, 10), 2, ()), ((10, 11), 4, ((10, 1), (11, 2)))]
    )
]
"""Every list, kind, agent and part of the day, with chains passed over and without."""


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
        found += [await unit.buffer_entry(*chain) for chain in draws.CHAINS]
        for centre, group in product(draws.CENTRES, _GROUPS):
            found += [await unit.buffered(centre, group, draws.CHAINS[:2], 3), await unit.buffer_size(centre, group)]
        found += [await unit.buffer_sizes(), await unit.buffers_ended(30, 4)]
        found += [await unit.preview_users(*key) for key in product(draws.CENTRES, draws.CAMPAIGNS)]
        for centre, list_id in product(draws.CENTRES, draws.LISTS):
            found.append(await unit.import_progress(centre, list_id, "i"))
    found.append(sorted(await store.held(keys), key=lambda h: (h.entry.contact_centre_id, h.entry.handle)))
    for centre, user in product(draws.CENTRES, draws.USERS):
        found += [await store.desk_of(centre, user), await store.agent_session(centre, user)]
    found += [await store.desk_page(DeskKey(-1, -1), 1), await store.desk_page(DeskKey(draws.CENTRES[0], 3), 9)]
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
    """What the searches find; of the many claims every ``stride``-th from ``begin``, none of which stays."""
    found = [await _tried(store, wanted) for wanted in islice(_CLAIMS, begin, None, stride)]
    async with store.begin() as unit:
        return [found, *await _contacts(unit), *await _times(unit)]


async def _tried(store: Store, wanted: Claim | CallbackClaim) -> list[Any]:
    """What a claim takes, and what its unit sees of it; then it is rolled back."""
    found: list[Any] = []
    with suppress(ZeroDivisionError):
        async with store.begin() as unit:
            found.append(await take(unit, wanted))
            found.append(await unit.buffered(wanted.contact_centre_id, wanted.campaign_group_id, (), 100))
            raise ZeroDivisionError
    return found


async def take(unit: Unit, wanted: Claim | CallbackClaim) -> Claimed:
    """Carry out a claim of either kind."""
    return await (unit.claim(wanted) if isinstance(wanted, Claim) else unit.claim_callback(wanted))


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
