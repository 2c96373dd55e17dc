from exchanges.models.accounts import Balance, Environment, Market, VenueAccount
from exchanges.models.candles import (
    CandleRow,
    DataMarket,
    FundingRate,
    Outage,
    Series,
    TradeRow,
)
from exchanges.models.instruments import InstrumentRow

__all__ = [
    "Balance",
    "CandleRow",
    "DataMarket",
    "Environment",
    "FundingRate",
    "InstrumentRow",
    "Market",
    "Outage",
    "Series",
    "TradeRow",
    "VenueAccount",
]
