from __future__ import annotations

from decimal import Decimal

import pytest

from audit.models import Event
from exchanges import quotes
from trading.models import Fill, Position

pytestmark = pytest.mark.django_db


def test_a_fee_in_base_is_taken_out_of_what_was_bought(send):
    send(quantity=0.01)

    fill = Fill.objects.get()
    position = Position.objects.get()
    assert (fill.commission, fill.commission_asset) == (Decimal("0.00001"), "BTC")
    assert fill.commission_quote == Decimal("0.45")
    assert position.quantity == Decimal("0.00999")
    assert position.average_entry_price == 45000
    assert position.realised_pnl == -position.fees_quote == Decimal("-0.45")


def test_a_fee_in_quote_is_taken_out_of_what_was_earned(send, venue):
    send(quantity=0.01)
    venue.set_quote("BTCUSDT", 46000, 46000)
    quotes.forget()
    send(action="sell", quantity=0.005)

    fill = Fill.objects.get(side="SELL")
    position = Position.objects.get()
    assert (fill.commission, fill.commission_asset) == (Decimal("0.23"), "USDT")
    assert fill.commission_quote == Decimal("0.23")
    assert position.quantity == Decimal("0.00499")
    assert position.realised_pnl == Decimal("0.005") * 1000 - Decimal("0.45") - Decimal("0.23")


def test_a_fee_in_bnb_leaves_the_coins_whole_and_is_valued_in_quote(send, venue):
    venue.pay_fees_in("BNB")  # one to one: 0.45 BNB at 600

    send(quantity=0.01)

    fill = Fill.objects.get()
    position = Position.objects.get()
    assert (fill.commission, fill.commission_asset) == (Decimal("0.45"), "BNB")
    assert fill.commission_quote == Decimal("270")
    assert position.quantity == Decimal("0.01")
    assert position.realised_pnl == Decimal("-270")


def test_fees_of_different_assets_are_never_added_up_as_they_are(send, venue):
    send(quantity=0.01)
    venue.pay_fees_in("BNB")
    send(quantity=0.01)

    position = Position.objects.get()
    assert position.fees_quote == Decimal("0.45") + Decimal("270")
    assert position.quantity == Decimal("0.00999") + Decimal("0.01")


def test_a_fee_nobody_can_value_is_booked_and_told(send, venue):
    venue.pay_fees_in("ODD")

    send(quantity=0.01)

    assert Fill.objects.get().commission_quote is None
    assert Position.objects.get().quantity == Decimal("0.01")
    assert Event.objects.filter(kind="fill.fee_not_valued").exists()
