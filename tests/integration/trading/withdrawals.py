"""Coins that leave the venue behind our back, and time in which we could have heard of it."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F

from exchanges.models import VenueAccount
from tests.fakes.exchange import FakeExchange
from tests.integration.trading.clock import time_passes
from trading.models import Order, Position
from trading.services.execution import reconciliation
from trading.services.money import balances
from trading.services.protection import keeper


def a_minute_passes() -> None:
    Position.objects.update(updated_at=F("updated_at") - timedelta(seconds=60))
    time_passes(60)
    Order.objects.update(closed_at=F("closed_at") - timedelta(seconds=60))


def withdraw(venue: FakeExchange, quantity: str, *, asset: str = "BTC") -> None:
    """Somebody cancels our stops and withdraws coins; we hear of the stops only."""
    for stop in Order.objects.filter(role="stop_loss", status="OPEN"):
        venue.cancel_at_venue(stop.client_order_id)
    venue.deposit(asset, f"-{quantity}")
    time_passes(10)
    reconciliation.run()
    a_minute_passes()


def look(position: Position) -> Position:
    balances.refresh(VenueAccount.objects.get())
    keeper.ensure(position.pk, actor="test")
    position.refresh_from_db()
    return position
