"""The auditor: it reads rules as the server does, and its command tells what was not allowed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import trunkline.rules
from tests.cli.test_commands import run
from tests.support.paths import ROOT
from trunkline.adapters.storage import make_store, migrate
from trunkline.app.ports import Changes, Provision
from trunkline.cli.auditor import Audit
from trunkline.cli.auditor_files import Rule, read_rule_files
from trunkline.domain.attempt_rules import AttemptRule
from trunkline.domain.attempts import AttemptStep, attempt_row
from trunkline.domain.calling_times import EPOCH, WHOLE_DAY, ClosedDays, Holiday, Limits, Observed, RegionRule, Span
from trunkline.domain.enums import CallResult
from trunkline.domain.objects import ObjectKind, StoredObject
from trunkline.domain.records import Record
from trunkline.domain.rule_sets import RuleOverride, RuleSet

NOON_MS = int(datetime(2027, 1, 8, 17, tzinfo=UTC).timestamp()) * 1000  # Friday noon in New York
HOUR_MS = 3_600_000

_weekdays = st.integers(0, 6)
_months = st.integers(1, 12)
_kept = {"name": st.just("h"), "observed": st.sampled_from(list(Observed)), "from_year": st.sampled_from([1, 2028])}
_holidays = st.one_of(
    st.builds(Holiday, month=_months, day=st.integers(1, 28), **_kept),
    st.builds(Holiday, month=st.just(2), day=st.just(29), **_kept),
    st.builds(Holiday, month=_months, weekday=_weekdays, nth=st.sampled_from([1, 2, 3, 4, 5, -1]), **_kept),
    st.builds(Holiday, month=_months, day=st.integers(1, 28), weekday=_weekdays, **_kept),
    st.builds(Holiday, easter=st.integers(-60, 60), **_kept),
)
_spans = st.lists(st.integers(0, 24), max_size=4, unique=True).map(
    lambda edges: tuple(Span(a * 3600, b * 3600) for a, b in zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False))
)
_days = st.dates(date(2026, 1, 1), date(2032, 12, 31))
_rules = st.builds(
    RegionRule,
    region=st.sampled_from(["*", "US", "US-TX", "FR"]),
    source=st.just("x"),
    week=st.lists(_spans | st.just(WHOLE_DAY), min_size=7, max_size=7).map(tuple),
    holidays=st.lists(_holidays, max_size=3).map(tuple),
    on_holidays=_spans,
    valid_from=st.none() | _days,
    valid_until=st.none() | _days,
)
_closed = st.builds(
    ClosedDays, region=st.sampled_from(["*", "US"]), from_date=_days, until_date=_days, reason=st.just("x")
)


@given(
    st.lists(_rules, max_size=3),
    st.lists(_closed, max_size=2),
    st.sampled_from(["US", "US-TX", "FR", "FR-75"]),
    st.lists(_days, min_size=1, max_size=30),
)
def test_both_read_a_rule_set_alike(
    rules: list[RegionRule], closed: list[ClosedDays], region: str, days: list[date]
) -> None:
    """Any rule set of one's own, any holiday, any day: auditor and server say the same of each hour."""
    rule_set = RuleSet(
        contact_centre_id=1, rule_set_id=1, name="r", calling_times=(), regions=tuple(rules), closed=tuple(closed)
    )
    stored: Rule = msgspec.json.decode(msgspec.json.encode(rule_set))
    books, limits = Audit({}), Limits(rules, closed)
    kept = [
        day for rule in rules for holiday in rule.holidays for year in (2027, 2028) for day in holiday.days_of(year)
    ]
    for day in [*days, *kept]:
        hours, is_holiday = books._day((1, 1), stored, region, day)
        left = limits.day(region, (day - EPOCH).days).spans
        for at_s in range(0, 86_400, 3600):
            is_open = not is_holiday and all(any(a <= at_s < b for a, b in spans) for spans in hours)
            assert is_open is any(span.from_s <= at_s < span.until_s for span in left), (day, region, at_s)


