"""How accounts are changed, whatever keeps them, and their entries in the history of objects."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from trunkline.adapters.storage.rows import Row, as_json
from trunkline.app.accounts import USER_KIND, account_of
from trunkline.app.ports import ObjectChanges, User, UserWrite
from trunkline.errors import NotFound, StaleVersion


class UserStep(NamedTuple):
    """One write as it is carried out. ``user`` None deletes; ``version`` is that of the entry in the history."""

    user: User | None
    version: int


def step_of(write: UserWrite, before: User | None, last_number: int) -> UserStep:
    """What a write comes to. ``last_number`` is the greatest number that was ever given in that contact centre.

    Raises ``NotFound``, ``StaleVersion``.
    """
    if write.expected_version == 0:
        before = None
    elif before is None:
        raise NotFound("there is no user with this id")
    elif before.version != write.expected_version:
        raise StaleVersion(f"the user was changed by somebody else; read it again: version {before.version}")
    version = before.version + 1 if before is not None else 1
    if write.user is None:
        return UserStep(None, version)
    number = write.user_id or last_number + 1
    caller = msgspec.structs.replace(write.user.caller, user_id=number)
    return UserStep(msgspec.structs.replace(write.user, caller=caller, version=version), version)


def history_row(user: User, changes: ObjectChanges) -> Row:
    """The entry of an account that was written."""
    caller = user.caller
    return (
        caller.contact_centre_id,
        USER_KIND,
        caller.user_id,
        user.version,
        as_json(account_of(user)),
        changes.at_ms,
        changes.changed_by,
        changes.reason,
    )


def deletion_row(write: UserWrite, version: int, changes: ObjectChanges) -> Row:
    """The entry of an account that is gone."""
    whose = (write.contact_centre_id, USER_KIND, write.user_id)
    return (*whose, version, None, changes.at_ms, changes.changed_by, changes.reason)


def skills_text(user: User) -> str:
    """The skills as they are kept: one empty object for all who have none, which an index leaves out."""
    return as_json({str(skill_id): level for skill_id, level in sorted(user.skills.items())})
