from trading.admin.accounts import StrategyMappingAdmin, VirtualAccountAdmin
from trading.admin.control import StopReportAdmin, TradingStateAdmin
from trading.admin.decisions import DecisionAdmin
from trading.admin.fills import FillAdmin
from trading.admin.limits import LimitAdmin, LimitChangeAdmin
from trading.admin.orders import OrderAdmin, OrderListAdmin
from trading.admin.performance import ClosedTradeAdmin
from trading.admin.positions import PositionAdmin

__all__ = [
    "ClosedTradeAdmin",
    "DecisionAdmin",
    "FillAdmin",
    "LimitAdmin",
    "LimitChangeAdmin",
    "OrderAdmin",
    "OrderListAdmin",
    "PositionAdmin",
    "StopReportAdmin",
    "StrategyMappingAdmin",
    "TradingStateAdmin",
    "VirtualAccountAdmin",
]
