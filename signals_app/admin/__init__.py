from signals_app.admin.signals import SignalAdmin
from signals_app.admin.strategies import StrategySettingAdmin

__all__ = ["SignalAdmin", "StrategySettingAdmin"]
