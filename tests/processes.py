"""Real child processes of the product, on the test's own database and servers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parents[1]


def database_url() -> str:
    """Return a DATABASE_URL that names the database this test uses."""
    config = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{config['NAME']}"
    user, password = quote(config["USER"]), quote(config["PASSWORD"] or "")
    host = config["HOST"] or "127.0.0.1"
    return f"postgres://{user}:{password}@{host}:{config['PORT'] or 5432}/{config['NAME']}"


def environment(**extra: str) -> dict[str, str]:
    """Return the variables with which a child process shares this test's parts.

    The simulator's address follows settings, which the `simulator` fixture may have changed.
    """
    shared = {
        "DATABASE_URL": database_url(),
        "SIMULATOR_REST_URL": settings.SIMULATOR_REST_URL,
        "SIMULATOR_WS_API_URL": settings.SIMULATOR_WS_API_URL,
        "SIMULATOR_STREAM_URL": settings.SIMULATOR_STREAM_URL,
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }
    return {**os.environ, **shared, **extra}


@contextmanager
def running(*args: str, log: Path, **extra: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python ARGS...` until the block ends (SIGTERM, then SIGKILL after 15 s).

    Needs `transactional_db`: a child sees committed rows only. Output goes to `log`.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, *args],
            env=environment(**extra),
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def manage(*args: str, log: Path, **extra: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `manage.py ARGS...`; see `running`."""
    with running("manage.py", *args, log=log, **extra) as process:
        yield process


@contextmanager
def worker(log: Path, **extra: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Celery worker of one process; see `running`."""
    command = "-m celery -A petrosa_site worker --pool solo --loglevel WARNING"
    with running(*command.split(), log=log, **extra) as process:
        yield process
