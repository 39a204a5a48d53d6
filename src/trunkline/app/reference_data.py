"""Reference data as they go into a store and come out of it: accounts, objects, the directory of all of them."""

from __future__ import annotations

import msgspec

from trunkline.domain.campaigns import CallingList, Campaign, GroupState
from trunkline.domain.objects import ObjectKind, ObjectValue, StoredObject
from trunkline.domain.people import Caller


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A user account: the caller it authenticates and the stored hash (argon2id, encoded form).

    ``skills`` are levels, 0 to 100, by skill id; ``reference`` its creator's own mark.
    """

    caller: Caller
    password_hash: str
    is_enabled: bool = True
    version: int = 1
    reference: str | None = None
    skills: dict[int, int] = {}


class Namesake(msgspec.Struct, frozen=True):
    """An enabled account whose name another contact centre has too."""

    user_name: str
    contact_centre_id: int
    user_id: int
    password_hash: str


class Directory(msgspec.Struct, frozen=True, kw_only=True):
    """Reference data of the whole installation, small enough to hold in memory.

    ``version`` grows with every ``provision`` and every change of objects, group states or users; users are not part of
    it (there may be many) but for the ``skills`` (skill id -> level) of those who have any. ``objects`` come by key.
    ``app.directory`` makes campaigns and lists of them.
    """

    version: int
    contact_centres: dict[int, str]
    objects: tuple[StoredObject, ...] = ()
    group_states: tuple[GroupState, ...] = ()
    skills: dict[tuple[int, int], dict[int, int]] = {}


class Provision(msgspec.Struct, kw_only=True):
    """Reference data to write, by key, in one transaction, whatever is there: what exists is replaced.

    ``campaigns`` are whole ones: each becomes a campaign, an agent group, a campaign group and its state (see
    ``app.administration.provisioning.provisioned``).
    """

    contact_centres: dict[int, str] = {}
    users: list[User] = []
    lists: list[CallingList] = []
    campaigns: list[Campaign] = []
    objects: list[StoredObject] = []
    group_states: list[GroupState] = []


class ObjectWrite(msgspec.Struct, frozen=True, kw_only=True):
    """One object to write. ``object_id`` 0 asks for a new number; ``value`` None deletes.

    ``expected_version`` is the one that the writer saw, 0 for an object that must be new.
    """

    contact_centre_id: int
    kind: ObjectKind
    object_id: int
    expected_version: int
    value: ObjectValue | None
    reference: str | None = None


class UserWrite(msgspec.Struct, frozen=True, kw_only=True):
    """One account to write, as ``ObjectWrite``: ``user_id`` 0 asks for a new number, ``user`` None deletes."""

    contact_centre_id: int
    user_id: int
    expected_version: int
    user: User | None


class ObjectChanges(msgspec.Struct, frozen=True, kw_only=True):
    """Objects and accounts to write in one transaction, by whom and why.

    ``seen_version`` is the version of the directory that the writer judged by: when it moved since, the store raises
    ``Conflict`` and writes nothing. None writes whatever happened meanwhile.
    """

    at_ms: int
    changed_by: int | None
    writes: tuple[ObjectWrite, ...] = ()
    users: tuple[UserWrite, ...] = ()
    reason: str = ""
    seen_version: int | None = None


class ObjectVersion(msgspec.Struct, frozen=True):
    """One entry of the history of an object or account. ``definition`` is its struct as JSON, None for a deletion."""

    version: int
    definition: str | None
    changed_at_ms: int
    changed_by: int | None
    reason: str
