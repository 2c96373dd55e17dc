from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.db.models.signals import post_migrate

if TYPE_CHECKING:
    from trading.models import TradingState


def _first_accounts(**_: object) -> None:
    from trading.services.money import accounts

    accounts.ensure_first()


def _carry_out(state: TradingState) -> None:
    from trading import tasks  # late: a command that stops nothing need not import every task

    tasks.want_emptying(state)


class TradingConfig(AppConfig):
    name = "trading"

    def ready(self) -> None:
        from trading.services.control import kill_switch

        post_migrate.connect(_first_accounts, sender=self, dispatch_uid="first-accounts")
        kill_switch.carried_out_by(_carry_out)
