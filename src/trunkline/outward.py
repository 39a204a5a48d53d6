"""What goes out over HTTP, built from the configuration: webhooks, and the validation before dialing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from trunkline import __version__
from trunkline.adapters.http_out import HttpOut
from trunkline.adapters.system import SystemChance, SystemClock
from trunkline.app.asking import Asked
from trunkline.app.ports import Store, StoredRow
from trunkline.app.validation import ValidationSettings, Validator
from trunkline.app.webhooks import MAX_WEBHOOKS, Webhooks
from trunkline.app.webhooks import Settings as WebhookSettings
from trunkline.app.writer import Writer
from trunkline.config import Config
from trunkline.domain.addresses import networks
from trunkline.domain.enums import CallResult
from trunkline.domain.webhooks import check_url

Report = Callable[[str, BaseException], None]


class Outward:
    """Clients with their limits, and who uses them. ``writer`` yields the writer, which is made afterwards.

    Raises ``Refused`` for networks and addresses in the configuration that are none.
    """

    def __init__(
        self, config: Config, clock: SystemClock, chance: SystemChance, writer: Callable[[], Writer], report: Report
    ) -> None:
        client = partial(
            HttpOut,
            allowed=networks(config.outgoing_allowed_networks),
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
            check_url(url)
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

    def webhooks(self, store: Store, writer: Writer) -> Webhooks:
        """The deliveries; made once."""
        give_up_ms = self._config.webhook_give_up_s * 1000
        return Webhooks(
            store,
            writer,
            self._clock,
            self._to_webhooks,
            self._chance.fraction,
            self._report,
            WebhookSettings(timeout_s=self._config.http_response_timeout_s, give_up_ms=give_up_ms),
        )

    async def close(self) -> None:
        """Close all connections; after the deliveries have stopped."""
        await self._to_webhooks.close()
        await self._to_validations.close()


def _call_result(number: int) -> CallResult | None:
    return None if number < 0 else CallResult(number)
