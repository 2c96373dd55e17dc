"""A request says what it is for: what leaves or protects gets less time and more budget."""

from __future__ import annotations

import time
from dataclasses import replace
from decimal import Decimal

import pytest

from exchanges.domain import errors
from exchanges.domain.orders import OrderListRequest, OrderRequest, OrderType, Purpose, Side
from exchanges.venues.shared.timeouts import REST_SECONDS, Patience, Windows
from tests.fakes.scripted_venue import ScriptedVenue
from tests.unit.gateways.conftest import MakeGateway

OUTSIDE = "Timestamp for this request is outside of the recvWindow."
NORMAL, SHORT = Patience(5000, 12.0), Patience(1000, 2.0)
URGENT = [Purpose.EXIT, Purpose.PROTECTION]


def windows_of(venue: ScriptedVenue, path: str = "order") -> list[str]:
    return [request.params["recvWindow"] for request in venue.calls(path)]


@pytest.fixture
def sell(market_buy: OrderRequest) -> OrderRequest:
    return replace(market_buy, side=Side.SELL, purpose=Purpose.EXIT)


@pytest.mark.parametrize("purpose", URGENT)
def test_what_leaves_or_protects_is_sent_with_the_short_window(
    gateway, venue: ScriptedVenue, sell: OrderRequest, purpose: Purpose
) -> None:
    venue.fill_next()

    gateway.place_order(replace(sell, purpose=purpose))

    assert windows_of(venue) == ["1000"]


def test_an_entry_keeps_the_normal_window_whatever_its_side(
    gateway, venue: ScriptedVenue, sell: OrderRequest
) -> None:
    venue.fill_next()

    gateway.place_order(replace(sell, purpose=Purpose.ENTRY))

    assert windows_of(venue) == ["5000"]


@pytest.mark.parametrize(
    ("purpose", "window"), [(Purpose.PROTECTION, "1000"), (Purpose.ENTRY, "5000")]
)
def test_a_list_goes_by_its_own_purpose(
    gateway, venue: ScriptedVenue, sell: OrderRequest, purpose: Purpose, window: str
) -> None:
    target = replace(sell, client_order_id="t", type=OrderType.LIMIT_MAKER, price=Decimal(46000))
    stop = replace(sell, client_order_id="s", type=OrderType.STOP, stop_price=Decimal(44000))
    venue.refuse_next(400, -2010, "Duplicate order sent.")

    with pytest.raises(errors.Rejected):
        gateway.place_order_list(
            OrderListRequest("list-1", "BTCUSDT", target, stop, purpose=purpose)
        )

    assert windows_of(venue, "orderList/oco") == [window]


def test_a_cancel_is_sent_with_the_short_window(gateway, venue: ScriptedVenue) -> None:
    venue.refuse_next(400, -2011, "Unknown order sent.")

    with pytest.raises(errors.Rejected):
        gateway.cancel_order("BTCUSDT", "entry-1")

    assert windows_of(venue) == ["1000"]


def test_an_exit_without_an_answer_is_unknown_after_the_short_timeout(
    make_gateway: MakeGateway, venue: ScriptedVenue, sell: OrderRequest
) -> None:
    gateway = make_gateway(timeout_seconds=5.0, exit_timeout_seconds=0.2)
    gateway.get_ready()
    venue.answer_next(stall_seconds=1.0)
    started = time.monotonic()

    with pytest.raises(errors.OutcomeUnknown) as caught:
        gateway.place_order(sell)

    assert time.monotonic() - started < 0.8
    assert caught.value.recv_window_ms == 1000


def test_an_entry_is_given_the_normal_timeout(
    make_gateway: MakeGateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    gateway = make_gateway(timeout_seconds=5.0, exit_timeout_seconds=0.1)
    venue.fill_next()
    venue._answers[-1] = replace(venue._answers[-1], stall_seconds=0.4)

    assert gateway.place_order(market_buy).fills


def test_a_short_window_refused_twice_gives_way_to_the_normal_one(
    gateway, venue: ScriptedVenue, sell: OrderRequest
) -> None:
    venue.refuse_next(400, -1021, OUTSIDE)
    with pytest.raises(errors.ClockRefused):
        gateway.place_order(sell)
    venue.refuse_next(400, -1021, OUTSIDE)
    venue.fill_next()

    gateway.place_order(sell)

    assert windows_of(venue) == ["1000", "1000", "5000"]


def test_a_cancel_refused_twice_goes_out_in_the_normal_window(
    gateway, venue: ScriptedVenue
) -> None:
    for _ in range(2):
        venue.refuse_next(400, -1021, OUTSIDE)
    venue.refuse_next(400, -2011, "Unknown order sent.")

    with pytest.raises(errors.Rejected):
        gateway.cancel_order("BTCUSDT", "entry-1")

    assert windows_of(venue) == ["1000", "1000", "5000"]


def test_a_clock_that_stays_refused_ends_after_three_tries(gateway, venue: ScriptedVenue) -> None:
    for _ in range(3):
        venue.refuse_next(400, -1021, OUTSIDE)

    with pytest.raises(errors.ClockRefused):
        gateway.cancel_order("BTCUSDT", "entry-1")

    assert len(venue.calls("order")) == 3


def test_the_short_window_is_tried_again_after_a_minute() -> None:
    now = [0.0]
    windows = Windows(normal=NORMAL, urgent=SHORT, steady=lambda: now[0])

    assert [windows.note_refused(Purpose.EXIT) for _ in range(2)] == [False, True]
    assert windows.of(Purpose.EXIT) == NORMAL
    assert windows.of(Purpose.PROTECTION) == SHORT
    now[0] = REST_SECONDS
    assert windows.of(Purpose.EXIT) == SHORT


def test_a_success_between_two_refusals_keeps_the_short_window() -> None:
    windows = Windows(normal=NORMAL, urgent=SHORT)

    windows.note_refused(Purpose.EXIT)
    windows.note_taken(Purpose.EXIT)
    windows.note_refused(Purpose.EXIT)

    assert windows.of(Purpose.EXIT) == SHORT


def test_the_short_window_is_never_longer_than_the_normal_one() -> None:
    windows = Windows(normal=Patience(500, 1.0), urgent=SHORT)

    assert windows.of(Purpose.EXIT) == Patience(500, 1.0)


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("purpose", list(Purpose))
def test_the_budgets_last_orders_are_kept_for_what_leaves_or_protects(
    gateway, venue: ScriptedVenue, sell: OrderRequest, side: Side, purpose: Purpose
) -> None:
    gateway.budget.learn({"orders_10s": 100})
    gateway.budget.observe({"X-MBX-ORDER-COUNT-10S": "95"})
    venue.fill_next()
    order = replace(sell, side=side, purpose=purpose)

    if purpose.is_urgent:
        assert gateway.place_order(order).fills
    else:
        with pytest.raises(errors.RateLimited):
            gateway.place_order(order)
