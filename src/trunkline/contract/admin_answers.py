"""What answers of the administration API hold that are no plain objects, as JSON schemas.

The shapes are written by ``contract.group_control``, ``explanations``, ``callbacks``, ``deliveries`` and the routes in
``web``; the HTTP tests hold real answers against these schemas.
"""

from __future__ import annotations

from trunkline.contract.admin_kinds import KINDS
from trunkline.contract.admin_schemas import (
    BOOL,
    COUNT,
    LONG,
    NUMBER,
    RATIO,
    TEXT,
    TIME_MS,
    TIME_S,
    closed,
    many,
    named,
    nullable,
    one_of,
    said,
    whole,
)
from trunkline.contract.callbacks import TYPES
from trunkline.contract.group_control import OPTIMIZE_BY_NAMES
from trunkline.contract.names import CALL_RESULT_NAMES, DIAL_MODE_NAMES
from trunkline.contract.notices import STATUS_NAMES
from trunkline.domain.attempts import AttemptStep
from trunkline.domain.enums import DoNotCallKind, Hold, RecordStatus, RecordType
from trunkline.domain.facts import Rule
from trunkline.domain.statistics import Waiting
from trunkline.domain.webhooks import DeliveryState

_NAME_OR_NULL = nullable(TEXT)
_RATIO_OR_NULL = nullable(RATIO)
_RULE = one_of(rule.value for rule in Rule)
_SECOND_OF_DAY = whole(0, 86_400)
_HOLD = said(nullable(one_of(hold.name for hold in Hold if hold)), "The kind of rule that put it back.")

GROUP = closed(
    (),
    "A campaign group as it stands.",
    id=NUMBER,
    name=TEXT,
    campaignId=NUMBER,
    campaignName=TEXT,
    agentGroupId=NUMBER,
    groupStatus=one_of(()) | {"type": "integer", "enum": [status.value for status in STATUS_NAMES]},
    groupStatusName=one_of(STATUS_NAMES.values()),
    isCompleting=BOOL,
    obstacle=said(_NAME_OR_NULL, "What keeps the group from working."),
    dialMode=one_of(DIAL_MODE_NAMES.values()),
    optimizeBy=one_of(OPTIMIZE_BY_NAMES.values()),
    optimizeGoal=COUNT,
    since=nullable(TIME_MS),
    loadedAt=nullable(TIME_MS),
    scheduleScriptId=said(COUNT, "The schedule that holds the group; 0 for none."),
)

_TALLY = {
    "hitRatio": _RATIO_OR_NULL,
    "overdialRate": _RATIO_OR_NULL,
    "attempts": COUNT,
    "leadsProcessed": COUNT,
    "callbacksCompleted": COUNT,
    "callbacksMissed": COUNT,
    "results": {
        "type": "object",
        "properties": dict.fromkeys(CALL_RESULT_NAMES.values(), COUNT),
        "additionalProperties": False,
        "description": "Attempts by call result; results without any are left out.",
    },
}
_RECORDS = {
    "countedAt": nullable(TIME_MS),
    "records": said(nullable(named(COUNT)), "Records by status; null until the list was counted."),
    "callbacksScheduled": nullable(COUNT),
    "chains": nullable(COUNT),
    "openChains": nullable(COUNT),
}
_SECONDS_LEFT = said(nullable(COUNT), "Seconds until the lists are worked, if that can be told.")
_LIST_HEAD = {"callingListId": NUMBER, "callingList": TEXT, **_TALLY}
_LIST_STATISTICS = closed((), "", **_LIST_HEAD, timeToComplete=_SECONDS_LEFT, bufferedChains=COUNT, **_RECORDS)
LIST_STATISTICS = closed(
    (),
    "A list over all groups that are loaded.",
    **_LIST_HEAD,
    bufferedChains=COUNT,
    **_RECORDS,
    campaignGroups=said(many(NUMBER), "Groups that work the list, by number."),
)
GROUP_STATISTICS = closed(
    (),
    "A group since it was loaded.",
    campaignGroup=GROUP,
    at=TIME_MS,
    busyFactor=_RATIO_OR_NULL,
    **_TALLY,
    timeToComplete=_SECONDS_LEFT,
    agents=closed((), "", assigned=COUNT, loggedIn=COUNT, inPreview=COUNT, withRecords=COUNT),
    bufferedChains=COUNT,
    waiting=many(one_of(what.value for what in Waiting)),
    lists=many(_LIST_STATISTICS),
)
SCHEDULE_RUN = closed(
    (),
    "A turn of a schedule.",
    item=said(COUNT, "Place of the item in the schedule."),
    dueAt=TIME_S,
    doneAt=nullable(TIME_MS),
    outcome=said(TEXT, "What came of it for each group."),
)

