"""Draw docs/images/market-data.png: `python docs/plots/market_data.py`.

Above: half a minute of the recorded BTCUSDT stream as our own book has it, kept from diffs.
Below: how long a lone frame is under way from its receipt to a consumer on NATS.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
mpl.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402

from benchmarks import market_flow  # noqa: E402
from exchanges.domain.order_book import Change, SyncedBook  # noqa: E402
from petrosa_site.stack import servers  # noqa: E402

PICTURE = ROOT / "docs/images/market-data.png"
SECONDS = 30.0
LEVELS = 20


def frames() -> Iterator[tuple[float, dict[str, Any]]]:
    with gzip.open(market_flow.RECORDING, "rt") as lines:
        for line in lines:
            stamp, _, text = line.partition(" ")
            yield int(stamp) / 1e9, json.loads(text)


def seen(frame: dict[str, Any], book: SyncedBook) -> str:
    """Take a frame into the book; return what it was."""
    if "lastUpdateId" in frame:
        book.snapshot(frame["lastUpdateId"], frame["bids"], frame["asks"])
        return "snapshot"
    data = frame["data"]
    if data.get("e") == "depthUpdate":
        book.change(Change(data["U"], data["u"], data.get("pu"), data["b"], data["a"]))
    return str(data.get("e", "best"))


def moments() -> tuple[list[Any], list[Any]]:
    """Return (time, bids, asks) after each change, and (time, price, quantity, is buy)."""
    book, tops, trades = SyncedBook(), [], []
    for at, frame in frames():
        kind = seen(frame, book)
        if kind == "depthUpdate" and book.is_in_step:
            tops.append((at, *book.book.top(LEVELS)))
        elif kind == "trade":
            data = frame["data"]
            trades.append((at, float(data["p"]), float(data["q"]), not data["m"]))
    return tops, trades


def busiest(tops: list[Any]) -> float:
    """Return where the price moved most within SECONDS."""
    prices = [(at, float(bids[0][0])) for at, bids, _ in tops]
    step = int(SECONDS * 10)
    moves = [
        (abs(prices[i + step][1] - prices[i][1]), prices[i][0])
        for i in range(0, len(prices) - step, 10)
    ]
    _, start = max(moves)
    return float(start)


def under_way() -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        server = servers.nats_server(Path(folder)).start()
        try:
            return asyncio.run(market_flow.alone(server.url, market_flow.wires()))
        finally:
            server.stop()


def main() -> None:
    tops, trades = moments()
    start = busiest(tops)
    part = [top for top in tops if start <= top[0] <= start + SECONDS]
    figure, (above, below) = plt.subplots(2, 1, figsize=(10, 7), height_ratios=(3, 1))
    for place, colour in ((1, "tab:green"), (2, "tab:red")):
        levels = [(top[0] - start, float(p), float(q)) for top in part for p, q in top[place]]
        times, prices, sizes = zip(*levels, strict=True)
        above.scatter(times, prices, s=[min(40.0, 6 * q) for q in sizes], c=colour, alpha=0.05)
        best = [float(top[place][0][0]) for top in part]
        above.step([top[0] - start for top in part], best, where="post", c=colour, lw=1.2)
    mine = [t for t in trades if start <= t[0] <= start + SECONDS]
    for is_buy, mark, colour in ((True, "^", "darkgreen"), (False, "v", "darkred")):
        some = [t for t in mine if t[3] is is_buy]
        above.scatter(
            [t[0] - start for t in some], [t[1] for t in some], s=14, marker=mark, c=colour
        )
    above.set_title("BTCUSDT spot, recorded 2024-08-08: best prices, 20 levels, trades")
    above.set_ylabel("USDT")
    above.set_xlabel("seconds")
    above.grid(alpha=0.3)
    took = sorted(seconds * 1e6 for seconds in under_way())
    below.hist(took[: int(len(took) * 0.995)], bins=80, color="tab:blue")
    for share, name in ((0.5, "p50"), (0.99, "p99")):
        value = took[int(len(took) * share)]
        below.axvline(value, c="black", lw=1, ls="--")
        below.text(value, below.get_ylim()[1] * 0.85, f" {name} {value:.0f} µs")
    below.set_title("a lone frame, from its receipt to a consumer on NATS (one machine)")
    below.set_xlabel("microseconds")
    figure.tight_layout()
    figure.savefig(PICTURE, dpi=80)


if __name__ == "__main__":
    main()
