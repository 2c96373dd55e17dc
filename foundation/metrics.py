"""Counts and timings of the corridor, in the names operators' dashboards already use."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

TRADES = Counter(
    "tradeengine_trades_total", "Orders that reached a status, by type", ["status", "type"]
)
ERRORS = Counter("tradeengine_errors_total", "Errors by type", ["type"])
LATENCY = Histogram(
    "tradeengine_latency_seconds",
    "Time from signal received to the named stage",
    ["stage"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60),
)
PROTECTION_GAP = Histogram(
    "petrosa_protection_gap_seconds",
    "Time coins had no stop of their own because the venue wants a cancel before a placing",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
NATS_MESSAGES = Counter(
    "tradeengine_nats_messages_processed_total", "Messages taken from NATS by outcome", ["outcome"]
)
SLIPPAGE = Histogram(
    "petrosa_slippage_bps",
    "Fills against the price their order was decided on, basis points; positive is worse",
    ["role"],
    buckets=(-50, -10, -5, -2, -1, 0, 1, 2, 5, 10, 20, 50, 100, 500),
)
MARKET_MESSAGES = Counter(
    "petrosa_market_messages_total",
    "Frames of the market streams; late ones were told again or out of order",
    ["exchange", "market", "environment", "kind"],
)
MARKET_RECONNECTS = Counter(
    "petrosa_market_reconnects_total",
    "Market streams that had to be opened anew",
    ["exchange", "market", "environment"],
)
MARKET_RENEWALS = Counter(
    "petrosa_market_renewals_total",
    "Market streams that another took over from without a gap",
    ["exchange", "market", "environment"],
)
MARKET_LAG = Gauge(
    "petrosa_market_lag_ms",
    "Received minus event time of the newest frame, milliseconds",
    ["exchange", "market", "environment", "kind"],
    multiprocess_mode="mostrecent",
)
MARKET_LAG_WORST = Gauge(
    "petrosa_market_lag_worst_ms",
    "The same, worst of the last seconds",
    ["exchange", "market", "environment", "kind"],
    multiprocess_mode="mostrecent",
)
MARKET_STALENESS = Gauge(
    "petrosa_market_staleness_seconds",
    "Since the last frame of a stream, as of the feed's last word",
    ["exchange", "market", "environment", "symbol", "kind"],
    multiprocess_mode="mostrecent",
)
MARKET_PUBLISHED = Counter(
    "petrosa_market_published_total",
    "Frames published on NATS",
    ["exchange", "market", "environment"],
)
MARKET_DROPPED = Counter(
    "petrosa_market_dropped_total",
    "Frames that NATS was too slow or too long away for",
    ["exchange", "market", "environment", "kind"],
)
MARKET_QUEUE = Gauge(
    "petrosa_market_queue_depth",
    "What waits: frames for NATS, closed candles for the database",
    ["exchange", "market", "environment", "queue"],
    multiprocess_mode="mostrecent",
)
MARKET_RESYNCS = Counter(
    "petrosa_market_resyncs_total",
    "Books that were built anew from a snapshot, by why",
    ["exchange", "market", "environment", "reason"],
)
CANDLES_CLOSED = Counter(
    "petrosa_market_candles_total",
    "Closed candles by what became of them: stored, retried, refused, lost",
    ["exchange", "market", "environment", "outcome"],
)
SIGNALS = Counter("petrosa_signals_total", "Signals by source and outcome", ["source", "outcome"])
DENIALS = Counter("petrosa_denials_total", "Denied intents by code", ["code"])
AUDIT_FAILURES = Counter("petrosa_audit_failures_total", "Audit lines that could not be written")
CANDLE_RUNS = Counter(
    "petrosa_candle_runs_total",
    "Closed candles by what became of them: ran, partly, late (with all that were missed)",
    ["outcome"],
)
CANDLE_DELAY = Histogram(
    "petrosa_candle_delay_seconds",
    "Time from the close of a candle until what strategies say of it is on the bus",
    ["interval"],
    buckets=(0.5, 1, 2, 3, 5, 10, 20, 30, 60),
)
TRIPS = Gauge(
    "petrosa_trip_state",
    "Circuit breakers: 0 fine, 1 tripped, -1 unknown",
    ["trip", "scope", "key"],
    multiprocess_mode="mostrecent",
)
STRATEGY_MESSAGES = Counter(
    "petrosa_strategies_messages_total", "Frames the realtime strategies took", ["kind"]
)
STRATEGY_DROPPED = Counter(
    "petrosa_strategies_dropped_total", "Frames dropped because too many waited", ["kind"]
)
STRATEGY_SIGNALS = Counter(
    "petrosa_strategies_signals_total",
    "What our strategies said",
    ["strategy", "symbol", "action", "mode"],
)
STRATEGY_SUBMISSIONS = Counter(
    "petrosa_strategies_submissions_total",
    "What became of it: live, shadow, repeated, said before, withdrawn, too old, not claimed, "
    "queue full, failed",
    ["outcome"],
)
STRATEGY_STEP = Histogram(
    "petrosa_strategies_step_seconds",
    "Time one frame takes from bytes to what is said (one in sixteen is measured)",
    buckets=(5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 1e-1),
)
STRATEGY_LAG = Gauge(
    "petrosa_strategies_lag_seconds",
    "From receiving a frame at the market process to taking it, newest",
    multiprocess_mode="mostrecent",
)
STRATEGY_FEED_AGE = Gauge(
    "petrosa_strategies_feed_age_seconds",
    "Since the last frame of any symbol; +Inf before the first",
    multiprocess_mode="mostrecent",
)
STRATEGY_ERRORS = Counter(
    "petrosa_strategies_errors_total",
    "Trouble of the strategies process: unreadable, strategy, bus, memory, settings",
    ["type"],
)
STRATEGY_BREAKER = Gauge(
    "petrosa_strategies_breaker_state",
    "Circuit breaker around publishing: 0 closed, 1 half-open, 2 open",
    multiprocess_mode="mostrecent",
)
