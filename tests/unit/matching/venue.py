"""A small venue of our own series for the tests: two symbols, two accounts, round figures."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from exchanges.matching import (
    BalancesChanged,
    Engine,
    Event,
    ListChanged,
    NewOco,
    NewOrder,
    NewOtoco,
    OrderChanged,
    OrderType,
    Side,
    TimeInForce,
    VenueRefusal,
)

D = Decimal
T0 = 1_800_000_000_000  # a round minute, ten seconds and day-window inside are known
BTC = "BTCUSDT"


def entry(symbol: str = BTC, base: str = "BTC", quote: str = "USDT", **changes: Any) -> dict:
    """An exchangeInfo entry in the venue's shape; `changes` replace top-level keys."""
    return {
        "symbol": symbol,
        "status": "TRADING",
        "baseAsset": base,
        "baseAssetPrecision": 8,
        "quoteAsset": quote,
        "quoteAssetPrecision": 8,
        "orderTypes": [t.value for t in OrderType],
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "opoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_MAKER", "EXPIRE_TAKER"],
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": "0.01000000",
                "maxPrice": "100000.00000000",
                "tickSize": "0.01000000",
            },
            {
                "filterType": "LOT_SIZE",
                "minQty": "0.00100000",
                "maxQty": "100.00000000",
                "stepSize": "0.00100000",
            },
            {
                "filterType": "MARKET_LOT_SIZE",
                "minQty": "0.00000000",
                "maxQty": "50.00000000",
                "stepSize": "0.00000000",
            },
            {
                "filterType": "TRAILING_DELTA",
                "minTrailingAboveDelta": 10,
                "maxTrailingAboveDelta": 2000,
                "minTrailingBelowDelta": 20,
                "maxTrailingBelowDelta": 1000,
            },
            {
                "filterType": "PERCENT_PRICE_BY_SIDE",
                "bidMultiplierUp": "5",
                "bidMultiplierDown": "0.2",
                "askMultiplierUp": "5",
                "askMultiplierDown": "0.2",
                "avgPriceMins": 5,
            },
            {
                "filterType": "NOTIONAL",
                "minNotional": "5.00000000",
                "applyMinToMarket": True,
                "maxNotional": "9000000.00000000",
                "applyMaxToMarket": False,
                "avgPriceMins": 5,
            },
            {"filterType": "ICEBERG_PARTS", "limit": 10},
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 20},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
            {"filterType": "MAX_NUM_ORDER_LISTS", "maxNumOrderLists": 3},
            {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": 2},
            {"filterType": "A_FILTER_NOBODY_KNOWS", "figure": "1"},
        ],
        **changes,
    }


def with_filter(found: dict, name: str, **figures: Any) -> dict:
    """Replace or add one filter of an entry."""
    kept = [f for f in found["filters"] if f["filterType"] != name]
    return {**found, "filters": [*kept, {"filterType": name, **figures}]}


def rows(*pairs: tuple[object, object]) -> list[tuple[Decimal, Decimal]]:
    return [(D(str(p)), D(str(q))) for p, q in pairs]


BIDS = rows((99, 1), (98, 2), (97, 3))
ASKS = rows((101, 1), (102, 2), (103, 3))


class Venue:
    """An engine with verbs: account `a` trades, time stands still unless moved."""

    def __init__(self, found: dict | None = None, **options: Any) -> None:
        self.engine = Engine(**options)
        self.engine.add_symbol(found or entry())
        self.engine.add_account("a", balances={"USDT": D(10_000), "BTC": D(100)})
        self.now = T0
        self.events: list[Event] = []
        self.engine.set_book(BTC, BIDS, ASKS, self.now)
        self.engine.trade(BTC, D(100), D(1), self.now)

    # the outside market
    def quotes(self, bids: list, asks: list) -> tuple[Event, ...]:
        return self._note(self.engine.set_book(BTC, bids, asks, self.now))

    def prints(
        self, price: object, quantity: object = 1, buyer_is_maker: bool | None = None
    ) -> tuple[Event, ...]:
        return self._note(
            self.engine.trade(BTC, D(str(price)), D(str(quantity)), self.now, buyer_is_maker)
        )

    # orders
    def place(self, request: NewOrder, account: str = "a"):
        placed = self.engine.place(account, request, self.now)
        self._note(placed.events)
        return placed

    def buy(self, quantity: object, price: object = None, **more: Any):
        return self.place(order(Side.BUY, quantity, price, **more))

    def sell(self, quantity: object, price: object = None, **more: Any):
        return self.place(order(Side.SELL, quantity, price, **more))

    def place_list(self, request):
        placed = self.engine.place_list("a", request, self.now)
        self._note(placed.events)
        return placed

    def cancel(self, **which: Any):
        canceled = self.engine.cancel("a", BTC, self.now, **which)
        self._note(canceled.events)
        return canceled

    # looking
    def order(self, order_id: int):
        return self.engine.order("a", BTC, order_id=order_id)

    def status(self, order_id: int) -> Any:
        return self.order(order_id).status.value

    def balance(self, asset: str, account: str = "a") -> Any:
        """(free, locked); typed loosely so that tests may compare it with plain figures."""
        for name, free, locked in self.engine.account(account).balances:
            if name == asset:
                return free, locked
        return D(0), D(0)

    def later(self, ms: int) -> None:
        self.now += ms

    def _note(self, events: tuple[Event, ...]) -> tuple[Event, ...]:
        self.events.extend(events)
        return events


