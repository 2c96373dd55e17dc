"""A result as one JSON document, and that document as a page with charts.

The charts are TradingView Lightweight Charts (Apache License 2.0); their logo and NOTICE stay.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import orjson

from exchanges.domain.candles import Candles
from signals_app.backtest import metrics, result
from signals_app.backtest.metrics import DASH, Figures, percent
from signals_app.backtest.result import Result
from trading.domain.figures import plain

MOST_POINTS = 1500
MOST_TRADES = 1000
MOST_WORDS = 200
NOTICE = (
    "TradingView Lightweight Charts™, Copyright (c) 2025 TradingView, Inc., licensed under the "
    "Apache License 2.0, https://www.tradingview.com/"
)
ASSUMED = (
    "A call on a closed candle is filled at the next candle's open (after the latency, at a price "
    "that has moved against it).",
    "A stop comes before a target when one candle holds both; an open beyond a stop sells at the "
    "open, a target pays its own price and no more.",
    "Every order was decided by the live rules; prices, balances and the venue's latency are "
    "always fresh here, no kill switch is thrown and no other account trades.",
    "Nothing we do moves the market beyond the spread, slippage and depth named above.",
)
SHOWN = ("equity", "candles", "marks")  # what the charts need
Json = dict[str, Any]


def document(
    found: Result,
    figures: Figures,
    candles: Candles | None = None,
    *,
    warnings: Sequence[str] = (),
) -> Json:
    """Return everything a page or a program needs; columns are thinned out to MOST_POINTS."""
    setup, said = found.setup, found.said
    hold = metrics.hold_curve(found)
    bars = _bars(candles) if candles is not None else []
    return {
        "setup": {
            "strategy_id": setup.strategy_id,
            "symbol": setup.symbol,
            "interval": setup.interval,
            "params": dict(setup.params),
            "cash": plain(setup.cash),
            "fee_bps": plain(setup.costs.fee_bps),
            "spread_bps": plain(setup.costs.spread_bps),
            "slippage_bps": plain(setup.costs.slippage_bps),
            "depth_per_bps": plain(setup.costs.depth_per_bps),
            "latency_ms": setup.costs.latency_ms,
            "from": metrics.day_of(found.began_ms),
            "to": metrics.day_of(int(found.looked_ms[-1])),
            "looks": len(found.looked_ms),
        },
        "digest": found.digest,
        "warnings": list(warnings),
        "figures": metrics.as_json(figures),
        "lines": metrics.lines(figures),
        "calls": {
            "said": said.calls,
            "buys": said.buys,
            "sells": said.sells,
            "approved": said.approved,
            "denied": dict(said.denied.most_common()),
            "rejected": dict(said.rejected.most_common()),
            "unfinished": found.unfinished,
        },
        "still_open": plain(found.base) if found.is_open else "",
        "equity": _curves(found, hold),
        "candles": bars,
        "marks": _marks(found, bars),
        "trades": result.trades_json(found)[:MOST_TRADES],
        "fills": result.fills_json(found)[: 2 * MOST_TRADES],
        "denials": result.denials_json(said.denials[:MOST_TRADES]),
        "assumed": list(ASSUMED),
    }


def _curves(found: Result, hold: Any) -> Json:
    """Thin the columns out: the last equity of each stretch, and its deepest drawdown."""
    count = len(found.equity)
    highs = np.maximum.accumulate(np.maximum(found.equity, float(found.setup.cash)))
    falls = found.equity / highs - 1
    width = max(1, math.ceil(count / MOST_POINTS))
    starts = np.arange(0, count, width)
    ends = np.minimum(starts + width, count) - 1
    return {
        "time": (found.looked_ms[ends] // 1000).tolist(),
        "equity": np.round(found.equity[ends], 4).tolist(),
        "hold": np.round(hold[ends], 4).tolist(),
        "drawdown": np.round(np.minimum.reduceat(falls, starts) * 100, 4).tolist(),
    }


def _bars(candles: Candles) -> list[list[float]]:
    """Return [opened (epoch s), open, high, low, close], several candles in one where many."""
    count = len(candles)
    width = max(1, math.ceil(count / MOST_POINTS))
    starts = np.arange(0, count, width)
    ends = np.minimum(starts + width, count) - 1
    columns = (
        candles.opened_ms[starts] // 1000,
        candles.open[starts],
        np.maximum.reduceat(candles.high, starts),
        np.minimum.reduceat(candles.low, starts),
        candles.close[ends],
    )
    return [list(row) for row in zip(*(c.tolist() for c in columns), strict=True)]


def _marks(found: Result, bars: list[list[float]]) -> list[list[Any]]:
    """Return [bar (epoch s), side, why] of the fills; several of a side in one bar are one mark,
    and many marks go without their words."""
    if not bars:
        return []
    opened = [bar[0] for bar in bars]
    words = len(found.fills) <= MOST_WORDS
    marks: dict[tuple[float, str], str] = {}
    for fill in found.fills:
        bar = opened[max(bisect_right(opened, fill.at_ms // 1000) - 1, 0)]
        marks.setdefault((bar, fill.side), fill.why if words else "")
    return [[bar, side, why] for (bar, side), why in sorted(marks.items())]


# ---- the page --------------------------------------------------------------------------------


def body(told: Mapping[str, Any]) -> str:
    """Return the report as HTML to stand in a page; every word in it is escaped."""
    return "\n".join(
        (
            _head(told),
            _chart("bt-equity", "Equity", "against buying and holding with the same costs"),
            _chart("bt-drawdown", "Drawdown", "percent below the best so far"),
            _chart("bt-candles", "Trades", "on the candles they were made on")
            if told["candles"]
            else "",
            '<div class="story-two">',
            _table("Months", ("Month", "Strategy", "Buy and hold"), _months(told)),
            _table("Calls", ("What became of them", "Calls"), _calls(told)),
            "</div>",
            _table("Trades", TRADE_HEADINGS, _trades(told["trades"]), _first(told["trades"])),
            _assumed(told),
        )
    )


def page(told: Mapping[str, Any], *, chart_js: str, page_js: str, css: str) -> str:
    """Return a page that needs nothing from anywhere: scripts, data and styles are in it."""
    setup = told["setup"]
    title = escape(f"{setup['strategy_id']} {setup['symbol']} {setup['interval']}")
    return (
        "<!DOCTYPE html>\n<!-- " + escape(NOTICE) + " -->\n"
        f'<html lang="en"><head><meta charset="utf-8"><title>Backtest {title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<style>{css}\n{PAGE_CSS}</style></head><body><main class="story">'
        f"{body(told)}"
        f'<p class="story-none">Charts: {escape(NOTICE)}</p></main>'
        f'<script id="backtest-data" type="application/json">{data(told)}</script>'
        f"<script>{_script(chart_js)}</script><script>{_script(page_js)}</script></body></html>"
    )


def data(told: Mapping[str, Any]) -> str:
    """Return the charts' columns as JSON that can stand in a script element."""
    shown = {name: told[name] for name in SHOWN}
    text = orjson.dumps(shown).decode()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _script(text: str) -> str:
    return text.replace("</script", "<\\/script")


