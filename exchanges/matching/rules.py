"""One symbol's trading rules, read from its raw exchangeInfo entry.

Figures of 0 disable their part of a filter (real symbols carry a stepSize of 0 in
MARKET_LOT_SIZE). Filter names we do not know are tolerated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from exchanges.domain.instruments import Range
from exchanges.matching.enums import OrderType
from exchanges.matching.records import ZERO

DEFAULT_PRECISION = 8


@dataclass(frozen=True, slots=True)
class NotionalRule:
    """NOTIONAL or its older form MIN_NOTIONAL; `name` is the one refusals must cite."""

    name: str
    minimum: Decimal
    maximum: Decimal
    minimum_on_market: bool
    maximum_on_market: bool
    average_minutes: int


@dataclass(frozen=True, slots=True)
class PercentRule:
    """PERCENT_PRICE or PERCENT_PRICE_BY_SIDE as (down, up) multipliers for each side."""

    name: str
    bid: tuple[Decimal, Decimal]
    ask: tuple[Decimal, Decimal]
    average_minutes: int


@dataclass(frozen=True, slots=True)
class TrailingRule:
    above: tuple[int, int]
    below: tuple[int, int]


@dataclass(frozen=True, slots=True)
class PriceRange:
    """The execution rule: a taker may not trade outside (down, up) x reference price."""

    bid: tuple[Decimal, Decimal]
    ask: tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class SymbolRules:
    """Everything the engine checks about one symbol. Zero limits mean 'not limited'."""

    symbol: str
    base_asset: str
    quote_asset: str
    status: str
    order_types: frozenset[str]
    base_precision: int
    quote_precision: int
    price: Range
    lot: Range
    market_lot: Range
    notionals: tuple[NotionalRule, ...]
    percents: tuple[PercentRule, ...]
    trailing: TrailingRule | None
    max_orders: int
    max_algo_orders: int
    max_iceberg_orders: int
    max_order_lists: int
    max_amends: int
    iceberg_parts: int
    max_position: Decimal
    iceberg_allowed: bool
    oco_allowed: bool
    oto_allowed: bool
    opo_allowed: bool
    quote_quantity_allowed: bool
    trailing_allowed: bool
    cancel_replace_allowed: bool
    amend_allowed: bool
    stp_modes: frozenset[str]
    default_stp_mode: str
    entry: dict[str, Any] = field(repr=False)

    @property
    def is_trading(self) -> bool:
        return self.status == "TRADING"

    def allows(self, type_: OrderType) -> bool:
        return not self.order_types or type_.value in self.order_types


@dataclass(frozen=True, slots=True)
class ExchangeRules:
    """Limits over all symbols of one account (exchangeInfo `exchangeFilters`)."""

    max_orders: int = 0
    max_algo_orders: int = 0
    max_iceberg_orders: int = 0
    max_order_lists: int = 0


def parse_symbol(entry: Mapping[str, Any]) -> SymbolRules:
    """Read one raw exchangeInfo `symbols[]` entry. Missing permission flags read as allowed."""
    filters: dict[str, Mapping[str, Any]] = {f["filterType"]: f for f in entry.get("filters", ())}

    def count(name: str, key: str) -> int:
        return int(filters.get(name, {}).get(key, 0))

    quote_precision = entry.get("quoteAssetPrecision", entry.get("quotePrecision"))
    return SymbolRules(
        symbol=entry["symbol"],
        base_asset=entry["baseAsset"],
        quote_asset=entry["quoteAsset"],
        status=entry.get("status", "TRADING"),
        order_types=frozenset(entry.get("orderTypes", ())),
        base_precision=int(entry.get("baseAssetPrecision", DEFAULT_PRECISION)),
        quote_precision=int(quote_precision or DEFAULT_PRECISION),
        price=_range(filters.get("PRICE_FILTER", {}), "minPrice", "maxPrice", "tickSize"),
        lot=_range(filters.get("LOT_SIZE", {}), "minQty", "maxQty", "stepSize"),
        market_lot=_range(filters.get("MARKET_LOT_SIZE", {}), "minQty", "maxQty", "stepSize"),
        notionals=_notionals(filters),
        percents=_percents(filters),
        trailing=_trailing(filters.get("TRAILING_DELTA")),
        max_orders=count("MAX_NUM_ORDERS", "maxNumOrders"),
        max_algo_orders=count("MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders"),
        max_iceberg_orders=count("MAX_NUM_ICEBERG_ORDERS", "maxNumIcebergOrders"),
        max_order_lists=count("MAX_NUM_ORDER_LISTS", "maxNumOrderLists"),
        max_amends=count("MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends"),
        iceberg_parts=count("ICEBERG_PARTS", "limit"),
        max_position=_figure(filters.get("MAX_POSITION", {}).get("maxPosition", "0")),
        iceberg_allowed=bool(entry.get("icebergAllowed", True)),
        oco_allowed=bool(entry.get("ocoAllowed", True)),
        oto_allowed=bool(entry.get("otoAllowed", True)),
        opo_allowed=bool(entry.get("opoAllowed", True)),
        quote_quantity_allowed=bool(entry.get("quoteOrderQtyMarketAllowed", True)),
        trailing_allowed=bool(entry.get("allowTrailingStop", True)),
        cancel_replace_allowed=bool(entry.get("cancelReplaceAllowed", True)),
        amend_allowed=bool(entry.get("amendAllowed", True)),
        stp_modes=frozenset(entry.get("allowedSelfTradePreventionModes", ())),
        default_stp_mode=str(entry.get("defaultSelfTradePreventionMode", "NONE")),
        entry=dict(entry),
    )


def parse_exchange(filters: Iterable[Mapping[str, Any]]) -> ExchangeRules:
    """Read exchangeInfo `exchangeFilters`."""
    by_name: dict[str, Mapping[str, Any]] = {f["filterType"]: f for f in filters}

    def count(name: str, key: str) -> int:
        return int(by_name.get(name, {}).get(key, 0))

    return ExchangeRules(
        max_orders=count("EXCHANGE_MAX_NUM_ORDERS", "maxNumOrders"),
        max_algo_orders=count("EXCHANGE_MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders"),
        max_iceberg_orders=count("EXCHANGE_MAX_NUM_ICEBERG_ORDERS", "maxNumIcebergOrders"),
        max_order_lists=count("EXCHANGE_MAX_NUM_ORDER_LISTS", "maxNumOrderLists"),
    )


def _figure(text: Any) -> Decimal:
    value = Decimal(str(text))
    # Short forms keep later arithmetic short; zero must not keep an exponent.
    return value.normalize() if value else ZERO


def _range(entry: Mapping[str, Any], low: str, high: str, step: str) -> Range:
    return Range(
        minimum=_figure(entry.get(low, "0")),
        maximum=_figure(entry.get(high, "0")),
        step=_figure(entry.get(step, "0")),
    )


def _notionals(filters: Mapping[str, Mapping[str, Any]]) -> tuple[NotionalRule, ...]:
    found = []
    if older := filters.get("MIN_NOTIONAL"):
        found.append(
            NotionalRule(
                name="MIN_NOTIONAL",
                minimum=_figure(older.get("minNotional", older.get("notional", "0"))),
                maximum=ZERO,
                minimum_on_market=bool(older.get("applyToMarket", False)),
                maximum_on_market=False,
                average_minutes=int(older.get("avgPriceMins", 0)),
            )
        )
    if newer := filters.get("NOTIONAL"):
        found.append(
            NotionalRule(
                name="NOTIONAL",
                minimum=_figure(newer.get("minNotional", "0")),
                maximum=_figure(newer.get("maxNotional", "0")),
                minimum_on_market=bool(newer.get("applyMinToMarket", False)),
                maximum_on_market=bool(newer.get("applyMaxToMarket", False)),
                average_minutes=int(newer.get("avgPriceMins", 0)),
            )
        )
    return tuple(found)


def _percents(filters: Mapping[str, Mapping[str, Any]]) -> tuple[PercentRule, ...]:
    found = []
    if flat := filters.get("PERCENT_PRICE"):
        both = (_figure(flat.get("multiplierDown", "0")), _figure(flat.get("multiplierUp", "0")))
        found.append(PercentRule("PERCENT_PRICE", both, both, int(flat.get("avgPriceMins", 0))))
    if sided := filters.get("PERCENT_PRICE_BY_SIDE"):
        found.append(
            PercentRule(
                "PERCENT_PRICE_BY_SIDE",
                (_figure(sided["bidMultiplierDown"]), _figure(sided["bidMultiplierUp"])),
                (_figure(sided["askMultiplierDown"]), _figure(sided["askMultiplierUp"])),
                int(sided.get("avgPriceMins", 0)),
            )
        )
    return tuple(found)


def _trailing(entry: Mapping[str, Any] | None) -> TrailingRule | None:
    if entry is None:
        return None
    return TrailingRule(
        above=(int(entry["minTrailingAboveDelta"]), int(entry["maxTrailingAboveDelta"])),
        below=(int(entry["minTrailingBelowDelta"]), int(entry["maxTrailingBelowDelta"])),
    )
