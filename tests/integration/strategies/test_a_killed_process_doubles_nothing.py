"""kill -9 in the middle of a recording: the same signals as without it, or fewer, never twice."""

from __future__ import annotations

import asyncio
import signal
import urllib.request
from dataclasses import replace
from itertools import pairwise

import orjson
import pytest
from django.conf import settings as django_settings

from petrosa_site.stack.ports import free_port
from signals_app.strategies import realtime
from tests import recordings
from tests.integration.strategies.desk import FOREVER, Desk, heard, symbols, until
from tests.processes import running

pytestmark = [recordings.needed, pytest.mark.django_db(transaction=True)]
COOLDOWN = 40  # seconds, so that there is something to say in eleven minutes
PARAMS: dict[str, dict[str, float]] = {
    "orderbook_skew": {"min_spread_percent": 0, "cooldown_seconds": COOLDOWN},
    "trade_momentum": {"cooldown_seconds": COOLDOWN},
    "ticker_velocity": {
        "time_window": 30,
        "buy_threshold": 0.03,
        "sell_threshold": -0.03,
        "min_price_change": 0.01,
        "cooldown_seconds": COOLDOWN,
    },
}


def uninterrupted(frames) -> set[str]:
    made = [realtime.made(s, s.resolved(PARAMS[s.strategy_id])) for s in realtime.SPECS]
    by_stream = {one.stream: one for one in made}
    said = set()
    for one in frames:
        strategy = by_stream[one.kind]
        frame = strategy.decode(one.raw)
        emission = strategy.take(one.symbol, frame, frame.received_ms)
        if emission is not None:
            said.add(emission.uid)
    return said


class Child:
    """`manage.py run_strategies`, killed and started again at will."""

    def __init__(self, desk: Desk, symbol: str, folder) -> None:
        self.port = free_port()
        self.log = folder / "strategies.log"
        port, age = ("--port", str(self.port)), ("--max-age", str(FOREVER))
        self.words = ("manage.py", "run_strategies", *port, *age)
        self.environment = {
            "NATS_CONSUMER_TOPIC": desk.topic,
            "NATS_SIGNAL_SUBJECT": django_settings.NATS_SIGNAL_SUBJECT,
            "TRADING_SYMBOLS": symbol,
        }
        by_id = {spec.strategy_id: spec for spec in realtime.SPECS}
        for strategy_id, params in PARAMS.items():
            names = {param.name: param.env for param in by_id[strategy_id].params}
            self.environment |= {names[name]: str(value) for name, value in params.items()}

    def running(self):
        return running(*self.words, log=self.log, **self.environment)

    def info(self) -> dict:
        try:
            url = f"http://127.0.0.1:{self.port}/info"
            with urllib.request.urlopen(url, timeout=1) as answer:
                return orjson.loads(answer.read())
        except OSError:
            return {"state": "away", "messages": 0}

    async def ready(self) -> None:
        await until(lambda: self.info()["state"] == "running")

    async def took(self, count: int) -> None:
        await until(lambda: self.info()["messages"] >= count)


def frames_of(symbol: str):
    return [replace(one, symbol=symbol) for one in recordings.spot_btcusdt()]


@pytest.fixture
def scene(tmp_path):
    desk, (symbol,) = Desk(), symbols(1)
    desk.name = "simulator"
    return desk, Child(desk, symbol, tmp_path), frames_of(symbol)


async def kill(process) -> None:
    process.send_signal(signal.SIGKILL)
    await asyncio.to_thread(process.wait)


async def test_after_its_windows_were_kept_it_says_the_very_same(scene):
    desk, child, frames = scene
    cut = len(frames) // 2
    with child.running() as process:
        await child.ready()
        await desk.send(frames[:cut])
        await child.took(cut)
        await asyncio.sleep(3)
        await kill(process)
    with child.running():
        await child.ready()
        await desk.send(frames[cut:])
        await child.took(len(frames) - cut)
        await asyncio.sleep(0.5)
    uids = [one["signal_uid"] for one in await heard(django_settings.NATS_SIGNAL_SUBJECT)]
    assert len(uids) == len(set(uids))
    assert set(uids) == uninterrupted(frames)


async def test_killed_among_the_frames_it_says_no_more_and_nothing_twice(scene):
    desk, child, frames = scene
    third = len(frames) // 3
    for part in (frames[:third], frames[third : 2 * third]):
        with child.running() as process:
            await child.ready()
            sending = asyncio.create_task(desk.send(part))
            await child.took(third // 3)
            await kill(process)
            await sending
    with child.running():
        await child.ready()
        await desk.send(frames[2 * third :])
        await child.took(len(frames) - 2 * third)
        await asyncio.sleep(0.5)
    said = await heard(django_settings.NATS_SIGNAL_SUBJECT)
    uids = [one["signal_uid"] for one in said]
    assert uids
    assert len(uids) == len(set(uids))
    assert len(uids) <= len(uninterrupted(frames))
    for strategy_id in PARAMS:
        for action in ("buy", "sell"):
            start = f"{strategy_id}:{frames[0].symbol}:{action}:"
            times = sorted(int(uid[len(start) :]) for uid in uids if uid.startswith(start))
            assert all(later - sooner >= COOLDOWN * 1000 for sooner, later in pairwise(times))
