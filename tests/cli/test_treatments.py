"""``trunkline treatments`` as people type it."""

from __future__ import annotations

from pathlib import Path

from tests.cli.test_commands import run

PLAN = """\
name: Evening
rules:
  Busy:
    - {action: Cycle, attempts: 3, interval_min: 30, increment_min: 5}
    - {action: NextInChain}
"""


def test_a_good_plan_is_accepted_and_shown(tmp_path: Path) -> None:
    """Check says what it found, show prints a table, from a file and from standard input."""
    (tmp_path / "plan.yaml").write_text(PLAN)
    assert (
        run("treatments", "check", "plan.yaml", folder=tmp_path).stdout
        == "Evening: 1 sequences, 2 steps, no fault found\n"
    )
    for arguments, stdin in ((("plan.yaml",), ""), (("-",), PLAN)):
        shown = run("treatments", "show", *arguments, folder=tmp_path, stdin=stdin).stdout
        assert "Evening" in shown
        assert "30 min, +5, at most 3, then next number" in shown


def test_every_fault_is_printed_with_its_place(tmp_path: Path) -> None:
    """A faulty file exits 1 and names each place; what cannot be read names line and column."""
    (tmp_path / "plan.yaml").write_text(PLAN.replace("30", "-30").replace("NextInChain", "Next"))
    checked = run("treatments", "check", "plan.yaml", folder=tmp_path)
    assert checked.returncode == 1
    assert "rules.Busy[1].action: must be one of" in checked.stderr
    (tmp_path / "plan.yaml").write_text(PLAN.replace("30", "-30"))
    assert (
        "rules.Busy[0].interval_min: must lie between"
        in run("treatments", "check", "plan.yaml", folder=tmp_path).stderr
    )
    (tmp_path / "plan.yaml").write_text(PLAN + "rules: {}\n")
    assert (
        "line 6, column 1: the key rules is there twice"
        in run("treatments", "check", "plan.yaml", folder=tmp_path).stderr
    )


def test_the_example_is_a_plan(tmp_path: Path) -> None:
    """What ``example`` prints is accepted as it is."""
    example = run("treatments", "example", folder=tmp_path).stdout
    assert run("treatments", "check", "-", folder=tmp_path, stdin=example).returncode == 0


def test_a_name_that_does_not_exist(tmp_path: Path) -> None:
    """Neither a file nor a plan of the database: a sentence, no trace."""
    run("migrate", folder=tmp_path)
    shown = run("treatments", "show", "Nothing", folder=tmp_path)
    assert shown.returncode == 1
    assert "there is neither a file nor a treatment plan named Nothing" in shown.stderr
