from exchanges.admin.accounts import BalanceAdmin, VenueAccountAdmin
from exchanges.admin.history import FundingRateAdmin, OutageAdmin, SeriesAdmin
from exchanges.admin.instruments import InstrumentAdmin

__all__ = [
    "BalanceAdmin",
    "FundingRateAdmin",
    "InstrumentAdmin",
    "OutageAdmin",
    "SeriesAdmin",
    "VenueAccountAdmin",
]
