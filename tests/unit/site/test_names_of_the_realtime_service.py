"""What the realtime service was configured with is understood by the names it had."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from signals_app.strategies import realtime

ROOT = Path(__file__).resolve().parents[3]
# name given, its value, the setting it ends in, what that is then, and what it is by itself
MEANINGS: list[tuple[str, str, str, Any, Any]] = [
    ("NATS_URL", "nats://bus:4222", "NATS_URL", "nats://bus:4222", "nats://127.0.0.1:4222"),
    ("NATS_CONSUMER_TOPIC", "md", "NATS_CONSUMER_TOPIC", "md", "binance.websocket.data"),
    (
        "NATS_PUBLISHER_TOPIC",
        "old.orders",
        "NATS_LEGACY_SUBJECT",
        "old.orders",
        "tradeengine.orders",
    ),
    (
        "TRADING_SYMBOLS",
        "ethusdt,SOLUSDT",
        "TRADING_SYMBOLS",
        ["ETHUSDT", "SOLUSDT"],
        ["BTCUSDT", "ETHUSDT", "BNBUSDT"],
    ),
    ("TRADING_ENABLE_SHORTS", "false", "TRADING_ENABLE_SHORTS", False, True),
    ("TRADING_LEVERAGE", "3", "TRADING_LEVERAGE", "3", "1"),
    ("LOG_LEVEL", "warning", "LOG_LEVEL", "WARNING", "INFO"),
    ("DEBUG_MODE", "true", "DEBUG", True, False),
]
SWITCHES = (
    "STRATEGY_ENABLED_ORDERBOOK_SKEW",
    "STRATEGY_ENABLED_TRADE_MOMENTUM",
    "STRATEGY_ENABLED_TICKER_VELOCITY",
)
PARAMS = {
    "ORDERBOOK_SKEW_BUY_THRESHOLD": ("orderbook_skew", "buy_threshold", "1.5"),
    "ORDERBOOK_SKEW_SELL_THRESHOLD": ("orderbook_skew", "sell_threshold", "0.5"),
    "ORDERBOOK_SKEW_MIN_SPREAD_PERCENT": ("orderbook_skew", "min_spread_percent", "0.02"),
    "TRADE_MOMENTUM_BUY_THRESHOLD": ("trade_momentum", "buy_threshold", "0.8"),
    "TRADE_MOMENTUM_SELL_THRESHOLD": ("trade_momentum", "sell_threshold", "-0.8"),
    "TICKER_VELOCITY_BUY_THRESHOLD": ("ticker_velocity", "buy_threshold", "0.25"),
    "TICKER_VELOCITY_SELL_THRESHOLD": ("ticker_velocity", "sell_threshold", "-0.25"),
    "TICKER_VELOCITY_TIME_WINDOW": ("ticker_velocity", "time_window", "30"),
}
NAMES = sorted({setting for _, _, setting, _, _ in MEANINGS})
ASK = (
    "import json, os; os.environ['DJANGO_SETTINGS_MODULE'] = 'petrosa_site.settings';"
    "from django.conf import settings;"
    f"told = {{name: getattr(settings, name) for name in {NAMES!r}}};"
    "told['modes'] = settings.STRATEGY_FIRST_MODES;"
    "told['params'] = settings.STRATEGY_FIRST_PARAMS;"
    "print(json.dumps(told, default=str))"
)


def settings_with(folder: Path, **given: str) -> dict[str, Any]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    own = {"PETROSA_IGNORE_DOTENV": "true", "PETROSA_VAR_DIR": str(folder)}
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ASK],
        env=kept | own | given,
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    told: dict[str, Any] = json.loads(said.stdout.splitlines()[-1])
    return told


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    every = {name: value for name, value, *_ in MEANINGS}
    every |= dict.fromkeys(SWITCHES, "false")
    every |= {name: value for name, (_, _, value) in PARAMS.items()}
    return settings_with(tmp_path_factory.mktemp("given"), **every)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return settings_with(tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize(("name", "value", "setting", "wanted", "default"), MEANINGS)
def test_a_value_given_by_its_name_holds(given, plain, name, value, setting, wanted, default):
    assert given[setting] == wanted
    assert plain[setting] == default


@pytest.mark.parametrize("strategy", [spec.strategy_id for spec in realtime.SPECS])
def test_a_strategy_is_on_unless_its_switch_says_off(given, plain, strategy):
    assert given["modes"][strategy] == "off"
    assert plain["modes"][strategy] == "live"


@pytest.mark.parametrize("name", sorted(PARAMS))
def test_a_parameter_is_given_by_the_name_of_its_strategy(given, name):
    strategy, param, value = PARAMS[name]
    assert given["params"][strategy][param] == float(value)


@pytest.mark.parametrize(
    ("strategy", "param", "value"),
    [
        ("orderbook_skew", "top_levels", 5),
        ("orderbook_skew", "buy_threshold", 1.2),
        ("orderbook_skew", "sell_threshold", 0.8),
        ("orderbook_skew", "min_spread_percent", 0.1),
        ("trade_momentum", "price_weight", 0.4),
        ("trade_momentum", "quantity_weight", 0.3),
        ("trade_momentum", "maker_weight", 0.3),
        ("trade_momentum", "buy_threshold", 0.7),
        ("trade_momentum", "sell_threshold", -0.7),
        ("ticker_velocity", "time_window", 60),
        ("ticker_velocity", "buy_threshold", 0.5),
        ("ticker_velocity", "sell_threshold", -0.5),
        ("ticker_velocity", "min_price_change", 0.1),
    ],
)
def test_first_values_are_those_of_the_service(strategy, param, value):
    spec = next(spec for spec in realtime.SPECS if spec.strategy_id == strategy)
    assert spec.defaults()[param] == value
