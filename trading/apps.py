from django.apps import AppConfig
from django.db.models.signals import post_migrate


def _first_accounts(**_: object) -> None:
    from trading.services import accounts

    accounts.ensure_first()


class TradingConfig(AppConfig):
    name = "trading"

    def ready(self) -> None:
        post_migrate.connect(_first_accounts, sender=self, dispatch_uid="first-accounts")
