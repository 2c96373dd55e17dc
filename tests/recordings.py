"""Real recordings, where they are: tests on them are skipped with a clear word elsewhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from exchanges.market_data.recorded import Recorded, frames

DATA = Path(__file__).resolve().parents[2] / "shared/binance/data"
SPOT = [DATA / f"hftbacktest/spot/btcusdt_{day}.gz" for day in ("20240808", "20240809")]
needed = pytest.mark.skipif(
    not all(path.exists() for path in SPOT), reason="the recordings of ../shared are not here"
)


@cache
def spot_btcusdt() -> list[Recorded]:
    """Eleven minutes of BTCUSDT around midnight of 2024-08-09: books, trades, tickers."""
    return list(frames(SPOT))
