"""Best bid and ask with a known age: Redis first, the venue's REST when Redis has nothing fresh."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import redis
import structlog
from django.conf import settings
from django.utils import timezone

from exchanges.domain.errors import VenueError
from exchanges.domain.orders import Quote
from exchanges.gateways import registry

log = structlog.get_logger(__name__)
MEMORY_SECONDS = 0.1  # within a burst, this process need not ask Redis for every decision
_memory: dict[str, tuple[float, Quote]] = {}
_client: redis.Redis | None = None
_decode = msgspec.json.Decoder(Quote).decode


def _redis() -> redis.Redis:
    global _client
    if _client is None:
        _client = redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5
        )
    return _client


def _key(environment: str, symbol: str) -> str:
    return f"petrosa:quote:{environment}:{symbol}"


def get(environment: str, symbol: str, *, max_age: Decimal) -> Quote | None:
    """Return a quote not older than `max_age` seconds, or None when there is none to be had."""
    cached = _cached(environment, symbol)
    if cached is not None and _age(cached, timezone.now()) <= timedelta(seconds=float(max_age)):
        return cached
    try:
        quote = registry.for_venue(environment).quote(symbol)
    except VenueError as error:
        log.warning("quote_not_available", symbol=symbol, error=str(error))
        return None
    put(environment, quote)
    return quote


def put(environment: str, quote: Quote) -> None:
    """Share a quote with every process for a few seconds."""
    try:
        _redis().set(_key(environment, quote.symbol), msgspec.json.encode(quote), ex=60)
    except redis.RedisError as error:
        log.warning("quote_not_shared", symbol=quote.symbol, error=str(error))


def _cached(environment: str, symbol: str) -> Quote | None:
    key = _key(environment, symbol)
    remembered = _memory.get(key)
    if remembered is not None and remembered[0] > time.monotonic():
        return remembered[1]
    try:
        raw: Any = _redis().get(key)
    except redis.RedisError as error:
        log.warning("quote_cache_away", symbol=symbol, error=str(error))
        return None
    if not raw:
        return None
    quote = _decode(raw)
    _memory[key] = (time.monotonic() + MEMORY_SECONDS, quote)
    return quote


def forget() -> None:
    """Drop this process's quotes."""
    _memory.clear()


def _age(quote: Quote, now: datetime) -> timedelta:
    return now - quote.received_at


def known(environment: str, symbols: Sequence[str]) -> dict[str, Quote]:
    """Return the quotes somebody shared in the last minute, by symbol; never asks the venue."""
    if not symbols:
        return {}
    try:
        found: Any = _redis().mget([_key(environment, symbol) for symbol in symbols])
    except redis.RedisError as error:
        log.warning("quote_cache_away", symbols=list(symbols), error=str(error))
        return {}
    return {
        symbol: _decode(raw) for symbol, raw in zip(symbols, found, strict=True) if raw is not None
    }
