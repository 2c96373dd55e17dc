from __future__ import annotations

import pytest

from exchanges.matching import ExpiryReason, NewOco, NewOto, NewOtoco, OrderType, Side, TimeInForce
from tests.unit.matching.venue import (
    BTC,
    D,
    Venue,
    bracket,
    buy_oco,
    entry,
    maker,
    order,
    refused,
    reports,
    rows,
    sell_oco,
    stop_limit,
    stop_loss,
    with_filter,
)


def legs(venue: Venue, placed):
    return venue.engine.list_orders(placed.order_list)


def statuses(venue: Venue, placed) -> list[str]:
    return [leg.status.value for leg in legs(venue, placed)]


def list_state(venue: Venue, placed) -> tuple[str, str]:
    found = venue.engine.order_list("a", list_id=placed.order_list.list_id)
    return found.status_type.value, found.order_status.value


# --- OCO


def test_an_oco_locks_its_quantity_once():
    venue = Venue()
    placed = venue.place_list(sell_oco(2, list_client_order_id="pair"))
    assert [o.status for o in placed.orders] == ["NEW", "NEW"]
    assert venue.balance("BTC") == (98, 2)
    assert placed.order_list.contingency == "OCO"
    assert placed.order_list.client_order_id == "pair"
    assert reports(placed.events) == ["list EXEC_STARTED", "NEW/NEW", "NEW/NEW", "money"]


def test_a_buy_oco_locks_the_dearer_leg():
    venue = Venue()
    venue.place_list(buy_oco(2, target=90, stop=110))
    assert venue.balance("USDT")[1] == 2 * 115


def test_a_filled_target_expires_the_stop():
    venue = Venue()
    placed = venue.place_list(sell_oco(1))
    events = venue.prints(111, 5)
    assert statuses(venue, placed) == ["FILLED", "EXPIRED"]
    assert legs(venue, placed)[1].expiry_reason is ExpiryReason.OCO_TRIGGER
    assert list_state(venue, placed) == ("ALL_DONE", "ALL_DONE")
    assert reports(events) == ["EXPIRED/EXPIRED", "TRADE/FILLED", "list ALL_DONE", "money"]
    assert venue.balance("BTC") == (99, 0)


def test_the_first_part_of_a_fill_already_expires_the_stop():
    venue = Venue()
    placed = venue.place_list(sell_oco(2))
    venue.prints(111, 1)
    assert statuses(venue, placed) == ["PARTIALLY_FILLED", "EXPIRED"]
    assert list_state(venue, placed) == ("EXEC_STARTED", "EXECUTING")
    assert venue.balance("BTC") == (98, 1)
    venue.prints(111, 1)
    assert list_state(venue, placed) == ("ALL_DONE", "ALL_DONE")


def test_a_triggered_stop_expires_the_target():
    venue = Venue()
    placed = venue.place_list(sell_oco(1))
    venue.prints(90)
    assert statuses(venue, placed) == ["EXPIRED", "FILLED"]
    assert list_state(venue, placed) == ("ALL_DONE", "ALL_DONE")


def test_a_triggered_stop_limit_that_rests_keeps_the_list_open():
    venue = Venue()
    placed = venue.place_list(buy_oco(1, target=90, stop=110))
    venue.quotes([], [])
    venue.prints(110)
    assert statuses(venue, placed) == ["NEW", "EXPIRED"]
    assert list_state(venue, placed)[1] == "EXECUTING"
    assert venue.balance("USDT")[1] == 115


def test_a_print_over_both_levels_fills_only_one_leg():
    venue = Venue()
    placed = venue.place_list(
        NewOco(above=maker(Side.SELL, 1, 101), below=stop_loss(Side.SELL, 1, 99))
    )
    venue.quotes(rows((105, 9)), rows((106, 9)))
    venue.prints(50)
    assert sorted(statuses(venue, placed)) == ["EXPIRED", "FILLED"]


