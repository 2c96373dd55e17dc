"""Instruments and their filters: what the venue allows, and rounding to it.

Rules: FACTS of Binance spot filters; a zero in a filter disables that part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Range:
    """Allowed band and grid of one figure. A zero bound or step means 'not limited'."""

    minimum: Decimal = ZERO
    maximum: Decimal = ZERO
    step: Decimal = ZERO

    def contains(self, value: Decimal) -> bool:
        if self.minimum and value < self.minimum:
            return False
        return not (self.maximum and value > self.maximum)

    def on_grid(self, value: Decimal) -> bool:
        return not self.step or value % self.step == 0

    def floor(self, value: Decimal) -> Decimal:
        return _to_grid(value, self.step, ROUND_DOWN)

    def ceil(self, value: Decimal) -> Decimal:
        return _to_grid(value, self.step, ROUND_CEILING)

    def nearest(self, value: Decimal) -> Decimal:
        return _to_grid(value, self.step, ROUND_HALF_UP)


def _to_grid(value: Decimal, step: Decimal, rounding: str) -> Decimal:
    if not step:
        return value
    return (value / step).to_integral_value(rounding=rounding) * step


@dataclass(frozen=True, slots=True)
class Instrument:
    """One tradable symbol with its venue filters, parsed from an exchangeInfo symbol entry."""

    symbol: str
    base_asset: str
    quote_asset: str
    status: str
    order_types: frozenset[str]  # venue words, as in exchangeInfo
    price: Range
    lot: Range
    market_lot: Range
    min_notional: Decimal
    max_notional: Decimal
    min_notional_applies_to_market: bool
    max_notional_applies_to_market: bool
    bid_multiplier: tuple[Decimal, Decimal]  # (down, up) for BUY prices; zeros disable
    ask_multiplier: tuple[Decimal, Decimal]  # (down, up) for SELL prices; zeros disable
    max_algo_orders: int
    oco_allowed: bool
    oto_allowed: bool
    quote_quantity_allowed: bool

    @property
    def is_trading(self) -> bool:
        return self.status == "TRADING"

    def floor_quantity(self, quantity: Decimal, *, market: bool = False) -> Decimal:
        """Round down to the lot grid (and the market grid when it has one), never up."""
        floored = self.lot.floor(quantity)
        if market and self.market_lot.step:
            floored = self.market_lot.floor(floored)
        return floored

    def max_quantity(self, *, market: bool = False) -> Decimal:
        """Largest quantity one order may have; zero when not limited."""
        limits = [self.lot.maximum] + ([self.market_lot.maximum] if market else [])
        return min((m for m in limits if m), default=ZERO)


def parse_spot(entry: Mapping[str, Any]) -> Instrument:
    """Read one `symbols[]` entry of spot exchangeInfo. Unknown filters are tolerated."""
    filters = {f["filterType"]: f for f in entry.get("filters", ())}
    notional = filters.get("NOTIONAL")
    older = filters.get("MIN_NOTIONAL", {})
    if notional is None:
        notional = {
            "minNotional": older.get("minNotional", older.get("notional", "0")),
            "applyMinToMarket": older.get("applyToMarket", False),
        }
    by_side = filters.get("PERCENT_PRICE_BY_SIDE")
    flat = filters.get("PERCENT_PRICE", {})
    if by_side is None:
        down, up = flat.get("multiplierDown", "0"), flat.get("multiplierUp", "0")
        by_side = {
            "bidMultiplierDown": down,
            "bidMultiplierUp": up,
            "askMultiplierDown": down,
            "askMultiplierUp": up,
        }
    return Instrument(
        symbol=entry["symbol"],
        base_asset=entry["baseAsset"],
        quote_asset=entry["quoteAsset"],
        status=entry["status"],
        order_types=frozenset(entry.get("orderTypes", ())),
        price=_range(filters.get("PRICE_FILTER", {}), "minPrice", "maxPrice", "tickSize"),
        lot=_range(filters.get("LOT_SIZE", {}), "minQty", "maxQty", "stepSize"),
        market_lot=_range(filters.get("MARKET_LOT_SIZE", {}), "minQty", "maxQty", "stepSize"),
        min_notional=Decimal(notional.get("minNotional", "0")),
        max_notional=Decimal(notional.get("maxNotional", "0")),
        min_notional_applies_to_market=bool(notional.get("applyMinToMarket", False)),
        max_notional_applies_to_market=bool(notional.get("applyMaxToMarket", False)),
        bid_multiplier=(
            Decimal(by_side["bidMultiplierDown"]),
            Decimal(by_side["bidMultiplierUp"]),
        ),
        ask_multiplier=(
            Decimal(by_side["askMultiplierDown"]),
            Decimal(by_side["askMultiplierUp"]),
        ),
        max_algo_orders=int(filters.get("MAX_NUM_ALGO_ORDERS", {}).get("maxNumAlgoOrders", 0)),
        oco_allowed=bool(entry.get("ocoAllowed", False)),
        oto_allowed=bool(entry.get("otoAllowed", False)),
        quote_quantity_allowed=bool(entry.get("quoteOrderQtyMarketAllowed", False)),
    )


def _range(entry: Mapping[str, Any], low: str, high: str, step: str) -> Range:
    return Range(
        minimum=Decimal(entry.get(low, "0")).normalize() + 0,
        maximum=Decimal(entry.get(high, "0")).normalize() + 0,
        step=Decimal(entry.get(step, "0")).normalize() + 0,
    )
