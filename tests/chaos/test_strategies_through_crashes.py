"""Whatever is killed while our own strategies trade on moving prices: no closed candle is lost, no
signal is doubled, and everything hears and speaks again afterwards.

Candles of one second make every kill cost some: they close while the process is away.
"""

from __future__ import annotations

import json
import os
import random
import time
import urllib.request
from collections import Counter
from typing import Any

import pytest

from tests.chaos import candles, ledger, load, said
from tests.product import PROCESSES, SPEAKERS, Product, product

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SEED = int(os.environ.get("CHAOS_SEED", "1"))
ROUNDS = 2
SYMBOLS = ("BTCUSDT", "ETHUSDT", "BNBUSDT")
INTERVALS = ("1s", "1m")
VICTIMS = (
    "market",
    "strategies",
    "analysis",
    "beat",
    "signals",
    "worker",
    "exits",
    "nats",
    "redis",
)
AWAY_SECONDS = (0.3, 4.0)
BETWEEN_SECONDS = (1.0, 5.0)
BEFORE_MS = 600_000  # filled at the start, and still there in the end
REPAIRED_WITHIN = 60  # seconds: a late candle is one after 15 s, the job looks every 10
STOP_ORDER = ("signals", "beat", "worker", "exits", "market", "userstream", "web")
# Longer than a killed process takes to hear and judge again: one that forgot would speak too soon.
COOLDOWNS = {"orderbook_skew": 25.0, "trade_momentum": 20.0, "ticker_velocity": 25.0}
TECHNICAL = {
    "1m": ("bollinger_reversion", "inside_bar_breakout", "vwap_reversion", "obv_trend"),
    "1s": (
        "rsi_reversal",
        "stochastic_cross",
        "engulfing",
        "parabolic_sar",
        "supertrend",
        "macd_cross",
        "donchian_breakout",
        "aroon_cross",
        "keltner_breakout",
    ),
}
SETTINGS = load.ACCOUNT | {
    "TRADING_SYMBOLS": ",".join(SYMBOLS),
    "CANDLE_INTERVALS": ",".join(INTERVALS),
    "HISTORY_DAYS": "0",
    "HISTORY_CANDLES": "900",
    "DEFAULT_BASE_AMOUNT": "12",
    "LOG_LEVEL": "INFO",
    "SIGNAL_MAX_AGE_SECONDS": "60",
    # What stops entries while parts are away is not what is tried here.
    "TRIP_VENUE_ERROR_PCT": "0",
    "TRIP_MARKET_STALE_SECONDS": "0",
    "TRIP_CLOCK_SKEW_MS": "0",
    "TRIP_UNKNOWN_ORDER_SECONDS": "0",
    "TRIP_NATS_BACKLOG": "0",
    "TRIP_SLIPPED_ENTRIES": "0",
    "QUOTE_MAX_AGE_SECONDS": "4",
    "MAX_LATENCY_MS": "4000",
    "ORDERBOOK_SKEW_MIN_SPREAD_PERCENT": "0",
    "ORDERBOOK_SKEW_SMOOTHING_SECONDS": "1",
    "ORDERBOOK_SKEW_WARMUP_SECONDS": "0",
    "ORDERBOOK_SKEW_BUY_THRESHOLD": "1.1",
    "ORDERBOOK_SKEW_SELL_THRESHOLD": "0.9",
    "TRADE_MOMENTUM_WARMUP_SECONDS": "0",
    "TRADE_MOMENTUM_BUY_THRESHOLD": "0.4",
    "TRADE_MOMENTUM_SELL_THRESHOLD": "-0.4",
    "TICKER_VELOCITY_TIME_WINDOW": "3",
    "TICKER_VELOCITY_BUY_THRESHOLD": "0.01",
    "TICKER_VELOCITY_SELL_THRESHOLD": "-0.01",
    "TICKER_VELOCITY_MIN_PRICE_CHANGE": "0",
    **{f"{name.upper()}_COOLDOWN_SECONDS": str(value) for name, value in COOLDOWNS.items()},
}


def test_no_candle_is_lost_and_no_signal_doubled_whatever_dies(tmp_path, tell):
    dice = random.Random(SEED)
    arguments = ("--symbols", ",".join(SYMBOLS), "--seed", str(SEED))
    with product(tmp_path, prices="synthetic", venue_arguments=arguments, **SETTINGS) as whole:
        opening = ledger.balances(whole.venue.control("ledger"))
        whole.start(*PROCESSES, *SPEAKERS)
        whole.wait_until_ready()
        have_technical_ones_speak(whole)
        whole.eventually(lambda: every_kind_speaks(whole, since_ms=0), 90)
        began = now_ms()
        for victims in in_turn(dice):
            time.sleep(dice.uniform(*BETWEEN_SECONDS))
            kill_and_start(whole, victims, dice.uniform(*AWAY_SECONDS))
        ended = now_ms()
        at_first = candle_faults(whole, began, ended)
        whole.eventually(lambda: every_kind_speaks(whole, since_ms=ended), 60)
        assert_strategies_hear(whole)
        whole_again = wait_for_candles(whole, began - BEFORE_MS, ended)
        repaired = repaired_since(whole, began)
        assert repaired, "nothing was lost: nothing is proven"
        whole.stop(*SPEAKERS)
        told = said.on_the_bus(whole)
        load.wait_until_settled(whole, len(told), 90)
        whole.stop(*STOP_ORDER)
        assert said.faults(told, COOLDOWNS) == []
        rows = whole.rows("SELECT uid, status, error_message FROM signals_app_signal")
        assert said.not_taken(told, [row["uid"] for row in rows]) == []
        assert [row for row in rows if row["status"] in ("received", "rejected")] == []
        entries = whole.rows("SELECT * FROM trading_order WHERE role = 'entry'")
        placed = [order["placedAs"] for order in whole.venue.control("ledger")["orders"]]
        assert said.entries_doubled(entries, placed) == []
        ledger.assert_each_order_was_sent_once(whole)
        books = ledger.assert_equal_books(whole, opening)
        assert_enough_was_tried(told, entries)
    tell(
        seed=SEED,
        kills=2 * ROUNDS * len(VICTIMS),
        storm_s=(ended - began) // 1000,
        signals=len(told),
        by_strategy=dict(Counter(one.strategy for one in told)),
        entries=len(entries),
        candles_repaired=repaired,
        missing_at_the_end=len(at_first),
        **whole_again,
        **books,
    )


