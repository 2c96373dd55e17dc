"""Candles, funding rates and trades as Binance words them: rows of REST, the `k` of streams."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from exchanges.domain.candles import Candle

REST_FIELDS = (
    (0, "opened_ms"),
    (1, "open"),
    (2, "high"),
    (3, "low"),
    (4, "close"),
    (5, "volume"),
    (7, "quote_volume"),
    (8, "trades"),
    (9, "taker_volume"),
    (10, "taker_quote_volume"),
)
STREAM_FIELDS = (
    ("t", "opened_ms"),
    ("o", "open"),
    ("h", "high"),
    ("l", "low"),
    ("c", "close"),
    ("v", "volume"),
    ("q", "quote_volume"),
    ("n", "trades"),
    ("V", "taker_volume"),
    ("Q", "taker_quote_volume"),
)
WHOLE = {"opened_ms", "trades"}


class UnreadableRow(ValueError):
    """Not the promised shape; the text names row and field."""


class Funding(NamedTuple):
    """What longs paid shorts: a fraction of the notional."""

    funded_ms: int
    rate: float
    mark_price: float | None
    kind: str


class AggTrade(NamedTuple):
    """Trades of one taker order at one price."""

    trade_id: int
    at_ms: int
    price: float
    quantity: float
    trades: int
    buyer_is_maker: bool


def candles(body: Any) -> list[Candle]:
    """Read the answer of `klines`. Raise UnreadableRow."""
    return [_candle(row, REST_FIELDS, f"kline {i}") for i, row in enumerate(_rows(body))]


def closed_candle(k: Mapping[str, Any]) -> Candle | None:
    """Read the `k` of a kline frame; None while the candle still runs. Raise UnreadableRow."""
    if not isinstance(k, Mapping) or not isinstance(k.get("x"), bool):
        raise UnreadableRow("kline frame: x (is it closed) is missing")
    return _candle(k, STREAM_FIELDS, "kline frame") if k["x"] else None


def fundings(body: Any) -> list[Funding]:
    """Read the answer of `fundingRate`. Raise UnreadableRow."""
    return [_funding(row, f"funding rate {i}") for i, row in enumerate(_rows(body))]


def agg_trades(body: Any) -> list[AggTrade]:
    """Read the answer of `aggTrades`. Raise UnreadableRow."""
    return [_agg_trade(row, f"trade {i}") for i, row in enumerate(_rows(body))]


def _rows(body: Any) -> Sequence[Any]:
    if not isinstance(body, list):
        raise UnreadableRow(f"a list was promised, {type(body).__name__} came")
    return body


def _candle(row: Any, names: Sequence[tuple[Any, str]], where: str) -> Candle:
    return Candle._make(
        (_whole if name in WHOLE else _number)(row, key, f"{where}, {name}") for key, name in names
    )


def _funding(row: Any, where: str) -> Funding:
    mark = row.get("markPrice") if isinstance(row, Mapping) else None
    return Funding(
        _whole(row, "fundingTime", f"{where}, fundingTime"),
        _number(row, "fundingRate", f"{where}, fundingRate"),
        _number(row, "markPrice", f"{where}, markPrice") if mark not in (None, "") else None,
        str(row.get("rateType") or "Regular")[:16],
    )


def _agg_trade(row: Any, where: str) -> AggTrade:
    first, last = (_whole(row, key, f"{where}, {key}") for key in ("f", "l"))
    if not isinstance(row.get("m"), bool):
        raise UnreadableRow(f"{where}, m: {row.get('m')!r} is neither true nor false")
    return AggTrade(
        _whole(row, "a", f"{where}, a"),
        _whole(row, "T", f"{where}, T"),
        _number(row, "p", f"{where}, p"),
        _number(row, "q", f"{where}, q"),
        max(last - first + 1, 1),
        row["m"],
    )


def _whole(row: Any, key: Any, where: str) -> int:
    value = _value(row, key, where)
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnreadableRow(f"{where}: {value!r} is no whole number")
    return value


def _number(row: Any, key: Any, where: str) -> float:
    value = _value(row, key, where)
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise UnreadableRow(f"{where}: {value!r} is no number") from None
    if not math.isfinite(number):
        raise UnreadableRow(f"{where}: {value!r} is not finite")
    return number


def _value(row: Any, key: Any, where: str) -> Any:
    try:
        return row[key]
    except (TypeError, KeyError, IndexError):
        raise UnreadableRow(f"{where} is missing") from None
