"""What happens to a candle when a worker dies, the bus is away, or candles are missing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from signals_app.gateways.nats import BusUnavailable
from signals_app.models import CandleRun
from signals_app.services import candle_runs
from signals_app.strategies import technical
from tests.integration.technical.conftest import NOW

pytestmark = pytest.mark.django_db
SURGE = "volume_surge_breakout"
Outcome = CandleRun.Outcome


class Killed(BaseException):
    """What ends a worker in the middle of things."""


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


class TestAWorkerDies:
    def test_before_it_published_another_one_says_it(self, only, history, bus, run_pass):
        only(SURGE)

        def die(*_args, **_kwargs):
            raise Killed

        with pytest.raises(Killed):
            candle_runs.run_due(NOW, load=history.load, publish=die)
        assert run_pass(NOW + seconds(5)) == []  # the dead one's claim holds
        run_pass(NOW + candle_runs.LEASE)
        assert len(bus.kept) == 1

    def test_after_it_published_the_same_is_said_again_and_kept_once(self, only, history, bus, row):
        only(SURGE)

        def publish_and_die(every, *, name):
            bus.publish(every, name=name)
            raise Killed

        with pytest.raises(Killed):
            candle_runs.run_due(NOW, load=history.load, publish=publish_and_die)
        candle_runs.run_due(NOW + candle_runs.LEASE, load=history.load, publish=bus.publish)
        assert bus.told == 2
        assert len(bus.kept) == 1
        assert row().outcome == Outcome.RAN


class TestTheBusIsAway:
    def test_it_is_said_as_soon_as_it_is_back(self, only, run_pass, bus):
        only(SURGE)
        bus.go_down()
        with pytest.raises(BusUnavailable):
            run_pass()
        bus.come_back()
        run_pass(NOW + seconds(2))
        assert len(bus.kept) == 1

    def test_after_the_age_of_a_signal_it_is_counted_instead(self, only, run_pass, bus, row):
        only(SURGE)
        CandleRun.objects.all().delete()
        run_pass(NOW - timedelta(minutes=15))
        bus.kept.clear()
        bus.go_down()
        with pytest.raises(BusUnavailable):
            run_pass()
        bus.come_back()
        run_pass(NOW + seconds(60))
        assert not bus.kept
        assert (row().outcome, row().missed) == (Outcome.LATE, 1)
        assert row().note == "1 not run within 60 s: nobody came"


class TestCandlesAreMissing:
    def test_the_newest_one_is_waited_for(self, only, run_pass, history, bus, row):
        only(SURGE)
        history.come_late()
        assert run_pass() == []
        assert row().candle_ms is None
        history.arrive()
        run_pass(NOW + seconds(4))
        assert len(bus.kept) == 1

    def test_a_gap_in_what_a_strategy_looks_at_silences_it(self, only, run_pass, history, bus, row):
        only(SURGE)
        history.lose(40)
        run_pass()
        assert not bus.kept
        assert row().outcome == Outcome.PARTLY
        assert "candles are missing from 2024-03-04 00:00: volume_surge_breakout" in row().note

    def test_strategies_that_look_less_far_back_still_speak(self, only, run_pass, history, bus):
        only(SURGE, "mtf_adx_breakout")
        history.lose(500)
        (judged,) = run_pass()
        assert set(judged.silent) == {"mtf_adx_breakout"}
        assert [said.emission.strategy_id for said in bus.kept.values()] == [SURGE]

    def test_one_that_never_came_is_told(self, only, run_pass, history, row):
        only(SURGE)
        run_pass(NOW - timedelta(minutes=15))
        history.come_late()
        run_pass(NOW + seconds(61))
        assert row().outcome == Outcome.LATE
        assert row().note == "1 not run within 60 s: the last one is not in the history"

    def test_a_short_history_is_told_as_warm_up(self, only, run_pass, history, row):
        only(SURGE)
        history.keep_only(30)
        run_pass()
        assert row().note == "warms up: 30 of 170 candles: volume_surge_breakout"


class TestNobodyCameInTime:
    def test_candles_of_an_outage_give_no_signal_and_are_counted(self, only, run_pass, bus, row):
        only(SURGE)
        run_pass()
        bus.kept.clear()
        with capture_logs() as told:
            run_pass(NOW + timedelta(hours=2, minutes=5))
        assert not bus.kept
        assert (row().outcome, row().missed) == (Outcome.LATE, 8)
        assert [line["missed"] for line in told if line["event"] == "candles_not_run"] == [8]

    def test_those_before_a_fresh_one_are_counted_too(self, only, run_pass, history, bus, row):
        only(SURGE)
        run_pass()
        later = NOW + timedelta(hours=1)
        history.newest_closes_at = later
        run_pass(later)
        assert len(bus.kept) == 2
        assert (row().outcome, row().missed) == (Outcome.RAN, 3)

    def test_on_the_first_day_nothing_was_missed(self, only, run_pass, row, bus):
        only(SURGE)
        run_pass(NOW + timedelta(minutes=7))
        assert not bus.kept
        assert (row().outcome, row().missed) == (Outcome.STARTED, 0)

    def test_while_every_strategy_is_off_nothing_is_missed(self, only, run_pass, row):
        only(SURGE)
        run_pass()
        only()
        run_pass(NOW + timedelta(minutes=20))
        only(SURGE)
        run_pass(NOW + timedelta(hours=2, minutes=5))
        assert (row().outcome, row().missed) == (Outcome.STARTED, 0)

    def test_a_candle_somebody_works_on_is_not_called_late(self, only, run_pass, row):
        only(SURGE)
        run_pass(NOW - timedelta(minutes=15))
        CandleRun.objects.update(claimed_until=NOW + seconds(70))
        run_pass(NOW + seconds(61))
        assert row().missed == 0


def test_a_strategy_that_fails_does_not_silence_the_others(only, run_pass, bus, row, monkeypatch):
    class Broken:
        spec = technical.BY_ID["golden_cross"].spec

        def lookback(self, params):
            return 10

        def calls(self, candles, params):
            raise ZeroDivisionError

    monkeypatch.setitem(technical.BY_ID, "golden_cross", Broken())
    only(SURGE, "golden_cross")
    run_pass()
    assert [said.emission.strategy_id for said in bus.kept.values()] == [SURGE]
    assert row().note == "failed, see the log: golden_cross"
