"""What a decision was taken on, as JSON in its record, and back again for a replay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from exchanges.domain.books import Book
from exchanges.domain.instruments import Instrument
from exchanges.domain.orders import Quote
from foundation.serialization import jsonable
from trading.domain.intents import TradeIntent
from trading.domain.risk.types import Limits, RiskSnapshot
from trading.models import Decision

T = TypeVar("T")
_COLUMNS = ("now", "environment")  # the decision has columns of its own for these
_WORDS = {"open_position_count": "open_positions"}
_KEYS = {f.name: _WORDS.get(f.name, f.name) for f in fields(RiskSnapshot) if f.name not in _COLUMNS}
REPEATED = ("instrument", "limits")  # long, and the same from decision to decision
LONG = (*REPEATED, "book")


class NotOnRecord(Exception):
    """The record does not say all that the decision was taken on; the text says what is missing."""


def written(snapshot: RiskSnapshot) -> dict[str, Any]:
    """Return everything a decision looked at, so that `snapshot_of` gives it back exactly."""
    seen: dict[str, Any] = {}
    for name, key in _KEYS.items():
        value = getattr(snapshot, name)
        seen[key] = _repeated(value) if name in REPEATED else jsonable(value)
    ages = {"quote_age_ms": snapshot.quote, "book_age_ms": snapshot.book}
    return seen | {name: _age_ms(price, snapshot.now) for name, price in ages.items()}


def _age_ms(price: Quote | Book | None, now: datetime) -> int | None:
    return None if price is None else (now - price.received_at) // timedelta(milliseconds=1)


def in_short(market: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a record of what was seen without its long parts, for people to read."""
    return {key: value for key, value in (market or {}).items() if key not in LONG}


@lru_cache(maxsize=512)
def _repeated(value: Instrument | Limits | None) -> Any:
    return jsonable(value)


def intent_of(decision: Decision) -> TradeIntent:
    """Return the intent as it was decided. Raises NotOnRecord."""
    return _read(decision.intent, TradeIntent)


def snapshot_of(decision: Decision) -> RiskSnapshot:
    """Return what the decision was taken on. Raises NotOnRecord for records that lack a part."""
    market = decision.market or {}
    known = {name: market[key] for name, key in _KEYS.items() if key in market}
    known |= {"now": decision.decided_at, "environment": decision.environment}
    return _read(known, RiskSnapshot)


def _read(record: Any, kind: type[T]) -> T:
    try:
        return msgspec.convert(record, kind)
    except msgspec.ValidationError as error:
        raise NotOnRecord(f"the record of what was seen is not whole: {error}") from None
