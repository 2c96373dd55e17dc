"""docs/strategies.md has each parameter of the realtime strategies with what the catalogue says."""

from __future__ import annotations

from pathlib import Path

import pytest

from foundation import metrics
from signals_app.strategies import realtime

PAGE = (Path(__file__).resolve().parents[4] / "docs/strategies.md").read_text()
PARAMS = [(spec, param) for spec in realtime.SPECS for param in spec.params]
# Names, values and variables as the source document has them.
ASKED_FOR = {
    "orderbook_skew": {
        "top_levels": 5,
        "buy_threshold": 1.2,
        "sell_threshold": 0.8,
        "min_spread_percent": 0.1,
    },
    "trade_momentum": {
        "price_weight": 0.4,
        "quantity_weight": 0.3,
        "maker_weight": 0.3,
        "buy_threshold": 0.7,
        "sell_threshold": -0.7,
    },
    "ticker_velocity": {
        "time_window": 60,
        "buy_threshold": 0.5,
        "sell_threshold": -0.5,
        "min_price_change": 0.1,
    },
}


@pytest.mark.parametrize(("spec", "param"), PARAMS, ids=lambda one: getattr(one, "name", ""))
def test_a_parameter_has_its_row(spec, param):
    assert param.env == f"{spec.strategy_id.upper()}_{param.name.upper()}"
    bounds = f"{param.unit}, {param.minimum:g} to {param.maximum:g}"
    row = f"| `{param.name}` | {param.default:g} | `{param.env}` | {bounds} | {param.meaning} |"
    assert row in PAGE


@pytest.mark.parametrize("spec", realtime.SPECS, ids=lambda spec: spec.strategy_id)
def test_first_values_are_those_asked_for(spec):
    assert spec.defaults() | ASKED_FOR[spec.strategy_id] == spec.defaults()
    assert spec.first_mode == "live"


def test_every_metric_of_the_process_is_told():
    names = [m._name for name, m in vars(metrics).items() if name.startswith("STRATEGY_")]
    assert names
    for name in names:
        assert name in PAGE
