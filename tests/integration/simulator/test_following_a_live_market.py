"""The live price source follows public streams; here those of another simulator."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from exchanges.venues.simulator.process import SimulatorProcess
from petrosa_site.stack import ports
from tests.fakes.venue_client import VenueClient


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def best_bid(client: VenueClient) -> Decimal:
    return Decimal(client.ask("ticker/bookTicker", symbol="BTCUSDT").json["bidPrice"])


def test_it_trades_on_the_prices_of_the_market_it_follows(venue: SimulatorProcess) -> None:
    with SimulatorProcess(prices=f"binance:{venue.stream_url}") as follower:
        client = VenueClient(follower)
        assert wait_until(lambda: best_bid(client) > 0)
        venue.control("price", {"symbol": "BTCUSDT", "price": "51234"})
        assert wait_until(lambda: Decimal(51_200) < best_bid(client) < Decimal(51_300))
        assert Decimal(51_200) < Decimal(client.buy()["fills"][0]["price"]) < Decimal(51_300)
        assert len(client.ask("klines", symbol="BTCUSDT", interval="1m").json) >= 1


def test_it_comes_back_after_the_line_broke(tmp_path: Path) -> None:
    market = SimulatorProcess(
        prices="still", faults=True, state_file=tmp_path / "s.db", port=ports.free_port()
    )
    with market, SimulatorProcess(prices=f"binance:{market.stream_url}") as follower:
        client = VenueClient(follower)
        assert wait_until(lambda: best_bid(client) > 0)
        market.kill()
        market.start()
        market.control("price", {"symbol": "BTCUSDT", "price": "48000"})
        assert wait_until(lambda: best_bid(client) < Decimal(48_100))
