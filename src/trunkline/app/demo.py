"""The demo contact centre, exactly as the documentation page's request needs it (decisions 11).

Made once for each data directory: contact centre ``demo``, agents, a supervisor, an administrator, ``Campaign1``
running in preview over ``CallingList1``, and the records that are on the agents' desks from the start.
"""

from __future__ import annotations

import uuid

from trunkline.app.administration.provisioning import usual_objects
from trunkline.app.ports import Changes, DeskKey, Provision, Store, User
from trunkline.domain.campaigns import CallingList, Campaign, CampaignList, ListField
from trunkline.domain.desk import DeskEntry
from trunkline.domain.enums import CallResult, DialMode, GroupStatus, RecordStatus
from trunkline.domain.objects import ObjectKind, StoredObject
from trunkline.domain.people import Caller, Device, Feature, Role
from trunkline.domain.records import Record
from trunkline.domain.rule_sets import RuleSet
from trunkline.errors import Refused

CENTRE_ID = 1
CENTRE_NAME = "demo"
APPLICATION_ID = 134
CAMPAIGN_ID = 201
GROUP_ID = 301
RULE_SET_ID = 401
LIST_ID = 101
LIST_NAME = "CallingList1"
IMPORT_ID = "demo"
FIRST_DEVICE_ID = "68b39a39-dfb5-417d-9efe-93c03a1375af"
FIRST_HANDLE = 6
DESK_HANDLES_FROM = 1_000_000
"""Record handle of demo agent n is this plus n."""
RESERVED_HANDLES = 1_020_000
"""Handles that the demo gives out by itself; fresh ones begin above."""
SUPERVISOR_ID = 1_000_001
ADMINISTRATOR_ID = 1_000_002
_NAMESPACE = uuid.UUID("6f1f7a0e-53c5-4b9d-9a51-0c6f5d0f6f11")
_AGENT_FEATURES = frozenset({Feature.VOICE.value, Feature.VOICE_OUTBOUND.value})
_SUPERVISOR_FEATURES = _AGENT_FEATURES | {
    Feature.SUPERVISOR_MONITORING.value,
    Feature.SUPERVISOR_AGENT_CONTROL.value,
    Feature.PROVISIONING_READ.value,
    Feature.PROVISIONING_WRITE.value,
}


async def seed(store: Store, agents: int, password_hash: str) -> bool:
    """Write the demo's reference data and desks; False when the contact centre exists already.

    ``agents`` is 5 to 20,000. The list's 500 records are imported afterwards by the caller. Raises ``Refused`` for a
    database with somebody's own contact centre, whose numbers the demo's would take.
    """
    directory = await store.directory()
    if CENTRE_NAME in directory.contact_centres.values():
        return False
    if directory.contact_centres:
        raise Refused("the demo needs an empty database, and this one has a contact centre already")
    await store.provision(
        Provision(
            contact_centres={CENTRE_ID: CENTRE_NAME},
            users=[*(_agent(n, password_hash) for n in range(1, agents + 1)), *_staff(password_hash)],
            lists=[_list()],
            campaigns=[_campaign(agents)],
            objects=[*usual_objects(CENTRE_ID), StoredObject(kind=ObjectKind.RULE_SET, value=_rules())],
        )
    )
    async with store.begin() as unit:
        await unit.take_numbers(handles=RESERVED_HANDLES)
        _, record_ids, chain_ids = await unit.take_numbers(records=agents + 1, chains=agents + 1)
        records = [_record(record_ids[0], chain_ids[0], 0)]
        entries = [_entry(records[0], FIRST_HANDLE, 1, FIRST_DEVICE_ID)]
        for n in range(1, agents + 1):
            records.append(_record(record_ids[n], chain_ids[n], n))
            entries.append(_entry(records[n], DESK_HANDLES_FROM + n, n, f"demo-device-{n}"))
        desk = {DeskKey(CENTRE_ID, entry.handle): entry for entry in entries}
        await unit.save(Changes(new_records=records, desk=desk))
    return True


