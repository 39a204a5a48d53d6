"""Who asks: the authenticated caller as the rules see it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from trunkline.errors import OutOfRange


class Role(StrEnum):
    """What a person is in a contact centre."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"


class Feature(StrEnum):
    """Features of the API that are assigned per user (Web Services API 5)."""

    VOICE = "api-voice"
    VOICE_OUTBOUND = "api-voice-outbound"
    VOICE_PREDICTIVE_CALLS = "api-voice-predictive-calls"
    SUPERVISOR_MONITORING = "api-supervisor-monitoring"
    SUPERVISOR_AGENT_CONTROL = "api-supervisor-agent-control"
    PROVISIONING_READ = "api-provisioning-read"
    PROVISIONING_WRITE = "api-provisioning-write"


def features_of(roles: Iterable[Role]) -> frozenset[Feature]:
    """The features that a user of these roles has when nothing else is said."""
    agent = frozenset({Feature.VOICE, Feature.VOICE_OUTBOUND})
    return agent if set(roles) <= {Role.AGENT} else frozenset(Feature)


class Device(msgspec.Struct, frozen=True):
    """A telephone of a user. ``device_id`` is the bare uuid of ``/devices/<id>``."""

    device_id: str
    phone_number: str


class Caller(msgspec.Struct, frozen=True):
    """An authenticated user of one contact centre.

    ``user_id`` is the storage key; ``public_id`` the 32 hexadecimal digits of the API.
    """

    contact_centre_id: int
    contact_centre_name: str
    user_id: int
    public_id: str
    user_name: str
    first_name: str = ""
    last_name: str = ""
    email_address: str = ""
    roles: tuple[Role, ...] = (Role.AGENT,)
    features: frozenset[str] = frozenset()
    devices: tuple[Device, ...] = ()

    def has_feature(self, feature: str) -> bool:
        """True when the feature is assigned to this user."""
        return feature in self.features

    def has_role(self, *roles: Role) -> bool:
        """True when the user has one of the roles."""
        return any(role in self.roles for role in roles)

    def device(self, device_id: str) -> Device | None:
        """The user's own device of that id, or None: foreign and unknown look alike."""
        for device in self.devices:
            if device.device_id == device_id:
                return device
        return None


MIN_PASSWORD = 8
"""Characters of a new password; the demo's own is exempt because the demo binds loopback only."""
MAX_PASSWORD = 256
"""Characters; an Authorization header has room for no more than that many of any kind."""


def check_password(password: str, user_name: str) -> None:
    """Raise ``OutOfRange`` unless the password is long enough, short enough and not the name itself."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise OutOfRange(f"password must have {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    if "\0" in password or not password.strip():
        raise OutOfRange("password must not be empty or hold NUL")
    if password == user_name:
        raise OutOfRange("password must not be the user's name")


class SkillHeld(msgspec.Struct, frozen=True):
    """A skill of a user and how well it is mastered, 0 to 100."""

    skill_id: int
    level: int = 1


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A user account as it is administered: everything but its password.

    ``name`` is what the user logs in with; ``public_id`` the id under which other parts of the API show the user.
    """

    contact_centre_id: int
    user_id: int
    name: str
    first_name: str = ""
    last_name: str = ""
    email_address: str = ""
    roles: tuple[Role, ...] = (Role.AGENT,)
    features: tuple[Feature, ...] = ()
    devices: tuple[Device, ...] = ()
    skills: tuple[SkillHeld, ...] = ()
    public_id: str = ""
    is_enabled: bool = True
