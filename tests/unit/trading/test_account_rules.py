"""May this account carry it. One class per rule."""

from decimal import Decimal

from tests.unit.trading.situations import a_buy, a_snapshot, ago, an_exit, base, limits, verdict_of
from trading.domain.risk.types import Holding

D = Decimal


class TestBalance:
    def test_the_order_and_its_fee_must_be_there(self):
        got = verdict_of("balance", a_buy(sizing=base("0.1")), a_snapshot(free_quote=D(5004)))
        assert got.message == "BALANCE_INSUFFICIENT: limit=5004 actual=5005"

    def test_exactly_enough_is_enough(self):
        snapshot = a_snapshot(free_quote=D(5005))
        assert verdict_of("balance", a_buy(sizing=base("0.1")), snapshot).passed

    def test_what_is_promised_elsewhere_is_not_free(self):
        snapshot = a_snapshot(free_quote=D(6000), reserved_quote=D(1000))
        got = verdict_of("balance", a_buy(sizing=base("0.1")), snapshot)
        assert got.code == "BALANCE_INSUFFICIENT"

    def test_an_unknown_balance_is_no_entry(self):
        sized = a_buy(sizing=base("0.1"))
        assert verdict_of("balance", sized, a_snapshot(free_quote=None)).code == "BALANCE_UNKNOWN"
        assert verdict_of("balance", sized, a_snapshot(balances_at=None)).code == "BALANCE_UNKNOWN"

    def test_an_old_balance_is_no_entry(self):
        got = verdict_of("balance", a_buy(), a_snapshot(balances_at=ago(121)))
        assert got.message == "BALANCE_STALE: limit=120 actual=121"

    def test_an_unknown_fee_is_no_entry(self):
        got = verdict_of("balance", a_buy(), a_snapshot(taker_rate=None))
        assert got.code == "FEE_RATE_UNKNOWN"

    def test_an_exit_needs_no_balance(self):
        snapshot = a_snapshot(free_quote=None, balances_at=None, held="1")
        assert verdict_of("balance", an_exit(), snapshot).passed


class TestOpenPositions:
    def test_one_more_than_allowed_is_denied(self):
        got = verdict_of("open_positions", a_buy(), a_snapshot(open_position_count=5))
        assert got.message == "OPEN_POSITIONS_AT_MAX: limit=5 actual=5"

    def test_adding_to_a_position_is_no_new_one(self):
        snapshot = a_snapshot(open_position_count=5, held="0.01")
        assert verdict_of("open_positions", a_buy(), snapshot).passed

    def test_adding_to_an_entry_on_its_way_is_no_new_one(self):
        snapshot = a_snapshot(open_position_count=5, pending_entry_quantity=D("0.01"))
        assert verdict_of("open_positions", a_buy(), snapshot).passed

    def test_dust_is_no_position_to_add_to(self):
        dust = Holding(quantity=D("0.00001"), average_entry_price=D(48_000), is_dust=True)
        snapshot = a_snapshot(open_position_count=5, holding=dust)
        assert verdict_of("open_positions", a_buy(), snapshot).code == "OPEN_POSITIONS_AT_MAX"

    def test_an_unknown_count_is_no_entry(self):
        got = verdict_of("open_positions", a_buy(), a_snapshot(open_position_count=None))
        assert got.code == "OPEN_POSITIONS_UNKNOWN"


class TestPositionNotional:
    def test_a_full_position_takes_no_more(self):
        got = verdict_of("position_notional", a_buy(), a_snapshot(held="0.2"))
        assert got.code == "POSITION_NOTIONAL_ABOVE_MAX"
        assert (got.limit, got.actual) == ("10000", "10160")

    def test_entries_on_their_way_count(self):
        snapshot = a_snapshot(held="0.1", pending_entry_quantity=D("0.1"))
        assert not verdict_of("position_notional", a_buy(), snapshot).passed

    def test_a_size_that_fits_the_room_passes(self):
        got = verdict_of("position_notional", a_buy(sizing=base("9")), a_snapshot(held="0.15"))
        assert (got.passed, got.actual) == (True, "10000")

    def test_a_limit_of_zero_does_not_limit(self):
        snapshot = a_snapshot(held="100", limits=limits(max_position_notional=D(0)))
        assert verdict_of("position_notional", a_buy(), snapshot).passed
