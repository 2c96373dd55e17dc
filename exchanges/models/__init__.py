from exchanges.models.accounts import Balance, Environment, Market, VenueAccount
from exchanges.models.instruments import InstrumentRow

__all__ = ["Balance", "Environment", "InstrumentRow", "Market", "VenueAccount"]
