"""Every operation, by every role, about every kind of thing of another contact centre: never a hint.

The rows are those of the server's own route table, so a route that is added is tested, and fails here until its row
says who may use it and what its path names. Two contact centres share a server. Each role of one of them asks for what
belongs to the other, and for what nobody has: both are answered alike, in status, headers and body, as "not found", or
as "not permitted" to those who may not ask at all.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import pytest

from tests.http.administration import basic
from tests.http.desks import APPLICATION, CAMPAIGN, LIST, Demo, Json, Reply, demo_server, exchange
from tests.http.samples import SAMPLES
from tests.http.test_access import PASSWORD, add_user
from trunkline.contract.admin_kinds import KINDS
from trunkline.domain.people import Role
from trunkline.domain.permissions import GRANTS, Permission
from trunkline.web.app import HOT_ROWS
from trunkline.web.routes import rows
from trunkline.web.rows import Row

ROWS = [*HOT_ROWS, *(row for row in rows() if row.needs is not Permission.PUBLIC)]
UNKNOWN_NUMBER = "2147483000"
THEIR_DEVICE = "their-device"

FREE = frozenset({"channel", "any", "call", "place in chain"})
"""Kinds of parameters that name nothing that belongs to somebody."""
KNOWN = frozenset(
    {
        *(*KINDS, *FREE, "list name", "campaign name", "chain", "import", "device", "public user", "handle", "number"),
        *("recycling", "suppression list name"),
    }
)
"""Kinds of parameters that this test has a foreign and an unknown value for."""

BODIES: dict[tuple[str, str], Json] = {
    ("POST", "/api/v2/admin/calling-lists/{list_name}/chains/{chain_id}"): {"operationName": "ResetStale"},
    ("POST", "/api/v2/me/outbound-records/{handle}"): {
        "operationName": "UpdateRecord",
        "applicationId": APPLICATION,
        "campaignName": CAMPAIGN,
        "devicePath": f"/devices/{THEIR_DEVICE}",
    },
    ("POST", "/api/v2/me/outbound-campaigns/{campaign_name}"): {
        "operationName": "StartPreviewSession",
        "applicationId": APPLICATION,
        "devicePath": f"/devices/{THEIR_DEVICE}",
    },
    ("POST", "/api/v2/admin/webhooks/{webhook_id}/deliveries"): {"operationName": "Resume"},
    ("POST", "/api/v2/admin/callbacks/{list_name}/{chain_id}/{chain_n}"): {"operationName": "ReassignCallback"},
    ("POST", "/api/v2/admin/campaign-groups/{object_id}"): {"operationName": "Stop"},
    ("POST", "/lists/{list_name}"): {"GSW_PHONE": "+12125550100"},
    ("POST", "/api/v2/admin/calling-lists/{list_name}/removals"): {"all": True, "dryRun": True},
    ("POST", "/api/v2/admin/suppression-lists/{list_name}/removals"): {"all": True, "dryRun": True},
    ("POST", "/api/v2/admin/calling-lists/{list_name}/moves"): {"targetList": LIST, "dryRun": True},
}
"""Bodies without a fault of their own, where an empty object is one: what is missing is said before what is foreign."""
QUERIES: dict[tuple[str, str], str] = {
    ("POST", "/lists/{list_name}"): "req=AddRecord",
    ("POST", "/records/{handle}"): "req=RecordCancel",
}


HEADERS: dict[tuple[str, str], dict[str, str]] = {
    ("POST", "/api/v2/admin/calling-lists/{list_name}/imports"): {"Content-Type": "text/csv"},
}
TOGETHER: dict[str, tuple[tuple[str, ...], ...]] = {
    "/api/v2/admin/explain/": (("callingList", "chainId"), ("recordHandle",), ("phoneNumber",)),
}
"""Parameters of queries that are named together, by the beginning of the path."""


class Values(NamedTuple):
    """A value of a parameter that is the other contact centre's, and one that is nobody's."""

    foreign: str
    unknown: str


class Matrix:
    """A server with two contact centres: the demo's, and one with a user of each role who asks for the demo's."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        for role in Role:
            device = ("--device", f"{THEIR_DEVICE}=1") if role is Role.AGENT else ()
            add_user(demo, f"their-{role}", "--contact-centre", "elsewhere", "--role", role.value, *device)
        self.values: dict[str, Values] = {
            "list name": Values(LIST, "No such list"),
            "campaign name": Values(CAMPAIGN, "No such campaign"),
            "chain": Values("1", UNKNOWN_NUMBER),
            "import": Values("demo", "no-such-import"),
            "device": Values("demo-device-2", "nobody-s-device"),
            "handle": Values("1000002", UNKNOWN_NUMBER),
            "number": Values("+12125550100", "+12125550199"),
            "recycling": Values("1", "999999"),
            "suppression list name": Values(self._suppression_list(), "No such list"),
            "public user": Values(self._public_id(), "0" * 32),
            **{kind: Values("1", "2") for kind in FREE},
        }
        maker = Maker(demo)
        for kind in KINDS.values():
            self.values[kind.kind] = Values(str(maker.last(kind.kind)), UNKNOWN_NUMBER)

    def _suppression_list(self) -> str:
        made = {"name": "Their own list"}
        reply = exchange(
            self.demo.url, "POST", "/api/v2/admin/suppression-lists", json.dumps(made).encode(), headers=basic("admin1")
        )
        assert reply.json["statusCode"] == 0, reply
        return made["name"]

    def _public_id(self) -> str:
        found: str = exchange(self.demo.url, "GET", "/api/v2/me", headers=basic("agent2")).json["user"]["id"]
        return found

    def ask(self, row: Row, who: dict[str, str], values: Mapping[str, str]) -> Reply:
        """One request with these values of the row's parameters."""
        path = re.sub(r"{(\w+)}", lambda found: quote(values[found[1]], safe=""), row.path)
        query = urlencode({name: value for name, value in values.items() if f"{{{name}}}" not in row.path})
        query = "&".join(part for part in (QUERIES.get((row.method, row.path), ""), query) if part)
        body = None
        if row.method != "GET":
            body = json.dumps(BODIES.get((row.method, row.path), {})).encode()
        headers = {**who, **HEADERS.get((row.method, row.path), {})}
        return exchange(self.demo.url, row.method, f"{path}?{query}" if query else path, body, headers)


