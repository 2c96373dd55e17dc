"""What an account is worth over time, and its losing streaks."""

from __future__ import annotations

from django.db import models

from foundation.fields import MoneyField
from trading.models.accounts import VirtualAccount


class EquityCourse(models.Model):
    """The latest look at an account's worth, and the looks its losses are measured from.

    Profit is realised and open profit, net of fees; money put in or taken out does not move it.
    """

    account = models.OneToOneField(
        VirtualAccount, on_delete=models.PROTECT, related_name="equity_course"
    )
    seen_at = models.DateTimeField()
    base = MoneyField(help_text="Money put in.")
    profit = MoneyField()
    day = models.DateField(help_text="By the desk's clock.")
    day_profit = MoneyField(help_text="Profit when the day began.")
    week = models.DateField(help_text="Its Monday.")
    week_profit = MoneyField()
    high_profit = MoneyField(help_text="The highest profit so far.")
    high_at = models.DateTimeField()
    snapshot_at = models.DateTimeField(null=True, help_text="When it was last written down.")
    steps = models.JSONField(
        default=dict, help_text="The strictest step taken, by loss, and for which period."
    )

    class Meta:
        permissions = [("reset_drawdown", "Can measure an account's drawdown anew")]

    def __str__(self) -> str:
        return f"{self.account.name}: {self.base + self.profit:f}"


class EquitySnapshot(models.Model):
    """What an account was worth at one moment. Money is quote units."""

    account = models.ForeignKey(VirtualAccount, on_delete=models.PROTECT, related_name="equity")
    seen_at = models.DateTimeField()
    equity = MoneyField()
    cash = MoneyField(help_text="Money not in positions.")
    realised = MoneyField(help_text="Net of fees.")
    unrealised = MoneyField()
    fees = MoneyField()
    high_water = MoneyField(help_text="The highest equity so far, in today's capital.")
    drawdown_pct = MoneyField(help_text="Fall from it in percent.")

    class Meta:
        ordering = ("-id",)
        indexes = [models.Index(fields=["account", "-seen_at"], name="equity_of_account")]

    def __str__(self) -> str:
        return f"{self.account.name} {self.equity:f}"


class LossStreak(models.Model):
    """Losing trades in a row of an account, a strategy or a symbol in it, and the pause after them.

    The count starts anew when the pause begins, and after a win; a breakeven changes nothing.
    """

    class Scope(models.TextChoices):
        ACCOUNT = "account", "The account"
        STRATEGY = "strategy", "One strategy in it"
        SYMBOL = "symbol", "One symbol in it"

    account = models.ForeignKey(
        VirtualAccount, on_delete=models.PROTECT, related_name="loss_streaks"
    )
    scope = models.CharField(max_length=16, choices=Scope)
    key = models.CharField(max_length=100)
    losses = models.PositiveIntegerField(default=0)
    cooldown_until = models.DateTimeField(null=True, blank=True)
    cooldown_losses = models.PositiveIntegerField(default=0, help_text="What led to the pause.")
    changed_at = models.DateTimeField()
    released_by = models.CharField(max_length=150, blank=True, default="")
    released_at = models.DateTimeField(null=True, blank=True)
    release_reason = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering = ("-cooldown_until", "-id")
        permissions = [("release_cooldown", "Can end a pause after losses early")]
        constraints = [
            models.UniqueConstraint(fields=["account", "scope", "key"], name="loss_streak_once")
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.key}"
