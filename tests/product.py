"""The whole product as an outsider meets it: real processes, real servers, a venue, no shortcuts.

Tests of the corridor and of its disasters talk to it by NATS, HTTP, WebSocket and the venue's own
ledger; they read its database with plain SQL, because a proof must not lean on what it proves.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import nats
from nats.js.api import PubAck
from nats.js.errors import NoStreamResponseError

from exchanges.venues.simulator.process import SimulatorProcess
from petrosa_site.stack import ports, procfile, servers

ROOT = Path(__file__).resolve().parents[1]
PROCESSES = ("userstream", "market", "web", "exits", "guard", "worker", "beat", "signals")
SPEAKERS = ("analysis", "strategies")  # our own strategies; only proofs about them start these
COMMANDS = {p.name: p.runnable() for p in procfile.read(ROOT / "Procfile")}
T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """What a request was told. `body` is the decoded JSON, or the text."""

    status: int
    body: Any
    headers: dict[str, str]


@dataclass
class Product:
    """Processes by their Procfile names on servers, a database and a venue of their own."""

    folder: Path
    redis: servers.Server
    nats: servers.Server
    venue: SimulatorProcess
    environment: dict[str, str]
    web_port: int
    token: str = ""
    password: str = ""
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    # ---- processes ------------------------------------------------------------------------

    def start(self, *names: str, **extra: str) -> None:
        """Start processes by name, each with its children in a group of its own."""
        for name in names:
            with (self.folder / f"{name}.log").open("ab") as log:
                self.running[name] = subprocess.Popen(
                    COMMANDS[name],
                    env=self.environment | extra,
                    cwd=ROOT,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    preexec_fn=servers.die_with_parent,
                )

    def stop(self, *names: str) -> None:
        """End processes as a deployment does: SIGTERM, and SIGKILL when they do not listen."""
        ending = [(n, self.running.pop(n)) for n in names if n in self.running]
        for _, process in ending:
            process.terminate()
        for _, process in ending:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                _kill_group(process)

    def kill(self, *names: str) -> None:
        """End processes as a crash does: SIGKILL to the whole group, children included."""
        for name in names:
            _kill_group(self.running.pop(name))

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def manage(self, *args: str) -> str:
        """Run manage.py in the product's environment and return what it prints."""
        done = subprocess.run(
            [sys.executable, "manage.py", *args],
            env=self.environment,
            cwd=ROOT,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def wait_until_ready(self) -> None:
        """Return when the page answers and the user stream is live; `publish` waits by itself."""
        self.eventually(lambda: self.get("/healthz").status == 200, 180)
        if "userstream" in self.running:
            self.eventually(self._stream_is_live, 180)

    def _stream_is_live(self) -> bool:
        rows = self.rows("SELECT stream_at FROM exchanges_venueaccount")
        return any(row["stream_at"] for row in rows)

    # ---- HTTP -----------------------------------------------------------------------------

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send one request as the operator; ConnectionError until the page is there."""
        sent = {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.web_port, timeout=60)
        try:
            connection.request(method, path, data, sent | (headers or {}))
            reply = connection.getresponse()
            text = reply.read().decode()
        finally:
            connection.close()
        is_json = "json" in (reply.headers["Content-Type"] or "")
        return Answer(reply.status, json.loads(text) if is_json else text, dict(reply.headers))

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, headers=headers)

    def of_strategies(self, path: str) -> Answer:
        """Ask the strategies' own process."""
        url = f"http://127.0.0.1:{self.environment['STRATEGIES_PORT']}{path}"
        with urllib.request.urlopen(url, timeout=5) as reply:
            return Answer(reply.status, json.loads(reply.read()), dict(reply.headers))

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        return self.request("POST", path, body, headers)

    def counted(self, name: str, **labels: str) -> float:
        """Sum a metric over the series of /metrics that carry `labels`."""
        total = 0.0
        for line in self.get("/metrics").body.splitlines():
            found = re.fullmatch(rf"{name}(?:{{(.*)}})? (\S+)", line)
            if found is None:
                continue
            has = dict(re.findall(r'(\w+)="([^"]*)"', found[1] or ""))
            if labels.items() <= has.items():
                total += float(found[2])
        return total

    # ---- NATS -----------------------------------------------------------------------------

    def publish(
        self, *payloads: Any, subject: str = "signals.trading", msg_ids: Iterable[str] = ()
    ) -> list[PubAck]:
        """Publish with plain nats-py, as an outside program does; waits for the stream."""
        return asyncio.run(self._publish(payloads, subject, list(msg_ids)))

    async def _publish(
        self, payloads: tuple[Any, ...], subject: str, msg_ids: list[str]
    ) -> list[PubAck]:
        client = await nats.connect(self.nats.url)
        stream = client.jetstream()
        acks = []
        try:
            for place, payload in enumerate(payloads):
                data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
                headers = {"Nats-Msg-Id": msg_ids[place]} if msg_ids else None
                acks.append(await _persistently(stream, subject, data, headers))
        finally:
            await client.close()
        return acks

    # ---- looking --------------------------------------------------------------------------

    def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """Read the product's database with plain SQL; `?` marks a value."""
        url = self.environment["DATABASE_URL"]
        if url.startswith("sqlite"):
            with sqlite3.connect(f"file:{urlsplit(url).path[1:]}?mode=ro", uri=True) as database:
                database.row_factory = sqlite3.Row
                return [dict(row) for row in database.execute(sql, values)]
        import psycopg
        from psycopg.rows import dict_row

        address = urlsplit(url)._replace(scheme="postgresql").geturl()
        with psycopg.connect(address, row_factory=dict_row) as database:
            return database.execute(sql.replace("?", "%s"), values).fetchall()

    def value(self, sql: str, *values: object) -> Any:
        """Read one value."""
        return next(iter(self.rows(sql, *values)[0].values()))

    def eventually(self, look: Callable[[], T], seconds: float = 90) -> T:
        """Look until what is seen is true, and return it; the logs tell why it never was."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                if seen := look():
                    return seen
            except (OSError, sqlite3.OperationalError, http.client.HTTPException):
                seen = None
            if time.monotonic() > deadline:
                raise AssertionError(f"not seen within {seconds} s: {seen!r}\n{self._tails()}")
            time.sleep(0.1)

    def _tails(self) -> str:
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"--- {p.name}\n{p.read_text(errors='replace')[-1500:]}" for p in logs)


async def _persistently(
    stream: Any, subject: str, data: bytes, headers: dict[str, str] | None
) -> PubAck:
    for _ in range(300):
        try:
            ack: PubAck = await stream.publish(subject, data, headers=headers)
        except NoStreamResponseError:
            await asyncio.sleep(0.1)
        else:
            return ack
    raise AssertionError(f"no stream takes {subject}")


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def product(
    folder: Path,
    *,
    faults: bool = True,
    prices: str = "still",
    venue_arguments: Iterable[str] = (),
    **settings: str,
) -> Iterator[Product]:
    """Bring up servers, venue and an empty migrated database with its first operator.

    No process of the product runs yet: `start` them. Everything is gone afterwards. `settings` are
    variables of `.env.example`.
    """
    with ExitStack() as stack:
        redis = stack.enter_context(servers.started(lambda: servers.redis_server(folder / "redis")))
        bus = stack.enter_context(servers.started(lambda: servers.nats_server(folder / "nats")))
        venue = stack.enter_context(
            SimulatorProcess(
                prices=prices,
                faults=faults,
                port=ports.free_port(),  # kept through restarts: nobody else gets it meanwhile
                state_file=folder / "simulator.db",
                arguments=tuple(venue_arguments),
            )
        )
        metrics = folder / "metrics"
        metrics.mkdir()
        web_port = ports.free_port()
        environment = {
            **{k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG")},
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "PETROSA_IGNORE_DOTENV": "true",
            "PETROSA_VAR_DIR": str(folder),
            "DATABASE_URL": stack.enter_context(fresh_database(folder)),
            "REDIS_URL": redis.url,
            "NATS_URL": bus.url,
            "SIMULATOR_REST_URL": venue.base_url,
            "SIMULATOR_WS_API_URL": venue.ws_api_url,
            "SIMULATOR_STREAM_URL": venue.stream_url,
            "PROMETHEUS_MULTIPROC_DIR": str(metrics),
            "DJANGO_SECRET_KEY": secrets.token_hex(32),
            "LOG_LEVEL": "INFO",
            "API_HOST": "127.0.0.1",
            "API_PORT": str(web_port),
            "STRATEGIES_PORT": str(ports.free_port()),
            "API_LOGIN_RATE": "1000/min",  # all of a test's people come from one address
            **settings,
        }
        made = Product(folder, redis, bus, venue, environment, web_port)
        stack.callback(lambda: made.stop(*made.running))
        made.manage("migrate", "-v0")
        said = made.manage("first_operator")
        made.password = re.search(r"^ +password +(\S+)", said, re.MULTILINE)[1]  # type: ignore[index]
        made.token = re.search(r"API token +(\S+)", said)[1]  # type: ignore[index]
        yield made


@contextmanager
def fresh_database(folder: Path) -> Iterator[str]:
    """Yield the address of a new SQLite file, or of a new database where DATABASE_URL points."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        yield f"sqlite:///{folder / 'petrosa.sqlite3'}"
        return
    import psycopg
    from psycopg import sql

    parts = urlsplit(url)
    name = sql.Identifier(f"petrosa_product_{os.getpid()}_{secrets.token_hex(4)}")
    # As Django's own test runner does: the database that the address names need not exist.
    server = parts._replace(scheme="postgresql", path="/postgres").geturl()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
    try:
        yield parts._replace(path=f"/{name.as_string(None).strip(chr(34))}").geturl()
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def now() -> str:
    """The present as senders write it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def a_signal(**changes: Any) -> dict[str, Any]:
    """A small market buy that every rule lets through; None leaves a field out."""
    body = {
        "strategy_id": "outsider",
        "symbol": "BTCUSDT",
        "action": "buy",
        "confidence": 0.85,
        "price": 50000.0,
        "quantity": 0.001,
        "timestamp": now(),
        "signal_uid": f"test-{secrets.token_hex(8)}",
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}
