"""Figures and words on the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.domain.orders import OrderRequest, OrderType, Side, VenueStatus
from exchanges.venues.binance.spot import wire
from tests.fakes.scripted_stream import order_event


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_every_figure_leaves_in_plain_writing_and_comes_back_equal(figure: Decimal) -> None:
    text = wire.plain(figure)

    assert "e" not in text.lower()
    assert Decimal(text) == figure


@pytest.mark.parametrize("figure", [Decimal("NaN"), Decimal("Infinity"), Decimal("-Infinity")])
def test_what_is_no_figure_never_leaves(figure: Decimal) -> None:
    with pytest.raises(ValueError, match="no figure"):
        wire.plain(figure)


@pytest.mark.parametrize("figure", [0.1, 1, "1", True])
def test_only_decimals_leave(figure: object) -> None:
    with pytest.raises(TypeError):
        wire.plain(figure)  # type: ignore[arg-type]


@given(st.integers(min_value=0, max_value=4_102_444_800_000))
def test_stamps_keep_their_milliseconds(stamp: int) -> None:
    read = wire.from_ms(stamp)

    assert read.tzinfo is UTC
    assert (read - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1) == stamp


@pytest.mark.parametrize("type_", list(OrderType))
def test_every_order_type_sends_what_it_takes_and_no_more(type_: OrderType) -> None:
    request = OrderRequest(
        "id-1", "BTCUSDT", Side.SELL, type_, Decimal(1), None, Decimal(2), Decimal(3)
    )

    sent = wire.order_params(request)

    assert ("price" in sent) is type_.has_limit_price
    assert ("stopPrice" in sent) is type_.has_trigger
    assert ("timeInForce" in sent) is (type_.has_limit_price and type_ is not OrderType.LIMIT_MAKER)


@pytest.mark.parametrize(("quantity", "quote_quantity"), [(None, None), (Decimal(1), Decimal(1))])
def test_an_order_has_exactly_one_size(
    quantity: Decimal | None, quote_quantity: Decimal | None
) -> None:
    request = OrderRequest("id-1", "BTCUSDT", Side.BUY, OrderType.MARKET, quantity, quote_quantity)

    with pytest.raises(ValueError, match="exactly one"):
        wire.order_params(request)


def test_a_quote_size_is_for_market_orders_only() -> None:
    request = OrderRequest(
        "id-1", "BTCUSDT", Side.BUY, OrderType.LIMIT, None, Decimal(100), Decimal(2)
    )

    with pytest.raises(ValueError, match="MARKET orders only"):
        wire.order_params(request)


@pytest.mark.parametrize("body", [None, [], {}, "x", {"symbol": "BTCUSDT"}])
def test_whatever_does_not_have_the_promised_shape_is_unreadable(body: object) -> None:
    for read in (wire.execution_report, wire.order_list_report, wire.trade, wire.stream_report):
        with pytest.raises(wire.Unreadable):
            read(body)  # type: ignore[arg-type]


def test_the_venues_status_word_decides_and_an_unknown_one_is_unreadable() -> None:
    assert wire.stream_report(order_event(X="EXPIRED_IN_MATCH")).status is VenueStatus.EXPIRED
    with pytest.raises(wire.Unreadable):
        wire.stream_report(order_event(X="NOVEL"))


def test_an_expiry_reason_is_kept_before_a_reject_reason() -> None:
    report = wire.stream_report(
        order_event(x="EXPIRED", X="EXPIRED", eR="OCO_TRIGGER", r="NONE", t=-1)
    )

    assert report.reason == "OCO_TRIGGER"


def test_an_order_type_of_the_future_does_not_hide_the_report() -> None:
    assert wire.stream_report(order_event(o="PEGGED_THING")).type is None


def test_a_list_leg_names_its_list() -> None:
    assert wire.stream_report(order_event(g=5)).venue_list_id == "5"
    assert wire.stream_report(order_event()).venue_list_id is None
