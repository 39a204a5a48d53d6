"""The pre-dial validation: what somebody's server said about a record that is to be called.

200 permits the call, 409 refuses it and says with which result; everything else is no answer, and without an answer
nobody is called. Source: outbound domain 6.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from trunkline.domain.enums import CallResult


class Permission(StrEnum):
    """What became of the question."""

    PERMITTED = "permitted"
    REFUSED = "refused"
    """The record is treated with ``Answer.call_result``."""
    UNANSWERED = "unanswered"
    """Not called now; asked again later."""
    WAITING = "waiting"
    """Not answered yet."""
    NOT_ASKED = "not asked"
    """The campaign has no validation."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer. ``said`` tells people what it was; ``is_server_failing`` closes the way to the server for a while."""

    permission: Permission
    said: str
    call_result: CallResult | None = None
    is_server_failing: bool = False


def permits(permission: Permission) -> bool:
    """True when the record may be called as far as the validation is concerned."""
    return permission in (Permission.PERMITTED, Permission.NOT_ASKED)
