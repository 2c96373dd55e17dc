"""Accounts at venues, and what they hold according to the venue."""

from __future__ import annotations

from django.db import models

from exchanges.models.venues import AtVenue
from foundation.fields import MoneyField


class VenueAccount(AtVenue):
    """One account (API key) at one venue. Rates are fractions of the notional.

    `credentials` names its keys in the configuration: empty for the first account, whose keys are
    BINANCE_API_KEY and BINANCE_API_SECRET; DESK2 for BINANCE_API_KEY_DESK2 and so on.
    """

    credentials = models.CharField(max_length=32, blank=True, default="")
    label = models.CharField(max_length=64, default="main")
    can_trade = models.BooleanField(null=True)
    maker_rate = MoneyField(null=True, blank=True)
    taker_rate = MoneyField(null=True, blank=True)
    balances_at = models.DateTimeField(null=True, blank=True)
    stream_at = models.DateTimeField(
        null=True, blank=True, help_text="Last sign of life of the user stream."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["exchange", "market", "environment", "label"], name="venue_account_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.venue} {self.label}"


class Balance(models.Model):
    """Free and locked amount of one asset, in its own units."""

    venue_account = models.ForeignKey(
        VenueAccount, on_delete=models.PROTECT, related_name="balances"
    )
    asset = models.CharField(max_length=16)
    free = MoneyField(default=0)
    locked = MoneyField(default=0)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["venue_account", "asset"], name="balance_once")
        ]

    def __str__(self) -> str:
        return f"{self.asset} {self.free} free, {self.locked} locked"
