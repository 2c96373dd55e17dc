"""Orders, order lists and fills. Status changes go through `trading.services` only."""

from __future__ import annotations

from decimal import Decimal

from django.db import models

from exchanges.domain.orders import OrderType, Side, TimeInForce
from exchanges.models import VenueAccount
from foundation.fields import MoneyField, plain
from trading.domain import slippage
from trading.domain.levels import Distance, EntryLevels
from trading.domain.order_states import OPEN_STATUSES, OrderStatus
from trading.models.accounts import VirtualAccount
from trading.models.decisions import Decision


def _choices(enum: type) -> list[tuple[str, str]]:
    return [(m.value, m.value.replace("_", " ").lower()) for m in enum]  # type: ignore[attr-defined]


class OrderList(models.Model):
    """An OCO pair or an OTOCO at the venue: legs that cancel each other."""

    class Kind(models.TextChoices):
        OCO = "OCO", "One cancels the other"
        OTOCO = "OTOCO", "Entry, then one cancels the other"

    account = models.ForeignKey(VirtualAccount, on_delete=models.PROTECT)
    symbol = models.CharField(max_length=32)
    kind = models.CharField(max_length=8, choices=Kind)
    list_client_order_id = models.CharField(max_length=36, unique=True)
    venue_list_id = models.CharField(max_length=32, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.list_client_order_id


# Not ended, or ended with trades that are not in our books yet.
NOT_ALL_BOOKED = models.Q(closed_at__isnull=True) | models.Q(fills_missing=True)


class Order(models.Model):
    """One order: written before it is sent, known to the venue by `client_order_id`.

    `executed_quantity` and `executed_quote` are the venue's cumulative word; `booked_quantity` is
    what our fills add up to. Reconciliation closes any gap between the two.
    """

    class Role(models.TextChoices):
        ENTRY = "entry", "Entry"
        EXIT = "exit", "Exit"
        STOP_LOSS = "stop_loss", "Stop loss"
        TAKE_PROFIT = "take_profit", "Take profit"

    account = models.ForeignKey(VirtualAccount, on_delete=models.PROTECT, related_name="orders")
    venue_account = models.ForeignKey(VenueAccount, on_delete=models.PROTECT, related_name="+")
    decision = models.ForeignKey(
        Decision, null=True, blank=True, on_delete=models.PROTECT, related_name="orders"
    )
    order_list = models.ForeignKey(
        OrderList, null=True, blank=True, on_delete=models.PROTECT, related_name="orders"
    )
    role = models.CharField(max_length=16, choices=Role)
    strategy_id = models.CharField(max_length=100, blank=True, default="")
    signal_uid = models.CharField(max_length=64, blank=True, default="")
    correlation_id = models.CharField(max_length=64, blank=True, default="")
    symbol = models.CharField(max_length=32)
    side = models.CharField(max_length=4, choices=_choices(Side))
    type = models.CharField(max_length=24, choices=_choices(OrderType))
    time_in_force = models.CharField(
        max_length=3, choices=_choices(TimeInForce), blank=True, default=""
    )
    quantity = MoneyField()
    price = MoneyField(null=True, blank=True)
    stop_price = MoneyField(null=True, blank=True)
    stop_loss = MoneyField(null=True, blank=True, help_text="Protective stop its fill must get.")
    take_profit = MoneyField(null=True, blank=True)
    stop_distance = models.CharField(
        max_length=48,
        blank=True,
        default="",
        help_text=(
            "Of a default stop, below the average fill: 2% or quote units. Empty: it was named."
        ),
    )
    target_distance = models.CharField(
        max_length=48, blank=True, default="", help_text="The same of a default target, above it."
    )
    reference_price = MoneyField(
        null=True, blank=True, help_text="What it was decided on: the price its fills are held to."
    )
    max_slippage_bps = MoneyField(
        null=True, blank=True, help_text="The limit it was decided under; 0 is none."
    )
    slippage_bps = MoneyField(
        null=True, blank=True, help_text="How much worse its fills were; negative is better."
    )
    client_order_id = models.CharField(max_length=36, unique=True)
    venue_order_id = models.CharField(max_length=32, blank=True, default="")
    status = models.CharField(max_length=16, choices=_choices(OrderStatus), default=OrderStatus.NEW)
    executed_quantity = MoneyField(default=0)
    executed_quote = MoneyField(default=0)
    booked_quantity = MoneyField(default=0)
    booked_quote = MoneyField(default=0)
    fills_missing = models.BooleanField(
        default=False, help_text="The venue claims more than our fills add up to."
    )
    reason = models.CharField(max_length=300, blank=True, default="")
    # The name of a typed refusal (`exchanges.domain.errors`), else the venue's number.
    reason_code = models.CharField(max_length=32, blank=True, default="")
    created_at = models.DateTimeField()
    adopted_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was found at the venue and not in our books."
    )
    submitted_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    unknown_since = models.DateTimeField(null=True, blank=True)
    recv_window_ms = models.PositiveIntegerField(
        null=True, blank=True, help_text="What it was sent with, when its answer was lost."
    )
    checks = models.PositiveIntegerField(default=0)
    last_check_at = models.DateTimeField(null=True, blank=True)
    not_found = models.PositiveIntegerField(default=0)
    last_not_found_at = models.DateTimeField(null=True, blank=True)
    next_check_at = models.DateTimeField(null=True, blank=True)
    continues = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="continued_by",
        help_text="The exit whose rest this one sells.",
    )
    attempt = models.PositiveIntegerField(default=0)
    base_before = MoneyField(
        null=True, blank=True, help_text="An exit's base asset at the venue when it was decided."
    )
    follow_up_at = models.DateTimeField(
        null=True, blank=True, help_text="An exit that ended short goes on then."
    )

    class Meta:
        ordering = ("-id",)
        permissions = [("trade", "Can send signals that trade"), ("cancel", "Can cancel orders")]
        indexes = [
            models.Index(
                fields=["account", "symbol"],
                name="order_open",
                condition=models.Q(status__in=sorted(OPEN_STATUSES)),
            ),
            models.Index(
                fields=["account", "symbol"],
                name="order_not_all_booked",
                condition=NOT_ALL_BOOKED,
            ),
            models.Index(
                fields=["next_check_at"],
                name="order_due",
                condition=models.Q(next_check_at__isnull=False),
            ),
            models.Index(
                fields=["follow_up_at"],
                name="order_follow_up",
                condition=models.Q(follow_up_at__isnull=False),
            ),
            models.Index(
                fields=["id"], name="order_fills_missing", condition=models.Q(fills_missing=True)
            ),
            models.Index(fields=["created_at"], name="order_new", condition=models.Q(status="NEW")),
            models.Index(fields=["symbol", "venue_order_id"], name="order_venue_id"),
            models.Index(fields=["signal_uid"], name="order_signal"),
            models.Index(fields=["decision"], name="order_decision"),
            models.Index(
                fields=["closed_at", "id"],
                name="order_ended",
                condition=models.Q(closed_at__isnull=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["decision"],
                condition=models.Q(role="entry"),
                name="one_entry_per_decision",
            )
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity} {self.symbol} {self.type} {self.status}"

    @property
    def average_price(self) -> Decimal | None:
        """Quote units per base unit over booked fills, else over the venue's own totals."""
        if self.booked_quantity:
            return plain(self.booked_quote / self.booked_quantity)
        if self.executed_quantity and self.executed_quote:
            return plain(self.executed_quote / self.executed_quantity)
        return None

    @property
    def entry_levels(self) -> EntryLevels:
        """What its fills want their position protected at."""
        return EntryLevels(
            self.stop_loss,
            self.take_profit,
            Distance.read(self.stop_distance),
            Distance.read(self.target_distance),
        )

    @property
    def expected_price(self) -> Decimal | None:
        """What a base unit was to trade at: as decided, else the order's own trigger or limit."""
        return self.reference_price or self.stop_price or self.price

    @property
    def slipped(self) -> bool:
        """Say whether it was filled worse than the limit it was decided under."""
        return slippage.is_beyond(self.slippage_bps, self.max_slippage_bps)

    @property
    def is_entry(self) -> bool:
        return self.role == Order.Role.ENTRY


class Fill(models.Model):
    """One venue trade, booked once. `commission_quote` is None while its price is not known."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="fills")
    venue_account = models.ForeignKey(VenueAccount, on_delete=models.PROTECT, related_name="+")
    symbol = models.CharField(max_length=32)
    venue_trade_id = models.CharField(max_length=32)
    side = models.CharField(max_length=4)
    price = MoneyField()
    quantity = MoneyField()
    quote_quantity = MoneyField()
    commission = MoneyField()
    commission_asset = models.CharField(max_length=16)
    commission_quote = MoneyField(null=True)
    is_maker = models.BooleanField()
    traded_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        indexes = [models.Index(fields=["symbol", "recorded_at"], name="fill_recorded")]
        constraints = [
            models.UniqueConstraint(
                fields=["venue_account", "symbol", "venue_trade_id"], name="fill_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity} {self.symbol} at {self.price}"
