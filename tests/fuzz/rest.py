"""Bodies of the REST operations and of the desktop's door: parsed to a command, or refused as documented."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec

from tests.contract.desktop import ALL_KINDS, VALUES
from tests.fuzz import invariants
from tests.fuzz.chance import JUNK, Mutator
from tests.fuzz.running import Case, Step
from trunkline.contract.answers import http_status, refusal
from trunkline.contract.door import ACTIONS, parse_door
from trunkline.contract.parsed import Parsed, ParsedFailure, failure_event
from trunkline.contract.requests import (
    parse_campaign_operation,
    parse_channel_operation,
    parse_me_operation,
    parse_record_operation,
)
from trunkline.contract.user_events import parse_user_event
from trunkline.domain.enums import Door
from trunkline.errors import Refused
from trunkline.strict_json import decode_object

GOOD: dict[str, Any] = {
    "applicationId": 134,
    "campaignName": "Campaign1@AgentGroup1",
    "callingList": "CallingList1",
    "devicePath": "/devices/68b39a39-dfb5-417d-9efe-93c03a1375af",
    "phoneNumber": "+14155550100",
    "phoneType": "Mobile",
    "timeZone": "PST",
    "from": 28_800,
    "until": 64_800,
    "callResult": "Answer",
    "callbackType": "Personal",
    "timestamp": 1_933_917_552,
    "chainAttribute": "AllChain",
    "chainId": 17,
    "otherFields": {"first_name": "Zoë", "balance": 12.5, "vip": True, "note": None, "GSW_PHONE": "1"},
    "referenceId": "r-1",
    "channels": ["voice"],
    "place": "p",
}
ON_RECORD = [
    *("UpdateRecord", "CompleteRecord", "RejectRecord", "RescheduleRecord", "GetChainedRecord", "DoNotCallRecord"),
    *("CancelRecord", "AddRecord"),
]
ON_CAMPAIGN = ["StartPreviewSession", "EndPreviewSession", "GetPreviewRecord"]
ON_ME = ["StartContactCenterSession", "EndContactCenterSession", "Ready", "NotReady", "Offline"]
ODD: list[Any] = [
    *("America", "Europe/", "../Europe/Paris", "/etc/localtime", "posixrules", "zone.tab", "__init__.py", "a.b/c", "."),
    *("utc", "Etc/GMT+5", "EST5EDT", "Europe/Paris\x7f", "//", "x" * 64, "localtime", "tzdata.zi", "..", "a/../b"),
    *("12/31/2030 09:30", "02/30/2030 09:30", "0/0/0000 24:60", "٣/1/2030 1:00", "134", "-5", "٣", "9" * 19, "9" * 20),
    *("+1 (415) 555-0100", "a@b", "@", "tel:+1", "*#", "+", "0" * 64, "/devices/", "/devices/a/b", "134.0", "1e3"),
    *(["voice"] * 17, [1], {"a": []}, 86_400, 86_399, 4_102_444_800, 2**31),
]
IDS = [
    "6",
    "CallingList1",
    "+14155550100",
    "c/1",
    "",
    " ",
    "0",
    "-1",
    "9" * 20,
    "\u0663",
    "x" * 300,
    "a b",
    "\x00",
    "1e3",
]
STATUSES = {400, 403, 404, 413}


class Bodies(Mutator):
    """Bodies of one seed."""

    def step(self) -> Step:
        """A body for one of the doors."""
        chance = self.chance
        body: Any
        door = chance.choice(("record", "records", "campaign", "me", "channel", "event", "event", "http"))
        if door == "http":
            resource = chance.choice(sorted(ACTIONS))
            action = chance.choice([*ACTIONS[resource], "AddRecord", ""])
            body = self._varied({**VALUES, "own_field": "x"})
            door = f"http {resource} {action} {chance.choice(IDS)}"
        elif door == "event":
            name = chance.choice(ALL_KINDS)
            user_data = {**VALUES, "GSW_AGENT_REQ_TYPE": name, "GSW_REFERENCE_ID": 1, "own_field": "x"}
            body = {"operationName": "SendUserEvent", "deviceId": "d-1", "userData": self._varied(user_data)}
        else:
            names = {"campaign": ON_CAMPAIGN, "me": ON_ME, "channel": ON_ME}.get(door, ON_RECORD)
            body = self._varied({"operationName": chance.choice(names), **GOOD})
        for _ in range(chance.choice((0, 0, 1, 2))):
            body = self.changed(body)
        sent = self.written(body)
        return Step(door, self.damaged(sent) if self.one_in(10) else sent)

    def _varied(self, content: dict[str, Any]) -> dict[str, Any]:
        """Some values changed to ones that look right, some keys left out."""
        for name in self.chance.sample(list(content), self.chance.choice((0, 1, 1, 2, 5))):
            if self.one_in(4):
                del content[name]
            else:
                content[name] = self.chance.choice(ODD if self.one_in(2) else JUNK)
        return content


class Operations:
    """See ``running.Target``."""

    name = "operations"

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self._parse: dict[str, Callable[[dict[str, Any]], Parsed | ParsedFailure | None]] = {
            "record": lambda body: parse_record_operation(6, body),
            "records": lambda body: parse_record_operation(None, body),
            "campaign": lambda body: parse_campaign_operation("Campaign1", body),
            "me": parse_me_operation,
            "channel": lambda body: parse_channel_operation("voice", body),
            "event": parse_user_event,
        }

    def _parser(self, kind: str) -> Callable[[dict[str, Any]], Parsed | ParsedFailure | None]:
        if not kind.startswith("http "):
            return self._parse[kind]
        _, resource, action, resource_id = kind.split(" ", 3)
        return lambda body: parse_door(resource, resource_id, action, body)

    def make(self, chance: random.Random) -> Case:
        """One body."""
        return (Bodies(chance).step(),)

    def check(self, case: Case) -> None:
        """It is a command, or refused with a documented status and a sentence."""
        for kind, sent in case:
            try:
                parsed = self._parser(kind)(decode_object(sent))
            except Refused as error:
                self._check_refusal(error)
                continue
            self.outcomes[type(parsed).__name__] += 1
            if isinstance(parsed, ParsedFailure):
                self._check_refusal(parsed.error)
                failure = failure_event(parsed, parsed.error, Door.USER_EVENT)
                assert failure.number > 1
            if parsed is not None:
                assert parsed.reference is None or len(invariants.encode(parsed.reference)) <= 6 * 255 + 2

    def _check_refusal(self, error: Refused) -> None:
        status = http_status(error)
        self.outcomes[str(status)] += 1
        assert status in STATUSES
        said = msgspec.json.decode(refusal(error).body)
        assert said.keys() == {"statusCode", "statusMessage"}
        assert 0 < len(said["statusMessage"]) <= 500
        assert said["statusMessage"].isprintable()
