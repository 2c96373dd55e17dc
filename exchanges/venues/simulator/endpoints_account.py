"""Endpoints about one account: balances, rates, own trades, limits."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.matching.refusals import bad_combination
from exchanges.venues.simulator import refusals, rendering
from exchanges.venues.simulator.endpoints import REGISTRY, Access, Call
from exchanges.venues.simulator.endpoints_market import V3, one_symbol
from exchanges.venues.simulator.rendering import money

DAY_MS = 86_400_000
BNB_DISCOUNT = Decimal("0.25")
# Which of orderId, startTime, endTime, fromId may be asked for together.
TRADE_QUESTIONS = frozenset(
    {
        frozenset(),
        frozenset({"orderId"}),
        frozenset({"startTime"}),
        frozenset({"endTime"}),
        frozenset({"fromId"}),
        frozenset({"startTime", "endTime"}),
        frozenset({"orderId", "fromId"}),
    }
)


@REGISTRY.add("GET", f"{V3}/account", weight=20, access=Access.SIGNED)
def account(call: Call) -> Any:
    omit_zero = call.params.flag("omitZeroBalances")
    call.ready()
    view = call.engine.account(call.account_id)
    balances = [
        {"asset": asset, "free": money(free), "locked": money(locked)}
        for asset, free, locked in view.balances
        if not omit_zero or free or locked
    ]
    return {
        "makerCommission": int(view.maker_rate * 10_000),
        "takerCommission": int(view.taker_rate * 10_000),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {
            "maker": money(view.maker_rate),
            "taker": money(view.taker_rate),
            "buyer": money(None),
            "seller": money(None),
        },
        "canTrade": view.can_trade,
        "canWithdraw": False,
        "canDeposit": False,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": view.updated_ms,
        "accountType": "SPOT",
        "balances": balances,
        "permissions": ["SPOT"],
        "uid": call.venue.uid(call.account_id),
    }


@REGISTRY.add("GET", f"{V3}/account/commission", weight=20, access=Access.SIGNED)
def commission(call: Call) -> Any:
    symbol = one_symbol(call)
    call.ready()
    return {"symbol": symbol, **rates(call)}


def rates(call: Call) -> dict[str, Any]:
    """Return the commission blocks that describe an account's rates."""
    view = call.engine.account(call.account_id)
    nothing = {name: money(None) for name in ("maker", "taker", "buyer", "seller")}
    standard = {**nothing, "maker": money(view.maker_rate), "taker": money(view.taker_rate)}
    return {
        "standardCommission": standard,
        "specialCommission": nothing,
        "taxCommission": nothing,
        "discount": {
            "enabledForAccount": view.bnb_burn,
            "enabledForSymbol": True,
            "discountAsset": "BNB",
            "discount": money(1 - BNB_DISCOUNT),
        },
    }


@REGISTRY.add("GET", f"{V3}/rateLimit/order", weight=40, access=Access.SIGNED)
def order_usage(call: Call) -> Any:
    call.ready()
    return [
        {
            "rateLimitType": "ORDERS",
            "interval": row.interval,
            "intervalNum": row.interval_num,
            "limit": row.limit,
            "count": row.count,
        }
        for row in call.engine.order_counts(call.account_id, call.now_ms)
    ]


@REGISTRY.add("GET", f"{V3}/myTrades", weight=20, access=Access.SIGNED)
def my_trades(call: Call) -> Any:
    symbol = one_symbol(call)
    order_id, from_id = call.params.whole("orderId"), call.params.whole("fromId")
    start_ms, end_ms = call.params.whole("startTime"), call.params.whole("endTime")
    limit = call.params.limit(500, 1000)
    call.ready()
    asked = {"orderId": order_id, "fromId": from_id, "startTime": start_ms, "endTime": end_ms}
    if frozenset(name for name, value in asked.items() if value is not None) not in TRADE_QUESTIONS:
        raise bad_combination()
    check_day(start_ms, end_ms)
    call.cost = 5 if order_id is not None else 20
    found = call.engine.trades(
        call.account_id,
        symbol,
        order_id=order_id,
        from_id=from_id,
        start_ms=start_ms,
        end_ms=end_ms,
        limit=limit,
    )
    return [rendering.my_trade(trade) for trade in found]


def check_day(start_ms: int | None, end_ms: int | None) -> None:
    """Raise -1127 when a question spans more than a day, -1131 when it runs backwards."""
    if start_ms is None or end_ms is None:
        return
    if end_ms < start_ms:
        raise refusals.Refusal(-1131, "End time must be after start time.")
    if end_ms - start_ms > DAY_MS:
        raise refusals.Refusal(-1127, "More than 24 hours between startTime and endTime.")


@REGISTRY.add("POST", f"{V3}/userDataStream", weight=2)
@REGISTRY.add("PUT", f"{V3}/userDataStream", weight=2)
@REGISTRY.add("DELETE", f"{V3}/userDataStream", weight=2)
def listen_key(_call: Call) -> Any:
    """Answer like the venue since 2026-02-20: listen keys are gone from spot."""
    raise refusals.gone()


# Clients ask these before they trade; a venue without wallet and margin answers them briefly.


@REGISTRY.add("GET", "/sapi/v1/capital/config/getall", weight=10, access=Access.SIGNED)
def coins(call: Call) -> Any:
    call.ready()
    assets = sorted(
        {
            asset
            for rules in call.engine.symbols.values()
            for asset in (rules.entry["baseAsset"], rules.entry["quoteAsset"])
        }
    )
    return [
        {"coin": asset, "name": asset, "trading": True, "isLegalMoney": False, "networkList": []}
        for asset in assets
    ]


@REGISTRY.add("GET", "/sapi/v1/margin/allPairs", weight=1)
@REGISTRY.add("GET", "/sapi/v1/margin/isolated/allPairs", weight=1)
def margin_pairs(_call: Call) -> Any:
    return []


@REGISTRY.add("GET", "/sapi/v1/asset/tradeFee", weight=1, access=Access.SIGNED)
def trade_fees(call: Call) -> Any:
    wanted = call.params.text("symbol")
    call.ready()
    view = call.engine.account(call.account_id)
    return [
        {
            "symbol": symbol,
            "makerCommission": str(view.maker_rate),
            "takerCommission": str(view.taker_rate),
        }
        for symbol in call.engine.symbols
        if wanted in (None, symbol)
    ]


@REGISTRY.add("GET", "/sapi/v1/account/apiRestrictions", weight=1, access=Access.SIGNED)
def key_restrictions(call: Call) -> Any:
    """Describe the key: spot trading only, never withdrawals."""
    call.ready()
    return {
        "ipRestrict": False,
        "createTime": 0,
        "enableReading": True,
        "enableWithdrawals": False,
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableFutures": False,
        "permitsUniversalTransfer": False,
        "enableVanillaOptions": False,
        "enableSpotAndMarginTrading": call.engine.account(call.account_id).can_trade,
    }
