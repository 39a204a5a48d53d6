"""Connections under mutated requests and frames: whole or byte by byte, the same is answered."""

from __future__ import annotations

import pytest

from tests.fuzz.frames import Sockets
from tests.fuzz.http_requests import HttpConnections
from tests.fuzz.running import run
from tests.fuzz.settings import of_run

pytestmark = pytest.mark.timeout(3600)  # as many inputs as were asked for


def test_http(pytestconfig: pytest.Config) -> None:
    """A stream of requests has documented answers, never 5xx, however its bytes arrive."""
    inputs, seed = of_run(pytestconfig, 0.05)
    tally = run(HttpConnections(), inputs, seed)
    assert {"200", "400", "405", "413"} <= tally.outcomes.keys()


def test_sockets(pytestconfig: pytest.Config) -> None:
    """A stream of frames is answered, or the socket closed with a documented code, however its bytes arrive."""
    inputs, seed = of_run(pytestconfig, 0.05)
    tally = run(Sockets(), inputs, seed)
    assert {"texts", "open", "closed 1002", "closed 1003", "closed 1007", "closed 1009"} <= tally.outcomes.keys()
