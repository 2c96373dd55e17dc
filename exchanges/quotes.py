"""Prices with a known age: Redis first, the venue's REST when Redis has nothing fresh.

The market stream (`market_data`) writes them, and so does whoever had to ask over REST. A quote or
a book never takes the place of one that was received later: each is stored behind the moment it
was received at (for an answer over REST: asked for), and a script in Redis compares the two.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import msgspec
import redis
import structlog
from django.utils import timezone

from exchanges.domain.books import Book
from exchanges.domain.errors import VenueError
from exchanges.domain.orders import Quote
from exchanges.domain.venues import Venue
from exchanges.venues import registry
from foundation import redis_client

log = structlog.get_logger(__name__)
P = TypeVar("P", Quote, Book)
MEMORY_SECONDS = 0.1  # within a burst, this process need not ask Redis for every decision
KEPT_SECONDS = 60
STAMP_DIGITS = 16  # microseconds since 1970: texts of one length compare like numbers
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
BOOKS = "petrosa:book:"

# KEYS: where; ARGV: seconds to keep, then for each key the stamp with the body behind it.
KEEP_NEWEST = f"""
for i, key in ipairs(KEYS) do
  local told = ARGV[i + 1]
  if redis.call('GETRANGE', key, 0, {STAMP_DIGITS - 1}) <= string.sub(told, 1, {STAMP_DIGITS}) then
    redis.call('SET', key, told, 'EX', ARGV[1])
  end
end
return 1
"""

_memory: dict[str, tuple[float, Quote | Book]] = {}
_decode_quote = msgspec.json.Decoder(Quote).decode
_decode_book = msgspec.json.Decoder(Book).decode


@dataclass(frozen=True, slots=True)
class Prices:
    """What can be had of one symbol; None is not known, or not known freshly enough."""

    quote: Quote | None
    book: Book | None


def _redis() -> redis.Redis:
    return redis_client.patient(0.5)


def key_of_quote(venue: Venue, symbol: str) -> str:
    return f"petrosa:price:{venue}:{symbol}"


def key_of_book(venue: Venue, symbol: str) -> str:
    return f"{BOOKS}{venue}:{symbol}"


# ---- reading ---------------------------------------------------------------------------------


def get(venue: Venue, symbol: str, *, max_age: Decimal) -> Quote | None:
    """Return a quote not older than `max_age` seconds, or None when there is none to be had."""
    [cached] = _recall(key_of_quote(venue, symbol))
    quote: Quote | None = _fresh(cached, max_age)
    if quote is not None:
        return quote
    asked_at = timezone.now()
    try:
        quote = registry.for_venue(venue).quote(symbol)
    except VenueError as error:
        log.warning("quote_not_available", symbol=symbol, error=str(error))
        return None
    put(venue, quote, asked_at=asked_at)
    return quote


def with_book(venue: Venue, symbol: str, *, max_age: Decimal) -> Prices:
    """Return quote and book not older than `max_age` seconds. One call to the venue serves both."""
    cached = _recall(key_of_quote(venue, symbol), key_of_book(venue, symbol))
    fresh = Prices(*(_fresh(price, max_age) for price in cached))
    if fresh.quote is not None and fresh.book is not None:
        return fresh
    asked_at = timezone.now()
    try:
        book = registry.for_venue(venue).depth(symbol)
    except VenueError as error:
        log.warning("book_not_available", symbol=symbol, error=str(error))
        return fresh
    quote = book.quote()
    put(venue, *(price for price in (quote, book) if price), asked_at=asked_at)
    return Prices(quote, book)


def newest(venue: Venue, symbol: str, seen: Prices, *, max_age: Decimal) -> Prices:
    """Return `seen`, or what this process has come to know since, not older than `max_age`
    seconds. Asks nobody.

    For one who had to wait after looking: others may have looked meanwhile.
    """
    return Prices(
        _later(seen.quote, key_of_quote(venue, symbol), max_age),
        _later(seen.book, key_of_book(venue, symbol), max_age),
    )


def known(venue: Venue, symbols: Sequence[str]) -> dict[str, Quote]:
    """Return the quotes somebody shared in the last minute, by symbol; never asks the venue."""
    if not symbols:
        return {}
    found = _read([key_of_quote(venue, symbol) for symbol in symbols])
    return {
        symbol: _decode_quote(raw[STAMP_DIGITS:])
        for symbol, raw in zip(symbols, found, strict=True)
        if raw
    }


def ages(venue: Venue, symbols: Sequence[str]) -> dict[str, timedelta | None]:
    """Return how long ago the newest quote of each symbol was received.

    None: nobody received one within the last minute, or Redis is away. Never asks the venue.
    """
    quotes, now = known(venue, symbols), timezone.now()
    return {
        symbol: now - quotes[symbol].received_at if symbol in quotes else None for symbol in symbols
    }


def raw(key: str) -> bytes | None:
    """Return what Redis has under a key, None without Redis."""
    return _read([key])[0]


# ---- writing ---------------------------------------------------------------------------------


def put(venue: Venue, *prices: Quote | Book, asked_at: datetime | None = None) -> None:
    """Share quotes and books with every process for a minute, unless newer ones are there.

    `asked_at`: an answer may be as old as its question, whenever it was received.
    """
    if not prices:
        return
    for price in prices:
        _memory[_key_of(venue, price)] = (time.monotonic() + MEMORY_SECONDS, price)
    written = told(venue, prices, asked_at=asked_at)
    try:
        _redis().eval(KEEP_NEWEST, len(written), *written, KEPT_SECONDS, *written.values())
    except redis.RedisError as error:
        log.warning("prices_not_shared", symbol=prices[0].symbol, error=str(error))


def told(
    venue: Venue, prices: Iterable[Quote | Book], *, asked_at: datetime | None = None
) -> dict[str, bytes]:
    """Return what KEEP_NEWEST is to write, by key."""
    return {
        _key_of(venue, price): _stamp(asked_at or price.received_at) + msgspec.json.encode(price)
        for price in prices
    }


def forget() -> None:
    """Drop this process's prices."""
    _memory.clear()


