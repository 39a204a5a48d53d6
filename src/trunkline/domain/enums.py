"""Numbered vocabulary of calling lists: exact numbers, Python names.

Source: outbound domain 1.3 to 1.6, 3.4, 4.3, 4.4. A test compares every number and name
with ``contract/data/outbound-enums.json``.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class PhoneType(IntEnum):
    """Kind of contact (column contact_info_type, API phoneType)."""

    NO_CONTACT_TYPE = 0
    HOME_PHONE = 1
    DIRECT_BUSINESS_PHONE = 2
    BUSINESS_WITH_EXT = 3
    MOBILE = 4
    VACATION_PHONE = 5
    PAGER = 6
    MODEM = 7
    VOICE_MAIL = 8
    PIN_PAGER = 9
    EMAIL_ADDRESS = 10
    INSTANT_MESSAGING = 11

    @property
    def is_dialable(self) -> bool:
        """False for the two kinds that are kept and shown but never dialed (decisions 5)."""
        return self not in (PhoneType.EMAIL_ADDRESS, PhoneType.INSTANT_MESSAGING)


class RecordType(IntEnum):
    """Why a record waits to be called (column record_type)."""

    NO_RECORD_TYPE = 0
    UNKNOWN = 1
    GENERAL = 2
    CAMPAIGN_RESCHEDULED = 3
    PERSONAL_RESCHEDULED = 4
    PERSONAL_CALL_BACK = 5
    CAMPAIGN_CALL_BACK = 6
    NO_CALL = 7

    @property
    def is_personal(self) -> bool:
        """True when only the agent named in the record may get it."""
        return self in (RecordType.PERSONAL_CALL_BACK, RecordType.PERSONAL_RESCHEDULED)


class RecordStatus(IntEnum):
    """Where a record stands in its life (column record_status); the machine is in ``records``."""

    NO_RECORD_STATUS = 0
    READY = 1
    RETRIEVED = 2
    UPDATED = 3
    STALE = 4
    CANCELLED = 5
    AGENT_ERROR = 6
    CHAIN_UPDATED = 7
    MISSED_CALL_BACK = 8
    CHAIN_READY = 9
    DELEGATED = 10


class CallResult(IntEnum):
    """Outcome of a call attempt (column call_result)."""

    OK = 0
    TRANSFERRED = 1
    CONFERENCED = 2
    GENERAL_ERROR = 3
    SYSTEM_ERROR = 4
    REMOTE_RELEASE = 5
    BUSY = 6
    NO_ANSWER = 7
    SIT_DETECTED = 8
    ANSWERING_MACHINE = 9
    ALL_TRUNKS_BUSY = 10
    SIT_INVALID_NUM = 11
    SIT_VACANT = 12
    SIT_OPER_INTERCEPT = 13
    SIT_UNKNOWN = 14
    SIT_NO_CIRCUIT = 15
    SIT_REORDER = 16
    FAX_DETECTED = 17
    QUEUE_FULL = 18
    CLEARED = 19
    OVERFLOWED = 20
    ABANDONED = 21
    REDIRECTED = 22
    FORWARDED = 23
    CONSULT = 24
    PICKEDUP = 25
    DROPPED = 26
    DROPPED_NO_ANSWER = 27
    UNKNOWN = 28
    COVERED = 29
    CONVERSE_ON = 30
    BRIDGED = 31
    SILENCE = 32
    ANSWER = 33
    NU_TONE = 34
    NO_DIAL_TONE = 35
    NO_PROGRESS = 36
    NO_RING_BACK = 37
    NO_ESTABLISHED_DETECTED = 38
    PAGER_DETECTED = 39
    WRONG_PARTY = 40
    DIAL_ERROR = 41
    CALL_DROP_ERROR = 42
    SWITCH_ERROR = 43
    NO_FREE_PORT_ERROR = 44
    TRANSFER_ERROR = 45
    STALE = 46
    AGENT_CALL_BACK_ERROR = 47
    GROUP_CALL_BACK_ERROR = 48
    DEAFENED = 49
    HELD = 50
    DO_NOT_CALL = 51
    CANCEL_RECORD = 52
    WRONG_NUMBER = 53


class DialMode(IntEnum):
    """How a campaign group dials."""

    NO_DIAL_MODE = 0
    PREDICT = 1
    PROGRESS = 2
    PREVIEW = 3
    PROGRESS_AND_SEIZE = 4
    PREDICT_AND_SEIZE = 5
    POWER = 6
    POWER_AND_SEIZE = 7
    PUSH_PREVIEW = 8
    PROGRESS_GVP = 9
    PREDICT_GVP = 10
    POWER_GVP = 11


class OptimizeBy(IntEnum):
    """What predictive dialing aims at (outbound domain 4.5); the goal is percent for the first two, else seconds."""

    BUSY_FACTOR = 1
    OVERDIAL_RATE = 2
    WAIT_TIME = 3
    DISTRIBUTION_TIME = 4
    MAXIMUM_GAIN = 5


class Hold(IntEnum):
    """Why a record has a due time that neither a callback nor a treatment gave it."""

    NONE = 0
    ATTEMPT_RULE = 1
    """Its number or person was called as often as the campaign's rules permit."""
    QUIET_TIME = 2
    """There was a conversation with the person not long ago."""
    VALIDATION = 3
    """The pre-dial validation could not answer; it is asked again later."""
    SUPPRESSION = 4
    """A do-not-call entry that ends names it; it is judged again every day until then."""


