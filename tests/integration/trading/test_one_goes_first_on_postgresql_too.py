"""What is serial on SQLite because one writes at a time must be so by locks on PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from tests import postgres

HERE = Path(__file__).parent
FILES = ("test_the_last_slot_goes_to_one.py", "test_locks_on_postgresql.py")


@pytest.mark.skipif(not settings.USES_SQLITE, reason="the whole suite runs on PostgreSQL already")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", FILES)
def test_it_passes_on_postgresql_too(name):
    try:
        with postgres.server() as url:
            mine = urlsplit(url)._replace(path=f"/petrosa_locks_{os.getpid()}").geturl()
            done = subprocess.run(
                [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / name)],
                env=os.environ | {"DATABASE_URL": mine},
                capture_output=True,
                text=True,
                check=False,
            )
    except postgres.NoServer as reason:
        pytest.skip(f"no PostgreSQL server can be had here ({reason})")
    assert done.returncode == 0, done.stdout
