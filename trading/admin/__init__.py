from trading.admin.accounts import StrategyMappingAdmin, VirtualAccountAdmin
from trading.admin.adoption import UnknownOrderAdmin
from trading.admin.approvals import ApprovalAdmin
from trading.admin.control import StopReportAdmin, TradingStateAdmin
from trading.admin.decisions import DecisionAdmin
from trading.admin.equity import (
    CapitalMoveAdmin,
    EquityCourseAdmin,
    EquitySnapshotAdmin,
    LossStreakAdmin,
)
from trading.admin.fills import FillAdmin
from trading.admin.guard import ForeignConditionalsAdmin, GuardLeaseAdmin
from trading.admin.limits import LimitAdmin, LimitChangeAdmin
from trading.admin.orders import OrderAdmin, OrderListAdmin
from trading.admin.performance import ClosedTradeAdmin
from trading.admin.positions import PositionAdjustmentAdmin, PositionAdmin

__all__ = [
    "ApprovalAdmin",
    "CapitalMoveAdmin",
    "ClosedTradeAdmin",
    "DecisionAdmin",
    "EquityCourseAdmin",
    "EquitySnapshotAdmin",
    "FillAdmin",
    "ForeignConditionalsAdmin",
    "GuardLeaseAdmin",
    "LimitAdmin",
    "LimitChangeAdmin",
    "LossStreakAdmin",
    "OrderAdmin",
    "OrderListAdmin",
    "PositionAdjustmentAdmin",
    "PositionAdmin",
    "StopReportAdmin",
    "StrategyMappingAdmin",
    "TradingStateAdmin",
    "UnknownOrderAdmin",
    "VirtualAccountAdmin",
]
