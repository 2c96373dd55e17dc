from trading.admin.accounts import VirtualAccountAdmin
from trading.admin.control import TradingStateAdmin
from trading.admin.decisions import DecisionAdmin
from trading.admin.fills import FillAdmin
from trading.admin.orders import OrderAdmin, OrderListAdmin
from trading.admin.positions import PositionAdmin

__all__ = [
    "DecisionAdmin",
    "FillAdmin",
    "OrderAdmin",
    "OrderListAdmin",
    "PositionAdmin",
    "TradingStateAdmin",
    "VirtualAccountAdmin",
]
