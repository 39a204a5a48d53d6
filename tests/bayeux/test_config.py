"""The options of the core."""

from __future__ import annotations

import pytest

from trunkline.bayeux import Config


@pytest.mark.item(78)
def test_defaults_are_those_that_clients_were_measured_with() -> None:
    """30 s timeout, no interval, 60 s of life without a connect, both transports."""
    config = Config()
    assert (config.timeout_ms, config.interval_ms, config.max_interval_ms) == (30_000, 0, 60_000)
    assert config.connection_types == ("websocket", "long-polling")


@pytest.mark.item("0.8", 48)
def test_advice_is_whole_and_in_the_published_order() -> None:
    """Clients replace advice, so all three parts are always there; maxInterval only when asked for."""
    assert list(Config().advice("retry").items()) == [("interval", 0), ("timeout", 30_000), ("reconnect", "retry")]
    assert Config(advise_max_interval=True).advice("none")["maxInterval"] == 60_000


@pytest.mark.parametrize(
    "fields",
    [{"connection_types": ()}, {"timeout_ms": -1}, {"interval_ms": -1}, {"max_interval_ms": 0}, {"max_sessions": 0}],
)
def test_senseless_values_are_refused(fields: dict[str, object]) -> None:
    """A server that could not work is not built; the message names the option."""
    with pytest.raises(ValueError, match=next(iter(fields))):
        Config(**fields)  # type: ignore[arg-type]


def test_messages_nest_no_deeper_than_the_decoder_takes() -> None:
    """A deeper limit would promise what is refused below."""
    with pytest.raises(ValueError, match="max_depth must be at most 32"):
        Config(max_depth=33)