@pytest.mark.parametrize("which", ["above", "below"])
def test_canceling_a_leg_cancels_the_list(which):
    venue = Venue()
    placed = venue.place_list(sell_oco(2))
    leg = placed.orders[0 if which == "above" else 1]
    canceled = venue.cancel(order_id=leg.order_id, new_client_order_id="axe")
    assert statuses(venue, placed) == ["CANCELED", "CANCELED"]
    assert canceled.order.order_id == leg.order_id
    assert [o.client_order_id for o in canceled.orders] == ["axe", "axe"]
    assert canceled.order_list.order_status == "ALL_DONE"
    assert venue.balance("BTC") == (100, 0)


def test_a_list_is_canceled_by_either_of_its_ids():
    venue = Venue()
    by_id = venue.place_list(sell_oco())
    venue.engine.cancel_list("a", BTC, venue.now, list_id=by_id.order_list.list_id)
    venue.place_list(sell_oco(list_client_order_id="pair"))
    venue.engine.cancel_list("a", BTC, venue.now, list_client_order_id="pair")
    assert venue.engine.open_order_lists("a") == ()
    with refused(-2011, "Unknown order sent."):
        venue.engine.cancel_list("a", BTC, venue.now, list_client_order_id="pair")


SHAPES = [
    (NewOco(maker(Side.SELL, 1, 110), maker(Side.SELL, 1, 90)), -1168),
    (NewOco(maker(Side.BUY, 1, 110), stop_loss(Side.BUY, 1, 90)), -1165),
    (NewOco(stop_loss(Side.SELL, 1, 110), maker(Side.SELL, 1, 90)), -1197),
    (NewOco(order(Side.SELL, 1, 110), stop_loss(Side.SELL, 1, 90)), -1158),
    (NewOco(maker(Side.SELL, 1, 110), maker(Side.BUY, 1, 90)), -1128),
    (NewOto(stop_loss(Side.BUY, 1, 110), order(Side.SELL, 1)), -1158),
    (
        NewOco(
            order(Side.BUY, 1, type=OrderType.TAKE_PROFIT, stop_price=110),
            order(Side.BUY, 1, type=OrderType.TAKE_PROFIT, stop_price=90),
        ),
        -1198,
    ),
    (
        NewOco(
            order(Side.SELL, 1, type=OrderType.TAKE_PROFIT, stop_price=110),
            order(Side.SELL, 1, type=OrderType.TAKE_PROFIT, stop_price=90),
        ),
        -1199,
    ),
    (NewOco(stop_loss(Side.BUY, 1, 110), stop_loss(Side.BUY, 1, 90)), -1196),
    (NewOco(stop_loss(Side.SELL, 1, 110), stop_loss(Side.SELL, 1, 90)), -1197),
]


@pytest.mark.parametrize(("request_", "code"), SHAPES)
def test_misshapen_lists_are_refused(request_, code):
    with refused(code, ""):
        Venue().place_list(request_)


def test_two_triggers_may_be_a_pair():
    placed = Venue().place_list(
        NewOco(
            above=order(Side.SELL, 1, type=OrderType.TAKE_PROFIT, stop_price=110),
            below=stop_loss(Side.SELL, 1, 90),
        )
    )
    assert placed.order_list.is_open


@pytest.mark.parametrize(("target", "stop"), [(100, 90), (110, 100), (98, 90)])
def test_prices_on_the_wrong_side_are_refused(target, stop):
    venue = Venue()
    before = venue.engine.snapshot()
    with refused(-2010, "The relationship of the prices for the orders is not correct."):
        venue.place_list(sell_oco(1, target, stop))
    assert venue.engine.snapshot() == before


def test_list_names_are_their_own_space():
    venue = Venue()
    venue.buy(1, 90, client_order_id="same")
    venue.place_list(sell_oco(list_client_order_id="same"))
    with refused(-2010, "Duplicate order sent."):
        venue.place_list(sell_oco(list_client_order_id="same"))


