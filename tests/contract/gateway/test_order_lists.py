"""What every gateway does with orders that belong together."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from exchanges.domain import errors
from exchanges.domain.orders import OrderListRequest, OrderType, Side, VenueStatus
from exchanges.venues.base import ExchangeGateway
from tests.contract.gateway.conftest import MakeOrder
from tests.contract.gateway.worlds import World, balance, eventually

MakePair = Callable[..., OrderListRequest]
S = VenueStatus


@pytest.fixture
def make_pair(make_order: MakeOrder) -> MakePair:
    """Make an exit pair over 0.01 BTC: target at 52000, stop at 48000."""

    def make(name: str = "pair", *, working_price: str = "") -> OrderListRequest:
        working = None
        if working_price:
            working = make_order(
                Side.BUY, OrderType.LIMIT, price=working_price, client_order_id=f"{name}-entry"
            )
        return OrderListRequest(
            f"{name}-list",
            "BTCUSDT",
            target=make_order(
                Side.SELL, OrderType.LIMIT_MAKER, price="52000", client_order_id=f"{name}-target"
            ),
            stop=make_order(
                Side.SELL, OrderType.STOP, stop_price="48000", client_order_id=f"{name}-stop"
            ),
            working=working,
        )

    return make


def status(gateway: ExchangeGateway, client_order_id: str) -> VenueStatus | None:
    return gateway.query_order("BTCUSDT", client_order_id).status


def test_a_pair_goes_live_at_once_and_locks_its_quantity_once(
    world: World, gateway: ExchangeGateway, make_pair: MakePair
) -> None:
    world.give_bitcoin("0.01")

    report = gateway.place_order_list(make_pair())

    assert report.list_client_order_id == "pair-list"
    assert {leg.client_order_id: leg.status for leg in report.reports} == {
        "pair-target": S.OPEN,
        "pair-stop": S.OPEN,
    }
    assert {leg.venue_list_id for leg in report.reports} == {report.venue_list_id}
    assert balance(world, "BTC").locked == Decimal("0.01")
    assert not gateway.query_order_list("pair-list").is_done


def test_the_target_filling_ends_the_stop(
    world: World, gateway: ExchangeGateway, make_pair: MakePair
) -> None:
    world.give_bitcoin("0.01")
    gateway.place_order_list(make_pair())

    world.move("52100")
    eventually(lambda: status(gateway, "pair-target") is S.FILLED)

    assert status(gateway, "pair-stop") in (S.EXPIRED, S.CANCELED)
    assert gateway.query_order_list("pair-list").is_done
    assert balance(world, "BTC").locked == 0


def test_the_stop_firing_ends_the_target(
    world: World, gateway: ExchangeGateway, make_pair: MakePair
) -> None:
    world.give_bitcoin("0.01")
    gateway.place_order_list(make_pair())

    world.move("47900")
    eventually(lambda: status(gateway, "pair-stop") is S.FILLED)

    assert status(gateway, "pair-target") in (S.EXPIRED, S.CANCELED)


def test_canceling_one_leg_cancels_the_other(
    world: World, gateway: ExchangeGateway, make_pair: MakePair
) -> None:
    world.give_bitcoin("0.01")
    gateway.place_order_list(make_pair())

    report = gateway.cancel_order("BTCUSDT", "pair-target")

    assert (report.client_order_id, report.status) == ("pair-target", S.CANCELED)
    assert gateway.open_orders("BTCUSDT") == []
    assert balance(world, "BTC").locked == 0


def test_a_canceled_list_ends_all_its_legs_under_their_own_ids(
    world: World, gateway: ExchangeGateway, make_pair: MakePair
) -> None:
    world.give_bitcoin("0.01")
    gateway.place_order_list(make_pair())

    report = gateway.cancel_order_list("BTCUSDT", "pair-list")

    assert report.is_done
    assert {leg.client_order_id: leg.status for leg in report.reports} == {
        "pair-target": S.CANCELED,
        "pair-stop": S.CANCELED,
    }


def test_canceling_a_list_that_is_over_is_rejected(
    world: World, gateway: ExchangeGateway, make_pair: MakePair
) -> None:
    world.give_bitcoin("0.01")
    gateway.place_order_list(make_pair())
    gateway.cancel_order_list("BTCUSDT", "pair-list")

    with pytest.raises(errors.Rejected) as caught:
        gateway.cancel_order_list("BTCUSDT", "pair-list")

    assert caught.value.code == -2011


def test_an_unknown_list_is_not_found(gateway: ExchangeGateway) -> None:
    with pytest.raises(errors.OrderNotFound):
        gateway.query_order_list("never-placed")


def test_a_pair_around_the_wrong_price_is_rejected(
    world: World, gateway: ExchangeGateway, make_pair: MakePair
) -> None:
    world.give_bitcoin("0.01")
    world.move("53000")

    with pytest.raises(errors.Rejected) as caught:
        gateway.place_order_list(make_pair())

    assert caught.value.code == -2010
    assert gateway.open_orders("BTCUSDT") == []


def test_a_pair_waits_for_its_working_order(
    world: World, gateway: ExchangeGateway, make_pair: MakePair
) -> None:
    gateway.place_order_list(make_pair(working_price="49500"))

    found = {leg.client_order_id: leg.status for leg in gateway.open_orders("BTCUSDT")}
    assert found == {"pair-entry": S.OPEN, "pair-target": S.PENDING, "pair-stop": S.PENDING}


def test_a_pair_goes_live_once_its_working_order_has_filled(
    world: World, gateway: ExchangeGateway, make_pair: MakePair
) -> None:
    world.give_bitcoin("0.5")  # the entry's own proceeds are short by the fee
    gateway.place_order_list(make_pair(working_price="49500"))

    world.move("49400")
    eventually(lambda: status(gateway, "pair-stop") is S.OPEN)

    assert status(gateway, "pair-entry") is S.FILLED
    assert status(gateway, "pair-target") is S.OPEN
    assert balance(world, "BTC").locked == Decimal("0.01")


def test_a_pair_of_the_full_size_dies_when_the_fee_was_taken_from_the_proceeds(
    world: World, gateway: ExchangeGateway, make_pair: MakePair
) -> None:
    gateway.place_order_list(make_pair(working_price="49500"))

    world.move("49400")
    eventually(lambda: status(gateway, "pair-entry") is S.FILLED)

    assert gateway.open_orders("BTCUSDT") == []
    leg = gateway.query_order("BTCUSDT", "pair-stop")
    assert leg.status is not None
    assert leg.status.is_final
    assert leg.executed_quantity == 0


def test_canceling_the_working_order_ends_its_pair(
    world: World, gateway: ExchangeGateway, make_pair: MakePair
) -> None:
    gateway.place_order_list(make_pair(working_price="49500"))

    gateway.cancel_order("BTCUSDT", "pair-entry")

    assert gateway.open_orders("BTCUSDT") == []
    assert balance(world, "USDT").locked == 0
