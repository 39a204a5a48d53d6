"""What the contract's file says of an operation, as requests to send and as checks of everything they cause."""

from __future__ import annotations

import re
import time
from typing import Any

from tests.http.desks import APPLICATION, CAMPAIGN, LIST, Desktop, Json, kind_of, order_of
from tests.http.sample import ANSWER
from tests.support.shapes import check_types

_ONLY_WHEN_SENT = {"GSW_CHAIN_ATTR": "chainAttribute", "GSW_CALLING_LIST": "callingList", "callingList": "callingList"}
"""Keys of messages that repeat a parameter when it was given."""

_SENT_FIELDS = {"first_name", "last_name", "account"}
"""Custom fields of a demo record that are sent to agents."""


def good_values(desk: Desktop, chain_id: int) -> Json:
    """A good value of every documented parameter for this agent."""
    return {
        "applicationId": APPLICATION,
        "campaignName": CAMPAIGN,
        "callingList": LIST,
        "phoneNumber": f"+1415556{desk.handle % 10_000:04d}",
        "timeZone": "PST",
        "phoneType": "Mobile",
        "from": 60,
        "until": 86_339,
        "devicePath": desk.device_path,
        "chainId": chain_id,
        "otherFields": {"first_name": "Zoë", "balance": 12.5, "vip": True, "note": None},
        "callResult": "Answered",
        "chainAttribute": "AllChain",
        "callbackType": "Personal",
        "timestamp": int(time.time()) + 3600,
        "channels": ["voice", "chat"],
        "place": "Place1",
        "loginCode": "5001",
        "queue": "Queue1",
        "deviceId": desk.device_id,
        "userData": {"GSW_AGENT_REQ_TYPE": "CampaignStatusRequest"},
    }


def body_of(operation: Json, values: Json, *, with_optional: bool, reference: str | None) -> Json:
    """A body with the required parameters, or with all."""
    body: Json = {"operationName": operation["name"]}
    for parameter in operation["parameters"]:
        name = parameter["name"]
        if name in values and (parameter["required"] or with_optional):
            body[name] = values[name]
    if body.get("channels") and not with_optional:
        body["channels"] = ["voice"]
    if reference is not None:
        body["referenceId"] = reference
    return body


def check_messages(
    operation: Json, messages: list[Json], desk: Desktop, body: Json, handle: int | None, device_id: str = ""
) -> None:
    """Compare what was heard with the file: channels in order, key sets, values that follow from the request.

    ``handle`` is the record of the request's path; ``device_id`` the device whose state changes.
    """
    expected = operation["cometd"]
    assert [message["channel"] for message in messages] == [each["channel"] for each in expected]
    for message, each in zip(messages, expected, strict=True):
        _check_message(message, each, desk, body, handle)
        assert [device["id"] for device in message["data"].get("devices", ())] in ([], [device_id])
    if operation["name"] == "UpdateRecord":
        _check_order(messages, body)
    if operation["section"] == "Outbound":
        handles = [_handle_of(message) for message in messages]
        assert handles[::2] == handles[1::2], "both messages of a pair are about one record"
        is_about_new = operation["name"] in ("AddRecord", "GetPreviewRecord", "GetChainedRecord")
        assert (handles[0] not in (None, desk.handle)) is is_about_new


def _check_message(message: Json, expected: Json, desk: Desktop, body: Json, handle: int | None) -> None:
    data = message["data"]
    has_reference = "referenceId" in body
    assert data["messageType"] == expected["messageType"]
    assert data.get("notificationType") == expected["notificationType"]
    assert list(data) == [key for key in expected["dataKeys"] if key != "referenceId" or has_reference]
    assert data.get("referenceId") == (body.get("referenceId") if "referenceId" in expected["dataKeys"] else None)
    if "deviceId" in data:
        assert data["deviceId"] == desk.device_id
    if "recordKeys" in expected:
        # A message about a number names a list only when the request did.
        is_about_number = "recordHandle" not in expected["recordKeys"]
        _check_keys(data["record"], expected["recordKeys"], ("callingList",) if is_about_number else (), body)
        _check_values(data["record"], desk, body, handle)
    if "campaignKeys" in expected:
        _check_keys(data["campaign"], expected["campaignKeys"], (), body)
        known = {"name": CAMPAIGN, "devicePath": desk.device_path, "applicationId": APPLICATION, "state": "Started"}
        assert known.items() <= data["campaign"].items()
    if "userDataKeys" in expected:
        shown = data.get("record", data)["userData"]
        _check_keys(shown, expected["userDataKeys"], expected.get("optionalUserDataKeys", ()), body)
        assert shown["GSW_USER_EVENT"] == expected.get("GSW_USER_EVENT", kind_of(message))
        _check_values(shown, desk, body, handle)
    if "deviceKeys" in expected:
        assert [list(device) for device in data["devices"]] == [expected["deviceKeys"]]
        state = data["devices"][0]["userState"]
        assert " + workMode ".join(filter(None, (state["state"], state.get("workMode")))) in expected["userState"]


