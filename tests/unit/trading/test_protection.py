"""The protection plan, situation by situation."""

from datetime import timedelta
from decimal import Decimal

from exchanges.domain.instruments import Range
from exchanges.domain.orders import OrderType
from tests.unit.trading.situations import NOW, a_quote, ago, an_instrument
from trading.domain import protection
from trading.domain.order_states import OrderStatus
from trading.domain.protection import (
    Alarm,
    Ask,
    CallOff,
    CancelList,
    CancelOrder,
    Dust,
    ExitAtMarket,
    ExitLeg,
    Guard,
    KeepAll,
    Parent,
    PlaceOco,
    PlaceStop,
    PlaceTarget,
    Situation,
)

D = Decimal
STOP, TARGET = D(49_000), D(55_000)


def stop_leg(quantity="1", list_id="list-1", *, at=STOP, status=OrderStatus.OPEN, **more):
    return ExitLeg(
        f"stop-{list_id}",
        list_id,
        OrderType.STOP,
        D(quantity),
        status,
        stop_price=at,
        **more,
    )


def target_leg(quantity="1", list_id="list-1", *, at=TARGET, status=OrderStatus.OPEN, **more):
    return ExitLeg(
        f"target-{list_id}",
        list_id,
        OrderType.LIMIT_MAKER,
        D(quantity),
        status,
        price=at,
        **more,
    )


def oco(quantity="1", list_id="list-1", **more):
    return (stop_leg(quantity, list_id, **more), target_leg(quantity, list_id, **more))


def pending(parent, quantity="1", *, since=0, filled="0", list_id="entry-1"):
    return oco(
        quantity,
        list_id,
        status=OrderStatus.PENDING,
        parent=parent,
        parent_since=ago(since),
        parent_filled=D(filled),
    )


def situation(quantity="1", *, legs=(), stop=STOP, target=TARGET, **changes):
    ordinary = {"instrument": an_instrument(), "quote": a_quote()}
    return Situation(
        now=NOW,
        quantity=D(quantity),
        stop=stop,
        target=target,
        legs=tuple(legs),
        **{**ordinary, **changes},
    )


def actions(*args, **kwargs):
    return protection.plan(situation(*args, **kwargs)).actions


def kinds(*args, **kwargs):
    return [type(action) for action in actions(*args, **kwargs)]


class TestPlacing:
    def test_a_naked_position_gets_one_list_for_the_whole(self):
        assert actions() == (PlaceOco(D(1), TARGET, STOP),)

    def test_the_quantity_is_floored_to_the_lot(self):
        assert actions("0.99912345") == (PlaceOco(D("0.99912"), TARGET, STOP),)

    def test_without_a_target_the_stop_rests_alone(self):
        assert actions(target=None) == (PlaceStop(D(1), STOP),)

    def test_a_symbol_without_lists_gets_the_stop_alone(self):
        assert actions(instrument=an_instrument(oco_allowed=False)) == (PlaceStop(D(1), STOP),)

    def test_a_list_the_venue_refused_is_followed_by_the_stop_alone(self):
        assert actions(oco_refused=True) == (PlaceStop(D(1), STOP),)

    def test_without_a_quote_it_is_placed_all_the_same(self):
        assert actions(quote=None) == (PlaceOco(D(1), TARGET, STOP),)

    def test_a_position_without_a_stop_level_rings(self):
        assert kinds(stop=None, target=None) == [KeepAll, Alarm]

    def test_an_account_that_needs_no_stop_gets_its_target_alone(self):
        assert actions(stop=None, stop_required=False) == (PlaceTarget(D(1), TARGET),)

    def test_more_than_one_order_may_hold_is_covered_by_several(self):
        small = an_instrument(lot=Range(minimum=D(0), maximum=D("0.4"), step=D("0.1")))
        assert actions(instrument=small) == (PlaceOco(D("0.4"), TARGET, STOP),)
        assert actions(instrument=small, legs=oco("0.4")) == (PlaceOco(D("0.4"), TARGET, STOP),)


class TestKeeping:
    def test_a_list_that_covers_all_is_kept(self):
        assert kinds(legs=oco()) == [KeepAll]

    def test_a_crumb_below_the_lot_is_no_reason_to_replace(self):
        assert kinds("1.000009", legs=oco()) == [KeepAll]

    def test_two_lists_that_together_cover_all_are_kept(self):
        legs = (*oco("0.4", "a"), *oco("0.6", "b"))
        assert kinds(legs=legs) == [KeepAll]

    def test_a_stop_that_rests_is_left_to_fire_by_itself(self):
        assert kinds(legs=oco(), quote=a_quote("48000", "48001")) == [KeepAll]

    def test_a_stop_that_is_filling_is_left_alone_down_to_the_last_crumb(self):
        filling = stop_leg("0.00001", status=OrderStatus.PARTIALLY_FILLED)
        assert kinds("0.00001", legs=[filling]) == [KeepAll]

    def test_a_placing_that_has_just_left_is_given_a_moment(self):
        legs = oco(status=OrderStatus.SUBMITTING, sent_at=ago(0.1))
        assert kinds(legs=legs) == [KeepAll]


