"""A whole configuration as one document: what it would do, without doing it."""

from __future__ import annotations

from trunkline.app.administration.applying import entries_of
from trunkline.app.administration.documents import MAX_DOCUMENT_BYTES
from trunkline.app.administration.dry_runs import Judged
from trunkline.contract.admin_requests import REASON, reason_of
from trunkline.contract.answers import answer
from trunkline.domain.people import Caller
from trunkline.domain.permissions import Permission
from trunkline.strict_json import decode_object
from trunkline.web.exchange import Exchange, only
from trunkline.web.rows import Row
from trunkline.web.services import Services

MAX_BYTES = 4 * MAX_DOCUMENT_BYTES
"""A document that was written as YAML grows at most threefold as JSON (an escape of two characters becomes six)."""


def rows() -> list[Row]:
    """The routes of documents."""
    return [Row("POST", "/api/v2/admin/documents/check", post_check, Permission.SUPERVISE)]


async def post_check(exchange: Exchange, services: Services, caller: Caller) -> None:
    """``POST /admin/documents/check[?changeReason=<text>]``: what ``trunkline apply`` would do or be refused.

    Nothing is changed. The reason is what would be said with each change.
    """
    query = exchange.query()
    only(query, REASON)
    reason = reason_of(query.get(REASON))
    document = decode_object(await exchange.body(MAX_BYTES), max_bytes=MAX_BYTES)
    judged = await services.dry_runs.judge(caller, entries_of(document), reason)
    await exchange.answer(answer(outcomes=[_shown(one) for one in judged]))


def _shown(judged: Judged) -> dict[str, object]:
    entry, refusal = judged.entry, judged.refusal
    return {
        "place": entry.place,
        "kind": entry.kind.name,
        "name": entry.name,
        "outcome": judged.outcome.value,
        "refusal": None if refusal is None else {"statusCode": refusal.code, "statusMessage": str(refusal)},
    }
