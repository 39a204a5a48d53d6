"""``trunkline apply`` and ``trunkline get`` against a running server: a contact centre as a document."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.http.administration import Administrator
from tests.http.administration import refused as refused_by_server
from tests.http.desks import Demo, demo_server
from trunkline import main  # registers the commands
from trunkline.cli.main import cli as commands

PROGRAM = main.Program()
DOCUMENT = """
campaignGroups:            # names what comes further down
  - name: Spring@Team
    campaign: Spring
    agentGroup: Team
    dialMode: Preview
campaigns:
  - name: Spring
    hoursFrom: 32400
    hoursUntil: 64800
    lists:
      - list: Prospects
        share: 7
      - {list: CallingList1}
    suppressionLists: [Register]
formats:
  - name: Customers
    fields:
      - {name: city, label: City}
      - {name: balance, fieldType: Float}
callingLists:
  - name: Prospects
    format: Customers
    treatment: Standard
    filter: Fresh
    defaultTimeZone: Europe/Paris
treatments:
  - name: Standard
    rules:
      Busy: {action: Cycle, attempts: 3, interval_min: 30, increment_min: 5}
      NoAnswer:
        - {action: RetryIn, interval_min: 60}
        - {action: NextInChain}
filters:
  - name: Fresh
    criteria: attempts < 3 AND city = 'Paris'
suppressionLists:
  - name: Register
    source: the national register
skills:
  - name: French
agentGroups:
  - name: Team
    users: [agent1, agent2]
    skills: [{skill: French, atLeast: 50}]
users:
  - name: zoe
    password: long-enough
    skills: [{skill: French, level: 80}]
"""


@pytest.fixture(scope="module")
def site() -> Iterator[Demo]:
    """A demo server for these tests."""
    with demo_server(agents=5) as made:
        yield made


@pytest.fixture(scope="module")
def hooked() -> Iterator[Demo]:
    """A server for webhooks, whose secrets no copy of its configuration has."""
    with demo_server(agents=5) as made:
        yield made


@pytest.fixture(scope="module")
def applied(site: Demo) -> str:
    """What the first apply of the document said."""
    result = run(site, "apply", "-", text=DOCUMENT)
    assert result.exit_code == 0, result.output
    return result.output


def run(site: Demo, *arguments: str, text: str | None = None, user: str = "admin1") -> Result:
    """A command against the server, as somebody types it."""
    where = ["--url", site.url, "--user", user, "--password", "demo"]
    return CliRunner().invoke(commands, [*arguments, *where], input=text, obj=PROGRAM)


def refused(site: Demo, text: str, *words: str) -> None:
    """Fail unless the document is refused with these words, and changes nothing."""
    before = run(site, "get", "all", "--yaml").output
    result = run(site, "apply", "-", text=text)
    assert result.exit_code == 1, result.output
    for word in words:
        assert word in result.output
    assert run(site, "get", "all", "--yaml").output == before


def test_a_document_becomes_a_contact_centre(site: Demo, applied: str) -> None:
    """Everything is made, in the order in which it is needed, with names resolved to numbers."""
    assert applied.endswith("10 made, 0 changed, 0 unchanged\n")
    lines = applied.splitlines()
    assert lines.index("+ campaign Spring") < lines.index("+ campaign group Spring@Team")
    assert (
        lines.index("+ format Customers") < lines.index("+ calling list Prospects") < lines.index("+ campaign Spring")
    )
    admin = Administrator(site)
    (campaign,) = admin.get("campaigns?name=Spring")["campaigns"]
    (called,) = admin.get("calling-lists?name=Prospects")["callingLists"]
    assert campaign["lists"] == [
        {"listId": called["id"], "share": 7, "isActive": True},
        {"listId": 101, "share": 10, "isActive": True},
    ]
    (group,) = admin.get("campaign-groups?name=Spring@Team")["campaignGroups"]
    assert group["campaignId"] == campaign["id"]
    (agents,) = admin.get("agent-groups?name=Team")["agentGroups"]
    assert agents["userIds"] == [1, 2]


def test_applying_again_does_nothing(site: Demo, applied: str) -> None:
    """The second time everything is there, and no version moves."""
    before = Administrator(site).get("treatments")
    result = run(site, "apply", "-", text=DOCUMENT)
    assert (result.exit_code, result.output) == (0, "0 made, 0 changed, 10 unchanged\n")
    assert Administrator(site).get("treatments") == before


def test_a_dry_run_says_what_would_change(site: Demo, applied: str) -> None:
    """New and changed objects are told with before and after, in names, and nothing is done."""
    text = """
