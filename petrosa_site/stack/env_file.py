"""Tell commands beside a running stack what it runs with: its servers' addresses, its switches."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from petrosa_site import env


@contextmanager
def told(folder: Path, variables: Mapping[str, str]) -> Iterator[None]:
    """Keep the file that `env` reads (mode 600, no secrets) until the block ends.

    It appears whole or not at all; one that a killed stack left is taken the place of.
    """
    path = env.stack_file(folder)
    handle, draft = tempfile.mkstemp(dir=folder)  # mode 600 by itself
    with os.fdopen(handle, "w") as file:
        file.write(env.for_commands_beside(**variables))
    Path(draft).replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
