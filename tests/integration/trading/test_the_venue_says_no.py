from __future__ import annotations

from typing import Any

import pytest

from audit.models import Event
from exchanges.domain.instruments import parse_spot
from tests.fakes.instruments import spot_symbol_entry
from tests.integration.trading.clock import time_passes
from tests.limits import set_limits
from trading.models import Fill, Order, Position, TradingState
from trading.services.execution import reconciliation
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db


def minutes_pass() -> None:
    """Every sweep there is, for several minutes."""
    for _ in range(5):
        time_passes(60)
        for position_id in reconciliation.run():
            keeper.ensure(position_id, actor="test")


class TestCredentials:
    @pytest.fixture
    def refused(self, send, venue):
        venue.refuse_credentials_next()
        return send()

    def test_the_order_has_failed_with_the_venues_words(self, refused):
        order = refused.order
        assert order.status == "REJECTED"
        assert order.reason_code == "-2015"
        assert "Invalid API-key" in order.reason
        assert not Position.objects.filter(is_open=True).exists()

    def test_nothing_is_tried_again(self, refused, venue):
        minutes_pass()

        assert venue.count("place_order") == 1
        assert Order.objects.get().status == "REJECTED"

    def test_the_venue_is_halted_with_the_reason_and_on_record(self, refused):
        state = TradingState.objects.get(released_at=None)
        assert (state.scope, state.key, state.mode) == ("venue", "binance.spot.simulator", "HALTED")
        assert "credentials" in state.reason
        assert Event.objects.filter(kind="control.engaged").exists()

    def test_the_next_signal_is_denied_before_it_reaches_the_venue(self, refused, send, venue):
        outcome = send()

        assert outcome.decision.code == "TRADING_HALTED"
        assert "credentials" in outcome.decision.message
        assert venue.count("place_order") == 1


class TestFilters:
    @pytest.mark.parametrize(
        ("code", "text", "kept"),
        [
            (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE", "FILTER_FAILED"),
            (-1013, "Filter failure: NOTIONAL", "FILTER_FAILED"),
            (-1013, "Filter failure: MAX_NUM_ALGO_ORDERS", "TOO_MANY_CONDITIONAL"),
            (-1111, "Parameter 'quantity' has too much precision.", "-1111"),
            (
                -2010,
                "Account has insufficient balance for requested action.",
                "INSUFFICIENT_BALANCE",
            ),
            (-2010, "Stop price would trigger immediately.", "WOULD_TRIGGER"),
        ],
    )
    def test_a_refusal_is_final_with_code_and_words(self, send, venue, code, text, kept):
        venue.reject_next(code, text)
        order = send().order
        minutes_pass()

        assert order.status == Order.objects.get().status == "REJECTED"
        assert (order.reason_code, order.reason) == (kept, text)
        assert venue.count("place_order") == 1
        assert not Fill.objects.exists()

    def test_the_venues_own_filter_speaks_when_ours_did_not_know_it(self, send, venue):
        """The venue has changed a filter since we loaded its list."""
        send(quantity=0.001)
        entry: dict[str, Any] = spot_symbol_entry("BTCUSDT")
        for one in entry["filters"]:
            if one["filterType"] == "NOTIONAL":
                one["minNotional"] = "5000"
        venue.book.instruments["BTCUSDT"] = parse_spot(entry)

        order = send(quantity=0.001).order

        assert order.status == "REJECTED"
        assert "NOTIONAL" in order.reason

    def test_a_refused_entry_frees_its_slot_for_the_next_signal(self, send, venue):
        set_limits(max_open_positions=1)
        venue.reject_next(-2010, "Account has insufficient balance for requested action.")
        send(symbol="ETHUSDT", quantity=0.1)

        assert send().decision.approved

    def test_a_refused_list_refuses_all_its_orders(self, send, venue):
        venue.reject_next(-2010, "Account has insufficient balance for requested action.")
        send(order_type="limit", price=44000, stop_loss=43000, take_profit=46000)

        assert set(Order.objects.values_list("status", flat=True)) == {"REJECTED"}

    def test_money_the_venue_does_not_have_is_its_word_not_ours(self, send, venue):
        """Somebody moved the money away after we last asked."""
        send(quantity=0.001)
        venue.deposit("USDT", -venue.free("USDT"))

        order = send(quantity=0.001).order

        assert order.status == "REJECTED"
        assert "insufficient balance" in order.reason
