"""Real candles, where the shared recordings are at hand."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exchanges.domain.candles import Candles

FOLDER = Path(__file__).resolve().parents[4] / "shared/binance/data"


@cache
def btc_15m() -> Candles:
    """Return BTCUSDT of spot, 2024-01-01 to 2025-08-27, 57,995 candles without a gap."""
    file = FOLDER / "klines_spot/FreqBot/BTC_USDT-15m.json.gz"
    if not file.exists():
        pytest.skip("no shared recordings here (../shared/binance/data)")
    with gzip.open(file) as opened:
        return _of("15m", np.array(json.load(opened), dtype=float).T)


@cache
def btc_5m() -> Candles:
    """Return BTCUSDT of spot, 2022-12-01 to 2023-10-02, 87,983 candles with one real gap."""
    file = FOLDER / "klines_spot/ichiv1/BTC_USDT-5m.feather"
    if not file.exists():
        pytest.skip("no shared recordings here (../shared/binance/data)")
    import pyarrow.feather

    table = pyarrow.feather.read_table(file)
    opened = table["date"].to_numpy().astype("datetime64[ms]").astype(np.int64)
    prices = [table[name].to_numpy() for name in ("open", "high", "low", "close", "volume")]
    return _of("5m", np.vstack([opened, *prices]))


def _of(interval: str, columns: np.ndarray) -> Candles:
    names = ("opened_ms", "open", "high", "low", "close", "volume")
    known: dict[str, Any] = dict(zip(names, map(np.ascontiguousarray, columns), strict=True))
    known["opened_ms"] = known["opened_ms"].astype(np.int64)
    for name in ("quote_volume", "taker_volume", "taker_quote_volume"):
        known[name] = np.zeros(columns.shape[1])
    return Candles("BTCUSDT", interval, trades=np.zeros(columns.shape[1], np.int64), **known)
