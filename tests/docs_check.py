"""Check the written parts: relative links lead somewhere, named make targets exist."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
TARGET = re.compile(r"\bmake ([a-z][a-z-]*)")


def documents() -> list[Path]:
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def problems() -> list[str]:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    found = []
    for document in documents():
        text, name = document.read_text(), document.relative_to(ROOT)
        found += [
            f"{name}: {link} leads nowhere"
            for link in LINK.findall(text)
            if not (document.parent / link).exists()
        ]
        code = "\n".join(re.findall(r"```.*?```|`[^`]+`", text, re.DOTALL))
        found += [
            f"{name}: there is no `make {target}`"
            for target in TARGET.findall(code)
            if target not in targets
        ]
    return found


if __name__ == "__main__":
    sys.exit("\n".join(problems()) or 0)
