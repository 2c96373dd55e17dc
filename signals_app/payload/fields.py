"""Turn one field of a signal into a typed value, or refuse it by name.

Every reader takes the field's path and its raw value and returns the value; all raise
PayloadError. Numbers may be JSON numbers or numeric text ("0.001"); booleans are strict.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from exchanges.domain.orders import OrderType, TimeInForce
from signals_app.payload.draft import Action, PayloadError
from signals_app.payload.json_body import kind

ORDER_TYPES = tuple(t.value.lower() for t in OrderType if t is not OrderType.LIMIT_MAKER)
LARGEST = Decimal("1e15")
SMALLEST = Decimal("1e-18")
MAX_FREE_TEXT = 4_000
_PRECISE = Context(prec=60, rounding=ROUND_HALF_EVEN)
_NUMERIC = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{0,50})?([eE][+-]?[0-9]{1,3})?")
_STRATEGY = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/@+-]{0,99}")
_UID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_TIMEFRAME = re.compile(r"[A-Za-z0-9_.-]{0,16}")
# Binance lists a few symbols in other scripts, hence \w; the underscore is dated futures.
_SYMBOL = re.compile(r"[^\W_]{2,20}(?:[/_-][^\W_]{2,20})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS = range(2000, 2101)


def number(path: str, value: Any) -> Decimal:
    """Return a finite Decimal of at most 18 decimals and 15 whole digits."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise PayloadError(path, "WRONG_TYPE", f"expected a number, got {kind(value)}")
    if isinstance(value, str):
        if value.strip().lower().lstrip("+-") in {"nan", "inf", "infinity"}:
            raise PayloadError(path, "NOT_FINITE", f"{value.strip()} is not a finite number")
        if not _NUMERIC.fullmatch(value):
            raise PayloadError(path, "NOT_A_NUMBER", f"{value[:60]!r} is not a number")
    found = Decimal(value)
    size = found.copy_abs()  # abs() would round, and overflow on 1e999999999
    if size >= LARGEST or (size and size < SMALLEST):
        raise PayloadError(path, "OUT_OF_RANGE", f"{found} is beyond any price or size")
    exponent = found.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -18:
        found = found.quantize(SMALLEST, context=_PRECISE)
    return found


def positive(path: str, value: Any) -> Decimal:
    """Return a price or size above zero."""
    found = number(path, value)
    if found <= 0:
        raise PayloadError(path, "NOT_POSITIVE", f"{found} must be above zero")
    return found


def confidence(path: str, value: Any) -> Decimal:
    """Return a confidence from 0 to 1 inclusive."""
    found = number(path, value)
    if not 0 <= found <= 1:
        raise PayloadError(path, "OUT_OF_RANGE", f"{found} is outside 0 to 1")
    return found


def flag(path: str, value: Any) -> bool:
    """Return a strict boolean: text such as "true" or the number 1 is refused."""
    if not isinstance(value, bool):
        raise PayloadError(path, "NOT_A_BOOLEAN", f"expected true or false, got {kind(value)}")
    return value


def text(path: str, value: Any) -> str:
    """Return free text as sent; markup and control characters stay, length is the caller's."""
    if not isinstance(value, str):
        raise PayloadError(path, "WRONG_TYPE", f"expected text, got {kind(value)}")
    return value


def mapping(path: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise PayloadError(path, "WRONG_TYPE", f"expected an object, got {kind(value)}")
    return dict(value)


def strategy_id(path: str, value: Any) -> str:
    """Return 1 to 100 letters, digits, spaces and . _ : / @ + - starting with a letter or digit."""
    return _matching(
        path, value, _STRATEGY, "BAD_STRATEGY_ID", "1 to 100 letters, digits and ._:/@+-"
    )


def uid(path: str, value: Any) -> str:
    return _matching(path, value, _UID, "BAD_UID", "1 to 64 letters, digits and ._:-")


def timeframe(path: str, value: Any) -> str:
    return _matching(
        path, value, _TIMEFRAME, "BAD_TIMEFRAME", "at most 16 letters or digits, as 15m"
    )


def symbol(path: str, value: Any) -> str:
    """Return the venue's spelling: `btc/usdt`, `BTC-USDT` and `BTCUSDT` are one symbol."""
    found = text(path, value).strip()
    if not _SYMBOL.fullmatch(found) or len(found) < 4:
        raise PayloadError(
            path, "BAD_SYMBOL", f"{found[:40]!r} is not a symbol: write BTCUSDT or BTC/USDT"
        )
    return re.sub(r"[/_-]", "", found.upper())


def action(path: str, value: Any) -> Action:
    found = text(path, value).strip().lower()
    if found not in set(Action):
        allowed = ", ".join(Action)
        raise PayloadError(path, "UNKNOWN_ACTION", f"{found[:40]!r} is not one of {allowed}")
    return Action(found)


def order_type(path: str, value: Any) -> str:
    """Return one of the six order types in lower case; `stop-limit` reads as `stop_limit`."""
    found = re.sub(r"[ -]", "_", text(path, value).strip().lower())
    if found not in ORDER_TYPES:
        allowed = ", ".join(ORDER_TYPES)
        raise PayloadError(path, "UNKNOWN_ORDER_TYPE", f"{found[:40]!r} is not one of {allowed}")
    return found


def time_in_force(path: str, value: Any) -> str:
    found = text(path, value).strip().upper()
    if found not in set(TimeInForce):
        allowed = ", ".join(TimeInForce)
        raise PayloadError(path, "UNKNOWN_TIME_IN_FORCE", f"{found[:40]!r} is not one of {allowed}")
    return found


def timestamp(path: str, value: Any) -> datetime:
    """Return an aware UTC time from ISO-8601 with a zone, or from epoch seconds, ms or us."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return _epoch(path, Decimal(value))
    found = text(path, value).strip()
    try:
        # A bare date, an ordinal or a week would parse too: they all end as naive.
        moment = datetime.fromisoformat(found.upper()) if len(found) <= 64 else None
    except ValueError:
        moment = None
    if moment is None:
        raise PayloadError(
            path, "BAD_TIMESTAMP", f"{found[:64]!r} is not ISO-8601, as 2026-01-31T12:00:00Z"
        )
    if moment.utcoffset() is None:
        raise PayloadError(
            path,
            "NAIVE_TIMESTAMP",
            f"{found!r} names no time zone: add Z for UTC or an offset such as +02:00",
        )
    try:
        return _plausible(path, moment.astimezone(UTC), found)
    except OverflowError:
        raise PayloadError(path, "BAD_TIMESTAMP", f"{found!r} is out of range") from None


def _epoch(path: str, value: Decimal) -> datetime:
    for limit, unit in ((Decimal("1e11"), 1_000_000), (Decimal("1e14"), 1_000), (LARGEST * 100, 1)):
        if 0 < value < limit:
            return _plausible(path, _EPOCH + timedelta(microseconds=int(value * unit)), str(value))
    raise PayloadError(path, "BAD_TIMESTAMP", f"{value} is not a time since 1970 in s, ms or us")


def _plausible(path: str, moment: datetime, sent: str) -> datetime:
    if moment.year not in _YEARS:
        raise PayloadError(path, "BAD_TIMESTAMP", f"{sent} is in the year {moment.year}")
    return moment


def _matching(path: str, value: Any, pattern: re.Pattern[str], code: str, rule: str) -> str:
    found = text(path, value)
    if not pattern.fullmatch(found):
        raise PayloadError(path, code, f"{found[:64]!r} does not fit: {rule}")
    return found
