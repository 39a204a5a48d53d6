"""Good objects of every kind for the tests of administration."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from tests.http.administration import Administrator
from tests.http.desks import Json

FIELDS: list[Json] = [{"name": "city", "label": "City"}, {"name": "age", "fieldType": "Int", "isMandatory": True}]
_numbers = itertools.count(1)


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
    "schedule": lambda admin: {"timeZone": "Europe/Paris", "exceptDates": ["2031-05-01"]},
    "skill": lambda admin: {},
    "time-zone": lambda admin: {"timeZone": "America/Los_Angeles"},
    "rule-set": lambda admin: {"defaultRegion": "US"},
    "rule-override": lambda admin: {
        "rule": "attempt limit",
        "reason": "agreed with the customer",
        "until": admin.demo_now_s() + 86_400,
        "campaignId": a_campaign(admin),
    },
    "import-specification": lambda admin: {"delimiter": ";", "mapping": {"phone": "Telephone"}},
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
