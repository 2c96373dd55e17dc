"""The symbols the simulator lists, in the venue's exchangeInfo shape.

`instruments.json` holds only the figures that differ from symbol to symbol; everything that is
the same for all of them is written here once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

SYMBOLS_FILE = Path(__file__).with_name("instruments.json")
ORDER_TYPES = (
    "LIMIT",
    "LIMIT_MAKER",
    "MARKET",
    "STOP_LOSS",
    "STOP_LOSS_LIMIT",
    "TAKE_PROFIT",
    "TAKE_PROFIT_LIMIT",
)
SELF_TRADE_MODES = ("EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT")


@dataclass(frozen=True, slots=True)
class Listing:
    """One listed symbol with what the price sources need to know about it."""

    symbol: str
    base: str
    quote: str
    start: Decimal
    tick: Decimal
    step: Decimal
    daily_volume: Decimal  # base units
    entry: Mapping[str, Any]  # exchangeInfo `symbols[]` entry


@cache
def listings() -> Mapping[str, Listing]:
    """Read the instruments file. Returns symbol -> listing in file order."""
    table = json.loads(SYMBOLS_FILE.read_text(encoding="utf-8"))
    rows = (dict(zip(table["columns"], row, strict=True)) for row in table["symbols"])
    return {row["symbol"]: _listing(row) for row in rows}


def exchange_info_symbols() -> list[Mapping[str, Any]]:
    """Return every symbol in the shape of exchangeInfo `symbols[]`."""
    return [listing.entry for listing in listings().values()]


def _listing(row: Mapping[str, str]) -> Listing:
    return Listing(
        symbol=row["symbol"],
        base=row["base"],
        quote=row["quote"],
        start=Decimal(row["start"]),
        tick=Decimal(row["tick"]),
        step=Decimal(row["step"]),
        daily_volume=Decimal(row["dailyVolume"]),
        entry=_entry(row),
    )


def _entry(row: Mapping[str, str]) -> dict[str, Any]:
    return {
        "symbol": row["symbol"],
        "status": "TRADING",
        "baseAsset": row["base"],
        "baseAssetPrecision": 8,
        "quoteAsset": row["quote"],
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": list(ORDER_TYPES),
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "opoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _filters(row),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": list(SELF_TRADE_MODES),
    }


def _filters(row: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": eight(row["tick"]),
            "maxPrice": eight(row["maxPrice"]),
            "tickSize": eight(row["tick"]),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": eight(row["step"]),
            "maxQty": eight(row["maxQty"]),
            "stepSize": eight(row["step"]),
        },
        {"filterType": "ICEBERG_PARTS", "limit": 100},
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": eight("0"),
            "maxQty": eight(row["marketMaxQty"]),
            "stepSize": eight("0"),
        },
        {
            "filterType": "TRAILING_DELTA",
            "minTrailingAboveDelta": 10,
            "maxTrailingAboveDelta": 2000,
            "minTrailingBelowDelta": 10,
            "maxTrailingBelowDelta": 2000,
        },
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": "5",
            "bidMultiplierDown": "0.2",
            "askMultiplierUp": "5",
            "askMultiplierDown": "0.2",
            "avgPriceMins": 5,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": eight(row["minNotional"]),
            "applyMinToMarket": True,
            "maxNotional": eight("9000000"),
            "applyMaxToMarket": False,
            "avgPriceMins": 5,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
        {"filterType": "MAX_NUM_ORDER_LISTS", "maxNumOrderLists": 20},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
        {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": 10},
    ]


def eight(value: str) -> str:
    """Write a figure the venue's way: plain, eight decimals."""
    return f"{Decimal(value):.8f}"
