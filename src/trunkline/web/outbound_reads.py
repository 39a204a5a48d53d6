"""Reads of the Outbound API (extensions): what is on my desk, which campaigns are mine. Source: decisions 5.

They are read beside the writer: what was answered is committed, so a read that begins afterwards sees it.
"""

from __future__ import annotations

from typing import Any

from trunkline.app.judging.calling_times import Gate, gate_of
from trunkline.app.ports import DeskKey, Held
from trunkline.contract.answers import answer
from trunkline.contract.operations import OUTBOUND_FEATURES, check_features
from trunkline.contract.resources import campaign_resource, record_resource
from trunkline.domain.desk import check_may_read
from trunkline.domain.people import Caller
from trunkline.errors import NotFound
from trunkline.web.exchange import Exchange
from trunkline.web.services import Services

Gates = dict[tuple[int, int, int], Gate]
"""What says whether hours are open, by campaign group, campaign and list."""


async def get_records(exchange: Exchange, services: Services, caller: Caller) -> None:
    """``GET /me/outbound-records``: always full, by handle; what a reconnected client reads first."""
    check_features(OUTBOUND_FEATURES, caller.features)
    desk = await services.store.desk_of(caller.contact_centre_id, caller.user_id)
    gates: Gates = {}
    shown = [_shown(services, held, gates) for held in desk]
    await exchange.answer(answer(records=[record for record in shown if record is not None]))


async def get_record(exchange: Exchange, services: Services, caller: Caller, handle: int) -> None:
    """``GET /me/outbound-records/<handle>``."""
    check_features(OUTBOUND_FEATURES, caller.features)
    found = await services.store.held([DeskKey(caller.contact_centre_id, handle)])
    check_may_read(found[0].entry if found else None, caller.user_id)
    shown = _shown(services, found[0], {})
    if shown is None:
        raise NotFound("the campaign of this record no longer exists")
    await exchange.answer(answer(record=shown))


def _shown(services: Services, held: Held, gates: Gates) -> dict[str, Any] | None:
    """The resource, None when the record's campaign was deleted meanwhile.

    Whether its hours are open is asked now; ``gates`` keeps what is needed for it from one record to the next.
    """
    entry = held.entry
    campaign = services.book.campaign_by_id(entry.contact_centre_id, entry.campaign_id, entry.user_id)
    if campaign is None:
        return None
    calling_list = services.book.list_by_id(entry.contact_centre_id, entry.list_id)
    now_s = services.clock.now_s()
    key = (campaign.group_id, campaign.campaign_id, calling_list.list_id)
    gate = gates.get(key)
    if gate is None:
        gate = gates[key] = gate_of(campaign, calling_list, services.book, now_s)
    is_open = gate.opens(held.record.window, now_s)
    return record_resource(entry, held.record, campaign, calling_list, is_open=is_open)


async def get_campaigns(exchange: Exchange, services: Services, caller: Caller, name: str | None) -> None:
    """``GET /me/outbound-campaigns[/<name>]``: the loaded campaigns that the caller is an agent of."""
    check_features(OUTBOUND_FEATURES, caller.features)
    mine = services.book.campaigns_of(caller.contact_centre_id, caller.user_id)
    if name is None:
        await exchange.answer(answer(campaigns=[campaign_resource(campaign) for campaign in mine]))
        return
    campaign = next((campaign for campaign in mine if campaign.name == name), None)
    if campaign is None:
        raise NotFound("there is no campaign with this campaignName")
    await exchange.answer(answer(campaign=campaign_resource(campaign)))
