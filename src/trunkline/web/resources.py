"""Reads of the Web Services API: ``/me`` with its sub-resources and what the desktop reads at its start.

Source: Web Services API 5 and 7. What the server does not have (workbins, dispositions, business units) is answered as
an empty list, so that a desktop goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trunkline.app.ports import AgentSession
from trunkline.contract import resources
from trunkline.contract.answers import answer
from trunkline.contract.listings import listing, selected
from trunkline.contract.names import FEATURES, OFFLINE
from trunkline.contract.operations import VOICE_FEATURES, check_features
from trunkline.domain.people import Caller, Device
from trunkline.errors import InvalidState, NotFound, OutOfRange
from trunkline.web.exchange import Exchange
from trunkline.web.services import Services

Json = dict[str, Any]
SUBRESOURCES = (
    "devices",
    "features",
    "channels",
    "settings",
    "calls",
    "chats",
    "interactions",
    "skills",
    "statistics",
)
"""What can be nested into a user (Web Services API 5); those this server has none of are empty."""


class Desk:
    """What the reads of one agent need: the caller, its log-in, and the prefix of addresses."""

    def __init__(self, services: Services, caller: Caller, session: AgentSession | None) -> None:
        self.caller = caller
        self.session = session
        self.api_url = f"{services.settings.external_prefix}/api/v2"

    def state_of(self, device: Device) -> str:
        """The agent's state on a device: Offline on all but the one of the log-in."""
        session = self.session
        return session.state_name if session and session.device_id == device.device_id else OFFLINE.name

    def devices(self) -> list[Json]:
        """Items of ``devices``."""
        return [resources.device_resource(d, self.state_of(d), self.api_url) for d in self.caller.devices]

    def features(self) -> list[Json]:
        """Items of ``features``."""
        return [resources.feature_resource(feature, self.api_url) for feature in sorted(self.caller.features)]

    def channels(self) -> list[Json]:
        """Items of ``channels``; none before the log-in."""
        if self.session is None:
            return []
        return [resources.channel_resource("voice", self.session.state_name, self.api_url)]

    def subresource(self, name: str) -> Any:
        """One nested resource of the user."""
        if name == "settings":
            return resources.settings_resources(self.caller.features, self.api_url)["user"]["settings"]
        made = {"devices": self.devices, "features": self.features, "channels": self.channels}.get(name)
        return made() if made else []


async def desk_of(services: Services, caller: Caller) -> Desk:
    """Read the caller's log-in."""
    session = await services.store.agent_session(caller.contact_centre_id, caller.user_id)
    return Desk(services, caller, session)


async def get_me(exchange: Exchange, services: Services, caller: Caller) -> None:
    """``GET /me[?subresources=a,b|*][&fields=...]``: the user; browsers get their session cookie here."""
    services.auth.start_session(exchange, caller, is_secure=services.settings.session_cookie_secure)
    query = exchange.query()
    desk = await desk_of(services, caller)
    user = resources.user_resource(caller, desk.api_url)
    if "fields" in query:
        user = selected(user, query["fields"])
    for name in nested(query.get("subresources")):
        user[name] = desk.subresource(name)
    await exchange.answer(answer(user=user))


def nested(subresources: str | None) -> Sequence[str]:
    """The sub-resources that a query asks for; ``OutOfRange`` for an unknown one."""
    if not subresources:
        return ()
    if subresources.strip() == "*":
        return SUBRESOURCES
    names = [name.strip() for name in subresources.split(",") if name.strip()]
    for name in names:
        if name not in SUBRESOURCES:
            raise OutOfRange(f"subresources may name {', '.join(SUBRESOURCES)}")
    return tuple(dict.fromkeys(names))


async def get_list(exchange: Exchange, services: Services, caller: Caller, name: str) -> None:
    """``GET /me/devices`` and its like: a list with ``fields``, filters, paging and sorting."""
    desk = await desk_of(services, caller)
    items: list[Json] = desk.subresource(name)
    await exchange.answer(answer(**listing(name, items, exchange.query())))


