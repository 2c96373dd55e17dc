"""Payload in, SignalDraft out: both generations of the signal format, normalised once.

v1 keeps its options in `meta`; v2 keeps them at top level and free context in `metadata`. Either
place is read for either generation. The top level wins in the sense that it names the field; the
same option with another value elsewhere is refused, because nobody can know which was meant.

| option                 | also read as                         | unit or values                   |
|------------------------|--------------------------------------|----------------------------------|
| meta                   | metadata                             | object of options and context    |
| quantity               | base_amount, amount                  | base units                       |
| quote_quantity         | quote_amount                         | quote units                      |
| confidence             | meta.confidence                      | 0 to 1                           |
| price                  | (top level only)                     | limit price or trigger reference |
| current_price          |                                      | the sender's mark                |
| order_type             |                                      | market limit stop stop_limit     |
|                        |                                      | take_profit take_profit_limit    |
| time_in_force          |                                      | GTC IOC FOK                      |
| stop_price             | stop_loss, for stop and stop_limit   | trigger price (v1 meaning)       |
|                        | take_profit, for take_profit types   |                                  |
|                        | price, for stop and take_profit      |                                  |
| stop_loss, take_profit |                                      | protective prices                |
| atr                    | indicators.atr                       | quote units                      |
| signal_uid             |                                      | the sender's own unique id       |
| timestamp              | (top level only)                     | ISO-8601 with zone, or epoch     |

Numbers may be JSON numbers or numeric text. `null` means absent; 0 never does. Whatever is not an
option is kept in `SignalDraft.metadata` as sent; a key that differs from a dangerous option only
by case or punctuation (`stopLoss`, `Simulate`), or by a slip of the hand (`stop_los`, `quantty`),
is refused rather than ignored, and so is a word of money that is no option (`money_words`). Two
words of the context bind: `shadow` (anything but false: never traded) and `environment` (of whose
prices it is, in any spelling: opens nothing where more is at stake).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, TypeVar

from exchanges.domain.orders import LIMIT_TYPES, STOP_TYPES, TRIGGER_TYPES, OrderType
from signals_app.payload import environments, fields, json_body, money_words
from signals_app.payload.draft import Action, PayloadError, SignalDraft
from signals_app.payload.draft_json import context, from_jsonable, to_jsonable

__all__ = ["DEFAULT_MAX_BYTES", "from_jsonable", "parse", "to_jsonable"]

DEFAULT_MAX_BYTES = 256 * 1024
BASE_SIZES = ("quantity", "base_amount", "amount")
QUOTE_SIZES = ("quote_quantity", "quote_amount")
_LOOKS_LIKE_AN_EXIT = re.compile(rb'"action"\s*:\s*"\s*(?:sell|close)\s*"', re.IGNORECASE)
IDENTITY = ("strategy_id", "symbol", "action", "price", "timestamp")
OPTIONS = (
    *BASE_SIZES,
    *QUOTE_SIZES,
    "order_type",
    "time_in_force",
    "stop_price",
    "stop_loss",
    "take_profit",
    "use_default_stop_loss",
    "use_default_take_profit",
    "simulate",
    "atr",
    "indicators",
    "rationale",
    "description",
    "timeframe",
    "current_price",
    "signal_uid",
)
_GUARDED = (
    *BASE_SIZES[:2],
    *QUOTE_SIZES,
    "order_type",
    "time_in_force",
    "stop_price",
    "stop_loss",
    "take_profit",
    "use_default_stop_loss",
    "use_default_take_profit",
    "simulate",
    "signal_uid",
)
_LOOKALIKES = {name.replace("_", ""): name for name in _GUARDED}
_KNOWN_ON_TOP = frozenset({*OPTIONS, *IDENTITY, "confidence"})
_KNOWN_BELOW = frozenset({*OPTIONS, "confidence"})  # price and symbol are read on top only
_MONEY = (
    "stop_loss",
    "take_profit",
    "quantity",
    "quote_quantity",
    "base_amount",
    "price",
    "stop_price",
    "order_type",
    "action",
    "symbol",
    "confidence",
    "time_in_force",
    "simulate",
)
_CLOSE = 0.85  # a wrong, missing or doubled letter; stop_loss_pct is a word of its own
_LONGEST = 20  # nothing longer comes that close

T = TypeVar("T")
Reader = Callable[[str, Any], T]


def looks_like_an_exit(body: bytes) -> bool:
    """Tell by a glance at the bytes: a hint of what goes first. What it is, `parse` decides."""
    return _LOOKS_LIKE_AN_EXIT.search(body) is not None


def parse(
    payload: bytes | Mapping[str, Any],
    *,
    received_at: datetime,
    max_bytes: int = DEFAULT_MAX_BYTES,
) -> SignalDraft:
    """Return the draft of one signal, or raise PayloadError naming the field.

    `received_at` (aware) stands in for a missing timestamp, which is noted. Nothing but
    PayloadError leaves here, whatever the bytes are.
    """
    tree = json_body.read(payload, max_bytes=max_bytes)
    source = _Source(tree)
    if tree.was_cleaned:
        source.notes.append("characters no text column can hold were replaced")
    source.refuse_lookalikes()
    return _draft(source, received_at)


def _draft(source: _Source, received_at: datetime) -> SignalDraft:
    order = _order(source)
    base, quote = _size(source)
    action = source.required("action", fields.action)
    source.notes += money_words.check(source.places, action=action, order_type=order["order_type"])
    indicators = source.option(("indicators",), fields.mapping) or {}
    emitted_at = source.identity("timestamp", fields.timestamp)
    if emitted_at is None:
        emitted_at = received_at
        source.notes.append("timestamp missing: receipt time used")
    return SignalDraft(
        strategy_id=source.required("strategy_id", fields.strategy_id),
        symbol=source.required("symbol", fields.symbol),
        action=action,
        confidence=_confidence(source),
        emitted_at=emitted_at,
        schema=source.schema,
        uid=source.option(("signal_uid",), fields.uid) or "",
        current_price=source.option(("current_price",), fields.positive),
        quantity=base,
        quote_quantity=quote,
        use_default_stop_loss=source.option(("use_default_stop_loss",), fields.flag),
        use_default_take_profit=source.option(("use_default_take_profit",), fields.flag),
        atr=_atr(source, indicators),
        timeframe=source.option(("timeframe",), fields.timeframe) or "",
        simulate=source.option(("simulate",), fields.flag),
        environment=_environment(source, action),
        rationale=_free_text(source, "rationale"),
        description=_free_text(source, "description"),
        indicators=context(indicators),
        metadata=context(source.leftovers()),
        notes=tuple(source.notes),
        **order,
    )


class _Source:
    """The payload's three places (top level, meta, metadata), read option by option."""

    def __init__(self, tree: Mapping[str, Any]) -> None:
        self.notes: list[str] = []
        self.top = {k: v for k, v in tree.items() if k not in {"meta", "metadata"}}
        self.places: list[tuple[str, dict[str, Any]]] = [("", self.top)]
        for name in ("meta", "metadata"):
            if tree.get(name) is not None:
                self.places.append((f"{name}.", fields.mapping(name, tree[name])))
        options_on_top = any(self.top.get(name) is not None for name in OPTIONS)
        is_v1 = "meta" in tree and not options_on_top
        self.schema = "v1" if is_v1 else "v2"

    def refuse_lookalikes(self) -> None:
        """Refuse keys that were meant as an option: ignoring them could trade the wrong way."""
        for prefix, place in self.places:
            known = _KNOWN_BELOW if prefix else _KNOWN_ON_TOP
            for key in place:
                if key in known:
                    continue
                meant = _LOOKALIKES.get(key.lower().replace("_", "").replace("-", ""))
                meant = meant or self._slip_of(key, is_on_top=not prefix)
                if meant:
                    raise PayloadError(
                        f"{prefix}{key}", "MISSPELT_FIELD", f"is not read: write {meant!r}"
                    )

    def _slip_of(self, key: str, *, is_on_top: bool) -> str:
        """Name the option a key nearly spells. Beside `price`, `prices` is context of its own."""
        meant = _nearest(key, is_on_top) if len(key) <= _LONGEST else ""
        if meant and key.startswith(meant):
            is_given = any(place.get(meant) is not None for _, place in self.places)
            return "" if is_given else meant
        return meant

    def identity(self, name: str, read: Reader[T]) -> T | None:
        """Return a field that only the top level may carry."""
        value = self.top.get(name)
        return None if value is None else read(name, value)

    def required(self, name: str, read: Reader[T]) -> T:
        found = self.identity(name, read)
        if found is None:
            raise PayloadError(name, "MISSING_FIELD", "is required")
        return found

    def option(
        self, names: tuple[str, ...], read: Reader[T], clash: str = "CONFLICTING_VALUES"
    ) -> T | None:
        """Return the one value all mentions of an option agree on, None when not mentioned."""
        first: tuple[str, T] | None = None
        for prefix, place in self.places:
            for name in names:
                if place.get(name) is None:
                    continue
                path = f"{prefix}{name}"
                found = read(path, place[name])
                if first is None:
                    first = (path, found)
                elif first[1] != found:
                    raise PayloadError(
                        first[0],
                        clash,
                        f"{first[0]} is {_shown(first[1])} but {path} is {_shown(found)}: send one",
                    )
        return first[1] if first else None

    def leftovers(self) -> dict[str, Any]:
        """Return everything that is no option, under its own name unless two places disagree."""
        kept: dict[str, Any] = {}
        for prefix, place in self.places:
            known = {*OPTIONS, "confidence", *(() if prefix else IDENTITY)}
            for key, value in place.items():
                if key in known:
                    continue
                taken = key in kept and kept[key] != value
                kept[f"{prefix}{key}" if taken else key] = value
        return kept


