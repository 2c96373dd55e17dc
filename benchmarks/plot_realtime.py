"""Draw docs/images/realtime.png: a recording's price, the three scores and what they made said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exchanges.market_data.recorded import frames
from signals_app.strategies import realtime
from signals_app.strategies.emission import Emission

ROOT = Path(__file__).resolve().parents[1]
RECORDINGS = sorted((ROOT.parent / "shared/binance/data/hftbacktest/spot").glob("btcusdt_*.gz"))
TARGET = ROOT / "docs/images/realtime.png"
TITLES = {
    "orderbook_skew": "Order book skew (ratio)",
    "trade_momentum": "Trade momentum (score)",
    "ticker_velocity": "Ticker velocity (% per minute)",
}


def main() -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    prices, scores, said = _course()
    figure, axes = pyplot.subplots(
        4, 1, sharex=True, figsize=(10, 9), height_ratios=(2, 1, 1, 1), layout="constrained"
    )
    axes[0].plot(*zip(*prices, strict=True), color="#334155", linewidth=0.8)
    axes[0].set_ylabel("price, USDT")
    axes[0].set_title("BTCUSDT, 2024-08-08 23:54 to 2024-08-09 00:05 UTC, recommended presets")
    for axis, spec in zip(axes[1:], realtime.SPECS, strict=True):
        params = spec.resolved(spec.presets.get("recommended", {}))
        axis.plot(*zip(*scores[spec.strategy_id], strict=True), color="#64748b", linewidth=0.6)
        for name in ("buy_threshold", "sell_threshold"):
            axis.axhline(params[name], color="#94a3b8", linestyle="--", linewidth=0.8)
        axis.set_title(TITLES[spec.strategy_id], fontsize=9, loc="left")
        if spec.strategy_id == "orderbook_skew":
            axis.set_yscale("log")
    _mark(axes, said)
    axes[-1].set_xlabel("seconds since the recording's start; triangles up: buy, down: sell")
    figure.savefig(TARGET, dpi=90)


def _course() -> tuple[list[Any], dict[str, list[Any]], list[tuple[float, Emission, float]]]:
    """Return prices, each strategy's score by second, and what was said with its score."""
    made = [
        realtime.made(spec, spec.resolved(spec.presets.get("recommended", {})))
        for spec in realtime.SPECS
    ]
    by_stream = {one.stream: one for one in made}
    prices: list[Any] = []
    scores: dict[str, list[Any]] = {one.spec.strategy_id: [] for one in made}
    said, start = [], 0
    for one in frames(RECORDINGS):
        start = start or one.at_ms
        strategy = by_stream[one.kind]
        frame = strategy.decode(one.raw)
        emission = strategy.take(one.symbol, frame, frame.received_ms)
        second, score = (one.at_ms - start) / 1000, strategy.score(one.symbol)
        if score is not None and second > 2:
            scores[strategy.spec.strategy_id].append((second, score))
        if strategy is by_stream.get(made[1].stream):
            prices.append((second, frame.data.price))
        if emission is not None and score is not None:
            said.append((second, emission, score))
    return prices, scores, said


def _mark(axes: Any, said: list[tuple[float, Emission, float]]) -> None:
    place = {spec.strategy_id: number for number, spec in enumerate(realtime.SPECS, 1)}
    for second, emission, score in said:
        is_buy = emission.action == "buy"
        look = {"marker": "^" if is_buy else "v", "color": "#16a34a" if is_buy else "#dc2626"}
        axes[place[emission.strategy_id]].plot(second, score, **look, markersize=7)
        axes[0].plot(second, emission.price, **look, markersize=6)


if __name__ == "__main__":
    main()
