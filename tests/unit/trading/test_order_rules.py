"""Can the order be made. One class per rule."""

from decimal import Decimal

import pytest

from exchanges.domain.instruments import Range
from exchanges.domain.orders import OrderType, Side, TimeInForce
from tests.unit.trading.situations import (
    a_buy,
    a_quote,
    a_snapshot,
    an_exit,
    an_instrument,
    base,
    denial_of,
    limits,
    plan_of,
    quote_amount,
    verdict_of,
)
from trading.domain.intents import IntentKind
from trading.domain.risk.types import Holding

D = Decimal


def with_instrument(held="0", **changes):
    return a_snapshot(held=held, instrument=an_instrument(**changes))


class TestOrderShape:
    def test_a_limit_order_needs_a_price(self):
        got = verdict_of("order_shape", a_buy(order_type=OrderType.LIMIT))
        assert got.message == "ORDER_PRICE_MISSING: limit=given actual=missing"

    @pytest.mark.parametrize("order_type", [OrderType.STOP, OrderType.TAKE_PROFIT])
    def test_a_trigger_order_needs_a_trigger(self, order_type):
        got = verdict_of("order_shape", a_buy(order_type=order_type))
        assert got.code == "ORDER_STOP_PRICE_MISSING"

    @pytest.mark.parametrize("price", ["0", "-1"])
    def test_a_price_of_nothing_is_refused_and_not_read_as_missing(self, price):
        got = verdict_of("order_shape", a_buy(order_type=OrderType.LIMIT, price=D(price)))
        assert got.code == "ORDER_PRICE_INVALID"

    @pytest.mark.parametrize(
        ("order_type", "reference"),
        [
            (OrderType.MARKET, "50000"),
            (OrderType.LIMIT, "49000"),
            (OrderType.STOP, "51000"),
            (OrderType.STOP_LIMIT, "49000"),
        ],
    )
    def test_each_type_is_reckoned_at_its_own_price(self, order_type, reference):
        intent = a_buy(order_type=order_type, price=D(49_000), stop_price=D(51_000))
        assert dict(verdict_of("order_shape", intent).inputs)["reference"] == reference

    def test_the_accounts_default_type_is_used_when_the_signal_names_none(self):
        snapshot = a_snapshot(limits=limits(default_order_type=OrderType.LIMIT))
        assert plan_of(a_buy(price=D(49_000)), snapshot).type is OrderType.LIMIT

    def test_an_exit_without_a_price_leaves_at_market_whatever_the_default(self):
        snapshot = a_snapshot(held="1", limits=limits(default_order_type=OrderType.LIMIT))
        assert plan_of(an_exit(), snapshot).type is OrderType.MARKET

    def test_a_limit_order_rests_until_cancelled_by_default(self):
        plan = plan_of(a_buy(order_type=OrderType.LIMIT, price=D(49_000)))
        assert plan.time_in_force is TimeInForce.GTC

    @pytest.mark.parametrize("tif", [TimeInForce.IOC, TimeInForce.FOK])
    def test_immediate_or_nothing_is_kept(self, tif):
        intent = a_buy(order_type=OrderType.LIMIT, price=D(50_000), time_in_force=tif)
        assert plan_of(intent).time_in_force is tif

    def test_a_market_order_has_no_time_in_force(self):
        assert plan_of(a_buy(time_in_force=TimeInForce.IOC)).time_in_force is None

    def test_a_market_order_carries_no_price(self):
        assert plan_of(a_buy(price=D(45_000), stop_price=D(1))).price is None

    def test_a_buy_never_pays_more_for_the_grid_and_a_sale_never_takes_less(self):
        bought = plan_of(a_buy(order_type=OrderType.LIMIT, price=D("49000.019")))
        sold = plan_of(
            an_exit(order_type=OrderType.LIMIT, price=D("51000.011")), a_snapshot(held="1")
        )
        assert (bought.price, sold.price) == (D("49000.01"), D("51000.02"))


