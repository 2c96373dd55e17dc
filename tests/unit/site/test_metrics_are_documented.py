"""Whoever sets up an alarm finds every metric in the manual, and the three clocks apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase

from foundation import metrics

ROOT = Path(__file__).resolve().parents[3]
MANUAL = "".join(path.read_text() for path in sorted((ROOT / "docs").glob("*.md")))
NAMES = sorted(
    next(iter(found.describe())).name
    for found in vars(metrics).values()
    if isinstance(found, MetricWrapperBase)
)


@pytest.mark.parametrize("name", NAMES)
def test_it_stands_in_the_manual(name):
    assert name in MANUAL


def test_there_are_some():
    assert len(NAMES) > 30


@pytest.mark.parametrize(
    "name",
    [
        "petrosa_strategies_messages",  # processing rates
        "petrosa_strategies_signals",
        "petrosa_strategies_submissions",
        "petrosa_strategies_step_seconds",  # processing latency
        "petrosa_strategies_errors",
        "petrosa_strategies_breaker_state",
    ],
)
def test_the_realtime_service_tells_what_it_promised(name):
    assert name in NAMES


def test_feed_strategy_and_order_have_a_clock_each():
    clocks = {"petrosa_strategies_feed_age_seconds", "petrosa_strategies_step_seconds"}
    assert clocks | {"tradeengine_latency_seconds"} <= set(NAMES)
    for stage in ("petrosa_feed_age_seconds", "signal_to_ack"):
        assert stage in MANUAL
