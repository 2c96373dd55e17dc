"""A fake venue to fall back on, and a Redis without prices."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from django.conf import settings

from exchanges import quotes
from exchanges.venues import registry
from tests.fakes.exchange import FakeExchange
from tests.places import SIMULATOR


@pytest.fixture(autouse=True)
def _no_prices_yet() -> Iterator[None]:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
        quotes.forget()
        yield
        quotes.forget()
        client.flushdb()


@pytest.fixture
def venue() -> Iterator[FakeExchange]:
    exchange = FakeExchange()
    with registry.standing_in(SIMULATOR, exchange):
        yield exchange
