"""Orders of ours at a venue that the books did not know, and how far its trades were compared."""

from __future__ import annotations

from django.db import models

from exchanges.models import VenueAccount
from trading.models.orders import Order


class UnknownOrder(models.Model):
    """An order seen at the venue under an id of ours, for which there was no row.

    The books lost a commit, an older backup was put back, or another installation trades with the
    same keys. The row is the queue: adoption takes up what is not settled.
    """

    venue_account = models.ForeignKey(VenueAccount, on_delete=models.PROTECT, related_name="+")
    symbol = models.CharField(max_length=32)
    client_order_id = models.CharField(max_length=36)
    seen_by = models.CharField(max_length=150)
    seen_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=200, blank=True, default="")
    order = models.ForeignKey(
        Order, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ("-id",)
        indexes = [
            models.Index(
                fields=["seen_at"],
                name="unknown_order_unsettled",
                condition=models.Q(settled_at__isnull=True),
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["venue_account", "client_order_id"], name="unknown_order_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.client_order_id} {self.symbol}: {self.outcome or 'not settled yet'}"


class TradeCursor(models.Model):
    """Up to which trade of a symbol the venue's list was compared with our fills.

    It is part of the books on purpose: a backup that is put back brings its own, older one.
    """

    venue_account = models.ForeignKey(VenueAccount, on_delete=models.PROTECT, related_name="+")
    symbol = models.CharField(max_length=32)
    trade_id = models.BigIntegerField()
    compared_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["venue_account", "symbol"], name="trade_cursor_once")
        ]

    def __str__(self) -> str:
        return f"{self.symbol} up to trade {self.trade_id}"
