from signals_app.models.signals import Signal
from signals_app.models.strategies import StrategySetting

__all__ = ["Signal", "StrategySetting"]