RECORD = Record(
    contact_centre_id=1, list_id=2, chain_id=3, chain_n=0, record_id=4, phone_number="+12125550100", campaign_id=9,
    time_zone="America/New_York", from_s=0, until_s=86_400, region="US-NY", call_result=CallResult.NO_ANSWER,
)  # fmt: skip
OURS = RuleSet(
    contact_centre_id=1,
    rule_set_id=5,
    name="ours",
    calling_times=("basic", "mine"),
    closed=(ClosedDays(from_date=date(2027, 1, 9), until_date=date(2027, 1, 9), reason="storm"),),
    attempt_rules=(AttemptRule(name="2 in 24 h", at_most=2, within_s=86_400),),
)
MINE = """
name: mine
title: Mine
version: "1"
checked_on: 2025-11-25
regions:
  - {region: US, source: our lawyers, hours: {mon-sun: 10:00-20:00}}
"""


def a_log(folder: Path, *permitted_ms: int) -> None:
    """A database with attempts at these moments, each ended a minute later."""
    url = f"sqlite:///{folder / 'trunkline-data' / 'trunkline.db'}"
    (folder / "trunkline-data" / "rules").mkdir(parents=True)
    (folder / "trunkline-data" / "rules" / "mine.yaml").write_text(MINE)
    migrate.upgrade(url)
    override = RuleOverride(
        contact_centre_id=1, override_id=1, name="o", rule="holiday", reason="r", list_id=2,
        from_s=NOON_MS // 1000 + 25 * 3600, until_s=NOON_MS // 1000 + 26 * 3600,
    )  # fmt: skip
    of_set: dict[str, Any] = {"rule_set_id": 5, "rule_set_version": 1}
    rows = []
    for n, at_ms in enumerate(permitted_ms):
        rows.append(attempt_row(RECORD, AttemptStep.PERMITTED, at_ms, f"g{n}", **of_set))
        rows.append(attempt_row(RECORD, AttemptStep.ENDED, at_ms + 60_000, f"g{n}", **of_set))

    async def write() -> None:
        store = make_store(url)
        await store.open()
        objects = [
            StoredObject(kind=ObjectKind.RULE_SET, value=OURS),
            StoredObject(kind=ObjectKind.RULE_OVERRIDE, value=override),
        ]
        await store.provision(Provision(contact_centres={1: "main"}, objects=objects))
        async with store.begin() as unit:
            await unit.save(Changes(attempts=rows))
        await store.close()

    asyncio.run(write())


