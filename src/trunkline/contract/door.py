"""The HTTP door of third-party programs: ``POST /<resource>/<id>?req=<action>`` with a body of ``GSW_*`` keys.

The requests are those of desktops (``contract.user_events``) under other names; the path says what they are about. What
a body repeats of its path must agree with it. Source: outbound domain 7; ``outbound-enums.json``, http_interface.
"""

from __future__ import annotations

from typing import Any

import msgspec

from trunkline.contract import values
from trunkline.contract.messages import ACKNOWLEDGEMENT_NAMES
from trunkline.contract.parsed import Parsed, ParsedFailure
from trunkline.contract.refusals import UnknownOperation
from trunkline.contract.user_data import acknowledged_user_data
from trunkline.contract.user_events import parse_request
from trunkline.contract.values import INT32_MAX, MAX_CUSTOMER_ID, MAX_NAME, Body
from trunkline.domain.events import RecordAcknowledged
from trunkline.domain.numbers import canonical_number
from trunkline.errors import InvalidState, MissingParameter, NotFound, Refused

_encode = msgspec.json.Encoder().encode
_A, _C, _L, _H = "GSW_APPLICATION_ID", "GSW_CAMPAIGN_NAME", "GSW_CALLING_LIST", "GSW_RECORD_HANDLE"
_PHONE, _CUSTOMER = "GSW_PHONE", "GSW_CUSTOMER_ID"

ON_LIST = {"AddRecord": "AddRecord"}
ON_RECORD = {
    "RecordProcessed": "RecordProcessed",
    "UpdateCallCompletionStats": "UpdateCallCompletionStats",
    "RecordCancel": "RequestRecordCancel",
    "RecordReschedule": "RecordReschedule",
    "DoNotCall": "DoNotCall",
}
ON_CONTACT = {"DoNotCall": "DoNotCall", "RecordCancel": "RequestRecordCancel"}
ACTIONS: dict[str, dict[str, str]] = {
    "lists": ON_LIST,
    "records": ON_RECORD,
    "phones": ON_CONTACT,
    "customer_ids": ON_CONTACT,
}
"""Resource type -> ``req`` -> the desktop's request that does the same."""

_NO_CAMPAIGN = "-"
"""Stands in for a campaign that the body does not name while the request is read: desktops must name one."""


def parse_door(resource: str, resource_id: str, action: str | None, body: Body) -> Parsed:
    """A request of a third party. Its command names campaign "" and application 0 when the body names none.

    ``resource`` is one of ``ACTIONS``, ``resource_id`` is decoded, ``action`` is ``req`` of the query. Raises
    ``Refused`` as for a desktop's request; ``NotFound`` for an id that nothing can have.
    """
    if action is None:
        raise MissingParameter("req is required in the query")
    name = ACTIONS[resource].get(action)
    if name is None:
        raise UnknownOperation(f"req must be one of {', '.join(ACTIONS[resource])}")
    key = _key_of(resource, resource_id)
    user_data: Body = dict(body)
    if not _agrees(user_data.get(key), resource_id, key):
        raise InvalidState(f"{key} is not that of the path")
    for other in (_H, _PHONE, _CUSTOMER) if resource in ("phones", "customer_ids") else ():
        if other != key and user_data.get(other) is not None:
            raise InvalidState(f"{other} contradicts the path")
    has_campaign, has_application = user_data.get(_C) is not None, user_data.get(_A) is not None
    user_data[key] = resource_id
    if not has_campaign:
        user_data[_C] = _NO_CAMPAIGN
    if not has_application:
        user_data[_A] = 1
    parsed = parse_request(name, user_data, "")
    if isinstance(parsed, ParsedFailure):
        raise parsed.error
    command: Any = parsed.command
    left_out: dict[str, object] = {} if has_campaign else {"campaign_name": ""}
    left_out |= {} if has_application else {"application_id": 0}
    return msgspec.structs.replace(parsed, command=msgspec.structs.replace(command, **left_out))


def agent_name_of(body: Body) -> str | None:
    """Whom a new record is for: GSW_AGENT_ID, checked."""
    value = body.get("GSW_AGENT_ID")
    return None if value is None else values.text(value, "GSW_AGENT_ID", MAX_NAME)


def acknowledgement(event: RecordAcknowledged) -> bytes:
    """The body of the answer: the user data that a desktop would get, with the reference echoed."""
    user_data = acknowledged_user_data(event, ACKNOWLEDGEMENT_NAMES[event.what])
    if not event.campaign_name:
        del user_data[_C]
    if not event.application_id:
        del user_data[_A]
    if event.reference is not None:
        user_data["GSW_REFERENCE_ID"] = event.reference
    return _encode(user_data)


def _agrees(named: Any, resource_id: str, key: str) -> bool:
    """False when the body names something else than the path."""
    if named is None or str(named) == resource_id:
        return True
    return key == _PHONE and type(named) is str and canonical_number(named) == canonical_number(resource_id)


def _key_of(resource: str, resource_id: str) -> str:
    """The key that says the same as the path; refuses ids that nothing can have."""
    if resource == "records":
        if (
            not resource_id.isascii()
            or not resource_id.isdigit()
            or len(resource_id) > 10
            or int(resource_id) > INT32_MAX
        ):
            raise NotFound("there is no record with this handle on a desk")
        return _H
    if resource == "lists":
        if not 0 < len(resource_id) <= MAX_NAME:
            raise NotFound("there is no calling list with this name")
        return _L
    if resource == "customer_ids":
        if not 0 < len(resource_id) <= MAX_CUSTOMER_ID:
            raise NotFound(f"a customer id has 1 to {MAX_CUSTOMER_ID} characters")
        return _CUSTOMER
    try:
        values.phone_number(resource_id, _PHONE, None)
    except Refused as error:
        raise NotFound(f"the path is no number: {error}") from None
    return _PHONE
