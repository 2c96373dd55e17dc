"""What all accounts hold together. One class per rule."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.unit.trading.situations import (
    a_buy,
    a_snapshot,
    an_exit,
    base,
    limits,
    verdict_of,
)
from trading.domain.risk.types import Together

D = Decimal


class TestOpenPositionsTotal:
    def at(self, positions, most=3, intent=None, **changes):
        together = None if positions is None else Together(positions, D(0), D(0))
        snapshot = a_snapshot(
            limits=limits(max_open_positions_total=most), together=together, **changes
        )
        return verdict_of("open_positions_total", intent, snapshot)

    def test_the_last_slot_of_all_is_given(self):
        assert self.at(2).passed

    def test_and_no_more(self):
        assert self.at(3).message == "OPEN_POSITIONS_TOTAL_AT_MAX: limit=3 actual=3"

    def test_adding_takes_no_slot(self):
        assert self.at(3, held="0.1").passed
        assert self.at(3, pending_entry_quantity=D(1)).passed

    def test_not_looked_up_is_not_known(self):
        assert self.at(None).code == "OPEN_POSITIONS_TOTAL_UNKNOWN"

    def test_zero_is_no_limit(self):
        assert self.at(None, most=0).passed

    def test_an_exit_skips_it_on_record(self):
        assert self.at(9, intent=an_exit(), held="0.1").skipped


@pytest.mark.parametrize(
    ("rule", "limit", "category"),
    [
        ("symbol_exposure", "max_symbol_exposure", "SYMBOL_EXPOSURE"),
        ("gross_exposure", "max_gross_exposure", "GROSS_EXPOSURE"),
    ],
)
class TestExposure:
    def at(self, rule, limit, held, most="1000", intent=None):
        value = None if held is None else D(held)
        together = Together(1, **dict.fromkeys(("symbol_exposure", "gross_exposure"), value))
        snapshot = a_snapshot(limits=limits(**{limit: D(most)}), together=together)
        return verdict_of(rule, intent or a_buy(sizing=base("0.01")), snapshot)

    def test_exactly_the_limit_passes(self, rule, limit, category):
        got = self.at(rule, limit, "500")
        assert got.passed
        assert got.actual == "1000"

    def test_a_cent_above_is_denied_with_what_it_would_have_been(self, rule, limit, category):
        got = self.at(rule, limit, "500.01")
        assert got.message == f"{category}_ABOVE_MAX: limit=1000 actual=1000.01"
        assert dict(got.inputs) == {"held": "500.01", "order": "500"}

    def test_a_cost_nobody_knows_is_no_entry(self, rule, limit, category):
        assert self.at(rule, limit, None).code == f"{category}_UNKNOWN"

    def test_zero_is_no_limit(self, rule, limit, category):
        assert self.at(rule, limit, None, most="0").passed

    def test_an_exit_skips_it_on_record(self, rule, limit, category):
        assert self.at(rule, limit, "5000", intent=an_exit()).skipped
