"""Frames of the bus as the realtime strategies read them: bytes in, floats out.

The envelope is that of `exchanges.market_data.bus`. Numbers in quotes become floats while they are
decoded; of a book only the levels that are asked for are ever turned into numbers.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
from msgspec import Raw, Struct, field

NOT_AHEAD_MS = 10_000  # a venue's time further ahead of ours than this is no time


class FrameInvalid(ValueError):
    """A frame that cannot be read: the text says why."""


class Trade(Struct, gc=False):
    """One trade; `is_buyer_maker` means that the seller took, so it is sell-initiated."""

    trade_id: int = field(name="t")
    at_ms: int = field(name="T")
    price: float = field(name="p")
    quantity: float = field(name="q")
    is_buyer_maker: bool = field(name="m")


class Ticker(Struct, gc=False):
    """The rolling ticker; only its last price matters here."""

    at_ms: int = field(name="E")
    last: float = field(name="c")


class Depth(Struct, gc=False):
    """The top of the book, whole. Spot gives it no time of its own."""

    update_id: int = field(name="lastUpdateId")
    bids: Raw
    asks: Raw


class TradeFrame(Struct, gc=False):
    data: Trade
    received_ms: int


class TickerFrame(Struct, gc=False):
    data: Ticker
    received_ms: int


class DepthFrame(Struct, gc=False):
    """`event_ms`: the time of a recording that is replayed, 0 in a market."""

    data: Depth
    received_ms: int
    event_ms: int = 0


_trade = msgspec.json.Decoder(TradeFrame, strict=False)
_ticker = msgspec.json.Decoder(TickerFrame, strict=False)
_depth = msgspec.json.Decoder(DepthFrame, strict=False)
_levels = msgspec.json.Decoder(list[tuple[float, float]], strict=False)
_INFINITE = math.inf


def trade(raw: bytes) -> TradeFrame:
    """Return a trade frame. Raise FrameInvalid."""
    frame: TradeFrame = _decoded(_trade, raw)
    data = frame.data
    if not (0 < data.price < _INFINITE and 0 < data.quantity < _INFINITE):
        raise FrameInvalid(f"price {data.price} and quantity {data.quantity} must be above zero")
    _on_time(data.at_ms, frame.received_ms)
    return frame


def ticker(raw: bytes) -> TickerFrame:
    """Return a ticker frame. Raise FrameInvalid."""
    frame: TickerFrame = _decoded(_ticker, raw)
    if not 0 < frame.data.last < _INFINITE:
        raise FrameInvalid(f"last price {frame.data.last} must be above zero")
    _on_time(frame.data.at_ms, frame.received_ms)
    return frame


def depth(raw: bytes) -> DepthFrame:
    """Return a book frame whose sides are still text; `side` reads them. Raise FrameInvalid."""
    frame: DepthFrame = _decoded(_depth, raw)
    if frame.received_ms <= 0:
        raise FrameInvalid("received_ms must be above zero")
    return frame


def side(raw: Raw, levels: int) -> tuple[float, float]:
    """Return best price and the volume of the first `levels` levels. Raise FrameInvalid.

    A book is text of one form, `[["price","quantity"],...]`, so cutting at the quotes finds the
    numbers without reading all forty levels; any other form is read the slow way.
    """
    text = bytes(raw)
    parts = text.split(b'"', 4 * levels)
    if parts[0] != b"[[" or any(p != b"," for p in parts[2 : 4 * levels : 4]):
        return _side_by_json(text, levels)
    try:
        best, volume = float(parts[1]), sum(map(float, parts[3 : 4 * levels : 4]))
    except (ValueError, IndexError) as error:
        raise FrameInvalid(f"a book level is no number: {error}") from None
    return _checked(best, volume)


def _side_by_json(text: bytes, levels: int) -> tuple[float, float]:
    try:
        found = _levels.decode(text)[:levels]
    except (msgspec.MsgspecError, ValueError) as error:
        raise FrameInvalid(f"a side of the book cannot be read: {error}") from None
    if not found:
        raise FrameInvalid("a side of the book is empty")
    return _checked(found[0][0], sum(quantity for _, quantity in found))


def _checked(best: float, volume: float) -> tuple[float, float]:
    if not (0 < best < _INFINITE and 0 < volume < _INFINITE):
        raise FrameInvalid(f"best price {best} and volume {volume} must be above zero")
    return best, volume


def _decoded(decoder: Any, raw: bytes) -> Any:
    try:
        return decoder.decode(raw)
    except (msgspec.MsgspecError, ValueError) as error:
        raise FrameInvalid(str(error)) from None


def _on_time(at_ms: int, received_ms: int) -> None:
    if at_ms <= 0 or at_ms > received_ms + NOT_AHEAD_MS:
        raise FrameInvalid(f"its time {at_ms} is not that of a frame received at {received_ms}")


def restored(decoder: Any, raw: bytes) -> Any:
    """Return a state from its snapshot. Raise FrameInvalid when it is of another form."""
    try:
        return decoder.decode(raw)
    except (msgspec.MsgspecError, ValueError) as error:
        raise FrameInvalid(f"the snapshot cannot be read: {error}") from None
