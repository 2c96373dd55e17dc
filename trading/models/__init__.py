from trading.models.accounts import CapitalMove, Portfolio, StrategyMapping, VirtualAccount
from trading.models.adoption import TradeCursor, UnknownOrder
from trading.models.approvals import Approval
from trading.models.control import StopReport, TradingState
from trading.models.decisions import Decision
from trading.models.equity import EquityCourse, EquitySnapshot, LossStreak
from trading.models.guard import ForeignConditionals, GuardLease
from trading.models.limits import Limit, LimitBook, LimitChange
from trading.models.orders import Fill, Order, OrderList
from trading.models.performance import ClosedTrade
from trading.models.positions import Position, PositionAdjustment

__all__ = [
    "Approval",
    "CapitalMove",
    "ClosedTrade",
    "Decision",
    "EquityCourse",
    "EquitySnapshot",
    "Fill",
    "ForeignConditionals",
    "GuardLease",
    "Limit",
    "LimitBook",
    "LimitChange",
    "LossStreak",
    "Order",
    "OrderList",
    "Portfolio",
    "Position",
    "PositionAdjustment",
    "StopReport",
    "StrategyMapping",
    "TradeCursor",
    "TradingState",
    "UnknownOrder",
    "VirtualAccount",
]