def _user(user_id: int, name: str, last_name: str, role: Role, features: frozenset[str], password_hash: str) -> User:
    caller = Caller(
        contact_centre_id=CENTRE_ID,
        contact_centre_name=CENTRE_NAME,
        user_id=user_id,
        public_id=uuid.uuid5(_NAMESPACE, name).hex,
        user_name=name,
        first_name="Demo",
        last_name=last_name,
        email_address=f"{name}@demo.example",
        roles=(role,),
        features=features,
        devices=_devices(user_id, name, role),
    )
    return User(caller=caller, password_hash=password_hash)


def _devices(user_id: int, name: str, role: Role) -> tuple[Device, ...]:
    if role is not Role.AGENT:
        return ()
    own = FIRST_DEVICE_ID if user_id == 1 else str(uuid.uuid5(_NAMESPACE, f"device of {name}"))
    number = str(5000 + user_id) if user_id < 1000 else str(50_000 + user_id)
    return (Device(own, number), Device(f"demo-device-{user_id}", f"9{number}"))


def _agent(n: int, password_hash: str) -> User:
    return _user(n, f"agent{n}", f"Agent {n}", Role.AGENT, _AGENT_FEATURES, password_hash)


def _staff(password_hash: str) -> list[User]:
    return [
        _user(SUPERVISOR_ID, "supervisor1", "Supervisor", Role.SUPERVISOR, _SUPERVISOR_FEATURES, password_hash),
        _user(ADMINISTRATOR_ID, "admin1", "Administrator", Role.ADMINISTRATOR, _SUPERVISOR_FEATURES, password_hash),
    ]


def administrator() -> Caller:
    """The demo's administrator, in whose name its list is imported."""
    return _staff("")[1].caller


def _list() -> CallingList:
    return CallingList(
        contact_centre_id=CENTRE_ID,
        list_id=LIST_ID,
        name=LIST_NAME,
        default_time_zone="America/New_York",
        fields=(
            ListField(name="first_name", is_mandatory=True),
            ListField(name="last_name", is_mandatory=True),
            ListField(name="account", is_read_only=True),
            ListField(name="internal_score", is_sent=False),
        ),
    )


def _campaign(agents: int) -> Campaign:
    return Campaign(
        contact_centre_id=CENTRE_ID,
        campaign_id=CAMPAIGN_ID,
        name="Campaign1",
        application_id=APPLICATION_ID,
        description="Demo campaign",
        group_id=GROUP_ID,
        group_name="Campaign1@AgentGroup1",
        group_description="Demo agents on the demo campaign",
        dial_mode=DialMode.PREVIEW,
        status=GroupStatus.RUNNING,
        lists=(CampaignList(LIST_ID),),
        rule_set_id=RULE_SET_ID,
        agents=frozenset(range(1, agents + 1)),
    )


def _rules() -> RuleSet:
    """No limits: the numbers are fictitious, and there must be something to call at every hour (decisions 11)."""
    return RuleSet(
        contact_centre_id=CENTRE_ID,
        rule_set_id=RULE_SET_ID,
        name="Demo: no limits",
        description="For fictitious numbers only.",
        calling_times=(),
        attempt_rules=(),
        reason="The demo's numbers are fictitious: nobody is called.",
    )


def _record(record_id: int, chain_id: int, n: int) -> Record:
    return Record(
        contact_centre_id=CENTRE_ID,
        list_id=LIST_ID,
        chain_id=chain_id,
        chain_n=0,
        record_id=record_id,
        phone_number=f"+1212555{100 + n % 100:04d}",
        status=RecordStatus.RETRIEVED,
        call_result=CallResult.ABANDONED,
        time_zone="America/New_York",
        from_s=0,
        until_s=86_340,
        campaign_id=CAMPAIGN_ID,
        agent_id=max(n, 1),
        other_fields={"first_name": "Desk", "last_name": f"Record {n}", "account": f"D-{n:05d}"},
    )


def _entry(record: Record, handle: int, user_id: int, device_id: str) -> DeskEntry:
    return DeskEntry(
        contact_centre_id=CENTRE_ID,
        handle=handle,
        list_id=LIST_ID,
        chain_id=record.chain_id,
        chain_n=record.chain_n,
        user_id=user_id,
        device_id=device_id,
        campaign_id=CAMPAIGN_ID,
        attempt_guid=str(uuid.uuid5(_NAMESPACE, f"attempt {handle}")),
        lease_until_ms=None,
    )
