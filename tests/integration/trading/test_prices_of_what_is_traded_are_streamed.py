"""The market process: what it watches, and that it stops when it is told."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import nats
import pytest
from django.conf import settings

from exchanges import quotes
from petrosa_site import env
from tests.places import SIMULATOR
from trading.models import VirtualAccount
from trading.selectors import watched_symbols

pytestmark = pytest.mark.django_db


class TestWatching:
    def test_the_configured_symbols_are_watched_where_we_trade(self, settings):
        settings.TRADING_SYMBOLS = ["BTCUSDT", "ETHUSDT"]
        assert watched_symbols.symbols_by_venue() == {SIMULATOR: {"BTCUSDT", "ETHUSDT"}}

    def test_what_is_held_is_watched_too(self, settings, send):
        settings.TRADING_SYMBOLS = ["BTCUSDT"]
        send(symbol="BNBUSDT", quantity=1)
        assert watched_symbols.symbols_by_venue()[SIMULATOR] == {"BTCUSDT", "BNBUSDT"}

    def test_what_is_on_order_is_watched_too(self, settings, send):
        settings.TRADING_SYMBOLS = ["BTCUSDT"]
        send(symbol="ETHUSDT", order_type="limit", price=2500, quantity=0.1)
        assert watched_symbols.symbols_by_venue()[SIMULATOR] == {"BTCUSDT", "ETHUSDT"}

    def test_where_nobody_trades_any_more_nothing_is_streamed(self, settings, send):
        send(action="sell")
        VirtualAccount.objects.update(enabled=False)
        assert list(watched_symbols.symbols_by_venue()) == [SIMULATOR]


@pytest.mark.django_db(transaction=True)
def test_the_process_feeds_prices_and_ends_in_good_order(simulator, tmp_path):
    file = tmp_path / "market.sqlite3"
    environment = env.for_children(
        SIMULATOR_REST_URL=simulator.base_url,
        SIMULATOR_STREAM_URL=simulator.stream_url,
        DATABASE_URL=f"sqlite:///{file}",
        CANDLE_INTERVALS="1s,1m",
        MARKET_STREAMS="bookTicker,depth20@100ms,depth@100ms,trade,ticker,kline",
    )
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "-v0"], env=environment, check=True)
    process = subprocess.Popen([*manage, "stream_market_data"], env=environment)
    try:
        heard = asyncio.run(kinds_on_the_bus("BTCUSDT", wanted=6))
        deadline = time.monotonic() + 60
        while None in quotes.ages(SIMULATOR, ["BTCUSDT", "ETHUSDT", "BNBUSDT"]).values():
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.1)
        while candles_in(file) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
    assert heard == {"best", "depth", "diff", "trade", "ticker", "kline"}


async def kinds_on_the_bus(symbol: str, *, wanted: int) -> set[str]:
    client = await nats.connect(settings.NATS_URL)
    topic = f"{settings.NATS_CONSUMER_TOPIC}.binance.spot.simulator.{symbol}.>"
    kinds: set[str] = set()
    try:
        subscribed = await client.subscribe(topic)
        async with asyncio.timeout(60):
            while len(kinds) < wanted:
                kinds.add((await subscribed.next_msg(30)).subject.rpartition(".")[2])
    finally:
        await client.close()
    return kinds


def candles_in(file: Path) -> int:
    with sqlite3.connect(file) as database:
        return int(database.execute("SELECT count(*) FROM exchanges_candle").fetchone()[0])
