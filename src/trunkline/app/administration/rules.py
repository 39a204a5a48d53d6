"""Which changes of objects the rest of the configuration bears. Pure: a book and values in, a refusal or writes out.

While a group that works with an object is loaded (anything but "not loaded"), ``FROZEN_WHILE_LOADED`` stays as it is:
names that agents' requests carry, what records are made of (a format may gain optional fields), who the group is, and
being enabled. All else may change:
lists and shares, hours, filters, treatments, suppression, rule sets, members of agent groups, buffers; mode and goal
count from the next load. Nothing that another object names can be deleted, but for two: a calling list leaves the
campaigns that have it, a user the agent groups. No part of a loaded group is deleted. Source: outbound domain 4.1; what
it leaves open is ours.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from trunkline.app.administration.checks import check_filter_fields
from trunkline.app.administration.names import plans_with_hook
from trunkline.app.directory import ReferenceBook
from trunkline.app.ports import ObjectWrite
from trunkline.contract.admin_kinds import KINDS, USER, Kind, references
from trunkline.contract.admin_structs import wire_name
from trunkline.domain.campaigns import (
    AgentGroup,
    CallingList,
    Campaign,
    CampaignDefinition,
    CampaignGroup,
    Format,
    ListField,
)
from trunkline.domain.enums import GroupStatus
from trunkline.domain.filters import Filter
from trunkline.domain.formats import is_gain, loss
from trunkline.domain.object_checks import windows_meet
from trunkline.domain.objects import ObjectKind, ObjectValue, StoredObject
from trunkline.errors import AlreadyExists, AlreadyInUse, MissingParameter, OutOfRange

FROZEN_WHILE_LOADED: dict[ObjectKind, frozenset[str]] = {
    ObjectKind.CAMPAIGN: frozenset({"name", "is_enabled"}),
    ObjectKind.CALLING_LIST: frozenset({"name", "format_id", "fields", "is_enabled"}),
    ObjectKind.CAMPAIGN_GROUP: frozenset({"name", "campaign_id", "agent_group_id", "application_id", "is_enabled"}),
    ObjectKind.AGENT_GROUP: frozenset({"is_enabled"}),
}
"""Fields of an object that a loaded group works with and that stay as they are until it is unloaded."""
NAMED_USERS = 3
"""Objects that a refusal names; a person who sees three knows where to look."""


def check_references(book: ReferenceBook, kind: Kind, value: object, users: Collection[int]) -> None:
    """Raise ``OutOfRange`` when an object names one that is not there. ``users`` are the numbers that exist.

    Foreign and unknown ones look alike.
    """
    centre: int = getattr(value, "contact_centre_id")  # noqa: B009 - every struct of a kind has it
    for reference in references(kind, value):
        is_user = reference.kind.is_user
        if (
            reference.number not in users
            if is_user
            else book.object(centre, reference.kind.object_kind, reference.number) is None
        ):
            raise OutOfRange(f"{reference.path} names no {reference.kind.title} of this contact centre")


def check_among_others(book: ReferenceBook, value: ObjectValue, object_id: int) -> None:
    """Raise when the object does not go together with others that are there: its name, its hours, its agents."""
    centre = value.contact_centre_id
    kind = _kind(value)
    namesake = book.object_named(centre, kind, value.name)
    if namesake is not None and namesake.object_id != object_id:
        raise AlreadyExists(f"name is that of another {KINDS[kind].title}")
    if isinstance(value, CampaignDefinition):
        for entry in value.lists:
            called = book.value(CallingList, centre, ObjectKind.CALLING_LIST, entry.list_id)
            if called is not None:
                _check_hours(value, called)
    elif isinstance(value, CallingList):
        for campaign in _campaigns_with(book, centre, object_id):
            _check_hours(campaign, value)
        used = book.value(Filter, centre, ObjectKind.FILTER, value.filter_id)
        if used is not None:
            check_filter_fields(used, _with_fields(book, value))
    elif isinstance(value, Format):
        for stored in book.objects_of(centre, ObjectKind.CALLING_LIST):
            user = stored.value
            if object_id and isinstance(user, CallingList) and user.format_id == object_id:
                used = book.value(Filter, centre, ObjectKind.FILTER, user.filter_id)
                if used is not None:
                    check_filter_fields(used, msgspec.structs.replace(user, fields=value.fields))
    elif isinstance(value, Filter):
        for called in book.lists_of(centre):
            if object_id and called.filter_id == object_id:
                check_filter_fields(value, called)
    elif isinstance(value, CampaignGroup):
        for stored in book.objects_of(centre, ObjectKind.CAMPAIGN_GROUP):
            other = stored.value
            if (
                isinstance(other, CampaignGroup)
                and stored.object_id != object_id
                and (other.campaign_id, other.agent_group_id) == (value.campaign_id, value.agent_group_id)
            ):
                raise AlreadyExists(f"the agent group works this campaign in the campaign group {other.name} already")


def check_change(book: ReferenceBook, before: StoredObject, after: ObjectValue) -> None:
    """Raise ``AlreadyInUse`` when what changes is in use in a way that does not bear it."""
    changed = {
        field for field in before.value.__struct_fields__ if getattr(before.value, field) != getattr(after, field)
    }
    if before.kind is ObjectKind.WEBHOOK and "name" in changed:
        plans = plans_with_hook(book, before.contact_centre_id, before.value.name)
        if plans:
            raise AlreadyInUse(f"name cannot change while treatments name the webhook: {_some(plans)}")
    frozen = sorted(changed & FROZEN_WHILE_LOADED.get(before.kind, frozenset()))
    if (
        isinstance(before.value, Format)
        and isinstance(after, Format)
        and not is_gain(before.value.fields, after.fields)
    ):
        frozen = ["fields"]
    if frozen:
        loaded = [group.group_name for group in groups_using(book, before) if is_loaded(group)]
        if loaded:
            more = "" if before.kind is not ObjectKind.FORMAT else " but for new optional ones"
            raise AlreadyInUse(f"{wire_name(frozen[0])} cannot change{more} while a group is loaded: {_some(loaded)}")


def check_reason(before: ObjectValue, after: ObjectValue, reason: str) -> None:
    """Raise ``MissingParameter`` for a change that nobody can judge later without knowing why it was made.

    Another rule set permits calls that were forbidden before; as with an override the reason belongs to it.
    """
    if (
        isinstance(before, CampaignDefinition)
        and isinstance(after, CampaignDefinition)
        and before.rule_set_id != after.rule_set_id
        and not reason.strip()
    ):
        raise MissingParameter("changeReason is required where ruleSetId changes: say why other rules hold")


def fields_at_stake(book: ReferenceBook, before: StoredObject, after: ObjectValue) -> tuple[str, list[CallingList]]:
    """What records would not bear of a change of their custom fields, and the lists whose records those are.

    An empty text and no list when they bear it; see ``domain.formats``.
    """
    old: tuple[ListField, ...]
    if isinstance(before.value, Format) and isinstance(after, Format):
        old, new, lists = before.value.fields, after.fields, list(_lists_with_format(book, before))
    elif isinstance(before.value, CallingList) and isinstance(after, CallingList):
        old, new, lists = _with_fields(book, before.value).fields, _with_fields(book, after).fields, [before.value]
        if not old:
            # Nothing was declared, so nothing is lost: the records' fields are only looked at from now on.
            return "", []
    else:
        return "", []
    said = loss(old, new)
    return (said, lists) if said else ("", [])


def deletion(book: ReferenceBook, stored: StoredObject) -> tuple[ObjectWrite, ...]:
    """The writes that delete an object; ``AlreadyInUse`` when something needs it.

    A calling list leaves the campaigns that have it.
    """
    loaded = [group.group_name for group in groups_using(book, stored) if is_loaded(group)]
    if loaded:
        raise AlreadyInUse(f"a group that uses it is loaded: {_some(loaded)}")
    centre = stored.contact_centre_id
    writes: list[ObjectWrite] = []
    needed: list[str] = []
    for other in users_of(book, stored.kind, centre, stored.object_id):
        value = other.value
        if stored.kind is ObjectKind.CALLING_LIST and isinstance(value, CampaignDefinition):
            left = tuple(entry for entry in value.lists if entry.list_id != stored.object_id)
            writes.append(rewrite(other, msgspec.structs.replace(value, lists=left)))
        else:
            needed.append(f"{KINDS[other.kind].title} {value.name}")
    if stored.kind is ObjectKind.SKILL:
        count = sum(1 for skills in book.skills_of(centre).values() if stored.object_id in skills)
        needed += [f"{count} users"] if count else []
    if stored.kind is ObjectKind.WEBHOOK:
        needed += [f"treatment {name}" for name in plans_with_hook(book, centre, stored.value.name)]
    if needed:
        raise AlreadyInUse(f"it is in use: {_some(needed)}")
    gone = ObjectWrite(
        contact_centre_id=centre,
        kind=stored.kind,
        object_id=stored.object_id,
        expected_version=stored.version,
        value=None,
    )
    return (*writes, gone)


def without_user(book: ReferenceBook, contact_centre_id: int, user_id: int) -> tuple[ObjectWrite, ...]:
    """The writes that take a user out of every agent group; ``AlreadyInUse`` when another object names the user."""
    writes = []
    for other in users_of(book, USER, contact_centre_id, user_id):
        if not isinstance(other.value, AgentGroup):
            raise AlreadyInUse(f"the user is named by the {KINDS[other.kind].title} {other.value.name}")
        left = other.value.user_ids - {user_id}
        writes.append(rewrite(other, msgspec.structs.replace(other.value, user_ids=left)))
    return tuple(writes)


def rewrite(stored: StoredObject, value: ObjectValue) -> ObjectWrite:
    """The write that makes an object say something else."""
    return ObjectWrite(
        contact_centre_id=stored.contact_centre_id,
        kind=stored.kind,
        object_id=stored.object_id,
        expected_version=stored.version,
        value=value,
        reference=stored.reference,
    )


def users_of(book: ReferenceBook, kind: str, contact_centre_id: int, object_id: int) -> list[StoredObject]:
    """Objects that name another one, by kind and number."""
    found = []
    for other in ObjectKind:
        for stored in book.objects_of(contact_centre_id, other):
            named = references(KINDS[other], stored.value)
            if any((one.kind.kind, one.number) == (kind, object_id) for one in named):
                found.append(stored)
    return found


def groups_using(book: ReferenceBook, stored: StoredObject) -> list[Campaign]:
    """Campaign groups that work with an object, directly or through others."""
    centre, number = stored.contact_centre_id, stored.object_id
    match stored.kind:
        case ObjectKind.CAMPAIGN_GROUP:
            group = book.group(centre, number)
            return [group] if group is not None else []
        case ObjectKind.CAMPAIGN:
            return book.groups_of(centre, number)
        case ObjectKind.AGENT_GROUP:
            return [group for group in book.groups_of(centre) if group.agent_group_id == number]
        case ObjectKind.CALLING_LIST:
            return book.groups_with_list(centre, number)
        case ObjectKind.FORMAT:
            lists = {called.list_id for called in _lists_with_format(book, stored)}
            return [group for group in book.groups_of(centre) if any(group.has_list(one) for one in lists)]
        case _:
            return []


def is_loaded(group: Campaign) -> bool:
    """False only when nothing of the group is at work."""
    return group.status is not GroupStatus.NOT_LOADED


def _kind(value: ObjectValue) -> ObjectKind:
    return next(ObjectKind(kind.kind) for kind in KINDS.values() if kind.struct is type(value))


def _campaigns_with(book: ReferenceBook, centre: int, list_id: int) -> Iterable[CampaignDefinition]:
    for stored in book.objects_of(centre, ObjectKind.CAMPAIGN):
        value = stored.value
        if isinstance(value, CampaignDefinition) and any(entry.list_id == list_id for entry in value.lists):
            yield value


def _with_fields(book: ReferenceBook, called: CallingList) -> CallingList:
    used = book.value(Format, called.contact_centre_id, ObjectKind.FORMAT, called.format_id)
    return called if used is None else msgspec.structs.replace(called, fields=used.fields)


def _lists_with_format(book: ReferenceBook, stored: StoredObject) -> Iterable[CallingList]:
    assert isinstance(stored.value, Format)
    for other in book.objects_of(stored.contact_centre_id, ObjectKind.CALLING_LIST):
        if isinstance(other.value, CallingList) and other.value.format_id == stored.object_id:
            yield other.value


def _check_hours(campaign: CampaignDefinition, called: CallingList) -> None:
    if not windows_meet((campaign.hours_from_s, campaign.hours_until_s), (called.from_s, called.until_s)):
        raise OutOfRange(
            f"the hours of the campaign {campaign.name} and of the calling list {called.name} never meet: nobody would"
            " be called"
        )


def _some(names: list[str]) -> str:
    """The first of several names, and how many more there are."""
    shown = ", ".join(names[:NAMED_USERS])
    more = len(names) - NAMED_USERS
    return f"{shown} and {more} more" if more > 0 else shown
