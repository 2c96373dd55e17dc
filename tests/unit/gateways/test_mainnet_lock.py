"""Real money needs a deliberate act."""

from __future__ import annotations

import pytest

from exchanges.domain import errors
from exchanges.domain.orders import OrderRequest
from tests.fakes.scripted_venue import ScriptedVenue
from tests.places import MAINNET


def test_mainnet_writes_are_refused_unless_allowed(
    make_gateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    gateway = make_gateway(venue=MAINNET)

    with pytest.raises(errors.Rejected, match="MAINNET_TRADING_ENABLED"):
        gateway.place_order(market_buy)
    with pytest.raises(errors.Rejected, match="locked"):
        gateway.cancel_order("BTCUSDT", "entry-1")

    assert not venue.trades_seen


def test_mainnet_may_be_read_while_it_is_locked(make_gateway, venue: ScriptedVenue) -> None:
    venue.answer_next({"symbol": "BTCUSDT", "price": "45000"})

    assert make_gateway(venue=MAINNET).last_price("BTCUSDT") == 45000


def test_the_lock_is_asked_before_every_write(
    make_gateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    allowed = [True]
    gateway = make_gateway(venue=MAINNET, may_write=lambda: allowed[0])
    venue.fill_next()
    gateway.place_order(market_buy)

    allowed[0] = False

    with pytest.raises(errors.Rejected):
        gateway.place_order(market_buy)
    assert len(venue.calls("order")) == 1


@pytest.mark.parametrize("key", [{"api_key": ""}, {"api_secret": ""}])
def test_without_keys_no_signed_call_leaves(
    make_gateway, venue: ScriptedVenue, market_buy: OrderRequest, key: dict[str, str]
) -> None:
    with pytest.raises(errors.CredentialsRefused, match="no API key"):
        make_gateway(**key).place_order(market_buy)

    assert venue.seen == []