PAGE_CSS = """
:root{--page:#f6f7f9;--panel:#fff;--line:#e2e5ea;--raised:#f0f2f5;--text:#3b4252;--strong:#151a24;
--faint:#6b7485;--good:#12805c;--bad:#c0283f;--good-soft:#e3f5ee;--bad-soft:#fdeaec;
--warn:#8a5a00;--warn-soft:#fff3da;--info:#2457c5;--info-soft:#e6eefc}
@media (prefers-color-scheme:dark){:root{--page:#12151b;--panel:#191d25;--line:#2a303b;
--raised:#222732;--text:#c3c9d4;--strong:#f2f4f8;--faint:#8b94a5;--good:#4cc79b;--bad:#ff7084;
--good-soft:#12372b;--bad-soft:#43181f;--warn:#ffc861;--warn-soft:#3d2e0d;--info:#86adff;
--info-soft:#1a2a4d}}
*{box-sizing:border-box}body{margin:0;background:var(--page);font:14px/1.5 system-ui,sans-serif}
main{max-width:1200px;margin:0 auto;padding:16px}h1,h2,p,dl,dd{margin:0}
"""


def _head(told: Mapping[str, Any]) -> str:
    setup = told["setup"]
    params = ", ".join(f"{n} {v:g}" for n, v in setup["params"].items()) or "no parameters"
    costs = (
        f"fee {setup['fee_bps']} bps, spread {setup['spread_bps']} bps, slippage "
        f"{setup['slippage_bps']} bps, latency {setup['latency_ms']} ms"
    )
    if setup["depth_per_bps"] != "0":
        costs += f", depth {setup['depth_per_bps']} a basis point"
    few = told["figures"]["returns"]
    per = told["figures"]["period"]
    stated = f"Ratios are of {few} returns of a {per}; a year has 365 days."
    digest = told["digest"][:16]
    still = f" {told['still_open']} is still held, valued at the end." if told["still_open"] else ""
    facts = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in told["lines"]
    )
    return (
        '<section class="story-card"><div class="story-head">'
        f"<h1>{escape(setup['strategy_id'])} {escape(setup['symbol'])}</h1>"
        f'<span class="story-pill">{escape(setup["interval"] or "stream")}</span>'
        f"<p>{escape(setup['from'])} to {escape(setup['to'])} UTC, {setup['looks']:,} looks, "
        f"{escape(setup['cash'])} to begin with; {escape(costs)}.<br>{escape(params)}.</p></div>"
        f"{_warnings(told)}"
        f'<div class="story-body"><dl class="story-facts">{facts}</dl></div>'
        f'<p class="story-none">{escape(stated + still)} Result {digest}.</p></section>'
    )


