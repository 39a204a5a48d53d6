"""Chromium as a program: tabs whose pages are clients, and the small server that they come from."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.interop.peers import ENDPOINT, Json, Peer, basic, parsed
from tests.support import nodes
from tests.support.processes import Program

NAMES = ("chromium", "chromium-browser", "google-chrome")


class ChromiumMissingError(RuntimeError):
    """Chromium was not found; scripts/test --browser installs it."""


class Tab(Peer):
    """The client in one tab; it tells and is asked through the browser's program."""

    def __init__(self, program: Program, name: str, server: str) -> None:
        super().__init__(program)
        self._name = name
        self._server = server

    def _mine(self, lines: Sequence[str]) -> list[Json]:
        return [line for line in parsed(lines) if line.get("tab") == self._name]

    def ask(self, command: str, **more: Any) -> None:
        """Call one of the page's functions."""
        self.program.write_line(json.dumps({"do": "call", "tab": self._name, "name": command, "given": more}))

    def open(self, address: str) -> None:
        """Load the page."""
        self.program.write_line(json.dumps({"do": "open", "tab": self._name, "address": address}))
        self.wait("loaded")

    def log_in(self, user: str) -> None:
        """Begin a session, whose cookie the browser keeps for all tabs."""
        body = {"operationName": "StartContactCenterSession", "channels": ["voice"]}
        self.ask("operation", server=self._server, body=body, authorization=basic(user))
        self.wait("answered", status=200, operation="StartContactCenterSession")

    def log_out(self) -> None:
        """End the session."""
        self.ask("operation", server=self._server, body={"operationName": "EndContactCenterSession"})
        self.wait("answered", status=200, operation="EndContactCenterSession")

    def begin(self, transport: str, topics: Sequence[str], *, user: str = "", has_ack: bool = False) -> None:
        """Start the official client: with the session's cookie, or with a header for ``user``."""
        authorization = basic(user) if user else None
        url = self._server + ENDPOINT
        self.ask("start", url=url, transport=transport, topics=topics, authorization=authorization, ack=has_ack)


class Browser:
    """One browser with cookies of its own."""

    def __init__(self, page: str, server: str) -> None:
        found = next(filter(None, map(shutil.which, NAMES)), None)
        if found is None:
            raise ChromiumMissingError(ChromiumMissingError.__doc__)
        self._page = page
        self._server = server
        self.program = nodes.run("browser.mjs", json.dumps({"program": found}))

    def tab(self, name: str = "one") -> Tab:
        """A tab with the page in it."""
        self.program.wait_for_line('"ready"', 60)  # the first start of a browser on a cold disk
        tab = Tab(self.program, name, self._server)
        tab.open(self._page)
        return tab

    def quit(self) -> None:
        """End the browser, then the program that drives it."""
        if self.program.process.poll() is None:
            self.program.write_line('{"do": "quit"}')
            self.program.close_input()
            self.program.process.wait(20)
        self.program.end()


class _Files(SimpleHTTPRequestHandler):
    """The files of this folder, in silence, with the type that browsers demand of modules."""

    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript"}  # noqa: RUF012 - as its base

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its base has it
        """Write nothing."""


@contextmanager
def page_server() -> Iterator[str]:
    """Serve this folder on loopback, as a site of its own; yields its origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(nodes.FOLDER)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
