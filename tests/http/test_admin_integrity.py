"""What holds the objects of a contact centre together: references, uses, loaded groups, hours, changes at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest

from tests.http import stored
from tests.http.administration import Administrator, accepted, refused, shown
from tests.http.desks import CAMPAIGN, LIST, Demo, Json, accept, demo_server, refuse, user_data
from tests.http.samples import FIELDS, SAMPLES, a_campaign, an_agent_group, fresh, sample
from trunkline.app.demo import CENTRE_ID
from trunkline.app.ports import Provision
from trunkline.domain.campaigns import CampaignDefinition
from trunkline.domain.enums import GroupStatus
from trunkline.domain.objects import ObjectKind, StoredObject

VALIDATION = "https://crm.example.com/may-we-call"


@pytest.fixture(scope="module")
def site() -> Iterator[Demo]:
    """A demo server for these tests."""
    with demo_server("--validation-urls", VALIDATION, agents=12) as made:
        yield made


@pytest.fixture(scope="module")
def admin(site: Demo) -> Administrator:
    """Its administrator."""
    return Administrator(site)


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
    """It is not deleted while a list has it; as long as no list with it has records, its fields may change."""
    made = admin.make("formats", name=fresh("Used"), fields=FIELDS)
    one = f"formats/{made['id']}"
    called = admin.make("calling-lists", name=fresh("User"), formatId=made["id"])
    refused(admin.ask("DELETE", f"{one}?version=1"), 409, 19, called["name"])
    admin.change(one, 1, fields=[])
    admin.drop(f"calling-lists/{called['id']}", 1)
    admin.drop(one, 2)


def test_a_format_with_records_gains_and_loses_nothing(admin: Administrator) -> None:
    """Optional fields come and labels change, also by way of the list; fields neither go nor get another type."""
    made = admin.make("formats", name=fresh("Filled"), fields=FIELDS)
    other = admin.make("formats", name=fresh("Other"), fields=FIELDS[:1])
    one = f"formats/{made['id']}"
    called = admin.make("calling-lists", name=fresh("Filled"), formatId=made["id"])
    named = f"calling-lists/{quote(called['name'])}"
    rows = b"phone,city,age\n+14155557901,Paris,40\n"
    accepted(admin.ask("POST", f"{named}/imports?importId=filled", rows, Content_Type="text/csv"))
    city, age = FIELDS
    for fields, word in (
        ([age], "fields: city must stay"),
        ([city, {**age, "fieldType": "VarChar"}], "fields[1].fieldType (age)"),
        ([{**city, "maxLength": 9}, age], "fields[0].maxLength (city)"),
        ([city, age, {"name": "plan", "isMandatory": True}], "fields[2]"),
    ):
        refused(admin.ask("PATCH", one, {"version": 1, "fields": fields}), 409, 19, word, called["name"])
    to_other = {"version": 1, "formatId": other["id"]}
    refused(admin.ask("PATCH", f"calling-lists/{called['id']}", to_other), 409, 19, "fields: age must stay")
    grown = admin.change(one, 1, fields=[{"name": "plan"}, {**city, "label": "Town"}, age])
    assert [field["name"] for field in grown["fields"]] == ["plan", "city", "age"]
    rows = b"phone,city,age,plan\n+14155557902,Paris,41,gold\n"
    accepted(admin.ask("POST", f"{named}/imports?importId=grown", rows, Content_Type="text/csv"))
    accepted(admin.ask("POST", f"{named}/removals", {"all": True}))
    admin.change(one, 2, fields=[age])


def test_a_format_of_a_loaded_group_gains_only(admin: Administrator) -> None:
    """While the group is loaded new optional fields come, and nothing that agents' forms know changes."""
    made = admin.make("formats", name=fresh("Loaded"), fields=FIELDS)
    one = f"formats/{made['id']}"
    called = admin.make("calling-lists", name=fresh("Loaded"), formatId=made["id"])
    campaign = admin.make("campaigns", name=fresh("Loaded"), lists=[{"listId": called["id"]}])
    agents = admin.make("agent-groups", name=fresh("Loaded"), userIds=[3])
    group = admin.make("campaign-groups", name=fresh("Loaded"), campaignId=campaign["id"], agentGroupId=agents["id"])
    control = f"campaign-groups/{group['id']}"
    accepted(admin.ask("POST", control, {"operationName": "Load"}))
    sent = [{**FIELDS[0], "sentAs": "Town"}, FIELDS[1]]
    refused(admin.ask("PATCH", one, {"version": 1, "fields": sent}), 409, 19, "fields cannot change", group["name"])
    admin.change(one, 1, fields=[*FIELDS, {"name": "plan"}])
    accepted(admin.ask("POST", control, {"operationName": "Unload"}))
    admin.change(one, 2, fields=sent)


