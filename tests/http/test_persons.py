"""A person's data over HTTP, on a running server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.desks import Demo, refuse

BASE = "/api/v2/admin/persons"


def test_a_person_is_shown_and_erased(demo: Demo) -> None:
    """What an agent added is shown and erased; the do-not-call entry is left, and the audit says who and why."""
    desk = demo.desk().listen()
    number = "+14155557733"
    desk.add(number)
    admin = demo.desktop("admin1").client
    shown = admin.post(f"{BASE}/export", {"number": number}).body["person"]
    assert [one["phoneNumber"] for one in shown["records"]] == [number]
    assert [one["requestType"] for one in shown["requests"]] == ["ADD_RECORD"]
    dry = admin.post(f"{BASE}/erase", {"number": number, "reason": "asked", "dryRun": True}).body["report"]
    assert dry["isDryRun"] is True
    done = admin.post(f"{BASE}/erase", {"number": number, "reason": "asked by letter", "doNotCall": True}).body[
        "report"
    ]
    assert done["records"] == dry["records"] == len(shown["records"])
    left = admin.post(f"{BASE}/export", {"number": number}).body["person"]
    assert (left["records"], left["attempts"], left["requests"]) == ([], [], [])
    assert len(left["suppressions"]) == 1
    row = admin.get("/api/v2/admin/requests?requestType=124&limit=1").body["requests"][0]
    assert (row["requestName"], row["userName"], row["referenceId"]) == ("ErasePerson", "admin1", "asked by letter")


@pytest.mark.parametrize("name", ["agent1", "supervisor1"])
def test_only_administrators_may(demo: Demo, name: str) -> None:
    """Agents and supervisors may neither see nor erase a person as a whole."""
    client = demo.desktop(name).client
    refuse(client.post(f"{BASE}/export", {"number": "+12125550010"}), 403, 3)
    refuse(client.post(f"{BASE}/erase", {"number": "+12125550010", "reason": "x"}), 403, 3)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"reason": "x"}, 1),
        ({"number": "+12125550010", "customerId": "c", "reason": "x"}, 1),
        ({"number": "+12125550010"}, 1),
        ({"number": 5, "reason": "x"}, 10),
        ({"number": "+12125550010", "reason": "x", "dryrun": True}, 10),
        ({"number": "+12125550010", "reason": "x", "dryRun": "yes"}, 10),
        ({"number": "12", "region": "US", "reason": "x"}, 10),
    ],
)
def test_bad_bodies(demo: Demo, body: dict[str, Any], code: int) -> None:
    """Refused with the parameter's name, and nothing is erased."""
    refuse(demo.desktop("admin1").client.post(f"{BASE}/erase", body), 400, code)
