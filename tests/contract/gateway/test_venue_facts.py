"""What every gateway tells of its venue."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from exchanges.venues.base import ExchangeGateway
from tests.contract.gateway.worlds import World, balance


def test_it_answers(gateway: ExchangeGateway) -> None:
    gateway.ping()

    assert gateway.venue.market == "spot"


def test_its_clock_is_aware_utc(gateway: ExchangeGateway) -> None:
    assert abs((gateway.server_time() - datetime.now(UTC)).total_seconds()) < 5


def test_it_lists_its_instruments_with_filters(gateway: ExchangeGateway) -> None:
    listed = {instrument.symbol: (instrument, raw) for instrument, raw in gateway.instruments()}

    bitcoin, raw = listed["BTCUSDT"]
    assert bitcoin.is_trading
    assert (bitcoin.base_asset, bitcoin.quote_asset) == ("BTC", "USDT")
    assert bitcoin.lot.step == Decimal("0.00001")
    assert bitcoin.min_notional == 5
    assert bitcoin.oco_allowed
    assert bitcoin.oto_allowed
    assert raw["symbol"] == "BTCUSDT"


def test_its_quote_has_a_bid_below_its_ask(gateway: ExchangeGateway) -> None:
    quote = gateway.quote("BTCUSDT")

    assert 0 < quote.bid < quote.ask
    assert quote.bid_quantity > 0
    assert quote.received_at.utcoffset() is not None
    assert abs(gateway.last_price("BTCUSDT") - quote.mid) < 100


def test_it_tells_balances_and_rates(world: World, gateway: ExchangeGateway) -> None:
    account = gateway.account()

    assert account.can_trade
    assert (account.maker_rate, account.taker_rate) == (Decimal("0.001"), Decimal("0.001"))
    assert balance(world, "USDT").free == Decimal(100_000)
