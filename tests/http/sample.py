"""The sample of the Update Record page: its request as sent, and what comes back over CometD."""

from __future__ import annotations

from typing import Any

DEVICE = "68b39a39-dfb5-417d-9efe-93c03a1375af"
REQUEST = """
{
    "devicePath": "/devices/68b39a39-dfb5-417d-9efe-93c03a1375af",
    "operationName": "UpdateRecord",
    "applicationId": 134,
    "campaignName": "Campaign1",
        "referenceId": "123456789"
}
"""
ANSWER: list[Any] = [
    {
        "data": {
            "record": {
                "campaignName": "Campaign1",
                "devicePath": f"/devices/{DEVICE}",
                "callingList": "CallingList1",
                "applicationId": 134,
                "recordHandle": 6,
            },
            "notificationType": "UpdateCallCompletionStatsAcknowledge",
            "messageType": "OutboundRecordMessage",
            "referenceId": "123456789",
        },
        "channel": "/v2/me/outbound",
    },
    {
        "data": {
            "metrics": {
                "eventProcessing": {
                    "serverGenerationTimestamp": int,
                    "nodeProcessingTimeNanos": int,
                    "serverProcessingTimeTotalMs": int,
                }
            },
            "userData": {
                "GSW_CALLING_LIST": "CallingList1",
                "GSW_APPLICATION_ID": 134,
                "GSW_RECORD_HANDLE": 6,
                "GSW_USER_EVENT": "UpdateCallCompletionStatsAcknowledge",
                "GSW_CALL_RESULT": "21",
                "GSW_CAMPAIGN_NAME": "Campaign1",
            },
            "deviceId": DEVICE,
            "messageType": "DeviceUserEventMessage",
        },
        "channel": "/me/internal",
    },
    {
        "successful": True,
        "advice": {"interval": 0, "timeout": 30000, "reconnect": "retry"},
        "id": "20",
        "channel": "/meta/connect",
    },
]
"""The sample; a type stands where the value is the server's."""
