"""28 technical strategies, each of them in the catalogue, described, and light to import."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pytest
from django.conf import settings

from exchanges.domain.candles import INTERVALS
from signals_app.payload import fields, wire
from signals_app.payload.draft import Action
from signals_app.strategies import catalogue, technical
from signals_app.strategies.spec import Family, Kind, ParamInvalid
from signals_app.strategies.technical import BY_ID, STRATEGIES, base
from tests import strategy_table
from tests.unit.technical.scenes import SCENES, candles

SHARED = {"base", "rule", "columns", "higher", "ta"}
SPECS = [strategy.spec for strategy in STRATEGIES]
each = pytest.mark.parametrize("spec", SPECS, ids=lambda s: s.strategy_id)


def test_every_module_of_the_package_is_a_strategy_of_that_name():
    modules = {module.name for module in pkgutil.iter_modules(technical.__path__)}
    assert modules - SHARED == set(BY_ID)


def test_there_are_28_with_names_of_their_own():
    assert len(STRATEGIES) == len(BY_ID) == 28


def test_there_are_several_of_each_family():
    families = Counter(spec.family for spec in SPECS)
    assert set(families) == set(Family) - {Family.ORDER_FLOW}
    assert min(families.values()) >= 3


def test_volume_surge_breakout_runs_on_15m():
    assert BY_ID["volume_surge_breakout"].spec.timeframes == ("15m",)


def test_few_are_live_at_first():
    live = {spec.strategy_id for spec in SPECS if spec.first_mode == "live"}
    assert live == {"volume_surge_breakout", "golden_cross", "supertrend"}
    assert {spec.first_mode for spec in SPECS} == {"live", "shadow"}


@each
def test_it_is_described(spec):
    assert catalogue.BY_ID[spec.strategy_id] is spec
    assert spec.kind is Kind.TECHNICAL
    assert fields.strategy_id("strategy_id", spec.strategy_id) == spec.strategy_id
    for words in (spec.title, spec.formula, spec.reference, spec.confidence):
        assert len(words) >= 4
    assert spec.timeframes
    assert set(spec.timeframes) <= set(INTERVALS)
    for param in spec.params:
        assert param.unit
        assert param.meaning
        assert param.checked(param.default) == param.default


@each
def test_its_formula_names_its_own_parameters(spec):
    exits = {"atr_period", "stop_atr", "target_atr"}
    missing = [p.name for p in spec.params if p.name not in spec.formula and p.name not in exits]
    assert missing == []


def test_parameters_in_the_wrong_order_are_refused_by_name():
    with pytest.raises(ParamInvalid, match="fast: 300 must be below slow, 200"):
        BY_ID["golden_cross"].spec.resolved({"fast": 300})


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: s.spec.strategy_id)
def test_the_door_takes_what_it_says(strategy):
    series = candles(SCENES[strategy.spec.strategy_id]().fires)
    calls = strategy.calls(series, strategy.spec.defaults())
    at = int(np.flatnonzero(calls.side)[-1])
    emission = base.emission(strategy, series, calls, at)
    draft = wire.parse(emission.payload(params_version=1), received_at=datetime.now(UTC))
    assert draft.action is Action.BUY
    assert draft.strategy_id == strategy.spec.strategy_id
    assert draft.stop_loss
    assert draft.current_price
    assert draft.take_profit
    assert draft.stop_loss < draft.current_price < draft.take_profit
    assert draft.emitted_at == series.closed_at(at)


def test_reading_the_catalogue_imports_neither_talib_nor_pandas():
    code = (
        "import sys\n"
        "import signals_app.strategies.catalogue\n"
        "print({'talib', 'pandas', 'scipy', 'pyarrow'} & set(sys.modules) or 'light')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "light"


def test_the_web_imports_neither_talib_nor_pandas():
    code = (
        "import sys, django, os\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'petrosa_site.settings'\n"
        "django.setup()\n"
        "import petrosa_site.urls, signals_app.tasks, petrosa_site.celery\n"
        "from django.contrib import admin\n"
        "admin.autodiscover()\n"
        "print({'talib', 'pandas', 'scipy', 'pyarrow'} & set(sys.modules) or 'light')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "light"


def test_the_page_has_the_table_of_the_catalogue():
    assert strategy_table.written() == strategy_table.table(), "python -m tests.strategy_table"


def test_the_history_keeps_what_they_look_at():
    most = max(strategy.lookback(strategy.spec.defaults()) for strategy in STRATEGIES) + 1
    assert most <= settings.HISTORY_CANDLES
    wanted = {timeframe for spec in SPECS for timeframe in spec.timeframes}
    assert wanted <= set(settings.CANDLE_INTERVALS)
