"""Refusals that have a meaning of their own on the wire, and the numbers that desktops show.

The numbers of ``ErrorMessage`` events are ours: the original's could not be read anywhere, and desktops show the
text (outbound domain 3.3; decisions 2). They are stable: a number is never given another meaning.
"""

from __future__ import annotations

from enum import IntEnum

from trunkline.errors import (
    AlreadyExists,
    AlreadyInUse,
    Forbidden,
    InvalidState,
    MissingParameter,
    NoPermission,
    NotAuthenticated,
    NotFound,
    OutOfRange,
    Refused,
    TooLarge,
    TooManyRequests,
    Unavailable,
)


class UnknownOperation(Forbidden):
    """The resource has no such operation.

    Code 3 like every forbidden operation, but HTTP 400: no permission would help (decisions 1).
    """


class NoCampaignLoaded(InvalidState):
    """The agent asked for its campaigns and has none that is loaded (decisions 2)."""

    def __init__(self, message: str = "no campaign is loaded for this agent") -> None:
        super().__init__(message)


class ErrorNumber(IntEnum):
    """What GSW_ERROR_NUMBER and ``errorCode`` say."""

    NO_CAMPAIGN_LOADED = 1
    """The agent asked for campaigns and has none that is loaded."""
    MISSING_PARAMETER = 2
    """A mandatory key is missing."""
    OUT_OF_RANGE = 3
    """A value has the wrong type or form, or lies out of range."""
    TOO_LARGE = 4
    """A text or a list is over its limit."""
    UNKNOWN_REQUEST = 5
    """There is no such request."""
    FORBIDDEN = 6
    """The agent may not do this, for instance while only consulted about a record."""
    NO_PERMISSION = 7
    """A feature that the request needs is not assigned to the agent."""
    NOT_FOUND = 8
    """Unknown campaign, list, record handle, chain or device, or one of somebody else."""
    INVALID_STATE = 9
    """The request contradicts the record or its campaign, or their present state."""
    ALREADY_EXISTS = 10
    """The list refuses duplicates and has this number."""
    ALREADY_IN_USE = 11
    """Somebody else uses the object now."""
    NOT_AUTHENTICATED = 12
    """The log-in ended in the meantime."""
    UNAVAILABLE = 13
    """The server cannot do this now; the same request may succeed later."""
    TOO_MANY_REQUESTS = 14
    """The agent's limit of requests is used up for the moment."""
    INTERNAL = 15
    """A defect of the server."""


_NUMBERS: dict[type[Exception], ErrorNumber] = {
    NoCampaignLoaded: ErrorNumber.NO_CAMPAIGN_LOADED,
    MissingParameter: ErrorNumber.MISSING_PARAMETER,
    TooLarge: ErrorNumber.TOO_LARGE,
    OutOfRange: ErrorNumber.OUT_OF_RANGE,
    UnknownOperation: ErrorNumber.UNKNOWN_REQUEST,
    Forbidden: ErrorNumber.FORBIDDEN,
    NoPermission: ErrorNumber.NO_PERMISSION,
    NotFound: ErrorNumber.NOT_FOUND,
    InvalidState: ErrorNumber.INVALID_STATE,
    AlreadyExists: ErrorNumber.ALREADY_EXISTS,
    AlreadyInUse: ErrorNumber.ALREADY_IN_USE,
    NotAuthenticated: ErrorNumber.NOT_AUTHENTICATED,
    TooManyRequests: ErrorNumber.TOO_MANY_REQUESTS,
    Unavailable: ErrorNumber.UNAVAILABLE,
    Refused: ErrorNumber.INVALID_STATE,
}


def error_number(error: Exception) -> ErrorNumber:
    """The number of an error: that of its own class, or of the nearest one above; ``INTERNAL`` for all others."""
    for kind in type(error).__mro__:
        number = _NUMBERS.get(kind)
        if number is not None:
            return number
    return ErrorNumber.INTERNAL
