"""What lies on an agent's desk, how it leaves it, and who may touch it."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest

from tests.http import stored
from tests.http.desks import CAMPAIGN, LIST, RECORDS, Demo, Desktop, accept, kinds, refuse
from trunkline.domain.desk import Share
from trunkline.domain.enums import CallResult, RecordStatus
from trunkline.domain.records import Record

IN_AN_HOUR = int(time.time()) + 3600
SETTLING: dict[str, dict[str, Any]] = {
    "RescheduleRecord": {"callbackType": "Personal", "timestamp": IN_AN_HOUR},
    "DoNotCallRecord": {"callingList": LIST},
    "CancelRecord": {"callingList": LIST},
}


def without_version(records: list[Record]) -> list[Record]:
    """Records apart from the counter that every write moves."""
    return [msgspec.structs.replace(record, version=0) for record in records]


def test_the_desk_shows_what_was_changed(demo: Demo) -> None:
    """The list of the desk and the single read agree, and show what UpdateRecord wrote; demo records never expire."""
    desk = demo.desk()
    before = desk.record()
    assert desk.records() == [before]
    assert before["leaseUntil"] is None
    changes: dict[str, Any] = {
        "phoneNumber": "+1 212 555 0199",
        "phoneType": "Mobile",
        "timeZone": "PST",
        "from": 100,
        "until": 200,
    }
    accept(desk.on_record("UpdateRecord", **changes))
    assert desk.record() == {**before, **changes}
    accept(desk.on_record("UpdateRecord"))
    assert desk.record() == {**before, **changes}


def test_foreign_and_unknown_handles_answer_alike(demo: Demo) -> None:
    """Nothing tells another agent's record from one that does not exist: same status, same words, both doors' reads."""
    desk, other = demo.desk(), demo.desk()
    for handle in (other.handle, 6, 999_999_999):
        read = desk.client.get(f"{RECORDS}/{handle}")
        refuse(read, 404, 6, "recordHandle")
        assert read.body == desk.client.get(f"{RECORDS}/123456789").body
        written = desk.on_record("UpdateRecord", handle)
        refuse(written, 404, 6, "recordHandle")
        assert written.body == desk.on_record("UpdateRecord", 123456789).body
    assert len(other.records()) == 1


@pytest.mark.parametrize("operation", SETTLING)
def test_complete_after_a_decided_fate(demo: Demo, operation: str) -> None:
    """After Reschedule, DoNotCall or Cancel the handle stays readable; Complete is acknowledged and changes nothing."""
    desk = demo.desk().listen()
    chain_id = desk.record()["chainId"]
    accept(desk.on_record(operation, **SETTLING[operation]))
    settled = stored.chain(demo, chain_id)
    shown = desk.record()
    accept(desk.on_record("UpdateRecord", phoneType="Pager"))  # a field may still be written, the fate stays
    accept(desk.on_record("UpdateRecord", phoneType=shown["phoneType"]))
    assert without_version(stored.chain(demo, chain_id)) == without_version(settled)
    desk.heard()
    accept(desk.on_record("CompleteRecord", callingList=LIST, callResult="Answered"))
    assert kinds(desk.heard()) == ["RecordProcessedAcknowledge"] * 2
    assert without_version(stored.chain(demo, chain_id)) == without_version(settled)
    refuse(desk.client.get(f"{RECORDS}/{desk.handle}"), 404, 6)
    status, result = {
        "RescheduleRecord": (RecordStatus.READY, CallResult.ABANDONED),
        "DoNotCallRecord": (RecordStatus.UPDATED, CallResult.DO_NOT_CALL),
        "CancelRecord": (RecordStatus.CANCELLED, CallResult.CANCEL_RECORD),
    }[operation]
    assert (settled[0].status, settled[0].call_result) == (status, result)


def test_complete_ends_the_chain(demo: Demo) -> None:
    """Complete stores the result, closes the siblings as ChainUpdated and takes all their handles off the desk."""
    desk = demo.desk().listen()
    chain_id = desk.record()["chainId"]
    desk.add("+1 415 555 0131", chainId=chain_id)
    accept(desk.on_record("CompleteRecord", callingList=LIST, callResult="Busy"))
    assert desk.records() == []
    worked, sibling = stored.chain(demo, chain_id)
    assert (worked.status, worked.call_result, worked.attempts) == (RecordStatus.UPDATED, CallResult.BUSY, 1)
    assert sibling.status is RecordStatus.CHAIN_UPDATED


def test_reject_gives_the_chain_back(demo: Demo) -> None:
    """A rejected chain leaves the desk and is ready for the next agent, unworked."""
    desk = demo.desk().listen()
    chain_id = desk.record()["chainId"]
    desk.add("+1 415 555 0132", chainId=chain_id)
    accept(desk.on_record("RejectRecord", callingList=LIST))
    assert desk.records() == []
    assert [(r.status, r.attempts) for r in stored.chain(demo, chain_id)] == [(RecordStatus.READY, 0)] * 2


@pytest.mark.parametrize("spelling", ["Answered", "Answer", "33", 33])
def test_call_results_have_several_spellings(demo: Demo, spelling: str | int) -> None:
    """A result may be given by either name, by number, or by number as a text."""
    desk = demo.desk()
    chain_id = desk.record()["chainId"]
    accept(desk.on_record("CompleteRecord", callingList=LIST, callResult=spelling))
    assert stored.chain(demo, chain_id)[0].call_result is CallResult.ANSWER


def test_a_consulted_agent_may_look_only(demo: Demo) -> None:
    """During a consultation the second agent reads record and chain and changes nothing."""
    desk, other = demo.desk(), demo.desk().listen()
    stored.share(demo, desk.handle, other.handle - 1_000_000, Share.CONSULTATION)
    before = desk.record()
    assert other.record(desk.handle) == before
    accept(other.on_record("GetChainedRecord", desk.handle))
    assert kinds(other.heard()) == ["ChainedRecordsDataEnd"] * 2
    for operation in ("UpdateRecord", "CompleteRecord", "RejectRecord", "DoNotCallRecord", "CancelRecord"):
        refuse(other.on_record(operation, desk.handle, callingList=LIST), 403, 3)
    refuse(other.on_record("RescheduleRecord", desk.handle, **SETTLING["RescheduleRecord"]), 403, 3)
    assert desk.record() == before


def test_in_a_conference_everyone_may_write(demo: Demo) -> None:
    """Every agent of a conference may write; once one Complete is acknowledged the others no longer can."""
    desk, other = demo.desk(), demo.desk().listen()
    stored.share(demo, desk.handle, other.handle - 1_000_000, Share.CONFERENCE)
    accept(other.on_record("UpdateRecord", desk.handle, phoneType="Mobile"))
    assert desk.record()["phoneType"] == "Mobile"
    accept(desk.on_record("CompleteRecord", callingList=LIST, callResult="Answered"))
    refuse(other.on_record("UpdateRecord", desk.handle), 404, 6)
    refuse(other.on_record("CompleteRecord", desk.handle, callingList=LIST), 404, 6)


def preview(desk: Desktop) -> int:
    """Take a preview record; returns its handle."""
    accept(desk.on_campaign("StartPreviewSession"))
    accept(desk.on_campaign("GetPreviewRecord"))
    (shown,) = [m for m in desk.heard() if m["data"].get("notificationType") == "PreviewRecord"]
    handle: int = shown["data"]["record"]["recordHandle"]
    return handle


def test_a_preview_record_is_leased(demo: Demo) -> None:
    """What is handed out lies on the desk with its whole chain for eight hours."""
    desk = demo.desk().listen()
    record = desk.record(preview(desk))
    assert 28_000 < record["leaseUntil"] - time.time() < 28_900
    handed_out = [other for other in desk.records() if other["recordHandle"] != desk.handle]
    assert {other["chainId"] for other in handed_out} == {record["chainId"]}
    assert len(handed_out) == len(stored.chain(demo, record["chainId"]))


def test_the_desk_tells_what_may_be_called(demo: Demo) -> None:
    """What was handed out is permitted, unless its number or hours may not be called now, or its fate is decided."""
    desk = demo.desk().listen()
    handle = preview(desk)
    assert desk.record(handle)["isPermitted"] is True
    hour = time.gmtime().tm_hour
    closed: dict[str, Any] = {
        "timeZone": "UTC",
        "from": (hour + 6) % 24 * 3600,
        "until": (hour + 7) % 24 * 3600 or 86_400,
    }
    opened = {**closed, "from": 0, "until": 86_400}
    for number, window, is_permitted in (("+44 20 7946 0951", closed, False), ("+44 20 7946 0952", opened, True)):
        accept(desk.on_record("UpdateRecord", handle, phoneNumber=number, **window))
        assert desk.record(handle)["isPermitted"] is is_permitted
    for window, is_permitted in ((closed, False), (opened, True)):
        accept(desk.on_record("UpdateRecord", handle, **window))
        assert desk.record(handle)["isPermitted"] is is_permitted
    due = {"callbackType": "Personal", "timestamp": int(time.time()) + 86_400}
    accept(desk.on_record("RescheduleRecord", handle, **due))
    assert desk.record(handle)["isPermitted"] is False


def test_what_a_logged_out_agent_leaves_becomes_stale(demo: Demo) -> None:
    """After the grace time the records are Stale, the agent is told, and only a supervisor makes them Ready again."""
    desk = demo.desk().listen()
    accept(desk.on_me("StartContactCenterSession", channels=["voice"], devicePath=desk.device_path))
    handle = preview(desk)
    chain_id = desk.record(handle)["chainId"]
    accept(desk.on_me("EndContactCenterSession"))
    assert desk.wait_for("RecordCancel")["data"]["record"]["callingList"] == LIST
    refuse(desk.client.get(f"{RECORDS}/{handle}"), 404, 6)
    assert [record["recordHandle"] for record in desk.records()] == [desk.handle]  # the demo's never expires
    assert {record.status for record in stored.chain(demo, chain_id)} == {RecordStatus.STALE}
    supervisor = demo.desktop("supervisor1")
    path = f"/api/v2/admin/calling-lists/{LIST}/chains/{chain_id}"
    refuse(desk.client.post(path, {"operationName": "ResetStale"}), 403, 3)
    accept(supervisor.client.post(path, {"operationName": "ResetStale"}))
    assert {record.status for record in stored.chain(demo, chain_id)} == {RecordStatus.READY}
    refuse(supervisor.client.post(path, {"operationName": "ResetStale"}), 404, 6)
    refuse(supervisor.client.post(path, {"operationName": "Reset"}), 400, 10, "operationName")
    refuse(supervisor.client.post(path, {}), 400, 1, "operationName")


def test_whoever_comes_back_in_time_keeps_the_records(contract: Demo, store: str) -> None:
    """Within the grace time of a minute the records stay, and the next log-in gives the whole lease back."""
    desk = contract.desk().listen()
    accept(desk.on_me("StartContactCenterSession", channels=["voice"]))
    handle = preview(desk)
    accept(desk.on_me("EndContactCenterSession"))
    assert 0 < desk.record(handle)["leaseUntil"] - time.time() <= 60
    accept(desk.on_me("StartContactCenterSession", channels=["voice"]))
    assert 28_000 < desk.record(handle)["leaseUntil"] - time.time() < 28_900


def test_logging_out_ends_the_preview_session(demo: Demo) -> None:
    """Whoever logged out has to start a preview session anew."""
    desk = demo.desk().listen()
    accept(desk.on_campaign("StartPreviewSession"))
    accept(desk.on_me("EndContactCenterSession"))
    refuse(desk.on_campaign("GetPreviewRecord"), 400, 2, "StartPreviewSession")
    refuse(desk.on_campaign("EndPreviewSession"), 400, 2, "preview session")


def test_a_record_that_others_take_out_is_announced(demo: Demo) -> None:
    """DoNotCall by number from one agent withdraws the record from another's desk with a RecordCancel event."""
    desk, other = demo.desk().listen(), demo.desk().listen()
    number = "+1 415 555 0133"
    accept(desk.on_record("UpdateRecord", phoneNumber=number))
    desk.heard()
    accept(other.on_records("DoNotCallRecord", phoneNumber=number))
    heard = desk.heard()
    assert kinds(heard) == ["RecordCancel"] * 2
    record = heard[0]["data"]["record"]
    assert (record["recordHandle"], record["callingList"], record["campaignName"]) == (desk.handle, LIST, CAMPAIGN)
    assert kinds(other.heard()) == ["DoNotCallAcknowledge"] * 2
    assert desk.record()["callResult"] == "DoNotCall"
