"""May anything be traded at all. One class per rule."""

from datetime import timedelta
from decimal import Decimal

import pytest

from exchanges.domain.orders import OrderType
from tests.unit.trading.situations import (
    NOW,
    a_buy,
    a_quote,
    a_snapshot,
    ago,
    an_exit,
    an_instrument,
    base,
    limits,
    verdict_of,
)
from trading.domain.risk.assess import assess
from trading.domain.risk.types import TradingMode

D = Decimal


class TestFigures:
    @pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
    @pytest.mark.parametrize("name", ["confidence", "price", "stop_loss", "take_profit", "atr"])
    def test_what_is_no_number_is_denied_by_name_and_no_rule_reckons_with_it(self, name, value):
        got = verdict_of("figures", a_buy(**{name: D(value)}))
        assert (got.code, got.actual) == ("FIGURE_NOT_FINITE", f"{name}={value}")

    def test_nor_is_a_size_that_is_no_number(self):
        assert not assess(a_buy(sizing=base("NaN")), a_snapshot()).approved


class TestEnvironment:
    def test_a_signal_that_asks_for_simulation_never_trades_elsewhere(self):
        got = verdict_of("environment", a_buy(simulate=True), a_snapshot(environment="mainnet"))
        assert got.code == "ENVIRONMENT_NOT_SIMULATED"
        assert (got.limit, got.actual) == ("simulator", "mainnet")

    def test_neither_does_its_exit(self):
        got = verdict_of("environment", an_exit(simulate=True), a_snapshot(environment="testnet"))
        assert not got.passed

    def test_it_trades_on_the_simulator(self):
        assert verdict_of("environment", a_buy(simulate=True)).passed

    def test_a_signal_that_asks_for_nothing_trades_wherever_the_account_is(self):
        assert verdict_of("environment", a_buy(), a_snapshot(environment="mainnet")).passed


class TestAccountCanTrade:
    def test_an_account_the_venue_has_locked_opens_nothing(self):
        got = verdict_of("account_can_trade", a_buy(), a_snapshot(can_trade=False))
        assert got.code == "ACCOUNT_CANNOT_TRADE"

    def test_its_exits_are_not_stopped_here(self):
        got = verdict_of("account_can_trade", an_exit(), a_snapshot(can_trade=False))
        assert (got.passed, got.skipped) == (True, True)


class TestTradingState:
    @pytest.mark.parametrize(
        ("mode", "code"),
        [
            (TradingMode.HALTED, "TRADING_HALTED"),
            (TradingMode.REDUCE_ONLY, "TRADING_REDUCE_ONLY"),
            (TradingMode.CANCEL_OPEN, "TRADING_CANCEL_OPEN"),
            (TradingMode.FLATTEN, "TRADING_FLATTEN"),
            (None, "TRADING_STATE_UNKNOWN"),
        ],
    )
    def test_entries_need_active(self, mode, code):
        got = verdict_of("trading_state", a_buy(), a_snapshot(mode=mode, mode_reason="drill"))
        assert got.code == code
        assert got.message.endswith("(drill)")

    @pytest.mark.parametrize("mode", [*TradingMode, None])
    def test_exits_pass_in_every_state(self, mode):
        assert verdict_of("trading_state", an_exit(), a_snapshot(mode=mode, held="1")).passed


class TestSignalAge:
    def test_old_news_is_stale_and_says_how_old(self):
        got = verdict_of("signal_age", a_buy(emitted_at=ago(75)))
        assert got.message == "SIGNAL_STALE: limit=60 actual=75"

    def test_sixty_seconds_are_still_fresh(self):
        assert verdict_of("signal_age", a_buy(emitted_at=ago(60))).passed

    def test_news_from_the_future_is_denied(self):
        got = verdict_of("signal_age", a_buy(emitted_at=NOW + timedelta(seconds=30)))
        assert (got.code, got.actual) == ("SIGNAL_FROM_FUTURE", "-30")

    def test_a_clock_a_few_seconds_ahead_is_tolerated(self):
        assert verdict_of("signal_age", a_buy(emitted_at=NOW + timedelta(seconds=4))).passed

    def test_a_late_exit_is_still_welcome_and_the_skip_is_on_record(self):
        got = verdict_of("signal_age", an_exit(emitted_at=ago(3600)), a_snapshot(held="1"))
        assert (got.passed, got.skipped) == (True, True)


