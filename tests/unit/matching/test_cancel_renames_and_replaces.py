from __future__ import annotations

from exchanges.matching import CancelRestriction, NewOtoco, Side
from tests.unit.matching.venue import (
    BTC,
    D,
    Venue,
    bracket,
    maker,
    order,
    refused,
    reports,
    sell_oco,
    stop_loss,
)


def test_a_cancel_takes_the_orders_name_and_gives_the_money_back():
    venue = Venue()
    venue.buy(1, 90, client_order_id="mine")
    canceled = venue.cancel(client_order_id="mine", new_client_order_id="axe")
    assert canceled.order.status == "CANCELED"
    assert canceled.order.client_order_id == "axe"
    assert canceled.order.original_client_order_id == "mine"
    assert venue.balance("USDT") == (10_000, 0)
    assert reports(canceled.events) == ["CANCELED/CANCELED", "money"]


def test_a_canceled_order_is_found_under_both_names():
    venue = Venue()
    placed = venue.buy(1, 90, client_order_id="mine").order
    venue.cancel(order_id=placed.order_id, new_client_order_id="axe")
    for name in ("mine", "axe"):
        assert venue.engine.order("a", BTC, client_order_id=name).order_id == placed.order_id


def test_a_cancel_without_a_name_gets_one():
    venue = Venue()
    venue.buy(1, 90, client_order_id="mine")
    canceled = venue.cancel(client_order_id="mine")
    assert canceled.order.client_order_id not in ("", "mine")


def test_a_partly_filled_order_keeps_its_fills():
    venue = Venue()
    placed = venue.buy(2, 101).order
    canceled = venue.cancel(order_id=placed.order_id)
    assert canceled.order.executed_quantity == 1
    assert venue.balance("USDT") == (9_899, 0)


def test_a_finished_or_unknown_order_cannot_be_canceled():
    venue = Venue()
    venue.buy(1, client_order_id="done")
    for which in ({"client_order_id": "done"}, {"order_id": 1}, {"order_id": 99}):
        with refused(-2011, "Unknown order sent."):
            venue.cancel(**which)
    with refused(-1102, "Param 'origClientOrderId' or 'orderId' must be sent"):
        venue.cancel()


def test_both_ids_must_agree():
    venue = Venue()
    placed = venue.buy(1, 90, client_order_id="mine").order
    with refused(-2011, "Unknown order sent."):
        venue.cancel(order_id=placed.order_id, client_order_id="other")
    with refused(-2039, "Client order ID is not correct"):
        venue.engine.order("a", BTC, order_id=placed.order_id, client_order_id="other")


def test_restrictions_are_kept():
    venue = Venue()
    placed = venue.buy(2, 101).order
    with refused(-2011, "Order was not canceled due to cancel restrictions."):
        venue.cancel(order_id=placed.order_id, restriction=CancelRestriction.ONLY_NEW)
    restriction = CancelRestriction.ONLY_PARTIALLY_FILLED
    assert venue.cancel(order_id=placed.order_id, restriction=restriction).order.status == (
        "CANCELED"
    )


def test_accounts_do_not_see_each_other():
    venue = Venue()
    venue.engine.add_account("b")
    placed = venue.buy(1, 90).order
    with refused(-2013, "Order does not exist."):
        venue.engine.order("b", BTC, order_id=placed.order_id)


def test_an_open_client_id_is_refused_and_a_closed_one_reusable():
    venue = Venue()
    venue.buy(1, 90, client_order_id="same")
    with refused(-2010, "Duplicate order sent."):
        venue.buy(1, client_order_id="same")
    venue.cancel(client_order_id="same")
    assert venue.buy(1, client_order_id="same").order.status == "FILLED"
    assert venue.buy(1, client_order_id="same").order.status == "FILLED"
    newest = venue.engine.order("a", BTC, client_order_id="same")
    assert newest.order_id == 3


# --- all of a symbol


def test_cancel_all_takes_lone_orders_and_lists():
    venue = Venue()
    lone = venue.buy(1, 90).order
    pair = venue.place_list(sell_oco())
    done = venue.engine.cancel_all("a", BTC, venue.now)
    assert [o.order_id for o in done.orders] == [lone.order_id]
    ((order_list, legs),) = done.lists
    assert order_list.list_id == pair.order_list.list_id
    assert [leg.status for leg in legs] == ["CANCELED", "CANCELED"]
    assert venue.engine.open_orders("a") == ()
    assert venue.balance("BTC") == (100, 0)


def test_cancel_all_of_nothing_is_refused():
    with refused(-2011, "Unknown order sent."):
        Venue().engine.cancel_all("a", BTC, 0)


# --- cancel-replace


def replace(venue: Venue, request, **more):
    return venue.engine.cancel_replace("a", request, venue.now, **more)


