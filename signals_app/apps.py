from django.apps import AppConfig


class SignalsAppConfig(AppConfig):
    name = "signals_app"
    verbose_name = "Signals"

    def ready(self) -> None:
        from signals_app.services import strategy_settings
        from trading.services.risk import strategy_requirements

        strategy_requirements.register(strategy_settings.needs)