callingLists:
  - {name: Winter, format: Cold}
  - {name: Prospects, maxAttempts: 4, format: Cold}
formats:
  - {name: Cold}
"""
    result = run(site, "apply", "-", "--dry-run", text=text)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "+ format Cold",
        "+ calling list Winter",
        "~ calling list Prospects",
        "    maxAttempts: 10 -> 4",
        '    formatId: "Customers" -> "Cold"',
        "would be 2 made, 1 changed, 0 unchanged, 0 refused",
    ]
    assert Administrator(site).get("formats?name=Cold")["total"] == 0


def test_a_dry_run_says_what_apply_does() -> None:
    """On another server, where nothing of the document is there: the same lines, and afterwards nothing to do."""
    with demo_server(agents=5) as other:
        untouched = run(other, "get", "all", "--json").output
        dry = run(other, "apply", "-", "--dry-run", text=DOCUMENT)
        assert dry.exit_code == 0, dry.output
        assert run(other, "get", "all", "--json").output == untouched
        real = run(other, "apply", "-", text=DOCUMENT)
        assert dry.output.splitlines()[:-1] == real.output.splitlines()[:-1]
        assert dry.output.splitlines()[-1] == "would be 10 made, 0 changed, 0 unchanged, 0 refused"
        assert run(other, "apply", "-", "--dry-run", text=DOCUMENT).output == (
            "would be 0 made, 0 changed, 10 unchanged, 0 refused\n"
        )


REFUSED = """
formats:
  - {name: Fine}
  - {name: Bad, fields: [{name: GSW_PHONE}]}
callingLists:
  - {name: Orphan, format: Bad}
  - {name: Night, from: 79200, until: 21600}
  - {name: CallingList1, isEnabled: false}
  - {name: Prospects, maxAttempts: 7}
campaigns:
  - {name: Day, hoursFrom: 28800, hoursUntil: 72000, lists: [{list: Night}]}
  - {name: Asking, validationUrl: "https://crm.example.com/ask"}
  - {name: Spring, description: seen}
treatments:
  - {name: Telling, rules: {Busy: [{action: HttpHook, hook: Ledger}, {action: MarkAllChain}]}}
  - {name: Lost, rules: {Busy: [{action: HttpHook, hook: Nobody}, {action: MarkAllChain}]}}
users:
  - {name: nopass}
  - {name: paul, password: long-enough}
agentGroups:
  - {name: Night shift, users: [paul, nopass]}
  - {name: Day shift, users: [paul]}
webhooks:
  - {name: Ledger, url: "https://ledger.example.com/", secret: 0123456789abcdef, notices: [treatment]}
