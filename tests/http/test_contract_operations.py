"""Every operation of the contract's file against a running server, on each store. Generated from the file."""

from __future__ import annotations

import pytest

from tests.http.contracts import body_of, check_messages, check_read, good_values
from tests.http.desks import ACCEPTED, CAMPAIGN, Demo, Desktop, Json, accept, kinds
from tests.http.findings import OPERATIONS, finding, operation_row
from tests.support.shapes import check_types

POSTS = [operation for operation in OPERATIONS if operation["method"] == "POST"]
READS = [operation for operation in OPERATIONS if operation["method"] == "GET"]
ALSO_ON_ME = [operation for operation in POSTS if "alsoAccepts" in operation]
PARTIAL = {
    "statusCode": 7,
    "failed": [{"statusCode": 10, "statusMessage": "this server has no such channel", "channel": "chat"}],
    "succeeded": [{"statusCode": 0, "channel": "voice"}],
}


def name_of(operation: Json) -> str:
    """The name of a test."""
    return f"{operation['name']} {operation['path']}"


def prepare(operation: Json, desk: Desktop) -> int:
    """Bring an agent to where the operation makes sense; returns the chain of the record on its desk."""
    desk.listen()
    name = operation["name"]
    chain_id: int = desk.record()["chainId"]
    if name == "GetChainedRecord":
        desk.add("+1 415 555 0199", chainId=chain_id)
    if name in ("GetPreviewRecord", "EndPreviewSession"):
        accept(desk.on_campaign("StartPreviewSession"))
    if operation["section"] == "Agent state" or name == "EndContactCenterSession":
        accept(desk.on_me("StartContactCenterSession", channels=["voice"], devicePath=desk.device_path))
    desk.heard()
    return chain_id


def path_of(operation: Json, desk: Desktop, user_id: str = "") -> str:
    """The operation's path with this agent's values."""
    values = {
        "recordHandle": desk.handle,
        "campaignName": CAMPAIGN,
        "deviceId": desk.device_id,
        "userId": user_id,
    }
    path: str = operation["path"].format(**values)
    return path


def first_device(desk: Desktop) -> str:
    """The bare id of the agent's default device."""
    found: str = desk.client.get("/api/v2/me?subresources=devices").body["user"]["devices"][0]["id"]
    return found


@pytest.mark.parametrize("reference", [None, "123456789"], ids=["no reference", "reference"])
@pytest.mark.parametrize("with_optional", [False, True], ids=["minimal", "full"])
@pytest.mark.parametrize("operation", POSTS, ids=name_of)
def test_an_operation_is_answered_as_documented(
    contract: Demo,
    store: str,
    operation: Json,
    with_optional: bool,  # noqa: FBT001
    reference: str | None,
) -> None:
    """The request is accepted with the documented answer and causes exactly the documented messages."""
    with finding(operation_row(operation), store):
        desk = contract.desk()
        values = good_values(desk, prepare(operation, desk))
        body = body_of(operation, values, with_optional=with_optional, reference=reference)
        answer = desk.client.post(path_of(operation, desk), body)
        assert (answer.http_status, answer.body) == (200, PARTIAL if "chat" in body.get("channels", ()) else ACCEPTED)
        check_types(answer.body)
        messages = desk.heard()
        if operation["name"] == "SendUserEvent":
            assert kinds(messages) == ["CampaignStarted"]
            return
        handle = desk.handle if "{recordHandle}" in operation["path"] else None
        # A session that names no device begins on the agent's first.
        is_default = operation["name"] == "StartContactCenterSession" and not with_optional
        device_id = first_device(desk) if is_default else desk.device_id
        check_messages(operation, messages, desk, body, handle, device_id)


@pytest.mark.parametrize("operation", ALSO_ON_ME, ids=name_of)
def test_states_are_set_on_all_channels_too(contract: Demo, store: str, operation: Json) -> None:
    """Older clients set the state by POST /me; the answer and the message are the same."""
    with finding(operation_row(operation), store):
        desk = contract.desk()
        prepare(operation, desk)
        accept(desk.on_me(operation["name"]))
        check_messages(operation, desk.heard(), desk, {"operationName": operation["name"]}, None, desk.device_id)


def test_a_record_without_siblings_has_an_end_only(contract: Demo, store: str) -> None:
    """GetChainedRecord on a chain of one is answered with the end of the chain, on both channels."""
    desk = contract.desk().listen()
    accept(desk.on_record("GetChainedRecord", referenceId="c"))
    assert kinds(desk.heard()) == ["ChainedRecordsDataEnd"] * 2


@pytest.mark.parametrize("operation", READS, ids=name_of)
def test_a_read_is_answered_as_documented(contract: Demo, store: str, operation: Json) -> None:
    """The answer has exactly the documented keys, at every documented depth, with the documented types."""
    with finding(operation_row(operation), store):
        desk = contract.desktop("agent1", "demo-device-1", 1_000_001)
        accept(desk.on_me("StartContactCenterSession", channels=["voice"]))
        path = path_of(operation, desk, desk.client.get("/api/v2/me").body["user"]["id"])
        parameters = {parameter["name"] for parameter in operation["parameters"]}
        if "fields" in parameters:
            minimal = desk.client.get(path)
            assert minimal.http_status == 200
            check_types(minimal.body)
            assert set(minimal.body) in ({"statusCode", "uris"}, {"statusCode", "user"})
            path += "?subresources=*" if "subresources" in parameters else "?fields=*"
        answer = desk.client.get(path)
        assert answer.http_status == 200
        check_read(operation, answer.body)