def _check_keys(found: Json, documented: list[str], optional: Any, body: Json) -> None:
    """Exactly the documented keys; custom fields and optional keys when there is reason for them."""
    wanted = {key for key in documented if not key.startswith("<") and key not in optional}
    wanted |= {key for key in optional if key in _ONLY_WHEN_SENT and _ONLY_WHEN_SENT[key] in body}
    if "<otherFields>" in optional:
        wanted |= set(body.get("otherFields", ()))
    custom = {key for key in found if not key.startswith("GSW_")} - wanted
    if "GSW_CALL_ATTEMPT_GUID" in documented:
        # A record on the screen: the demo list's own fields, and never one that is not sent to agents.
        assert custom <= {*_SENT_FIELDS, "balance", "city", "vip", "note"}
        wanted |= custom
    assert set(found) == wanted


def _check_values(found: Json, desk: Desktop, body: Json, handle: int | None) -> None:
    known: Json = {
        "campaignName": CAMPAIGN,
        "devicePath": desk.device_path,
        "callingList": LIST,
        "applicationId": APPLICATION,
        "GSW_CAMPAIGN_NAME": CAMPAIGN,
        "GSW_CALLING_LIST": LIST,
        "GSW_APPLICATION_ID": APPLICATION,
        "GSW_AGENT_ID": desk.name,
        "GSW_CHAIN_ATTR": body.get("chainAttribute"),
        "InteractionType": "Outbound",
        "InteractionSubtype": "OutboundNew",
        **(body.get("otherFields", {}) if body["operationName"] == "AddRecord" else {}),
    }
    if body["operationName"] == "AddRecord":
        known |= {"GSW_PHONE": body["phoneNumber"], "GSW_TZ_NAME": body["timeZone"], "GSW_PHONE_TYPE": 4}
        known |= {"GSW_FROM": body["from"], "GSW_UNTIL": body["until"], "GSW_ATTEMPTS": 0, "GSW_CALL_RESULT": 28}
        # A record that joins the agent's own chain comes to its desk with it.
        known |= {"GSW_RECORD_TYPE": 2, "GSW_RECORD_STATUS": 2 if "chainId" in body else 1}
        known |= {"GSW_CHAIN_ID": body["chainId"], "GSW_CHAIN_N": 1} if "chainId" in body else {"GSW_CHAIN_N": 0}
    elif handle is not None and "GSW_CALL_ATTEMPT_GUID" not in found and "userData" not in found:
        known |= {"recordHandle": handle, "GSW_RECORD_HANDLE": handle}
    elif body["operationName"] == "DoNotCallRecord":
        known |= {"phoneNumber": body["phoneNumber"], "GSW_PHONE": body["phoneNumber"]}
    if found.get("GSW_USER_EVENT") == "UpdateCallCompletionStatsAcknowledge":
        known["GSW_CALL_RESULT"] = "21"
    for key in found.keys() & known.keys():
        assert found[key] == known[key], key


def _check_order(messages: list[Json], body: Json) -> None:
    """The order of keys of the one operation whose sample could be read in full."""
    for message, sample in zip(messages, ANSWER, strict=False):
        wanted = {key: value for key, value in sample["data"].items() if key != "referenceId" or "referenceId" in body}
        assert order_of(message["data"]) == order_of(wanted)


def _handle_of(message: Json) -> int | None:
    data = message["data"]
    if "record" in data:
        return data["record"].get("recordHandle")  # type: ignore[no-any-return]
    return data.get("userData", {}).get("GSW_RECORD_HANDLE")  # type: ignore[no-any-return]


# --- reads -------------------------------------------------------------------------------------------------------


def check_read(operation: Json, answer: Json) -> None:
    """Compare the answer to a read with the file's keys; ``resources.user.settings[name]`` names nested ones."""
    check_types(answer)
    assert answer["statusCode"] == 0
    notation = ", ".join(key for key in operation["responseKeys"] if key != "not read")
    roots = set()
    for path, keys in _split(notation):
        roots.add(path.partition(".")[0])
        value: Any = answer
        for name in path.split("."):
            value = value[name]
        if keys:
            _check_items(value, keys)
    if "not read" not in operation["responseKeys"]:
        assert set(answer) == roots
    items = answer.get("records", answer.get("campaigns", answer.get("record")))
    if "itemKeys" in operation:
        _check_items(items, ",".join(operation["itemKeys"]))
    if "userKeys" in operation:
        plain = [key for key in operation["userKeys"] if "subresource" not in key]
        assert list(answer["user"])[: len(plain)] == plain
        nested = {key.partition(" ")[0] for key in operation["userKeys"] if "subresource" in key}
        assert nested <= set(answer["user"])


def _split(notation: str) -> list[tuple[str, str]]:
    """``a, b[c,d[e]]`` as [("a", ""), ("b", "c,d[e]")]."""
    parts = re.findall(r"([^,\[\]]+)(\[(?:[^\[\]]|\[[^\]]*\])*\])?", notation)
    return [(name.strip(), keys[1:-1]) for name, keys in parts if name.strip()]


def _check_items(value: Any, keys: str) -> None:
    for item in value if isinstance(value, list) else [value]:
        wanted = _split(keys)
        assert [key for key in item if key != "workMode"] == [name for name, _ in wanted if name != "workMode"]
        for name, inner in wanted:
            if inner:
                _check_items(item[name], inner)
