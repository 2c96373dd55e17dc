"""Realised slippage: stored with the order, told when it is worse than the limit, summed up."""

from __future__ import annotations

from decimal import Decimal

import pytest

from audit.models import Event
from exchanges.domain.orders import OrderType
from exchanges.venues import registry
from tests.limits import set_limits
from tests.places import SIMULATOR, account_at
from trading.models import Order, Position
from trading.selectors import slippage
from trading.services.orders import fills
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def entry(venue, send):
    """Send a market buy decided at 45000 and filled elsewhere; return its order."""

    def filled_at(price: str, **fields) -> Order:
        venue.fill_next_at(price)
        sent = send(**fields)
        assert sent.order is not None
        return Order.objects.get(pk=sent.order.pk)

    return filled_at


def told() -> list[dict]:
    return list(Event.objects.filter(kind="order.slipped").values_list("data", flat=True))


def test_an_order_remembers_the_price_it_was_decided_on(entry):
    order = entry("45009")
    assert (order.reference_price, order.max_slippage_bps) == (45000, 5)


def test_a_worse_fill_is_positive(entry):
    assert entry("45009").slippage_bps == 2


def test_a_better_fill_is_negative(entry):
    assert entry("44991").slippage_bps == -2


def test_a_fill_within_the_limit_is_no_news(entry):
    entry("45022.5")
    assert told() == []


def test_a_fill_beyond_the_limit_is_on_the_trail(entry):
    entry("45045")
    [data] = told()
    assert (data["slippage_bps"], data["limit"]) == ("10.00", "5")
    assert (data["expected_price"], data["average_price"]) == ("45000", "45045")


def test_no_limit_is_never_exceeded(entry):
    set_limits(max_slippage_bps=0)
    assert entry("45900").slippage_bps == 200
    assert told() == []


def test_it_is_reckoned_once_all_fills_are_booked(venue, send):
    venue.fill_next_at("45000", quantity="0.004")
    sent = send(order_type="limit", price=45000, take_profit=46000, stop_loss=44000)
    assert sent.order is not None
    assert Order.objects.get(pk=sent.order.pk).slippage_bps is None


def test_an_exit_is_held_to_the_bid_it_was_decided_on(venue, entry, send):
    entry("45000")
    venue.fill_next_at("44955")
    sent = send(action="sell", quantity=None)
    assert sent.order is not None
    order = Order.objects.get(pk=sent.order.pk)
    assert order.role == "exit"
    assert order.slippage_bps == 10
    assert len(told()) == 1


def test_a_stop_is_held_to_its_trigger(venue, entry):
    entry("45000", stop_loss=44000)
    keeper.ensure(Position.objects.get().pk, actor="test")
    stop = Order.objects.get(type=OrderType.STOP)
    venue.trigger(stop.client_order_id, price="43956")
    report = registry.for_venue(SIMULATOR).query_order("BTCUSDT", stop.client_order_id)
    trades = registry.for_venue(SIMULATOR).trades("BTCUSDT", venue_order_id=report.venue_order_id)
    stop.refresh_from_db()
    fills.apply(report, account=account_at(), actor="test")
    fills.apply(fills.trades_report(stop, trades), account=account_at(), actor="test")
    stop.refresh_from_db()
    assert stop.slippage_bps == 10


def test_figures_are_summed_by_strategy_and_symbol(entry):
    entry("45045", strategy_id="slow")
    entry("44991", strategy_id="slow")
    entry("45000", strategy_id="quick")
    quick, slow = slippage.by_strategy_and_symbol(role="entry")
    assert (quick.strategy_id, quick.average_bps, quick.above_limit) == ("quick", D(0), 0)
    assert (slow.orders, slow.average_bps, slow.worst_bps) == (2, D(4), D(10))
    assert slow.above_limit == 1
    assert slow.cost == D("0.36")  # 0.01 x 45, and 0.09 better


def test_they_are_asked_for_over_the_api(api_client, entry):
    entry("45045", strategy_id="slow")
    [row] = api_client.get("/api/v1/slippage?role=entry&strategy_id=slow").json()
    assert (row["symbol"], row["orders"], row["worst_bps"]) == ("BTCUSDT", 1, "10")
    assert row["cost"] == "0.45"
    order = api_client.get("/api/v1/orders/?role=entry").json()["results"][0]
    assert (order["reference_price"], order["slippage_bps"]) == ("45000", "10")


def test_a_role_nobody_has_is_refused(api_client):
    assert api_client.get("/api/v1/slippage?role=driver").status_code == 400
