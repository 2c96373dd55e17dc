"""One frame of a market stream: whose it is, its number, when it happened; its bytes untouched.

A frame is decoded at most once: what tells it from its neighbours is read here by a typed decoder
that skips the rest, and the bytes travel on as they came. The whole of it is read only by who needs
all of it (`data`), which for books is the newest of a few dozen a second.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from exchanges.domain.candles import DAY_MS
from exchanges.market_data import bus
from exchanges.market_data.bus import Kind

Number = tuple[int, ...] | int
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Binance writes the envelope in this order and without blanks; any other is taken apart properly.
_USUAL = re.compile(rb'\{"stream":"([^"\\]+)","data":')
_SYMBOL = re.compile(r"[^\s.*>\ufffd]+")  # one part of a subject; some are not in Latin letters
_NAMES_KEPT = 10_000


class Unreadable(ValueError):
    """A frame without the shape its stream promises."""


class NoFrame(Unreadable):
    """Bytes that are no object at all: the line is not to be trusted."""


class _Best(msgspec.Struct):
    u: int
    E: int | None = None
    T: int | None = None


class _Partial(msgspec.Struct):
    """Spot numbers a partial book by `lastUpdateId`, futures by `u`."""

    last: int | None = msgspec.field(default=None, name="lastUpdateId")
    u: int | None = None
    E: int | None = None
    T: int | None = None


class _Diff(msgspec.Struct):
    u: int
    E: int | None = None
    T: int | None = None


class _Trade(msgspec.Struct):
    t: int
    E: int | None = None
    T: int | None = None
    X: str = "MARKET"


class _Aggregate(msgspec.Struct):
    a: int
    E: int | None = None
    T: int | None = None


class _Timed(msgspec.Struct):
    E: int


class _KlineBody(msgspec.Struct):
    t: int
    x: bool


class _Kline(msgspec.Struct):
    k: _KlineBody
    E: int


class Mark(msgspec.Struct):
    """What tells a frame from its neighbours. `number` grows along a stream."""

    number: Number
    event_ms: int | None
    is_closed: bool = False
    is_foreign: bool = False


def _by_depth(raw: _Partial) -> Mark:
    number = raw.u if raw.u is not None else raw.last
    if number is None:
        raise Unreadable("a partial book without lastUpdateId and u")
    return Mark(number, raw.T or raw.E)


# A futures trade with another X is no trade of the market (insurance fund, auto-deleveraging).
_MARKS: dict[Kind, tuple[Any, Callable[[Any], Mark]]] = {
    Kind.BEST: (_Best, lambda raw: Mark(raw.u, raw.T or raw.E)),
    Kind.DEPTH: (_Partial, _by_depth),
    Kind.DIFF: (_Diff, lambda raw: Mark(raw.u, raw.T or raw.E)),
    Kind.TRADE: (_Trade, lambda raw: Mark(raw.t, raw.T or raw.E, is_foreign=raw.X != "MARKET")),
    Kind.AGG_TRADE: (_Aggregate, lambda raw: Mark(raw.a, raw.T or raw.E)),
    Kind.TICKER: (_Timed, lambda raw: Mark(raw.E, raw.E)),
    Kind.MINI_TICKER: (_Timed, lambda raw: Mark(raw.E, raw.E)),
    Kind.MARK: (_Timed, lambda raw: Mark(raw.E, raw.E)),
    # The last word on a candle and the first on the next may be of one moment.
    Kind.KLINE: (_Kline, lambda raw: Mark((raw.k.t, raw.k.x, raw.E), raw.E, raw.k.x)),
}
_DECODERS = {kind: (msgspec.json.Decoder(shape), mark) for kind, (shape, mark) in _MARKS.items()}


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream of ours, by its name."""

    name: str
    symbol: str
    kind: Kind
    interval: str = ""  # of candles

    @classmethod
    def called(cls, name: str) -> Stream:
        """Raise UnknownStream for a name that carries none of our kinds."""
        kind = bus.kind_of(name)
        if not _SYMBOL.fullmatch(bus.symbol_of(name)):
            raise bus.UnknownStream(f"{name!r} names no symbol")
        interval = name.rpartition("kline_")[2] if kind is Kind.KLINE else ""
        return cls(name, bus.symbol_of(name), kind, interval)


