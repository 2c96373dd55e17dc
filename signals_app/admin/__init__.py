from signals_app.admin.runs import CandleRunAdmin
from signals_app.admin.scorecards import ScoreDayAdmin, ScoreMarkAdmin
from signals_app.admin.signals import SignalAdmin
from signals_app.admin.strategies import StrategySettingAdmin

__all__ = [
    "CandleRunAdmin",
    "ScoreDayAdmin",
    "ScoreMarkAdmin",
    "SignalAdmin",
    "StrategySettingAdmin",
]
