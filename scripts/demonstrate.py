"""Start a demo server, send the request of the Update Record page, show the CometD messages that answer it."""

from __future__ import annotations

import argparse
import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.syntax import Syntax

from trunkline.client import Client, Events
from trunkline.errors import TrunklineError

ROOT = Path(__file__).resolve().parent.parent
PORT = 8080
START_S = 60
POLLS = 20
DEVICE = "68b39a39-dfb5-417d-9efe-93c03a1375af"
REQUEST = {
    "devicePath": f"/devices/{DEVICE}",
    "operationName": "UpdateRecord",
    "applicationId": 134,
    "campaignName": "Campaign1",
    "referenceId": "123456789",
}
RECORD = {
    "campaignName": "Campaign1",
    "devicePath": f"/devices/{DEVICE}",
    "callingList": "CallingList1",
    "applicationId": 134,
    "recordHandle": 6,
}
USER_DATA = {
    "GSW_CALLING_LIST": "CallingList1",
    "GSW_APPLICATION_ID": 134,
    "GSW_RECORD_HANDLE": 6,
    "GSW_USER_EVENT": "UpdateCallCompletionStatsAcknowledge",
    "GSW_CALL_RESULT": "21",
    "GSW_CAMPAIGN_NAME": "Campaign1",
}

out = Console(highlight=False)


def main() -> int:
    """Run the demonstration; returns the exit status."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="show the exchange, then stop; exit 0 or 1")
    parser.add_argument("--port", type=int, default=None, help=f"port to serve on (default {PORT}, or a free one)")
    parser.add_argument("--data-dir", default="demo-data", help="folder of the demo's database (kept between runs)")
    parser.add_argument("--demo-agents", type=int, default=5, help="number of demo agents, 5 to 20000")
    given = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory()) if given.once else str(ROOT / given.data_dir)
        port = given.port if given.port is not None else 0 if given.once else free_port()
        out.print("Starting Trunkline with demo data ...", style="dim")
        try:
            server, url = stack.enter_context(serving(folder, port, given.demo_agents))
            faults = show(url)
        except TrunklineError as error:
            out.print(f"[red]{escape(str(error))}[/]")
            return 1
        for fault in faults:
            out.print(f"[red]not as documented:[/] {escape(fault)}")
        if given.once or faults:
            out.print("[red]failed[/]" if faults else "[green]Everything came back as documented.[/]")
            return 1 if faults else 0
        explain(url, folder, given.demo_agents)
        with contextlib.suppress(KeyboardInterrupt):
            return server.wait()
    return 0


def free_port() -> int:
    """The usual port when it is free, else 0 for any."""
    with socket.socket() as probe:
        return PORT if probe.connect_ex(("127.0.0.1", PORT)) else 0


@contextlib.contextmanager
def serving(folder: str, port: int, agents: int) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A running server and its url; it is stopped at the end."""
    read_fd, write_fd = os.pipe()
    options = ["--data-dir", folder, "--port", str(port), "--demo-agents", str(agents), "--log-level", "warning"]
    server = subprocess.Popen(
        [sys.executable, "-m", "trunkline.main", "serve", "--demo", *options, "--ready-fd", str(write_fd)],
        pass_fds=(write_fd,),
        start_new_session=True,
    )
    os.close(write_fd)
    try:
        with os.fdopen(read_fd) as ready:
            has_answer, _, _ = select.select([ready], [], [], START_S)
            line = ready.readline() if has_answer else ""
        if not line:
            raise TrunklineError("the server did not start; its own words are above")
        yield server, f"http://127.0.0.1:{int(line)}"
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