class TestConfidence:
    def test_below_the_least_is_denied(self):
        got = verdict_of("confidence", a_buy(confidence=D("0.4")))
        assert got.message == "CONFIDENCE_BELOW_MIN: limit=0.5 actual=0.4"

    def test_exactly_the_least_is_enough(self):
        assert verdict_of("confidence", a_buy(confidence=D("0.5"))).passed

    @pytest.mark.parametrize("confidence", ["1.2", "-0.1"])
    def test_a_confidence_that_is_none_is_denied(self, confidence):
        got = verdict_of("confidence", a_buy(confidence=D(confidence)))
        assert got.code == "CONFIDENCE_INVALID"


class TestSymbolSupported:
    def test_an_unknown_symbol_is_denied(self):
        got = verdict_of("symbol_supported", a_buy(), a_snapshot(instrument=None))
        assert (got.code, got.actual) == ("SYMBOL_UNKNOWN", "BTCUSDT")

    def test_the_filters_of_another_symbol_do_not_count(self):
        got = verdict_of("symbol_supported", a_buy(symbol="ETHUSDT"))
        assert got.code == "SYMBOL_UNKNOWN"

    @pytest.mark.parametrize("status", ["HALT", "BREAK", "CANCEL_ONLY"])
    def test_a_symbol_that_does_not_trade_is_denied(self, status):
        halted = a_snapshot(instrument=an_instrument(status=status))
        assert verdict_of("symbol_supported", a_buy(), halted).code == "SYMBOL_NOT_TRADING"

    def test_an_exit_leaves_a_halted_symbol_to_the_venue(self):
        halted = a_snapshot(instrument=an_instrument(status="HALT"), held="1")
        assert verdict_of("symbol_supported", an_exit(), halted).passed

    def test_the_accounts_list_is_kept_for_entries_and_not_for_exits(self):
        only_eth = a_snapshot(limits=limits(allowed_symbols=frozenset({"ETHUSDT"})), held="1")
        assert verdict_of("symbol_supported", a_buy(), only_eth).code == "SYMBOL_NOT_ALLOWED"
        assert verdict_of("symbol_supported", an_exit(), only_eth).passed

    @pytest.mark.parametrize("order_type", OrderType)
    def test_every_order_type_is_found_under_the_venues_word(self, order_type):
        intent = a_buy(order_type=order_type, price=D(49_000), stop_price=D(51_000))
        assert verdict_of("symbol_supported", intent).passed

    def test_an_order_type_the_symbol_lacks_is_denied(self):
        simple = a_snapshot(instrument=an_instrument(order_types=frozenset({"LIMIT", "MARKET"})))
        got = verdict_of("symbol_supported", a_buy(order_type=OrderType.STOP), simple)
        assert (got.code, got.limit) == ("ORDER_TYPE_UNSUPPORTED", "LIMIT MARKET")


class TestQuoteAge:
    def test_no_quote_is_no_entry(self):
        got = verdict_of("quote_age", a_buy(), a_snapshot(quote=None))
        assert got.code == "QUOTE_UNKNOWN"

    def test_a_stale_quote_is_no_entry(self):
        got = verdict_of("quote_age", a_buy(), a_snapshot(quote=a_quote(age=3)))
        assert got.message == "QUOTE_STALE: limit=500 actual=3000"

    def test_one_of_exactly_the_limit_passes(self):
        snapshot = a_snapshot(quote=a_quote(age=0.25), limits=limits(max_quote_age_ms=250))
        assert verdict_of("quote_age", a_buy(), snapshot).passed

    def test_a_hair_older_does_not(self):
        snapshot = a_snapshot(quote=a_quote(age=0.250001), limits=limits(max_quote_age_ms=250))
        assert verdict_of("quote_age", a_buy(), snapshot).actual == "250.001"

    def test_a_quote_from_the_future_is_no_fresh_one(self):
        got = verdict_of("quote_age", a_buy(), a_snapshot(quote=a_quote(age=-60)))
        assert got.code == "QUOTE_STALE"

    def test_an_exit_reckons_with_a_quote_that_is_too_old_for_an_entry(self):
        snapshot = a_snapshot(quote=a_quote(age=1), held="1")
        got = verdict_of("quote_age", an_exit(), snapshot)
        assert (got.passed, got.skipped) == (True, False)

    @pytest.mark.parametrize(("bid", "ask"), [("0", "50000"), ("49999", "0"), ("2", "1")])
    def test_an_empty_or_crossed_book_is_no_entry(self, bid, ask):
        got = verdict_of("quote_age", a_buy(), a_snapshot(quote=a_quote(bid, ask)))
        assert got.code == "QUOTE_INVALID"

    @pytest.mark.parametrize("quote", [None, a_quote(age=60), a_quote("0", "0")])
    def test_an_exit_goes_without(self, quote):
        got = verdict_of("quote_age", an_exit(), a_snapshot(quote=quote, held="1"))
        assert (got.passed, got.skipped) == (True, True)
