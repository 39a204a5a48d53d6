"""The options: one table, four sources, refusals that say where to look."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.paths import ROOT
from trunkline import config
from trunkline.config import Config, Option
from trunkline.config.loading import MAX_FILE_BYTES
from trunkline.errors import Refused

BY_NAME = {option.name: option for option in config.options()}


def _file(folder: Path, text: str) -> Path:
    path = folder / "trunkline.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_need_no_source() -> None:
    """Without file, variables and flags every option has its default, and the defaults are the documented ones."""
    loaded = config.load(None, {}, {})
    assert loaded == Config()
    assert (loaded.host, loaded.port, loaded.data_dir) == ("127.0.0.1", 8080, "./trunkline-data")
    assert (loaded.cometd_timeout_ms, loaded.cometd_interval_ms, loaded.cometd_max_interval_ms) == (30_000, 0, 60_000)
    assert (loaded.lease_s, loaded.logout_grace_s, loaded.redelivery_s) == (28_800, 60, 600)


def test_every_default_is_within_its_own_range() -> None:
    """A default written out in the environment is accepted and yields the same configuration."""
    environ = {}
    for option in config.options():
        default = option.default
        environ[option.variable] = ",".join(default) if isinstance(default, tuple) else str(default)
    assert config.load(None, environ, {}) == Config()


def test_later_sources_win(tmp_path: Path) -> None:
    """The command line beats the environment, which beats the file, which beats the default."""
    path = _file(tmp_path, 'port = 1001\nhost = "::1"\nlease_s = 61\n')
    loaded = config.load(path, {"TRUNKLINE_PORT": "1002", "TRUNKLINE_LEASE_S": "62"}, {"port": 1003, "host": None})
    assert (loaded.port, loaded.lease_s, loaded.host, loaded.redelivery_s) == (1003, 62, "::1", 600)


def test_file_is_found_through_the_environment(tmp_path: Path) -> None:
    """TRUNKLINE_CONFIG names the file unless the command line does."""
    path = _file(tmp_path, "port = 1001\n")
    other = tmp_path / "other.toml"
    other.write_text("port = 1002\n", encoding="utf-8")
    assert config.load(None, {"TRUNKLINE_CONFIG": str(path)}, {}).port == 1001
    assert config.load(other, {"TRUNKLINE_CONFIG": str(path)}, {}).port == 1002


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("1", True), ("Yes", True), ("on", True), ("FALSE", False), ("0", False)]
)
def test_switches_in_the_environment(text: str, value: bool) -> None:  # noqa: FBT001
    """A switch takes the usual spellings of yes and no."""
    assert config.load(None, {"TRUNKLINE_DEMO": text}, {}).demo is value


def test_empty_and_unknown_variables_are_passed_over() -> None:
    """An empty variable is "not given"; a foreign one with our prefix (container platforms set some) is ignored."""
    assert config.load(None, {"TRUNKLINE_HOST": "", "TRUNKLINE_SERVICE_HOST": "10.0.0.1"}, {}) == Config()


def test_lists_come_from_all_sources(tmp_path: Path) -> None:
    """A list is a TOML array in the file and comma-separated elsewhere."""
    origins = ("https://a.example", "http://b.example:8081")
    written = f"allowed_origins = {list(origins)}\n".replace("'", '"')
    assert config.load(_file(tmp_path, written), {}, {}).allowed_origins == origins
    assert config.load(None, {"TRUNKLINE_ALLOWED_ORIGINS": ", ".join(origins)}, {}).allowed_origins == origins
    assert config.load(None, {}, {"allowed_origins": list(origins)}).allowed_origins == origins


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("prot = 1", "there is no option 'prot'"),
        ("port = 65536", "port must be within 0 to 65535, not 65536"),
        ("port = -1", "port must be within"),
        ('port = "80"', "port must be a whole number (0 to 65535), not '80'"),
        ("port = true", "port must be a whole number"),
        ("port = 80.0", "port must be a whole number"),
        ("demo = 1", "demo must be true or false, not 1"),
        ('log_level = "loud"', "log_level must be one of debug, error, info, warning, not 'loud'"),
        ("host = 5", "host must be text, not 5"),
        ('host = ""', "host must be filled"),
        ("demo_agents = 4", "demo_agents must be within 5 to 20000 agents"),
        ("demo_agents = 20001", "demo_agents must be within 5 to 20000 agents"),
        ('allowed_origins = "https://a.example"', "allowed_origins must be a list of texts"),
        ("allowed_origins = [1]", "allowed_origins must be a list of texts"),
        ('allowed_origins = ["https://a.example/"]', "allowed_origins must be origins"),
        ('allowed_origins = ["a.example"]', "allowed_origins must be origins"),
        ('allowed_origins = ["https://u@a.example"]', "allowed_origins must be origins"),
        ('external_url = "contact.example.com"', "external_url must be empty or a URL"),
        ('external_url = "https://a.example:port"', "external_url must be empty or a URL"),
        ('external_url = "https://a.example/?q"', "external_url must be empty or a URL"),
        (f'data_dir = "{"x" * 4097}"', "data_dir must be at most 4096 characters"),
        ('data_dir = "a\\u0000b"', "data_dir must be at most 4096 characters without NUL"),
        ("cometd_max_interval_ms = 1000\ncometd_interval_ms = 1000", "cometd_max_interval_ms must be larger"),
        ("port = ", "is not TOML"),
        ("[port]", "port must be a whole number"),
    ],
)
def test_refusals_name_the_option_and_the_fault(tmp_path: Path, written: str, sentence: str) -> None:
    """An unknown key, a wrong type and a value out of range are refused in one sentence."""
    with pytest.raises(Refused) as caught:
        config.load(_file(tmp_path, written), {}, {})
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", " ", "8080x", "0x10", "1_000", "٣", "--1", "9" * 30])
def test_numbers_in_the_environment_are_plain(text: str) -> None:
    """Only plain decimal digits are a number; Python's other spellings and huge ones are refused."""
    with pytest.raises(Refused, match=r"lease_s must be a whole number .*TRUNKLINE_LEASE_S"):
        config.load(None, {"TRUNKLINE_LEASE_S": text or "x"}, {})


