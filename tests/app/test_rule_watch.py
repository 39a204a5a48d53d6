"""Rule files are taken over while the server runs; faults change nothing and are told once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.app.test_rule_files import STATE
from trunkline.adapters.rule_folder import RuleFolder
from trunkline.app.rule_files import RuleFiles
from trunkline.app.rule_watch import RuleWatch
from trunkline.errors import Unavailable


def watching(folder: Path) -> tuple[RuleWatch, RuleFiles, list[str]]:
    """A watch on a folder, with what it reports."""
    files, told = RuleFiles(), list[str]()
    return RuleWatch(RuleFolder(folder).changed, files, told.append), files, told


def test_files_come_change_and_go(tmp_path: Path) -> None:
    """A new file counts from the next look, a wrong edition leaves the good one, a removed one is gone."""
    watch, files, told = watching(tmp_path)
    watch.look()
    assert "mine" not in files.library
    file = tmp_path / "mine.yaml"
    file.write_text(STATE)
    watch.look()
    good = files.library["mine"]
    file.write_text("name: [")
    watch.look()
    watch.look()
    assert files.library["mine"] is good
    assert len(told) == 1
    assert told[0].startswith("mine.yaml, line 1")
    file.write_bytes(STATE.encode().replace(b"our lawyers", b"\xff"))
    watch.look()
    assert told[1] == "mine.yaml: is not UTF-8"
    assert files.library["mine"] is good
    file.unlink()
    watch.look()
    assert "mine" not in files.library


def test_an_untouched_folder_is_read_once(tmp_path: Path) -> None:
    """Nothing is read while no file changed."""
    (tmp_path / "mine.yaml").write_text(STATE)
    folder = RuleFolder(tmp_path)
    assert folder.changed() == {"mine.yaml": STATE}
    assert folder.changed() is None
    os.utime(tmp_path / "mine.yaml", (1, 1))
    assert folder.changed() is not None


def test_a_folder_that_cannot_be_read(tmp_path: Path) -> None:
    """What cannot be read changes nothing, and is told once."""
    (tmp_path / "mine.yaml").mkdir()
    with pytest.raises(Unavailable, match="cannot be read"):
        RuleFolder(tmp_path).changed()
    watch, files, told = watching(tmp_path)
    before = files.library
    watch.look()
    watch.look()
    assert files.library is before
    assert len(told) == 1
    assert RuleFolder(tmp_path / "nowhere").changed() == {}
