"""What routes beside the kinds take and answer, by handler, for the OpenAPI description.

Answers that the server writes as structs are described from these; all others from ``contract.admin_answers``. A route
below ``/api/v2/admin/`` whose handler is not here has no description, and the tests refuse it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from trunkline.app.administration.applying import MAX_ENTRIES
from trunkline.app.imports.report import ImportReport, ImportStanding
from trunkline.app.lists.work import ListReport
from trunkline.app.persons import MAX_REASON as MAX_ERASE_REASON
from trunkline.app.persons import EraseReport
from trunkline.app.stored import JournalRow
from trunkline.app.stored_contacts import Suppression
from trunkline.app.suppression.emptying import EmptyingReport
from trunkline.app.suppression.entries import MAX_TEXT, MAX_VALUE
from trunkline.app.suppression.importing import SuppressionReport
from trunkline.contract import admin_answers as answers
from trunkline.contract import callbacks as contract_callbacks
from trunkline.contract.admin_documents import SECTIONS
from trunkline.contract.admin_requests import MAX_REASON
from trunkline.contract.admin_schemas import (
    BOOL,
    COUNT,
    LONG,
    NUMBER,
    TEXT,
    body,
    closed,
    kept,
    kept_components,
    many,
    nullable,
    of_struct,
    one_of,
    said,
    text,
    whole,
)
from trunkline.contract.group_control import DIAL_MODES, OPERATIONS, OPTIMIZE_BY_NAMES
from trunkline.contract.values import INT32_MAX, MAX_NAME, MAX_REFERENCE, MAX_TIME_S
from trunkline.domain.attempts import AttemptRow
from trunkline.domain.columns import MAX_COLUMNS
from trunkline.domain.enums import DoNotCallKind
from trunkline.domain.filters import MAX_CRITERIA
from trunkline.domain.group_control import MAX_GOAL_S
from trunkline.domain.import_specifications import DuplicateScope, FileFormat, ImportMode, NumberCheck
from trunkline.domain.records import MAX_PHONE_NUMBER, Record
from trunkline.web import (
    admin,
    callbacks,
    documents,
    explain,
    exports,
    group_control,
    imports,
    list_work,
    persons,
    suppression,
    webhooks,
)

Json = dict[str, Any]
JSON, CSV, LINES = "application/json", "text/csv", "application/x-ndjson"
FILE: Json = {"type": "string"}
"""A file of any length: it comes and goes in parts."""
REGION = text(2)
"""A country of two letters."""
SWITCH = one_of(("true", "false"))
ENCODING = said(text(64), "utf-8, iso-8859-1 or windows-1252.")


class Described(NamedTuple):
    """An operation.

    ``parameters`` are those beside the path's; ``body`` is a schema by media type; ``content`` are the keys of the
    answer beside ``statusCode``, ``files`` media types of one that is a file; ``others`` are answers of further
    statuses, ``notes`` sentences for people.
    """

    parameters: tuple[Json, ...] = ()
    body: Mapping[str, Json] = {}
    needs_body: bool = True
    content: Mapping[str, Json] = {}
    optional: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    others: Mapping[str, Json] = {}
    notes: str = ""


def query(name: str, schema: Json, about: str = "") -> Json:
    """A parameter of the query."""
    made: Json = {"name": name, "in": "query", "schema": schema}
    return {**made, "description": about} if about else made


def mapping(about: str) -> Json:
    """Parameters ``map.<meaning>``, each naming a column."""
    names = {"pattern": r"^map\."}
    schema = {"type": "object", "propertyNames": names, "additionalProperties": TEXT, "maxProperties": MAX_COLUMNS}
    return {**query("mapping", schema, about), "style": "form", "explode": True}


COMPONENTS = kept_components(Record, AttemptRow, JournalRow, Suppression)
"""Parts of what is kept about persons, which their answer names."""
_NAME = text(MAX_NAME, 1)
_NAMED: Json = {"type": "object", "properties": {"name": _NAME}, "required": ["name"]}
_CRITERIA = said(text(MAX_CRITERIA), "A filter; empty for the whole list.")
_DRY_RUN = said(BOOL, "Count only.")
_LIST_REPORT = {"report": of_struct(ListReport)}
_PERSON = {
    "number": said(text(MAX_PHONE_NUMBER), "Either a number or a customer id."),
    "region": said(REGION, "The country of a number without a country code."),
    "customerId": text(MAX_PHONE_NUMBER),
}
_ABOUT_RECORDS = (
    query("callingList", _NAME, "With chainId, and chainN for one record of the chain."),
    query("chainId", LONG),
    query("chainN", LONG),
    query("recordId", LONG),
    query("recordHandle", LONG),
    query("phoneNumber", text(MAX_PHONE_NUMBER)),
    query("campaignName", _NAME, "One campaign instead of all that have the list."),
)
_SINCE_UNTIL = (query("since", whole(0, MAX_TIME_S), "Unix seconds."), query("until", whole(0, MAX_TIME_S)))
_ENTRY = {
    "value": said(text(MAX_VALUE, 1), "A telephone number, a customer id or an account."),
    "kind": said(one_of(DoNotCallKind), "Without it the list's own."),
    "campaign": said(text(MAX_NAME), "The campaign group it is to hold for; without it all."),
    "expiresAt": said(text(MAX_TEXT), "A moment, or `never`; without it what the list says."),
    "reason": text(MAX_TEXT, 1),
    "source": text(MAX_TEXT),
}
_IMPORT_QUERY: dict[str, Json] = {
    "mode": one_of(ImportMode),
    "format": one_of(FileFormat),
    "delimiter": text(1),
    "region": REGION,
    "numbers": one_of(NumberCheck),
    "zones": one_of(("number", "list")),
    "duplicates": one_of(DuplicateScope),
    "duplicateCustomers": one_of(DuplicateScope),
    "doNotCall": SWITCH,
}


def _lists() -> dict[Callable[..., Any], Described]:
    page = whole(1, admin.MAX_AUDIT_ROWS, admin.DEFAULT_AUDIT_ROWS)
    return {
        admin.get_requests: Described(
            parameters=(
                query("userName", _NAME),
                query("requestType", COUNT, "The number of a kind of request."),
                query("recordHandle", LONG),
                *_SINCE_UNTIL,
                query("limit", page),
                query("before", LONG, "`seq` of the last row of the page before."),
            ),
            content={"requests": many(answers.AUDIT_ROW, admin.MAX_AUDIT_ROWS)},
        ),
        documents.post_check: Described(
            body={JSON: body((), "As `trunkline apply` reads it.", **dict.fromkeys(SECTIONS, nullable(many(_NAMED))))},
            parameters=(query("changeReason", text(MAX_REASON), "What would be said with each change."),),
            content={"outcomes": many(answers.JUDGED, MAX_ENTRIES)},
        ),
        admin.post_chain: Described(body={JSON: _operation("ResetStale")}),
        list_work.post_check: Described(
            body={JSON: body((), criteria=text(MAX_CRITERIA), orderBy=text(MAX_CRITERIA), callingList=text(MAX_NAME))},
            content={
                "explanation": said(TEXT, "The filter in words."),
                "records": said(nullable(COUNT), "How many it selects now; null without a list."),
            },
        ),
        list_work.get_recyclings: Described(
            content={"recyclings": many(answers.RECYCLING, list_work.MAX_RUNS)},
        ),
        list_work.post_recycling: Described(
            body={JSON: body((), criteria=_CRITERIA, keepAttempts=BOOL, dryRun=_DRY_RUN)}, content=_LIST_REPORT
        ),
        list_work.post_undo: Described(body={JSON: body()}, needs_body=False, content=_LIST_REPORT),
        list_work.post_removal: Described(
            body={JSON: body((), criteria=_CRITERIA, all=said(BOOL, "The whole list."), dryRun=_DRY_RUN)},
            content=_LIST_REPORT,
        ),
        list_work.post_move: Described(
            body={
                JSON: body(
                    ("targetList",),
                    targetList=_NAME,
                    criteria=_CRITERIA,
                    count=nullable(whole(1, INT32_MAX)),
                    percent=nullable(whole(1, 100)),
                    allowOtherFormat=said(BOOL, "Also to a list with other custom fields."),
                    dryRun=_DRY_RUN,
                )
            },
            content=_LIST_REPORT,
        ),
    }


def _operation(*names: str, **others: Json) -> Json:
    return body(("operationName",), operationName=one_of(names), **others)


def _files() -> dict[Callable[..., Any], Described]:
    standing, report = of_struct(ImportStanding), of_struct(ImportReport)
    return {
        imports.post_import: Described(
            parameters=(
                query("importId", text(MAX_REFERENCE), "Imports with the same id go on where they stopped."),
                query("dryRun", SWITCH),
                query("encoding", ENCODING),
                query("specification", text(MAX_NAME), "A saved import specification, which the others change."),
                *(query(name, schema) for name, schema in _IMPORT_QUERY.items()),
                mapping("`map.<meaning>=<column>` for each column that is not called as its meaning."),
            ),
            body={CSV: FILE, LINES: FILE},
            content={"report": report, "statusMessage": said(TEXT, "Of an import that was finished before.")},
            optional=("statusMessage",),
            others={"202": {"import": standing}, "400": {"report": report}},
            notes="202: it takes longer and goes on; ask for its progress. 400 with a report: rows were refused.",
        ),
        imports.get_import: Described(content={"import": standing}),
        exports.get_export: Described(
            parameters=(query("format", one_of(FileFormat)), query("spreadsheet", SWITCH, "Defuse formulas.")),
            files=(CSV, LINES),
        ),
        suppression.get_export: Described(parameters=(query("spreadsheet", SWITCH, "Defuse formulas."),), files=(CSV,)),
    }


def _suppression() -> dict[Callable[..., Any], Described]:
    page = whole(1, admin.MAX_AUDIT_ROWS, admin.DEFAULT_AUDIT_ROWS)
    report = of_struct(SuppressionReport)
    one = body(("value", "reason"), "One entry.", **_ENTRY, region=REGION)
    item = body(("value", "reason"), **_ENTRY)
    several = body(("entries",), "Several.", entries=many(item, suppression.MAX_ENTRIES), region=REGION)
    kind, region = query("kind", one_of(DoNotCallKind)), query("region", REGION)
    value = query("value", text(MAX_PHONE_NUMBER), "However it is spelled.")
    return {
        suppression.get_entries: Described(
            parameters=(
                *(kind, value, region),
                query("holds", SWITCH, "Those that hold now, or those that ended."),
                query("count", SWITCH, "Count the whole list too."),
                query("limit", page),
                query("after", text(MAX_TEXT), "`next` of the page before."),
            ),
            content={
                "entries": many(answers.SUPPRESSION_ENTRY, admin.MAX_AUDIT_ROWS),
                "next": said(TEXT, "Missing on the last page."),
                "count": closed((), "", entries=COUNT, ended=COUNT),
            },
            optional=("next", "count"),
        ),
        suppression.post_entries: Described(
            parameters=(
                query("mode", one_of(ImportMode), "This and all that follow: of a file alone."),
                query("dryRun", SWITCH),
                region,
                query("delimiter", text(1)),
                query("encoding", ENCODING),
                query("reason", text(MAX_TEXT), "Of rows without one."),
                query("source", text(MAX_TEXT)),
                mapping("`map.<meaning>=<column>`."),
            ),
            body={JSON: {"oneOf": [one, several]}, CSV: FILE},
            content={"added": said(COUNT, "Entries of a JSON body."), "report": said(report, "Of a file.")},
            optional=("added", "report"),
            others={"400": {"report": report}},
        ),
        suppression.delete_entries: Described(
            parameters=(
                *({**value, "required": True}, kind, region, query("campaign", text(MAX_NAME))),
                {**query("reason", text(MAX_TEXT, 1)), "required": True},
            ),
            content={"removed": COUNT},
        ),
        suppression.post_removal: Described(
            body={
                JSON: body(
                    ("all",),
                    all=said({"const": True}, "So that nobody empties a list by mistake."),
                    reason=said(text(MAX_TEXT), "For the audit; needed unless dryRun."),
                    dryRun=_DRY_RUN,
                )
            },
            content={"report": of_struct(EmptyingReport)},
        ),
    }


def _people() -> dict[Callable[..., Any], Described]:
    several: dict[str, Json] = {
        "records": many(kept(Record, callingList=nullable(TEXT))),
        "attempts": many(kept(AttemptRow, seq=LONG, step=TEXT)),
        "requests": many(kept(JournalRow, seq=LONG, requestType=TEXT)),
        "suppressions": many(kept(Suppression)),
    }
    erase = {
        "reason": said(text(MAX_ERASE_REASON, 1), "For the audit."),
        "dryRun": _DRY_RUN,
        "doNotCall": said(BOOL, "Enter the person into the contact centre's own suppression list first."),
    }
    postpone = _operation(
        "ReassignCallback",
        userName=said(nullable(text(MAX_NAME)), "Without it anyone of the campaign."),
        timestamp=said(nullable(whole(0, MAX_TIME_S - 1)), "Unix seconds; without it as it is, or now."),
        version=said(nullable(NUMBER), "The version that was listed."),
    )
    return {
        persons.post_export: Described(
            body={JSON: body((), **_PERSON)}, content={"person": closed((), "Everything that is kept.", **several)}
        ),
        persons.post_erase: Described(
            body={JSON: body(("reason",), **_PERSON, **erase)}, content={"report": of_struct(EraseReport)}
        ),
        callbacks.get_callbacks: Described(
            parameters=(
                query("state", one_of(contract_callbacks.STATES)),
                query("callbackType", one_of(contract_callbacks.TYPES)),
                *(query(name, _NAME) for name in ("callingList", "campaignName", "userName")),
                *_SINCE_UNTIL,
                query("limit", whole(1, contract_callbacks.MAX_PAGE, contract_callbacks.DEFAULT_PAGE)),
                query("cursor", text(contract_callbacks.MAX_CURSOR), "`nextCursor` of the page before."),
            ),
            content={
                "callbacks": many(answers.CALLBACK, contract_callbacks.MAX_PAGE),
                "nextCursor": said(nullable(TEXT), "Null on the last page."),
            },
        ),
        callbacks.post_callback: Described(body={JSON: postpone}),
        webhooks.get_deliveries: Described(content={"deliveries": answers.DELIVERIES}),
        webhooks.post_deliveries: Described(body={JSON: _operation("Resume")}),
    }


def _groups() -> dict[Callable[..., Any], Described]:
    control = _operation(
        *OPERATIONS,
        dialMode=nullable(one_of(name for name in DIAL_MODES if name != "NoDialMode")),
        optimizeBy=nullable(one_of(OPTIMIZE_BY_NAMES.values())),
        optimizeGoal=said(nullable(whole(0, MAX_GOAL_S)), "Percent or seconds."),
        referenceId=said({"type": ["string", "number", "boolean", "null"], "maxLength": MAX_REFERENCE}, "Your mark."),
    )
    group = {"campaignGroup": answers.GROUP}
    return {
        group_control.get_all_status: Described(content={"campaignGroups": many(answers.GROUP)}),
        group_control.post_group: Described(body={JSON: control}, content=group),
        group_control.get_status: Described(content=group),
        group_control.get_statistics: Described(content={"statistics": answers.GROUP_STATISTICS}),
        group_control.get_list_statistics: Described(content={"statistics": answers.LIST_STATISTICS}),
        group_control.get_runs: Described(content={"runs": many(answers.SCHEDULE_RUN)}),
        explain.get_records: Described(parameters=_ABOUT_RECORDS, content={"records": many(answers.EXPLAINED_RECORD)}),
        explain.get_attempts: Described(
            parameters=_ABOUT_RECORDS, content={"attempts": many(answers.EXPLAINED_ATTEMPT)}
        ),
        explain.get_list: Described(content={"lists": many(answers.OVERVIEW)}),
        explain.get_campaign: Described(content={"lists": many(answers.OVERVIEW)}),
    }


DESCRIBED: dict[Callable[..., Any], Described] = {**_lists(), **_files(), **_suppression(), **_people(), **_groups()}
"""By handler."""

PATH: dict[str, Json] = {
    "list_name": _NAME,
    "campaign_name": _NAME,
    "import_id": text(MAX_REFERENCE, 1),
    "object_id": NUMBER,
    "webhook_id": NUMBER,
    "run_id": NUMBER,
    "chain_id": LONG,
    "chain_n": LONG,
}
"""Parameters of paths."""
