"""Whatever happens, the engine rebuilt from the store's rows equals the one that lived it."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges.matching import (
    Engine,
    NewOco,
    NewOrder,
    NewOto,
    NewOtoco,
    OrderType,
    Side,
    TimeInForce,
    VenueRefusal,
)
from exchanges.venues.simulator.instruments import listings
from exchanges.venues.simulator.store import Store, with_markets

SYMBOL = "BTCUSDT"
ENTRY = dict(listings()[SYMBOL].entry)
START_MS = 1_700_000_000_000
LIMITS: list[list[Any]] = [["SECOND", 10, 10**9], ["DAY", 1, 10**9]]


class Life:
    """An engine with random things happening to it, each of them stored."""

    def __init__(self, path: Path, seed: int) -> None:
        self.dice = random.Random(seed)
        self.store = Store(path)
        self.engine = Engine()
        self.engine.add_symbol(ENTRY)
        self.engine.add_account("1", balances={"USDT": Decimal(50_000), "BTC": Decimal(1)})
        self.store.account(self.engine, "1")
        self.now_ms = START_MS
        self.price = 50_000
        self.move_market()

    def step(self) -> None:
        self.now_ms += self.dice.randrange(1, 5_000)
        action = self.dice.choice(
            (self.move_market, self.move_market, self.place, self.place_list, self.cancel)
        )
        try:
            action()
        except VenueRefusal:
            return

    def keep(self, outcome: Any) -> None:
        self.store.record(self.engine, getattr(outcome, "events", outcome))

    def move_market(self) -> None:
        self.price += self.dice.randrange(-300, 301)
        bids = [(Decimal(self.price - 1 - n), Decimal("0.05")) for n in range(3)]
        asks = [(Decimal(self.price + 1 + n), Decimal("0.05")) for n in range(3)]
        self.keep(self.engine.set_book(SYMBOL, bids, asks, self.now_ms))
        self.keep(self.engine.trade(SYMBOL, Decimal(self.price), Decimal("0.03"), self.now_ms))

    def place(self) -> None:
        side = self.dice.choice((Side.BUY, Side.SELL))
        kind = self.dice.choice(tuple(OrderType))
        self.keep(self.engine.place("1", self.order(kind, side, self.amount()), self.now_ms))

    def order(self, kind: OrderType, side: Side, quantity: Decimal) -> NewOrder:
        away = self.dice.randrange(5, 400)
        below = (side is Side.BUY) == (kind not in (OrderType.STOP_LOSS, OrderType.STOP_LOSS_LIMIT))
        price = Decimal(self.price - away if below else self.price + away)
        priced = kind not in (OrderType.MARKET, OrderType.STOP_LOSS, OrderType.TAKE_PROFIT)
        needs_time = priced and kind is not OrderType.LIMIT_MAKER
        triggered = kind not in (OrderType.MARKET, OrderType.LIMIT, OrderType.LIMIT_MAKER)
        trails = triggered and self.dice.random() < 0.3
        return NewOrder(
            symbol=SYMBOL,
            side=side,
            type=kind,
            quantity=quantity,
            price=price if priced else None,
            stop_price=price if triggered and not trails else None,
            trailing_delta=50 if trails else None,
            time_in_force=self.dice.choice(tuple(TimeInForce)) if needs_time else None,
        )

    def amount(self) -> Decimal:
        return Decimal(self.dice.randrange(1, 20)) / 100

    def place_list(self) -> None:
        quantity = self.amount()
        above = self.order(OrderType.LIMIT_MAKER, Side.SELL, quantity)
        below = self.order(OrderType.STOP_LOSS, Side.SELL, quantity)
        kind = self.dice.choice((OrderType.LIMIT, OrderType.LIMIT_MAKER))
        working = self.order(kind, Side.BUY, quantity + Decimal("0.01"))
        wish = self.dice.choice(
            (
                NewOco(above, below),
                NewOto(working, below),
                NewOtoco(working, above, below),
            )
        )
        self.keep(self.engine.place_list("1", wish, self.now_ms))

    def cancel(self) -> None:
        held = self.engine.open_orders("1")
        if held:
            order = self.dice.choice(held)
            self.keep(self.engine.cancel("1", SYMBOL, self.now_ms, order_id=order.order_id))

    def reborn(self) -> Engine:
        loaded = self.store.load()
        assert loaded is not None
        return Engine.restore(with_markets(loaded, [ENTRY], LIMITS))


def essence(engine: Engine) -> dict[str, Any]:
    """Return what must survive; what is counted anew or only passes by is left out."""
    whole = engine.snapshot()
    market, account = whole["markets"][0], whole["accounts"][0]
    silent = ("trailing_extreme", "trailing_ms", "queue_ahead")  # stored when the process ends
    orders = [
        {name: value for name, value in order.items() if name not in silent}
        for order in account["orders"].get(SYMBOL, [])
    ]
    return {
        "orders": orders,
        "trades": account["trades"],
        "lists": account["lists"],
        "balances": sorted(account["balances"]),
        "client_ids": sorted(account["client_ids"]),
        "buys": market["buys"],
        "sells": market["sells"],
        "watching": sorted(market["watching"]),
        "last_order_id": whole["counters"]["last_order_id"],
        "last_list_id": whole["counters"]["last_list_id"],
        "last_execution_id": whole["counters"]["last_execution_id"],
    }


@pytest.mark.parametrize("seed", range(8))
def test_it_is_the_same_venue_after_every_few_steps(tmp_path: Path, seed: int) -> None:
    life = Life(tmp_path / "life.db", seed)
    for _ in range(12):
        for _ in range(25):
            life.step()
        assert essence(life.reborn()) == essence(life.engine)
