"""Endpoints that need no key: time, listings, book, trades, candles, tickers."""

from __future__ import annotations

from typing import Any

import orjson

from exchanges.matching.events import MarketTraded
from exchanges.matching.refusals import bad_combination, unknown_symbol
from exchanges.venues.simulator import tape
from exchanges.venues.simulator.endpoints import REGISTRY, Call
from exchanges.venues.simulator.market_frames import best_prices, depth_body
from exchanges.venues.simulator.rendering import money

V3 = "/api/v3"
AVERAGE_MINUTES = 5
DEPTH_COSTS = ((100, 5), (500, 25), (1000, 50), (5000, 250))


@REGISTRY.add("GET", f"{V3}/ping", weight=1)
def ping(call: Call) -> Any:
    call.ready()
    return {}


@REGISTRY.add("GET", f"{V3}/time", weight=1)
def server_time(call: Call) -> Any:
    call.ready()
    return {"serverTime": call.venue.clock.shown_ms()}


@REGISTRY.add("GET", f"{V3}/exchangeInfo", weight=20)
def exchange_info(call: Call) -> Any:
    symbols = _symbols(call)
    status = call.params.text("symbolStatus")
    call.params.text("permissions")
    call.params.text("showPermissionSets")
    call.ready()
    entries = [rules.entry for name, rules in call.engine.symbols.items() if name in symbols]
    if status:
        entries = [entry for entry in entries if entry["status"] == status]
    return {
        "timezone": "UTC",
        "serverTime": call.venue.clock.shown_ms(),
        "rateLimits": call.venue.limits.allowance.announced(),
        "exchangeFilters": [],
        "symbols": entries,
    }


@REGISTRY.add("GET", f"{V3}/depth", weight=5)
def depth(call: Call) -> Any:
    symbol = one_symbol(call)
    limit = call.params.limit(100, 5000)
    call.ready()
    call.cost = next(
        cost for most, cost in ((100, 5), (500, 25), (1000, 50), (5000, 250)) if limit <= most
    )
    return depth_body(call.venue.depth(symbol, limit))


@REGISTRY.add("GET", f"{V3}/ticker/bookTicker", weight=2)
def book_ticker(call: Call) -> Any:
    return _one_or_many(call, _book_ticker, one=2, many=4)


@REGISTRY.add("GET", f"{V3}/ticker/price", weight=2)
def price_ticker(call: Call) -> Any:
    return _one_or_many(call, _price, one=2, many=4)


@REGISTRY.add("GET", f"{V3}/ticker/24hr", weight=2)
def day_ticker(call: Call) -> Any:
    call.params.choice("type", ("FULL", "MINI"))
    return _one_or_many(call, _day, one=2, many=80)


@REGISTRY.add("GET", f"{V3}/avgPrice", weight=2)
def average_price(call: Call) -> Any:
    symbol = one_symbol(call)
    call.ready()
    average = call.engine.average_price(symbol, AVERAGE_MINUTES, call.now_ms)
    return {
        "mins": AVERAGE_MINUTES,
        "price": money(average or call.engine.last_price(symbol)),
        "closeTime": call.now_ms,
    }


@REGISTRY.add("GET", f"{V3}/klines", weight=2)
def klines(call: Call) -> Any:
    symbol = one_symbol(call)
    interval = call.params.require("interval")
    start_ms, end_ms = call.params.whole("startTime"), call.params.whole("endTime")
    limit = call.params.limit(500, 1000)
    call.params.text("timeZone")
    call.ready()
    candles = call.venue.tape.candles(
        symbol, interval, start_ms=start_ms, end_ms=end_ms, limit=limit
    )
    return [tape.kline_row(candle) for candle in candles]


@REGISTRY.add("GET", f"{V3}/uiKlines", weight=2)
def ui_klines(call: Call) -> Any:
    return klines(call)


@REGISTRY.add("GET", f"{V3}/trades", weight=25)
@REGISTRY.add("GET", f"{V3}/historicalTrades", weight=25)
def trades(call: Call) -> Any:
    symbol = one_symbol(call)
    limit = call.params.limit(500, 1000)
    from_id = call.params.whole("fromId")
    call.ready()
    found = call.venue.tape.trades(symbol, tape.TRADES_KEPT)
    return [_trade(trade) for trade in _window(found, limit, from_id)]


