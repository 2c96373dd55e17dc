from signals_app.models.runs import CandleRun
from signals_app.models.scorecards import ScoreDay, ScoreMark
from signals_app.models.signals import Signal
from signals_app.models.strategies import StrategySetting

__all__ = ["CandleRun", "ScoreDay", "ScoreMark", "Signal", "StrategySetting"]
