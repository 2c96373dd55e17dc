"""Circuit breakers on real rows and a real Redis: what is wrong stops entries, exits go on."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.utils import timezone

from audit import append_only, failures
from audit.models import Event
from exchanges import quotes
from exchanges.domain.orders import Quote
from exchanges.venues.shared import call_stats, rate_budget
from tests.integration.trading.clock import time_passes
from tests.limits import set_limits
from tests.places import SIMULATOR
from trading import tasks
from trading.domain.circuit_breakers import State
from trading.models import Order, Position, TradingState
from trading.services.control import circuit_breakers, kill_switch
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db


@pytest.fixture
def calls(settings, venue):
    store = rate_budget.connect(settings.REDIS_URL)
    counted = call_stats.Tally(SIMULATOR, store)
    counted.note_clock(offset_ms=3, took_ms=2)
    return counted


def fail(calls, seconds: int = 30) -> None:
    """Have one call fail in each of the last seconds."""
    now = time.time()
    for back in range(seconds):
        calls.wall = lambda back=back: now - back
        calls.note(failed=True)
    calls.wall = time.time


def states() -> dict[str, State]:
    return {finding.name: finding.state for finding in circuit_breakers.seen().findings}


def stops() -> list[tuple[str, str, str, str]]:
    rows = kill_switch.in_force(timezone.now()).order_by("pk")
    return [(s.mode, s.scope, s.key, s.engaged_by) for s in rows]


def test_with_nothing_wrong_nothing_is_stopped(calls):
    circuit_breakers.note_backlog(3)
    assert circuit_breakers.watch() == []

    assert set(states().values()) == {State.FINE}
    assert not TradingState.objects.exists()


def test_a_venue_that_does_not_answer_stops_its_entries(calls, send):
    fail(calls)
    tasks.watch_trips()

    assert stops() == [("HALTED", "venue", "binance.spot.simulator", "trip:venue-errors")]
    assert "30 of 30 calls failed" in TradingState.objects.get().reason
    assert Event.objects.get(kind="control.engaged").actor == "trip:venue-errors"
    assert send().decision.code == "TRADING_HALTED"


def test_exits_go_on(calls, send):
    send()
    fail(calls)
    circuit_breakers.watch()

    assert send(action="close", quantity=None).order.status == "FILLED"


def test_it_is_engaged_once(calls):
    fail(calls)
    for _ in range(3):
        circuit_breakers.watch()

    assert TradingState.objects.count() == 1
    assert Event.objects.filter(kind__startswith="control.").count() == 1


def test_a_person_who_stopped_it_before_is_not_bothered(calls):
    kill_switch.engage(actor="ann", reason="storm", scope="venue", key="simulator")
    fail(calls)
    circuit_breakers.watch()

    assert [s[3] for s in stops()] == ["ann"]
    assert states()["venue-errors"] is State.TRIPPED


def test_after_a_release_it_rests_and_then_looks_again(calls, settings):
    fail(calls)
    circuit_breakers.watch()
    state = TradingState.objects.get()
    kill_switch.release(state_id=state.pk, actor="ann", reason="seen")
    assert circuit_breakers.watch() == []

    TradingState.objects.update(released_at=timezone.now() - timedelta(seconds=60))
    assert len(circuit_breakers.watch()) == 1


def test_an_order_without_an_outcome_stops_its_venue(calls, send, venue):
    venue.lose_reply_next(executed=False)
    order = send().order
    circuit_breakers.watch()
    assert stops() == []

    order.refresh_from_db()
    order.unknown_since -= timedelta(seconds=181)
    order.save()
    circuit_breakers.watch()

    assert stops() == [("HALTED", "venue", "binance.spot.simulator", "trip:unknown-orders")]
    assert str(order.pk) in TradingState.objects.get().reason


def test_an_order_whose_sender_died_counts_from_its_sending(calls, send, venue):
    venue.lose_reply_next(executed=False)
    order = send().order
    type(order).objects.update(unknown_since=None)
    time_passes(181)
    circuit_breakers.watch()

    assert [s[3] for s in stops()] == ["trip:unknown-orders"]


class TestMarketData:
    @pytest.fixture
    def held(self, send):
        send(stop_loss=44000)
        keeper.ensure(Position.objects.get().pk, actor="test")

    def test_a_price_nobody_keeps_fresh_is_asked_for(self, calls, held, settings):
        settings.TRIP_MARKET_STALE_SECONDS = 10
        old = quotes.known(SIMULATOR, ["BTCUSDT"])["BTCUSDT"]
        _age_quote(old, 30)
        circuit_breakers.freshen()
        circuit_breakers.watch()

        assert states()["market-data"] is State.FINE
        assert stops() == []

    def test_one_nobody_can_tell_stops_its_venue(self, calls, held, settings, venue):
        settings.TRIP_MARKET_STALE_SECONDS = 10
        _age_quote(quotes.known(SIMULATOR, ["BTCUSDT"])["BTCUSDT"], 30)
        venue.go_down()
        circuit_breakers.freshen()
        circuit_breakers.watch()

        assert stops() == [("REDUCE_ONLY", "venue", "binance.spot.simulator", "trip:market-data")]
        assert "BTCUSDT 3" in TradingState.objects.get().reason

    def test_one_nobody_has_asked_for_yet_is_unknown_and_stops_nothing(self, calls, held, settings):
        settings.TRIP_MARKET_STALE_SECONDS = 10
        _age_quote(quotes.known(SIMULATOR, ["BTCUSDT"])["BTCUSDT"], 30)
        circuit_breakers.watch()

        assert states()["market-data"] is State.UNKNOWN
        assert stops() == []

    def test_a_venue_that_answers_again_is_no_longer_blamed(self, calls, held, settings, venue):
        settings.TRIP_MARKET_STALE_SECONDS = 10
        for is_down in (True, False):
            _age_quote(quotes.known(SIMULATOR, ["BTCUSDT"])["BTCUSDT"], 30)
            _may_ask_again()
            venue.go_down() if is_down else venue.come_back()
            circuit_breakers.freshen()
        _age_quote(quotes.known(SIMULATOR, ["BTCUSDT"])["BTCUSDT"], 30)
        circuit_breakers.watch()

        assert states()["market-data"] is State.UNKNOWN

    def test_what_is_not_held_may_be_as_old_as_it_likes(self, calls, venue):
        venue.go_down()
        circuit_breakers.watch()

        assert states()["market-data"] is State.FINE


def test_a_clock_that_is_off_stops_its_venue(calls):
    calls.note_clock(offset_ms=-9000, took_ms=10)
    circuit_breakers.watch()

    assert stops() == [("HALTED", "venue", "binance.spot.simulator", "trip:clock-skew")]


def test_a_clock_that_cannot_be_read_is_unknown_and_stops_nothing(venue):
    venue.go_down()
    circuit_breakers.freshen()
    circuit_breakers.watch()

    assert states()["clock-skew"] is State.UNKNOWN
    assert stops() == []


def test_too_many_signals_that_wait_stop_everything_new(calls):
    circuit_breakers.note_backlog(10_001)
    circuit_breakers.watch()

    assert stops() == [("REDUCE_ONLY", "global", "", "trip:signal-backlog")]


class TestTheTrail:
    def test_lines_that_were_refused_stop_everything_new(self, calls):
        failures.note(failures.REFUSED[0]("permission denied for table audit_event"))
        circuit_breakers.watch()

        assert stops() == [("HALTED", "global", "", "trip:audit-trail")]

    def test_a_trail_that_may_be_rewritten_does_too(self, calls):
        append_only.remove(connection)
        circuit_breakers.watch()
        append_only.install(connection)

        assert stops() == [("HALTED", "global", "", "trip:audit-trail")]
        assert "append-only are gone" in TradingState.objects.get().reason

    def test_looking_leaves_no_line(self, calls):
        circuit_breakers.watch()

        assert not Event.objects.filter(kind="audit.probe").exists()


class TestWithoutRedis:
    @pytest.fixture
    def away(self, settings, venue):
        settings.REDIS_URL = "redis://127.0.0.1:1/0"

    def test_what_is_counted_there_is_unknown_and_nothing_is_called_fine(self, away):
        assert circuit_breakers.watch() == []

        found = circuit_breakers.seen()
        assert found.worst is State.UNKNOWN
        assert {f.state for f in found.findings} == {State.UNKNOWN}

    def test_what_the_database_knows_still_trips(self, send, venue, settings, request):
        venue.lose_reply_next(executed=False)
        order = send().order
        type(order).objects.update(unknown_since=timezone.now() - timedelta(seconds=181))
        request.getfixturevalue("away")
        circuit_breakers.watch()

        assert [s[3] for s in stops()] == ["trip:unknown-orders"]


def test_nobody_watching_is_told(venue):
    found = circuit_breakers.seen()

    assert found.seconds_ago is None
    assert {f.state for f in found.findings} == {State.UNKNOWN}
    assert "nobody has looked" in found.findings[0].actual
    assert {f.name for f in found.findings if f.level == "REDUCE_ONLY"} == {
        "market-data",
        "signal-backlog",
        "slippage",
        "lock-waits",
    }


def test_each_can_be_switched_off(calls, settings):
    for name in (
        "TRIP_VENUE_ERROR_PCT",
        "TRIP_MARKET_STALE_SECONDS",
        "TRIP_CLOCK_SKEW_MS",
        "TRIP_UNKNOWN_ORDER_SECONDS",
        "TRIP_NATS_BACKLOG",
        "TRIP_AUDIT_FAILURES",
        "TRIP_SLIPPED_ENTRIES",
        "TRIP_LOCK_WAIT_SECONDS",
    ):
        setattr(settings, name, 0)
    fail(calls)
    circuit_breakers.note_backlog(10**9)
    calls.note_clock(offset_ms=10**6, took_ms=1)

    assert circuit_breakers.watch() == []
    assert set(states().values()) == {State.OFF}


class TestSlippage:
    def enter(self, send, venue, times):
        set_limits(cooldown_after_losses=0)
        for _ in range(times):
            venue.fill_next_at("45050")  # 11 basis points above what it was decided on
            decision = send().decision
            assert decision.approved, decision.message

    def test_entries_that_keep_filling_worse_stop_their_account(self, send, venue):
        self.enter(send, venue, 4)
        circuit_breakers.watch()
        assert stops() == []
        self.enter(send, venue, 1)
        circuit_breakers.watch()
        assert stops() == [("REDUCE_ONLY", "account", "simulator", "trip:slippage")]
        assert "actual=5 of 5" in TradingState.objects.get().reason

    def test_those_of_an_hour_ago_do_not_count(self, send, venue):
        self.enter(send, venue, 5)
        Order.objects.update(closed_at=timezone.now() - timedelta(hours=1))
        circuit_breakers.watch()
        assert stops() == []


def _age_quote(quote: Quote, seconds: float) -> None:
    """Leave an older quote as the newest there is; one would never take a newer one's place."""
    older = replace(quote, received_at=quote.received_at - timedelta(seconds=seconds))
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.delete(quotes.key_of_quote(SIMULATOR, quote.symbol))
    quotes.put(SIMULATOR, older)
    quotes.forget()


def _may_ask_again() -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.delete(f"petrosa:trips:asked:prices:{SIMULATOR}")


def test_a_venue_that_does_not_answer_is_not_asked_every_time(venue):
    venue.go_down()
    for _ in range(3):
        circuit_breakers.freshen()

    assert venue.count("server_time") == 1