def order(side: Side, quantity: object = None, price: object = None, **more: Any) -> NewOrder:
    """A LIMIT GTC when a price is given, else a MARKET order; `more` overrides."""
    fields: dict[str, Any] = {"symbol": BTC, "side": side, "type": OrderType.MARKET}
    if quantity is not None:
        fields["quantity"] = D(str(quantity))
    if price is not None:
        fields.update(type=OrderType.LIMIT, price=D(str(price)), time_in_force=TimeInForce.GTC)
    for name in ("stop_price", "quote_quantity", "iceberg_quantity"):
        if name in more:
            more[name] = D(str(more[name]))
    return NewOrder(**{**fields, **more})


def stop_limit(side: Side, quantity: object, stop: object, price: object, **more: Any) -> NewOrder:
    return order(
        side, quantity, price, **{"type": OrderType.STOP_LOSS_LIMIT, "stop_price": stop, **more}
    )


def stop_loss(side: Side, quantity: object, stop: object, **more: Any) -> NewOrder:
    return order(side, quantity, type=OrderType.STOP_LOSS, stop_price=stop, **more)


def maker(side: Side, quantity: object, price: object, **more: Any) -> NewOrder:
    return order(
        side, quantity, price, **{"type": OrderType.LIMIT_MAKER, "time_in_force": None, **more}
    )


def sell_oco(quantity: object = 1, target: object = 110, stop: object = 90, **more: Any) -> NewOco:
    return NewOco(
        above=maker(Side.SELL, quantity, target),
        below=stop_loss(Side.SELL, quantity, stop),
        **more,
    )


def buy_oco(quantity: object = 1, target: object = 90, stop: object = 110) -> NewOco:
    return NewOco(
        above=stop_limit(Side.BUY, quantity, stop, D(str(stop)) + 5),
        below=maker(Side.BUY, quantity, target),
    )


def bracket(
    quantity: object = 1, entry_price: object = 95, exit_quantity: object = None, **more: Any
) -> NewOtoco:
    """A BUY with a target and a stop for when it is filled."""
    exit_quantity = quantity if exit_quantity is None else exit_quantity
    return NewOtoco(
        working=order(Side.BUY, quantity, entry_price),
        pending_above=maker(Side.SELL, exit_quantity, 110),
        pending_below=stop_loss(Side.SELL, exit_quantity, 90),
        **more,
    )


def reports(events) -> list[str]:
    """What streams would show, in short: 'TRADE/FILLED', 'list ALL_DONE', 'money'."""
    words = []
    for event in events:
        if isinstance(event, OrderChanged):
            words.append(f"{event.execution_type.value}/{event.order.status.value}")
        elif isinstance(event, ListChanged):
            words.append(f"list {event.order_list.status_type.value}")
        elif isinstance(event, BalancesChanged):
            words.append("money")
    return words


class refused:
    """`with refused(-2010, "words")`: the block must raise that refusal."""

    def __init__(self, code: int, words: str, http_status: int = 400) -> None:
        self.code, self.words, self.http_status = code, words, http_status

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind, raised, trace) -> bool:
        if raised is None:
            pytest.fail(f"nothing was refused; wanted {self.code} {self.words}")
        if not isinstance(raised, VenueRefusal):
            return False
        assert (raised.code, raised.http_status) == (self.code, self.http_status), raised
        assert self.words in raised.msg
        return True
