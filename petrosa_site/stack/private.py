"""Keep what is written at run time from the other users of the machine.

New files are private by the umask that `manage.py` and Celery set; here is what existed before.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

UMASK = 0o077
OWNER_ONLY = 0o700
BESIDE_A_DATABASE = ("", "-wal", "-shm", "-journal")


def close(folder: Path) -> list[Path]:
    """Take everybody else's rights to `folder` and all in it; return what could not be closed."""
    return [path for path in _inside(folder) if not _close(path)]


def close_database(file: Path) -> list[Path]:
    """Do the same for one SQLite file, wherever it lies, and the files SQLite keeps beside it."""
    beside = [file.with_name(file.name + ending) for ending in BESIDE_A_DATABASE]
    return [path for path in beside if not _close(path)]


def _inside(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield folder
    for root, folders, files in os.walk(folder):  # follows no links
        yield from (Path(root, name) for name in (*folders, *files))


def _close(path: Path) -> bool:
    try:
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode) and mode & UMASK:
            path.chmod(stat.S_IMODE(mode) & OWNER_ONLY)
    except FileNotFoundError:  # SQLite and rotating logs take files away meanwhile
        return True
    except OSError:
        return False
    return True
