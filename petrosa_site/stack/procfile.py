"""Read the Procfile: the one list of processes, shared by the stack, compose and the docs."""

from __future__ import annotations

import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

LINE = re.compile(r"^(?P<name>[a-z][a-z0-9_-]*):\s*(?P<command>\S.*)$")


@dataclass(frozen=True)
class Process:
    """One line: a name and the words of its command."""

    name: str
    words: tuple[str, ...]

    @property
    def management_command(self) -> str | None:
        """Return NAME of `python manage.py NAME ...`, or None for other programs."""
        is_manage = len(self.words) > 2 and self.words[1] == "manage.py"
        return self.words[2] if is_manage else None

    def runnable(self) -> tuple[str, ...]:
        """Return the command with this very Python in the place of `python` and `celery`."""
        if self.words[0] == "python":
            return (sys.executable, *self.words[1:])
        return (sys.executable, "-m", *self.words)


def read(path: Path) -> list[Process]:
    """Return the processes in file order; ValueError names a line that is none, or a repeat."""
    found: dict[str, Process] = {}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = LINE.match(line)
        if match is None:
            raise ValueError(f"{path.name}:{number}: write `name: command`, not {line!r}")
        name = match["name"]
        if name in found:
            raise ValueError(f"{path.name}:{number}: {name} is there twice")
        found[name] = Process(name, tuple(shlex.split(match["command"])))
    return list(found.values())
