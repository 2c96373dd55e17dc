"""Signals on NATS: how long until the venue has the order, and how many a second for how long.

`latency` publishes a signal and a no-op Celery task in turn, to the same worker, and compares.
`sustained` keeps a window of signals in flight against the venue of fixed answers, whose own cost
is small; `desk` does the same against the simulator, with its user stream: every process of the
desk. Both compare afterwards what was sent, what was booked and what the venue did.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import nats
import psutil
import redis
from celery import Celery
from nats.js.client import JetStreamContext

from benchmarks import hop
from benchmarks.figures import summary
from benchmarks.stage import Stage, stage
from trading.domain import client_ids

ROUNDS = 300
WARM_UP = 40
PAUSE_SECONDS = 0.05
WINDOW = 150
SECONDS = 60.0
SUBJECT = "signals.trading"
SYMBOLS = ("BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT")
WORKER = ("--pool", "prefork", "--concurrency", "2", "--loglevel", "WARNING", "-O", "fair")

EXITS = ("-Q", "exits", "-n", "exits@%h", "--pool", "threads", "--concurrency", "8")


def latency(database_url: str = "", rounds: int = ROUNDS) -> dict[str, Any]:
    """Return publish-to-venue and publish-to-task-start, in one run on one worker."""
    with stage(database_url) as where, ExitStack() as processes:
        processes.enter_context(
            where.process("-m", "celery", "-A", "benchmarks.hop", "worker", *WORKER)
        )
        processes.enter_context(where.process("manage.py", "listen_signals"))
        sent = asyncio.run(_in_turn(where, rounds + WARM_UP))
        time.sleep(3)
        arrivals = where.venue("/bench/arrivals")["arrivals"]
        hops = _hops(where)
    uids = list(sent)[WARM_UP:]
    missing = [uid for uid in uids if client_ids.entry_id(uid) not in arrivals]
    if missing or len(hops) < rounds:
        raise RuntimeError(f"{len(missing)} signals and {rounds - len(hops)} hops did not arrive")
    figures = summary([arrivals[client_ids.entry_id(uid)] - sent[uid] for uid in uids])
    hop_figures = summary(hops[-rounds:])
    return {
        "database": "postgresql" if database_url else "sqlite",
        "celery_hop": hop_figures,
        "publish_to_venue": figures,
        "ratio_p50": round(figures["p50_ms"] / hop_figures["p50_ms"], 2),
        "ratio_p99": round(figures["p99_ms"] / hop_figures["p99_ms"], 2),
    }


async def _in_turn(where: Stage, rounds: int) -> dict[str, float]:
    """Publish a signal, then a no-op task, then a signal; return when each signal left."""
    app = Celery(broker=where.environment["REDIS_URL"])
    await asyncio.sleep(4)  # the worker's processes come up
    connection, stream = await _bus(where)
    sent: dict[str, float] = {}
    for _ in range(rounds):
        uid = uuid.uuid4().hex
        body = payload(uid, "BTCUSDT")
        sent[uid] = time.time()
        await stream.publish(SUBJECT, body)
        await asyncio.sleep(PAUSE_SECONDS)
        app.send_task(hop.NAME, (time.time(),))
        await asyncio.sleep(PAUSE_SECONDS)
    await connection.close()
    return sent


async def _bus(where: Stage) -> tuple[Any, JetStreamContext]:
    connection = await nats.connect(where.environment["NATS_URL"])
    stream = connection.jetstream()
    deadline = time.monotonic() + 30
    while True:  # the listener makes the stream
        try:
            await stream.find_stream_name_by_subject(SUBJECT)
            return connection, stream
        except Exception:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)


def payload(uid: str, symbol: str) -> bytes:
    signal = {
        "signal_uid": uid,
        "strategy_id": "bench",
        "symbol": symbol,
        "action": "buy",
        "confidence": 0.8,
        "quote_quantity": 12,
        "timestamp": datetime.now(UTC).isoformat(),
    }
    return json.dumps(signal).encode()


def _hops(where: Stage) -> list[float]:
    with redis.Redis.from_url(where.environment["REDIS_URL"]) as client:
        return [float(value) for value in client.lrange(hop.KEY, 0, -1)]


def sustained(database_url: str = "", seconds: float = SECONDS) -> dict[str, Any]:
    """Return signals a second over `seconds` of a full window, and who used the processors."""
    return _flow(database_url, seconds, "fixed", _venue_arrivals)


def desk(database_url: str = "", seconds: float = SECONDS) -> dict[str, Any]:
    """Return the same with the simulator, which keeps books, and its user stream on the machine."""
    return _flow(database_url, seconds, "simulator", _venue_ledger, "run_userstream")


def _flow(
    database_url: str,
    seconds: float,
    venue: str,
    at_venue: Callable[[Stage], list[str]],
    *commands: str,
) -> dict[str, Any]:
    with stage(database_url, venue=venue) as where, ExitStack() as processes:
        started = {
            "listener": where.process("manage.py", "listen_signals"),
            "worker": where.process("-m", "celery", "-A", "petrosa_site", "worker", *WORKER),
            "exits": where.process("-m", "celery", "-A", "petrosa_site", "worker", *EXITS),
            "guard": where.process("manage.py", "run_guard"),
            "beat": where.process("-m", "celery", "-A", "petrosa_site", "beat"),
            **{command: where.process("manage.py", command) for command in commands},
        }
        running = {name: processes.enter_context(p).pid for name, p in started.items()}
        running["venue"] = where.venue_pid
        usage = _Usage(running, database_url)
        sent, took, pace = asyncio.run(_keep_full(where, seconds, usage))
        shares = usage.shares(took)
        time.sleep(8)  # what is on its way comes to rest
        outcome = _compare(where, at_venue(where))
    return {
        "database": "postgresql" if database_url else "sqlite",
        "seconds": round(took, 1),
        "signals": sent,
        "signals_per_second": round(sent / took, 1),
        "slowest_5_seconds": round(min(pace), 1),
        **outcome,
        "processor_share": shares,
    }


def _venue_arrivals(where: Stage) -> list[str]:
    """Return the client order id of every entry the venue took, as often as it came."""
    told = where.venue("/bench/arrivals")
    return [*told["arrivals"], *["twice"] * told["doubles"]]


def _venue_ledger(where: Stage) -> list[str]:
    return [order["placedAs"] for order in where.venue("/control/ledger")["orders"]]


async def _keep_full(where: Stage, seconds: float, usage: _Usage) -> tuple[int, float, list[float]]:
    """Keep WINDOW signals in flight; return how many were acted on, in how long, and the pace."""
    connection, stream = await _bus(where)
    await asyncio.sleep(4)
    sent = 0
    for _ in range(WARM_UP):
        await stream.publish(SUBJECT, payload(uuid.uuid4().hex, SYMBOLS[sent % len(SYMBOLS)]))
        sent += 1
    await _until(where, sent)
    usage.start()
    began, before = time.monotonic(), sent
    marks = [(began, sent)]
    done = sent
    while time.monotonic() - began < seconds:
        while sent - done < WINDOW:
            await stream.publish(SUBJECT, payload(uuid.uuid4().hex, SYMBOLS[sent % len(SYMBOLS)]))
            sent += 1
        await asyncio.sleep(0.2)
        done = acted_on(where)
        if time.monotonic() - marks[-1][0] >= 5:
            marks.append((time.monotonic(), done))
    await _until(where, sent)
    took = time.monotonic() - began
    usage.stop()
    await connection.close()
    pace = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in itertools.pairwise(marks)]
    return sent - before, took, pace


async def _until(where: Stage, count: int, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while (done := acted_on(where)) < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{count - done} of {count} signals were not acted on")
        await asyncio.sleep(0.1)


def acted_on(where: Stage) -> int:
    [(count,)] = where.rows("SELECT count(*) FROM signals_app_signal WHERE status <> 'received'")
    return int(count)


def _compare(where: Stage, at_venue: list[str]) -> dict[str, Any]:
    """Count what must not be: lost, doubled, unknown, different at the venue."""
    entries = where.rows(
        "SELECT client_order_id, status, signal_uid FROM trading_order WHERE role = 'entry'"
    )
    filled = {name for name, status, _ in entries if status == "FILLED"}
    [(signals,)] = where.rows("SELECT count(*) FROM signals_app_signal")
    [(denied,)] = where.rows("SELECT count(*) FROM signals_app_signal WHERE status = 'denied'")
    return {
        "denied": denied,
        "without_entry": signals - denied - len({uid for _, _, uid in entries}),
        "doubled": len(entries) - len({uid for _, _, uid in entries}),
        "ids_used_twice_at_venue": len(at_venue) - len(set(at_venue)),
        "entries_not_filled": len(entries) - len(filled),
        "filled_here_not_there": len(filled - set(at_venue)),
    }


class _Usage:
    """Processor seconds of each process and its children between start and stop."""

    def __init__(self, running: dict[str, int], database_url: str) -> None:
        self.running = running
        self.has_postgres = bool(database_url)

    def start(self) -> None:
        self._before = self._read()

    def stop(self) -> None:
        self._after = self._read()

    def shares(self, seconds: float) -> dict[str, float]:
        """Return the share of one core that each used."""
        return {
            name: round((self._after[name] - self._before.get(name, 0.0)) / seconds, 2)
            for name in sorted(self._after)
        }

    def _read(self) -> dict[str, float]:
        used = {name: _with_children(psutil.Process(pid)) for name, pid in self.running.items()}
        used["this benchmark"] = _own(psutil.Process())
        others = {"redis-server": "redis", "valkey-server": "redis", "nats-server": "nats"}
        for process in psutil.process_iter(["name"]):
            name = "postgres" if process.info["name"] == "postgres" else ""
            if process.ppid() == psutil.Process().pid:
                name = name or others.get(process.info["name"], "")
            if name and (name != "postgres" or self.has_postgres):
                used[name] = used.get(name, 0.0) + _own(process)
        return used


def _own(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _with_children(process: psutil.Process) -> float:
    return _own(process) + sum(_own(child) for child in process.children(recursive=True))
