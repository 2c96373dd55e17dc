"""A secret key that a development machine makes once and keeps."""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path


def local_secret(path: Path) -> str:
    """Return the secret stored at `path`, making it (mode 600) on first use.

    Processes that start together agree: the file appears whole or not at all.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent)  # mode 600 by itself
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(64))
        with suppress(FileExistsError):
            Path(path).hardlink_to(draft)
        Path(draft).unlink()
    return path.read_text().strip()
