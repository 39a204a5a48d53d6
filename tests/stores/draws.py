"""What the stores are given side by side: small ranges, so that rows meet."""

from __future__ import annotations

from itertools import product
from typing import Any

import msgspec
from hypothesis import strategies as st

from tests.stores.storage import NOON_S, acknowledged, callback_claim, claim
from trunkline.app.ports import (
    AgentSession,
    CallbackClaim,
    Changes,
    Claim,
    ClaimKind,
    CursorKey,
    DeskKey,
    ImportProgress,
    ImportState,
    JournalRow,
    PreviewSession,
    Provision,
    Suppression,
    User,
)
from trunkline.domain.attempts import AttemptStep, attempt_row
from trunkline.domain.campaigns import CallingList, Campaign, CampaignList
from trunkline.domain.desk import DeskEntry, Share
from trunkline.domain.enums import CallResult, DoNotCallKind, PhoneType, RecordStatus, RecordType, RequestType
from trunkline.domain.people import Caller, Device, Role
from trunkline.domain.records import Record

CENTRES = (1, 2)
LISTS = (10, 11)
USERS = (7, 8)
CAMPAIGNS = (100, 101)
HANDLES = range(1, 6)
CHAINS = list(product(CENTRES, LISTS, (1, 2, 3)))
WINDOWS = [
    ("UTC", 0, 86_400),
    ("UTC", 79_200, 46_800),  # crosses midnight
    ("America/Los_Angeles", 28_800, 64_800),
    ("PST", 28_800, 64_800),
    ("Asia/Tokyo", 3_600, 3_600),
    ("Nowhere/Atlantis", 0, 86_400),
]

centres = st.sampled_from(CENTRES)
lists = st.sampled_from(LISTS)
users = st.sampled_from(USERS)
campaigns = st.sampled_from(CAMPAIGNS)
limits = st.integers(1, 5)
moments_s = st.integers(0, 23).map(lambda hour: NOON_S + hour * 3600)
numbers = st.sampled_from(["+1 415 555 0100", "0014155550100", "+14155550100", "4155550100", "a@b.c", "A@B.C", ""])
customers = st.sampled_from(["c1", "C1", ""])
contacts = st.tuples(st.just(DoNotCallKind.NUMBER), numbers) | st.tuples(
    st.sampled_from([DoNotCallKind.CUSTOMER, DoNotCallKind.ACCOUNT]), customers
)
texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=5)
values = st.one_of(texts, st.integers(-(2**63), 2**63 - 1), st.floats(-1e300, 1e300), st.booleans(), st.none())

_fields = st.fixed_dictionaries(
    {
        "phone_number": numbers,
        "phone_type": st.sampled_from(PhoneType),
        "record_type": st.sampled_from([*RecordType, RecordType.GENERAL, RecordType.GENERAL]),
        "status": st.sampled_from([*RecordStatus, *[RecordStatus.READY] * 10]),
        "call_result": st.sampled_from(CallResult),
        "attempts": st.integers(0, 3),
        "due_at_s": st.none() | moments_s,
        "called_at_s": st.none() | moments_s,
        "campaign_id": st.none() | campaigns,
        "agent_id": st.none() | users,
        "customer_id": st.none() | customers,
        "treatments": texts,
        "other_fields": st.dictionaries(texts, values, max_size=2),
        "window": st.sampled_from(WINDOWS),
    }
)


def _built(fields: dict[str, Any]) -> dict[str, Any]:
    fields = dict(fields)
    fields["time_zone"], fields["from_s"], fields["until_s"] = fields.pop("window")
    return fields


@st.composite
def new_records(draw: st.DrawFn) -> Record:
    """A record under one of a few keys."""
    centre, list_id, chain_id = draw(st.sampled_from(CHAINS))
    fields = _built(draw(_fields))
    return Record(
        contact_centre_id=centre,
        list_id=list_id,
        chain_id=chain_id,
        chain_n=draw(st.integers(0, 2)),
        record_id=draw(st.integers(1, 2**40)),
        **fields,
    )


@st.composite
def changed(draw: st.DrawFn, record: Record) -> Record:
    """The record with a few fields changed and its version moved, mostly by one."""
    fields = draw(_fields)
    kept = draw(st.sets(st.sampled_from(sorted(fields)), max_size=4))
    chosen = {name: value for name, value in fields.items() if name in kept}
    if "window" in chosen:
        chosen = _built(chosen)
    step = draw(st.sampled_from([1] * 12 + [0, 2]))
    return msgspec.structs.replace(record, version=record.version + step, **chosen)


