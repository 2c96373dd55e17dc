"""A stage for one measurement: private servers, a fresh database, the product's own processes."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from petrosa_site.stack import ports, servers

ROOT = Path(__file__).resolve().parents[1]


@dataclass
class Stage:
    """Where everything is. `token` is an API token of a user who may trade."""

    environment: dict[str, str]
    web_port: int
    venue_port: int
    folder: Path
    token: str = ""
    venue_pid: int = 0

    def manage(self, *args: str, **extra: str) -> str:
        """Run manage.py and return its output."""
        done = subprocess.run(
            [sys.executable, "manage.py", *args],
            env=self.environment | extra,
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"manage.py {args[0]} failed:\n{done.stderr[-3000:]}")
        return done.stdout

    def shell(self, code: str) -> str:
        """Run Python inside the product's own settings and return what it prints."""
        return self.manage("shell", "--no-imports", "-v0", "-c", code).strip()

    @contextmanager
    def process(self, *args: str, **extra: str) -> Iterator[subprocess.Popen[bytes]]:
        with (self.folder / "processes.log").open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, *args],
                env=self.environment | extra,
                cwd=ROOT,
                stdout=log,
                stderr=log,
                preexec_fn=servers.die_with_parent,
            )
        try:
            yield child
        finally:
            child.terminate()
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Read from the product's database, without the product."""
        url = self.environment["DATABASE_URL"]
        if url.startswith("sqlite:///"):
            with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=20)) as opened:
                return opened.execute(sql).fetchall()
        import psycopg

        with psycopg.connect(url.replace("postgres://", "postgresql://", 1)) as connection:
            return connection.execute(sql.encode()).fetchall()

    def venue(self, path: str) -> Any:
        """Ask the venue something that no real venue would tell."""
        connection = http.client.HTTPConnection("127.0.0.1", self.venue_port, timeout=10)
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())


@contextmanager
def stage(database_url: str = "", *, venue: str = "fixed") -> Iterator[Stage]:
    """Start servers and a venue, migrate, make a trader; everything is gone afterwards.

    `venue` is "fixed" (answers at once, a floor for latencies) or "simulator" (keeps books).
    """
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="petrosa-bench-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        redis = stack.enter_context(servers.started(lambda: servers.redis_server(folder)))
        nats = stack.enter_context(servers.started(lambda: servers.nats_server(folder)))
        venue_port, web_port = ports.free_port(), ports.free_port()
        if database_url:
            database_url = stack.enter_context(_scratch_database(database_url))
        metrics = folder / "metrics"
        metrics.mkdir()
        environment = {
            **{k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG")},
            "PYTHONPATH": str(ROOT),
            "PETROSA_VAR_DIR": str(folder),
            "PETROSA_IGNORE_DOTENV": "true",
            "DATABASE_URL": database_url or f"sqlite:///{folder / 'bench.sqlite3'}",
            "REDIS_URL": redis.url,
            "NATS_URL": nats.url,
            "SIMULATOR_PORT": str(venue_port),
            "SIMULATOR_UNLIMITED": "true",
            "SIMULATOR_FAULTS": "true",
            "PROMETHEUS_MULTIPROC_DIR": str(metrics),
            "DJANGO_SECRET_KEY": secrets.token_hex(32),
            "LOG_LEVEL": "WARNING",
            "API_HOST": "127.0.0.1",
            "API_PORT": str(web_port),
            "API_TRADE_RATE": "1000000/min",
            "MAX_POSITION_NOTIONAL": "0",
            "MAX_ORDERS_PER_SECOND": "100000",  # counted, and never reached
            "PROTECTION_GRACE_SECONDS": "36000",  # where no process protects, entries go on
            "MAX_ORDERS_PER_MINUTE": "0",
            "MAX_ORDERS_PER_DAY": "0",
            "MAX_REPEATS": "0",
            "MAX_OPEN_POSITIONS_TOTAL": "100000",
        }
        made = Stage(environment, web_port, venue_port, folder)
        command: tuple[str, ...] = ("-m", "benchmarks.fixed_venue", str(venue_port))
        if venue == "simulator":
            command = ("manage.py", "run_simulator")
        made.venue_pid = stack.enter_context(made.process(*command)).pid
        wait_for_port(venue_port)
        made.manage("migrate", "-v0")
        made.token = made.shell(
            "from django.contrib.auth.models import User\n"
            "from rest_framework.authtoken.models import Token\n"
            "u = User.objects.create_superuser('bench', '', 'bench-password')\n"
            "print(Token.objects.create(user=u).key)"
        ).splitlines()[-1]
        yield made


@contextmanager
def _scratch_database(url: str) -> Iterator[str]:
    import psycopg

    parts = urlsplit(url)
    name = f"petrosa_bench_{os.getpid()}"
    server = parts._replace(scheme="postgresql").geturl()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    try:
        yield parts._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def wait_for_port(port: int, seconds: float = 30) -> None:
    import socket

    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