def have_technical_ones_speak(whole: Product) -> None:
    """Switch some on for the short intervals and all others off, as an operator does."""
    wanted = {name: interval for interval, names in TECHNICAL.items() for name in names}
    for strategy in whole.get("/api/v1/strategies").body:
        if strategy["kind"] != "technical":
            continue
        interval = wanted.get(strategy["strategy_id"])
        wish: dict[str, Any] = {"mode": "live" if interval else "off", "reason": "proof"}
        wish |= {"timeframes": [interval]} if interval else {}
        path = f"/api/v1/strategies/{strategy['strategy_id']}"
        answer = whole.request("PATCH", path, wish)
        assert answer.status == 200, answer


def in_turn(dice: random.Random) -> list[list[str]]:
    """Return everything that can be killed, one by one and then two at a time, and again."""
    turns = []
    for _ in range(ROUNDS):
        alone, pairs = (dice.sample(VICTIMS, len(VICTIMS)) for _ in range(2))
        turns += [[one] for one in alone]
        turns += [pairs[at : at + 2] for at in range(0, len(pairs), 2)]
    return turns


def kill_and_start(whole: Product, victims: list[str], away_seconds: float) -> None:
    servers = [getattr(whole, name) for name in victims if name in ("nats", "redis")]
    processes = [name for name in victims if name not in ("nats", "redis")]
    for server in servers:
        server.kill()
    whole.kill(*processes)
    time.sleep(away_seconds)
    for server in servers:
        server.start()
    whole.start(*processes)


def every_kind_speaks(whole: Product, *, since_ms: int) -> bool:
    """Tell whether every realtime strategy and some technical one spoke since, in the table."""
    rows = whole.rows("SELECT raw FROM signals_app_signal ORDER BY id DESC LIMIT 300")
    told = [said.read(json.loads(bytes(row["raw"]))) for row in rows]
    spoke = {one.strategy for one in told if one.at_ms > since_ms}
    return spoke >= COOLDOWNS.keys() and bool(spoke - COOLDOWNS.keys())


def assert_strategies_hear(whole: Product) -> None:
    url = f"http://127.0.0.1:{whole.environment['STRATEGIES_PORT']}/info"
    with urllib.request.urlopen(url, timeout=5) as answer:
        info = json.load(answer)
    assert info["state"] == "running", info
    assert info["connected"], info
    assert info["feed_age_seconds"] < 5, info
    assert sorted(info["symbols"]) == sorted(SYMBOLS), info


def wait_for_candles(whole: Product, start_ms: int, end_ms: int) -> dict[str, Any]:
    """Return when each candle of the span that the venue has is ours; how long that took."""
    started = time.monotonic()
    while faults := candle_faults(whole, start_ms, end_ms):
        waited = time.monotonic() - started
        assert waited < REPAIRED_WITHIN, (len(faults), faults[:10], faults[-10:])
        time.sleep(1)
    return {
        "candles": len(candles.ours(whole, start_ms, end_ms)),
        "whole_after_s": round(time.monotonic() - started, 1),
    }


def repaired_since(whole: Product, since_ms: int) -> int:
    """Return how many candles the repair job fetched since: the past was filled before."""
    lines = [json.loads(x) for x in whole.log("analysis").splitlines() if x.startswith("{")]
    jobs = [line for line in lines if line.get("event") == "history_repaired"]
    return sum(job["candles"] for job in jobs if said.moment_ms(job["timestamp"]) > since_ms)


def candle_faults(whole: Product, start_ms: int, end_ms: int) -> list[str]:
    theirs = candles.venue(whole.venue.base_url, SYMBOLS, INTERVALS, start_ms, end_ms)
    return candles.faults(theirs, candles.ours(whole, start_ms, end_ms))


def assert_enough_was_tried(told: list[said.Said], entries: list[dict[str, Any]]) -> None:
    spoke = Counter(one.strategy for one in told)
    assert all(spoke[name] >= 5 for name in COOLDOWNS), spoke
    assert len([one for one in told if one.timeframe]) >= 5, spoke
    assert len([one for one in entries if one["status"] == "FILLED"]) >= 10, spoke


def now_ms() -> int:
    return time.time_ns() // 1_000_000
