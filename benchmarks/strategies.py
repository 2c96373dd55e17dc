"""Realtime strategies: frames per second in one process, alone and through NATS; memory over time.

The frames are those of a recording where there is one beside the repository, else a made-up course
of the same mix: three trades to one book, and a ticker a second.
"""

from __future__ import annotations

import asyncio
import math
import os
import random
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import django
import nats
import orjson

from benchmarks.figures import quantile
from exchanges.domain.venues import venue
from exchanges.market_data import bus
from exchanges.market_data.bus import Kind, enveloped
from exchanges.market_data.recorded import Recorded, frames
from signals_app.strategies import realtime

RECORDINGS = Path(__file__).resolve().parents[2] / "shared/binance/data/hftbacktest/spot"
MADE_UP = 30_000
ROUNDS = 10
PLACE = venue("simulator")
NATS_FRAMES = 100_000
START_MS = 1_723_161_240_000


def measure(database_url: str = "") -> dict[str, Any]:
    """Return what one core takes of the mix, how long one frame takes, and memory."""
    course = _course()
    _played(course[:5000])
    rates = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        _played(course)
        rates.append(len(course) / (time.perf_counter() - began))
    steps = _steps(course)
    return {
        "database": "none",
        "frames": len(course),
        "per_second_median": round(quantile(rates, 0.5)),
        "per_second_worst": round(min(rates)),
        "step_us": {
            "p50": round(quantile(steps, 0.5) * 1e6, 2),
            "p99": round(quantile(steps, 0.99) * 1e6, 2),
            "most": round(max(steps) * 1e6, 1),
        },
    }


def memory(database_url: str = "", total: int = 10_000_000) -> dict[str, Any]:
    """Return resident memory while the course goes round and round, its clock moving on."""
    course = _course()
    span = course[-1].at_ms - course[0].at_ms + 1000
    strategies = _strategies()
    taken, signals = 0, 0
    marks: dict[str, float] = {}
    for lap in range(math.ceil(total / len(course))):
        for one in course:
            strategy = strategies[one.kind]
            frame = strategy.decode(one.raw)
            frame.received_ms += lap * span
            if one.kind is Kind.DEPTH:
                frame.data.update_id += lap * 10**12
            else:
                frame.data.at_ms += lap * span
            signals += strategy.take(one.symbol, frame, frame.received_ms) is not None
        taken += len(course)
        mark = taken * 10 // total
        marks.setdefault(f"after_{mark}0_percent_mb", round(_resident_mb(), 1))
    return {"database": "none", "frames": taken, "signals": signals, **marks}


def through_nats(database_url: str = "") -> dict[str, Any]:
    """Return frames per second through a real NATS into a process's intake and strategies."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "petrosa_site.settings")
    django.setup()
    from petrosa_site.stack import servers
    from signals_app.realtime.engine import Engine
    from signals_app.realtime.intake import Intake
    from signals_app.realtime.shard import Shard
    from signals_app.services.strategy_settings import Setting

    folder = Path(tempfile.mkdtemp(prefix="petrosa-bench-"))
    server = servers.started(lambda: servers.nats_server(folder))
    symbols = sorted({one.symbol for one in _course()})
    engine = Engine(shard=Shard(1, 1), venue=PLACE)
    engine.apply(
        Setting(spec, "live", tuple(symbols), (), spec.defaults(), 1) for spec in realtime.SPECS
    )
    try:
        return asyncio.run(_through(server.url, engine, Intake))
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _through(url: str, engine: Any, intake_class: Any) -> dict[str, Any]:
    steps: list[float] = []

    def take(symbol: str, kind: str, raw: bytes) -> None:
        began = time.perf_counter()
        engine.take(symbol, kind, raw)
        steps.append(time.perf_counter() - began)

    intake = intake_class(url=url, topic="bench", venue=PLACE, take=take)
    await intake.want(engine.wanted)
    sender = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.strategies", url
    )
    while not steps:
        await asyncio.sleep(0.001)
    began = time.perf_counter()
    while len(steps) + sum(intake.dropped.values()) < NATS_FRAMES:
        await asyncio.sleep(0.01)
    took = time.perf_counter() - began
    await sender.wait()
    await intake.close()
    return {
        "database": "none",
        "frames": NATS_FRAMES,
        "per_second": round(len(steps) / took),
        "dropped": sum(intake.dropped.values()),
        "step_us": {
            "p50": round(quantile(steps, 0.5) * 1e6, 2),
            "p99": round(quantile(steps, 0.99) * 1e6, 2),
            "most": round(max(steps) * 1e6, 1),
        },
    }


async def _send(url: str) -> None:
    """Publish as fast as the server takes it, a window of frames at a time."""
    client = await nats.connect(url)
    laps = (one for _ in iter(int, 1) for one in _course())
    for count, one in enumerate(islice(laps, NATS_FRAMES), 1):
        await client.publish(bus.subject("bench", PLACE, one.symbol, one.kind), one.raw)
        if not count % 1000:
            await client.flush()
    await client.flush()
    await client.close()


def _strategies() -> dict[Kind, realtime.RealtimeStrategy]:
    made = [realtime.made(spec, spec.defaults()) for spec in realtime.SPECS]
    return {one.stream: one for one in made}


def _played(course: list[Recorded]) -> int:
    strategies, signals = _strategies(), 0
    for one in course:
        strategy = strategies[one.kind]
        frame = strategy.decode(one.raw)
        signals += strategy.take(one.symbol, frame, frame.received_ms) is not None
    return signals


def _steps(course: list[Recorded]) -> list[float]:
    strategies, steps = _strategies(), []
    for one in course:
        began = time.perf_counter()
        strategy = strategies[one.kind]
        frame = strategy.decode(one.raw)
        strategy.take(one.symbol, frame, frame.received_ms)
        steps.append(time.perf_counter() - began)
    return steps


def _course() -> list[Recorded]:
    paths = sorted(RECORDINGS.glob("btcusdt_*.gz"))
    return list(frames(paths)) if paths else list(_made_up())


def _made_up() -> Iterator[Recorded]:
    dice, price = random.Random(1), 60_000.0
    for number in range(MADE_UP):
        at_ms = START_MS + number * 25
        price *= 1 + dice.gauss(0, 1e-5)
        if number % 40 == 0:
            kind, data = Kind.TICKER, {"E": at_ms, "c": f"{price:.2f}"}
        elif number % 4 == 0:
            kind, data = Kind.DEPTH, _book(dice, price, number)
        else:
            kind = Kind.TRADE
            told = {"t": number, "T": at_ms, "m": dice.random() < 0.5}
            data = told | {"p": f"{price:.2f}", "q": f"{dice.random():.5f}"}
        raw = enveloped(f"btcusdt@{kind}", orjson.dumps(data), at_ms)
        yield Recorded("BTCUSDT", kind, raw, at_ms)


def _book(dice: random.Random, price: float, number: int) -> dict[str, Any]:
    def rows(step: float) -> list[list[str]]:
        return [[f"{price + step * k:.8f}", f"{dice.random():.8f}"] for k in range(1, 21)]

    return {"lastUpdateId": number, "bids": rows(-0.01), "asks": rows(0.01)}


def _resident_mb() -> float:
    text = Path("/proc/self/statm")
    if text.exists():
        return int(text.read_text().split()[1]) * resource.getpagesize() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    asyncio.run(_send(sys.argv[1]))
