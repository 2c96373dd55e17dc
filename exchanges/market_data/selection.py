"""Which streams are subscribed: kinds and intervals from the settings, names for the venue."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from exchanges.domain import candles
from exchanges.domain.venues import Market

SPOT, USDM = Market.SPOT, Market.USDM
MARKETS = tuple(Market)
DEPTH, DIFF, KLINE = "depth20@100ms", "depth@100ms", "kline"
KINDS = (
    "bookTicker",
    DEPTH,
    DIFF,
    "trade",
    "aggTrade",
    "ticker",
    "miniTicker",
    KLINE,
    "markPrice",
)
FIRST_KINDS = ("bookTicker", DEPTH, "trade", "ticker", KLINE)
FIRST_INTERVALS = ("1m", "5m", "15m", "1h", "4h", "1d")


class SelectionInvalid(ValueError):
    """Streams nobody offers."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is streamed of each symbol. Raise SelectionInvalid for a kind nobody offers,
    UnknownInterval."""

    kinds: tuple[str, ...] = FIRST_KINDS
    intervals: tuple[str, ...] = FIRST_INTERVALS

    def __post_init__(self) -> None:
        for kind in self.kinds or ("nothing",):
            if kind not in KINDS:
                raise SelectionInvalid(
                    f"{kind!r} is no kind of stream: use some of {', '.join(KINDS)}"
                )
        for interval in self.intervals:
            candles.length_ms(interval)

    @property
    def with_diffs(self) -> bool:
        return DIFF in self.kinds

    def names(self, symbols: Iterable[str], market: str = SPOT) -> list[str]:
        """Return the streams of `symbols`. Intervals of 1s exist on spot only."""
        return [
            f"{symbol.lower()}@{ending}" for symbol in symbols for ending in self._endings(market)
        ]

    def _endings(self, market: str) -> list[str]:
        endings: list[str] = []
        for kind in self.kinds:
            if kind == KLINE:
                wanted = [i for i in self.intervals if market == SPOT or i != "1s"]
                endings += [f"kline_{interval}" for interval in wanted]
            elif kind == "markPrice":
                endings += ["markPrice@1s"] if market == USDM else []
            else:
                endings.append(kind)
        return endings


ROUTE_PUBLIC, ROUTE_MARKET = "public", "market"
_ON_PUBLIC = ("bookTicker", "depth", "trade")


def route(name: str, market: str) -> str:
    """Return the address part a stream is served under: USD-M keeps two sorts apart, which never
    share a connection; spot has one address."""
    if market == SPOT:
        return ""
    ending = name.partition("@")[2]
    return ROUTE_PUBLIC if ending.startswith(_ON_PUBLIC) else ROUTE_MARKET
