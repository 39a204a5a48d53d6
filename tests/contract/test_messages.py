"""Messages beyond the documented operations: the desktop's door, what nobody asked for, failures."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.samples import (
    AGENT_REQUESTS,
    DEVICE_ID,
    DEVICE_PATH,
    NOTHING,
    RECORD,
    TIMING,
    Json,
    acknowledged,
    campaign_changed,
    decoded,
    shown,
    state_changed,
)
from tests.support.shapes import table
from trunkline.contract.messages import messages_of
from trunkline.contract.refusals import ErrorNumber
from trunkline.domain.enums import CallbackType, CallResult, ChainAttribute, DialMode, Door, RequestType, Treatment
from trunkline.domain.events import (
    Acknowledgement,
    AgentAcknowledged,
    AnyEvent,
    Appearance,
    CampaignStep,
    NothingToPreview,
    RecordWithdrawn,
    RequestFailed,
)

ENUMS = table("outbound-enums")["desktop_messages"]
BOTH = ["/v2/me/outbound", "/me/internal"]
_A = Acknowledgement


def channels_of(event: AnyEvent) -> list[str]:
    """Where an event goes."""
    return [channel for channel, _ in decoded(event)]


def user_data_of(event: AnyEvent) -> Json:
    """The user data on the desktop's channel."""
    found: Json = decoded(event)[-1][1]["userData"]
    return found


def outbound_of(event: AnyEvent) -> Json:
    """The message on the API's channel."""
    return decoded(event)[0][1]


# --- doors -------------------------------------------------------------------------------------------------------

BY_DOOR = [
    lambda door: acknowledged(_A.UPDATED, door, call_result=CallResult.BUSY),
    lambda door: acknowledged(_A.ADDED, door, record=RECORD),
    lambda door: acknowledged(_A.PROCESSED, door),
    lambda door: acknowledged(_A.REJECTED, door),
    lambda door: acknowledged(_A.SUPPRESSED, door),
    lambda door: acknowledged(_A.RESCHEDULED, door, local_time="12/31/2030 09:30", callback_type=CallbackType.PERSONAL),
    lambda door: acknowledged(_A.CALLBACK_MOVED, door, callback_type=CallbackType.CAMPAIGN),
    lambda door: acknowledged(_A.CANCELLED, door),
    lambda door: acknowledged(_A.CHAIN_END, door, chain_id=17),
    lambda door: shown(Appearance.PREVIEW, door, reference="r"),
    lambda door: shown(Appearance.CHAINED, door, reference="r"),
    lambda door: campaign_changed(CampaignStep.STARTED, door, reference="r"),
    lambda door: RequestFailed(
        device_id=DEVICE_ID, door=door, reference="r", number=8, code=6, text="no", what="UpdateRecord"
    ),
]


@pytest.mark.parametrize("make", BY_DOOR)
def test_doors(make: Any) -> None:
    """REST and unasked go to both channels, the API's first; the desktop's door to the desktop's alone."""
    assert channels_of(make(Door.REST)) == channels_of(make(Door.INSIDE)) == BOTH
    assert channels_of(make(Door.USER_EVENT)) == ["/me/internal"]


@pytest.mark.parametrize("make", BY_DOOR)
def test_references_by_door(make: Any) -> None:
    """REST answers with referenceId and no GSW_REFERENCE_ID, the desktop's door the other way round."""
    event = make(Door.REST)
    assert outbound_of(event)["referenceId"] == event.reference
    assert "GSW_REFERENCE_ID" not in user_data_of(event)
    assert "referenceId" not in decoded(event)[-1][1]
    assert user_data_of(make(Door.USER_EVENT))["GSW_REFERENCE_ID"] == event.reference


@pytest.mark.parametrize("reference", ["r-1", 1, 1.5, True, False, 0, ""])
def test_references_keep_their_type(reference: Any) -> None:
    """GSW_REFERENCE_ID is echoed with its JSON type; none at all leaves the key out."""
    echoed = user_data_of(acknowledged(_A.REJECTED, Door.USER_EVENT, reference=reference))["GSW_REFERENCE_ID"]
    assert echoed == reference
    assert type(echoed) is type(reference)
    assert "GSW_REFERENCE_ID" not in user_data_of(acknowledged(_A.REJECTED, Door.USER_EVENT, reference=None))