def test_only_so_many_lists_may_be_open():
    venue = Venue(with_filter(entry(), "MAX_NUM_ORDER_LISTS", maxNumOrderLists=1))
    venue.place_list(bracket())
    with refused(-1013, "Filter failure: MAX_NUM_ORDER_LISTS"):
        venue.place_list(sell_oco())


def test_a_symbol_may_forbid_lists():
    with refused(-2010, "OCO orders are not supported for this symbol"):
        Venue(entry(ocoAllowed=False)).place_list(sell_oco())
    with refused(-2010, "OTO orders are not supported for this symbol"):
        Venue(entry(otoAllowed=False)).place_list(bracket())


# --- OTO and OTOCO


def test_pending_legs_wait_without_money():
    venue = Venue()
    placed = venue.place_list(bracket(2, 95))
    assert [o.status for o in placed.orders] == ["NEW", "PENDING_NEW", "PENDING_NEW"]
    assert [o.working_ms for o in placed.orders] == [venue.now, -1, -1]
    assert placed.order_list.contingency == "OTO"
    assert venue.balance("BTC") == (100, 0)
    assert venue.balance("USDT")[1] == 190
    venue.prints(111, 5)
    assert statuses(venue, placed) == ["NEW", "PENDING_NEW", "PENDING_NEW"]


def test_a_partial_fill_activates_nothing():
    venue = Venue()
    placed = venue.place_list(bracket(2, 95))
    venue.prints(94, 1)
    assert statuses(venue, placed) == ["PARTIALLY_FILLED", "PENDING_NEW", "PENDING_NEW"]


def test_a_complete_fill_activates_the_pair():
    venue = Venue()
    placed = venue.place_list(bracket(1, 95))
    events = venue.prints(94, 1)
    assert statuses(venue, placed) == ["FILLED", "NEW", "NEW"]
    assert reports(events) == [
        "TRADE/FILLED",
        "list EXEC_STARTED",
        "NEW/NEW",
        "NEW/NEW",
        "money",
    ]
    assert venue.balance("BTC")[1] == 1
    venue.prints(111, 1)
    assert statuses(venue, placed) == ["FILLED", "FILLED", "EXPIRED"]
    assert list_state(venue, placed) == ("ALL_DONE", "ALL_DONE")


def test_an_instant_fill_still_answers_with_pending_legs():
    venue = Venue()
    placed = venue.place_list(bracket(1, 101))
    assert [o.status for o in placed.orders] == ["FILLED", "PENDING_NEW", "PENDING_NEW"]
    assert [f.price for f in placed.fills] == [101]
    assert statuses(venue, placed) == ["FILLED", "NEW", "NEW"]


def test_the_stop_leg_works_after_activation():
    venue = Venue()
    placed = venue.place_list(bracket(1, 101))
    venue.prints(89)
    assert statuses(venue, placed) == ["FILLED", "EXPIRED", "FILLED"]


def test_a_pair_larger_than_what_was_received_dies_at_activation():
    # The commission of a BUY comes out of what it bought: the trap OPO was made for.
    venue = Venue()
    venue.engine.adjust_balance("a", "BTC", D(-100), venue.now)
    placed = venue.place_list(bracket(1, 101))
    assert statuses(venue, placed) == ["FILLED", "EXPIRED", "EXPIRED"]
    assert {leg.expiry_reason for leg in legs(venue, placed)[1:]} == {ExpiryReason.REJECTED}
    assert list_state(venue, placed) == ("ALL_DONE", "ALL_DONE")
    assert venue.balance("BTC") == (D("0.999"), 0)
    finished = [e for e in placed.events if reports([e]) == ["list ALL_DONE"]]
    assert finished[0].reject_reason == "INSUFFICIENT_BALANCES"


def test_a_pair_the_market_has_passed_dies_at_activation():
    venue = Venue()
    placed = venue.place_list(bracket(1, 95))
    venue.quotes([], [])
    venue.prints(80, 1)  # our fill prints 95, then the outside trade 80 passes the stop
    assert statuses(venue, placed) == ["FILLED", "EXPIRED", "EXPIRED"]


