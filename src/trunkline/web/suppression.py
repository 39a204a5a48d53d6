"""Suppression lists over HTTP: pages of entries, entries added and removed, files imported and exported.

``/api/v2/admin/suppression-lists/<name>/entries``, ``/export`` and ``/removals``; the list ``own`` is the contact
centre's own. For supervisors and administrators. Lists themselves are objects like any other.
"""

from __future__ import annotations

from typing import Any

from trunkline.app.asking import Asked
from trunkline.app.ports import Suppression, SuppressionKey, SuppressionQuery
from trunkline.app.suppression.emptying import Emptying
from trunkline.app.suppression.entries import (
    AddEntries,
    EntryMaker,
    Given,
    RemoveEntries,
    Wrong,
    check_may_suppress,
    existing,
    list_named,
)
from trunkline.app.suppression.exporting import exported, moment
from trunkline.app.suppression.importing import ENCODINGS, SuppressionOrder, import_entries
from trunkline.contract.answers import answer
from trunkline.domain.enums import DoNotCallKind, Door, RequestType
from trunkline.domain.import_specifications import ImportMode
from trunkline.domain.people import Caller
from trunkline.domain.permissions import Permission
from trunkline.errors import MissingParameter, OutOfRange, TooLarge
from trunkline.web.admin import limit_of
from trunkline.web.exchange import FIXED, Exchange, only
from trunkline.web.outbound import read_object
from trunkline.web.rows import Row
from trunkline.web.services import Services
from trunkline.web.uploads import charset_of, store_body, temporary_file

MAX_ENTRIES = 500
"""Entries of one request: more of them are a file."""
_TEXTS = ("kind", "campaign", "expiresAt", "reason", "source")
_FIELDS = {"expires_at": "expiresAt"}
"""Fields of an entry that a body calls otherwise than the columns of a file."""
_SWITCHES = {"true": True, "false": False}


def rows() -> list[Row]:
    """The routes of suppression lists."""
    base, named = "/api/v2/admin/suppression-lists/{list_name}", {"list_name": "suppression list name"}
    return [
        Row("GET", f"{base}/entries", get_entries, Permission.SUPERVISE, named),
        Row("POST", f"{base}/entries", post_entries, Permission.SUPERVISE, named),
        Row("DELETE", f"{base}/entries", delete_entries, Permission.SUPERVISE, named),
        Row("GET", f"{base}/export", get_export, Permission.SUPERVISE, named),
        Row("POST", f"{base}/removals", post_removal, Permission.SUPERVISE, named),
    ]


async def get_entries(exchange: Exchange, services: Services, caller: Caller, list_name: str) -> None:
    """``GET .../entries``: a page.

    Query: ``kind``, ``value`` with ``region``, ``holds`` and ``count`` (true or false), ``limit``, ``after``. ``next``
    of the answer is the ``after`` of the next page; it is missing on the last one.
    """
    check_may_suppress(caller)
    target = list_named(services.book, caller.contact_centre_id, list_name)
    query = exchange.query()
    only(query, "kind", "value", "region", "holds", "limit", "after", "count")
    now_s = services.clock.now_s()
    kind, value_key = _kind(query.get("kind")), None
    if "value" in query:
        maker = EntryMaker(services.book, target, services.clock.now_ms(), None, region=query.get("region", ""))
        entry = maker.entry(Given(value=query["value"], kind=query.get("kind", ""), expires="never"))
        kind, value_key = entry.contact
    holds = _switch(query, "holds")
    limit = limit_of(query)
    page = await services.store.suppression_entries(
        SuppressionQuery(
            contact_centre_id=caller.contact_centre_id,
            suppression_list_id=target.suppression_list_id,
            kind=kind,
            value_key=value_key,
            ends_after_s=now_s if holds is True else None,
            ends_until_s=now_s if holds is False else None,
            after=_place(caller, target.suppression_list_id, query["after"]) if "after" in query else None,
            limit=limit,
        )
    )
    campaigns = {one.campaign_id: one.name for one in services.book.groups_of(caller.contact_centre_id)}
    found: dict[str, Any] = {"entries": [_shown(entry, campaigns, now_s) for entry in page]}
    if len(page) == limit:
        last = page[-1].key
        found["next"] = f"{last.kind.value}:{last.campaign_id}:{last.value_key}"
    if _switch(query, "count"):
        counts = await services.store.suppression_counts(caller.contact_centre_id, now_s)
        count = counts.get(target.suppression_list_id)
        found["count"] = {"entries": count.entries if count else 0, "ended": count.ended if count else 0}
    await exchange.answer(answer(**found))


