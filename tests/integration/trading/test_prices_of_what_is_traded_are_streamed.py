"""The market process: what it watches, and that it stops when it is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from exchanges import quotes
from petrosa_site import env
from trading.models import VirtualAccount
from trading.selectors import watched

pytestmark = pytest.mark.django_db


class TestWatching:
    def test_the_configured_symbols_are_watched_where_we_trade(self, settings):
        settings.TRADING_SYMBOLS = ["BTCUSDT", "ETHUSDT"]
        assert watched.symbols_by_environment() == {"simulator": {"BTCUSDT", "ETHUSDT"}}

    def test_what_is_held_is_watched_too(self, settings, send):
        settings.TRADING_SYMBOLS = ["BTCUSDT"]
        send(symbol="BNBUSDT", quantity=1)
        assert watched.symbols_by_environment()["simulator"] == {"BTCUSDT", "BNBUSDT"}

    def test_what_is_on_order_is_watched_too(self, settings, send):
        settings.TRADING_SYMBOLS = ["BTCUSDT"]
        send(symbol="ETHUSDT", order_type="limit", price=2500, quantity=0.1)
        assert watched.symbols_by_environment()["simulator"] == {"BTCUSDT", "ETHUSDT"}

    def test_where_nobody_trades_any_more_nothing_is_streamed(self, settings, send):
        send(action="sell")
        VirtualAccount.objects.update(enabled=False)
        assert list(watched.symbols_by_environment()) == [settings.VENUE_ENVIRONMENT]


@pytest.mark.django_db(transaction=True)
def test_the_process_feeds_prices_and_ends_in_good_order(simulator, tmp_path):
    environment = env.for_children(
        SIMULATOR_REST_URL=simulator.base_url,
        SIMULATOR_STREAM_URL=simulator.stream_url,
        DATABASE_URL=f"sqlite:///{tmp_path / 'market.sqlite3'}",
    )
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "-v0"], env=environment, check=True)
    process = subprocess.Popen([*manage, "stream_market_data"], env=environment)
    try:
        deadline = time.monotonic() + 30
        while None in quotes.ages("simulator", ["BTCUSDT", "ETHUSDT", "BNBUSDT"]).values():
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.1)
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
