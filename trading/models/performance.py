"""Trades from the first fill in to the last one out, and what they earned."""

from __future__ import annotations

from django.db import models

from foundation.fields import MoneyField
from trading.models.accounts import VirtualAccount


class ClosedTrade(models.Model):
    """One round trip of one account in one symbol. Money is quote units, quantities base units.

    The profits of an account's closed trades in a symbol, with the part of the open one already
    realised, are its position's realised profit: nothing is counted twice or left out.
    """

    account = models.ForeignKey(
        VirtualAccount, on_delete=models.PROTECT, related_name="closed_trades"
    )
    symbol = models.CharField(max_length=32)
    strategy_id = models.CharField(max_length=100, help_text="Whose signal opened it.")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField()
    bought = MoneyField()
    sold = MoneyField()
    entry_price = MoneyField(help_text="Average of what was bought.")
    exit_price = MoneyField(help_text="Average of what was sold.")
    fees = MoneyField()
    profit = MoneyField(help_text="Net of every fee.")

    class Meta:
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["account", "-id"], name="closed_trade_account"),
            models.Index(fields=["strategy_id", "-id"], name="closed_trade_strategy"),
            models.Index(fields=["closed_at"], name="closed_trade_time"),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.profit:+f}"

    @property
    def outcome(self) -> str:
        """win, loss or breakeven, after fees."""
        if self.profit > 0:
            return "win"
        return "loss" if self.profit < 0 else "breakeven"