async def post_entries(exchange: Exchange, services: Services, caller: Caller, list_name: str) -> None:
    """``POST .../entries``: one entry or ``entries`` as JSON, or a CSV file (``text/csv``) as for the command line."""
    check_may_suppress(caller)
    target = list_named(services.book, caller.contact_centre_id, list_name)
    kind = (exchange.header(b"content-type") or b"").decode("latin-1").partition(";")[0].strip().lower()
    if kind == "text/csv":
        await _import(exchange, services, caller, list_name)
        return
    _, content = await read_object(exchange, services)
    given = content.get("entries", [content])
    if not isinstance(given, list) or not given:
        raise OutOfRange("entries must be a list of objects")
    if len(given) > MAX_ENTRIES:
        raise TooLarge(f"entries holds more than {MAX_ENTRIES}; send a file")
    region = content.get("region", "")
    if not isinstance(region, str):
        raise OutOfRange("region must be a text")
    maker = EntryMaker(services.book, target, services.clock.now_ms(), caller.user_id, region=region)
    entries = [_made(maker, one, f"entries[{at}]." if "entries" in content else "") for at, one in enumerate(given)]
    command = AddEntries(suppression_list_id=target.suppression_list_id, entries=entries)
    note = f"{len(entries)} to {target.name}: {entries[0].reason}"
    await _submit(services, caller, command, RequestType.SUPPRESSION_ADD, note)
    await exchange.answer(answer(added=len(entries)))


async def delete_entries(exchange: Exchange, services: Services, caller: Caller, list_name: str) -> None:
    """``DELETE .../entries?value=...&reason=...``, with ``kind``, ``region`` and ``campaign`` as they were given."""
    check_may_suppress(caller)
    target = list_named(services.book, caller.contact_centre_id, list_name)
    query = exchange.query()
    only(query, "kind", "value", "region", "campaign", "reason")
    for name in ("value", "reason"):
        if not query.get(name, "").strip():
            raise MissingParameter(f"{name} is required")
    maker = EntryMaker(services.book, target, services.clock.now_ms(), None, region=query.get("region", ""))
    about = {name: query.get(name, "") for name in ("value", "kind", "campaign", "reason")}
    entry = maker.entry(Given(**about, expires="never"))
    there = await existing(services.store, [entry.key])
    note = f"{len(there)} from {target.name}: {entry.reason}"
    await _submit(services, caller, RemoveEntries(keys=[entry.key]), RequestType.SUPPRESSION_REMOVE, note)
    await exchange.answer(answer(removed=len(there)))


async def post_removal(exchange: Exchange, services: Services, caller: Caller, list_name: str) -> None:
    """``POST .../removals``: take all entries out, for good, of a list that applies nowhere.

    Body: ``all``, which must be true, and ``reason``; ``dryRun`` counts only and needs no reason.
    """
    check_may_suppress(caller)
    target = list_named(services.book, caller.contact_centre_id, list_name)
    _, content = await read_object(exchange, services)
    if not set(content) <= {"all", "reason", "dryRun"}:
        raise OutOfRange("the body may hold all, reason, dryRun alone")
    reason, is_dry_run = content.get("reason", ""), content.get("dryRun", False)
    if not isinstance(reason, str):
        raise OutOfRange("reason must be a text")
    if not isinstance(is_dry_run, bool):
        raise OutOfRange("dryRun must be true or false")
    if content.get("all") is not True:
        raise MissingParameter("all: true is required; single entries are removed with DELETE entries")
    emptying = Emptying(services.store, services.clock, services.writer.submit)
    if is_dry_run:
        report = await emptying.count(caller, target)
    else:
        report = await emptying.empty(caller, services.book, target, reason, door=Door.REST)
    await exchange.answer(answer(report=report))


async def get_export(exchange: Exchange, services: Services, caller: Caller, list_name: str) -> None:
    """``GET .../export``: the entries that hold, as CSV; ``spreadsheet=true`` for reading in one."""
    check_may_suppress(caller)
    target = list_named(services.book, caller.contact_centre_id, list_name)
    query = exchange.query()
    only(query, "spreadsheet")
    is_safe = bool(_switch(query, "spreadsheet"))
    headers = [(b"content-type", b"text/csv; charset=utf-8"), *FIXED[1:], *exchange.extra]
    await exchange.send({"type": "http.response.start", "status": 200, "headers": headers})
    now_s = services.clock.now_s()
    async for text in exported(services.store, services.book, target, now_s, is_for_spreadsheets=is_safe):
        await exchange.send({"type": "http.response.body", "body": text.encode(), "more_body": True})
    await exchange.send({"type": "http.response.body", "body": b""})


