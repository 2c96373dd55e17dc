from exchanges.models.accounts import Balance, VenueAccount
from exchanges.models.candles import (
    CandleRow,
    FundingRate,
    Outage,
    Series,
    TradeRow,
)
from exchanges.models.instruments import InstrumentRow

__all__ = [
    "Balance",
    "CandleRow",
    "FundingRate",
    "InstrumentRow",
    "Outage",
    "Series",
    "TradeRow",
    "VenueAccount",
]