AUDIT_ROW = closed(
    (),
    "A request as the audit keeps it.",
    seq=LONG,
    timestamp=TIME_MS,
    userName=said(_NAME_OR_NULL, "Null for users gone and for the server."),
    requestType=COUNT,
    requestName=TEXT,
    door=TEXT,
    campaignName=_NAME_OR_NULL,
    callingList=_NAME_OR_NULL,
    recordHandle=nullable(LONG),
    errorNumber=said(COUNT, "0, or the number that the refusal had."),
    referenceId=said({}, "The caller's own mark."),
)

RECYCLING = closed(
    (),
    "A recycling of a list.",
    runId=NUMBER,
    madeAt=TIME_MS,
    records=COUNT,
    state=TEXT,
    which=said(TEXT, "What selected the records."),
)

CALLBACK = closed(
    (),
    "A callback.",
    callingList=_NAME_OR_NULL,
    chainId=LONG,
    chainN=COUNT,
    recordId=LONG,
    campaignName=_NAME_OR_NULL,
    callbackType=one_of(TYPES),
    userName=said(_NAME_OR_NULL, "The agent whose callback it is."),
    timestamp=said(TIME_S, "When it is due; while a rule holds it, when that lets go."),
    lateSeconds=said(COUNT, "Since `timestamp`, in every state."),
    heldBy=_HOLD,
    phoneNumber=TEXT,
    timeZone=TEXT,
    **{"from": _SECOND_OF_DAY, "until": _SECOND_OF_DAY},
    callResult=one_of(CALL_RESULT_NAMES.values()),
    attempts=COUNT,
    version=said(COUNT, "For the request that reassigns it."),
)

JUDGED = closed(
    (),
    "What would become of an entry of a document.",
    place=said(TEXT, "Such as campaigns[2]."),
    kind=one_of(kind.name for kind in KINDS.values()),
    name=TEXT,
    outcome=one_of(("made", "changed", "unchanged", "refused")),
    refusal=nullable(closed((), "Why, when it is refused.", statusCode=COUNT, statusMessage=TEXT)),
)

