from signals_app.admin.backtests import (
    BacktestReportAdmin,
    BacktestRunAdmin,
    BacktestSweepAdmin,
    BacktestTrialAdmin,
)
from signals_app.admin.runs import CandleRunAdmin
from signals_app.admin.scorecards import ScoreDayAdmin, ScoreMarkAdmin
from signals_app.admin.signals import SignalAdmin
from signals_app.admin.strategies import StrategySettingAdmin

__all__ = [
    "BacktestReportAdmin",
    "BacktestRunAdmin",
    "BacktestSweepAdmin",
    "BacktestTrialAdmin",
    "CandleRunAdmin",
    "ScoreDayAdmin",
    "ScoreMarkAdmin",
    "SignalAdmin",
    "StrategySettingAdmin",
]