def test_refusals_say_where_the_value_stands(tmp_path: Path) -> None:
    """File, variable and flag are named, so that the reader knows what to edit."""
    path = _file(tmp_path, "port = 70000")
    with pytest.raises(Refused, match=r"trunkline\.toml"):
        config.load(path, {}, {})
    with pytest.raises(Refused, match="TRUNKLINE_PORT"):
        config.load(None, {"TRUNKLINE_PORT": "70000"}, {})
    with pytest.raises(Refused, match="--port"):
        config.load(None, {}, {"port": 70000})
    with pytest.raises(Refused, match="no option 'prot'"):
        config.load(None, {}, {"prot": 1})


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    """A missing file, a folder, a huge file and one that is not UTF-8 are each refused with the path."""
    huge = _file(tmp_path, "#" * (MAX_FILE_BYTES + 1))
    with pytest.raises(Refused, match="larger than"):
        config.load(huge, {}, {})
    huge.write_bytes(b'host = "\xff"')
    with pytest.raises(Refused, match="not TOML"):
        config.load(huge, {}, {})
    with pytest.raises(Refused, match="No such file"):
        config.load(tmp_path / "missing.toml", {}, {})
    with pytest.raises(Refused, match="directory"):
        config.load(tmp_path, {}, {})


def test_the_database_password_is_not_shown() -> None:
    """Neither the repr of the configuration nor a refusal holds the database's password."""
    url = "postgresql://trunkline:hunter2@db.example/trunkline"
    loaded = config.load(None, {"TRUNKLINE_DATABASE_URL": url}, {})
    assert loaded.database_url == url
    assert "hunter2" not in repr(loaded)
    assert "port=8080" in repr(loaded)
    with pytest.raises(Refused) as caught:
        config.load(None, {"TRUNKLINE_DATABASE_URL": "mysql://u:hunter2@db.example"}, {})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("set_to", "bound", "prefix"),
    [
        ({}, 8080, "http://127.0.0.1:8080"),
        ({"host": "0.0.0.0"}, 81, "http://127.0.0.1:81"),
        ({"host": "::"}, 81, "http://[::1]:81"),
        ({"host": "contact.example"}, 81, "http://contact.example:81"),
        ({"external_url": "https://contact.example/sub/"}, 81, "https://contact.example/sub"),
    ],
)
def test_external_prefix(set_to: dict[str, object], bound: int, prefix: str) -> None:
    """The prefix of uris is the configured one without its slash, else host and bound port as a URL."""
    assert config.load(None, {}, set_to).external_prefix(bound) == prefix


def test_every_option_says_what_it_is() -> None:
    """Each option has a sentence, each number a range, and a name that carries its unit."""
    for option in config.options():
        assert option.sentence.endswith("."), option.name
        assert option.values
        if option.kind == "number":
            assert option.at_least is not None, option.name
            assert option.at_most is not None, option.name
        suffixes = {"seconds": "_s", "milliseconds": "_ms", "bytes": "_bytes"}
        assert option.name.endswith(suffixes.get(option.unit, "")), option.name


def test_names_of_one_option() -> None:
    """Variable and flag follow from the name."""
    option: Option = BY_NAME["cometd_timeout_ms"]
    assert (option.variable, option.flag) == ("TRUNKLINE_COMETD_TIMEOUT_MS", "--cometd-timeout-ms")
    assert option.values == "0 to 300000 milliseconds"
    assert BY_NAME["log_format"].values == "console, json"
    assert [name for name, o in BY_NAME.items() if o.is_secret] == ["database_url"]


def test_the_manual_page_is_current() -> None:
    """docs/reference/options.md is what the table says; scripts/manual remakes it."""
    assert (ROOT / "docs/reference/options.md").read_text(encoding="utf-8") == config.manual_page()


def test_the_manual_page_can_be_copied_from(tmp_path: Path) -> None:
    """The "File" lines of the page, put into a file, are a valid configuration: the default one."""
    lines = [line for line in config.manual_page().splitlines() if line.startswith("- File: ")]
    written = "\n".join(line.removeprefix("- File: ").strip("`") for line in lines)
    assert config.load(_file(tmp_path, written), {}, {}) == Config()
    assert len(lines) == len(config.options())