class Maker:
    """The demo's administrator, who makes more of every kind than the other contact centre has."""

    def __init__(self, demo: Demo) -> None:
        self._demo = demo

    def last(self, kind: str) -> int:
        """The number of an object of the demo that the other contact centre has none of."""
        number = 0
        for n in range(3):
            body = {"name": f"Secret {kind} {n}", **SAMPLES[kind](self)}  # type: ignore[arg-type]
            number = self.make(KINDS[kind].path, **body)["id"]
        return number

    def make(self, path: str, **fields: Any) -> Json:
        """Create an object."""
        reply = exchange(self._demo.url, "POST", f"/api/v2/admin/{path}", json.dumps(fields).encode(), basic("admin1"))
        (found,) = [value for name, value in reply.json.items() if name != "statusCode"]
        assert reply.status == 200, reply
        made: Json = found
        return made

    @staticmethod
    def demo_now_s() -> int:
        """See ``Administrator``."""
        from tests.http.administration import Administrator

        return Administrator.demo_now_s()


@pytest.fixture(scope="module")
def matrix() -> Iterator[Matrix]:
    """The two contact centres."""
    with demo_server(agents=5) as demo:
        yield Matrix(demo)


def of(role: Role) -> dict[str, str]:
    """The credentials of the other contact centre's user of that role."""
    return basic(f"their-{role}", PASSWORD)


def plain(reply: Reply) -> tuple[int, list[tuple[str, str]], bytes]:
    """All of an answer that could be a hint."""
    headers = sorted((name.lower(), value) for name, value in reply.headers.items() if name.lower() != "date")
    return reply.status, headers, reply.body


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method} {row.path}")
def test_every_route_says_who_may_use_it_and_what_it_names(row: Row) -> None:
    """No route without a permission, no parameter of a path without its kind, no kind without values to try."""
    assert row.permission is not None, "say in the route's row who may use it"
    named = set(re.findall(r"{(\w+)}", row.path))
    assert named <= set(row.ids), "say in the route's row what the parameters of its path name"
    assert set(row.ids.values()) <= KNOWN, "give this kind of id a foreign and an unknown value in this test"
    if row.path.startswith("/api/v2/admin"):
        assert row.permission in (Permission.SUPERVISE, Permission.ADMINISTER)