async def get_device(exchange: Exchange, services: Services, caller: Caller, device_id: str) -> None:
    """``GET /me/devices/<id>``."""
    device = own_device(caller, device_id)
    desk = await desk_of(services, caller)
    shown = resources.device_resource(device, desk.state_of(device), desk.api_url)
    fields = exchange.query().get("fields")
    await exchange.answer(answer(device=selected(shown, fields) if fields else shown))


async def get_device_settings(exchange: Exchange, services: Services, caller: Caller, device_id: str) -> None:
    """``GET /me/devices/<id>/settings/tserver``."""
    own_device(caller, device_id)
    await exchange.answer(answer(**resources.device_settings()))


def own_device(caller: Caller, device_id: str) -> Device:
    """The caller's device; ``NotFound`` for a foreign or unknown one."""
    device = caller.device(device_id)
    if device is None:
        raise NotFound("there is no device with this id")
    return device


async def get_settings(exchange: Exchange, services: Services, caller: Caller) -> None:
    """``GET /internal-api/me/settings``: agent states, and the desktop's privileges and options."""
    api_url = f"{services.settings.external_prefix}/api/v2"
    await exchange.answer(answer(resources=resources.settings_resources(caller.features, api_url)))


async def get_contact_centre(exchange: Exchange, services: Services, caller: Caller) -> None:
    """``GET /internal-api/contact-center``."""
    api_url = f"{services.settings.external_prefix}/api/v2"
    shown = resources.contact_centre_resource(caller, api_url)
    await exchange.answer(answer(contactCenter=shown))


async def get_contact(exchange: Exchange, services: Services, caller: Caller, user_id: str) -> None:
    """``GET /contacts/<user id>?type=User``: a colleague of the same contact centre."""
    if exchange.query().get("type", "User") != "User":
        raise NotFound("there is no contact with this id")
    contact = caller if user_id == caller.public_id else None
    if contact is None:
        users = await services.store.users(caller.contact_centre_id)
        contact = next((u.caller for u in users if u.caller.public_id == user_id and u.is_enabled), None)
    if contact is None:
        raise NotFound("there is no contact with this id")
    api_url = f"{services.settings.external_prefix}/api/v2"
    await exchange.answer(answer(contact=resources.contact_resource(contact, api_url)))


async def get_services(exchange: Exchange, services: Services, caller: Caller) -> None:
    """``GET /services``: the parts of this server."""
    api_url = f"{services.settings.external_prefix}/api/v2"
    items = [
        resources.service_resource("outbound", "Outbound", "Outbound", is_active=True, api_url=api_url),
        resources.service_resource("notifications", "Notifications", "CometD", is_active=True, api_url=api_url),
        resources.service_resource("voice", "Voice", "Voice", is_active=False, api_url=api_url),
    ]
    await exchange.answer(answer(**listing("services", items, exchange.query())))


async def get_features(exchange: Exchange, services: Services, caller: Caller) -> None:
    """``GET /features``: every feature there is."""
    api_url = f"{services.settings.external_prefix}/api/v2"
    items = [resources.feature_resource(feature, api_url) for feature in FEATURES]
    await exchange.answer(answer(**listing("features", items, exchange.query())))


async def get_nothing(exchange: Exchange, services: Services, caller: Caller, name: str) -> None:
    """A list of which this server never has an item (groups, workbins): empty, so that a desktop goes on."""
    await exchange.answer(answer(**listing(name, [], exchange.query())))


async def post_call(exchange: Exchange, services: Services, caller: Caller) -> None:
    """Operations on calls: there is no telephony yet, said plainly."""
    check_features(VOICE_FEATURES, caller.features)
    await exchange.body(services.settings.max_body_bytes)
    raise InvalidState("no telephony configured")