@st.composite
def entries(draw: st.DrawFn, records: list[Record]) -> DeskEntry:
    """A desk entry of one of the records."""
    of = draw(st.sampled_from(records))
    return DeskEntry(
        contact_centre_id=of.contact_centre_id,
        handle=draw(st.sampled_from(HANDLES)),
        list_id=of.list_id,
        chain_id=of.chain_id,
        chain_n=of.chain_n,
        user_id=draw(users),
        device_id=draw(texts),
        campaign_id=draw(campaigns),
        attempt_guid=draw(texts),
        lease_until_ms=draw(st.none() | st.integers(0, 60)),
        is_settled=draw(st.booleans()),
        shares=draw(st.dictionaries(users, st.sampled_from(Share), max_size=2)),
    )


suppressions = st.builds(
    lambda centre, contact, campaign, list_id, expires_at_s, added_by: Suppression(
        contact_centre_id=centre,
        kind=contact[0],
        value=contact[1],
        campaign_id=campaign,
        suppression_list_id=list_id,
        expires_at_s=expires_at_s,
        added_by=added_by,
    ),
    centres,
    contacts,
    st.none() | campaigns,
    st.sampled_from((0, 0, 3)),
    st.none() | moments_s,
    users,
)
attempts = st.builds(
    lambda record, step, at_ms, guid, detail: attempt_row(record, step, at_ms, guid, detail=detail),
    new_records(),
    st.sampled_from(AttemptStep),
    st.integers(0, 30),
    texts,
    st.dictionaries(texts, values, max_size=1),
)
previews = st.builds(PreviewSession, centres, users, campaigns)
imports = st.builds(
    ImportProgress,
    contact_centre_id=centres,
    list_id=lists,
    import_id=st.just("i"),
    state=st.sampled_from(ImportState),
    source_rows_done=st.integers(0, 2**40),
)
cursors = st.builds(CursorKey, centres, users, st.sampled_from(["/me/internal", "/v2/me/*"]))
events = st.builds(acknowledged, handle=st.none() | st.integers(1, 9), reference=values.filter(lambda v: v is not None))
rows = st.builds(
    JournalRow,
    contact_centre_id=centres,
    user_id=users,
    at_ms=st.integers(0, 30),
    request_type=st.sampled_from(RequestType),
    campaign_id=st.none() | campaigns,
    handle=st.none() | st.sampled_from(HANDLES),
    outcome=st.integers(0, 20),
    reference=st.none() | texts,
    request_key=st.none() | st.integers(1, 4),
    events=st.lists(events, max_size=2).map(tuple),
)


@st.composite
def agent_sessions(draw: st.DrawFn) -> tuple[tuple[int, int], AgentSession | None]:
    """A log-in or a log-out."""
    whose = (draw(centres), draw(users))
    if draw(st.booleans()):
        return whose, None
    place = draw(st.none() | texts)
    session = AgentSession(
        contact_centre_id=whose[0],
        user_id=whose[1],
        device_id=draw(texts),
        state_name="Ready",
        started_at_ms=draw(st.integers(0, 2**41)),
        place=place,
    )
    return whose, session


@st.composite
def _record_changes(draw: st.DrawFn, records: list[Record]) -> dict[str, Any]:
    taken = {record.key for record in records}
    fresh = draw(st.lists(new_records(), max_size=3, unique_by=lambda record: record.key))
    # Keys that exist are kept in one case of ten: they make the whole unit a conflict.
    if draw(st.integers(0, 9)):
        fresh = [record for record in fresh if record.key not in taken]
    old = draw(st.lists(st.sampled_from(records), max_size=2, unique_by=lambda r: r.key)) if records else []
    return {"records": {record.key: draw(changed(record)) for record in old}, "new_records": fresh}


@st.composite
def _desk_changes(draw: st.DrawFn, records: list[Record]) -> dict[str, Any]:
    put = draw(st.lists(entries(records), max_size=2)) if records else []
    gone = draw(st.sets(st.builds(DeskKey, centres, st.sampled_from(HANDLES)), max_size=1))
    return {"desk": {DeskKey(e.contact_centre_id, e.handle): e for e in put}, "off_desk": gone}


