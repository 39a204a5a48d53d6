"""A request repeated with its referenceId: the same answer, no second effect, the acknowledgement again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.http.desks import LIST, Demo, Desktop, Json, accept, kinds, refuse, user_data
from trunkline.client import Answer


def chain_of(desk: Desktop) -> Json:
    """Parameters of a record that joins the chain on the agent's desk, so that it can be counted there."""
    return {
        "chainId": desk.record()["chainId"],
        "callingList": LIST,
        "phoneNumber": "+1 415 555 0177",
        "timeZone": "GMT",
        "phoneType": "Mobile",
        "from": 0,
        "until": 86_400,
    }


def test_a_repeated_add_adds_one_record(demo: Demo) -> None:
    """The second request is answered and acknowledged as the first, with the same handle, and adds nothing."""
    desk = demo.desk().listen()
    body = chain_of(desk)
    accept(desk.on_records("AddRecord", **body, referenceId="once"))
    first = desk.heard()
    accept(desk.on_records("AddRecord", **body, referenceId="once"))
    second = desk.heard()
    assert kinds(second) == ["AddRecordAcknowledge"] * 2
    assert second[0] == first[0]
    assert user_data(second[1]) == user_data(first[1])
    assert len(desk.records()) == 2


def test_without_a_reference_every_request_counts(demo: Demo) -> None:
    """Two equal requests without referenceId are two requests."""
    desk = demo.desk().listen()
    body = chain_of(desk)
    accept(desk.on_records("AddRecord", **body))
    accept(desk.on_records("AddRecord", **body))
    assert len(desk.records()) == 3


def test_another_body_is_another_request(demo: Demo) -> None:
    """The same referenceId with another body is simply another request."""
    desk = demo.desk().listen()
    body = chain_of(desk)
    accept(desk.on_records("AddRecord", **body, referenceId="same"))
    accept(desk.on_records("AddRecord", **{**body, "phoneNumber": "+1 415 555 0178"}, referenceId="same"))
    assert [record["phoneNumber"] for record in desk.records()][1:] == ["+1 415 555 0177", "+1 415 555 0178"]


def test_a_repeated_complete_is_accepted(demo: Demo) -> None:
    """Complete repeated after its answer was lost is accepted and acknowledged, though the handle is gone."""
    desk = demo.desk().listen()
    for _ in range(2):
        accept(desk.on_record("CompleteRecord", callingList=LIST, callResult="Busy", referenceId="done"))
        assert kinds(desk.heard()) == ["RecordProcessedAcknowledge"] * 2
    refuse(desk.on_record("CompleteRecord", callingList=LIST, callResult="Busy"), 404, 6, "recordHandle")
    refuse(desk.on_record("CompleteRecord", callingList=LIST, referenceId="done"), 404, 6, "recordHandle")


def test_a_refused_request_may_be_repeated(demo: Demo) -> None:
    """A refusal is not remembered: the same request succeeds once its cause is gone."""
    desk = demo.desk().listen()
    refuse(desk.on_campaign("GetPreviewRecord", referenceId="p"), 400, 2, "StartPreviewSession")
    accept(desk.on_campaign("StartPreviewSession"))
    accept(desk.on_campaign("GetPreviewRecord", referenceId="p"))
    assert kinds(desk.heard())[-1] == "PreviewRecord"


def test_a_repeated_preview_request_takes_no_second_record(demo: Demo) -> None:
    """GetPreviewRecord repeated shows the same record again instead of handing out another."""
    desk = demo.desk().listen()
    accept(desk.on_campaign("StartPreviewSession"))
    desk.heard()
    shown = []
    for _ in range(2):
        accept(desk.on_campaign("GetPreviewRecord", referenceId="again"))
        shown.append(desk.heard()[0])
    assert shown[0] == shown[1]
    assert len({record["chainId"] for record in desk.records()}) == 2  # the demo's and this one


def test_repetitions_at_the_same_time_have_one_effect(demo: Demo) -> None:
    """The same request ten times at once, over ten connections, adds one record and is acknowledged ten times."""
    desk = demo.desk().listen()
    body = chain_of(desk)
    others = [demo.again(desk) for _ in range(10)]

    def add(other: Desktop) -> Answer:
        return other.on_records("AddRecord", **body, referenceId="at once")

    with ThreadPoolExecutor(len(others)) as pool:
        for answer in pool.map(add, others):
            accept(answer)
    assert len(desk.records()) == 2
    heard = desk.heard()
    assert kinds(heard) == ["AddRecordAcknowledge"] * 20
    assert len({user_data(message)["GSW_RECORD_HANDLE"] for message in heard[1::2]}) == 1


def test_agents_do_not_share_references(demo: Demo) -> None:
    """What one agent did under a reference does not keep another from doing the same."""
    for desk in (demo.desk().listen(), demo.desk().listen()):
        accept(desk.on_record("CompleteRecord", callingList=LIST, referenceId="mine"))
        assert desk.records() == []
