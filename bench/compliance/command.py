"""The command line of ``bench/compliance_month``."""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import trunkline.rules
from bench.compliance.month import Month
from bench.machine import facts
from trunkline.cli.auditor import Audit
from trunkline.cli.auditor_files import read_rule_files

ATTEMPTS = 1_000_000

_ABOUT = """
Simulates a month of attempts in many zones and regions under four rule sets, permitted by the rules that the server
runs on, and has the auditor recompute each attempt from the attempt log and the rule files alone. Exits 1 when one was
not allowed.
"""


def main(arguments: Sequence[str]) -> int:
    """Run; the exit code is 1 when the auditor finds an attempt that was not allowed."""
    parser = argparse.ArgumentParser(prog="bench/compliance_month", description=_ABOUT)
    parser.add_argument("--attempts", type=int, default=ATTEMPTS, help="permitted in the month (%(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="another seed is another month (%(default)s)")
    parser.add_argument("--export", type=Path, help="write the attempt log to this file too")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    given = parser.parse_args(arguments)
    figures = measure(given.attempts, given.seed, given.export)
    if given.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        sys.stdout.write("".join(f"{name}: {value}\n" for name, value in figures.items()))
    return 1 if figures["illegal"] else 0


def measure(attempts: int, seed: int, export: Path | None) -> dict[str, object]:
    """Simulate and audit; the figures by name."""
    rules = Path(trunkline.rules.__file__).parent
    month, audit = Month(seed, attempts), Audit(read_rule_files([rules]))
    began, audit_s, rows = time.monotonic(), 0.0, 0
    file = export.open("wb") if export else None
    try:
        for line in month.lines():
            rows += 1
            if file is not None:
                file.write(line + b"\n")
            before = time.perf_counter()
            audit.read(line.decode())
            audit_s += time.perf_counter() - before
    finally:
        if file is not None:
            file.close()
    return {
        **facts(),
        "attempts permitted": month.permitted,
        "attempts refused by a rule": month.refused,
        "of them callbacks": month.callbacks,
        "lines of the export": rows,
        "attempts audited": audit.attempts,
        "illegal": sum(audit.illegal.values()),
        "illegal by rule": dict(audit.illegal),
        "seconds of the auditor": round(audit_s, 1),
        "seconds in all": round(time.monotonic() - began, 1),
        "memory at most (MiB)": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
