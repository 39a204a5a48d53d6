"""Gate: words that say "not finished", and places that exist on one machine only, stay out of the clone.

The patterns are written so that this file does not match itself.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import sources

# Unfinished work belongs in the issue tracker, where somebody sees it.
_UNFINISHED = re.compile(
    r"\b(?:T[O]DO|F[I]XME|X[X]X|H[A]CK|for[ ]now|s[i]mplified|stub[b]ed|place[h]olders?)\b",
    re.IGNORECASE,
)
# The address of a package index, or a path of the machine at hand: true for one person only.
_LOCAL = re.compile(
    r"pypi[.]org|python[h]osted|npmjs[.](?:com|org)|regi[s]try[.]\w+[.]\w|find-[l]inks|extra-index-[u]rl"
    r"|(?<![\w.$}/-])/(?:wo[r]k|opt/pyp[i]|opt/w[h]eels|ho[m]e/\w+|ro[o]t|Us[e]rs/\w+)(?:/|\b)",
)
_TEXT = {"", ".py", ".toml", ".md", ".txt", ".in", ".lock", ".json", ".sql", ".mako", ".html", ".css", ".js", ".mjs"}
_TEXT |= {".yml", ".yaml", ".sh", ".cfg", ".ini", ".csv", ".svg"}
# Own words of these files that the patterns would take for ours: where, and what is allowed there.
ALLOWED = {
    "LICENSE": re.compile(r".*"),  # not our text
    "scripts/lock": re.compile(r"emit-find-[l]inks"),  # the option that keeps addresses out
}
_MARKUP = re.compile(r"place[h]older=")  # HTML's attribute


def offending(path: Path) -> Iterator[str]:
    """Yield a line for each place in the file that one of the patterns finds."""
    label = sources.name(path)
    allowed = ALLOWED.get(label)
    for number, text in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        clean = _MARKUP.sub("", text)
        if allowed is not None:
            clean = allowed.sub("", clean)
        for pattern in (_UNFINISHED, _LOCAL):
            if found := pattern.search(clean):
                yield f"{label}:{number}: {found.group()!r}: {text.strip()[:100]}"


def main() -> int:
    """Check every text file of the clone."""
    paths = (path for path in sources.files(".") if path.suffix in _TEXT)
    return sources.report(line for path in paths for line in offending(path))


if __name__ == "__main__":
    sys.exit(main())
