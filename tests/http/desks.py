"""Agents at work: REST calls of one user and a CometD session that hears what they cause."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, NamedTuple, Self

from tests.support.server import RunningServer
from tests.support.shapes import check_types
from trunkline.client import Answer, Client, Events

Json = dict[str, Any]

PASSWORD = "demo"
CAMPAIGN = "Campaign1"
LIST = "CallingList1"
APPLICATION = 134
CHANNELS = ("/v2/me/outbound", "/me/internal", "/v2/me/devices")
RECORDS = "/api/v2/me/outbound-records"
CAMPAIGNS = "/api/v2/me/outbound-campaigns"
OPERATIONS = "/internal-api/operations"
ACCEPTED: Json = {"statusCode": 0}


class Desktop:
    """One user's desktop. ``device_id`` and ``handle`` are those of the record that lies on its desk from the start."""

    def __init__(self, url: str, name: str, device_id: str = "", handle: int = 0, password: str = PASSWORD) -> None:
        self.name = name
        self.device_id = device_id
        self.handle = handle
        self.client = Client(url, name, password)
        self.events = Events(self.client, CHANNELS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()

    @property
    def device_path(self) -> str:
        """The device as REST operations name it."""
        return f"/devices/{self.device_id}"

    # --- requests ------------------------------------------------------------------------------------------------

    def body(self, operation: str, **more: Any) -> Json:
        """A body with what every operation on a record demands."""
        return {
            "operationName": operation,
            "applicationId": APPLICATION,
            "campaignName": CAMPAIGN,
            "devicePath": self.device_path,
            **more,
        }

    def on_record(self, operation: str, handle: int | None = None, **more: Any) -> Answer:
        """An operation on a record: the one of the desk unless another handle is given."""
        path = f"{RECORDS}/{self.handle if handle is None else handle}"
        return self.client.post(path, self.body(operation, **more))

    def on_records(self, operation: str, **more: Any) -> Answer:
        """An operation on the collection of records."""
        return self.client.post(RECORDS, self.body(operation, **more))

    def on_campaign(self, operation: str, **more: Any) -> Answer:
        """An operation on the campaign."""
        body = {"operationName": operation, "applicationId": APPLICATION, "devicePath": self.device_path, **more}
        return self.client.post(f"{CAMPAIGNS}/{CAMPAIGN}", body)

    def on_me(self, operation: str, **more: Any) -> Answer:
        """An operation on the agent's session."""
        return self.client.post("/api/v2/me", {"operationName": operation, **more})

    def send(self, request: str, **user_data: Any) -> Answer:
        """A request through the desktop's own door, with what nearly all of them demand."""
        common = {"GSW_APPLICATION_ID": APPLICATION, "GSW_CAMPAIGN_NAME": CAMPAIGN}
        return self.send_raw({"GSW_AGENT_REQ_TYPE": request, **common, **user_data})

    def send_raw(self, user_data: Json) -> Answer:
        """User data through the desktop's own door."""
        body = {"operationName": "SendUserEvent", "deviceId": self.device_id, "userData": user_data}
        return self.client.post(OPERATIONS, body)

    def add(self, number: str, **more: Any) -> Json:
        """Add a record that may be called at any time; returns the acknowledgement's user data. Needs ``listen``."""
        body = {"callingList": LIST, "phoneNumber": number, "timeZone": "GMT", "phoneType": "Mobile"}
        accept(self.on_records("AddRecord", **{**body, "from": 0, "until": 86_400, **more}))
        return user_data(self.heard()[-1])

    # --- what it sees --------------------------------------------------------------------------------------------

    def listen(self) -> Self:
        """Open a CometD session and take what is sent to every new one: the state of the campaigns."""
        self.events.open()
        self.heard()
        return self

    def heard(self) -> list[Json]:
        """Every message that waits for this desktop now, each with the keys of the sample and the documented types.

        Complete: a request is answered after its events were handed to the sessions.
        """
        messages: list[Json] = []
        while self.events.poll(0):
            messages += [part for part in self.events.last_answer if "data" in part]
        for message in messages:
            assert list(message) == ["data", "channel"]
            check_types(message)
        return messages

    def wait_for(self, notification: str) -> Json:
        """Poll until a message of this kind comes; the test's own time limit ends the wait."""
        while True:
            self.events.poll()
            for part in self.events.last_answer:
                if "data" in part and kind_of(part) == notification:
                    return part

    def records(self) -> list[Json]:
        """What lies on the desk."""
        answer = self.client.get(RECORDS)
        assert answer.http_status == 200
        check_types(answer.body)
        found: list[Json] = answer.body["records"]
        return found

    def record(self, handle: int | None = None) -> Json:
        """One record of the desk."""
        answer = self.client.get(f"{RECORDS}/{self.handle if handle is None else handle}")
        assert answer.http_status == 200, answer
        check_types(answer.body)
        found: Json = answer.body["record"]
        return found


class Demo:
    """A demo server's agents, each given out once: ``desk`` returns one whom no test has used before."""

    def __init__(self, server: RunningServer, agents: int, database_url: str = "") -> None:
        self.server = server
        self.database_url = database_url or f"sqlite:///{server.folder / 'trunkline.db'}"
        self._last = agents
        self._next = 2
        self._lock = threading.Lock()
        self._open = ExitStack()

    @property
    def url(self) -> str:
        """The server's address."""
        return self.server.url

    def desk(self) -> Desktop:
        """The desktop of a fresh agent; closed with the server."""
        with self._lock:
            number = self._next
            self._next += 1
        assert number <= self._last, "the demo has too few agents for these tests"
        return self.desktop(f"agent{number}", f"demo-device-{number}", 1_000_000 + number)

    def desktop(self, name: str, device_id: str = "", handle: int = 0, password: str = PASSWORD) -> Desktop:
        """A desktop of any user; closed with the server."""
        return self._open.enter_context(Desktop(self.url, name, device_id, handle, password))

    def again(self, desk: Desktop) -> Desktop:
        """A second desktop of the same agent."""
        return self.desktop(desk.name, desk.device_id, desk.handle)

    def close(self) -> None:
        """Close all desktops."""
        self._open.close()


@contextmanager
def demo_server(*flags: str, agents: int, database_url: str = "") -> Iterator[Demo]:
    """A demo server of its own."""
    where = ["--database-url", database_url] if database_url else []
    with RunningServer("--demo", "--demo-agents", str(agents), "--log-level", "warning", *where, *flags) as server:
        demo = Demo(server, agents, database_url)
        try:
            yield demo
        finally:
            demo.close()
        assert "defect" not in server.log, server.log


class Reply(NamedTuple):
    """An HTTP answer as it came."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Json:
        """The decoded body."""
        found: Json = json.loads(self.body)
        return found


def exchange(url: str, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Reply:
    """One request on a connection of its own, with nothing added to it. ``body`` as for ``http.client``."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    try:
        connection.request(method, path, body, headers or {}, encode_chunked=True)
        response = connection.getresponse()
        return Reply(response.status, response.headers, response.read())
    finally:
        connection.close()


def accept(answer: Answer) -> None:
    """Fail unless the request was accepted with the documented answer."""
    assert (answer.http_status, answer.body) == (200, ACCEPTED), answer


def refuse(answer: Answer, http_status: int, code: int, *words: str) -> None:
    """Fail unless the request was refused so, with a sentence that holds ``words``."""
    assert (answer.http_status, answer.status_code) == (http_status, code), answer
    assert set(answer.body) == {"statusCode", "statusMessage"}
    for word in words:
        assert word in answer.body["statusMessage"], answer


def kind_of(message: Json) -> str:
    """What a message tells: its notificationType, or the user event it carries."""
    data = message["data"]
    found: str = data.get("notificationType") or data.get("userData", {}).get("GSW_USER_EVENT") or data["messageType"]
    return found


def user_data(message: Json) -> Json:
    """The user data of a message on ``/me/internal``."""
    assert message["channel"] == "/me/internal"
    found: Json = message["data"]["userData"]
    return found


def kinds(messages: list[Json]) -> list[str]:
    """What several messages tell, in order."""
    return [kind_of(message) for message in messages]


def order_of(value: Any) -> Any:
    """The keys of an object in their order, at every depth."""
    return [(key, order_of(item)) for key, item in value.items()] if isinstance(value, dict) else None
