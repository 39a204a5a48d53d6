"""Commands that ask a running server over HTTP: where it is, who asks, and what it answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from trunkline.client import Answer, Client
from trunkline.errors import TrunklineError

DEFAULT_URL = "http://127.0.0.1:8080"


def with_server(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--url``, ``--user`` and ``--password``, each also from the environment."""
    for option in (
        click.option("--password", envvar="TRUNKLINE_PASSWORD", help="[env: TRUNKLINE_PASSWORD; asked for otherwise]"),
        click.option("--user", "user_name", envvar="TRUNKLINE_USER", required=True, help="[env: TRUNKLINE_USER]"),
        click.option(
            "--url", envvar="TRUNKLINE_URL", default=DEFAULT_URL, show_default=True, help="[env: TRUNKLINE_URL]"
        ),
    ):
        command = option(command)
    return command


@contextmanager
def connected(url: str, user_name: str, password: str | None) -> Iterator[Client]:
    """A client for the server, closed at the end; what goes wrong with it ends the command with a sentence."""
    if password is None:
        password = click.prompt("Password", hide_input=True)
    try:
        client = Client(url, user_name, str(password))
    except TrunklineError as error:
        raise click.UsageError(str(error)) from None
    try:
        yield client
    except TrunklineError as error:
        raise click.ClickException(str(error)) from None
    finally:
        client.close()


def accepted(answer: Answer) -> dict[str, Any]:
    """The answer's body; a refusal ends the command with the server's sentence and exit status 1."""
    body = answer.body if isinstance(answer.body, dict) else {}
    if answer.http_status >= 400 or answer.status_code != 0:
        raise click.ClickException(str(body.get("statusMessage") or f"the server answered {answer.http_status}"))
    return body