@pytest.mark.parametrize("door", [Door.INSIDE, Door.REST, Door.USER_EVENT])
def test_the_preview_that_is_empty(door: Door) -> None:
    """No record: both channels by REST with no list and no handle, the desktop's alone by its own door."""
    event = NothingToPreview(device_id=DEVICE_ID, door=door, application_id=134, campaign_name="Campaign1")
    assert channels_of(event) == (["/me/internal"] if door is Door.USER_EVENT else BOTH)
    assert user_data_of(event) == {
        "GSW_APPLICATION_ID": 134,
        "GSW_USER_EVENT": "PreviewRecordEmpty",
        "GSW_CAMPAIGN_NAME": "Campaign1",
    }
    outbound = outbound_of(NOTHING)
    assert outbound["notificationType"] == "PreviewRecordEmpty"
    assert outbound["record"] == {"campaignName": "Campaign1", "devicePath": DEVICE_PATH, "applicationId": 134}


# --- acknowledgements --------------------------------------------------------------------------------------------

FIVE = {"GSW_APPLICATION_ID", "GSW_CAMPAIGN_NAME", "GSW_CALLING_LIST", "GSW_RECORD_HANDLE", "GSW_USER_EVENT"}


@pytest.mark.parametrize(
    ("event", "name", "further"),
    [
        (acknowledged(_A.UPDATED), "UpdateCallCompletionStatsAcknowledge", {"GSW_CALL_RESULT": "28"}),
        (acknowledged(_A.PROCESSED), "RecordProcessedAcknowledge", {}),
        (
            acknowledged(_A.PROCESSED, treatment=Treatment.CAMPAIGN),
            "RecordProcessedAcknowledge",
            {"GSW_TREATMENT": "Campaign"},
        ),
        (acknowledged(_A.REJECTED), "RecordRejectAcknowledge", {}),
        (acknowledged(_A.SUPPRESSED), "DoNotCallAcknowledge", {}),
        (
            acknowledged(_A.SUPPRESSED, chain_attribute=ChainAttribute.RECORD_ONLY, phone_number="1"),
            "DoNotCallAcknowledge",
            {"GSW_CHAIN_ATTR": "RecordOnly"},
        ),
        (acknowledged(_A.CANCELLED), "RecordCancelAcknowledge", {}),
        (
            acknowledged(_A.RESCHEDULED, local_time="1/1/2030 9:00", callback_type=CallbackType.PERSONAL),
            "RecordRescheduleAcknowledge",
            {},
        ),
        (
            acknowledged(_A.CALLBACK_MOVED, callback_type=CallbackType.PERSONAL),
            "ScheduledRecordRescheduleAcknowledge",
            {},
        ),
        (acknowledged(_A.CHAIN_END, chain_id=17), "ChainedRecordsDataEnd", {"GSW_CHAIN_ID": 17}),
    ],
)
def test_acknowledgements_by_rest(event: AnyEvent, name: str, further: Json) -> None:
    """The five keys and exactly the documented further ones; the name stands in both messages."""
    user_data = user_data_of(event)
    assert user_data["GSW_USER_EVENT"] == outbound_of(event)["notificationType"] == name
    assert {key: value for key, value in user_data.items() if key not in FIVE} == further
    assert set(user_data) >= FIVE


def test_callbacks_by_the_desktops_door() -> None:
    """Time and kind of the callback go back by the desktop's door, as far as they were given."""
    event = acknowledged(
        *(_A.RESCHEDULED, Door.USER_EVENT),
        local_time="1/1/2030 9:00",
        callback_type=CallbackType.PERSONAL,
        reference=None,
    )
    further = {key: value for key, value in user_data_of(event).items() if key not in FIVE}
    assert further == {"GSW_DATE_TIME": "1/1/2030 9:00", "GSW_CALLBACK_TYPE": "Personal"}
    bare = acknowledged(_A.CALLBACK_MOVED, Door.USER_EVENT, reference=None)
    assert set(user_data_of(bare)) == FIVE