@pytest.mark.parametrize(
    ("row", "role"),
    [(row, role) for row in ROWS for role in Role if role not in GRANTS[row.needs]],
    ids=lambda value: value.value if isinstance(value, Role) else f"{value.method} {value.path}",
)
def test_who_may_not_ask_learns_nothing(matrix: Matrix, row: Row, role: Role) -> None:
    """Without the permission own, foreign and unknown things are answered alike: not permitted."""
    answers = {
        plain(matrix.ask(row, of(role), {name: matrix.values[kind][place] for name, kind in row.ids.items()}))[0::2]
        for place in (0, 1)
    }
    assert len(answers) == 1
    ((status, body),) = answers
    assert status == 403
    assert b'"statusCode":3' in body or not body.startswith(b"{")


@pytest.mark.parametrize(
    ("row", "role"),
    [(row, role) for row in ROWS for role in Role if role in GRANTS[row.needs] and not set(row.ids.values()) <= FREE],
    ids=lambda value: value.value if isinstance(value, Role) else f"{value.method} {value.path}",
)
def test_foreign_and_unknown_look_alike(matrix: Matrix, row: Row, role: Role) -> None:
    """What is another contact centre's is not found, as what nobody has: same status, headers and body."""
    in_path = [name for name in row.ids if f"{{{name}}}" in row.path]
    together = next((sets for begin, sets in TOGETHER.items() if row.path.startswith(begin)), ())
    for names in [in_path] if in_path else together:
        answers = set()
        for places in itertools.product((0, 1), repeat=len(names)):
            values = {name: matrix.values[row.ids[name]][place] for name, place in zip(names, places, strict=True)}
            answers.add(_comparable(matrix.ask(row, of(role), values)))
        assert len(answers) == 1, answers
        ((status, _, body),) = answers
        assert status in (403, 404), (status, body)


def _comparable(reply: Reply) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    status, headers, body = plain(reply)
    return status, tuple(headers), body


@pytest.mark.parametrize(
    ("row", "role"),
    [
        (row, role)
        for row in ROWS
        for role in Role
        if row.method == "GET" and role in GRANTS[row.needs] and not [n for n in row.ids if f"{{{n}}}" in row.path]
    ],
    ids=lambda value: value.value if isinstance(value, Role) else f"{value.method} {value.path}",
)
def test_lists_hold_nothing_foreign(matrix: Matrix, row: Row, role: Role) -> None:
    """What is read without naming anything holds nothing of the other contact centre."""
    if row.path.endswith("openapi.json"):
        return
    reply = matrix.ask(row, of(role), {})
    for secret in (LIST, CAMPAIGN, "Secret", "demo-device", "agent2", "admin1", "D-0000"):
        assert secret.encode() not in reply.body, (secret, reply)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_cannot_point_there(matrix: Matrix, kind: str) -> None:
    """An object that names a foreign number is refused as one that names a number that nobody has."""
    shape = KINDS[kind]
    makers = {
        "calling-list": lambda number: {"formatId": number("format")},
        "campaign": lambda number: {"lists": [{"listId": number("calling-list")}]},
        "agent-group": lambda number: {"userIds": [number("user")]},
        "campaign-group": lambda number: {
            "campaignId": number("campaign"),
            "agentGroupId": number("agent-group"),
        },
        "user": lambda number: {"password": "long-enough", "skills": [{"skillId": number("skill")}]},
        "suppression-list": lambda number: {"campaignId": number("campaign")},
        "webhook": lambda number: {
            "url": "https://example.com/x",
            "secret": "0123456789abcdef",
            "notices": ["group-state"],
            "campaignIds": [number("campaign")],
        },
    }
    if kind not in makers:
        return
    answers = set()
    for place in (0, 1):
        fields = makers[kind](lambda other, place=place: int(matrix.values[other][place]))  # type: ignore[no-untyped-call]
        body = json.dumps({"name": "Pointing", **fields}).encode()
        reply = exchange(matrix.demo.url, "POST", f"/api/v2/admin/{shape.path}", body, of(Role.ADMINISTRATOR))
        answers.add(_comparable(reply))
    assert len(answers) == 1
    ((status, _, body),) = answers
    assert (status, b"of this contact centre" in body) == (400, True)
