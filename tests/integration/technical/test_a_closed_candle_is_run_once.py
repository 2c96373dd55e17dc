"""Each closed candle is run once, however often and by however many it is asked for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections

from signals_app.models import CandleRun
from signals_app.services import candle_runs
from tests.integration.technical.conftest import NOW

SURGE = "volume_surge_breakout"
MANY = 6


@pytest.mark.django_db
class TestOneWorker:
    def test_a_signal_is_published_where_live_ones_go(self, only, run_pass, bus):
        only(SURGE)
        run_pass()
        (said,) = bus.kept.values()
        assert said.is_shadow is False
        assert said.environment == "simulator"
        assert said.settings_version == 1
        emission = said.emission
        assert (emission.strategy_id, emission.timeframe) == (SURGE, "15m")
        assert emission.at_ms == int(NOW.replace(second=0).timestamp() * 1000)
        assert emission.stop_loss is not None
        assert emission.stop_loss < emission.price == 204.0

    def test_a_strategy_in_shadow_is_told_apart(self, only, run_pass, bus):
        only(SURGE, mode="shadow")
        run_pass()
        assert [said.is_shadow for said in bus.kept.values()] == [True]

    def test_a_strategy_that_is_off_is_not_asked(self, only, run_pass, history):
        only()
        assert run_pass() == []
        assert not history.loads

    def test_the_next_beats_do_nothing(self, only, run_pass, bus, history):
        only(SURGE)
        for seconds in range(0, 60, 2):
            run_pass(NOW + timedelta(seconds=seconds))
        assert bus.told == 1
        assert history.loads == {("BTCUSDT", "15m"): 1}

    def test_what_was_done_is_on_record(self, only, run_pass, row):
        only(SURGE, "donchian_breakout")
        run_pass()
        assert row().outcome == CandleRun.Outcome.RAN
        assert (row().strategies, row().signals, row().missed) == (2, 2, 0)
        assert row().claimed_until is None

    def test_the_next_candle_is_another_one(self, only, run_pass, history, bus):
        only(SURGE)
        run_pass()
        later = NOW + timedelta(minutes=15)
        history.newest_closes_at = later
        run_pass(later)
        assert len(bus.kept) == 2

    def test_one_symbol_costs_one_load_for_all_its_strategies(self, only, run_pass, history):
        only(SURGE, "donchian_breakout", "rsi_reversal", "mtf_macd")
        run_pass()
        assert sum(history.loads.values()) == 1


@pytest.mark.django_db(transaction=True)
class TestManyWorkers:
    def at_once(self, run_pass, at=NOW):
        start = threading.Barrier(MANY)

        def work(_number):
            try:
                start.wait(10)
                return run_pass(at)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(MANY) as pool:
            return [judged for found in pool.map(work, range(MANY)) for judged in found]

    def test_one_of_them_runs_the_candle(self, only, run_pass, bus, row):
        only(SURGE)
        candle_runs._runs(candle_runs.wanted())
        for round_number in range(5):
            CandleRun.objects.update(candle_ms=None, claimed_until=None)
            bus.told = 0
            judged = self.at_once(run_pass)
            assert len(judged) == 1, round_number
            assert bus.told == 1

    def test_the_first_pass_of_all_makes_one_row(self, only, run_pass, bus):
        only(SURGE)
        self.at_once(run_pass)
        assert CandleRun.objects.count() == 1
        assert bus.told == 1

    def test_a_late_candle_is_counted_once(self, only, run_pass, row, history):
        only(SURGE)
        run_pass()
        self.at_once(run_pass, NOW + timedelta(minutes=31))  # two more closed, the last 61 s ago
        assert row().missed == 2
