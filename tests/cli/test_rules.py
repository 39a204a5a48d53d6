"""``trunkline rules`` as people type it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tests.app.test_rule_files import STATE
from tests.cli.test_commands import run
from trunkline.contract.admin_kinds import KINDS
from trunkline.contract.admin_requests import new_value
from trunkline.domain.rule_sets import PRESETS


def test_check(tmp_path: Path) -> None:
    """Good files are counted; of wrong ones each fault is told with its place, and the exit status is 1."""
    (tmp_path / "good.yaml").write_text(STATE)
    (tmp_path / "bad.yaml").write_text(STATE.replace("10:00-20:00", "20:00-10:00"))
    good = run("rules", "check", "good.yaml", folder=tmp_path)
    assert (good.returncode, good.stdout) == (0, "good.yaml: mine 1, 1 rules, no fault found\n")
    bad = run("rules", "check", "good.yaml", "bad.yaml", folder=tmp_path)
    assert bad.returncode == 1
    assert bad.stderr.startswith("bad.yaml: regions[0].hours.mon-sat: 20:00-10:00 does not lie within one day")
    (tmp_path / "odd.yaml").write_text(STATE.replace("US-AL", "QQ-1"))
    odd = run("rules", "check", "odd.yaml", folder=tmp_path)
    assert (odd.returncode, odd.stderr) == (1, "odd.yaml: regions[0].region: there is no country QQ\n")


def test_show(tmp_path: Path) -> None:
    """What is left of a day in a region, with the texts; holidays are named; own files count."""
    shown = run("rules", "show", "US-TX", "--on", "2027-01-10", folder=tmp_path).stdout
    assert shown.startswith("US-TX on Sun 2027-01-10: 12:00-21:00\n")
    assert "  US-TX: Tex. Bus. & Com. Code 301.051\n" in shown
    holiday = run("rules", "show", "US-UT", "--on", "2027-07-24", folder=tmp_path).stdout
    assert holiday.startswith("US-UT on Sat 2027-07-24: no calls (Pioneer Day ")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "a.yaml").write_text(STATE)
    own = run("rules", "show", "US-AL", "--on", "2027-01-10", "--rules", "mine", "--rules-dir", "own", folder=tmp_path)
    assert own.stdout == "US-AL on Sun 2027-01-10: no calls\n  US-AL: our lawyers\n"


def test_preset(tmp_path: Path) -> None:
    """The presets are listed; one is printed as the administration API takes it, with every rule."""
    assert "us-debt-collection" in run("rules", "preset", folder=tmp_path).stdout
    printed = msgspec.json.decode(run("rules", "preset", "us-debt-collection", folder=tmp_path).stdout)
    made = new_value(KINDS["rule-set"], 1, 7, printed)
    assert made == msgspec.structs.replace(PRESETS["us-debt-collection"], contact_centre_id=1, rule_set_id=7)
    assert "no rule set named x" in run("rules", "preset", "x", folder=tmp_path).stderr


def test_refusals(tmp_path: Path) -> None:
    """A date, a name or a region that is none is a usage error."""
    assert "there is no country ZZ" in run("rules", "show", "ZZ", folder=tmp_path).stderr
    assert "US has no part XT" in run("rules", "show", "US-XT", folder=tmp_path).stderr
    assert "takes a date" in run("rules", "show", "US", "--on", "soon", folder=tmp_path).stderr
    assert "no rules named x" in run("rules", "show", "US", "--rules", "x", folder=tmp_path).stderr


def test_list(tmp_path: Path) -> None:
    """Every rule with its hours and source."""
    listed = run("rules", "list", folder=tmp_path).stdout
    assert "us-telemarketing 2026.1, checked on 2026-11-25: United States, telephone solicitation\n" in listed
    rhode_island = "Mon-Fri 09:00-18:00, Sat 10:00-17:00, Sun no calls, 13 holidays"
    assert f"  US-RI  {rhode_island}  [R.I. Gen. Laws 5-61-2, 5-61-3.6]\n" in listed
