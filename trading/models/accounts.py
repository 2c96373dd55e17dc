"""Virtual accounts: a ledger of its own, and which strategies trade in it."""

from __future__ import annotations

from django.db import models

from exchanges.models import VenueAccount
from foundation.fields import MoneyField
from trading.domain.risk.types import SizingModel


class VirtualAccount(models.Model):
    """Who trades, where, and how an entry is sized. Its limits are in the limit book."""

    name = models.SlugField(max_length=64, unique=True)
    venue_account = models.ForeignKey(
        VenueAccount, on_delete=models.PROTECT, related_name="virtual_accounts"
    )
    is_default = models.BooleanField(
        default=False, help_text="Takes the signals of strategies that are not mapped elsewhere."
    )
    enabled = models.BooleanField(default=True)
    quote_asset = models.CharField(max_length=16, default="USDT")
    allowed_symbols = models.JSONField(
        default=list, blank=True, help_text="Empty: every symbol the venue trades."
    )
    sizing_model = models.CharField(
        max_length=32,
        choices=[(m.value, m.value.replace("_", " ")) for m in SizingModel],
        default=SizingModel.PERCENT_OF_BALANCE,
    )
    default_order_type = models.CharField(max_length=24, default="MARKET")
    trading_window = models.CharField(
        max_length=100,
        blank=True,
        default="",
        help_text=(
            "When entries are let through: 09:30-16:00 America/New_York mon-fri, or us-equity, "
            "which is the same. Empty: round the clock. Exits always are."
        ),
    )
    capital = MoneyField(
        null=True,
        blank=True,
        help_text=(
            "Money put in less money taken out, in the quote asset. Empty: no ledger of its own, "
            "the account uses whatever the venue account has free."
        ),
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"],
                condition=models.Q(is_default=True),
                name="one_default_virtual_account",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CapitalMove(models.Model):
    """Money put into an account of its own ledger, or taken out. Rows are never changed."""

    account = models.ForeignKey(
        VirtualAccount, on_delete=models.PROTECT, related_name="capital_moves"
    )
    amount = MoneyField(help_text="Quote units; negative when taken out.")
    capital = MoneyField(help_text="The account's capital after it.")
    cash = MoneyField(help_text="The account's money after it.")
    reason = models.CharField(max_length=500)
    moved_by = models.CharField(max_length=150)
    moved_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        permissions = [("move_capital", "Can put money into an account and take it out")]

    def __str__(self) -> str:
        return f"{self.amount:+f} {self.account.name}"


class Portfolio(models.Model):
    """All accounts of one environment together: locked while a limit over them is asked."""

    environment = models.CharField(max_length=16, unique=True)

    def __str__(self) -> str:
        return f"every account on {self.environment}"


class StrategyMapping(models.Model):
    """Which account a strategy's signals trade in; one that is not mapped uses the default one."""

    strategy_id = models.CharField(max_length=100, unique=True)
    account = models.ForeignKey(VirtualAccount, on_delete=models.PROTECT, related_name="strategies")
    min_spread_bps = MoneyField(
        default=0, blank=True, help_text="The strategy signals from this spread on; 0: from any."
    )
    mapped_by = models.CharField(max_length=150)
    mapped_at = models.DateTimeField()

    class Meta:
        ordering = ("strategy_id",)

    def __str__(self) -> str:
        return f"{self.strategy_id} trades in {self.account.name}"
