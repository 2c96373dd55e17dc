"""Protection of a position, decided: `plan(situation)` says what to do next. See `plan`."""

from trading.domain.protection.actions import (
    Action,
    Alarm,
    Ask,
    CallOff,
    Cancel,
    CancelList,
    CancelOrder,
    Dust,
    ExitAtMarket,
    Guard,
    KeepAll,
    Placement,
    PlaceOco,
    PlaceStop,
    PlaceTarget,
    ProtectionPlan,
)
from trading.domain.protection.plan import ASK_AGAIN, MOST_LISTS, plan
from trading.domain.protection.situation import ExitLeg, Parent, Situation, locked

__all__ = [
    "ASK_AGAIN",
    "MOST_LISTS",
    "Action",
    "Alarm",
    "Ask",
    "CallOff",
    "Cancel",
    "CancelList",
    "CancelOrder",
    "Dust",
    "ExitAtMarket",
    "ExitLeg",
    "Guard",
    "KeepAll",
    "Parent",
    "PlaceOco",
    "PlaceStop",
    "PlaceTarget",
    "Placement",
    "ProtectionPlan",
    "Situation",
    "locked",
    "plan",
]