class TestPriceFilters:
    def limit_at(self, price, snapshot):
        return verdict_of(
            "price_filters", a_buy(order_type=OrderType.LIMIT, price=D(price)), snapshot
        )

    @pytest.mark.parametrize("price", ["99", "200001"])
    def test_a_price_outside_the_range_is_denied(self, price):
        narrow = Range(minimum=D(100), maximum=D(200_000), step=D("0.01"))
        got = self.limit_at(price, with_instrument(price=narrow))
        assert (got.code, got.limit) == ("PRICE_OUT_OF_RANGE", "100 to 200000")

    def test_a_price_below_one_tick_is_denied(self):
        assert self.limit_at("0.001", a_snapshot()).code == "PRICE_OUT_OF_RANGE"

    @pytest.mark.parametrize("price", ["9000", "300000"])
    def test_a_buy_outside_the_buyers_band_is_denied(self, price):
        banded = with_instrument(bid_multiplier=(D("0.2"), D(5)))
        assert self.limit_at(price, banded).code == "PRICE_OUT_OF_BAND"

    def test_a_sale_is_held_to_the_sellers_band(self):
        banded = with_instrument(held="1", ask_multiplier=(D("0.5"), D(2)))
        intent = an_exit(order_type=OrderType.LIMIT, price=D(120_000))
        assert verdict_of("price_filters", intent, banded).code == "PRICE_OUT_OF_BAND"

    def test_multipliers_of_zero_do_not_bind(self):
        free = with_instrument(bid_multiplier=(D(0), D(0)))
        assert self.limit_at("300000", free).passed

    def test_a_market_order_has_no_price_to_check(self):
        assert verdict_of("price_filters", a_buy()).passed


class TestTriggerSide:
    @pytest.mark.parametrize(
        ("side", "order_type", "trigger", "fine"),
        [
            (Side.BUY, OrderType.STOP, "50001", True),
            (Side.BUY, OrderType.STOP, "50000", False),
            (Side.BUY, OrderType.TAKE_PROFIT, "49998", True),
            (Side.BUY, OrderType.TAKE_PROFIT, "49999", False),
            (Side.SELL, OrderType.STOP, "49998", True),
            (Side.SELL, OrderType.STOP, "49999", False),
            (Side.SELL, OrderType.TAKE_PROFIT, "50001", True),
            (Side.SELL, OrderType.TAKE_PROFIT, "50000", False),
        ],
    )
    def test_a_trigger_must_lie_beyond_the_market(self, side, order_type, trigger, fine):
        make = a_buy if side is Side.BUY else an_exit
        intent = make(order_type=order_type, stop_price=D(trigger))
        got = verdict_of("trigger_side", intent, a_snapshot(held="1"))
        assert got.code == ("" if fine else "TRIGGER_WRONG_SIDE")

    def test_a_maker_order_that_would_take_is_denied(self):
        intent = a_buy(order_type=OrderType.LIMIT_MAKER, price=D(50_000))
        assert verdict_of("trigger_side", intent).code == "LIMIT_MAKER_WOULD_TAKE"

    def test_an_exit_without_a_quote_leaves_the_trigger_to_the_venue(self):
        intent = an_exit(order_type=OrderType.STOP, stop_price=D(49_000))
        got = verdict_of("trigger_side", intent, a_snapshot(held="1", quote=None))
        assert (got.passed, got.skipped) == (True, True)


