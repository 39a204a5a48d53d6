"""The table operation x store x result: what this run found is what the manual says."""

from __future__ import annotations

import pytest

from tests.http import findings


def test_the_manual_says_what_was_found(request: pytest.FixtureRequest) -> None:
    """The committed page equals the table of this run; a run of some operations compares their lines.

    ``--write-docs`` remakes the page from a complete run.
    """
    if request.config.getoption("--write-docs"):
        assert findings.is_complete(), "the page is made from a complete run"
        findings.PAGE.write_text(findings.page(), encoding="utf-8")
    committed = findings.PAGE.read_text(encoding="utf-8")
    if findings.is_complete():
        assert committed == findings.page()
    lines = committed.splitlines()
    assert [line for line in findings.lines() if line not in lines] == []