class FieldType(IntEnum):
    """Data type of a custom field (outbound domain 1.1)."""

    INT = 1
    FLOAT = 2
    CHAR = 3
    VARCHAR = 4
    DATE_TIME = 5


class GroupStatus(IntEnum):
    """State of a campaign group."""

    NOT_LOADED = 0
    WAITING_UNLOAD = 1
    UNLOAD_IN_PROGRESS = 2
    IN_ACTIVE = 3
    ACTIVE = 4
    RUNNING = 5

    @property
    def is_loaded(self) -> bool:
        """True when agents may see the campaign and its callbacks."""
        return self in (GroupStatus.IN_ACTIVE, GroupStatus.ACTIVE, GroupStatus.RUNNING)


class RequestType(IntEnum):
    """Numbers of the request audit (gsw_request_log); 0 marks what nobody asked for.

    Numbers from 100 on are ours: requests of the Web Services API that the original
    audit does not know.
    """

    UNSOLICITED = 0
    PREVIEW_RECORD_REQUEST = 1
    CHAINED_RECORD_REQUEST = 2
    ADD_RECORD = 3
    PREVIEW_DIALING_MODE_START = 4
    PREVIEW_DIALING_MODE_OVER = 5
    UPDATE_CALL_COMPLETION_STATS = 9
    RECORD_PROCESSED = 10
    RECORD_REJECT = 11
    REQUEST_RECORD_CANCEL = 12
    RECORD_RESCHEDULE = 13
    SCHEDULED_RECORD_RESCHEDULE = 14
    DO_NOT_CALL = 15
    CONTINUE_PROCESSING = 16
    LOGOUT = 18
    READY_TIME = 19
    CAMPAIGN_STATUS = 20
    SESSION_START = 100
    SESSION_END = 101
    AGENT_STATE = 102
    STALE_RESET = 103
    LIST_IMPORT = 104
    GROUP_LOAD = 110
    GROUP_UNLOAD = 111
    GROUP_FORCE_UNLOAD = 112
    GROUP_START = 113
    GROUP_STOP = 114
    GROUP_MODE = 115
    GROUP_COMPLETE = 116
    CALLBACK_REASSIGN = 130
    SUPPRESSION_ADD = 120
    SUPPRESSION_REMOVE = 121
    SUPPRESSION_IMPORT = 122
    PERSON_EXPORT = 123
    PERSON_ERASE = 124
    SUPPRESSION_EMPTY = 125
    LIST_RECYCLE = 170
    LIST_RECYCLE_UNDO = 171
    LIST_MOVE = 172
    LIST_EMPTY = 173


class Door(IntEnum):
    """Through which door a request came in; it decides the shape of the answer (decisions 2)."""

    INSIDE = 0
    REST = 1
    USER_EVENT = 2
    HTTP = 3
    """Third-party programs (outbound domain 7); the HTTP answer is the acknowledgement."""


class ChainAttribute(StrEnum):
    """Whether a request means one record or its whole chain."""

    ALL_CHAIN = "AllChain"
    RECORD_ONLY = "RecordOnly"


class CallbackType(StrEnum):
    """Who takes a callback: the agent who set it, or anyone of the campaign."""

    PERSONAL = "Personal"
    CAMPAIGN = "Campaign"


class Treatment(StrEnum):
    """Whom a retry after RecordProcessed is for."""

    PERSONAL = "Personal"
    CAMPAIGN = "Campaign"


class RecordAction(IntEnum):
    """What a step of a treatment does with the record (recActionCode).

    Number 13 of the original ran a supervisor's SQL; here it sends an HTTP hook.
    """

    NO_REC_ACTION_CODE = 0
    MARK_DB = 1
    MARK_ALL_CHAIN = 2
    CYCLE = 3
    RETRY_IN = 4
    RETRY_AT_DATE = 5
    NEXT_IN_CHAIN = 6
    NEXT_IN_CHAIN_AFTER = 7
    NEXT_IN_CHAIN_AT_DATE = 8
    ASSIGN_TO_GROUP = 9
    MARK_AS_AGENT_ERROR = 10
    RESCHEDULE = 11
    DELEGATE_FOR_PROCESSING = 12
    EXECUTE_SQL_STATEMENT = 13


class CallAction(IntEnum):
    """What a step of a treatment does with the live call (callActionCode); carried out by the dialer."""

    NO_CALL_ACTION_CODE = 0
    CONNECT = 1
    DROP = 2
    MUTE_TRANSFER = 3
    TRANSFER = 4
    ROUTE = 5
    PLAY_MESSAGE = 6
    SEND_FAX = 7
    SEND_PAGE = 8
    SEND_EMAIL = 9


class DoNotCallKind(StrEnum):
    """What a do-not-call entry names."""

    NUMBER = "number"
    CUSTOMER = "customer"
    ACCOUNT = "account"


class SuppressionScope(StrEnum):
    """How far an agent's do-not-call entry reaches (decisions 5)."""

    CONTACT_CENTRE = "contact centre"
    CAMPAIGN = "campaign only"
