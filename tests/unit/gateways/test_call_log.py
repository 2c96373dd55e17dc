"""Every venue call leaves one line, and never a secret."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from exchanges.domain import errors
from exchanges.domain.orders import OrderRequest
from exchanges.venues.binance.spot.gateway import BinanceSpotGateway
from tests.fakes.scripted_venue import API_KEY, API_SECRET, ScriptedVenue


def test_a_placed_order_logs_path_time_status_and_id(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    venue.fill_next()

    with capture_logs() as lines:
        gateway.place_order(market_buy)

    (line,) = [each for each in lines if each.get("path") == "order"]
    assert line["event"] == "venue_call"
    assert (line["method"], line["status"], line["client_id"]) == ("POST", 200, "entry-1")
    assert line["duration_ms"] > 0


def test_a_refusal_logs_the_venues_code_and_our_verdict(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    venue.refuse_next(400, -2010, "Account has insufficient balance for requested action.")

    with capture_logs() as lines, pytest.raises(errors.Rejected):
        gateway.place_order(market_buy)

    (line,) = [each for each in lines if each.get("path") == "order"]
    assert (line["log_level"], line["code"]) == ("warning", -2010)
    assert line["verdict"] == "InsufficientBalance"


def test_no_line_carries_key_secret_or_signature(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    venue.hang_up_next()
    venue.refuse_next(400, -2010, "no")

    with capture_logs() as lines:
        for expected in (errors.OutcomeUnknown, errors.Rejected):
            with pytest.raises(expected):
                gateway.place_order(market_buy)

    text = repr(lines)
    assert API_KEY not in text
    assert API_SECRET not in text
    assert "signature" not in text