async def _import(exchange: Exchange, services: Services, caller: Caller, list_name: str) -> None:
    query = exchange.query()
    mapping = {name.removeprefix("map."): query.pop(name) for name in list(query) if name.startswith("map.")}
    only(query, "mode", "dryRun", "region", "delimiter", "encoding", "reason", "source")
    mode = query.get("mode", ImportMode.ALL.value)
    if mode not in set(ImportMode):
        raise OutOfRange("mode must be all or good")
    encoding = query.get("encoding", "") or charset_of(exchange)
    if encoding.strip().lower() not in ENCODINGS:
        raise OutOfRange("encoding must be utf-8, iso-8859-1 or windows-1252")
    order = SuppressionOrder(
        mode=ImportMode(mode),
        is_dry_run=bool(_switch(query, "dryRun")),
        region=query.get("region", ""),
        delimiter=query.get("delimiter", ","),
        encoding=encoding,
        mapping=mapping,
        reason=query.get("reason", ""),
        source=query.get("source", ""),
        door=Door.REST,
    )
    target = list_named(services.book, caller.contact_centre_id, list_name)
    door = services.imports
    with door.places.taken(caller.contact_centre_id), temporary_file(door.spool_dir) as file:
        await store_body(exchange, file, door.max_bytes)
        about = (services.book, caller, target, order, file)
        report = await import_entries(services.store, services.writer.submit, services.clock, *about)
    if report.is_refused and not report.is_dry_run:
        message = f"{report.rows_refused} of {report.rows_read} rows were refused, so nothing was added"
        await exchange.answer(answer(statusCode=OutOfRange.code, statusMessage=message, report=report), 400)
    else:
        await exchange.answer(answer(report=report))


async def _submit(services: Services, caller: Caller, command: object, kind: RequestType, note: str) -> None:
    await services.writer.submit(
        Asked(caller=caller, command=command, request_type=kind, door=Door.REST, reference=note)
    )


def _made(maker: EntryMaker, content: Any, place: str) -> Suppression:
    """An entry of a body; what is wrong with it is told under the names of the body."""
    try:
        return maker.entry(_given(content))
    except Wrong as wrong:
        raise OutOfRange(f"{place}{_FIELDS.get(wrong.field, wrong.field)} {wrong.reason}") from None


def _given(content: Any) -> Given:
    if not isinstance(content, dict):
        raise OutOfRange("entries must be a list of objects")
    value = content.get("value")
    if value is None:
        raise MissingParameter("value is required")
    texts = {name: content.get(name) for name in _TEXTS}
    for name, text in [("value", value), *texts.items()]:
        if text is not None and not isinstance(text, str):
            raise OutOfRange(f"{name} must be a text")
    if not (texts["reason"] or "").strip():
        raise MissingParameter("reason is required")
    plain = {("expires" if name == "expiresAt" else name): text or "" for name, text in texts.items()}
    return Given(value=value, **plain)


def _shown(entry: Suppression, campaigns: dict[int, str], now_s: int) -> dict[str, Any]:
    return {
        "kind": entry.kind.value,
        "value": entry.value,
        "campaign": None if entry.campaign_id is None else campaigns.get(entry.campaign_id, f"#{entry.campaign_id}"),
        "expiresAt": None if entry.expires_at_s is None else moment(entry.expires_at_s),
        "holds": entry.holds(now_s),
        "reason": entry.reason,
        "source": entry.source,
        "addedAt": entry.added_at_ms,
        "addedBy": entry.added_by,
    }


def _kind(text: str | None) -> DoNotCallKind | None:
    if text is None:
        return None
    if text not in set(DoNotCallKind):
        raise OutOfRange(f"kind must be one of {', '.join(DoNotCallKind)}")
    return DoNotCallKind(text)


def _switch(query: dict[str, str], name: str) -> bool | None:
    if name not in query:
        return None
    if query[name] not in _SWITCHES:
        raise OutOfRange(f"{name} must be true or false")
    return _SWITCHES[query[name]]


def _place(caller: Caller, suppression_list_id: int, text: str) -> SuppressionKey:
    kind, _, rest = text.partition(":")
    campaign, colon, value_key = rest.partition(":")
    if kind not in set(DoNotCallKind) or not colon or not campaign.isascii() or not campaign.isdigit():
        raise OutOfRange("after must be the next of the page before")
    if len(campaign) > len(str(2**31 - 1)) or int(campaign) >= 2**31:
        raise OutOfRange("after must be the next of the page before")
    return SuppressionKey(caller.contact_centre_id, DoNotCallKind(kind), value_key, suppression_list_id, int(campaign))