# ---- inside ----------------------------------------------------------------------------------


def _key_of(venue: Venue, price: Quote | Book) -> str:
    make = key_of_book if isinstance(price, Book) else key_of_quote
    return make(venue, price.symbol)


def _stamp(moment: datetime) -> bytes:
    return b"%0*d" % (STAMP_DIGITS, (moment - EPOCH) // MICROSECOND)


def _recall(*keys: str) -> list[Any]:
    """Return what is known under each key: by this process just now, else by Redis."""
    now = time.monotonic()
    held = [_memory.get(key) for key in keys]
    if all(one is not None and one[0] > now for one in held):
        return [one[1] for one in held if one is not None]
    return [_learn(key, raw, now) for key, raw in zip(keys, _read(keys), strict=True)]


def _learn(key: str, raw: bytes | None, now: float) -> Quote | Book | None:
    if not raw:
        return None
    decode: Any = _decode_book if key.startswith(BOOKS) else _decode_quote
    price: Quote | Book = decode(raw[STAMP_DIGITS:])
    _memory[key] = (now + MEMORY_SECONDS, price)
    return price


def _read(keys: Sequence[str]) -> list[bytes | None]:
    try:
        found: Any = _redis().mget(keys)
    except redis.RedisError as error:
        log.warning("prices_not_read", keys=list(keys), error=str(error))
        return [None] * len(keys)
    return list(found)


def _fresh(price: P | None, max_age: Decimal) -> P | None:
    if price is None:
        return None
    return price if _age(price) <= timedelta(seconds=float(max_age)) else None


def _age(price: Quote | Book) -> timedelta:
    return timezone.now() - price.received_at


def _later(seen: P | None, key: str, max_age: Decimal) -> P | None:
    """Return what this process remembers under `key` when it is newer than what was seen."""
    remembered: Any = _fresh(_memory.get(key, (0.0, None))[1], max_age)
    if remembered is None or (seen is not None and seen.received_at >= remembered.received_at):
        return seen
    return remembered  # type: ignore[no-any-return]
