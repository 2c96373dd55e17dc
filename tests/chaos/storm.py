"""What a storm is made of: twenty accounts with money and limits of their own, and signals."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import nats

from tests.chaos import load
from tests.product import Product, a_signal

ACCOUNTS = tuple(f"va-{number:02}" for number in range(20))
FALLING = (
    "ETHUSDT",
    "SOLUSDT",
    "XRPUSDT",
    "ADAUSDT",
    "LINKUSDT",
    "DOGEUSDT",
    "TRXUSDT",
    "UNIUSDT",
    "ATOMUSDT",
)
CALM = ("LTCUSDT", "DOTUSDT", "AVAXUSDT", "NEARUSDT")
SHELTERED = ACCOUNTS[15:]  # they trade what does not fall
FLATTENING = ACCOUNTS[0:15:3]
PRICES = {
    "ETHUSDT": (2990.0, 0.01),
    "SOLUSDT": (150.0, 0.2),
    "XRPUSDT": (0.6, 50.0),
    "ADAUSDT": (0.45, 66.0),
    "LINKUSDT": (14.0, 2.1),
    "DOGEUSDT": (0.15, 200.0),
    "TRXUSDT": (0.25, 120.0),
    "UNIUSDT": (7.5, 4.0),
    "ATOMUSDT": (4.8, 6.2),
    "NEARUSDT": (2.7, 11.0),
    "LTCUSDT": (85.0, 0.35),
    "DOTUSDT": (4.5, 6.6),
    "AVAXUSDT": (22.0, 1.3),
}  # price, and an amount worth about thirty
FALL = 0.15
LIMITS: dict[str, object] = {
    "max_open_positions": 4,
    "max_position_notional": 240,
    "max_entries_per_position": 0,
    "max_orders_per_second": 8,
    "max_orders_per_minute": 60,
    "max_orders_per_day": 0,
    "max_repeats": 0,
    "max_open_positions_total": 44,
    "max_symbol_exposure": 400,
    "max_gross_exposure": 3200,
    "max_price_deviation_bps": 0,
    "max_quote_age_ms": 4000,
    "max_venue_latency_ms": 0,
    "max_slippage_bps": 50,
    "one_symbol_per_account": False,
    "cooldown_after_losses": 0,
    "stop_loss_pct": 40,
    "daily_loss_warn_pct": 1,
    "daily_loss_reduce_pct": 2.5,
    "weekly_loss_reduce_pct": 0,
    "drawdown_reduce_pct": 0,
}
OF_SOME: dict[tuple[str, ...], dict[str, object]] = {
    FLATTENING: {"daily_loss_reduce_pct": 1.5, "daily_loss_flatten_pct": 2},
    ACCOUNTS[0:20:5]: {"max_orders_per_second": 1, "max_orders_per_minute": 20},
    ACCOUNTS[1:20:5]: {"max_repeats": 3, "repeat_window_seconds": 20},
    ACCOUNTS[2:20:5]: {"max_entries_per_position": 3, "max_open_positions": 2},
    ACCOUNTS[3:20:10]: {"one_symbol_per_account": True},
    ACCOUNTS[4:20:5]: {"max_position_notional": 100},
}
POOR = ACCOUNTS[8:20:5]
SETTINGS = {
    "SIGNAL_MAX_AGE_SECONDS": "1800",
    "MAX_POSITION_NOTIONAL": "240",
    "LOG_LEVEL": "WARNING",
    "API_RATE": "100000/min",
    "API_TRADE_RATE": "100000/min",
    # A machine that is overrun looks at its prices late: that is not what is tried here.
    "QUOTE_MAX_AGE_SECONDS": "4",
    "MAX_LATENCY_MS": "4000",
    "TRIP_VENUE_ERROR_PCT": "0",
    "TRIP_MARKET_STALE_SECONDS": "0",
    "TRIP_CLOCK_SKEW_MS": "0",
    "TRIP_UNKNOWN_ORDER_SECONDS": "0",
    "TRIP_NATS_BACKLOG": "0",
    "TRIP_SLIPPED_ENTRIES": "0",
}


def settings() -> dict[str, str]:
    """Return the product's settings, with a desk whose day does not end while it storms."""
    far_from_midnight = "Etc/GMT+12" if datetime.now(UTC).hour >= 12 else "UTC"
    return SETTINGS | {"DESK_TIMEZONE": far_from_midnight}


