"""CANCEL_OPEN takes our resting entries away, FLATTEN sells what is held besides."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from audit.models import Event
from exchanges.domain import errors
from tests.integration.trading.clock import time_passes
from trading import tasks
from trading.domain.risk.types import TradingMode
from trading.models import Decision, Order, Position, StopReport, TradingState
from trading.services.control import kill_switch
from trading.services.execution import flatten, reconciliation
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db
CANCEL_OPEN, FLATTEN = TradingMode.CANCEL_OPEN, TradingMode.FLATTEN
BELOW = {"order_type": "limit", "price": 44000, "stop_loss": 43000, "take_profit": 46000}


def stop(mode=FLATTEN, **place) -> TradingState:
    return kill_switch.engage(actor="ann", reason="storm", mode=mode, **place)


def plan(mode=FLATTEN, scope="global", key="") -> flatten.Plan:
    return flatten.plan(mode=mode, scope=scope, key=key)


@pytest.fixture
def resting(send):
    """An entry in ETHUSDT that rests at the venue with its stop and target."""
    eth = {"price": 2900, "stop_loss": 2800, "take_profit": 3100}
    return send(strategy_id="slow", symbol="ETHUSDT", quantity=0.1, **(BELOW | eth)).order


@pytest.fixture
def held(send) -> Position:
    """A protected position in BTCUSDT."""
    send(stop_loss=44000, take_profit=47000)
    position = Position.objects.get(symbol="BTCUSDT")
    keeper.ensure(position.pk, actor="test")
    return position


def statuses(**fields) -> set[str]:
    return set(Order.objects.filter(**fields).values_list("status", flat=True))


class TestThePlan:
    def test_it_names_orders_and_positions_and_does_nothing(self, resting, held, venue):
        calls = len(venue.calls)
        made = plan().as_json()

        assert [(c["order"], c["quantity"]) for c in made["cancels"]] == [(resting.pk, "0.1")]
        assert [(c["position"], c["quantity"]) for c in made["closes"]] == [(held.pk, "0.00999")]
        assert len(venue.calls) == calls

    def test_cancelling_leaves_positions_alone(self, resting, held):
        assert (len(plan(CANCEL_OPEN).cancels), plan(CANCEL_OPEN).closes) == (1, ())

    @pytest.mark.parametrize("mode", [TradingMode.HALTED, TradingMode.REDUCE_ONLY])
    def test_the_mild_levels_have_nothing_to_do(self, resting, held, mode):
        assert plan(mode) == flatten.Plan()

    @pytest.mark.parametrize(
        ("scope", "key", "orders", "positions"),
        [
            ("venue", "simulator", 1, 1),
            ("venue", "testnet", 0, 0),
            ("account", "simulator", 1, 1),
            ("account", "another", 0, 0),
            ("strategy", "slow", 1, 0),
            ("strategy", "test", 0, 1),
            ("symbol", "ETHUSDT", 1, 0),
            ("symbol", "BTCUSDT", 0, 1),
        ],
    )
    def test_it_keeps_to_its_scope(self, resting, held, scope, key, orders, positions):
        made = plan(scope=scope, key=key)

        assert (len(made.cancels), len(made.closes)) == (orders, positions)

    def test_what_a_strategy_held_before_is_not_its_position_now(self, send, held):
        send(action="close", quantity=None)
        keeper.ensure(held.pk, actor="test")
        time_passes(1)
        send(strategy_id="slow", stop_loss=44000)

        assert plan(scope="strategy", key="test").closes == ()
        assert plan(scope="strategy", key="slow").closes == (held,)

    def test_an_order_that_is_not_ours_by_its_id_is_left_alone(self, resting):
        Order.objects.filter(pk=resting.pk).update(client_order_id="web_1")

        assert plan().cancels == ()


class TestCancelOpen:
    def test_entries_go_and_what_is_held_stays_protected(self, resting, held):
        state = stop(CANCEL_OPEN)
        flatten.carry_out(state.pk)

        assert statuses(symbol="ETHUSDT") == {"CANCELED"}
        assert statuses(symbol="BTCUSDT", role="stop_loss") == {"OPEN"}
        held.refresh_from_db()
        assert held.is_open

    def test_an_entry_that_was_never_sent_is_called_off(self, send, venue):
        venue.drop_next()
        assert send().order.status == "NEW"
        flatten.carry_out(stop(CANCEL_OPEN).pk)

        assert statuses() == {"NOT_PLACED"}

    def test_part_of_an_entry_that_filled_keeps_its_protection(self, send, venue):
        order = send(order_type="limit", price=44000, stop_loss=43000).order
        venue.fill(order.client_order_id, quantity="0.004")

        for position_id in flatten.carry_out(stop(CANCEL_OPEN).pk):
            keeper.ensure(position_id, actor="test")

        assert statuses(role="entry") == {"CANCELED"}
        stop_loss = Order.objects.get(role="stop_loss")
        assert (stop_loss.status, str(stop_loss.quantity)) == ("OPEN", "0.00399")


def exit_goes_on() -> None:
    """The pause after a refusal is over."""
    time_passes(60)
    for order in reconciliation.in_flight(timezone.now(), is_entry=False):
        reconciliation.take_step(order)


class TestFlatten:
    def test_entries_go_protection_goes_and_what_is_held_is_sold(self, resting, held, venue):
        state = stop()
        flatten.carry_out(state.pk)

        held.refresh_from_db()
        assert held.is_dust or not held.is_open
        assert plan().left == 0
        assert not Order.objects.filter(status="OPEN").exists()
        close = Order.objects.get(role="exit")
        assert (close.status, close.type, str(close.quantity)) == ("FILLED", "MARKET", "0.00999")
        assert close.decision is not None
        assert (close.decision.kind, close.decision.strategy_id) == ("close", "test")

    def test_its_report_tells_what_was_planned_and_what_became_of_it(self, resting, held):
        state = stop()
        flatten.carry_out(state.pk)

        report = StopReport.objects.get(state=state)
        assert report.asked_by == "ann"
        assert [len(report.planned[part]) for part in ("cancels", "closes")] == [1, 1]
        assert flatten.counts(report) == {"done": 2, "waits": 0, "failed": 0}
        assert (report.left, report.ended) == (0, "nothing is left")
        assert report.finished_at is not None
        told = Event.objects.filter(subject_type="trading_state", subject_id=str(state.pk))
        assert [e.kind for e in told.order_by("id")] == [
            "control.engaged",
            "control.emptying",
            "control.emptying_step",
            "control.emptying_step",
            "control.emptied",
        ]

    def test_running_it_twice_changes_nothing(self, resting, held, venue):
        state = stop()
        flatten.carry_out(state.pk)
        told, sent = Event.objects.count(), venue.count("place_order")
        flatten.carry_out(state.pk)

        assert (Event.objects.count(), venue.count("place_order")) == (told, sent)
        assert Decision.objects.filter(kind="close").count() == 1

    def test_one_failure_does_not_hold_up_the_others(self, send, resting, held, venue):
        other = send(
            symbol="BNBUSDT",
            quantity=0.1,
            **BELOW | {"price": 550, "stop_loss": 500, "take_profit": 700},
        ).order
        venue.reject_cancel_next(-1003, "busy")
        venue.fail_read_next(errors.NotSent("connection refused"))
        state = stop()
        flatten.carry_out(state.pk)

        report = StopReport.objects.get(state=state)
        assert report.steps[f"order {resting.pk}"]["outcome"] == "failed"
        assert report.steps[f"order {other.pk}"]["outcome"] == "done"
        assert report.steps[f"position {held.pk}"]["outcome"] == "done"
        assert (report.left, report.finished_at) == (1, None)
        assert state.pk in flatten.unfinished()

    def test_what_failed_is_tried_again_after_a_pause(self, resting, venue):
        venue.go_down()
        state = stop()
        for _ in range(3):
            flatten.carry_out(state.pk)
        assert venue.count("cancel_order_list") == 1
        venue.come_back()
        time_passes(6)
        _put_back_steps(state, 6)
        flatten.carry_out(state.pk)

        assert statuses(symbol="ETHUSDT") == {"CANCELED"}
        assert flatten.unfinished() == []

    def test_asking_again_does_not_wait_for_the_pause(self, resting, venue):
        venue.go_down()
        state = stop()
        flatten.carry_out(state.pk)
        venue.come_back()
        flatten.carry_out(state.pk, at_once=True)

        assert statuses(symbol="ETHUSDT") == {"CANCELED"}

    def test_a_close_whose_reply_is_lost_is_not_sent_again(self, held, venue):
        venue.lose_reply_next(executed=True)
        venue.hide_from_queries(1)
        state = stop()
        flatten.carry_out(state.pk)
        flatten.carry_out(state.pk, at_once=True)
        assert StopReport.objects.get().left == 1
        assert Order.objects.filter(role="exit").count() == 1

        time_passes(5)
        reconciliation.run()
        keeper.ensure(held.pk, actor="test")
        flatten.carry_out(state.pk)

        report = StopReport.objects.get()
        assert report.ended == "nothing is left"
        assert flatten.counts(report) == {"done": 1, "waits": 0, "failed": 0}
        assert Order.objects.filter(role="exit").count() == 1

    def test_part_of_an_entry_that_filled_is_sold(self, send, venue):
        order = send(order_type="limit", price=44000, stop_loss=43000).order
        venue.fill(order.client_order_id, quantity="0.004")
        flatten.carry_out(stop().pk)

        assert plan().left == 0
        assert Order.objects.get(role="exit", type="MARKET").status == "FILLED"

    def test_a_close_the_venue_refuses_is_protected_again_and_told(self, held, venue):
        venue.reject_next(-2010, "Market is closed.")
        state = stop()
        flatten.carry_out(state.pk)

        step = StopReport.objects.get().steps[f"position {held.pk}"]
        assert step["outcome"] == "waits"
        assert "0.00999 of 0.00999 are left to sell" in step["why"]
        assert statuses(role="stop_loss", closed_at=None) == {"OPEN"}

        exit_goes_on()
        flatten.carry_out(state.pk)

        assert StopReport.objects.get().ended == "nothing is left"
        assert [o.status for o in Order.objects.filter(role="exit").order_by("pk")] == [
            "REJECTED",
            "FILLED",
        ]

    def test_a_close_that_could_not_be_sent_is_sent_later_and_only_once(self, held, venue):
        venue.drop_next()
        state = stop()
        flatten.carry_out(state.pk)
        flatten.carry_out(state.pk, at_once=True)
        assert Order.objects.get(role="exit").status == "NEW"

        time_passes(5)
        reconciliation.run()
        flatten.carry_out(state.pk)

        assert Order.objects.get(role="exit").status == "FILLED"
        assert StopReport.objects.get().ended == "nothing is left"

    def test_a_close_that_was_decided_by_one_who_died_is_sent(self, held, venue):
        venue.cancel_order_list = _die  # the first thing that is sent: protection makes way
        state = stop()
        with pytest.raises(KeyboardInterrupt):
            flatten.carry_out(state.pk)
        del venue.cancel_order_list
        assert Order.objects.get(role="exit").status == "NEW"

        time_passes(60)
        reconciliation.run()
        for state_id in flatten.unfinished():
            flatten.carry_out(state_id)

        assert Order.objects.get(role="exit").status == "FILLED"
        assert StopReport.objects.get().ended == "nothing is left"

    def test_a_release_half_way_stops_the_rest(self, resting, held, venue):
        state = stop()
        cancel = venue.cancel_order_list

        def release_meanwhile(*args, **kwargs):
            kill_switch.release(state_id=state.pk, actor="ben", reason="false alarm")
            return cancel(*args, **kwargs)

        venue.cancel_order_list = release_meanwhile
        flatten.carry_out(state.pk)

        assert not Order.objects.filter(role="exit").exists()

    def test_an_entry_that_fills_later_after_all_is_sold_too(self, send, venue):
        venue.lose_reply_next(executed=True)
        venue.hide_from_queries(2)
        send(stop_loss=44000)
        state = stop()
        flatten.carry_out(state.pk)
        assert StopReport.objects.get().finished_at is None

        for _ in range(4):
            time_passes(5)
            reconciliation.run()
        for state_id in flatten.unfinished():
            flatten.carry_out(state_id, at_once=True)

        assert plan().left == 0
        assert statuses(role="exit") == {"FILLED"}
        assert StopReport.objects.get().finished_at is not None

    def test_the_sweep_takes_up_what_a_crash_left(self, held):
        state = stop()
        assert flatten.unfinished() == [state.pk]
        tasks.empty(state.pk)
        assert flatten.unfinished() == []

    def test_two_stops_over_the_same_things_sell_them_once(self, held):
        for state in (stop(), stop(scope="symbol", key="BTCUSDT")):
            flatten.carry_out(state.pk)

        assert Order.objects.filter(role="exit").count() == 1
        assert flatten.unfinished() == []


class TestAVenueThatDoesNotAnswer:
    @pytest.fixture
    def entries(self, send):
        prices = {"price": 44000, "stop_loss": 43000, "take_profit": 46000}
        return [
            send(quantity=0.01 + n / 1000, order_type="limit", **prices).order for n in range(4)
        ]

    def test_one_go_does_not_wait_for_each_order_in_turn(self, entries, venue, monkeypatch):
        monkeypatch.setattr(flatten, "UNANSWERED_SECONDS", 0.15)
        venue.go_down(after_seconds=0.1)
        state = stop(CANCEL_OPEN)
        flatten.carry_out(state.pk)

        report = StopReport.objects.get()
        assert flatten.counts(report) == {"done": 0, "waits": 2, "failed": 2}
        assert (report.left, report.finished_at) == (4, None)
        flatten.carry_out(state.pk)  # the two that failed rest: the others have their turn
        assert flatten.counts(StopReport.objects.get())["failed"] == 4

    def test_what_is_held_gets_its_turn_all_the_same(self, entries, held, venue, monkeypatch):
        monkeypatch.setattr(flatten, "UNANSWERED_SECONDS", 0.15)
        venue.go_down(after_seconds=0.1)
        flatten.carry_out(stop().pk)

        assert f"position {held.pk}" in StopReport.objects.get().steps

    def test_once_it_answers_everything_goes(self, entries, venue, monkeypatch):
        monkeypatch.setattr(flatten, "UNANSWERED_SECONDS", 0.15)
        venue.go_down(after_seconds=0.1)
        state = stop(CANCEL_OPEN)
        flatten.carry_out(state.pk)
        venue.come_back()
        flatten.carry_out(state.pk, at_once=True)

        assert StopReport.objects.get().ended == "nothing is left"


class TestReleased:
    def test_a_stop_that_was_released_sells_nothing_more(self, held):
        state = stop()
        kill_switch.release(state_id=state.pk, actor="ben", reason="false alarm")
        flatten.carry_out(state.pk)

        assert not Order.objects.filter(role="exit").exists()

    def test_its_report_says_so(self, held, venue):
        venue.reject_next(-2010, "Market is closed.")
        state = stop()
        flatten.carry_out(state.pk)
        kill_switch.release(state_id=state.pk, actor="ben", reason="false alarm")
        for state_id in flatten.unfinished():
            flatten.carry_out(state_id)
        exit_goes_on()

        assert statuses(role="exit") == {"REJECTED", "NOT_PLACED"}
        assert StopReport.objects.get().ended == "released by ben before all was done"
        assert flatten.unfinished() == []

    def test_one_that_ran_out_does_nothing_more(self, held):
        state = stop(expires_at=timezone.now() + timedelta(seconds=1))
        TradingState.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        flatten.carry_out(state.pk)

        assert not Order.objects.filter(role="exit").exists()


class TestNewEntries:
    @pytest.mark.parametrize("mode", [CANCEL_OPEN, FLATTEN])
    def test_none_is_let_through(self, send, mode):
        stop(mode)

        assert send().decision.code == f"TRADING_{mode}"

    def test_the_strictest_wins(self, send):
        stop(TradingMode.HALTED)
        stop(FLATTEN, scope="symbol", key="BTCUSDT")

        assert send().decision.code == "TRADING_FLATTEN"


def _put_back_steps(state: TradingState, seconds: int) -> None:
    report = StopReport.objects.get(state=state)
    for step in report.steps.values():
        at = datetime.fromisoformat(step["at"]) - timedelta(seconds=seconds)
        step["at"] = at.isoformat()
    report.save()


def _die(*_args, **_kwargs) -> None:
    raise KeyboardInterrupt
