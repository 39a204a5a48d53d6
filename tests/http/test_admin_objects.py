"""Objects of every kind over HTTP: made once, changed by version, listed in pages, with a history, kept whole.

``Administrator`` checks every answer against the OpenAPI description.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.http.administration import Administrator, accepted, refused, shown
from tests.http.desks import Demo, demo_server
from tests.http.samples import SAMPLES, fresh, sample
from trunkline.contract.admin_kinds import KINDS


@pytest.fixture(scope="module")
def site() -> Iterator[Demo]:
    """A demo server for these tests."""
    with demo_server(agents=12) as made:
        yield made


@pytest.fixture(scope="module")
def admin(site: Demo) -> Administrator:
    """Its administrator."""
    return Administrator(site)


def test_there_is_a_sample_of_every_kind() -> None:
    """The tests below go over all kinds."""
    assert set(SAMPLES) == set(KINDS)


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_life(admin: Administrator, kind: str) -> None:
    """Create, read, find by name, change, replace, look at the history, delete: each with versions and ETags."""
    path = KINDS[kind].path
    body = sample(admin, kind)
    created = admin.ask("POST", path, {**body, "referenceId": fresh("ref"), "changeReason": "begin"})
    made = shown(accepted(created))
    assert {name: made[name] for name in body if name not in ("password", "secret", "rules")} == {
        name: value for name, value in body.items() if name not in ("password", "secret", "fields", "rules")
    } | ({"fields": made["fields"]} if "fields" in body else {})
    assert (made["version"], created.headers["ETag"]) == (1, '"1"')
    assert not {"password", "secret"} & set(made)
    one = f"{path}/{made['id']}"
    assert shown(admin.get(one)) == made
    listed = admin.get(f"{path}?name={body['name'].replace(' ', '%20')}")
    assert (listed[KINDS[kind].names], listed["total"], listed["nextCursor"]) == ([made], 1, None)
    renamed = admin.change(one, 1, name=fresh("renamed"), changeReason="a better name")
    assert (renamed["version"], renamed["id"]) == (2, made["id"])
    assert {**renamed, "name": made["name"]} == {**made, "version": 2, "changedAt": renamed["changedAt"]}
    put = admin.ask("PUT", one, {**renamed, "isEnabled": False}, if_match='"2"')
    disabled = shown(accepted(put))
    assert (disabled["isEnabled"], disabled["version"], put.headers["ETag"]) == (False, 3, '"3"')
    versions = admin.get(f"{one}/versions")["versions"]
    assert [(one["version"], one["changeReason"], one["isDeleted"]) for one in versions] == [
        (3, "", False),
        (2, "a better name", False),
        (1, "begin", False),
    ]
    assert {entry["changedBy"] for entry in versions} == {"admin1"}
    name = KINDS[kind].name
    assert versions[2][name] == {key: value for key, value in made.items() if key in versions[2][name]}
    assert admin.get(f"{one}/versions?limit=1&before=3")["versions"] == versions[1:2]
    accepted(admin.ask("DELETE", f"{one}?changeReason=over", if_match='"3"'))
    refused(admin.ask("GET", one), 404, 6)
    last = admin.get(f"{one}/versions?limit=1")["versions"][0]
    assert (last["version"], last["isDeleted"], last[name], last["changeReason"]) == (4, True, None, "over")


def test_a_change_that_says_nothing_of_the_reference_is_none(admin: Administrator) -> None:
    """An object that was made with a reference keeps it, and its version, when the same is said without one."""
    made = admin.make("skills", name=fresh("Known"), referenceId=fresh("ref"))
    for method in ("PUT", "PATCH"):
        again = admin.ask(method, f"skills/{made['id']}", {"version": 1, "name": made["name"]})
        assert shown(accepted(again)) == made


@pytest.mark.parametrize("kind", SAMPLES)
def test_what_an_answer_shows_can_be_sent_back(admin: Administrator, kind: str) -> None:
    """PUT of what GET showed changes nothing, not even the version."""
    path = KINDS[kind].path
    made = admin.make(path, **sample(admin, kind))
    again = shown(accepted(admin.ask("PUT", f"{path}/{made['id']}", made)))
    assert again == made


@pytest.mark.parametrize("kind", SAMPLES)
def test_creating_twice_creates_once(admin: Administrator, kind: str) -> None:
    """The same reference and body give the same object, also after it was changed; another body is refused."""
    path = KINDS[kind].path
    body = sample(admin, kind, referenceId=fresh("ref"))
    made = admin.make(path, **body)
    assert admin.make(path, **body) == made
    later = admin.change(f"{path}/{made['id']}", 1, name=fresh("later"))
    assert admin.make(path, **body) == later
    refused(admin.ask("POST", path, {**body, "name": fresh("other")}), 409, 18, "referenceId")
    elsewhere = admin.make(path, **{**sample(admin, kind), "referenceId": fresh("ref")})
    assert elsewhere["id"] != made["id"]


@pytest.mark.parametrize("kind", SAMPLES)
def test_of_two_who_read_the_same_one_is_refused(admin: Administrator, kind: str) -> None:
    """A change or deletion of what was changed since is refused with 409 and 19, and changes nothing."""
    path = KINDS[kind].path
    made = admin.make(path, **sample(admin, kind))
    one = f"{path}/{made['id']}"
    changed = admin.change(one, 1, name=fresh("first"))
    refused(admin.ask("PATCH", one, {"version": 1, "name": fresh("second")}), 409, 19, "version 2")
    refused(admin.ask("PUT", one, {**made, "name": fresh("second")}), 409, 19)
    refused(admin.ask("DELETE", f"{one}?version=1"), 409, 19)
    refused(admin.ask("DELETE", one, if_match='"1"'), 409, 19)
    for said in ({}, {"version": None}):
        refused(admin.ask("PATCH", one, {"name": "x", **said}), 400, 1, "version")
    refused(admin.ask("DELETE", one), 400, 1, "version")
    refused(admin.ask("PATCH", one, {"name": "x", "version": 2}, if_match='"1"'), 400, 10, "If-Match")
    refused(admin.ask("PATCH", one, {"name": "x", "version": 2, "id": made["id"] + 1}), 400, 10, "id")
    assert shown(admin.get(one)) == changed


@pytest.mark.parametrize("kind", SAMPLES)
def test_names_are_taken_once(admin: Administrator, kind: str) -> None:
    """A second object of the kind cannot have the name, neither new nor renamed; capitals make another name."""
    path = KINDS[kind].path
    first, second = (admin.make(path, **sample(admin, kind)) for _ in range(2))
    refused(admin.ask("POST", path, sample(admin, kind, name=first["name"])), 409, 18, "name")
    refused(admin.ask("PATCH", f"{path}/{second['id']}", {"version": 1, "name": first["name"]}), 409, 18, "name")
    admin.make(path, **sample(admin, kind, name=first["name"].upper()))


@pytest.mark.parametrize("kind", SAMPLES)
def test_what_is_wrong_is_named(admin: Administrator, kind: str) -> None:
    """Missing, unknown, mistyped and overlong fields are refused with their names, and nothing is made."""
    path = KINDS[kind].path
    body = sample(admin, kind)
    before = admin.get(f"{path}?limit=1")["total"]
    refused(admin.ask("POST", path, {name: value for name, value in body.items() if name != "name"}), 400, 1, "name")
    refused(admin.ask("POST", path, {**body, "nmae": 1}), 400, 10, "nmae")
    refused(admin.ask("POST", path, {**body, "name": 5}), 400, 10, "name")
    refused(admin.ask("POST", path, {**body, "name": " x"}), 400, 10, "name")
    refused(admin.ask("POST", path, {**body, "name": ""}), 400, 10, "name")
    refused(admin.ask("POST", path, {**body, "name": "x" * 256}), 413, 10, "name")
    refused(admin.ask("POST", path, {**body, "name": "a\u0007b"}), 400, 10, "name")
    refused(admin.ask("POST", path, {**body, "isEnabled": 1}), 400, 10, "isEnabled")
    refused(admin.ask("POST", path, {**body, "referenceId": "r" * 256}), 413, 10, "referenceId")
    refused(admin.ask("POST", path, {**body, "changeReason": 5}), 400, 10, "changeReason")
    refused(admin.ask("POST", path, b"[]"), 400, 10)
    refused(admin.ask("POST", path, b"{"), 400, 10)
    refused(admin.ask("POST", path, b"", content_length=str((1 << 20) + 1)), 413, 10)
    assert admin.get(f"{path}?limit=1")["total"] == before


@pytest.mark.parametrize("path", ["0", "x", "99999999999", "-1", "1.5", "%D9%A1", "2147483648"])
def test_what_is_no_id_is_not_found(admin: Administrator, path: str) -> None:
    """An id that cannot be one is not found, as one that is not there."""
    unknown = admin.ask("GET", "formats/2147483647")
    found = admin.ask("GET", f"formats/{path}")
    assert (found.status, found.json) == (404, unknown.json)


# --- lists -------------------------------------------------------------------------------------------------------


def test_pages_stay_put_while_others_write(admin: Administrator) -> None:
    """A cursor goes on behind the last item shown: what is added or deleted meanwhile hides and repeats nothing."""
    names = [f"Paged {letter}" for letter in "dbfaec"]
    made = {name: admin.make("skills", name=name, description="paged") for name in names}
    query = "skills?description=paged&sortBy=name&limit=2"
    first = admin.get(query)
    assert ([one["name"] for one in first["skills"]], first["total"]) == (["Paged a", "Paged b"], 6)
    admin.drop(f"skills/{made['Paged a']['id']}", 1)
    admin.make("skills", name="Paged bb", description="paged")
    second = admin.get(f"{query}&cursor={first['nextCursor']}")
    assert ([one["name"] for one in second["skills"]], second["total"]) == (["Paged bb", "Paged c"], 6)
    last = admin.get(f"{query.replace('limit=2', 'limit=9')}&cursor={second['nextCursor']}")
    assert ([one["name"] for one in last["skills"]], last["nextCursor"]) == (["Paged d", "Paged e", "Paged f"], None)
    backwards = admin.get("skills?description=paged&sortBy=name&order=Descending&limit=3")
    assert [one["name"] for one in backwards["skills"]] == ["Paged f", "Paged e", "Paged d"]
    following = admin.get(
        f"skills?description=paged&sortBy=name&order=Descending&limit=9&cursor={backwards['nextCursor']}"
    )
    assert [one["name"] for one in following["skills"]] == ["Paged c", "Paged bb", "Paged b"]


def test_lists_are_filtered_by_plain_fields(admin: Administrator) -> None:
    """Several fields must all agree; references are found; only asked fields are shown."""
    made = admin.make("calling-lists", name=fresh("Filtered"), maxAttempts=7, referenceId=fresh("mark"))
    admin.make("calling-lists", name=fresh("Filtered"), maxAttempts=7, isEnabled=False)
    for query in (
        f"maxAttempts=7&isEnabled=true&id={made['id']}",
        f"referenceId={made['referenceId'].replace(' ', '+')}",
        f"maxAttempts=7&isEnabled=true&name={made['name'].replace(' ', '+')}",
    ):
        assert [one["id"] for one in admin.get(f"calling-lists?{query}")["callingLists"]] == [made["id"]]
    part = admin.get("calling-lists?maxAttempts=7&fields=id,name,isEnabled&sortBy=isEnabled&order=Descending")
    assert [list(one) for one in part["callingLists"]] == [["id", "name", "isEnabled"]] * 2
    assert list(shown(admin.get(f"calling-lists/{made['id']}?fields=name"))) == ["name"]
    assert shown(admin.get(f"calling-lists/{made['id']}?fields=*")) == made
    for wrong in ("fields=zz", "fields=id,Name", "fields=", "field=name"):
        refused(admin.ask("GET", f"calling-lists/{made['id']}?{wrong}"), 400, 10, "field")
    refused(admin.ask("GET", "skills?name=nobody&fields=zz"), 400, 10, "fields names zz")


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_field_that_is_shown_can_be_asked_for(admin: Administrator, kind: str) -> None:
    """One by one, each under its own name."""
    made = admin.make(KINDS[kind].path, **sample(admin, kind))
    for name, value in made.items():
        assert shown(admin.get(f"{KINDS[kind].path}/{made['id']}?fields={name}")) == {name: value}


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=x",
        "sortBy=fields",
        "order=Up",
        "colour=red",
        "cursor=x",
        "cursor=WzFd",
        "cursor=%00",
    ],
)
def test_impossible_questions_are_refused(admin: Administrator, query: str) -> None:
    """Unknown parameters, impossible limits and made-up cursors are named."""
    refused(admin.ask("GET", f"formats?{query}"), 400, 10, query.partition("=")[0])


def test_a_cursor_belongs_to_its_order(admin: Administrator) -> None:
    """A cursor of another order is refused, not misread."""
    for _ in range(2):
        admin.make("skills", name=fresh("Ordered"))
    cursor = admin.get("skills?limit=1")["nextCursor"]
    refused(admin.ask("GET", f"skills?limit=1&sortBy=name&cursor={cursor}"), 400, 10, "cursor")
