"""Names of the request audit. Source: outbound domain 3.4; the numbers from 100 on are ours."""

from __future__ import annotations

from trunkline.domain.enums import RequestType

REQUEST_TYPE_NAMES: dict[RequestType, str] = {
    RequestType.UNSOLICITED: "Unsolicited",
    RequestType.PREVIEW_RECORD_REQUEST: "PreviewRecordRequest",
    RequestType.CHAINED_RECORD_REQUEST: "ChainedRecordRequest",
    RequestType.ADD_RECORD: "AddRecord",
    RequestType.PREVIEW_DIALING_MODE_START: "PreviewDialingModeStart",
    RequestType.PREVIEW_DIALING_MODE_OVER: "PreviewDialingModeOver",
    RequestType.UPDATE_CALL_COMPLETION_STATS: "UpdateCallCompletionStats",
    RequestType.RECORD_PROCESSED: "RecordProcessed",
    RequestType.RECORD_REJECT: "RecordReject",
    RequestType.REQUEST_RECORD_CANCEL: "RequestRecordCancel",
    RequestType.RECORD_RESCHEDULE: "RecordReschedule",
    RequestType.SCHEDULED_RECORD_RESCHEDULE: "ScheduledRecordReschedule",
    RequestType.DO_NOT_CALL: "DoNotCall",
    RequestType.CONTINUE_PROCESSING: "ContinueProcessing",
    RequestType.LOGOUT: "Logout",
    RequestType.READY_TIME: "ReadyTime",
    RequestType.CAMPAIGN_STATUS: "CampaignStatus",
    RequestType.SESSION_START: "StartContactCenterSession",
    RequestType.SESSION_END: "EndContactCenterSession",
    RequestType.AGENT_STATE: "AgentState",
    RequestType.STALE_RESET: "ResetStale",
    RequestType.LIST_IMPORT: "ImportList",
    RequestType.GROUP_LOAD: "LoadCampaign",
    RequestType.GROUP_UNLOAD: "UnloadCampaign",
    RequestType.GROUP_FORCE_UNLOAD: "ForceUnloadCampaign",
    RequestType.GROUP_START: "StartDialing",
    RequestType.GROUP_STOP: "StopDialing",
    RequestType.GROUP_MODE: "SetDialingMode",
    RequestType.GROUP_COMPLETE: "CompleteCampaign",
    RequestType.CALLBACK_REASSIGN: "ReassignCallback",
    RequestType.SUPPRESSION_ADD: "AddSuppression",
    RequestType.SUPPRESSION_REMOVE: "RemoveSuppression",
    RequestType.SUPPRESSION_IMPORT: "ImportSuppressionList",
    RequestType.PERSON_EXPORT: "ExportPerson",
    RequestType.PERSON_ERASE: "ErasePerson",
    RequestType.SUPPRESSION_EMPTY: "EmptySuppressionList",
    RequestType.LIST_RECYCLE: "RecycleList",
    RequestType.LIST_RECYCLE_UNDO: "UndoRecycling",
    RequestType.LIST_MOVE: "MoveChains",
    RequestType.LIST_EMPTY: "EmptyList",
}
"""Number -> name, for people."""