_sessions_changes = st.fixed_dictionaries(
    {
        "suppressions": st.lists(suppressions, max_size=2),
        "lifted": st.sets(suppressions.map(lambda entry: entry.key), max_size=1),
        "attempts": st.lists(attempts, max_size=2),
        "preview_sessions": st.dictionaries(previews, st.booleans(), max_size=2),
        "agent_sessions": st.lists(agent_sessions(), max_size=1).map(dict),
        "imports": st.lists(imports, max_size=2),
    }
)
_journal_changes = st.fixed_dictionaries(
    {
        "cursors": st.dictionaries(cursors, st.integers(0, 2**50), max_size=1),
        "journal": st.lists(rows, max_size=2),
    }
)


@st.composite
def changes(draw: st.DrawFn, records: list[Record]) -> Changes:
    """One or two kinds of changes, on top of the records that there are.

    Not all kinds at once: an example has room for some thousand choices, and a test of few steps finds nothing.
    """
    kinds = [_record_changes(records), _desk_changes(records), _sessions_changes, _journal_changes]
    chosen = draw(st.sampled_from([(0,), (0,), (0,), (1,), (2,), (3,), (0, 1), (0, 3), (1, 2)]))
    found: dict[str, Any] = {}
    for place in chosen:
        found |= draw(kinds[place])
    return Changes(**found)


@st.composite
def claims(draw: st.DrawFn) -> Claim | CallbackClaim:
    """A claim of either kind, at an hour of the day."""
    values: dict[str, Any] = {
        "contact_centre_id": draw(centres),
        "campaign_group_id": draw(st.sampled_from((300, 301))),
        "campaign_id": draw(campaigns),
        "max_attempts": draw(st.integers(1, 4)),
        "lease_until_ms": draw(st.integers(0, 60)),
    }
    now_s = draw(moments_s)
    if draw(st.booleans()):
        return callback_claim(draw(st.permutations(LISTS)), now_s, user_id=draw(users), **values)
    values |= {"list_id": draw(lists), "limit": draw(limits), "place_step": draw(limits), "first_place": draw(limits)}
    return claim(draw(st.sampled_from(ClaimKind)), now_s, **values)


@st.composite
def queries(draw: st.DrawFn) -> dict[str, Any]:
    """Conditions of an audit page."""
    return {
        "contact_centre_id": draw(centres),
        "user_id": draw(st.none() | users),
        "request_type": draw(st.none() | st.sampled_from(RequestType).map(int)),
        "handle": draw(st.none() | st.sampled_from(HANDLES)),
        "since_ms": draw(st.none() | st.integers(0, 30)),
        "until_ms": draw(st.none() | st.integers(0, 30)),
        "limit": draw(limits),
    }


@st.composite
def provisions(draw: st.DrawFn) -> Provision:
    """Reference data whose names never clash: they are made of the keys."""

    def account(centre: int, user_id: int) -> User:
        ids = draw(st.lists(st.sampled_from(["d1", "d2", "d3"]), unique=True))
        caller = Caller(
            contact_centre_id=centre,
            contact_centre_name="",
            user_id=user_id,
            public_id=f"{centre}-{user_id}",
            user_name=f"user-{user_id}",
            roles=tuple(draw(st.lists(st.sampled_from(Role), max_size=2))),
            features=draw(st.frozensets(texts, max_size=2)),
            devices=tuple(Device(device_id, draw(texts)) for device_id in ids),
        )
        return User(caller=caller, password_hash=draw(texts), is_enabled=draw(st.booleans()))

    def campaign(centre: int, campaign_id: int) -> Campaign:
        used = tuple(CampaignList(list_id, draw(st.integers(0, 9)), draw(st.booleans())) for list_id in LISTS)
        return Campaign(
            contact_centre_id=centre,
            campaign_id=campaign_id,
            name=f"{draw(st.sampled_from('ab'))}{campaign_id}",
            application_id=5,
            lists=used,
            agents=draw(st.frozensets(users)),
        )

    def calling_list(centre: int, list_id: int) -> CallingList:
        return CallingList(contact_centre_id=centre, list_id=list_id, name=f"{draw(st.sampled_from('ab'))}{list_id}")

    some = st.lists(st.tuples(centres, st.integers(0, 1)), max_size=2)
    return Provision(
        contact_centres={centre: f"{draw(st.sampled_from('ab'))}{centre}" for centre in CENTRES},
        users=[account(centre, USERS[n]) for centre, n in draw(some)],
        lists=[calling_list(centre, LISTS[n]) for centre, n in draw(some)],
        campaigns=[campaign(centre, CAMPAIGNS[n]) for centre, n in draw(some)],
    )