@pytest.mark.parametrize("what", [_A.SUPPRESSED, _A.CANCELLED])
def test_aimed_at_a_number_or_a_customer(what: Acknowledgement) -> None:
    """Without a record there is no handle but the number or the customer, and the list only if one was given."""
    number = acknowledged(what, handle=None, list_name=None, phone_number="+14155550100")
    assert outbound_of(number)["record"] == {
        "campaignName": "Campaign1",
        "devicePath": DEVICE_PATH,
        "applicationId": 134,
        "phoneNumber": "+14155550100",
    }
    user_data = user_data_of(number)
    assert user_data["GSW_PHONE"] == "+14155550100"
    assert not {"GSW_RECORD_HANDLE", "GSW_CALLING_LIST", "GSW_CUSTOMER_ID"} & set(user_data)
    customer = acknowledged(what, handle=None, customer_id="C-1")
    assert outbound_of(customer)["record"]["customerId"] == user_data_of(customer)["GSW_CUSTOMER_ID"] == "C-1"
    assert outbound_of(customer)["record"]["callingList"] == "CallingList1"
    nobody = acknowledged(what, handle=None)
    assert "recordHandle" not in outbound_of(nobody)["record"]


def test_a_new_record() -> None:
    """The acknowledgement of AddRecord says all of the new row, results as integers, custom fields beside them."""
    user_data = user_data_of(acknowledged(_A.ADDED, record=RECORD))
    assert user_data["GSW_RECORD_HANDLE"] == 6
    assert (user_data["GSW_CALL_RESULT"], user_data["GSW_PHONE_TYPE"], user_data["GSW_CHAIN_N"]) == (28, 4, 0)
    assert user_data["first_name"] == "Zoë"
    assert user_data["note"] is None
    assert set(user_data_of(acknowledged(_A.ADDED))) == FIVE


@pytest.mark.parametrize("what", [AGENT_REQUESTS[0], AGENT_REQUESTS[1], AGENT_REQUESTS[2]])
def test_requests_about_the_agent(what: RequestType) -> None:
    """Log-out, ready time and continue are acknowledged to the desktop with application and campaign."""
    event = AgentAcknowledged(
        device_id="d1", door=Door.USER_EVENT, reference=2, what=what, application_id=134, campaign_name="Campaign1"
    )
    assert channels_of(event) == ["/me/internal"]
    name = {RequestType.LOGOUT: "LogOut", RequestType.READY_TIME: "ReadyTime"}.get(what, "ContinueProcessing")
    assert user_data_of(event) == {
        "GSW_APPLICATION_ID": 134,
        "GSW_USER_EVENT": f"{name}Acknowledge",
        "GSW_CAMPAIGN_NAME": "Campaign1",
        "GSW_REFERENCE_ID": 2,
    }


# --- records on the screen ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", list(Appearance))
def test_records_on_the_screen(what: Appearance) -> None:
    """The record, its user data in both messages alike, custom fields in their own object and in user data."""
    event = shown(what, callback_type=CallbackType.PERSONAL)
    outbound = outbound_of(event)
    record = outbound["record"]
    assert record["userData"] == user_data_of(event)
    assert record["otherFields"] == RECORD.other_fields
    assert (record["phoneType"], record["from"], record["until"], record["timeZone"]) == ("Mobile", 0, 86339, "PST")
    user_data = record["userData"]
    assert user_data["contact_info"] == user_data["GSW_PHONE"] == record["phoneNumber"]
    assert (user_data["GSW_CALL_RESULT"], user_data["GSW_TZ_OFFSET"]) == (28, -25200)
    assert (user_data["InteractionType"], user_data["InteractionSubtype"]) == ("Outbound", "OutboundNew")
    assert RECORD.other_fields.items() <= user_data.items()
    name = user_data["GSW_USER_EVENT"]
    assert name == outbound["notificationType"]
    documented = {field["key"] for field in ENUMS[name]["fields"] if field["key"].startswith("GSW_")}
    assert documented <= set(user_data)
    assert ("GSW_CALLBACK_TYPE" in user_data) is (what is Appearance.SCHEDULED_CALL)