def test_both_halves_work():
    venue = Venue()
    old = venue.buy(1, 90).order
    both = replace(venue, order(Side.BUY, 1, 91), cancel_order_id=old.order_id)
    assert (both.cancel_result, both.new_order_result) == ("SUCCESS", "SUCCESS")
    assert (both.code, both.http_status) == (None, 200)
    assert reports(both.events) == ["CANCELED/CANCELED", "money", "NEW/NEW", "money"]


def test_the_freed_money_pays_for_the_new_order():
    venue = Venue()
    old = venue.buy(100, 99).order
    both = replace(venue, order(Side.BUY, 99, 100), cancel_order_id=old.order_id)
    assert both.new_order_result == "SUCCESS"


def test_a_failed_cancel_stops_and_still_counts():
    venue = Venue()
    both = replace(venue, order(Side.BUY, 1, 91), cancel_order_id=7)
    assert (both.cancel_result, both.new_order_result) == ("FAILURE", "NOT_ATTEMPTED")
    assert (both.code, both.http_status) == (-2022, 400)
    assert venue.engine.order_counts("a", venue.now)[0].count == 1


def test_a_failed_cancel_may_be_overlooked():
    both = replace(Venue(), order(Side.BUY, 1, 91), cancel_order_id=7, stop_on_failure=False)
    assert (both.cancel_result, both.new_order_result) == ("FAILURE", "SUCCESS")
    assert (both.code, both.http_status) == (-2021, 409)


def test_a_refused_new_order_leaves_the_old_one_canceled():
    venue = Venue()
    old = venue.buy(1, 90).order
    both = replace(venue, order(Side.BUY, 100, "101"), cancel_order_id=old.order_id)
    assert (both.cancel_result, both.new_order_result) == ("SUCCESS", "FAILURE")
    assert (both.code, both.http_status) == (-2021, 409)
    assert venue.status(old.order_id) == "CANCELED"


def test_a_filter_failure_is_found_before_the_cancel():
    venue = Venue()
    old = venue.buy(1, 90).order
    with refused(-1013, "Filter failure: LOT_SIZE"):
        replace(venue, order(Side.BUY, "0.0001", 91), cancel_order_id=old.order_id)
    assert venue.status(old.order_id) == "NEW"


def test_replacing_a_leg_cancels_its_whole_list():
    venue = Venue()
    placed = venue.place_list(bracket())
    leg = placed.orders[1]
    replace(venue, order(Side.BUY, 1, 91), cancel_order_id=leg.order_id)
    assert [o.status for o in venue.engine.list_orders(placed.order_list)] == ["CANCELED"] * 3


# --- amend keep priority


def amend(venue: Venue, quantity, **which):
    return venue.engine.amend("a", BTC, D(str(quantity)), venue.now, **which)


def test_an_amend_shrinks_in_place_and_renames():
    venue = Venue()
    first = venue.buy(3, 95, client_order_id="first").order
    venue.buy(3, 95)
    amended = amend(venue, 1, order_id=first.order_id, new_client_order_id="smaller")
    assert amended.order.quantity == 1
    assert amended.order.original_client_order_id == "first"
    assert reports(amended.events) == ["REPLACED/NEW", "money"]
    assert venue.balance("USDT")[1] == 4 * 95
    venue.prints(94, 1)
    assert venue.status(first.order_id) == "FILLED"


def test_amends_that_grow_or_change_nothing_are_refused():
    venue = Venue()
    placed = venue.buy(2, 95).order
    for quantity, words in ((3, "quantity increase"), (2, "would change no state")):
        with refused(-2038, words):
            amend(venue, quantity, order_id=placed.order_id)
    amend(venue, "1.9", order_id=placed.order_id)
    amend(venue, "1.8", order_id=placed.order_id)
    with refused(-2038, "Too many"):
        amend(venue, "1.7", order_id=placed.order_id)


def test_an_amended_pair_keeps_the_need_of_its_larger_leg():
    venue = Venue()
    placed = venue.place_list(sell_oco(3))
    above, below = (o.order_id for o in placed.orders)
    amend(venue, 1, order_id=above)
    assert venue.balance("BTC")[1] == 3
    amend(venue, 2, order_id=below)
    assert venue.balance("BTC")[1] == 2


def test_an_amended_paying_pair_gives_the_surplus_back():
    venue = Venue()
    working = order(Side.BUY, 3, 95)
    placed = venue.place_list(
        NewOtoco(working, maker(Side.SELL, None, 110), stop_loss(Side.SELL, None, 90), pays=True)
    )
    venue.prints(94, 3)
    assert venue.balance("BTC")[1] == 3
    for leg in placed.orders[1:]:
        amend(venue, 1, order_id=leg.order_id)
    assert venue.balance("BTC")[1] == 1
