"""Audit an export of the attempt log by itself: ``scripts/audit_attempts.py EXPORT RULES_FOLDER...``.

Reads what ``trunkline audit export`` wrote, and rule files, and nothing else. Exits 1 when an attempt was not allowed.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from trunkline.cli.auditor import Audit
from trunkline.cli.auditor_files import read_rule_files


def main() -> int:
    """Read and tell."""
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        books = Audit(read_rule_files(map(Path, sys.argv[2:])))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    with Path(sys.argv[1]).open(encoding="utf-8") as lines:
        for line in lines:
            books.read(line)
    for found in books.findings:
        print(f"row {found.seq}: {found.rule}: {found.text}")
    print(f"{books.attempts} attempts, {books.illegal_attempts} not allowed")
    return 1 if books.illegal_attempts else 0


if __name__ == "__main__":
    sys.exit(main())
