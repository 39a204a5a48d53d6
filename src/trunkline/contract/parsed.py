"""What a door makes of a request: the command, or why there is none."""

from __future__ import annotations

import msgspec

from trunkline.contract.refusals import error_number
from trunkline.domain.commands import AnyCommand, Reference
from trunkline.domain.enums import Door, RequestType
from trunkline.domain.events import RequestFailed
from trunkline.errors import Refused


class Parsed(msgspec.Struct, frozen=True):
    """A request that may be tried.

    ``operation_name`` is the operationName, or the GSW_AGENT_REQ_TYPE of a user event. ``channels`` are those
    that StartContactCenterSession asks for, each once.
    """

    command: AnyCommand
    operation_name: str
    reference: Reference
    request_type: RequestType
    channels: tuple[str, ...] = ()


class ParsedFailure(msgspec.Struct, frozen=True, kw_only=True):
    """A desktop's request that cannot be tried: it is told by an ``ErrorMessage`` event (decisions 2).

    ``request_type`` is UNSOLICITED when the request itself is unknown. The last four repeat what the request
    named, None where it named nothing that could be understood.
    """

    error: Refused
    operation_name: str
    device_id: str
    reference: Reference = None
    request_type: RequestType = RequestType.UNSOLICITED
    application_id: int | None = None
    campaign_name: str | None = None
    list_name: str | None = None
    handle: int | None = None


INTERNAL_ERROR = "internal error"
"""All that anybody hears of a defect; the text stays in the log."""


def failure_event(parsed: Parsed | ParsedFailure, error: Exception, door: Door) -> RequestFailed:
    """The event that tells of a request's failure after its HTTP answer, or over the desktop's door.

    ``code`` is 4 and the text says nothing of the cause when ``error`` is not the caller's fault.
    """
    source: object = parsed.command if isinstance(parsed, Parsed) else parsed
    is_refused = isinstance(error, Refused)
    return RequestFailed(
        device_id=getattr(source, "device_id", ""),
        door=door,
        reference=parsed.reference,
        number=error_number(error).value,
        code=error.code if isinstance(error, Refused) else 4,
        text=str(error) if is_refused else INTERNAL_ERROR,
        what=parsed.operation_name,
        application_id=getattr(source, "application_id", None),
        campaign_name=getattr(source, "campaign_name", None),
        list_name=getattr(source, "list_name", None),
        handle=getattr(source, "handle", None),
    )