"""


def test_a_dry_run_makes_the_checks_of_the_server(site: Demo, applied: str) -> None:
    """Whatever the server would refuse is refused, each with its place; the rest is judged all the same.

    Objects that only the document makes can be named, those that are refused cannot. Nothing changes.
    """
    before = run(site, "get", "all", "--json").output
    result = run(site, "apply", "-", "--dry-run", text=REFUSED)
    assert run(site, "get", "all", "--json").output == before
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert [line for line in lines if not line.startswith(("!", " "))] == [
        "+ format Fine",
        "+ calling list Night",
        "~ calling list Prospects",
        "~ campaign Spring",
        "+ webhook Ledger",
        "+ treatment Telling",
        "+ user paul",
        "+ agent group Day shift",
        "would be 6 made, 2 changed, 0 unchanged, 8 refused",
        "Error: the document would be refused as it is",
    ]
    told = [line.removeprefix("! ") for line in lines if line.startswith("!")]
    for said, (place, word) in zip(
        told,
        [
            ("formats[1] (format Bad): fields[0].name", "protocol"),
            ("callingLists[0].format", "format named Bad is refused itself"),
            ("callingLists[2] (calling list CallingList1): isEnabled", "while a group is loaded"),
            ("campaigns[0] (campaign Day)", "never meet"),
            ("campaigns[1] (campaign Asking): validationUrl", "validation_urls"),
            ("treatments[1] (treatment Lost): rules[0].steps[0].hook", "Nobody"),
            ("users[0] (user nopass)", "password"),
            ("agentGroups[0].users", "user named nopass is refused itself"),
        ],
        strict=True,
    ):
        assert said.startswith(place)
        assert word in said


def test_a_dry_run_knows_who_asks(site: Demo, applied: str) -> None:
    """A supervisor is told what is for administrators; what is the same already needs no permission."""
    text = "formats: [{name: Theirs}, {name: Customers}]\ncampaigns: [{name: Mine}]"
    result = run(site, "apply", "-", "--dry-run", text=text, user="supervisor1")
    assert result.exit_code == 1
    assert result.output.splitlines()[:3] == [
        "! formats[0] (format Theirs): this is for administrators",
        "+ campaign Mine",
        "would be 1 made, 0 changed, 1 unchanged, 1 refused",
    ]
    hooks = "webhooks: [{name: Theirs}]"
    assert "this is for administrators" in run(site, "apply", "-", "--dry-run", text=hooks, user="supervisor1").output
    answer = Administrator(site, "supervisor1").ask("POST", "documents/check", {"webhooks": [{"name": "Theirs"}]})
    refused_by_server(answer, 403, 3, "this is for administrators")


def test_a_dry_run_sees_a_secret_that_is_the_same(hooked: Demo) -> None:
    """A secret cannot be read, and whether it is another one only the server knows."""
    text = (
        'webhooks: [{name: Secretive, url: "https://x.example.com/", secret: 0123456789abcdef, notices: [call-report]}]'
    )
    assert run(hooked, "apply", "-", text=text).exit_code == 0
    assert "1 unchanged" in run(hooked, "apply", "-", "--dry-run", text=text).output
    other = text.replace("abcdef", "fedcba")
    assert "secret: given\nwould be 0 made, 1 changed" in run(hooked, "apply", "-", "--dry-run", text=other).output


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ([], "object"),
        ({"lists": []}, "lists is not known"),
        ({"formats": [{"name": "A"}, {"name": "A"}]}, "formats[1]"),
        ({"formats": {"name": "A"}}, "formats must be a list"),
    ],
)
def test_the_server_checks_documents_by_itself(site: Demo, body: object, word: str) -> None:
    """A document that is none is refused as a whole."""
    refused_by_server(Administrator(site).ask("POST", "documents/check", body), 400, 10, word)


def test_plans_come_after_the_webhooks_that_they_name(hooked: Demo) -> None:
    """In whichever order the document has them, and for supervisors, who do not see webhooks, too."""
    plan = "treatments: [{name: Telling first, rules: {Busy: [{action: HttpHook, hook: First}, {action: MarkDB}]}}]"
    hook = '{name: First, url: "https://x.example.com/", secret: 0123456789abcdef, notices: [treatment]}'
    result = run(hooked, "apply", "-", text=f"{plan}\nwebhooks: [{hook}]")
    assert result.output.splitlines() == [
        "+ webhook First",
        "+ treatment Telling first",
        "2 made, 0 changed, 0 unchanged",
    ]
    again = run(hooked, "apply", "-", text=plan.replace("Telling first", "Telling again"), user="supervisor1")
    assert again.exit_code == 0, again.output


def test_a_change_is_told_and_noted(site: Demo, applied: str) -> None:
    """Only what is named changes; the reason is in the history."""
    text = "agentGroups: [{name: Team, users: [agent2, agent3], description: now with three}]"
    result = run(site, "apply", "-", "--reason", "more people", text=text)
    assert result.output.splitlines() == [
        "~ agent group Team",
        '    userIds: ["agent1","agent2"] -> ["agent2","agent3"]',
        '    description: "" -> "now with three"',
        "0 made, 1 changed, 0 unchanged",
    ]
    (agents,) = Administrator(site).get("agent-groups?name=Team")["agentGroups"]
    assert agents["skills"] != []
    versions = Administrator(site).get(f"agent-groups/{agents['id']}/versions")["versions"]
    assert versions[0]["changeReason"] == "more people"


@pytest.mark.parametrize("form", ["--yaml", "--json"])
def test_what_get_shows_can_be_applied(site: Demo, applied: str, form: str, tmp_path: Path) -> None:
    """The whole configuration goes out and comes in again without a change, here and as a copy elsewhere."""
    shown = run(site, "get", "all", form)
    assert shown.exit_code == 0, shown.output
    file = tmp_path / "all.txt"
    file.write_text(shown.output, encoding="utf-8")
    result = run(site, "apply", str(file))
    assert result.exit_code == 0, result.output
    assert result.output.startswith("0 made, 0 changed, ")
    with demo_server(agents=5) as other:
        text = shown.output.replace('"name": "zoe"', '"name": "zoe", "password": "long-enough"')
        text = text.replace("name: zoe", "name: zoe\n    password: long-enough")
        result = run(other, "apply", "-", text=text)
        assert result.exit_code == 0, result.output
        assert run(other, "get", "all", form).output == shown.output


def test_get_shows_a_table(site: Demo, applied: str) -> None:
    """Without a form it is a table for people; a name shows one object; an unknown one is refused."""
    result = run(site, "get", "campaigns")
    assert result.exit_code == 0
    assert "Spring" in result.output
    assert "Campaign1" in result.output
    one = run(site, "get", "calling-lists", "Prospects", "--yaml")
    assert "format: Customers" in one.output
    assert "treatment: Standard" in one.output
    assert "CallingList1" not in one.output
    nothing = run(site, "get", "campaigns", "Autumn")
    assert (nothing.exit_code, nothing.output) == (1, "Error: there is no campaign named Autumn\n")


def test_a_supervisor_sees_and_changes_what_is_a_supervisor_s(site: Demo, applied: str) -> None:
    """All that may be read is shown; what may not be changed is refused by the server."""
    shown = run(site, "get", "all", "--yaml", user="supervisor1")
    assert "campaigns:" in shown.output
    assert "webhooks" not in shown.output
    ok = run(site, "apply", "-", text="campaigns: [{name: Spring, description: by a supervisor}]", user="supervisor1")
    assert ok.exit_code == 0, ok.output
    no = run(site, "apply", "-", text="formats: [{name: Theirs}]", user="supervisor1")
    assert no.exit_code == 1
    assert "this is for administrators" in no.output
    assert run(site, "get", "campaigns", user="agent2").exit_code == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- x", ("object",)),
        ("lists: []", ("lists is not known", "callingLists")),
        ("formats: {}", ("formats must be a list",)),
        ("formats: [x]", ("formats[0] must be an object",)),
        ("formats: [{}]", ("formats[0].name is required",)),
        ("formats: [{name: 7}]", ("formats[0].name must be a string",)),
        ("formats: [{name: A}, {name: A}]", ("formats[1]", "another format named A")),
        ("formats: [{name: A, colour: red}]", ("formats[0]", "colour is not known")),
        ("formats: [{name: A, fields: [{name: b, fieldType: Text}]}]", ("formats[0]", "fields[0].fieldType")),
        ("callingLists: [{name: A, format: Nope}]", ("callingLists[0].format", "no format named Nope")),
        ("campaigns: [{name: A, lists: [{list: Nope}]}]", ("campaigns[0].lists[0].list", "Nope")),
        ("treatments: [{name: A, rules: {Busy: [{action: Jump}]}}]", ("treatments[0]", "Busy")),
        ("formats: [{name: A}\n", ("line",)),
        ("formats: &a [*a]", ("anchors",)),
        (
            "campaigns: [{name: A, suppressionLists: [B]}]\nsuppressionLists: [{name: B, campaign: A}]",
            ("circle",),
        ),
        ("callingLists: [{name: A, from: 90000}]", ("callingLists[0]", "from")),
        ("campaigns: [{name: Spring, weekdays: []}]", ("campaigns[0]", "weekdays")),
        ("users: [{name: nopass}]", ("users[0]", "password")),
    ],
)
def test_faults_are_named_by_their_place(site: Demo, applied: str, text: str, words: tuple[str, ...]) -> None:
    """A document with a fault is refused with the place, before or by the server, and changes nothing."""
    refused(site, text, *words)


def test_nobody_without_the_password(site: Demo) -> None:
    """A wrong password or a server that is not there ends the command with a sentence."""
    where = ["--url", site.url, "--user", "admin1", "--password", "wrong"]
    result = CliRunner().invoke(commands, ["get", "campaigns", *where])
    assert (result.exit_code, result.output) == (1, "Error: Access denied\n")
    where = ["--url", "http://127.0.0.1:1", "--user", "admin1", "--password", "wrong"]
    result = CliRunner().invoke(commands, ["get", "campaigns", *where])
    assert result.exit_code == 1
    assert result.output.startswith("Error: no answer from http://127.0.0.1:1")
