"""What a write means when no whole answer comes back."""

from __future__ import annotations

import pytest

from exchanges.domain import errors
from exchanges.domain.orders import OrderRequest
from exchanges.venues.binance.spot.gateway import BinanceSpotGateway
from petrosa_site.stack.ports import free_port
from tests.fakes.scripted_venue import ScriptedVenue


def test_a_refused_connection_is_not_sent(make_gateway, market_buy: OrderRequest) -> None:
    gateway = make_gateway(rest_url=f"http://127.0.0.1:{free_port()}")

    with pytest.raises(errors.NotSent) as caught:
        gateway.place_order(market_buy)

    assert not isinstance(caught.value, errors.RateLimited)


def test_a_venue_gone_after_the_clock_was_set_is_not_sent(
    make_gateway, market_buy: OrderRequest
) -> None:
    gateway = make_gateway(rest_url=f"http://127.0.0.1:{free_port()}")
    gateway.clock.sync(lambda: 1795262400000)

    with pytest.raises(errors.NotSent):
        gateway.place_order(market_buy)


def test_an_unknown_host_is_not_sent(make_gateway, market_buy: OrderRequest) -> None:
    gateway = make_gateway(rest_url="http://venue.invalid")
    gateway.clock.sync(lambda: 1795262400000)

    with pytest.raises(errors.NotSent):
        gateway.place_order(market_buy)


def test_a_line_cut_before_the_reply_leaves_the_outcome_unknown(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    venue.hang_up_next()

    with pytest.raises(errors.OutcomeUnknown):
        gateway.place_order(market_buy)

    assert len(venue.calls("order")) == 1


def test_a_line_cut_within_the_reply_leaves_the_outcome_unknown(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    venue.hang_up_next(when="within")

    with pytest.raises(errors.OutcomeUnknown):
        gateway.place_order(market_buy)


def test_a_reply_that_never_comes_leaves_the_outcome_unknown(
    make_gateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    venue.answer_next(stall_seconds=1.0)

    with pytest.raises(errors.OutcomeUnknown):
        make_gateway(timeout_seconds=0.2).place_order(market_buy)


@pytest.mark.parametrize("body", [b"<html>ok</html>", b"", b"[]", b"[1]", b'"fine"', b"null"])
def test_a_success_that_cannot_be_read_leaves_the_outcome_unknown(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest, body: bytes
) -> None:
    venue.answer_next(body)

    with pytest.raises(errors.OutcomeUnknown):
        gateway.place_order(market_buy)


@pytest.mark.parametrize("status", [400, 500])
def test_an_error_whose_body_is_a_list_leaves_the_outcome_unknown(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest, status: int
) -> None:
    venue.answer_next([{"code": -2010, "msg": "in a list"}], status=status)

    with pytest.raises(errors.OutcomeUnknown):
        gateway.place_order(market_buy)


def test_a_status_nobody_knows_leaves_the_outcome_unknown(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    venue.fill_next(status="NOVEL")

    with pytest.raises(errors.OutcomeUnknown):
        gateway.place_order(market_buy)


def test_a_redirect_is_not_followed(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    venue.answer_next(status=302, headers={"Location": venue.url + "/api/v3/order"})

    with pytest.raises(errors.OutcomeUnknown):
        gateway.place_order(market_buy)

    assert len(venue.calls("order")) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b""),
        (502, b"<html>bad gateway</html>"),
        (503, b"upstream gone"),
        (408, b'{"code":-1007,"msg":"Timeout waiting for response from backend server."}'),
        (403, b"<html>forbidden</html>"),
        (404, b"<html>nowhere</html>"),
    ],
)
def test_a_write_is_tried_once_only(
    gateway: BinanceSpotGateway,
    venue: ScriptedVenue,
    market_buy: OrderRequest,
    naps: list[float],
    status: int,
    body: bytes,
) -> None:
    venue.answer_next(body, status=status)

    with pytest.raises(errors.OutcomeUnknown):
        gateway.place_order(market_buy)

    assert len(venue.calls("order")) == 1
    assert naps == []
