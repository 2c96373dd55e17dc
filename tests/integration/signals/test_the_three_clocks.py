"""How old prices are, what strategies take, how long an order takes: three figures, never one."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY

from foundation import metrics
from tests.integration.trading.conftest import send, venue  # noqa: F401

pytestmark = pytest.mark.django_db


def observed(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"{name}_count", labels) or 0.0


def test_an_order_that_the_venue_took_is_timed_from_its_signal(venue, send):  # noqa: F811
    stages = ("signal_to_decision", "signal_to_ack")
    before = [observed("tradeengine_latency_seconds", stage=stage) for stage in stages]
    venue.fill_next_at("45000")
    send()
    after = [observed("tradeengine_latency_seconds", stage=stage) for stage in stages]
    assert after == [count + 1 for count in before]


def test_a_denied_one_has_no_acknowledgement(venue, send):  # noqa: F811
    before = observed("tradeengine_latency_seconds", stage="signal_to_ack")
    send(confidence=0.1)
    assert observed("tradeengine_latency_seconds", stage="signal_to_ack") == before


def test_the_clock_of_strategies_counts_below_a_thousandth_of_a_second():
    name = next(iter(metrics.STRATEGY_STEP.describe())).name
    bounds = {
        float(sample.labels["le"])
        for metric in metrics.STRATEGY_STEP.collect()
        for sample in metric.samples
        if sample.name == f"{name}_bucket"
    }
    assert min(bounds) < 1e-5
    assert 1e-3 in bounds
