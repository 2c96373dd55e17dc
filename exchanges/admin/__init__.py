from exchanges.admin.accounts import BalanceAdmin, VenueAccountAdmin
from exchanges.admin.instruments import InstrumentAdmin

__all__ = ["BalanceAdmin", "InstrumentAdmin", "VenueAccountAdmin"]