def lost(quantity="1", list_id="list-1", **more):
    return oco(quantity, list_id, status=OrderStatus.SUBMITTING, is_lost=True, **more)


class TestUnknownIsNoWall:
    def test_the_venue_is_asked_first(self):
        [asked] = actions(legs=lost())
        assert isinstance(asked, Ask)
        assert asked.client_order_id in ("stop-list-1", "target-list-1")

    def test_what_it_does_not_know_is_placed_again_at_once(self):
        assert actions(legs=lost(not_found=1)) == (PlaceOco(D(1), TARGET, STOP),)

    def test_a_passed_stop_is_sold_beside_an_unknown_placing(self):
        assert kinds(legs=lost(not_found=1), quote=a_quote("48000", "48001")) == [ExitAtMarket]

    def test_coins_that_the_unknown_one_may_hold_are_waited_for_and_not_missed(self):
        plan = protection.plan(situation(legs=lost(not_found=1), free_base=D(0)))
        assert [type(action) for action in plan.actions] == [KeepAll]
        assert not plan.is_safe
        assert plan.shortfall == 0
        assert plan.look_again == protection.ASK_AGAIN

    def test_coins_that_the_balance_shows_locked_are_not_protected_twice(self):
        """Other coins are free on the account: the venue would take a second placing."""
        shown = {"free_base": D(5), "locked_unexplained": D(1)}
        assert kinds(legs=lost(not_found=1), **shown) == [KeepAll]

    def test_coins_that_the_balance_shows_unlocked_are_protected_at_once(self):
        shown = {"free_base": D(5), "locked_unexplained": D(0)}
        assert kinds(legs=lost(not_found=1), **shown) == [PlaceOco]

    def test_what_is_free_while_coins_in_doubt_are_missing_may_be_somebody_elses(self):
        """The unknown stop has sold; on the account lie coins that are not ours."""
        shown = {"free_base": D("0.5"), "locked_unexplained": D(0)}
        fallen = a_quote("48000", "48001")
        assert kinds(legs=lost(not_found=1), quote=fallen, **shown) == [KeepAll]

    def test_the_surplus_goes_when_both_stand(self):
        legs = (*oco("1", "first"), *oco("1", "second"))
        assert kinds(legs=legs) == [CancelList]

    def test_one_part_in_doubt_leaves_the_others_protection_alone(self):
        legs = (*oco("1", "old"), *lost("0.5", "new", not_found=1))
        assert actions("1.5", legs=legs) == (PlaceOco(D("0.5"), TARGET, STOP),)

    def test_a_placing_that_was_never_sent_is_planned_afresh(self):
        legs = oco(status=OrderStatus.NEW)
        assert actions(legs=legs) == (CallOff("target-list-1"),)


class TestSlots:
    def test_a_less_important_order_gives_up_its_place(self):
        got = actions(free_slots=0, expendable=("entry-9",))
        assert got == (CancelOrder("entry-9"), PlaceOco(D(1), TARGET, STOP))

    def test_without_room_our_guard_holds_the_stop(self):
        plan = protection.plan(situation(free_slots=0, has_guard=True))
        assert [type(action) for action in plan.actions] == [Guard]
        assert plan.guarded == 1
        assert plan.is_safe
        assert plan.changes_nothing

    def test_a_guarded_stop_that_is_passed_is_sold(self):
        quote = a_quote("48000", "48001")
        assert kinds(free_slots=0, has_guard=True, quote=quote) == [ExitAtMarket]

    def test_a_place_that_is_free_again_is_taken(self):
        assert kinds(free_slots=1, has_guard=True) == [PlaceOco]

    def test_without_room_and_guard_the_alarm_rings_and_it_is_sold_after_a_while(self):
        young = {"free_slots": 0, "naked_since": ago(3)}
        assert kinds(**young) == [KeepAll, Alarm]
        assert kinds(**{**young, "naked_since": ago(15)}) == [ExitAtMarket]

    def test_zero_seconds_is_alarm_only(self):
        old = {"free_slots": 0, "naked_since": ago(900), "naked_exit_after": timedelta(0)}
        assert kinds(**old) == [KeepAll, Alarm]

    def test_another_part_takes_no_last_place(self):
        assert kinds("2", legs=oco(), free_slots=1, has_guard=True, last_fill_at=NOW) == [Guard]

    def test_a_stop_the_venue_refuses_is_held_by_the_guard_until_the_next_try(self):
        refused = {"refused_until": NOW + timedelta(seconds=4), "has_guard": True}
        plan = protection.plan(situation(**refused))
        assert [type(action) for action in plan.actions] == [Guard]
        assert plan.look_again == timedelta(seconds=4)