class TestSize:
    def test_the_record_shows_what_was_asked_and_what_is_left(self):
        snapshot = a_snapshot(limits=limits(max_position_notional=D(1000)))
        got = verdict_of("size", a_buy(sizing=base("0.5")), snapshot)
        assert (got.limit, got.actual) == ("0.5", "0.02")

    def test_what_is_promised_elsewhere_is_not_sized_with(self):
        got = verdict_of("size", a_buy(), a_snapshot(reserved_quote=D(5000)))
        assert got.actual == "0.0016"

    def test_an_unknown_balance_denies_a_default_size(self):
        assert verdict_of("size", a_buy(), a_snapshot(free_quote=None)).code == "BALANCE_UNKNOWN"

    @pytest.mark.parametrize("kind", [IntentKind.CLOSE, IntentKind.REDUCE])
    def test_nothing_held_is_nothing_to_sell(self, kind):
        got = verdict_of("size", an_exit(kind), a_snapshot(held="0"))
        assert got.code == "NO_POSITION_TO_CLOSE"

    def test_a_reduce_leaves_other_exits_their_part(self):
        holding = Holding(D(1), D(48_000), locked_in_exits=D("0.4"))
        plan = plan_of(an_exit(IntentKind.REDUCE), a_snapshot(holding=holding))
        assert plan.quantity == D("0.6")

    def test_a_close_takes_the_place_of_exits_that_rest(self):
        holding = Holding(D(1), D(48_000), locked_in_exits=D(1))
        assert plan_of(an_exit(), a_snapshot(holding=holding)).quantity == D(1)

    def test_a_close_leaves_out_what_is_being_sold_this_moment(self):
        holding = Holding(D(1), D(48_000), locked_in_exits=D(1), exits_in_flight=D("0.4"))
        assert plan_of(an_exit(), a_snapshot(holding=holding)).quantity == D("0.6")

    @pytest.mark.parametrize("left", [D(0), D("0.000001")])
    @pytest.mark.parametrize("kind", [IntentKind.REDUCE, IntentKind.CLOSE])
    def test_a_position_that_is_wholly_on_its_way_out_says_so(self, kind, left):
        going = D(1) - left
        holding = Holding(D(1), D(48_000), locked_in_exits=going, exits_in_flight=going)
        got = verdict_of("size", an_exit(kind), a_snapshot(holding=holding))
        assert got.code == "POSITION_ALREADY_EXITING"


class TestStopAndTarget:
    def test_a_required_stop_is_set_from_the_entry(self):
        plan = plan_of(a_buy())
        assert plan.stop_loss == D(49_000)

    @pytest.mark.parametrize(
        ("levels", "code"),
        [
            ({"stop_loss": D(51_000)}, "STOP_WRONG_SIDE"),
            ({"stop_loss": D(0)}, "STOP_INVALID"),
            ({"stop_loss": D("49999.5")}, "STOP_WRONG_SIDE"),
            ({"take_profit": D(49_000)}, "TARGET_WRONG_SIDE"),
            ({"take_profit": D(0)}, "TARGET_INVALID"),
            ({"take_profit": D(2_000_000)}, "TARGET_OUT_OF_RANGE"),
            ({"atr": D(0)}, "ATR_INVALID"),
        ],
    )
    def test_a_wrong_level_is_denied_by_name(self, levels, code):
        assert verdict_of("stop_and_target", a_buy(**levels)).code == code

    def test_a_target_beyond_the_sellers_band_is_denied(self):
        banded = with_instrument(ask_multiplier=(D("0.2"), D(2)))
        got = verdict_of("stop_and_target", a_buy(take_profit=D(120_000)), banded)
        assert got.code == "TARGET_OUT_OF_BAND"

    def test_a_limit_below_the_market_measures_from_its_own_price(self):
        intent = a_buy(order_type=OrderType.LIMIT, price=D(45_000), stop_loss=D(46_000))
        assert verdict_of("stop_and_target", intent).code == "STOP_WRONG_SIDE"

    def test_a_limit_that_takes_at_once_must_have_its_stop_below_the_bid(self):
        intent = a_buy(order_type=OrderType.LIMIT, price=D(55_000), stop_loss=D(52_000))
        assert verdict_of("stop_and_target", intent).code == "STOP_WRONG_SIDE"

    def test_a_stop_entry_measures_from_its_trigger(self):
        intent = a_buy(order_type=OrderType.STOP, stop_price=D(52_000), stop_loss=D(51_000))
        assert plan_of(intent).stop_loss == D(51_000)

    def test_a_stop_limit_entry_needs_its_stop_below_the_trigger_too(self):
        intent = a_buy(
            order_type=OrderType.STOP_LIMIT,
            stop_price=D(52_000),
            price=D(53_000),
            stop_loss=D(52_500),
        )
        assert verdict_of("stop_and_target", intent).code == "STOP_WRONG_SIDE"

    def test_an_exit_of_stop_type_carries_no_levels(self):
        intent = an_exit(
            order_type=OrderType.STOP,
            stop_price=D(43_000),
            stop_loss=D(43_000),
            take_profit=D(60_000),
        )
        plan = plan_of(intent, a_snapshot(held="1"))
        assert (plan.stop_price, plan.stop_loss, plan.take_profit) == (D(43_000), None, None)


