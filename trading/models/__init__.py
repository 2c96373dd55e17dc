from trading.models.accounts import StrategyMapping, VirtualAccount
from trading.models.control import StopReport, TradingState
from trading.models.decisions import Decision
from trading.models.limits import Limit, LimitBook, LimitChange
from trading.models.orders import Fill, Order, OrderList
from trading.models.positions import Position

__all__ = [
    "Decision",
    "Fill",
    "Limit",
    "LimitBook",
    "LimitChange",
    "Order",
    "OrderList",
    "Position",
    "StopReport",
    "StrategyMapping",
    "TradingState",
    "VirtualAccount",
]