@lru_cache(maxsize=2048)
def _nearest(key: str, is_on_top: bool) -> str:
    names = _MONEY if is_on_top else tuple(name for name in _MONEY if name in _KNOWN_BELOW)
    spelt = key.lower()
    swapped = next((name for name in names if sorted(name) == sorted(spelt)), "")
    return swapped or next(iter(get_close_matches(spelt, names, n=1, cutoff=_CLOSE)), "")


def _confidence(source: _Source) -> Decimal:
    found = source.option(("confidence",), fields.confidence)
    if found is None:
        raise PayloadError("confidence", "MISSING_FIELD", "is required, 0 to 1")
    return found


def _environment(source: _Source, action: Action) -> str:
    """Read whose prices it was made of. An unknown word opens nothing, and holds up no exit."""

    def known(path: str, value: Any) -> str:
        name = environments.read(value)
        if name is not None:
            return name
        if action is not Action.BUY:
            source.notes.append(f"{path} {_shown(value)} is no environment: not used")
            return ""
        allowed = ", ".join(environments.NAMES)
        raise PayloadError(
            path, "UNKNOWN_ENVIRONMENT", f"{_shown(value)!r} is not one of {allowed}"
        )

    return source.option(("environment",), known) or ""


def _size(source: _Source) -> tuple[Decimal | None, Decimal | None]:
    base = source.option(BASE_SIZES, fields.positive, "SIZE_AMBIGUOUS")
    quote = source.option(QUOTE_SIZES, fields.positive, "SIZE_AMBIGUOUS")
    if base is not None and quote is not None:
        raise PayloadError(
            "quantity",
            "SIZE_AMBIGUOUS",
            f"{base} in base units and {quote} in quote units are both sizes: send one",
        )
    return base, quote


