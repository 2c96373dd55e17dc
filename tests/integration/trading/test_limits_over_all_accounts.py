"""Two accounts, one portfolio: what both hold counts, and the last slot goes to one of them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from exchanges.domain.books import Book
from exchanges.domain.instruments import parse_spot
from exchanges.models import VenueAccount
from tests.fakes.instruments import spot_symbol_entry
from tests.limits import set_limits
from trading.domain.intents import IntentKind, SizeMode, SizingIntent, TradeIntent
from trading.models import Decision, VirtualAccount
from trading.services.money import account_settings, accounts, balances
from trading.services.orders import decisions
from trading.services.risk.market_view import MarketView

MANY = 32


def another_account(
    name: str, environment: str = "simulator", label: str = "main", **fields: object
) -> VirtualAccount:
    venue_account, _ = VenueAccount.objects.get_or_create(environment=environment, label=label)
    made = account_settings.create(
        VirtualAccount(name=name, venue_account=venue_account, **fields), actor="test"
    )
    accounts.map_strategy(name, made, actor="test")
    return made


class TestWhatBothHold:
    pytestmark = pytest.mark.django_db

    @pytest.fixture(autouse=True)
    def two(self, send):
        set_limits(max_spread_bps=0, one_symbol_per_account="off")
        return another_account("second")

    def test_a_position_elsewhere_takes_a_slot(self, send):
        set_limits(max_open_positions_total=1)
        assert send().decision.approved
        assert send(strategy_id="second", symbol="ETHUSDT").decision.code == (
            "OPEN_POSITIONS_TOTAL_AT_MAX"
        )
        assert send(strategy_id="second").decision.code == "OPEN_POSITIONS_TOTAL_AT_MAX"
        assert send().decision.approved  # adds to what is held

    def test_a_slot_is_free_again_when_the_other_is_flat(self, send):
        set_limits(max_open_positions_total=1)
        send()
        send(action="close", quantity=None)
        assert send(strategy_id="second").decision.approved

    def test_an_entry_on_its_way_counts(self, send, venue):
        set_limits(max_open_positions_total=1, max_gross_exposure=600)
        venue.rest_next()
        first = send(order_type="limit", price=44_000, stop_loss=43_000)
        assert first.decision.approved, first.decision.message

        denied = send(strategy_id="second", symbol="ETHUSDT", quantity=0.1).decision
        assert denied.code == "OPEN_POSITIONS_TOTAL_AT_MAX"
        [gross] = [v for v in denied.verdicts if v["rule"] == "gross_exposure"]
        assert ["held", "440"] in gross["inputs"]

    def test_exposure_is_added_up_at_cost(self, send, venue):
        set_limits(max_symbol_exposure=1100, max_gross_exposure=1400)
        assert send().decision.approved
        assert send(strategy_id="second").decision.approved
        assert send().decision.code == "SYMBOL_EXPOSURE_ABOVE_MAX"
        venue.set_quote("ETHUSDT", 2999, 3000)
        assert send(symbol="ETHUSDT", quantity=0.1).decision.approved
        assert send(strategy_id="second", symbol="ETHUSDT", quantity=0.1).decision.code == (
            "GROSS_EXPOSURE_ABOVE_MAX"
        )

    def test_another_environment_is_another_world(self, send):
        set_limits(max_open_positions_total=1)
        elsewhere = another_account("elsewhere", environment="testnet", enabled=False)
        send()
        made = decisions.decide(
            intent=wish(1, "C1USDT"), account_id=elsewhere.pk, market=look_at("C1USDT")
        )
        codes = {v["code"] for v in made.decision.verdicts}
        assert "OPEN_POSITIONS_TOTAL_AT_MAX" not in codes

    def test_other_quote_assets_are_not_added_up(self, send):
        set_limits(max_gross_exposure=600)
        another_account("euros", quote_asset="EUR")
        send()
        got = send(strategy_id="euros").decision
        [gross] = [v for v in got.verdicts if v["rule"] == "gross_exposure"]
        assert ["held", "0"] in gross["inputs"]


def look_at(symbol: str) -> MarketView:
    entry = spot_symbol_entry("SOLUSDT")
    instrument = parse_spot(entry | {"symbol": symbol, "baseAsset": symbol.removesuffix("USDT")})
    size, price = Decimal(1000), Decimal(100)
    book = Book(symbol, ((price, size),), ((price, size),), timezone.now())
    return MarketView(instrument, book.quote(), book=book, venue_latency_ms=Decimal(1))


def wish(number: int, symbol: str) -> TradeIntent:
    return TradeIntent(
        intent_uid=f"wish-{number}",
        kind=IntentKind.OPEN_LONG,
        strategy_id=f"hammer-{number}",
        symbol=symbol,
        confidence=Decimal("0.9"),
        emitted_at=datetime.now(UTC),
        sizing=SizingIntent(SizeMode.BASE_QUANTITY, Decimal(1)),
        actor="test",
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("limit", "code"),
    [
        ({"max_open_positions_total": 1}, "OPEN_POSITIONS_TOTAL_AT_MAX"),
        ({"max_gross_exposure": 150}, "GROSS_EXPOSURE_ABOVE_MAX"),
    ],
)
def test_of_many_entries_in_two_accounts_exactly_one_gets_the_last_slot(limit, code, venue):
    set_limits(max_quote_age_ms=60_000)  # the last in the line waits longer than half a second
    accounts.ensure_first()
    first = VirtualAccount.objects.get(is_default=True)
    second = another_account("second", label="other")  # at one venue account they share a purse
    for one in (first, second):
        balances.refresh(VenueAccount.objects.get(pk=one.venue_account_id))
    set_limits(max_open_positions=100, one_symbol_per_account="off", **limit)
    start = threading.Barrier(MANY)

    def decide(number: int) -> str:
        try:
            connection.ensure_connection()
            start.wait(60)
            symbol = f"C{number}USDT"
            account = (first, second)[number % 2]
            made = decisions.decide(
                intent=wish(number, symbol), account_id=account.pk, market=look_at(symbol)
            )
            return made.decision.code
        finally:
            connection.close()

    with ThreadPoolExecutor(MANY) as pool:
        codes = list(pool.map(decide, range(MANY)))

    assert sorted(codes) == ["", *[code] * (MANY - 1)]
    assert Decision.objects.count() == MANY
