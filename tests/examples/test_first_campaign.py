"""The tutorial of a first campaign runs as it stands on its page, command by command."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.server import RunningServer

PAGE = ROOT / "docs" / "tutorial" / "first-campaign.md"
SERVE = "trunkline serve\n"


class Reader:
    """Somebody who follows the page in a shell of one folder; variables stay from one block to the next."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
        self.server: RunningServer | None = None
        self._environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    def type(self, block: str) -> str:
        """Run one block; what it printed."""
        text = block if self.server is None else block.replace("8080", str(self.server.port))
        # What is set in one block is there in the next: everything is exported, and the exports are kept.
        script = f"touch state; . ./state; set -aeu\n{text}\nexport -p > state"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self._environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=100,
        )
        # Status 1 of an explanation means that the record is not to be called now.
        expected = (0, 1) if block.startswith("trunkline explain") else (0,)
        assert done.returncode in expected, (block, done.stdout, done.stderr)
        return done.stdout

    def serve(self) -> None:
        """What the second terminal does."""
        self.server = RunningServer(folder=self.folder / "first-campaign")


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """A reader with an empty folder."""
    made = Reader(tmp_path)
    yield made
    if made.server is not None:
        made.server.close()


@pytest.mark.timeout(600)  # a dozen commands, each a program of its own
def test_the_page_is_followed(reader: Reader) -> None:
    """Every block succeeds, and what the page says about it is so."""
    said: dict[str, str] = {}
    for block in reader.blocks:
        if block == SERVE:
            reader.serve()
            continue
        said[block] = reader.type(block)

    def of(word: str) -> str:
        return next(output for block, output in said.items() if word in block)

    applied = of("apply campaign.yaml")
    assert "would be 8 made, 0 changed, 0 unchanged" in applied
    assert applied.endswith("\n8 made, 0 changed, 0 unchanged\n")
    assert "treatment: Patient" in of("get calling-lists")
    desk = json.loads(of("GetPreviewRecord").splitlines()[-1].replace('{"statusCode":0}{"statusCode":0}', ""))
    assert desk["records"][0]["otherFields"]["first_name"] == "Ada"
    assert of("CompleteRecord") == '{"statusCode":0}'
    held, free = (of(number) for number in ("number '+1 646 555 0100'", "number '+1 646 555 0102'"))
    assert re.search(r"!! +due time ", held), held
    assert "may not be called" in held
    # It is in the group's buffer by now, from which the next agent gets it.
    assert "may be called" in free, free
    assert "!!" not in free, free
    versions = json.loads(of("/versions"))["versions"]
    assert [one["changedBy"] for one in versions] == ["boss"]