def test_a_filter_fits_the_fields_that_its_lists_have_then(admin: Administrator) -> None:
    """A format does not lose the field that the filter of one of its lists names, records or not."""
    made = admin.make("formats", name=fresh("Filtered"), fields=FIELDS)
    used = admin.make("filters", name=fresh("By city"), criteria="city = 'Paris'")
    admin.make("calling-lists", name=fresh("Filtered"), formatId=made["id"], filterId=used["id"])
    answer = admin.ask("PATCH", f"formats/{made['id']}", {"version": 1, "fields": FIELDS[1:]})
    refused(answer, 400, 10, used["name"], "city")


def test_a_treatment_names_webhooks_that_are_there(admin: Administrator) -> None:
    """A webhook that nothing has is refused by its place; one that a plan names keeps its name and stays."""
    told = admin.make("webhooks", **sample(admin, "webhook", notices=["treatment"]))

    def rules(*hooks: str) -> list[Json]:
        steps = [{"action": "HttpHook", "hook": hook} for hook in hooks]
        last = {"action": "MarkAllChain"}
        return [{"callResult": "Busy", "steps": [last]}, {"callResult": "NoAnswer", "steps": [*steps, last]}]

    name = fresh("Telling")
    body = {"name": name, "rules": rules(told["name"], "Nobody")}
    refused(admin.ask("POST", "treatments", body), 400, 10, "rules[1].steps[1].hook", "Nobody")
    made = admin.make("treatments", name=name, rules=rules(told["name"]))
    one, hook = f"treatments/{made['id']}", f"webhooks/{told['id']}"
    refused(admin.ask("PATCH", one, {"version": 1, "rules": rules("Nobody")}), 400, 10, "rules[1].steps[0].hook")
    refused(admin.ask("PATCH", hook, {"version": 1, "name": fresh("Renamed")}), 409, 19, "name", made["name"])
    refused(admin.ask("DELETE", f"{hook}?version=1"), 409, 19, made["name"])
    admin.change(hook, 1, maxBatch=5)
    admin.change(one, 1, rules=rules())
    admin.drop(hook, 2)


def test_a_campaign_names_a_validation_of_the_configuration(admin: Administrator) -> None:
    """Any other address is refused when it is saved: the campaign would never be dialed."""
    body = {"name": fresh("Asking"), "validationUrl": f"{VALIDATION}/2"}
    refused(admin.ask("POST", "campaigns", body), 400, 10, "validationUrl", "validation_urls")
    made = admin.make("campaigns", name=fresh("Asking"), validationUrl=VALIDATION)
    one = f"campaigns/{made['id']}"
    for method in ("PATCH", "PUT"):
        refused(admin.ask(method, one, {**body, "version": 1}), 400, 10, "validationUrl")
    admin.change(one, 1, validationUrl="")


def test_a_name_that_was_there_before_stays(admin: Administrator, site: Demo) -> None:
    """A campaign whose validation the configuration no longer has can be switched off without being repaired first."""
    made = admin.make("campaigns", name=fresh("Left"))
    value = CampaignDefinition(
        contact_centre_id=CENTRE_ID, campaign_id=made["id"], name=made["name"], validation_url="https://gone.example/"
    )
    stored.provision(site, Provision(objects=[StoredObject(kind=ObjectKind.CAMPAIGN, value=value, version=2)]))
    one = f"campaigns/{made['id']}"
    while shown(admin.get(one))["version"] == 1:
        pass  # the server looks for changes of others by its own clock; the test's time limit ends the wait
    assert admin.change(one, 2, isEnabled=False)["validationUrl"] == "https://gone.example/"
    other = {"version": 3, "validationUrl": "https://other.example/"}
    refused(admin.ask("PATCH", one, other), 400, 10, "validationUrl")


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
        ("calling-lists", {"defaultRegion": "ZZ"}, "defaultRegion"),
        ("suppression-lists", {"region": "ZZ"}, "region"),
        ("rule-sets", {"defaultRegion": "QQ-QQ"}, "defaultRegion"),
        ("rule-sets", {"defaultRegion": "US-"}, "defaultRegion"),
        ("import-specifications", {"encoding": "klingon"}, "encoding"),
        ("import-specifications", {"delimiter": "ab"}, "delimiter"),
        ("import-specifications", {"region": "ZZ"}, "region"),
        ("import-specifications", {"mapping": {"phone": "a", "chain": "a"}}, "mapping uses the column a twice"),
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
        ("filters", {"criteria": "call_result = 'Sometimes'"}, "criteria, character 15: call_result has no value"),
        ("filters", {"orderBy": "call_result, call_result"}, "orderBy names call_result twice"),
        ("treatments", {"rules": [{"callResult": "Sometimes", "steps": []}]}, "rules[0].callResult"),
        ("treatments", {"rules": []}, "rules"),
        ("rule-overrides", {"rule": "attempt limit", "reason": "", "until": 2_000_000_000, "listId": 101}, "reason"),
        ("webhooks", {"url": "ftp://x", "secret": "0123456789abcdef", "notices": ["group-state"]}, "url"),
    ],
)
def test_what_an_object_may_not_say(admin: Administrator, path: str, fields: Json, word: str) -> None:
    """Windows that cannot be, zones that do not exist, names of the protocol, hostile filters: refused by place."""
    refused(admin.ask("POST", path, {"name": fresh("Wrong"), **fields}), 400, 10, word)


