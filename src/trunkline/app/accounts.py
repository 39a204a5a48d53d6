"""Accounts as they are administered, from and to what a store keeps."""

from __future__ import annotations

from trunkline.app.reference_data import User
from trunkline.domain.people import Account, Caller, Feature, SkillHeld

USER_KIND = "user"
"""What accounts are called in the history of objects."""


def account_of(user: User) -> Account:
    """What is administered of a user."""
    caller = user.caller
    return Account(
        contact_centre_id=caller.contact_centre_id,
        user_id=caller.user_id,
        name=caller.user_name,
        first_name=caller.first_name,
        last_name=caller.last_name,
        email_address=caller.email_address,
        roles=caller.roles,
        features=tuple(feature for feature in Feature if feature in caller.features),
        devices=caller.devices,
        skills=tuple(SkillHeld(skill_id, level) for skill_id, level in sorted(user.skills.items())),
        public_id=caller.public_id,
        is_enabled=user.is_enabled,
    )


def user_from(account: Account, centre_name: str, password_hash: str, version: int, reference: str | None) -> User:
    """The user to keep."""
    caller = Caller(
        contact_centre_id=account.contact_centre_id,
        contact_centre_name=centre_name,
        user_id=account.user_id,
        public_id=account.public_id,
        user_name=account.name,
        first_name=account.first_name,
        last_name=account.last_name,
        email_address=account.email_address,
        roles=account.roles,
        features=frozenset(feature.value for feature in account.features),
        devices=account.devices,
    )
    return User(
        caller=caller,
        password_hash=password_hash,
        is_enabled=account.is_enabled,
        version=version,
        reference=reference,
        skills={held.skill_id: held.level for held in account.skills},
    )
