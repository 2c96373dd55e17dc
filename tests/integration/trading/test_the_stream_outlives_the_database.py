"""A database that cannot be written to for a moment must not make the listener deaf for good."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from decimal import Decimal

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection
from django.utils import timezone
from prometheus_client import REGISTRY

from exchanges.domain.news import BalanceNews, News, StreamGap
from exchanges.domain.orders import AssetBalance
from exchanges.models import Balance, VenueAccount
from trading import user_stream
from trading.services.money import accounts

pytestmark = pytest.mark.django_db(transaction=True)


@sync_to_async
def rename(old: str, new: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {old} RENAME TO {new}")


def told(free: str) -> BalanceNews:
    return BalanceNews((AssetBalance("USDT", Decimal(free), Decimal(0)),), timezone.now())


def failures() -> float:
    name = "tradeengine_errors_total"
    return REGISTRY.get_sample_value(name, {"type": "user_stream"}) or 0.0


def free_balance() -> Decimal | None:
    return Balance.objects.filter(asset="USDT").values_list("free", flat=True).first()


async def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not await sync_to_async(is_so)():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


class BrokenMidway:
    """News of which one piece comes while a table is away."""

    async def news(self) -> AsyncIterator[News]:
        yield told("1")
        await until(lambda: free_balance() == 1)
        await rename("exchanges_balance", "away")
        before = failures()
        try:
            yield told("2")
            await until(lambda: failures() > before)
        finally:
            await rename("away", "exchanges_balance")
        yield told("3")

    def stop(self) -> None:
        """Ends by itself."""


class LiveWhileAway:
    """A live stream that says nothing; its account's table is away until a few pulses are over."""

    async def news(self) -> AsyncIterator[News]:
        yield StreamGap("subscribed", live=True, at=timezone.now())
        await rename("exchanges_venueaccount", "away")
        await asyncio.sleep(0.2)
        await rename("away", "exchanges_venueaccount")
        before = await stream_at()
        deadline = time.monotonic() + 60
        while await stream_at() == before and time.monotonic() < deadline:
            await asyncio.sleep(0.02)

    def stop(self) -> None:
        """Ends by itself."""


@sync_to_async
def stream_at() -> datetime | None:
    return VenueAccount.objects.values_list("stream_at", flat=True).get()


@pytest.fixture
def account(venue) -> VenueAccount:
    accounts.ensure_first()
    return accounts.for_intent(simulate=True).venue_account


def test_news_after_the_trouble_is_booked(account):
    listener = user_stream.Listener(account, BrokenMidway(), lambda _: None)
    async_to_sync(listener.run)()
    assert Balance.objects.get(asset="USDT").free == 3


def test_the_sign_of_life_comes_back(account):
    listener = user_stream.Listener(account, LiveWhileAway(), lambda _: None, pulse_seconds=0.05)
    async_to_sync(listener.run)()
    at = VenueAccount.objects.get().stream_at
    assert at is not None
    assert (timezone.now() - at).total_seconds() < 30
