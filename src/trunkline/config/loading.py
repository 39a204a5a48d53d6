"""From file, environment and command line to checked values."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from trunkline.config.table import Config, Option, options
from trunkline.errors import Refused

CONFIG_VARIABLE = "TRUNKLINE_CONFIG"
"""Names the configuration file when the command line does not."""
CENTRE_VARIABLE = "TRUNKLINE_CONTACT_CENTRE"
"""Names the contact centre that commands work on when the command line does not."""

MAX_FILE_BYTES = 256 * 1024
"""A hundred times a file with every option; more is not a configuration file but a mistake in its path."""

MAX_TEXT = 4096
"""Characters of a text option: the longest path that Linux takes."""


def load(toml_path: str | Path | None, environ: Mapping[str, str], flags: Mapping[str, object]) -> Config:
    """Put the values together and check them.

    ``toml_path`` of None: the file that ``TRUNKLINE_CONFIG`` names, if any. ``flags``: option
    name to value, as text or already typed; None means "not given". An empty environment
    variable counts as not given, an unknown one is not ours to judge.
    Raises ``Refused`` with a sentence that names the option and where it was set.
    """
    found: dict[str, object] = {}
    path = toml_path or environ.get(CONFIG_VARIABLE)
    if path:
        for name, value in _read_file(Path(path)).items():
            found[name] = _checked(_named(name, f"in {path}"), value, f"in {path}", from_text=False)
    for option in options():
        if text := environ.get(option.variable, ""):
            found[option.name] = _checked(option, text, f"in the variable {option.variable}", from_text=True)
    for name, value in flags.items():
        if value is not None:
            option = _named(name, "on the command line")
            found[name] = _checked(option, value, f"given as {option.flag}", from_text=isinstance(value, str))
    config = msgspec.convert(found, Config)
    if config.cometd_max_interval_ms <= config.cometd_interval_ms:
        # Otherwise every session would end while its client waits as told.
        raise Refused("cometd_max_interval_ms must be larger than cometd_interval_ms")
    return config


def _read_file(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
        if len(raw) > MAX_FILE_BYTES:
            raise Refused(f"the configuration file {path} is larger than {MAX_FILE_BYTES} bytes")
        return tomllib.loads(raw.decode("utf-8"))
    except OSError as error:
        raise Refused(f"the configuration file {path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refused(f"the configuration file {path} is not TOML: {error}") from None


def _named(name: str, where: str) -> Option:
    for option in options():
        if option.name == name:
            return option
    raise Refused(f"there is no option {name!r} ({where})")


def _checked(option: Option, value: object, where: str, *, from_text: bool) -> object:
    """Return the value in the option's own type, or refuse it and say why and where it stands."""
    typed = _from_text(option, str(value)) if from_text else value
    if fault := _fault(option, typed):
        shown = "" if option.is_secret else f", not {value!r:.100}"
        raise Refused(f"{option.name} must be {fault}{shown} ({where})")
    return tuple(typed) if isinstance(typed, list) else typed


def _from_text(option: Option, text: str) -> object:
    text = text.strip()
    if option.kind == "number":
        is_number = text.isascii() and text.removeprefix("-").isdigit() and len(text) < 20
        return int(text) if is_number else text
    if option.kind == "switch":
        spellings = {
            "true": True,
            "1": True,
            "yes": True,
            "on": True,
            "false": False,
            "0": False,
            "no": False,
            "off": False,
        }
        return spellings.get(text.lower(), text)
    if option.kind == "list":
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _fault(option: Option, value: object) -> str:
    """Say what the value must be, if it is not; empty if it is fine."""
    if option.kind == "number":
        if not isinstance(value, int) or isinstance(value, bool):
            return f"a whole number ({option.values})"
        low, high = option.at_least, option.at_most
        inside = (low is None or value >= low) and (high is None or value <= high)
        return "" if inside else f"within {option.values}"
    if option.kind == "switch":
        return "" if isinstance(value, bool) else "true or false"
    if option.kind == "list":
        fine = isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
        return _format_fault(option, list(value)) if fine and isinstance(value, list | tuple) else "a list of texts"
    if not isinstance(value, str):
        return "text"
    if option.choices:
        return "" if value in option.choices else f"one of {option.values}"
    return _format_fault(option, [value])


def _format_fault(option: Option, texts: list[str]) -> str:
    if any(len(text) > MAX_TEXT or "\x00" in text for text in texts):
        return f"at most {MAX_TEXT} characters without NUL"
    filled = [text for text in texts if text]
    if option.name in {"data_dir", "host"} and not filled:
        return "filled"
    if option.name == "database_url" and not all(_is_url(text, "postgresql", "postgres") for text in filled):
        return "empty or postgresql://user:password@host/name"
    if option.name == "external_url" and not all(_is_url(text, "http", "https") for text in filled):
        return "empty or a URL like https://contact.example.com"
    if option.name == "allowed_origins" and not all(_is_origin(text) for text in texts):
        return "origins like https://desktop.example.com, without a path"
    return ""


def _is_url(text: str, *schemes: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises for a port that is none
    except ValueError:
        return False
    # A database on a Unix socket has no host; everything that browsers reach has one.
    return parts.scheme in schemes and (
        "http" not in schemes or bool(parts.hostname and not parts.query + parts.fragment)
    )


def _is_origin(text: str) -> bool:
    return _is_url(text, "http", "https") and not urlsplit(text).path and "@" not in text
