"""A few spot instruments with plausible filters, for tests that need no venue."""

from __future__ import annotations

from exchanges.domain.instruments import Instrument, parse_spot

# symbol -> base asset, quote asset, tick size, step size, least notional
_SHAPES = {
    "BTCUSDT": ("BTC", "USDT", "0.01", "0.00001", "5"),
    "ETHUSDT": ("ETH", "USDT", "0.01", "0.0001", "5"),
    "BNBUSDT": ("BNB", "USDT", "0.01", "0.001", "5"),
    "SOLUSDT": ("SOL", "USDT", "0.01", "0.001", "5"),
    "ETHBTC": ("ETH", "BTC", "0.00001", "0.0001", "0.0001"),
}


def spot_symbol_entry(symbol: str) -> dict[str, object]:
    """Write one `symbols[]` entry the way spot exchangeInfo words it."""
    base, quote, tick, step, least = _SHAPES[symbol]
    return {
        "symbol": symbol,
        "status": "TRADING",
        "baseAsset": base,
        "quoteAsset": quote,
        "orderTypes": [
            "LIMIT",
            "LIMIT_MAKER",
            "MARKET",
            "STOP_LOSS",
            "STOP_LOSS_LIMIT",
            "TAKE_PROFIT",
            "TAKE_PROFIT_LIMIT",
        ],
        "ocoAllowed": True,
        "otoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": tick,
                "maxPrice": "1000000",
                "tickSize": tick,
            },
            {"filterType": "LOT_SIZE", "minQty": step, "maxQty": "9000", "stepSize": step},
            {"filterType": "MARKET_LOT_SIZE", "minQty": "0", "maxQty": "100", "stepSize": "0"},
            {
                "filterType": "NOTIONAL",
                "minNotional": least,
                "applyMinToMarket": True,
                "maxNotional": "9000000",
                "applyMaxToMarket": False,
                "avgPriceMins": 5,
            },
            {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
        ],
    }


def spot_instrument(symbol: str) -> Instrument:
    return parse_spot(spot_symbol_entry(symbol))
