"""Objects of every kind over HTTP: made once, changed by version, listed in pages, with a history, kept whole.

``Administrator`` checks every answer against the OpenAPI description.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.http import stored
from tests.http.administration import Administrator, accepted, refused, shown
from tests.http.desks import CAMPAIGN, LIST, Demo, Json, demo_server
from trunkline.contract.admin_kinds import KINDS
from trunkline.domain.enums import GroupStatus

FIELDS: list[Json] = [{"name": "city", "label": "City"}, {"name": "age", "fieldType": "Int", "isMandatory": True}]
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def site() -> Iterator[Demo]:
    """A demo server for these tests."""
    with demo_server(agents=12) as made:
        yield made


@pytest.fixture(scope="module")
def admin(site: Demo) -> Administrator:
    """Its administrator."""
    return Administrator(site)


def fresh(word: str) -> str:
    """A name that nothing has."""
    return f"{word} {next(_numbers)}"


def a_campaign(admin: Administrator) -> int:
    """The id of a new campaign."""
    found: int = admin.make("campaigns", name=fresh("Campaign"))["id"]
    return found


def an_agent_group(admin: Administrator) -> int:
    """The id of a new agent group."""
    found: int = admin.make("agent-groups", name=fresh("Agents"))["id"]
    return found


SAMPLES: dict[str, Callable[[Administrator], Json]] = {
    "user": lambda admin: {"password": "a-long-password", "skills": [], "roles": ["supervisor"]},
    "format": lambda admin: {"fields": FIELDS},
    "calling-list": lambda admin: {"from": 28_800, "until": 64_800, "defaultTimeZone": "Europe/Paris"},
    "suppression-list": lambda admin: {"kind": "customer", "source": "register"},
    "filter": lambda admin: {"criteria": "attempts < 3 AND city = 'Paris'", "orderBy": "attempts DESC"},
    "treatment": lambda admin: {
        "rules": [{"callResult": "Busy", "steps": [{"action": "Cycle", "attempts": 3, "intervalMinutes": 30}]}]
    },
    "campaign": lambda admin: {"weekdays": [0, 1, 2], "hoursFrom": 32_400, "hoursUntil": 61_200},
    "agent-group": lambda admin: {"userIds": [1, 2]},
    "campaign-group": lambda admin: {"campaignId": a_campaign(admin), "agentGroupId": an_agent_group(admin)},
    "schedule": lambda admin: {},
    "skill": lambda admin: {},
    "time-zone": lambda admin: {"timeZone": "America/Los_Angeles"},
    "rule-set": lambda admin: {"defaultRegion": "US"},
    "rule-override": lambda admin: {
        "rule": "attempt limit",
        "reason": "agreed with the customer",
        "until": admin.demo_now_s() + 86_400,
        "campaignId": a_campaign(admin),
    },
    "import-specification": lambda admin: {},
    "webhook": lambda admin: {
        "url": "https://example.com/in",
        "notices": ["group-state"],
        "secret": "0123456789abcdef",
    },
}
"""Fields of a good object of each kind beside its name."""


def sample(admin: Administrator, kind: str, **more: Any) -> Json:
    """A good body of a kind."""
    return {"name": fresh(kind), **SAMPLES[kind](admin), **more}


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


# --- what holds objects together ---------------------------------------------------------------------------------


def test_references_must_exist(admin: Administrator) -> None:
    """A number that nothing has is refused by its place, at any depth."""
    campaign, agents = a_campaign(admin), an_agent_group(admin)
    for path, body, place in (
        ("calling-lists", {"formatId": 9999}, "formatId"),
        ("calling-lists", {"treatmentId": 9999}, "treatmentId"),
        ("campaigns", {"lists": [{"listId": 101}, {"listId": 9999}]}, "lists[1].listId"),
        ("campaigns", {"suppressionListIds": [9999]}, "suppressionListIds"),
        ("agent-groups", {"userIds": [1, 9999]}, "userIds"),
        ("agent-groups", {"skills": [{"skillId": 9999}]}, "skills[0].skillId"),
        ("campaign-groups", {"campaignId": 9999, "agentGroupId": agents}, "campaignId"),
        ("campaign-groups", {"campaignId": campaign, "agentGroupId": 9999}, "agentGroupId"),
        ("users", {"password": "long-enough", "skills": [{"skillId": 9999}]}, "skills[0].skillId"),
    ):
        refused(admin.ask("POST", path, {"name": fresh("Lost"), **body}), 400, 10, place)


def test_a_format_in_use_stays(admin: Administrator) -> None:
    """Its fields neither change nor go while a list has it; its description may change."""
    made = admin.make("formats", name=fresh("Used"), fields=FIELDS)
    one = f"formats/{made['id']}"
    called = admin.make("calling-lists", name=fresh("User"), formatId=made["id"])
    refused(admin.ask("PATCH", one, {"version": 1, "fields": []}), 409, 19, "fields", called["name"])
    refused(admin.ask("DELETE", f"{one}?version=1"), 409, 19, called["name"])
    admin.change(one, 1, description="for " + called["name"])
    admin.drop(f"calling-lists/{called['id']}", 1)
    admin.change(one, 2, fields=[])
    admin.drop(one, 3)


def test_a_deleted_list_leaves_its_campaigns(admin: Administrator) -> None:
    """The campaigns that had it go on without it, as their next version."""
    lists = [admin.make("calling-lists", name=fresh("Leaving"))["id"] for _ in range(2)]
    campaign = admin.make("campaigns", name=fresh("Left"), lists=[{"listId": number, "share": 3} for number in lists])
    admin.drop(f"calling-lists/{lists[0]}", 1)
    left = shown(admin.get(f"campaigns/{campaign['id']}"))
    assert (left["version"], [entry["listId"] for entry in left["lists"]]) == (2, lists[1:])


def test_what_is_in_use_is_not_deleted(admin: Administrator) -> None:
    """Filters, treatments, skills, groups and campaigns that something names say what names them."""
    rules = SAMPLES["treatment"](admin)
    skill = admin.make("skills", name=fresh("Needed"))
    treatment = admin.make("treatments", name=fresh("Needed"), **rules)
    called = admin.make("calling-lists", name=fresh("Needs"), treatmentId=treatment["id"])
    agents = admin.make("agent-groups", name=fresh("Needs"), skills=[{"skillId": skill["id"], "atLeast": 5}])
    campaign = a_campaign(admin)
    group = admin.make("campaign-groups", name=fresh("Needs"), campaignId=campaign, agentGroupId=agents["id"])
    for path, number, word in (
        ("treatments", treatment["id"], called["name"]),
        ("skills", skill["id"], agents["name"]),
        ("campaigns", campaign, group["name"]),
        ("agent-groups", agents["id"], group["name"]),
    ):
        refused(admin.ask("DELETE", f"{path}/{number}?version=1"), 409, 19, word)
    refused(
        admin.ask(
            "POST",
            "campaign-groups",
            {"name": fresh("Again"), "campaignId": campaign, "agentGroupId": agents["id"]},
        ),
        409,
        18,
        group["name"],
    )


@pytest.mark.parametrize(
    ("path", "fields", "word"),
    [
        ("formats", {"fields": [{"name": "GSW_PHONE"}]}, "fields[0].name"),
        ("formats", {"fields": [{"name": "InteractionType"}]}, "fields[0].name"),
        ("formats", {"fields": [{"name": "a"}, {"name": "a"}]}, "fields[1].name"),
        ("formats", {"fields": [{"name": "a", "sentAs": "GSW_X"}]}, "fields[0].sentAs"),
        ("formats", {"fields": [{"name": "a", "sentAs": "b"}, {"name": "b"}]}, "fields[1]"),
        ("formats", {"fields": [{"name": "a", "fieldType": "Text"}]}, "fields[0].fieldType"),
        ("formats", {"fields": [{"name": "a", "fieldType": "Int", "default": "x"}]}, "fields[0].default"),
        ("formats", {"fields": [{"name": "a", "fieldType": "Int", "maxLength": 3}]}, "fields[0].maxLength"),
        ("calling-lists", {"from": 86_400}, "from"),
        ("calling-lists", {"until": 0}, "until"),
        ("calling-lists", {"maxAttempts": 0}, "maxAttempts"),
        ("calling-lists", {"defaultTimeZone": "Mars/Olympus"}, "defaultTimeZone"),
        ("calling-lists", {"defaultRegion": "us"}, "defaultRegion"),
        ("campaigns", {"weekdays": []}, "weekdays"),
        ("campaigns", {"weekdays": [1, 1]}, "weekdays"),
        ("campaigns", {"weekdays": [7]}, "weekdays[0]"),
        ("campaigns", {"lists": [{"listId": 101}, {"listId": 101}]}, "lists"),
        ("campaigns", {"lists": [{"listId": 101, "share": -1}]}, "lists[0].share"),
        ("campaigns", {"lists": [{"listId": 101, "share": 1001}]}, "lists[0].share"),
        ("campaigns", {"suppressionScope": "world"}, "suppressionScope"),
        ("campaign-groups", {"campaignId": 201, "agentGroupId": 301, "minBuffer": 0}, "minBuffer"),
        ("campaign-groups", {"campaignId": 201, "agentGroupId": 301, "minBuffer": 6}, "optBuffer"),
        ("campaign-groups", {"campaignId": 201, "agentGroupId": 301, "optimizeGoal": 101}, "optimizeGoal"),
        ("campaign-groups", {"campaignId": 201, "agentGroupId": 301, "dialMode": "NoDialMode"}, "dialMode"),
        ("time-zones", {"timeZone": "Mars/Olympus"}, "time zone"),
        ("filters", {"criteria": "colour = "}, ""),
        ("filters", {"criteria": "1=1; DROP TABLE record"}, ""),
        ("treatments", {"rules": [{"callResult": "Sometimes", "steps": []}]}, "rules[0].callResult"),
        ("treatments", {"rules": []}, "rules"),
        ("rule-overrides", {"rule": "attempt limit", "reason": "", "until": 2_000_000_000, "listId": 101}, "reason"),
        ("webhooks", {"url": "ftp://x", "secret": "0123456789abcdef", "notices": ["group-state"]}, "url"),
    ],
)
def test_what_an_object_may_not_say(admin: Administrator, path: str, fields: Json, word: str) -> None:
    """Windows that cannot be, zones that do not exist, names of the protocol, hostile filters: refused by place."""
    refused(admin.ask("POST", path, {"name": fresh("Wrong"), **fields}), 400, 10, word)


def test_hours_that_never_meet_are_refused(admin: Administrator) -> None:
    """A campaign and a list that could never call at the same time are told so, from whichever side."""
    called = admin.make("calling-lists", name=fresh("Night"), **{"from": 79_200, "until": 21_600})
    lists = [{"listId": called["id"]}]
    day = {"hoursFrom": 28_800, "hoursUntil": 72_000}
    refused(admin.ask("POST", "campaigns", {"name": fresh("Day"), "lists": lists, **day}), 400, 10, called["name"])
    admin.make("campaigns", name=fresh("Late"), lists=lists, hoursFrom=28_800, hoursUntil=79_201)
    refused(admin.ask("PATCH", f"calling-lists/{called['id']}", {"version": 1, "from": 79_201}), 400, 10, "never meet")


def test_a_loaded_group_bears_some_changes(admin: Administrator, site: Demo) -> None:
    """While the demo's group runs, shares, hours, filters and agents change; names, formats and its parts do not."""
    campaign, called, group, agents = (
        shown(admin.get(path))
        for path in ("campaigns/201", "calling-lists/101", "campaign-groups/301", "agent-groups/301")
    )
    assert (campaign["name"], called["name"]) == (CAMPAIGN, LIST)
    for path, version, fields in (
        ("campaigns/201", campaign["version"], {"name": "Other"}),
        ("campaigns/201", campaign["version"], {"isEnabled": False}),
        ("calling-lists/101", called["version"], {"name": "Other"}),
        ("calling-lists/101", called["version"], {"fields": []}),
        ("campaign-groups/301", group["version"], {"applicationId": 5}),
        ("agent-groups/301", agents["version"], {"isEnabled": False}),
    ):
        refused(admin.ask("PATCH", path, {"version": version, **fields}), 409, 19, "loaded", group["name"])
    for path, version in (("campaigns/201", campaign["version"]), ("calling-lists/101", called["version"])):
        refused(admin.ask("DELETE", f"{path}?version={version}"), 409, 19, "loaded")
    filtered = admin.make("filters", name=fresh("Running"), criteria="attempts < 5")
    admin.change("campaigns/201", campaign["version"], lists=[{"listId": 101, "share": 7}], hoursUntil=86_399)
    admin.change("calling-lists/101", called["version"], filterId=filtered["id"], maxAttempts=9)
    admin.change("agent-groups/301", agents["version"], userIds=agents["userIds"][:-1])
    admin.change("campaign-groups/301", group["version"], minBuffer=5)
    assert stored.group_status(site, 301) is GroupStatus.RUNNING


def test_a_change_is_at_work_when_it_is_answered(admin: Administrator, site: Demo) -> None:
    """An agent who is taken out of the group finds no campaign in the next request, and finds it again when back."""
    desk = site.desktop("agent5", "demo-device-5", 1_000_005)
    agents = shown(admin.get("agent-groups/301"))
    number = admin.get("users?name=agent5")["users"][0]["id"]
    for round_n in range(6):
        members = sorted({*agents["userIds"], number} - ({number} if round_n % 2 == 0 else set()))
        agents = admin.change("agent-groups/301", agents["version"], userIds=members)
        found = desk.client.get("/api/v2/me/outbound-campaigns").body["campaigns"]
        assert len(found) == round_n % 2