class TestParts:
    def test_a_new_part_gets_a_list_of_its_own(self):
        assert actions("1.5", legs=oco()) == (PlaceOco(D("0.5"), TARGET, STOP),)

    def test_a_fourth_part_joins_the_smallest(self):
        legs = (*oco("1", "a"), *oco("0.4", "b"), *oco("0.6", "c"))
        assert actions("2.5", legs=legs) == (CancelList("b"), PlaceOco(D("0.9"), TARGET, STOP))

    def test_lists_are_joined_when_it_is_quiet(self):
        legs = (*oco("1", "a"), *oco("0.4", "b"), *oco("0.6", "c"))
        assert actions("2", legs=legs) == (
            CancelList("b"),
            CancelList("c"),
            PlaceOco(D("1.0"), TARGET, STOP),
        )
        assert kinds("2", legs=legs, last_fill_at=ago(0.2)) == [KeepAll]

    def test_a_crumb_waits_for_quiet(self):
        assert kinds("1.00005", legs=oco(), last_fill_at=ago(0.2)) == [KeepAll]
        assert kinds("1.00005", legs=oco()) == [CancelList, PlaceOco]


class TestReplacing:
    def test_more_than_is_held_is_cancelled_down(self):
        assert actions(legs=oco("1.5")) == (CancelList("list-1"), PlaceOco(D(1), TARGET, STOP))

    def test_the_list_that_is_the_surplus_goes_alone(self):
        legs = (*oco("1", "a"), *oco("0.5", "b"))
        assert actions(legs=legs) == (CancelList("b"),)

    def test_a_lone_stop_is_cancelled_by_its_own_id(self):
        assert actions(legs=[stop_leg("1.5", "")])[0] == CancelOrder("stop-")

    def test_one_of_two_lists_is_moved_while_the_other_stands(self):
        legs = (*oco("0.4", "old", at=D(48_000)), *oco("0.6", "new"))
        got = actions(legs=legs, last_fill_at=NOW)
        assert got == (CancelList("old"), PlaceOco(D("0.4"), TARGET, STOP))

    def test_the_only_list_is_moved_when_it_is_quiet(self):
        legs = oco(at=D(48_000))
        assert kinds(legs=legs, last_fill_at=NOW) == [KeepAll]
        assert kinds(legs=legs) == [CancelList, PlaceOco]

    def test_a_target_that_is_missing_is_added_by_a_fresh_list(self):
        assert kinds(legs=[stop_leg()]) == [CancelList, PlaceOco]

    def test_a_lone_stop_is_enough_where_lists_are_not_allowed(self):
        one = an_instrument(oco_allowed=False)
        assert kinds(legs=[stop_leg(list_id="")], instrument=one) == [KeepAll]

    def test_a_target_that_filled_in_part_has_lost_its_stop(self):
        left = target_leg("0.6", status=OrderStatus.PARTIALLY_FILLED)
        assert actions("0.6", legs=[left]) == (
            CancelList("list-1"),
            PlaceOco(D("0.6"), TARGET, STOP),
        )


class TestPassedLevels:
    def test_a_stop_the_market_has_passed_means_out_at_market(self):
        (got,) = actions(quote=a_quote("48999", "49001"))
        assert isinstance(got, ExitAtMarket)
        assert got.quantity == D(1)
        assert "stop" in got.reason

    def test_a_target_the_bid_has_reached_means_out_at_market(self):
        (got,) = actions(quote=a_quote("55000", "55001"))
        assert isinstance(got, ExitAtMarket)
        assert "target" in got.reason

    def test_a_target_reached_beside_a_lone_stop_cancels_the_stop_first(self):
        quote = a_quote("55000", "55001")
        assert kinds(legs=[stop_leg()], quote=quote) == [CancelList, ExitAtMarket]

    def test_a_target_that_rests_is_left_to_fill_by_itself(self):
        assert kinds(legs=oco(), quote=a_quote("55000", "55001")) == [KeepAll]

    def test_a_stop_the_venue_calls_passed_means_out_at_market(self):
        assert kinds(stop_refused=True, quote=None) == [ExitAtMarket]

    def test_a_bid_exactly_at_the_stop_has_passed_it(self):
        assert kinds(quote=a_quote("49000", "49001")) == [ExitAtMarket]

    def test_the_exit_obeys_the_largest_market_order(self):
        (got,) = actions("300", quote=a_quote("48000", "48001"))
        assert isinstance(got, ExitAtMarket)
        assert got.quantity == D(100)