def _atr(source: _Source, indicators: Mapping[str, Any]) -> Decimal | None:
    stated = source.option(("atr",), fields.positive)
    if stated is not None or indicators.get("atr") is None:
        return stated
    try:
        return fields.positive("indicators.atr", indicators["atr"])
    except PayloadError as error:  # indicators are context: a warming-up ATR of 0 refuses nothing
        source.notes.append(f"indicators.atr not used: {error.message}")
        return None


def _free_text(source: _Source, name: str) -> str:
    found = source.option((name,), fields.text) or ""
    if len(found) > fields.MAX_FREE_TEXT:
        source.notes.append(f"{name} cut at {fields.MAX_FREE_TEXT} of {len(found)} characters")
    return found[: fields.MAX_FREE_TEXT]


def _order(source: _Source) -> dict[str, Any]:
    """Read what belongs to the order itself and settle what its type needs."""
    order_type = source.option(("order_type",), fields.order_type)
    order: dict[str, Any] = {
        "order_type": order_type,
        "price": source.identity("price", fields.positive),
        "stop_price": source.option(("stop_price",), fields.positive),
        "stop_loss": source.option(("stop_loss",), fields.positive),
        "take_profit": source.option(("take_profit",), fields.positive),
    }
    tif = source.option(("time_in_force",), fields.time_in_force)
    kind = OrderType(order_type.upper()) if order_type else None
    order["time_in_force"] = _time_in_force(source, kind, tif)
    if kind in TRIGGER_TYPES:
        _settle_trigger(source, kind, order)
    elif order["stop_price"] is not None:
        raise PayloadError(
            "stop_price",
            "STOP_PRICE_UNUSED",
            "needs order_type stop, stop_limit, take_profit or take_profit_limit; "
            "for a protective stop write stop_loss",
        )
    if kind in LIMIT_TYPES and order["price"] is None:
        raise PayloadError("price", "MISSING_PRICE", f"a {order_type} order needs its limit price")
    return order


def _time_in_force(source: _Source, kind: OrderType | None, tif: str | None) -> str | None:
    if kind is None or kind in LIMIT_TYPES or tif is None:
        return tif
    if tif == "FOK":
        raise PayloadError(
            "time_in_force",
            "TIME_IN_FORCE_UNSUPPORTED",
            f"FOK cannot be promised for a {kind.value.lower()} order: use a limit type",
        )
    source.notes.append(f"time_in_force {tif} has no meaning for {kind.value.lower()}: not used")
    return None


def _settle_trigger(source: _Source, kind: OrderType, order: dict[str, Any]) -> None:
    """Fill `stop_price` the way v1 senders mean it: the protective price is the trigger."""
    if order["stop_price"] is not None:
        return
    protective = "stop_loss" if kind in STOP_TYPES else "take_profit"
    name = str(order["order_type"])
    if order[protective] is not None:
        order["stop_price"], order[protective] = order[protective], None
        source.notes.append(f"{protective} taken as the trigger price of the {name} order")
    elif order["price"] is not None and kind not in LIMIT_TYPES:
        order["stop_price"] = order["price"]
        source.notes.append(f"price taken as the trigger price of the {name} order")
    else:
        raise PayloadError(
            "stop_price", "MISSING_STOP_PRICE", f"a {name} order needs its trigger price"
        )


def _shown(value: object) -> str:
    return str(value)[:80]
