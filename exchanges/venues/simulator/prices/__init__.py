"""Price sources, chosen by name: synthetic, still, replay:FILE, binance."""

from __future__ import annotations

from collections.abc import Mapping

from exchanges.venues.simulator.clock import Clock
from exchanges.venues.simulator.instruments import Listing
from exchanges.venues.simulator.prices.base import (
    PriceSource,
    RecordingUnreadable,
    UnknownPriceSource,
)
from exchanges.venues.simulator.prices.sink import Candle, PriceSink

__all__ = [
    "Candle",
    "PriceSink",
    "PriceSource",
    "RecordingUnreadable",
    "UnknownPriceSource",
    "open_source",
    "problem",
]


def open_source(
    name: str, listings: Mapping[str, Listing], clock: Clock, *, seed: int = 1
) -> PriceSource:
    """Return the price source called `name`.

    Names: `synthetic[:seed=N,interval_ms=N]`, `still[:...]` (synthetic that never moves),
    `replay:FILE[,FILE][@SPEED]` (a file, several or a folder, SPEED times as fast; longer:
    `replay:FILE?speed=N,after=SECONDS`), `binance[:wss://host]`.
    Raises UnknownPriceSource for any other name, RecordingUnreadable for a file that is none.
    """
    kind, _, rest = name.partition(":")
    if kind in ("synthetic", "still"):
        from exchanges.venues.simulator.prices.synthetic import SyntheticPrices

        options = _options(rest)
        return SyntheticPrices(
            listings,
            clock,
            seed=options.get("seed", seed),
            interval_ms=options.get("interval_ms", 250),
            moves=kind == "synthetic",
        )
    if kind == "replay" and rest:
        from exchanges.venues.simulator.prices.replay import ReplayPrices

        names, pace = recordings(rest)
        return ReplayPrices(names, listings, clock, **pace)
    if kind == "binance":
        from exchanges.venues.simulator.prices.binance import PUBLIC_STREAMS, BinancePrices

        return BinancePrices(listings, clock, base_url=rest or PUBLIC_STREAMS)
    raise UnknownPriceSource(name)


def problem(name: str) -> str:
    """Return what is wrong with the name of a price source, or its files; empty when nothing is."""
    try:
        open_source(name, {}, Clock())
    except (UnknownPriceSource, RecordingUnreadable) as error:
        return str(error)
    return ""


def recordings(text: str) -> tuple[str, dict[str, float]]:
    """Take `FILE,FILE@SPEED` or `FILE?speed=N,after=N` apart."""
    names, _, query = text.partition("?")
    pairs = (pair.partition("=") for pair in query.split(",") if pair)
    files, at, speed = names.rpartition("@")
    try:
        options = {key: float(value) for key, _, value in pairs}
        if at and _is_number(speed):
            names, options["speed"] = files, float(speed)
    except ValueError:
        raise UnknownPriceSource(f"replay:{text}") from None
    if set(options) - {"speed", "after"} or any(value < 0 for value in options.values()):
        raise UnknownPriceSource(f"replay:{text}")
    return names, options


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def _options(text: str) -> dict[str, int]:
    pairs = (pair.partition("=") for pair in text.split(",") if pair)
    try:
        return {key: int(value) for key, _, value in pairs}
    except ValueError:
        raise UnknownPriceSource(text) from None