def _warnings(told: Mapping[str, Any]) -> str:
    return "".join(
        f'<div class="story-body"><div class="story-error">{escape(words)}</div></div>'
        for words in told.get("warnings", ())  # reports from before have none
    )


def _chart(name: str, title: str, words: str) -> str:
    return (
        f'<section class="story-card"><h2>{title} <span>{words}</span></h2>'
        f'<div class="backtest-chart" id="{name}"></div></section>'
    )


TRADE_HEADINGS = ("Opened", "Closed", "By", "Bought", "Entry", "Exit", "Fees", "Profit", "%")


def _months(told: Mapping[str, Any]) -> list[list[str]]:
    rows = told["figures"]["months"]
    return [[row["month"], percent(row["return"]), percent(row["hold"])] for row in rows]


def _calls(told: Mapping[str, Any]) -> list[list[str]]:
    calls = told["calls"]
    rows = [["approved", f"{calls['approved']:,}"]]
    rows += [[f"denied: {code}", f"{n:,}"] for code, n in calls["denied"].items()]
    rows += [[f"rejected by the venue: {code}", f"{n:,}"] for code, n in calls["rejected"].items()]
    if calls["unfinished"]:
        rows.append(["on their way at the end", f"{calls['unfinished']:,}"])
    return rows


def _trades(trades: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    rows = []
    for one in trades:
        cost = float(one["bought"]) * float(one["entry_price"])
        share = percent(float(one["profit"]) / cost) if cost else DASH
        rows.append(
            [
                metrics.day_of(one["opened_ms"]),
                metrics.day_of(one["closed_ms"]),
                one["why"],
                one["bought"],
                f"{float(one['entry_price']):,.8g}",
                f"{float(one['exit_price']):,.8g}",
                f"{float(one['fees']):,.4f}",
                f"{float(one['profit']):,.4f}",
                share,
            ]
        )
    return rows


def _first(trades: Sequence[Any]) -> str:
    return f"the first {MOST_TRADES:,}" if len(trades) == MOST_TRADES else f"{len(trades):,} closed"


def _table(title: str, headings: Sequence[str], rows: list[list[str]], words: str = "") -> str:
    head = "".join(f"<th>{escape(h)}</th>" for h in headings)
    lines = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    none = "" if rows else '<p class="story-none">None.</p>'
    return (
        f'<section class="story-card"><h2>{escape(title)} <span>{escape(words)}</span></h2>'
        f'<div class="story-table backtest-rows"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>{none}</section>"
    )


def _assumed(told: Mapping[str, Any]) -> str:
    lines = "".join(f"<li>{escape(line)}</li>" for line in told["assumed"])
    return (
        '<section class="story-card"><h2>What is assumed</h2>'
        f'<div class="story-body"><ul class="backtest-notes">{lines}</ul></div></section>'
    )
