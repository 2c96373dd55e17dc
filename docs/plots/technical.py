"""Draw what four technical strategies say of BTCUSDT: `python docs/plots/technical.py`.

From the shared recording where it is at hand, else from a made-up walk.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
mpl.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402

from benchmarks.technical import walk  # noqa: E402
from exchanges.domain.candles import Candle, Candles  # noqa: E402
from signals_app.strategies.technical import BY_ID  # noqa: E402

RECORDING = ROOT.parent / "shared/binance/data/klines_spot/FreqBot/BTC_USDT-15m.json.gz"
PICTURE = ROOT / "docs/images/technical-strategies.png"
SHOWN = {
    "supertrend": ("upper", "lower"),
    "donchian_breakout": ("upper", "lower"),
    "bollinger_reversion": ("upper", "lower"),
    "volume_surge_breakout": ("upper", "lower"),
}
START, END = 6_250, 6_550  # early March 2024 in the recording
UP, DOWN, GREY = "#15803d", "#b91c1c", "#94a3b8"


def candles() -> Candles:
    if not RECORDING.exists():
        return walk(END, "15m", seed=4)
    with gzip.open(RECORDING) as opened:
        rows = json.load(opened)[:END]
    return Candles.of("BTCUSDT", "15m", [Candle(*row, 0.0, 0, 0.0, 0.0) for row in rows])


def draw(axes: Axes, series: Candles, strategy_id: str) -> None:
    strategy = BY_ID[strategy_id]
    calls = strategy.calls(series, strategy.spec.defaults())
    at = np.arange(START, len(series))
    rises = series.close[at] >= series.open[at]
    colours = np.where(rises, UP, DOWN)
    axes.vlines(at, series.low[at], series.high[at], colors=colours, linewidth=0.5)
    axes.vlines(at, series.open[at], series.close[at], colors=colours, linewidth=1.8)
    for name in SHOWN[strategy_id]:
        axes.plot(at, calls.indicators[name][at], color=GREY, linewidth=0.8)
    reach = np.ptp(series.close[at]) * 0.04
    for side, mark, colour in ((1, "^", UP), (-1, "v", DOWN)):
        spoken = at[calls.side[at] == side]
        edge = series.low if side > 0 else series.high
        axes.scatter(spoken, edge[spoken] - side * reach, marker=mark, color=colour, s=46, zorder=3)
        axes.hlines(calls.stop_loss[spoken], spoken - 3, spoken + 9, colors=colour, linestyles=":")
    axes.set_title(f"{strategy_id}: {strategy.spec.title}", loc="left", fontsize=9)
    axes.set_xticks([])
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right", "bottom"]].set_visible(False)


def main() -> None:
    series = candles()
    figure, panels = plt.subplots(2, 2, figsize=(12, 7), sharex=True)
    for axes, strategy_id in zip(panels.flat, SHOWN, strict=True):
        draw(axes, series, strategy_id)
    first, last = series.closed_at(START), series.closed_at(len(series) - 1)
    figure.suptitle(
        f"{series.symbol} {series.interval}, {first:%Y-%m-%d} to {last:%Y-%m-%d}; triangles: "
        "signals, dotted: their stop-loss",
        fontsize=10,
    )
    figure.tight_layout()
    figure.savefig(PICTURE, dpi=80)


if __name__ == "__main__":
    main()
