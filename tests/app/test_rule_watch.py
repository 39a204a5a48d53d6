"""Rule files are taken over while the server runs; faults change nothing and are told once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.app.test_rule_files import STATE
from trunkline.adapters.rule_folder import RuleFolder
from trunkline.app import rule_watch
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


def test_what_is_wrong_at_the_start_is_told_with_what_follows(tmp_path: Path) -> None:
    """The fault, and that nobody is called by the rules meanwhile; later faults change nothing and are told alone."""
    file = tmp_path / "basic.yaml"
    file.write_text("name: [")
    watch, files, told = watching(tmp_path)
    watch.look()
    assert len(told) == 2
    assert told[0].startswith("basic.yaml, line 1: ")
    assert told[1].startswith("nobody is called by the rules")
    assert files.library["basic"].regions[0].week == ((),) * 7
    file.write_text(STATE.replace("name: mine", "name: basic"))
    watch.look()
    file.write_text("name: [ [")
    watch.look()
    assert len(told) == 3
    assert files.library["basic"].title == "Mine"


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


def test_the_watch_survives_whatever_a_file_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect in reading one edition is told, and the next edition is taken over all the same."""
    monkeypatch.setattr(rule_watch, "PERIOD_S", 0.0)

    async def check() -> None:
        taken = asyncio.Event()
        looks = iter(range(100))

        class Reader(RuleFiles):
            def replace(self, texts: Mapping[str, str]) -> list[str]:
                if texts["mine.yaml"] == "worse":
                    raise TypeError("unhashable")
                faults = super().replace(texts)
                taken.set()
                return faults

        def changed() -> Mapping[str, str]:
            return {"mine.yaml": STATE if next(looks) else "worse"}

        files, told = Reader(), list[str]()
        watch = RuleWatch(changed, files, told.append)
        watch.start()
        await asyncio.wait_for(taken.wait(), 10)
        await watch.stop()
        assert told == ["the rule files were not taken over: TypeError: unhashable"]
        assert "mine" in files.library

    asyncio.run(check())