@REGISTRY.add("GET", f"{V3}/aggTrades", weight=4)
def aggregate_trades(call: Call) -> Any:
    symbol = one_symbol(call)
    limit = call.params.limit(500, 1000)
    from_id = call.params.whole("fromId")
    start_ms, end_ms = call.params.whole("startTime"), call.params.whole("endTime")
    call.ready()
    found = [
        trade
        for trade in call.venue.tape.trades(symbol, tape.TRADES_KEPT)
        if (start_ms is None or trade.at_ms >= start_ms)
        and (end_ms is None or trade.at_ms <= end_ms)
    ]
    if start_ms is not None and from_id is None:
        return [_aggregate(trade) for trade in found[:limit]]
    return [_aggregate(trade) for trade in _window(found, limit, from_id)]


def one_symbol(call: Call) -> str:
    """Read the mandatory `symbol`. Raises -1102 without one, -1121 for an unknown one."""
    symbol = call.params.require("symbol")
    if symbol not in call.engine.symbols:
        raise unknown_symbol()
    return symbol


def _symbols(call: Call) -> set[str]:
    """Read `symbol` or `symbols` (a JSON list); all symbols when neither was sent."""
    one, many = call.params.text("symbol"), call.params.text("symbols")
    if one is not None and many is not None:
        raise bad_combination()
    wanted = {one} if one is not None else _json_list(many) if many else set(call.engine.symbols)
    if not wanted <= set(call.engine.symbols):
        raise unknown_symbol()
    return wanted


def _json_list(text: str) -> set[str]:
    try:
        names = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise unknown_symbol() from None
    if not isinstance(names, list):
        raise unknown_symbol()
    return {str(name) for name in names}


def _one_or_many(call: Call, make: Any, *, one: int, many: int) -> Any:
    is_single = call.params.text("symbol") is not None
    symbols = _symbols(call)
    call.ready()
    call.cost = one if is_single else many
    rows = [make(call, name) for name in call.engine.symbols if name in symbols]
    return rows[0] if is_single else rows


def _book_ticker(call: Call, symbol: str) -> dict[str, Any]:
    names = ("symbol", "bidPrice", "bidQty", "askPrice", "askQty")
    return best_prices(symbol, call.engine.best(symbol), names)


def _price(call: Call, symbol: str) -> dict[str, Any]:
    return {"symbol": symbol, "price": money(call.engine.last_price(symbol))}


def _day(call: Call, symbol: str) -> dict[str, Any]:
    stats = call.venue.tape.day_stats(symbol)
    last = call.venue.tape.trades(symbol, 1)
    best = call.engine.best(symbol)
    return {
        "symbol": symbol,
        "priceChange": money(stats["change"]),
        "priceChangePercent": f"{stats['change_percent']:.3f}",
        "weightedAvgPrice": money(stats["average"]),
        "prevClosePrice": money(stats["open"]),
        "lastPrice": money(last[0].price if last else stats["close"]),
        "lastQty": money(last[0].quantity if last else None),
        **best_prices("", best, ("", "bidPrice", "bidQty", "askPrice", "askQty")),
        "openPrice": money(stats["open"]),
        "highPrice": money(stats["high"]),
        "lowPrice": money(stats["low"]),
        "volume": money(stats["volume"]),
        "quoteVolume": money(stats["quote_volume"]),
        "openTime": stats["opened_ms"],
        "closeTime": stats["closed_ms"],
        "firstId": 0,
        "lastId": last[0].trade_id if last else 0,
        "count": stats["trades"],
    }


def _window(found: list[MarketTraded], limit: int, from_id: int | None) -> list[MarketTraded]:
    if from_id is None:
        return found[-limit:]
    return [trade for trade in found if trade.trade_id >= from_id][:limit]


def _trade(trade: MarketTraded) -> dict[str, Any]:
    return {
        "id": trade.trade_id,
        "price": money(trade.price),
        "qty": money(trade.quantity),
        "quoteQty": money(trade.price * trade.quantity),
        "time": trade.at_ms,
        "isBuyerMaker": trade.buyer_is_maker,
        "isBestMatch": True,
    }


def _aggregate(trade: MarketTraded) -> dict[str, Any]:
    return {
        "a": trade.trade_id,
        "p": money(trade.price),
        "q": money(trade.quantity),
        "f": trade.trade_id,
        "l": trade.trade_id,
        "T": trade.at_ms,
        "m": trade.buyer_is_maker,
        "M": True,
    }