class TestQuantity:
    def test_it_goes_down_to_the_lot_grid(self):
        plan = plan_of(a_buy(sizing=base("0.0123456789")))
        assert plan.quantity == D("0.01234")

    def test_below_the_least_is_denied_and_never_lifted(self):
        coarse = with_instrument(lot=Range(minimum=D("0.01"), maximum=D(9000), step=D("0.001")))
        got = verdict_of("quantity", a_buy(sizing=base("0.0099")), coarse)
        assert got.message == "QUANTITY_BELOW_MIN: limit=0.01 actual=0.009"

    def test_a_market_order_obeys_the_market_grid_as_well(self):
        lot = Range(step=D("0.1"), minimum=D(0), maximum=D(0))
        coarse = with_instrument(market_lot=lot)
        assert plan_of(a_buy(sizing=base("0.19")), coarse).quantity == D("0.1")

    def test_a_market_step_of_zero_is_no_grid(self):
        assert plan_of(a_buy(sizing=base("0.00123"))).quantity == D("0.00123")

    def test_the_largest_order_caps_it(self):
        snapshot = a_snapshot(
            instrument=an_instrument(market_lot=Range(maximum=D("0.05"))),
            limits=limits(max_position_notional=D(0)),
        )
        assert plan_of(a_buy(sizing=base("0.1")), snapshot).quantity == D("0.05")


class TestNotional:
    def test_below_the_venues_least_is_denied_with_both_numbers(self):
        got = verdict_of("notional", a_buy(sizing=base("0.00006")))
        assert got.message == "NOTIONAL_BELOW_MIN: limit=5 actual=3"

    def test_the_live_filter_counts_and_not_our_ten_dollars(self):
        assert verdict_of("notional", a_buy(sizing=base("0.00012"))).passed

    def test_ten_dollars_count_where_the_venue_names_none(self):
        got = verdict_of(
            "notional", a_buy(sizing=base("0.00018")), with_instrument(min_notional=D(0))
        )
        assert (got.code, got.limit) == ("NOTIONAL_BELOW_MIN", "10")

    def test_a_least_that_spares_market_orders_spares_them(self):
        lax = with_instrument(min_notional_applies_to_market=False)
        assert verdict_of("notional", a_buy(sizing=base("0.00006")), lax).passed

    def test_above_the_venues_most_is_denied(self):
        tight = with_instrument(max_notional=D(100))
        intent = a_buy(sizing=base("0.01"), order_type=OrderType.LIMIT, price=D(49_000))
        assert verdict_of("notional", intent, tight).code == "NOTIONAL_ABOVE_MAX"


class TestExitFeasible:
    def test_an_entry_whose_stop_the_venue_would_refuse_is_denied(self):
        got = verdict_of("exit_feasible", a_buy(sizing=quote_amount("5.09")))
        assert got.code == "EXIT_BELOW_MIN_NOTIONAL"

    def test_the_fee_is_taken_off_before_the_stop_is_reckoned(self):
        inputs = dict(verdict_of("exit_feasible", a_buy(sizing=base("0.001"))).inputs)
        assert inputs["sellable"] == "0.00099"

    def test_what_is_held_already_helps(self):
        got = verdict_of("exit_feasible", a_buy(sizing=quote_amount("5.09")), a_snapshot(held="1"))
        assert got.passed

    def test_an_unknown_fee_is_no_entry(self):
        got = verdict_of("exit_feasible", a_buy(), a_snapshot(taker_rate=None))
        assert got.code == "FEE_RATE_UNKNOWN"

    def test_without_a_stop_there_is_nothing_to_place(self):
        snapshot = a_snapshot(limits=limits(require_stop=False), quote=a_quote())
        assert verdict_of("exit_feasible", a_buy(), snapshot).passed


