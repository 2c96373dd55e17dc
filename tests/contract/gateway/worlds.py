"""The venues the contract is tried on: each a gateway, and hands that move what lies behind it."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Protocol

from exchanges.domain.orders import AssetBalance
from exchanges.venues.base import ExchangeGateway
from exchanges.venues.binance.spot.gateway import BinanceSpotGateway
from exchanges.venues.simulator.process import SimulatorProcess
from tests.fakes.exchange import FakeExchange
from tests.places import SIMULATOR

START_PRICE = "50000"
START_FUNDS = {"USDT": "100000", "BTC": "0", "BNB": "10"}


class World(Protocol):
    gateway: ExchangeGateway

    def move(self, price: str) -> None:
        """Bring BTCUSDT to `price`."""

    def give_bitcoin(self, amount: str) -> None: ...

    def lose_reply_next(self, *, executed: bool) -> None: ...

    def refuse_next(self, retry_after: int) -> None: ...

    def hide_orders_once(self) -> None: ...


class FakeWorld:
    def __init__(self) -> None:
        self.fake = FakeExchange(prices={"BTCUSDT": START_PRICE}, balances=START_FUNDS)
        self.fake.set_quote("BTCUSDT", "49999.99", "50000.01")
        self.gateway: ExchangeGateway = self.fake

    def move(self, price: str) -> None:
        self.fake.move("BTCUSDT", price)

    def give_bitcoin(self, amount: str) -> None:
        self.fake.deposit("BTC", amount)

    def lose_reply_next(self, *, executed: bool) -> None:
        self.fake.lose_reply_next(executed=executed)

    def refuse_next(self, retry_after: int) -> None:
        self.fake.refuse_next(retry_after)

    def hide_orders_once(self) -> None:
        self.fake.hide_from_queries()


class SimulatorWorld:
    def __init__(self, process: SimulatorProcess) -> None:
        self.process = process
        process.control("faults", method="DELETE")
        process.control("wipe", {})
        process.control("price", {"symbol": "BTCUSDT", "price": START_PRICE})
        process.control("balances", {"balances": START_FUNDS})
        self.gateway: ExchangeGateway = BinanceSpotGateway(
            venue=SIMULATOR,
            rest_url=process.rest_url,
            api_key=process.api_key,
            api_secret=process.api_secret,
        )

    def move(self, price: str) -> None:
        self.process.control("price", {"symbol": "BTCUSDT", "price": price})

    def give_bitcoin(self, amount: str) -> None:
        self.process.control("balances", {"balances": {"BTC": amount}})

    def lose_reply_next(self, *, executed: bool) -> None:
        kind = "drop_reply" if executed else "drop_request"
        self.process.fault(kind, method="POST", count=1)

    def refuse_next(self, retry_after: int) -> None:
        self.process.fault("weight_limit", method="POST", count=1, retry_after=retry_after)

    def hide_orders_once(self) -> None:
        self.process.fault("hide_order", count=1)


def eventually(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until `holds`; a venue in another process takes its moment."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.02)


def balance(world: World, asset: str) -> AssetBalance:
    for row in world.gateway.account().balances:
        if row.asset == asset:
            return row
    return AssetBalance(asset, Decimal(0), Decimal(0))
