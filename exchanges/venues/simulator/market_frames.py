"""Frames of the public market streams in Binance's spelling."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.matching.events import MarketTraded
from exchanges.matching.results import BookView
from exchanges.venues.simulator.prices.sink import Candle
from exchanges.venues.simulator.rendering import money

Rows = tuple[tuple[Any, Any], ...]
Frame = dict[str, Any]


def trade(trade: MarketTraded, shown_ms: int) -> Frame:
    return {
        "e": "trade",
        "E": shown_ms,
        "s": trade.symbol,
        "t": trade.trade_id,
        "p": money(trade.price),
        "q": money(trade.quantity),
        "T": trade.at_ms,
        "m": trade.buyer_is_maker,
        "M": True,
    }


def aggregate(trade: MarketTraded, shown_ms: int) -> Frame:
    return {
        "e": "aggTrade",
        "E": shown_ms,
        "s": trade.symbol,
        "a": trade.trade_id,
        "p": money(trade.price),
        "q": money(trade.quantity),
        "f": trade.trade_id,
        "l": trade.trade_id,
        "T": trade.at_ms,
        "m": trade.buyer_is_maker,
        "M": True,
    }


def kline(symbol: str, interval: str, candle: Candle, *, is_closed: bool, shown_ms: int) -> Frame:
    body = {
        "t": candle.opened_ms,
        "T": candle.closes_ms,
        "s": symbol,
        "i": interval,
        "f": -1,
        "L": -1,
        "o": money(candle.open),
        "c": money(candle.close),
        "h": money(candle.high),
        "l": money(candle.low),
        "v": money(candle.volume),
        "n": candle.trades,
        "x": is_closed,
        "q": money(candle.quote_volume),
        "V": money(candle.taker_volume),
        "Q": money(candle.taker_quote_volume),
        "B": "0",
    }
    return {"e": "kline", "E": shown_ms, "s": symbol, "k": body}


def diff(symbol: str, before: BookView, after: BookView, shown_ms: int) -> Frame:
    return {
        "e": "depthUpdate",
        "E": shown_ms,
        "s": symbol,
        "U": before.update_id + 1,
        "u": after.update_id,
        "b": _changes(before.bids, after.bids),
        "a": _changes(before.asks, after.asks),
    }


def day(
    symbol: str, stats: Frame, best: BookView, last: MarketTraded | None, shown_ms: int
) -> Frame:
    return {
        "e": "24hrTicker",
        "E": shown_ms,
        "s": symbol,
        "p": money(stats["change"]),
        "P": f"{stats['change_percent']:.3f}",
        "w": money(stats["average"]),
        "x": money(stats["open"]),
        "c": money(last.price if last else stats["close"]),
        "Q": money(last.quantity if last else None),
        **best_prices("", best, ("", "b", "B", "a", "A")),
        "o": money(stats["open"]),
        "h": money(stats["high"]),
        "l": money(stats["low"]),
        "v": money(stats["volume"]),
        "q": money(stats["quote_volume"]),
        "O": stats["opened_ms"],
        "C": stats["closed_ms"],
        "F": 0,
        "L": last.trade_id if last else 0,
        "n": stats["trades"],
    }


def mini(symbol: str, stats: Frame, last: Decimal | None, shown_ms: int) -> Frame:
    return {
        "e": "24hrMiniTicker",
        "E": shown_ms,
        "s": symbol,
        "c": money(last or stats["close"]),
        "o": money(stats["open"]),
        "h": money(stats["high"]),
        "l": money(stats["low"]),
        "v": money(stats["volume"]),
        "q": money(stats["quote_volume"]),
    }


def average(symbol: str, price: Decimal | None, now_ms: int, shown_ms: int) -> Frame:
    return {
        "e": "avgPrice",
        "E": shown_ms,
        "s": symbol,
        "i": "5m",
        "w": money(price),
        "T": now_ms,
    }


def best_prices(symbol: str, best: BookView, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the top of a book under the given field names (an empty name leaves it out)."""
    bid = best.bids[0] if best.bids else (None, None)
    ask = best.asks[0] if best.asks else (None, None)
    values = (symbol, money(bid[0]), money(bid[1]), money(ask[0]), money(ask[1]))
    return {name: value for name, value in zip(names, values, strict=True) if name}


def depth_body(book: BookView) -> dict[str, Any]:
    return {
        "lastUpdateId": book.update_id,
        "bids": [[money(price), money(quantity)] for price, quantity in book.bids],
        "asks": [[money(price), money(quantity)] for price, quantity in book.asks],
    }


def _changes(before: Rows, after: Rows) -> list[list[str]]:
    old, new = dict(before), dict(after)
    changed = [
        [money(price), money(quantity)] for price, quantity in after if old.get(price) != quantity
    ]
    return changed + [[money(price), money(None)] for price, _ in before if price not in new]
