"""What each virtual account holds, and what it earned."""

from __future__ import annotations

from decimal import Decimal

from django.db import models

from foundation.fields import MoneyField, plain
from trading.models.accounts import VirtualAccount
from trading.models.orders import Fill


class Position(models.Model):
    """Net long position of one account in one symbol; the row stays when it goes flat.

    `quantity` is base units really received (net of fees taken in base). Money is quote units.
    `stop_price`/`target_price` are the protection it must have while open.
    """

    account = models.ForeignKey(VirtualAccount, on_delete=models.PROTECT, related_name="positions")
    symbol = models.CharField(max_length=32)
    quantity = MoneyField(default=0)
    average_entry_price = MoneyField(default=0)
    realised_pnl = MoneyField(default=0, help_text="Net of fees.")
    fees_quote = MoneyField(default=0)
    excess_sold = MoneyField(
        default=0, help_text="Sold beyond what was held: not booked as profit, alarmed."
    )
    excess_price = MoneyField(default=0)
    is_open = models.BooleanField(default=False)
    is_dust = models.BooleanField(
        default=False, help_text="Too small for the venue to take an order: no slot, no protection."
    )
    stop_price = MoneyField(null=True, blank=True)
    target_price = MoneyField(null=True, blank=True)
    # The round trip under way; None: no trade runs. What it sold and bought so far.
    trade_opened_at = models.DateTimeField(null=True, blank=True)
    trade_strategy = models.CharField(max_length=100, blank=True, default="")
    trade_bought = MoneyField(default=0)
    trade_bought_quote = MoneyField(default=0)
    trade_sold = MoneyField(default=0)
    trade_sold_quote = MoneyField(default=0)
    # What of the realised profit and the fees closed trades have told already.
    settled_profit = MoneyField(default=0)
    settled_fees = MoneyField(default=0)
    mark_price = MoneyField(null=True, blank=True, help_text="What it was last valued at.")
    marked_at = models.DateTimeField(null=True, blank=True)
    protection_sequence = models.PositiveIntegerField(default=0)
    naked_since = models.DateTimeField(null=True, blank=True)
    guarded_quantity = MoneyField(
        default=0, help_text="Its stop is held by our guard process: the venue takes none now."
    )
    shortfall = MoneyField(
        default=0, help_text="In the books and not at the venue: to be settled by a person."
    )
    refused_count = models.PositiveIntegerField(
        default=0, help_text="Stops the venue has refused in a row."
    )
    refused_until = models.DateTimeField(null=True, blank=True)
    gap_ms = models.PositiveIntegerField(
        null=True, blank=True, help_text="Longest time between a cancel and what took its place."
    )
    next_look_at = models.DateTimeField(
        null=True, blank=True, help_text="When its protection is looked at again, without news."
    )
    alarm = models.CharField(max_length=300, blank=True, default="")
    opened_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField()

    class Meta:
        permissions = [
            ("settle_shortfall", "Can take coins that are missing at the venue off the books")
        ]
        constraints = [models.UniqueConstraint(fields=["account", "symbol"], name="position_once")]
        indexes = [
            models.Index(
                fields=["account"], name="position_open", condition=models.Q(is_open=True)
            ),
            models.Index(
                fields=["next_look_at"],
                name="position_due",
                condition=models.Q(next_look_at__isnull=False),
            ),
            models.Index(
                fields=["symbol"],
                name="position_guarded",
                condition=models.Q(guarded_quantity__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} {self.symbol}"


class PositionAdjustment(models.Model):
    """Coins taken off a position's books by a person, because the venue does not have them.

    They go at cost: no profit or loss is booked. `after_fill` is the last fill booked before it,
    so that the books can be computed again in the order things happened.
    """

    position = models.ForeignKey(Position, on_delete=models.PROTECT, related_name="adjustments")
    after_fill = models.ForeignKey(Fill, on_delete=models.PROTECT, related_name="+")
    quantity = MoneyField(help_text="Base units taken off.")
    price = MoneyField(help_text="The average entry price: what a unit of it cost.")
    reason = models.CharField(max_length=500)
    actor = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.quantity:f} taken off {self.position.symbol}"

    @property
    def cost(self) -> Decimal:
        """Quote units that were paid for what was taken off."""
        return plain(self.quantity * self.price)