class TestFarthestStop:
    def at_most(self, percent):
        return a_snapshot(limits=limits(max_stop_loss_pct=D(percent)))

    def test_a_stop_at_the_limit_passes(self):
        assert plan_of(a_buy(stop_loss=D(48_500)), self.at_most(3)).stop_loss == D(48_500)

    def test_a_wider_one_is_denied_and_not_drawn_nearer(self):
        denial = denial_of(a_buy(stop_loss=D("48499.99")), self.at_most(3))
        assert (denial.code, denial.limit) == ("STOP_TOO_WIDE", "3%")

    def test_a_nearer_one_than_the_default_passes(self):
        assert plan_of(a_buy(stop_loss=D(49_900)), self.at_most(3)).stop_loss == D(49_900)

    def test_it_binds_what_atr_gives_too(self):
        assert denial_of(a_buy(atr=D(2_000)), self.at_most(3)).code == "STOP_TOO_WIDE"

    def test_zero_is_no_limit(self):
        assert plan_of(a_buy(stop_loss=D(30_000)), self.at_most(0)).stop_loss == D(30_000)


class TestStopRoom:
    def test_one_more_than_the_venue_takes_is_denied(self):
        got = verdict_of("stop_room", a_buy(), a_snapshot(stops_elsewhere=5))
        assert got.message == "STOPS_AT_MAX: limit=5 actual=5"

    def test_the_last_one_is_let_through(self):
        assert verdict_of("stop_room", a_buy(), a_snapshot(stops_elsewhere=4)).passed

    def test_what_is_added_shares_the_stop_of_its_position(self):
        snapshot = a_snapshot(stops_elsewhere=5, held="0.01")
        assert verdict_of("stop_room", a_buy(), snapshot).passed

    def test_not_knowing_is_no_entry(self):
        got = verdict_of("stop_room", a_buy(), a_snapshot(stops_elsewhere=None))
        assert got.code == "STOPS_UNKNOWN"

    def test_an_entry_without_a_stop_needs_no_room(self):
        snapshot = a_snapshot(stops_elsewhere=5, limits=limits(require_stop=False))
        assert verdict_of("stop_room", a_buy(), snapshot).passed

    def test_a_venue_that_does_not_count_them_has_room(self):
        snapshot = a_snapshot(stops_elsewhere=None, instrument=an_instrument(max_algo_orders=0))
        assert verdict_of("stop_room", a_buy(), snapshot).passed

    def test_an_exit_needs_none(self):
        snapshot = a_snapshot(stops_elsewhere=5, held="1")
        assert verdict_of("stop_room", an_exit(), snapshot).passed

    def test_what_others_have_resting_counts_too(self):
        got = verdict_of("stop_room", a_buy(), a_snapshot(free_slots=0))
        assert got.message == "STOPS_AT_MAX: limit=5 actual=5"

    def test_a_stop_that_our_guard_would_hold_has_room(self):
        snapshot = a_snapshot(stops_elsewhere=19, free_slots=0, has_guard=True)
        assert verdict_of("stop_room", a_buy(), snapshot).passed


class TestConditionalOrdersLeaveAPlace:
    @pytest.fixture(params=["entry", "reduce"])
    def order(self, request):
        if request.param == "entry":
            return a_buy(order_type=OrderType.STOP, stop_price=D(51_000))
        return an_exit(
            kind=IntentKind.REDUCE,
            order_type=OrderType.STOP,
            stop_price=D(49_000),
            sizing=base("0.1"),
        )

    def test_the_last_place_is_kept_for_a_stop(self, order):
        got = verdict_of("stop_room", order, a_snapshot(held="1", free_slots=1))
        assert got.code == "CONDITIONAL_ORDERS_AT_MAX"
        assert (got.limit, got.actual) == ("4", "4")

    def test_the_last_but_one_is_let_through(self, order):
        assert verdict_of("stop_room", order, a_snapshot(held="1", free_slots=2)).passed

    def test_a_close_takes_the_places_of_what_it_ends(self):
        close = an_exit(order_type=OrderType.STOP, stop_price=D(49_000))
        assert verdict_of("stop_room", close, a_snapshot(held="1", free_slots=0)).passed
