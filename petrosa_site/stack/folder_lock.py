"""One stack to a folder: two on the same data would fight, and their books differ for ever."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management import CommandError


def lock_path(folder: Path) -> Path:
    return folder / "stack.lock"


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; CommandError names the processes that hold it already.

    Whoever starts asks for the lock alone, then shares it with the children (see `child`). So it
    is taken as long as any of them lives, even when we are killed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with lock_path(folder).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            lock.truncate(0)
            lock.write(f"{os.getpid()} run_stack\n")
            lock.flush()
            # Another starter may slip in here: then it has the lock alone, and we are refused.
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise CommandError(
                f"A stack is running on {folder} already: {holders(lock.read())}. "
                "Stop it first, or set PETROSA_VAR_DIR to another folder."
            ) from None
        yield


def holders(text: str) -> str:
    """Return who of the lines `PID NAME` in `text` still lives, for people to read."""
    lines = [line.split(maxsplit=1) for line in text.splitlines()]
    living = [f"{line[1]} (process {line[0]})" for line in lines if len(line) == 2 and lives(line)]
    return ", ".join(living) or "process unknown"


def lives(line: list[str]) -> bool:
    try:
        os.kill(int(line[0]), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True  # somebody else's
    return True