def test_a_custom_field_cannot_pose_as_a_key_of_the_protocol() -> None:
    """A column called GSW_RECORD_HANDLE or contact_info stays in otherFields and changes no key of user data."""
    fields = {"GSW_RECORD_HANDLE": 99, "contact_info": "x", "GSW_NEW": 1, "fine": 2}
    user_data = user_data_of(shown(Appearance.PREVIEW, record=_with_fields(fields)))
    assert user_data["GSW_RECORD_HANDLE"] == 6
    assert user_data["contact_info"] == RECORD.phone_number
    assert "GSW_NEW" not in user_data
    assert user_data["fine"] == 2


def _with_fields(fields: Json) -> Any:
    return type(RECORD)(**{**{n: getattr(RECORD, n) for n in RECORD.__struct_fields__}, "other_fields": fields})


def test_the_desktops_reference_stays_out_of_the_record() -> None:
    """What is added to one message's user data is not added to the other's."""
    event = shown(Appearance.PREVIEW, Door.USER_EVENT, reference=1)
    assert [channel for channel, _ in messages_of(event, TIMING)] == ["/me/internal"]
    assert user_data_of(event)["GSW_REFERENCE_ID"] == 1


@pytest.mark.parametrize("list_name", ["CallingList1", ""])
def test_a_record_that_is_withdrawn(list_name: str) -> None:
    """RecordCancel goes to both channels and names the record, its list if known."""
    event = RecordWithdrawn(
        device_id=DEVICE_ID, application_id=134, campaign_name="Campaign1", list_name=list_name, handle=6
    )
    assert channels_of(event) == BOTH
    assert outbound_of(event)["notificationType"] == user_data_of(event)["GSW_USER_EVENT"] == "RecordCancel"
    assert set(user_data_of(event)) == (FIVE if list_name else FIVE - {"GSW_CALLING_LIST"})
    assert outbound_of(event)["record"].get("callingList", "") == list_name
    assert outbound_of(event)["record"]["recordHandle"] == 6


# --- campaigns ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "is_running", "name", "state"),
    [
        (CampaignStep.LOADED, False, "CampaignLoaded", "Loaded"),
        (CampaignStep.UNLOADED, False, "CampaignUnloaded", "Unloaded"),
        (CampaignStep.STARTED, True, "CampaignStarted", "Started"),
        (CampaignStep.STOPPED, False, "CampaignStopped", "Loaded"),
        (CampaignStep.MODE_CHANGED, True, "CampaignModeChanged", "Started"),
        (CampaignStep.ASSIGNED, False, "CampaignGroupAssigned", "Loaded"),
    ],
)
def test_campaigns(step: CampaignStep, is_running: bool, name: str, state: str) -> None:  # noqa: FBT001
    """What befalls a campaign goes to both channels with exactly the documented keys."""
    event = campaign_changed(step, Door.INSIDE, is_running=is_running, dial_mode=DialMode.PUSH_PREVIEW)
    assert channels_of(event) == BOTH
    user_data, outbound = user_data_of(event), outbound_of(event)
    assert set(user_data) == {field["key"] for field in ENUMS[name]["fields"]} | {"GSW_USER_EVENT"}
    assert user_data["GSW_USER_EVENT"] == outbound["notificationType"] == name
    assert user_data.get("GSW_CAMPAIGN_MODE", "PushPreview") == outbound["campaign"]["dialingMode"] == "PushPreview"
    assert outbound["messageType"] == "OutboundCampaignMessage"
    assert outbound["campaign"]["state"] == state
    assert outbound["campaign"]["groupName"] == "Campaign1@AgentGroup1"