def capital_of(account: str) -> int:
    return 120 if account in POOR else 600


def prepare(product: Product) -> None:
    """Make and fund the accounts, map a strategy to each, and set the limits, as operators do."""
    wishes = [("global", "", LIMITS)]
    wishes += [("account", name, own) for names, own in OF_SOME.items() for name in names]
    capital = {name: capital_of(name) for name in ACCOUNTS}
    code = PREPARING.format(wishes=repr(json.dumps(wishes)), capital=capital)
    product.manage("shell", "--no-imports", "-v0", "-c", code)


PREPARING = """
import json
from exchanges.models import VenueAccount
from trading.models import VirtualAccount
from trading.services.money import account_settings, accounts, balances, ledger
from trading.services.risk import limits
accounts.ensure_first()
at = VenueAccount.objects.get(environment="simulator")
balances.refresh(at)
for name, capital in {capital}.items():
    row = account_settings.create(VirtualAccount(name=name, venue_account=at), actor="storm")
    ledger.move(row.pk, __import__("decimal").Decimal(capital), actor="storm", reason="storm")
    accounts.map_strategy("of-" + name, row, actor="storm")
for scope, key, values in json.loads({wishes}):
    for name, value in values.items():
        limits.set_limit(limits.Wish(scope, key, name, str(value), "storm"), actor="storm")
"""


def strategy_of(account: str) -> str:
    return f"of-{account}"


def symbols_of(account: str) -> tuple[str, ...]:
    return CALM if account in SHELTERED else FALLING


def signals(count: int, seed: int = 7) -> Iterator[dict[str, Any]]:
    """Make `count` signals: entries mostly, at market and at a limit, some lists; some exits."""
    dice = random.Random(seed)
    for number in range(count):
        account = dice.choice(ACCOUNTS)
        symbol = dice.choice(symbols_of(account))
        price, amount = PRICES[symbol]
        wish: dict[str, Any] = {"quantity": amount}
        fate = dice.random()
        if fate < 0.07:
            wish = {"action": "close", "quantity": None}
        elif fate < 0.11:
            wish["action"] = "sell"
        elif fate < 0.30:
            wish |= {"order_type": "limit", "time_in_force": "GTC"}
            wish["price"] = on_grid(price * 1.002)
            if fate > 0.25:
                levels = {"stop_loss": on_grid(price * 0.6), "take_profit": on_grid(price * 1.4)}
                wish |= levels
        yield a_signal(
            strategy_id=strategy_of(account),
            symbol=symbol,
            signal_uid=f"storm-{number:05}",
            **{"price": price} | wish,
        )


def on_grid(price: float) -> float:
    return round(price, 2 if price > 10 else 3 if price > 2 else 4)


class Gusts(load.Sender):
    """An outside program that keeps its pace by the clock, whatever the bus answers when.

    Every fiftieth signal is published again under another Nats-Msg-Id.
    """

    GUST = 0.05

    async def _send_all(self) -> None:
        client = await nats.connect(self.url)
        stream = client.jetstream()
        size = max(1, round(self.GUST / self.pause))
        started = time.monotonic()
        for first in range(0, len(self.payloads), size):
            await asyncio.sleep(max(0.0, started + first * self.pause - time.monotonic()))
            gust = self.payloads[first : first + size]
            again = [p for place, p in enumerate(gust, first) if place % 50 == 0]
            await asyncio.gather(
                *(self._publish(stream, p, f"id-{p['signal_uid']}") for p in gust),
                *(self._publish(stream, p, f"id-{p['signal_uid']}-again") for p in again),
            )
            self.sent += len(gust)
            self.repeated += len(again)
        self.seconds = time.monotonic() - started
        await client.close()
