"""How often and where an account enters. One class per rule."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.unit.trading.situations import a_snapshot, an_exit, limits, verdict_of
from trading.domain.risk.types import Pace

PACES = [
    ("orders_per_second", "max_orders_per_second", "ORDER_RATE_SECOND"),
    ("orders_per_minute", "max_orders_per_minute", "ORDER_RATE_MINUTE"),
    ("orders_per_day", "max_orders_per_day", "ORDER_RATE_DAY"),
    ("repeats", "max_repeats", "REPEATED_ENTRY"),
]


@pytest.mark.parametrize(("rule", "limit", "category"), PACES)
class TestPace:
    def at(self, rule, limit, entries, most=3, intent=None):
        paces = {} if entries is None else {limit: Pace(entries, "account desk")}
        snapshot = a_snapshot(limits=limits(**{limit: most}), paces=paces)
        return verdict_of(rule, intent, snapshot)

    def test_the_last_one_allowed_passes(self, rule, limit, category):
        got = self.at(rule, limit, 2)
        assert got.passed
        assert (got.limit, got.actual) == ("3", "2")

    def test_one_more_is_denied(self, rule, limit, category):
        got = self.at(rule, limit, 3)
        assert got.message == f"{category}_AT_MAX: limit=3 actual=3"
        assert dict(got.inputs)["counted"] == "account desk"

    def test_not_counted_is_not_known(self, rule, limit, category):
        assert self.at(rule, limit, None).code == f"{category}_UNKNOWN"

    def test_zero_is_no_limit(self, rule, limit, category):
        assert self.at(rule, limit, None, most=0).passed

    def test_an_exit_skips_it_on_record(self, rule, limit, category):
        got = self.at(rule, limit, 9, intent=an_exit())
        assert got.passed
        assert got.skipped


class TestOneSymbol:
    def at(self, *held, on=True, intent=None):
        snapshot = a_snapshot(
            limits=limits(one_symbol_per_account=on), symbols_in_use=frozenset(held)
        )
        return verdict_of("one_symbol", intent, snapshot)

    def test_a_second_symbol_is_no_entry(self):
        got = self.at("ETHUSDT")
        assert got.message == "ONE_SYMBOL_TAKEN: limit=ETHUSDT actual=BTCUSDT"

    def test_a_flat_account_may_enter_any(self):
        assert self.at().passed

    def test_where_it_is_off_nobody_minds(self):
        assert self.at("ETHUSDT", on=False).passed

    def test_not_known_is_no_entry(self):
        snapshot = a_snapshot(limits=limits(one_symbol_per_account=True), symbols_in_use=None)
        assert verdict_of("one_symbol", None, snapshot).code == "ONE_SYMBOL_UNKNOWN"

    def test_an_exit_skips_it_on_record(self):
        assert self.at("ETHUSDT", intent=an_exit()).skipped


class TestEntriesPerPosition:
    def at(self, count, most=3, intent=None):
        snapshot = a_snapshot(
            limits=limits(max_entries_per_position=most), entries_in_position=count
        )
        return verdict_of("entries_per_position", intent, snapshot)

    def test_the_last_add_passes(self):
        assert self.at(2).passed

    def test_one_more_is_denied(self):
        assert self.at(3).message == "ENTRIES_PER_POSITION_AT_MAX: limit=3 actual=3"

    def test_not_counted_is_not_known(self):
        assert self.at(None).code == "ENTRIES_PER_POSITION_UNKNOWN"

    def test_zero_is_no_limit(self):
        assert self.at(None, most=0).passed

    def test_an_exit_skips_it_on_record(self):
        assert self.at(9, intent=an_exit()).skipped


class TestTradingWindow:
    def at(self, words, now="2026-11-23T12:00:00", intent=None):
        snapshot = a_snapshot(
            now=datetime.fromisoformat(now).replace(tzinfo=UTC), limits=limits(trading_window=words)
        )
        return verdict_of("trading_window", intent, snapshot)

    def test_outside_its_hours_is_no_entry(self):
        got = self.at("14:00-16:00 UTC mon-fri")
        assert got.code == "TRADING_WINDOW_CLOSED"
        assert got.message == (
            "TRADING_WINDOW_CLOSED: limit=14:00-16:00 UTC mon-fri actual=mon 12:00:00"
        )

    def test_within_them_passes(self):
        assert self.at("11:00-16:00 UTC mon-fri").passed

    def test_round_the_clock_by_default(self):
        got = verdict_of("trading_window")
        assert got.passed
        assert got.limit == "24/7"

    def test_a_window_nobody_can_read_is_no_entry(self):
        assert self.at("09:30-16:00 Atlantis").code == "TRADING_WINDOW_UNKNOWN"

    def test_an_exit_goes_out_at_any_hour(self):
        got = self.at("14:00-16:00", intent=an_exit())
        assert got.passed
        assert got.skipped