class Frame:
    """A frame as it came. `received_us` is our clock in epoch microseconds."""

    __slots__ = ("_at", "_wire", "dated_ms", "mark", "received_us", "stream")

    def __init__(self, stream: Stream, wire: bytes, at: int, received_us: int) -> None:
        """`wire` is the whole combined frame, its data begins `at`; 0: `wire` is the data alone."""
        self.stream = stream
        self._wire = wire
        self._at = at
        self.received_us = received_us
        self.dated_ms: int | None = None  # a recording's time, of a frame without its own
        decoder, mark = _DECODERS[stream.kind]
        try:
            self.mark: Mark = mark(decoder.decode(self.raw))
        except msgspec.MsgspecError as error:
            raise Unreadable(f"{stream.name}: {error}") from error

    @property
    def raw(self) -> bytes:
        """The venue's bytes of the data."""
        return self._wire[self._at : -1] if self._at else self._wire

    @property
    def data(self) -> dict[str, Any]:
        """All of it. Raise Unreadable."""
        try:
            found = msgspec.json.decode(self.raw)
        except msgspec.MsgspecError as error:
            raise Unreadable(f"{self.stream.name}: {error}") from error
        if not isinstance(found, dict):
            raise Unreadable(f"{self.stream.name}: no object")
        return found

    @property
    def received_at(self) -> datetime:
        return EPOCH + timedelta(microseconds=self.received_us)

    @property
    def event_at(self) -> datetime | None:
        """When it happened by the venue's clock, where it tells."""
        at_ms = self.mark.event_ms
        return None if at_ms is None else EPOCH + timedelta(milliseconds=at_ms)

    @property
    def lag_ms(self) -> float | None:
        """Received minus event time in ms, None where the venue tells none and for a recording.
        A clock that runs behind the venue's makes it negative."""
        if self.mark.event_ms is None or self.is_recorded:
            return None
        return self.received_us / 1000 - self.mark.event_ms

    @property
    def is_dear(self) -> bool:
        """Whether nothing later makes up for losing it: a trade, or a candle's last word."""
        return self.stream.kind in (Kind.TRADE, Kind.AGG_TRADE) or self.mark.is_closed

    @property
    def is_recorded(self) -> bool:
        """Whether it tells of another day: a recording is replayed."""
        at_ms = self.mark.event_ms
        return at_ms is not None and self.received_us / 1000 - at_ms >= DAY_MS

    def envelope(self) -> bytes:
        """Return the bytes that travel on our bus."""
        received_ms = self.received_us // 1000
        if self.dated_ms is not None:
            return bus.enveloped(self.stream.name, self.raw, received_ms, self.dated_ms)
        if self._at:
            return b'%b,"received_ms":%d}' % (self._wire[:-1], received_ms)
        return bus.enveloped(self.stream.name, self.raw, received_ms)


class Reader:
    """Turns what a connection hears into frames; knows each stream's name once it was seen."""

    def __init__(self) -> None:
        self._streams: dict[bytes, Stream] = {}

    def read(self, wire: bytes, received_us: int) -> Frame | dict[str, Any]:
        """Return a frame, or whatever else was said as an object (an answer, `serverShutdown`).

        Raise Unreadable (NoFrame when the line talks rubbish), UnknownStream.
        """
        usual = _USUAL.match(wire)
        if usual and wire.endswith(b"}}") and not wire.startswith(b'{"e":"s', usual.end()):
            return Frame(self._stream(usual[1]), wire, usual.end(), received_us)
        return self._take_apart(wire, received_us)

    def _take_apart(self, wire: bytes, received_us: int) -> Frame | dict[str, Any]:
        try:
            said = msgspec.json.decode(wire, type=dict[str, msgspec.Raw])
            if "stream" not in said or "data" not in said:
                return msgspec.json.decode(wire, type=dict[str, Any])
            name = msgspec.json.decode(said["stream"], type=str)
            data = bytes(said["data"])
            told = msgspec.json.decode(data)
            if isinstance(told, dict) and told.get("e") == "serverShutdown":
                return told
        except (msgspec.MsgspecError, RecursionError) as error:
            raise NoFrame(str(error)) from error
        return Frame(self._stream(name.encode()), data, 0, received_us)

    def _stream(self, name: bytes) -> Stream:
        known = self._streams.get(name)
        if known is None:
            if len(self._streams) >= _NAMES_KEPT:
                self._streams.clear()
            known = self._streams[name] = Stream.called(name.decode(errors="replace"))
        return known
