"""The tree of errors.

::

    TrunklineError
    ├── Refused        the caller's fault; carries the API status code and a sentence safe to show
    │   └── TooLarge   a size, depth or count limit was passed (413)
    ├── Unavailable    nobody's fault; the same request may succeed later
    └── Defect         ours; the text stays in the log, the caller sees an incident id

Nothing here knows HTTP or JSON: ``trunkline.contract.answers`` maps these to the wire.
"""

from __future__ import annotations


class TrunklineError(Exception):
    """Something went wrong."""

    def __str__(self) -> str:
        return super().__str__() or (self.__doc__ or type(self).__name__).strip().splitlines()[0]


class Refused(TrunklineError):
    """The request cannot be carried out as it stands.

    ``code`` is one of the API's status codes (see ``trunkline.contract.answers.StatusCode``),
    given by name through the constructors below; the message names the parameter at fault
    and is shown to the caller as it is, so it never holds another person's data.
    """

    code: int = 2

    def __init__(self, message: str = "", code: int | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code

    @property
    def message(self) -> str:
        """The sentence for the caller."""
        return str(self)


class MissingParameter(Refused):
    """A required parameter is missing."""

    code = 1


class InvalidState(Refused):
    """The request contradicts the record or its present state."""

    code = 2


class Forbidden(Refused):
    """The operation is not permitted."""

    code = 3


class NoPermission(Refused):
    """A feature that the operation needs is not assigned to this user."""

    code = 5


class NotFound(Refused):
    """The resource was not found. Said of foreign things too, in the same words."""

    code = 6


class OutOfRange(Refused):
    """A value is malformed or out of range."""

    code = 10


class TooLarge(OutOfRange):
    """A body, string, list or nesting is over its limit."""


class AlreadyExists(Refused):
    """The object exists already."""

    code = 18


class AlreadyInUse(Refused):
    """The object is in use."""

    code = 19


class StaleVersion(AlreadyInUse):
    """The object was changed by somebody else since it was read."""


class NotAuthenticated(Refused):
    """The caller is not authenticated."""

    code = 20


class Unavailable(TrunklineError):
    """The server cannot do this now; try again later.

    ``retry_after_s`` is the number of seconds to wait, sent as ``Retry-After``.
    """

    def __init__(self, message: str = "", retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class TooManyRequests(Unavailable):
    """The caller sends more than its limit; slow down."""


class Defect(TrunklineError):
    """A defect of ours."""
