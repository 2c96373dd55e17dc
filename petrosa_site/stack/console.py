"""Show what supervised processes write, line by line, each with the name of its process."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

COLOURS = ("36", "33", "32", "35", "34", "96", "93", "92")
LOOK_EVERY_SECONDS = 0.1


class Follower:
    """The end of one log file; survives rotation."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.position = path.stat().st_size if path.exists() else 0
        self.rest = ""

    def new_lines(self) -> list[str]:
        """Return complete lines written since the last look."""
        if not self.path.exists():
            return []
        size = self.path.stat().st_size
        if size < self.position:
            self.position = 0  # rotated: a new file stands in its place
        if size == self.position:
            return []
        with self.path.open(errors="replace") as file:
            file.seek(self.position)
            text = self.rest + file.read()
            self.position = file.tell()
        *lines, self.rest = text.split("\n")
        return lines


class Console:
    """A thread that prints the logs of `names` in `folder` until `close`."""

    def __init__(self, folder: Path, names: Iterable[str], out: TextIO | None = None) -> None:
        self.out = out or sys.stdout
        self.followers = {name: Follower(folder / f"{name}.log") for name in names}
        self.width = max(map(len, self.followers), default=0)
        self.colour = self.out.isatty()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="console", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Print what is left and end the thread."""
        self._stop.set()
        self._thread.join()
        self.show()

    def _follow(self) -> None:
        while not self._stop.wait(LOOK_EVERY_SECONDS):
            self.show()

    def show(self) -> None:
        for place, (name, follower) in enumerate(self.followers.items()):
            for line in follower.new_lines():
                self.out.write(f"{self._label(name, place)} {line}\n")
        self.out.flush()

    def _label(self, name: str, place: int) -> str:
        text = f"{name:<{self.width}} |"
        return f"\x1b[{COLOURS[place % len(COLOURS)]}m{text}\x1b[0m" if self.colour else text
