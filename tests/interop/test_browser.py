"""The official client in Chromium, on a page of another origin: every transport, and two tabs of one user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.http.desks import Demo, accept, demo_server
from tests.interop.peers import INTERNAL, OUTBOUND, TRANSPORTS, check_backing_off, update
from tests.interop.tabs import Browser, page_server

TOPICS = (OUTBOUND, INTERNAL)
CALLBACK = "callback-polling"

pytestmark = [pytest.mark.interop, pytest.mark.browser]


@contextmanager
def site(*flags: str) -> Iterator[tuple[Demo, str]]:
    """A demo server and the address of a page that may talk to it."""
    with page_server() as origin, demo_server("--allowed-origins", origin, *flags, agents=12) as demo:
        yield demo, f"{origin}/page.html"


@pytest.fixture(scope="module")
def usual(node_modules: Path) -> Iterator[tuple[Demo, str]]:
    """A server with nothing but the page's origin allowed."""
    with site() as made:
        yield made


@pytest.fixture(scope="module")
def lenient(node_modules: Path) -> Iterator[tuple[Demo, str]]:
    """A server that offers callback-polling too."""
    with site("--cometd-callback-polling") as made:
        yield made


@contextmanager
def browsing(demo: Demo, page: str) -> Iterator[Browser]:
    """A browser for the time of a test."""
    browser = Browser(page, demo.url)
    try:
        yield browser
    finally:
        browser.quit()


@pytest.mark.parametrize("transport", [*TRANSPORTS, CALLBACK])
def test_a_page_hears_both_messages(request: pytest.FixtureRequest, transport: str) -> None:
    """Logged in by cookie as pages are; the client talks as it was told to, and says goodbye."""
    demo, page = request.getfixturevalue("lenient" if transport == CALLBACK else "usual")
    desk = demo.desk()
    with browsing(demo, page) as browser:
        tab = browser.tab()
        tab.log_in(desk.name)
        tab.begin(transport, TOPICS)
        tab.wait_for_subscriptions(*TOPICS)
        for number in (1, 2):
            update(desk, number)
            tab.wait_to_hear(number, *TOPICS)
        assert [tab.heard(topic) for topic in TOPICS] == [[1, 2], [1, 2]]
        tab.wait("reply", "/meta/connect")  # events may overtake it on a websocket
        assert {reply["transport"] for reply in tab.said("reply", "/meta/connect")} == {transport}
        tab.ask("disconnect")
        tab.wait("reply", "/meta/disconnect", successful=True)


def test_a_page_may_send_credentials(usual: tuple[Demo, str]) -> None:
    """A header that makes the browser ask beforehand; with acknowledgements."""
    demo, page = usual
    desk = demo.desk()
    with browsing(demo, page) as browser:
        tab = browser.tab()
        tab.begin("long-polling", TOPICS, user=desk.name, has_ack=True)
        tab.wait_for_subscriptions(*TOPICS)
        update(desk, 1)
        tab.wait_to_hear(1, *TOPICS)
        assert tab.said("reply", "/meta/handshake")[0].get("ack") is True


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_two_tabs_of_one_user_hear(usual: tuple[Demo, str], transport: str) -> None:
    """Both get every event while the browser shares its cookies and its connections between them."""
    demo, page = usual
    desk = demo.desk()
    with browsing(demo, page) as browser:
        tabs = [browser.tab(name) for name in ("one", "two")]
        tabs[0].log_in(desk.name)
        for tab in tabs:
            tab.begin(transport, TOPICS)
        for tab in tabs:
            tab.wait_for_subscriptions(*TOPICS)
        for number in (1, 2, 3):
            update(desk, number)
            for tab in tabs:
                tab.wait_to_hear(number, *TOPICS)
        assert [tab.heard(topic) for tab in tabs for topic in TOPICS] == [[1, 2, 3]] * 4


def test_a_page_is_told_that_its_session_ended(usual: tuple[Demo, str]) -> None:
    """After the log-out each try is refused with 403, told to the page, further and further apart."""
    demo, page = usual
    desk = demo.desk()
    with browsing(demo, page) as browser:
        tab = browser.tab()
        tab.log_in(desk.name)
        tab.begin("long-polling", TOPICS)
        tab.wait_for_subscriptions(*TOPICS)
        tab.log_out()
        accept(desk.on_record("UpdateRecord"))  # which ends the poll that is held
        check_backing_off(tab, "/meta/connect")
