"""The pre-dial validation on the wire: the question about a record, and what its answer means.

The question is a JSON object of the keys that a call of the record would carry, with its custom fields. Source:
outbound domain 6 and 3.2 (record data on a call).
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from trunkline.contract import values
from trunkline.contract.names import is_custom_field
from trunkline.domain.campaigns import Campaign
from trunkline.domain.records import Record
from trunkline.domain.validation import Answer, Permission
from trunkline.errors import Refused
from trunkline.strict_json import decode_object

MAX_ANSWER_BYTES = 4096
"""An answer has one key; what is longer is not read."""

_encode = msgspec.json.Encoder().encode
Json = dict[str, Any]


def question(campaign: Campaign, list_name: str, record: Record) -> bytes:
    """The body that is sent about a record; the same for the same record, so that it is known what was answered."""
    body: Json = {
        "GSW_CAMPAIGN_NAME": campaign.name,
        "GSW_APPLICATION_ID": campaign.application_id,
        "GSW_CAMPAIGN_GROUP_NAME": campaign.group_name,
        "GSW_CAMPAIGN_GROUP_DBID": campaign.group_id,
        "GSW_CAMPAIGN_GROUP_DESCRIPTION": campaign.group_description,
        "GSW_CALLING_LIST": list_name,
        "GSW_CALLING_LIST_DBID": record.list_id,
        "GSW_CHAIN_ID": record.chain_id,
        "GSW_CHAIN_N": record.chain_n,
        "GSW_PHONE": record.phone_number,
        "GSW_PHONE_TYPE": record.phone_type.value,
        "GSW_RECORD_TYPE": record.record_type.value,
        "GSW_CALL_RESULT": record.call_result.value,
        "GSW_ATTEMPTS": record.attempts,
        "GSW_TZ_NAME": record.time_zone,
        "GSW_FROM": record.from_s,
        "GSW_UNTIL": record.until_s,
        "GSW_CUSTOMER_ID": record.customer_id,
        **{name: value for name, value in record.other_fields.items() if is_custom_field(name)},
    }
    return _encode(body)


def mark_of(body: bytes) -> bytes:
    """A short text that stands for a question: a record that was changed since makes another one."""
    return hashlib.blake2b(body, digest_size=8).digest()


def read_answer(status: int, body: bytes) -> Answer:
    """What an HTTP answer means. A refusal without a result that exists is no answer: nobody is called either way."""
    if status == 200:
        return Answer(permission=Permission.PERMITTED, said="200")
    if status != 409:
        is_failing = status >= 500 or status == 429
        return Answer(permission=Permission.UNANSWERED, said=str(status), is_server_failing=is_failing)
    try:
        result = values.call_result(
            decode_object(body, max_bytes=MAX_ANSWER_BYTES).get("GSW_CALL_RESULT"), "GSW_CALL_RESULT"
        )
    except Refused as error:
        return Answer(permission=Permission.UNANSWERED, said=f"409 without a result: {error}")
    return Answer(permission=Permission.REFUSED, said="409", call_result=result)