class TestFlat:
    def test_whatever_could_still_sell_is_cancelled(self):
        legs = (*oco("1", "a"), stop_leg("1", ""))
        assert actions("0", legs=legs) == (CancelList("a"), CancelOrder("stop-"))

    def test_flat_without_legs_does_nothing(self):
        assert kinds("0") == [KeepAll]

    def test_an_entry_that_has_not_filled_keeps_its_legs(self):
        assert kinds("0", legs=pending(Parent.UNFILLED)) == [KeepAll]

    def test_legs_about_to_go_live_for_nothing_are_cancelled(self):
        assert actions("0", legs=pending(Parent.FILLED)) == (CancelList("entry-1"),)


class TestEntriesWithPendingLegs:
    def test_a_fresh_part_fill_waits_for_the_rest(self):
        legs = pending(Parent.PART_FILLED, since=1, filled="0.4")
        assert kinds("0.4", legs=legs) == [KeepAll]

    def test_a_part_fill_past_its_grace_is_cut_off(self):
        legs = pending(Parent.PART_FILLED, since=4, filled="0.4")
        assert actions("0.4", legs=legs) == (CancelList("entry-1"),)

    def test_no_grace_for_what_was_held_before(self):
        legs = pending(Parent.PART_FILLED, since=1, filled="0.4")
        assert actions("1.4", legs=legs) == (PlaceOco(D("1.0"), TARGET, STOP),)

    def test_what_was_held_before_keeps_its_own_list_during_the_grace(self):
        legs = (*oco("1", "old"), *pending(Parent.PART_FILLED, since=1, filled="0.4"))
        assert kinds("1.4", legs=legs) == [KeepAll]

    def test_an_entry_that_has_not_begun_is_left_alone_when_the_rest_is_mended(self):
        legs = (*oco("0.5", "old"), *pending(Parent.UNFILLED))
        assert actions(legs=legs) == (PlaceOco(D("0.5"), TARGET, STOP),)

    def test_legs_of_a_filled_entry_get_a_moment_to_go_live(self):
        legs = pending(Parent.FILLED, since=1, filled="1")
        assert kinds(legs=legs) == [KeepAll]

    def test_legs_that_never_went_live_are_replaced_and_ring(self):
        legs = pending(Parent.FILLED, since=4, filled="1")
        assert kinds(legs=legs) == [CancelList, Alarm]

    def test_legs_of_an_entry_that_ended_early_are_the_venues_to_expire(self):
        legs = pending(Parent.ENDED, since=1, filled="0.4")
        assert actions("0.4", legs=legs) == (PlaceOco(D("0.4"), TARGET, STOP),)


class TestDust:
    def test_below_the_least_quantity_is_dust(self):
        assert kinds("0.000001") == [Dust]

    def test_a_stop_worth_too_little_is_dust_with_the_numbers(self):
        (got,) = actions("0.0001")
        assert got == Dust(D("0.0001"), "worth 4.9 at 49000, the venue asks 5")

    def test_a_fallen_market_can_make_dust_of_what_the_stop_was_worth(self):
        assert kinds("0.00011", quote=a_quote("40000", "40001")) == [Dust]

    def test_a_venue_that_spares_market_orders_lets_the_crumbs_out(self):
        lax = an_instrument(min_notional_applies_to_market=False)
        quote = a_quote("40000", "40001")
        assert kinds("0.00011", quote=quote, instrument=lax) == [ExitAtMarket]

    def test_an_order_that_still_sells_the_dust_is_left(self):
        left = target_leg("0.0001", status=OrderStatus.PARTIALLY_FILLED)
        assert kinds("0.0001", legs=[left]) == [Dust]

    def test_an_entry_still_filling_may_outgrow_it(self):
        legs = pending(Parent.PART_FILLED, since=60, filled="0.0001")
        assert kinds("0.0001", legs=legs) == [Dust]

    def test_legs_for_more_than_the_dust_are_cancelled(self):
        assert kinds("0.0001", legs=oco("1")) == [CancelList, Dust]


class TestVenueHoldsLess:
    def test_what_is_there_is_covered_and_an_alarm_rings(self):
        got = actions(free_base=D("0.7"))
        assert got[0] == PlaceOco(D("0.7"), TARGET, STOP)
        assert isinstance(got[1], Alarm)

    def test_coins_locked_by_our_own_list_are_there(self):
        assert kinds(legs=oco(), free_base=D(0)) == [KeepAll]

    def test_coins_other_sales_hold_are_not_covered_twice(self):
        assert actions(locked_elsewhere=D("0.3")) == (PlaceOco(D("0.7"), TARGET, STOP),)
