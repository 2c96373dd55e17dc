from signals_app.models.backtests import (
    BacktestReport,
    BacktestRun,
    BacktestSweep,
    BacktestTrial,
)
from signals_app.models.runs import CandleRun
from signals_app.models.scorecards import ScoreDay, ScoreMark
from signals_app.models.signals import Signal
from signals_app.models.strategies import StrategySetting

__all__ = [
    "BacktestReport",
    "BacktestRun",
    "BacktestSweep",
    "BacktestTrial",
    "CandleRun",
    "ScoreDay",
    "ScoreMark",
    "Signal",
    "StrategySetting",
]
