"""Accounts over HTTP: passwords, roles, devices, skills; who is disabled is out at once."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator

import pytest

from tests.http.administration import Administrator, accepted, basic, refused
from tests.http.desks import Demo, Desktop, accept, demo_server, exchange, kinds
from tests.http.test_access import add_user
from trunkline.adapters.storage import make_store

PASSWORD = "quite long enough"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def site() -> Iterator[Demo]:
    """A demo server for these tests."""
    with demo_server(agents=20) as made:
        yield made


@pytest.fixture(scope="module")
def admin(site: Demo) -> Administrator:
    """Its administrator."""
    return Administrator(site)


def name_of_one() -> str:
    """A name that nobody has."""
    return f"person{next(_numbers)}"


def test_a_new_agent_logs_in(site: Demo, admin: Administrator) -> None:
    """A new account has the features of its role, logs in with its password, and has its device."""
    name = name_of_one()
    devices = [{"deviceId": f"tel-{name}", "phoneNumber": "7001"}]
    made = admin.make("users", name=name, password=PASSWORD, firstName="Ann", devices=devices)
    assert (made["roles"], made["features"]) == (["agent"], ["api-voice", "api-voice-outbound"])
    me = exchange(site.url, "GET", "/api/v2/me?subresources=devices", headers=basic(name, PASSWORD)).json["user"]
    assert (me["userName"], me["firstName"], me["id"]) == (name, "Ann", made["publicId"])
    assert [device["id"] for device in me["devices"]] == [f"tel-{name}"]
    supervisor = admin.make("users", name=name_of_one(), password=PASSWORD, roles=["supervisor"])
    assert "api-provisioning-read" in supervisor["features"]


def test_a_password_goes_in_and_never_out(site: Demo, admin: Administrator) -> None:
    """It is kept as an argon2id hash; no answer, no history and no error shows it; a new one counts at once."""
    name = name_of_one()
    made = admin.make("users", name=name, password=PASSWORD)
    one = f"users/{made['id']}"
    assert exchange(site.url, "GET", "/api/v2/me", headers=basic(name, PASSWORD)).status == 200
    reply = admin.ask("PATCH", one, {"version": 1, "password": "another long one"})
    accepted(reply)
    for text in (reply.body, admin.ask("GET", one).body, admin.ask("GET", f"{one}/versions").body):
        assert b"password" not in text
        assert b"argon2" not in text
        assert b"another long one" not in text
    assert exchange(site.url, "GET", "/api/v2/me", headers=basic(name, PASSWORD)).status == 403
    assert exchange(site.url, "GET", "/api/v2/me", headers=basic(name, "another long one")).status == 200

    async def stored_hash() -> str:
        store = make_store(site.database_url)
        await store.open()
        try:
            (user,) = await store.user_by_name(name)
        finally:
            await store.close()
        return user.password_hash

    assert asyncio.run(stored_hash()).startswith("$argon2id$")


@pytest.mark.parametrize(
    ("fields", "status", "code", "word"),
    [
        ({}, 400, 1, "password"),
        ({"password": None}, 400, 1, "password"),
        ({"password": "short"}, 400, 10, "password"),
        ({"password": "x" * 257}, 413, 10, "password"),
        ({"password": 12345678}, 400, 10, "password"),
        ({"password": "        "}, 400, 10, "password"),
        ({"password": PASSWORD, "name": PASSWORD}, 400, 10, "password"),
        ({"password": PASSWORD, "name": "a:b"}, 400, 10, "name"),
        ({"password": PASSWORD, "name": "acme\\anna"}, 400, 10, "name"),
        ({"password": PASSWORD, "roles": []}, 400, 10, "roles"),
        ({"password": PASSWORD, "roles": ["agent", "agent"]}, 400, 10, "roles"),
        ({"password": PASSWORD, "roles": ["king"]}, 400, 10, "roles[0]"),
        ({"password": PASSWORD, "features": ["api-everything"]}, 400, 10, "features[0]"),
        ({"password": PASSWORD, "devices": [{"deviceId": "a/b", "phoneNumber": ""}]}, 400, 10, "devices[0].deviceId"),
        ({"password": PASSWORD, "devices": [{"deviceId": "a"}]}, 400, 1, "devices[0].phoneNumber"),
        ({"password": PASSWORD, "devices": [{"deviceId": "demo-device-2", "phoneNumber": "1"}]}, 409, 18, "devices"),
        ({"password": PASSWORD, "name": "agent2"}, 409, 18, "name"),
    ],
)
def test_what_an_account_may_not_be(
    admin: Administrator, fields: dict[str, object], status: int, code: int, word: str
) -> None:
    """Weak passwords, unknown roles, taken names and devices are refused with their field."""
    refused(admin.ask("POST", "users", {"name": name_of_one(), **fields}), status, code, word)


def test_two_contact_centres_with_one_name_and_password(site: Demo, admin: Administrator) -> None:
    r"""Nobody comes into the other's account: the bare name is refused, ``centre\name`` is each one's own."""
    name = name_of_one()
    mine = admin.make("users", name=name, password=PASSWORD)
    assert exchange(site.url, "GET", "/api/v2/me", headers=basic(name, PASSWORD)).status == 200
    add_user(site, "chief", "--contact-centre", "another", "--role", "administrator")
    theirs = Administrator(site, "chief", "long enough").make("users", name=name, password=PASSWORD)
    assert exchange(site.url, "GET", "/api/v2/me", headers=basic(name, PASSWORD)).status == 403
    (line,) = [line for line in site.server.log.splitlines() if "log-in refused" in line]
    assert f"another {theirs['publicId']}" in line
    assert f"demo {mine['publicId']}" in line
    assert name not in line
    assert PASSWORD not in line
    for centre, made in (("demo", mine), ("another", theirs)):
        me = exchange(site.url, "GET", "/api/v2/me", headers=basic(f"{centre}\\{name}", PASSWORD))
        assert me.json["user"]["id"] == made["publicId"]
    assert exchange(site.url, "GET", "/api/v2/me", headers=basic(f"demo\\{name}", "long enough")).status == 403


def test_who_is_disabled_is_out_at_once(site: Demo, admin: Administrator) -> None:
    """The next request is refused, the CometD session ends, and the contact-centre session with it."""
    with Desktop(site.url, "agent7", "demo-device-7", 1_000_007) as desk:
        accept(desk.on_me("StartContactCenterSession", channels=["voice"]))
        desk.listen()
        (user,) = admin.get("users?name=agent7")["users"]
        changed = admin.change(f"users/{user['id']}", user["version"], isEnabled=False, changeReason="left")
        assert desk.client.get("/api/v2/me").http_status == 403

        async def is_logged_in() -> bool:
            store = make_store(site.database_url)
            await store.open()
            try:
                return await store.agent_session(1, user["id"]) is not None
            finally:
                await store.close()

        assert not asyncio.run(is_logged_in())
        admin.change(f"users/{user['id']}", changed["version"], isEnabled=True)
        assert desk.client.get("/api/v2/me").http_status == 200
        desk.events.open()
        assert "CampaignStarted" in kinds(desk.heard())


def test_a_role_counts_at_once(site: Demo, admin: Administrator) -> None:
    """An agent who becomes a supervisor may supervise in the next request, and no longer when it is taken back."""
    (user,) = admin.get("users?name=agent8")["users"]
    person = Administrator(site, "agent8")
    refused(person.ask("GET", "campaigns"), 403, 3)
    one = f"users/{user['id']}"
    for roles, status in ((["agent", "supervisor"], 200), (["agent"], 403), (["supervisor"], 200)):
        user = admin.change(one, user["version"], roles=roles)
        assert person.ask("GET", "campaigns").status == status


def test_somebody_is_left_who_may_administer(site: Demo) -> None:
    """The last administrator can neither be disabled, demoted nor deleted, by nobody, himself included."""
    add_user(site, "boss", "--contact-centre", "small", "--role", "administrator")
    boss = Administrator(site, "boss", "long enough")
    (me,) = boss.get("users?name=boss")["users"]
    one = f"users/{me['id']}"
    for fields in ({"isEnabled": False}, {"roles": ["supervisor"]}, {"roles": ["agent"]}):
        refused(boss.ask("PATCH", one, {"version": me["version"], **fields}), 409, 19, "last administrator")
    refused(boss.ask("DELETE", f"{one}?version={me['version']}"), 409, 19, "last administrator")
    second = boss.make("users", name="second", password=PASSWORD, roles=["administrator"])
    boss.change(f"users/{second['id']}", 1, isEnabled=False)
    refused(boss.ask("PATCH", one, {"version": me["version"], "roles": ["agent"]}), 409, 19, "last administrator")
    boss.change(f"users/{second['id']}", 2, isEnabled=True)
    boss.change(one, me["version"], roles=["agent"])
    refused(boss.ask("GET", "users"), 403, 3)


def test_a_user_who_works_is_not_deleted(site: Demo, admin: Administrator) -> None:
    """Not while something lies on the desk. Who is deleted leaves the groups, and the number never comes again."""
    (busy,) = admin.get("users?name=agent9")["users"]
    refused(admin.ask("DELETE", f"users/{busy['id']}?version={busy['version']}"), 409, 19, "desk")
    name = name_of_one()
    made = admin.make("users", name=name, password=PASSWORD)
    group = admin.make("agent-groups", name=f"Group of {name}", userIds=[made["id"], 1])
    admin.drop(f"users/{made['id']}", 1)
    left = accepted(admin.ask("GET", f"agent-groups/{group['id']}"))["agentGroup"]
    assert (left["userIds"], left["version"]) == ([1], 2)
    assert admin.make("users", name=name, password=PASSWORD)["id"] > made["id"]
    assert exchange(site.url, "GET", "/api/v2/me", headers=basic(name, PASSWORD)).status == 200


def test_skills_make_a_group(site: Demo, admin: Administrator) -> None:
    """Users with the skills of an agent group belong to it at once; a skill that somebody has is not deleted."""
    skill = admin.make("skills", name="Patience")
    agents = accepted(admin.ask("GET", "agent-groups/301"))["agentGroup"]
    (user,) = admin.get("users?name=agent10")["users"]
    members = [number for number in agents["userIds"] if number != user["id"]]
    wanted = [{"skillId": skill["id"], "atLeast": 60}]
    admin.change("agent-groups/301", agents["version"], userIds=members, skills=wanted)
    desk = site.desktop("agent10", "demo-device-10", 1_000_010)
    one = f"users/{user['id']}"
    for level, count in ((59, 0), (60, 1), (0, 0)):
        user = admin.change(one, user["version"], skills=[{"skillId": skill["id"], "level": level}])
        assert len(desk.client.get("/api/v2/me/outbound-campaigns").body["campaigns"]) == count, level
    agents = accepted(admin.ask("GET", "agent-groups/301"))["agentGroup"]
    admin.change("agent-groups/301", agents["version"], userIds=[*members, user["id"]], skills=[])
    refused(admin.ask("DELETE", f"skills/{skill['id']}?version=1"), 409, 19, "1 users")


def test_supervisors_read_users(site: Demo) -> None:
    """They see who there is, and change nothing."""
    supervisor = Administrator(site, "supervisor1")
    assert supervisor.get("users?limit=1")["total"] > 20
    refused(supervisor.ask("POST", "users", {"name": "x", "password": PASSWORD}), 403, 3)
    refused(supervisor.ask("PATCH", "users/1", {"version": 1}), 403, 3)