def test_the_campaign_goes_on_after_a_preview_session() -> None:
    """Only the agent's session ends: the campaign is still Started."""
    assert outbound_of(campaign_changed(CampaignStep.PREVIEW_ENDED))["campaign"] == {
        "devicePath": DEVICE_PATH,
        "state": "Started",
        "applicationId": 134,
        "name": "Campaign1",
    }


# --- failures ----------------------------------------------------------------------------------------------------


def failure(what: str, **named: Any) -> RequestFailed:
    """A request that failed after its answer."""
    number = ErrorNumber.NOT_FOUND.value
    return RequestFailed(
        device_id=DEVICE_ID, door=Door.REST, reference="r", number=number, code=6, text="gone", what=what, **named
    )


def test_failure_of_a_record_operation() -> None:
    """The API's channel tells it as the success would have been told, the desktop's as ErrorMessage."""
    named = {"application_id": 134, "campaign_name": "Campaign1", "list_name": "CallingList1", "handle": 6}
    event = failure("UpdateRecord", **named)
    assert outbound_of(event) == {
        "messageType": "OutboundRecordMessage",
        "notificationType": "ErrorMessage",
        "record": {
            "campaignName": "Campaign1",
            "devicePath": DEVICE_PATH,
            "callingList": "CallingList1",
            "applicationId": 134,
            "recordHandle": 6,
        },
        "errorCode": 8,
        "errorMessage": "gone",
        "referenceId": "r",
    }
    assert user_data_of(event) == {
        "GSW_USER_EVENT": "ErrorMessage",
        "GSW_ERROR_NUMBER": 8,
        "GSW_ERROR": "gone",
        "GSW_APPLICATION_ID": 134,
        "GSW_CAMPAIGN_NAME": "Campaign1",
        "GSW_CALLING_LIST": "CallingList1",
        "GSW_RECORD_HANDLE": 6,
    }


@pytest.mark.parametrize("what", ["StartPreviewSession", "EndPreviewSession"])
def test_failure_of_a_campaign_operation(what: str) -> None:
    """A campaign's failure is an OutboundCampaignMessage with what the request named."""
    outbound = outbound_of(failure(what, application_id=134, campaign_name="Campaign1"))
    assert outbound["messageType"] == "OutboundCampaignMessage"
    assert outbound["campaign"] == {"devicePath": DEVICE_PATH, "applicationId": 134, "name": "Campaign1"}


def test_failure_of_a_request_that_named_nothing() -> None:
    """Keys that the request did not give stay away."""
    event = failure("GetPreviewRecord")
    assert outbound_of(event)["messageType"] == "OutboundRecordMessage"
    assert outbound_of(event)["record"] == {"devicePath": DEVICE_PATH}
    assert set(user_data_of(event)) == {"GSW_USER_EVENT", "GSW_ERROR_NUMBER", "GSW_ERROR"}


# --- devices -----------------------------------------------------------------------------------------------------


def test_device_messages() -> None:
    """A change of state goes to the devices' channel, with addresses under the server's own prefix."""
    event = state_changed("AfterCallWork")
    ((channel, message),) = decoded(event)
    assert channel == "/v2/me/devices"
    (device,) = message["devices"]
    assert (device["id"], device["phoneNumber"]) == (DEVICE_ID, "5001")
    assert (device["userState"]["state"], device["userState"]["workMode"]) == ("NotReady", "AfterCallWork")
    ((_, body),) = messages_of(event, TIMING, "https://example.org/api/v2")
    assert b'"voiceEnvironmentUri":"https://example.org/api/v2/voice-environments/' in body


def test_metrics() -> None:
    """Every message of the desktop's and the devices' channels tells when and how long."""
    for event in (acknowledged(_A.REJECTED), state_changed("Ready")):
        assert decoded(event)[-1][1]["metrics"] == {
            "eventProcessing": {
                "serverGenerationTimestamp": 1433915511662,
                "nodeProcessingTimeNanos": 6964042,
                "serverProcessingTimeTotalMs": 8,
            }
        }
