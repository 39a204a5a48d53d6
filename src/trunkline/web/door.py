"""The HTTP door of third-party programs: ``/lists``, ``/records``, ``/phones``, ``/customer_ids``, ``/campaigngroups``.

Supervisors and administrators may use it. A success is answered with the acknowledgement as JSON, a failure with its
HTTP status and a sentence as plain text. Source: outbound domain 7; decisions 1 and 7.
"""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from trunkline.app.asking import Asked
from trunkline.contract import door_groups
from trunkline.contract.door import ACTIONS, acknowledgement, agent_name_of, parse_door
from trunkline.contract.door_groups import GroupRequest, group_answer, parse_group_request
from trunkline.domain.commands import AddRecord
from trunkline.domain.enums import Door
from trunkline.domain.events import RecordAcknowledged
from trunkline.domain.group_control import ControlRefused
from trunkline.domain.people import Caller
from trunkline.domain.permissions import Permission, check_permission
from trunkline.domain.third_party import ThirdPartyRequest
from trunkline.errors import Defect, NotFound, OutOfRange, Refused, TooLarge
from trunkline.web.exchange import Exchange
from trunkline.web.outbound import read_object, request_key
from trunkline.web.services import Services

RESOURCES = frozenset({*ACTIONS, door_groups.RESOURCE})
PREFIXES = tuple(f"/{resource}/" for resource in RESOURCES)
REPEAT_HEADER = b"idempotency-key"
MAX_REPEAT_KEY = 255
"""Bytes of the header: a uuid has 36."""


def is_door(path: str) -> bool:
    """True for paths of this door."""
    return path.startswith(PREFIXES)


async def post_door(exchange: Exchange, services: Services, caller: Caller) -> None:
    """Carry out one request of a third party and answer when it is committed."""
    if not services.settings.http_door:
        raise NotFound("there is nothing at this path")
    check_permission(Permission.SUPERVISE, caller)
    if exchange.method != "POST":
        exchange.extra.append((b"allow", b"POST"))
        await exchange.answer_text("the method is not allowed on this resource", 405)
        return
    received_ns = services.clock.monotonic_ns()
    resource, resource_id = named_by(exchange)
    body, content = await read_object(exchange, services)
    action = exchange.query().get("req")
    mark = _mark_of(exchange)
    path = f"{resource}/{resource_id}?{action}:{mark}"
    if resource == door_groups.RESOURCE:
        request = parse_group_request(resource_id, action, content)
        key = _key(caller, path, body, is_marked=bool(mark) or request.reference is not None)
        await _serve_group(exchange, services, caller, request, key)
        return
    parsed = parse_door(resource, resource_id, action, content)
    key = _key(caller, path, body, is_marked=bool(mark) or parsed.reference is not None)
    command = parsed.command
    asked = Asked(
        caller=caller,
        command=ThirdPartyRequest(
            command=command,  # type: ignore[arg-type]  # the door's own table names these kinds only
            agent=await _agent(services, caller, agent_name_of(content)) if isinstance(command, AddRecord) else None,
        ),
        request_type=parsed.request_type,
        door=Door.HTTP,
        reference=parsed.reference,
        request_key=key,
        received_ns=received_ns,
    )
    row = await services.writer.submit(asked)
    event = row.row.events[0] if row is not None and row.row.events else None
    if not isinstance(event, RecordAcknowledged):
        raise Defect("a request of the door was accepted without an acknowledgement")
    await exchange.answer(acknowledgement(event))


async def _serve_group(
    exchange: Exchange, services: Services, caller: Caller, request: GroupRequest, key: int | None
) -> None:
    """A request about a campaign group; a refusal names the control protocol's own error."""
    groups, number = services.groups, request.campaign_group_id
    try:
        if request.wish is None:
            campaign = groups.status(caller, number)
        else:
            campaign = await groups.control(
                caller, number, request.wish, door=Door.HTTP, reference=request.reference, request_key=key
            )
    except ControlRefused as refused:
        raise Refused(f"{refused.error.title} ({refused.error.value}): {refused}", refused.code) from None
    await exchange.answer(group_answer(campaign, request.reference))


def _key(caller: Caller, path: str, body: bytes, *, is_marked: bool) -> int | None:
    """What recognises a repetition; None for a request without any mark."""
    return request_key(caller, path, body) if is_marked else None


def named_by(exchange: Exchange) -> tuple[str, str]:
    """Resource type and id, decoded from the path as it was sent: an id may hold a slash when it is encoded."""
    raw: bytes = exchange.scope.get("raw_path") or exchange.path.encode("utf-8", "surrogateescape")
    parts = raw.split(b"?", 1)[0].split(b"/")
    if len(parts) != 3 or parts[1].decode("latin-1") not in RESOURCES:
        raise NotFound("there is nothing at this path")
    try:
        return parts[1].decode("ascii"), unquote_to_bytes(parts[2]).decode("utf-8")
    except UnicodeDecodeError:
        raise NotFound("the id of the path is not UTF-8") from None


async def _agent(services: Services, caller: Caller, name: str | None) -> Caller | None:
    if name is None:
        return None
    user = await services.store.user(caller.contact_centre_id, name)
    if user is None or not user.is_enabled:
        raise NotFound("there is no agent with this GSW_AGENT_ID")
    return user.caller


def _mark_of(exchange: Exchange) -> str:
    """The header by which a client says that a request is the same one again; empty without."""
    value = exchange.header(REPEAT_HEADER) or b""
    if len(value) > MAX_REPEAT_KEY:
        raise TooLarge(f"Idempotency-Key is longer than {MAX_REPEAT_KEY} bytes")
    if not value.isascii():
        raise OutOfRange("Idempotency-Key must be ASCII")
    return value.decode("ascii")