_VERDICT = closed(
    (),
    "What a rule says.",
    rule=_RULE,
    isBlocking=BOOL,
    value=TEXT,
    sentence=TEXT,
    since=nullable(TIME_S),
    until=said(nullable(TIME_S), "When the rule lets go; null when time alone will not do."),
)
_JUDGED = closed(
    (),
    "The record as one group of a campaign would call it.",
    campaignName=TEXT,
    campaignGroupName=TEXT,
    ruleSet=TEXT,
    ruleSetVersion=COUNT,
    mayBeCalled=BOOL,
    freeAt=nullable(TIME_S),
    verdicts=many(_VERDICT),
)
_ATTEMPT = {
    "seq": LONG,
    "timestamp": TIME_MS,
    "step": one_of(step.name for step in AttemptStep),
    "chainId": LONG,
    "chainN": COUNT,
    "recordId": LONG,
    "phoneNumber": said(TEXT, "The digits under which it is counted."),
    "userName": said(_NAME_OR_NULL, "The agent."),
    "campaignId": nullable(NUMBER),
    "attemptGuid": TEXT,
    "callResult": one_of(CALL_RESULT_NAMES.values()),
    "detail": said({"type": "object"}, "Facts of the step."),
}
EXPLAINED_RECORD = closed(
    (),
    "A record and every rule's verdict.",
    callingList=TEXT,
    chainId=LONG,
    chainN=COUNT,
    recordId=LONG,
    phoneNumber=TEXT,
    recordStatus=one_of(status.name for status in RecordStatus),
    recordType=one_of(kind.name for kind in RecordType),
    callResult=one_of(CALL_RESULT_NAMES.values()),
    attempts=COUNT,
    dueAt=nullable(TIME_S),
    heldBy=_HOLD,
    timeZone=TEXT,
    otherTimeZones=many(TEXT),
    region=TEXT,
    **{"from": _SECOND_OF_DAY, "until": _SECOND_OF_DAY},
    at=TIME_S,
    campaigns=many(_JUDGED),
    history=many(closed((), "A row of the attempt log.", **_ATTEMPT)),
)
EXPLAINED_ATTEMPT = closed(
    (),
    "A past attempt, judged again by the rules of then.",
    **_ATTEMPT,
    callingList=_NAME_OR_NULL,
    campaignName=_NAME_OR_NULL,
    ruleSet=TEXT,
    ruleSetVersion=COUNT,
    wasAllowed=BOOL,
    verdicts=many(_VERDICT),
)
OVERVIEW = closed(
    (),
    "A list in numbers, as a campaign group works it or by itself.",
    callingList=TEXT,
    campaignName=TEXT,
    campaignGroupName=TEXT,
    at=TIME_S,
    records=COUNT,
    byStatus={
        "type": "object",
        "properties": {status.name: COUNT for status in RecordStatus},
        "additionalProperties": False,
    },
    openRecords=COUNT,
    obstacles=said(many(_VERDICT), "What keeps the whole group or list from calling."),
    callableNow=COUNT,
    callableIfOn=said(COUNT, "Records that would be callable without the obstacles."),
    personalCallbacks=COUNT,
    heldBack=many(
        closed(
            (),
            "Records that a rule holds back; `alone` counts what it alone does.",
            rule=_RULE,
            records=COUNT,
            alone=COUNT,
            isEstimate=BOOL,
        )
    ),
    freePerHour=said(many(COUNT, 24), "Records that become callable in each of the next 24 hours."),
    freeLater=COUNT,
    neverFree=COUNT,
    sampled=COUNT,
    bufferedChains=COUNT,
)

SUPPRESSION_ENTRY = closed(
    (),
    "An entry of a suppression list.",
    kind=one_of(kind.value for kind in DoNotCallKind),
    value=TEXT,
    campaign=said(_NAME_OR_NULL, "The campaign group it holds for; null for all."),
    expiresAt=said(_NAME_OR_NULL, "A moment such as 2031-05-01T00:00:00Z; null for good."),
    holds=BOOL,
    reason=TEXT,
    source=TEXT,
    addedAt=TIME_MS,
    addedBy=said(nullable(COUNT), "Number of the user."),
)

DELIVERIES = {
    "anyOf": [
        closed((), "The webhook is switched off.", state={"const": "disabled"}),
        closed(
            (),
            "How the deliveries of a webhook fare.",
            state=one_of(state.value for state in DeliveryState),
            delivered=COUNT,
            deliveredAt=nullable(TIME_MS),
            failures=said(COUNT, "In a row."),
            failingSince=nullable(TIME_MS),
            failedAt=nullable(TIME_MS),
            nextTryAt=nullable(TIME_MS),
            lastStatus=said(nullable(COUNT), "HTTP status; null without an answer."),
            lastError=_NAME_OR_NULL,
            position=said(nullable(LONG), "The last row of the attempt log that is settled."),
            behind=said(nullable(LONG), "Rows that are not told yet."),
        ),
    ]
}
