"""``GET /admin/explain/...``: why a record, a list or a campaign is not called; for supervisors, and ours."""

from __future__ import annotations

from trunkline.app.explain.documents import attempts_as_json, overviews_as_json, records_as_json
from trunkline.app.explain.explaining import Explainer, Target
from trunkline.contract.answers import answer
from trunkline.domain.people import Caller
from trunkline.domain.permissions import Permission
from trunkline.errors import OutOfRange
from trunkline.web.admin import number, require_supervisor
from trunkline.web.exchange import Exchange
from trunkline.web.rows import Row
from trunkline.web.services import Services

_PARAMETERS = {"callingList", "chainId", "chainN", "recordId", "recordHandle", "phoneNumber", "campaignName"}


def rows() -> list[Row]:
    """The routes."""
    api, supervise = "/api/v2/admin/explain", Permission.SUPERVISE
    record = {"callingList": "list name", "chainId": "chain", "recordHandle": "handle", "phoneNumber": "number"}
    return [
        Row("GET", f"{api}/records", get_records, supervise, record),
        Row("GET", f"{api}/attempts", get_attempts, supervise, record),
        Row("GET", f"{api}/lists/{{list_name}}", get_list, supervise, {"list_name": "list name"}),
        Row("GET", f"{api}/campaigns/{{campaign_name}}", get_campaign, supervise, {"campaign_name": "campaign name"}),
    ]


def _explainer(services: Services, caller: Caller) -> Explainer:
    require_supervisor(caller)
    urls = services.settings.validation_urls
    return Explainer(services.store, services.book, caller.contact_centre_id, services.clock.now_ms(), urls)


def _target(query: dict[str, str]) -> Target:
    """Which records the query means; ``OutOfRange`` names a parameter that is unknown or no number."""
    unknown = set(query) - _PARAMETERS
    if unknown:
        raise OutOfRange(f"{min(unknown)} is no parameter; there are {', '.join(sorted(_PARAMETERS))}")
    return Target(
        list_name=query.get("callingList"),
        chain_id=number(query, "chainId"),
        chain_n=number(query, "chainN"),
        record_id=number(query, "recordId"),
        handle=number(query, "recordHandle"),
        phone_number=query.get("phoneNumber"),
    )


async def get_records(exchange: Exchange, services: Services, caller: Caller) -> None:
    """``GET /admin/explain/records``: every rule's verdict.

    Query: ``callingList`` and ``chainId`` (and ``chainN``), or ``recordId``, or ``recordHandle``, or ``phoneNumber``;
    ``campaignName`` for one campaign instead of all that have the list.
    """
    explainer, query = _explainer(services, caller), exchange.query()
    told = await explainer.records(_target(query), query.get("campaignName"))
    await exchange.answer(answer(records=records_as_json(told)))


async def get_attempts(exchange: Exchange, services: Services, caller: Caller) -> None:
    """``GET /admin/explain/attempts``: past attempts judged again by the rules of then. Query as for records."""
    told = await _explainer(services, caller).attempts(_target(exchange.query()))
    await exchange.answer(answer(attempts=attempts_as_json(told)))


async def get_list(exchange: Exchange, services: Services, caller: Caller, list_name: str) -> None:
    """``GET /admin/explain/lists/<name>``: how many records each rule holds back, and when they become free."""
    told = await _explainer(services, caller).list(list_name)
    await exchange.answer(answer(lists=overviews_as_json(told)))


async def get_campaign(exchange: Exchange, services: Services, caller: Caller, campaign_name: str) -> None:
    """``GET /admin/explain/campaigns/<name>``: the same for every list of a campaign, as each group works it."""
    told = await _explainer(services, caller).campaign(campaign_name)
    await exchange.answer(answer(lists=overviews_as_json(told)))