def test_a_clean_log(tmp_path: Path) -> None:
    """What was allowed is counted, from the database and from an export."""
    a_log(tmp_path, NOON_MS, NOON_MS + HOUR_MS, NOON_MS + 25 * HOUR_MS)
    said = run("audit", "attempts", folder=tmp_path)
    assert (said.returncode, said.stdout) == (0, "3 attempts, 0 not allowed\n")
    assert run("audit", "export", "log.jsonl", folder=tmp_path).returncode == 0
    rules = str(Path(trunkline.rules.__file__).parent)
    program = [sys.executable, str(ROOT / "scripts" / "audit_attempts.py"), "log.jsonl", rules]
    alone = subprocess.run(
        [*program, "trunkline-data/rules"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert (alone.returncode, alone.stdout) == (0, "3 attempts, 0 not allowed\n")
    again = run("audit", "attempts", "log.jsonl", folder=tmp_path)
    assert (again.returncode, again.stdout) == (0, "3 attempts, 0 not allowed\n")
    since = run("audit", "attempts", "--since", "2027-01-09", folder=tmp_path)
    assert since.stdout == "1 attempts, 0 not allowed\n"


def test_what_was_not_allowed_is_told(tmp_path: Path) -> None:
    """Too early, one too many, on a closed day: each with its row and reason, and the exit status is 1."""
    early = NOON_MS - 3 * HOUR_MS
    a_log(tmp_path, early, NOON_MS, NOON_MS + HOUR_MS, NOON_MS + 27 * HOUR_MS)
    said = run("audit", "attempts", folder=tmp_path)
    assert said.returncode == 1
    lines = said.stdout.splitlines()
    assert lines[0].startswith(
        "row 1, 2027-01-08 14:00:00 UTC: calling time: Fri 2027-01-08 09:00:00 in America/New_York"
    )
    assert lines[1].startswith("row 5, 2027-01-08 18:00:00 UTC: attempt limit: 2 in 24 h: 2 before this one")
    assert lines[2].startswith("row 7, 2027-01-09 20:00:00 UTC: holiday: Sat 2027-01-09")
    assert lines[3] == "4 attempts, 3 not allowed (1 attempt limit, 1 calling time, 1 holiday)"
    told = msgspec.json.decode(run("audit", "attempts", "--json", folder=tmp_path).stdout)
    assert (told["attempts"], told["illegal"], len(told["findings"])) == (4, 3, 3)


def test_what_cannot_be_audited(tmp_path: Path) -> None:
    """A file that is no export, a version that is missing, a date that is none."""
    (tmp_path / "log.jsonl").write_text("nonsense\n")
    assert "cannot be read" in run("audit", "attempts", "log.jsonl", folder=tmp_path).stderr
    assert "take a date" in run("audit", "attempts", "log.jsonl", "--since", "soon", folder=tmp_path).stderr
    row = attempt_row(RECORD, AttemptStep.PERMITTED, NOON_MS, "g", rule_set_id=7, rule_set_version=2)
    line = msgspec.json.encode({"kind": "attempt", "seq": 1, **msgspec.to_builtins(row)})
    (tmp_path / "log.jsonl").write_bytes(line)
    said = run("audit", "attempts", "log.jsonl", folder=tmp_path)
    assert "the rule set 7 of version 2 is not in the export" in said.stdout
    (tmp_path / "log.jsonl").write_text('{"kind": "attempt"}\n')
    short = run("audit", "attempts", "log.jsonl", folder=tmp_path)
    assert (short.returncode, short.stderr) == (1, "Error: log.jsonl, line 1: cannot be read: there is no 'step'\n")


@pytest.mark.parametrize(
    ("text", "server", "auditor"),
    [
        ("name: [", ", line 1: ", "line 1, column 8"),
        (MINE.replace("10:00-20:00", "10-20"), ": regions[0].hours.mon-sun: 10-20 is no span", " regions[0]: "),
        (MINE.replace("mon-sun", "always"), ": regions[0].hours.always: give days", " regions[0]: "),
        (MINE.replace("{region: US,", "{"), ": regions[0].region: give", " regions[0]: there is no 'region'"),
        (MINE.replace("regions:", "areas:"), ": document.areas: unknown", " there is no 'regions'"),
        (MINE.replace("{region", "{holidays: [x], region"), ": regions[0].holidays[0]: there is no", " regions[0]: "),
        ("name: mine\nregions: 7\n", ": title: must be", " 'str' object"),
    ],
)
def test_a_broken_rule_file_is_refused(tmp_path: Path, text: str, server: str, auditor: str) -> None:
    """Neither the auditor nor an explanation goes by half of the rules: file, place and reason, and nothing judged."""
    a_log(tmp_path, NOON_MS)
    rules = tmp_path / "trunkline-data" / "rules"
    (rules / "mine.yaml").write_text(text)
    for command in (("audit", "attempts"), ("explain", "list", "Spring"), ("explain", "record", "--number", "1")):
        said = run(*command, folder=tmp_path)
        assert (said.returncode, said.stdout) == (1, "")
        assert "rule files in trunkline-data/rules cannot be used:\n" in said.stderr
        assert f"\n  mine.yaml{server}" in said.stderr
        assert "Nothing was judged" in said.stderr
        assert "Traceback" not in said.stderr
    with pytest.raises(ValueError, match="the rule file") as refused:
        read_rule_files([rules])
    assert str(refused.value).startswith(f"the rule file {rules / 'mine.yaml'}:")
    assert auditor in str(refused.value)


def test_two_rule_files_of_one_name(tmp_path: Path) -> None:
    """Which of them counts would be a guess."""
    (tmp_path / "a.yaml").write_text(MINE)
    (tmp_path / "b.yaml").write_text(MINE)
    with pytest.raises(ValueError, match=r"b\.yaml: another file has the name mine already"):
        read_rule_files([tmp_path])


def test_a_rules_folder_that_is_not_there(tmp_path: Path) -> None:
    """A folder that was configured and does not exist is a slip, and told; the default one need not exist."""
    a_log(tmp_path, NOON_MS)
    for command in (("audit", "attempts"), ("explain", "list", "Spring")):
        said = run(*command, "--rules-dir", "nowhere", folder=tmp_path)
        assert (said.returncode, said.stderr) == (1, "Error: rules_dir: there is no folder nowhere\n")
    told = run("doctor", "--port", "0", "--rules-dir", "nowhere", folder=tmp_path).stdout
    assert "rules_dir: there is no folder nowhere" in told
    (tmp_path / "trunkline-data" / "rules" / "mine.yaml").write_text("name: [")
    assert "mine.yaml, line 1: " in run("doctor", "--port", "0", folder=tmp_path).stdout
