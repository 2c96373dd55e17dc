"""Virtual accounts: a ledger of its own with its own limits."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from exchanges.models import VenueAccount
from exchanges.models.fields import MoneyField
from trading.domain.risk.types import SizingModel


class VirtualAccount(models.Model):
    """Who trades: limits, sizing and the venue account behind it. Percentages are of the entry."""

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
    position_pct = MoneyField(
        default="0.02", help_text="Share of the free quote balance one entry may use (0.02 is 2%)."
    )
    default_quote_amount = MoneyField(
        default="100", help_text="Quote units per entry under the fixed quote model."
    )
    min_confidence = MoneyField(
        default="0.5", validators=[MinValueValidator(0), MaxValueValidator(1)]
    )
    max_open_positions = models.PositiveIntegerField(default=5)
    max_position_notional = MoneyField(
        default="10000", help_text="Quote units per position after the fill; 0 is no limit."
    )
    require_stop = models.BooleanField(default=True)
    stop_loss_pct = MoneyField(default="2")
    take_profit_pct = MoneyField(default="5")
    default_order_type = models.CharField(max_length=24, default="MARKET")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"],
                condition=models.Q(is_default=True),
                name="one_default_virtual_account",
            ),
            models.CheckConstraint(
                condition=models.Q(max_open_positions__gte=0), name="va_max_positions_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return self.name
