"""A treatment plan from its document to the next call, on a running server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.http.desks import LIST, Demo, accept, demo_server
from tests.http.stored import chain
from trunkline.domain.enums import CallResult, RecordStatus, RecordType

TRUNKLINE = Path(sys.executable).with_name("trunkline")
PLAN = """\
name: Evening
rules:
  Busy: {action: Cycle, attempts: 2, interval_min: 30}
"""


def command(demo: Demo, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``trunkline treatments``, asked by the administrator."""
    login = ["--url", demo.url, "--user", "admin1", "--password", "demo"]
    return subprocess.run(
        [TRUNKLINE, "treatments", *arguments, *login],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_from_the_document_to_the_next_call(tmp_path: Path) -> None:
    """Put creates the plan and replaces it, the list names it, and Complete with Busy schedules the retry."""
    with demo_server(agents=5) as demo:
        (tmp_path / "plan.yaml").write_text(PLAN)
        assert command(demo, tmp_path, "put", "plan.yaml").stdout == "created treatment 1 Evening, version 1\n"
        (tmp_path / "plan.yaml").write_text(PLAN.replace("30", "45"))
        replaced = command(demo, tmp_path, "put", "plan.yaml", "--reason", "fewer calls")
        assert replaced.stdout == "replaced treatment 1 Evening, version 2\n"
        again = command(demo, tmp_path, "put", "plan.yaml", "--reason", "just to be sure")
        assert again.stdout == "unchanged: treatment 1 Evening, version 2\n"
        kept = ("--data-dir", str(demo.server.folder))
        shown = subprocess.run(
            [TRUNKLINE, "treatments", "show", "Evening", *kept], capture_output=True, text=True, check=True, timeout=60
        )
        assert "45 min, at most 2" in shown.stdout
        (tmp_path / "plan.yaml").write_text(PLAN.replace("30", "-1"))
        refused = command(demo, tmp_path, "put", "plan.yaml")
        assert (refused.returncode, "rules.Busy[0].interval_min" in refused.stderr) == (1, True)
        boss = demo.desktop("admin1")
        (found,) = boss.client.get(f"/api/v2/admin/calling-lists?name={LIST}").body["callingLists"]
        changed = boss.client.request(
            "PATCH",
            f"/api/v2/admin/calling-lists/{found['id']}",
            b'{"treatmentId": 1, "version": %d}' % found["version"],
        )
        assert changed.http_status == 200, changed
        desk = demo.desk()
        record = desk.record()
        accept(desk.on_record("CompleteRecord", callingList=LIST, callResult="Busy"))
        (stored, *_) = chain(demo, record["chainId"])
        assert (stored.status, stored.record_type) == (RecordStatus.READY, RecordType.CAMPAIGN_RESCHEDULED)
        assert (stored.call_result, stored.treatments) == (CallResult.BUSY, "601@1@0@1")
        assert (stored.due_at_s or 0) - (stored.called_at_s or 0) == 45 * 60