def show(url: str) -> list[str]:
    """Send the page's request as agent1; returns what was not as documented."""
    listener = Client(url, "agent1", "demo")
    sender = Client(url, "agent1", "demo")
    events = Events(listener, ["/v2/me/outbound", "/me/internal"])
    events.open()
    for message in events.poll():
        campaign = message.data.get("campaign", {})
        out.print(f"CometD {message.channel}: {campaign.get('name')} is {campaign.get('state')} (told to who joins).")
    out.print("agent1 is connected over CometD to /v2/me/outbound and /me/internal.\n")
    print_json("POST /api/v2/me/outbound-records/6", REQUEST)
    answer = sender.post("/api/v2/me/outbound-records/6", REQUEST)
    print_json(f"HTTP {answer.http_status}", answer.body)
    if (answer.http_status, answer.body) != (200, {"statusCode": 0}):
        return [f"the HTTP answer is {answer.http_status} {answer.body}"]
    for _ in range(POLLS):
        events.poll()
        wanted = [part for part in events.last_answer if is_acknowledgement(part)]
        if wanted:
            answered = events.last_answer
            print_json("CometD, one long-poll answer", answered)
            events.close()
            return differences(wanted, answered[-1]) if len(wanted) == 2 else ["a message is missing"]
    return ["no CometD message came"]


def is_acknowledgement(part: dict[str, Any]) -> bool:
    """True for the two messages that answer the request; others may come first (the state of the campaign)."""
    data = part.get("data", {})
    return "UpdateCallCompletionStatsAcknowledge" in (
        data.get("notificationType"),
        data.get("userData", {}).get("GSW_USER_EVENT"),
    )


def differences(messages: list[dict[str, Any]], last: dict[str, Any]) -> list[str]:
    """Compare the two messages with the documented ones, key for key and type for type."""
    outbound, internal = messages
    expected = {
        "record": RECORD,
        "notificationType": "UpdateCallCompletionStatsAcknowledge",
        "messageType": "OutboundRecordMessage",
        "referenceId": "123456789",
    }
    faults = []
    if outbound["channel"] != "/v2/me/outbound" or outbound["data"] != expected:
        faults.append(f"the message on {outbound['channel']}")
    data = internal["data"]
    metrics = data.get("metrics", {}).get("eventProcessing", {})
    if sorted(metrics) != ["nodeProcessingTimeNanos", "serverGenerationTimestamp", "serverProcessingTimeTotalMs"]:
        faults.append("the metrics")
    rest = {key: value for key, value in data.items() if key != "metrics"}
    if internal["channel"] != "/me/internal" or rest != {
        "userData": USER_DATA,
        "deviceId": DEVICE,
        "messageType": "DeviceUserEventMessage",
    }:
        faults.append(f"the message on {internal['channel']}")
    if last.get("channel") != "/meta/connect" or last.get("successful") is not True:
        faults.append("the reply to /meta/connect does not come last")
    return faults


def print_json(title: str, content: object) -> None:
    """Show a JSON value as people read it."""
    text = msgspec.json.format(msgspec.json.encode(content), indent=2).decode()
    out.print(Panel(Syntax(text, "json", background_color="default", word_wrap=True), title=title, title_align="left"))


def explain(url: str, folder: str, agents: int) -> None:
    """Say what to try next."""
    curl = (
        f"curl -u agent1:demo -H 'Content-Type: application/json' {url}/api/v2/me/outbound-campaigns/Campaign1 \\\n"
        f'  -d \'{{"operationName":"StartPreviewSession","applicationId":134,"devicePath":"/devices/{DEVICE}"}}\''
    )
    out.print(
        Panel(
            f"REST     {url}/api/v2\nCometD   {url}/api/v2/notifications\nmetrics  {url}/metrics\n\n"
            f"Users    agent1 .. agent{agents}, supervisor1, admin1; password demo for each\n"
            f"Data     {folder}",
            title="Serving",
            title_align="left",
        )
    )
    out.print("What lies on agent1's desk:\n")
    out.print(f"curl -u agent1:demo {url}/api/v2/me/outbound-records", soft_wrap=True, markup=False)
    out.print("\nBegin a preview session (then GetPreviewRecord in the same place, and look at the desk again):\n")
    out.print(curl, soft_wrap=True, markup=False)
    out.print("\nStop with Ctrl-C.", style="dim")


if __name__ == "__main__":
    sys.exit(main())
