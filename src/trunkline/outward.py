"""What goes out over HTTP, built from the configuration: webhooks, and the validation before dialing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from trunkline import __version__
from trunkline.adapters.http_out import HttpOut
from trunkline.adapters.system import SystemChance, SystemClock
from trunkline.app.asking import Asked
from trunkline.app.hand_out.validation import ValidationSettings, Validator
from trunkline.app.ports import Store, StoredRow
from trunkline.app.webhooks.delivery import MAX_WEBHOOKS, Webhooks, no_figures
from trunkline.app.webhooks.delivery import Settings as WebhookSettings
from trunkline.app.webhooks.notices import Figures
from trunkline.app.writer import Writer
from trunkline.config import Config
from trunkline.domain.addresses import networks
from trunkline.domain.enums import CallResult
from trunkline.domain.webhooks import DeliveryState, check_url
from trunkline.errors import Refused

Report = Callable[[str, BaseException], None]
T = TypeVar("T")
V = TypeVar("V")


class Outward:
    """Clients with their limits, and who uses them. ``writer`` yields the writer, which is made afterwards.

    Raises ``Refused`` for networks and addresses in the configuration that are none.
    """

    def __init__(
        self, config: Config, clock: SystemClock, chance: SystemChance, writer: Callable[[], Writer], report: Report
    ) -> None:
        client = partial(
            HttpOut,
            allowed=_option("outgoing_allowed_networks", networks, config.outgoing_allowed_networks),
            ca_file=config.outgoing_ca_file,
            version=__version__,
        )
        self._to_webhooks = client(connections=MAX_WEBHOOKS)
        self._to_validations = client(connections=config.http_connection_pool_size)
        self._config = config
        self._clock = clock
        self._chance = chance
        self._report = report

        def submit(asked: Asked) -> asyncio.Future[StoredRow | None]:
            return writer().submit(asked)

        for url in config.validation_urls:
            _option("validation_urls", check_url, url)
        self.validator = Validator(
            self._to_validations,
            submit,
            clock,
            chance.fraction,
            report,
            ValidationSettings(
                urls=frozenset(config.validation_urls),
                connections=config.http_connection_pool_size,
                timeout_s=config.http_response_timeout_s,
                keep_ms=config.validation_keep_s * 1000,
                timeout_result=_call_result(config.validation_timeout_call_result),
                race_result=_call_result(config.validation_race_condition_call_result),
            ),
        )

    def webhooks(self, store: Store, writer: Writer, figures: Figures = no_figures) -> Webhooks:
        """The deliveries; made once. ``figures`` yields those of a group."""
        give_up_ms = self._config.webhook_give_up_s * 1000
        return Webhooks(
            store,
            writer,
            self._clock,
            self._to_webhooks,
            self._chance.fraction,
            self._report,
            WebhookSettings(timeout_s=self._config.http_response_timeout_s, give_up_ms=give_up_ms),
            figures,
        )

    def gauges(self, webhooks: Webhooks) -> dict[str, tuple[str, Callable[[], float]]]:
        """Figures for whoever watches the server."""
        validator = self.validator
        return {
            "trunkline_webhook_notices": ("Notices that webhooks took.", lambda: webhooks.delivered),
            "trunkline_webhooks_retrying": (
                "Webhooks whose last delivery failed.",
                lambda: webhooks.count(DeliveryState.RETRYING),
            ),
            "trunkline_webhooks_stopped": ("Webhooks given up.", lambda: webhooks.count(DeliveryState.STOPPED)),
            "trunkline_validation_waiting": ("Questions of the pre-dial validation.", lambda: validator.waiting),
            "trunkline_validation_failing": (
                "Servers of the pre-dial validation that do not answer.",
                lambda: sum(server.failures > 0 for server in validator.servers().values()),
            ),
        }

    async def close(self) -> None:
        """Close all connections; after the deliveries have stopped."""
        await self._to_webhooks.close()
        await self._to_validations.close()


def _option(name: str, check: Callable[[V], T], value: V) -> T:
    """What a check makes of an option's value; a refusal names the option."""
    try:
        return check(value)
    except Refused as error:
        raise type(error)(f"{name}: {error}") from None


def _call_result(number: int) -> CallResult | None:
    return None if number < 0 else CallResult(number)
