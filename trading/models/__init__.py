from trading.models.accounts import VirtualAccount
from trading.models.control import TradingState
from trading.models.decisions import Decision
from trading.models.orders import Fill, Order, OrderList
from trading.models.positions import Position

__all__ = [
    "Decision",
    "Fill",
    "Order",
    "OrderList",
    "Position",
    "TradingState",
    "VirtualAccount",
]
