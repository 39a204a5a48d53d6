"""Work on whole lists over HTTP, on a running server: recycling and its undoing, moves between formats."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.http.administration import Administrator, accepted, refused
from tests.http.desks import Json, demo_server


@pytest.fixture(scope="module")
def admin() -> Iterator[Administrator]:
    """An administrator of a demo server of its own: whole lists are changed."""
    with demo_server(agents=5) as demo:
        yield Administrator(demo)


def listed(admin: Administrator, name: str, *numbers: str, **fields: object) -> None:
    """Make a list with records."""
    admin.make("calling-lists", name=name, **fields)
    text = "\n".join(("phone,attempts,call_result", *(f"{number},2,Busy" for number in numbers)))
    path = f"calling-lists/{name}/imports?numbers=as-given"
    accepted(admin.ask("POST", path, text.encode(), content_type="text/csv"))


def report(admin: Administrator, path: str, body: object = None) -> Json:
    """The report of an order that succeeds."""
    found: Json = accepted(admin.ask("POST", path, body))["report"]
    return found


@pytest.mark.parametrize("body", [None, b"", b" \n", {}], ids=["none", "empty", "blank", "object"])
def test_an_undoing_needs_no_body(admin: Administrator, body: object) -> None:
    """Without a body and with an empty one a recycling is undone, and what was left is told with the reason."""
    name = f"Again{len(admin.get('calling-lists?limit=100')['callingLists'])}"
    listed(admin, name, "+16465550100", "+16465550101")
    path = f"calling-lists/{name}/recyclings"
    run_id = report(admin, path, {})["runId"]
    report(admin, f"calling-lists/{name}/removals", {"criteria": "phone_number = '+16465550100'"})
    undone = report(admin, f"{path}/{run_id}/undo", body)
    assert (undone["records"], undone["left"], undone["leftBecause"]) == (1, 1, {"gone": 1})
    refused(admin.ask("POST", f"{path}/{run_id}/undo", body), 400, 2, "undone before")


def test_what_an_undoing_refuses(admin: Administrator) -> None:
    """A body with anything in it, a body that is no object, and a run that is not there, each with a sentence."""
    listed(admin, "Kept", "+16465550100")
    path = "calling-lists/Kept/recyclings"
    run_id = report(admin, path, {})["runId"]
    undo = f"{path}/{run_id}/undo"
    refused(admin.ask("POST", undo, {"dryRun": True}), 400, 10, "the body must be empty or {}")
    refused(admin.ask("POST", undo, b"[]"), 400, 10, "one JSON object")
    refused(admin.ask("POST", undo, b"{"), 400, 10)
    for wrong in ("7", "x", "1" * 30):
        refused(admin.ask("POST", f"{path}/{wrong}/undo"), 404, 6, "no recycling with this number")
    assert admin.get(path)["recyclings"][0]["state"] == "done"


def test_lists_of_other_formats_are_merged_on_request_alone(admin: Administrator) -> None:
    """The refusal names both lists and the field; ``allowOtherFormat`` moves the records; a text there is refused."""
    made = admin.make("formats", name="Debts", fields=[{"name": "balance", "fieldType": "Int"}])
    listed(admin, "Plain", "+16465550100")
    listed(admin, "Debtors", "+16465550101", formatId=made["id"])
    moves, order = "calling-lists/Plain/moves", {"targetList": "Debtors"}
    for more in ({}, {"dryRun": True}, {"allowOtherFormat": False}):
        reply = admin.ask("POST", moves, {**order, **more})
        refused(reply, 400, 2, "Debtors has another format than Plain", "balance is a field of Debtors alone")
    refused(admin.ask("POST", moves, {**order, "allowOtherFormat": "yes"}), 400, 10, "true or false")
    moved = report(admin, moves, {**order, "allowOtherFormat": True})
    assert (moved["listName"], moved["records"], moved["left"]) == ("Debtors", 1, 0)