def test_an_expired_working_order_takes_the_pending_legs_along():
    venue = Venue()
    working = order(Side.BUY, 5, 101, time_in_force=TimeInForce.IOC)
    placed = venue.place_list(NewOto(working, pending=maker(Side.SELL, 5, 110)))
    assert statuses(venue, placed) == ["EXPIRED", "EXPIRED"]
    assert legs(venue, placed)[1].expiry_reason is ExpiryReason.OTO_PHASE_ONE_EXPIRED


def test_canceling_the_working_order_cancels_the_pending_ones():
    venue = Venue()
    placed = venue.place_list(bracket(2, 101))  # half of it fills at once
    venue.cancel(order_id=placed.orders[0].order_id)
    assert statuses(venue, placed) == ["CANCELED"] * 3
    assert venue.balance("USDT")[1] == 0


def test_an_oto_with_a_market_leg_sells_at_once():
    venue = Venue()
    placed = venue.place_list(NewOto(order(Side.BUY, 1, 95), order(Side.SELL, 1)))
    venue.prints(94, 1)
    assert statuses(venue, placed) == ["FILLED", "FILLED"]
    assert list_state(venue, placed) == ("ALL_DONE", "ALL_DONE")


def test_an_oto_with_a_stop_limit_leg_holds_money_when_active():
    venue = Venue()
    placed = venue.place_list(NewOto(order(Side.SELL, 1, 105), stop_limit(Side.BUY, 1, 120, 121)))
    venue.prints(106, 1)
    assert statuses(venue, placed) == ["FILLED", "NEW"]
    assert venue.balance("USDT")[1] == 121
    venue.cancel(order_id=placed.orders[1].order_id)
    assert venue.balance("USDT")[1] == 0
    assert list_state(venue, placed) == ("ALL_DONE", "ALL_DONE")


def test_lists_count_as_their_legs():
    venue = Venue()
    venue.place_list(sell_oco())
    venue.place_list(bracket())
    assert [c.count for c in venue.engine.order_counts("a", venue.now)] == [5, 5]


# --- OPO and OPOCO


def opoco(quantity=1, price=95) -> NewOtoco:
    return NewOtoco(
        working=order(Side.BUY, quantity, price),
        pending_above=maker(Side.SELL, None, 110),
        pending_below=stop_loss(Side.SELL, None, 90),
        pays=True,
    )


def test_a_paying_list_sells_what_it_received():
    venue = Venue()
    venue.engine.adjust_balance("a", "BTC", D(-100), venue.now)
    placed = venue.place_list(opoco(1))
    venue.prints(94, 1)
    assert statuses(venue, placed) == ["FILLED", "NEW", "NEW"]
    assert [leg.quantity for leg in legs(venue, placed)] == [1, D("0.999"), D("0.999")]
    assert venue.balance("BTC") == (0, D("0.999"))


def test_a_paying_list_gives_dust_back():
    venue = Venue()
    venue.engine.adjust_balance("a", "BTC", D(-100), venue.now)
    venue.place_list(opoco("1.001"))
    venue.prints(94, 2)
    # 1.001 bought, 0.001001 commission, 0.999999 left: three decimals of it can be sold.
    assert venue.balance("BTC") == (D("0.000999"), D("0.999"))


def test_a_canceled_paying_list_unlocks_what_it_kept():
    venue = Venue()
    placed = venue.place_list(opoco(2))
    venue.prints(94, 1)
    assert venue.balance("BTC")[1] == 1
    venue.cancel(order_id=placed.orders[0].order_id)
    assert venue.balance("BTC")[1] == 0


def test_a_paying_list_takes_no_pending_quantity():
    with refused(-1106, "'quantity' sent when not required"):
        Venue().place_list(bracket(1, 95, pays=True))