@pytest.mark.parametrize("kind", ["calling-lists", "suppression-lists", "campaigns"])
def test_names_in_addresses_hold_no_slash(admin: Administrator, kind: str) -> None:
    """What is reached by its name has one that an address can hold; other objects may be called as one likes."""
    for name in ("Spring 25/26", ".."):
        refused(admin.ask("POST", kind, {"name": name}), 400, 10, "slash")
    admin.make("skills", name=fresh("German/English"))


def test_a_time_zone_has_no_default(admin: Administrator) -> None:
    """A zone object without its IANA zone is refused: it would pass for UTC, and people would be called at night."""
    refused(admin.ask("POST", "time-zones", {"name": fresh("Head office")}), 400, 1, "timeZone")


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


def test_of_many_who_write_at_once_one_is_first(site: Demo, admin: Administrator) -> None:
    """Eight people save what they read as version n: one of them wins each round, the others are told, none is lost."""
    one = f"skills/{admin.make('skills', name=fresh('Contested'))['id']}"
    for version in range(1, 6):

        def save(n: int, version: int = version) -> int:
            return (
                Administrator(site).ask("PATCH", one, {"version": version, "description": f"{version} by {n}"}).status
            )

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(save, range(8))) == [200] + [409] * 7
    assert len(admin.get(f"{one}/versions")["versions"]) == 6
    made = {"name": fresh("Once"), "referenceId": fresh("ref")}
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: Administrator(site).make("skills", **made)["id"], range(8)))
    assert len(set(ids)) == 1


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


def test_declared_fields_are_checked_when_agents_write(admin: Administrator, site: Demo) -> None:
    """A changed read-only field and an emptied mandatory one are refused by name; what is undeclared passes."""
    desk = site.desk().listen()
    account = desk.record()["otherFields"]["account"]
    for fields, word in (({"account": "other"}, "account may only be read"), ({"first_name": ""}, "first_name must")):
        accept(desk.send("UpdateCallCompletionStats", GSW_RECORD_HANDLE=desk.handle, **fields))
        (message,) = desk.heard()
        assert word in user_data(message)["GSW_ERROR"]
    written: Json = {"account": account, "first_name": "Zoë", "free": 7}
    accept(desk.send("UpdateCallCompletionStats", GSW_RECORD_HANDLE=desk.handle, **written))
    assert written.items() <= desk.record()["otherFields"].items()


def test_custom_fields_come_back_over_rest(admin: Administrator, site: Demo) -> None:
    """What an agent writes with UpdateRecord and CompleteRecord is kept, and checked as it is by the other door."""
    desk = site.desk()
    refuse(desk.on_record("UpdateRecord", otherFields={"account": "other"}), 400, 11, "account may only be read")
    refuse(desk.on_record("UpdateRecord", otherFields=["a"]), 400, 10, "otherFields")
    accept(desk.on_record("UpdateRecord", otherFields={"first_name": "Zoë", "GSW_PHONE": "1"}))
    found = desk.record()
    assert found["otherFields"]["first_name"] == "Zoë"
    assert "GSW_PHONE" not in found["otherFields"]
    last = {"first_name": "Zoë of REST"}
    accept(desk.on_record("CompleteRecord", callingList=LIST, callResult="Busy", otherFields=last))
    counted = admin.ask("POST", "filters/check", {"criteria": "first_name = 'Zoë of REST'", "callingList": LIST})
    assert counted.json["records"] == 1


def test_another_rule_set_needs_a_reason(admin: Administrator) -> None:
    """A campaign that is there gets other rules, or the built-in ones, only with a reason, which its history keeps."""
    rules = [admin.make("rule-sets", name=fresh("Rules"))["id"] for _ in range(2)]
    made = admin.make("campaigns", name=fresh("Bound"), ruleSetId=rules[0])
    path = f"campaigns/{made['id']}"
    for other in (rules[1], None):
        for reason in ({}, {"changeReason": " "}):
            body = {"version": 1, "ruleSetId": other, **reason}
            refused(admin.ask("PATCH", path, body), 400, 1, "changeReason is required")
    refused(admin.ask("PUT", path, {"version": 1, "name": made["name"]}), 400, 1, "changeReason")
    same = admin.change(path, 1, ruleSetId=rules[0], description="the same rules")
    assert (same["version"], same["ruleSetId"]) == (2, rules[0])
    for version, other in ((2, rules[1]), (3, None), (4, rules[0])):
        changed = admin.change(path, version, ruleSetId=other, changeReason=f"letter {version}")
        assert (changed["version"], changed["ruleSetId"]) == (version + 1, other)
    assert [one["changeReason"] for one in admin.get(f"{path}/versions")["versions"]][:2] == ["letter 4", "letter 3"]
