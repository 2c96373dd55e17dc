from trading.models.accounts import Portfolio, StrategyMapping, VirtualAccount
from trading.models.control import StopReport, TradingState
from trading.models.decisions import Decision
from trading.models.limits import Limit, LimitBook, LimitChange
from trading.models.orders import Fill, Order, OrderList
from trading.models.performance import ClosedTrade
from trading.models.positions import Position

__all__ = [
    "ClosedTrade",
    "Decision",
    "Fill",
    "Limit",
    "LimitBook",
    "LimitChange",
    "Order",
    "OrderList",
    "Portfolio",
    "Position",
    "StopReport",
    "StrategyMapping",
    "TradingState",
    "VirtualAccount",
]
