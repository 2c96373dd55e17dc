"""Who guards positions right now, and what others have resting where we need room."""

from __future__ import annotations

from django.db import models

from exchanges.models import VenueAccount


class GuardLease(models.Model):
    """The right to act as guard, held by one process at a time.

    `token` grows with every new holder. Whoever writes a sale for a guarded stop checks its own
    token in the same transaction, so a holder that was asleep can no longer act.
    """

    name = models.CharField(max_length=32, unique=True)
    holder = models.CharField(max_length=100, blank=True, default="")
    token = models.PositiveBigIntegerField(default=0)
    expires_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name}: {self.holder or 'nobody'} ({self.token})"


class ForeignConditionals(models.Model):
    """Conditional orders in a symbol that are not ours, as last seen: they take places too."""

    venue_account = models.ForeignKey(VenueAccount, on_delete=models.CASCADE, related_name="+")
    symbol = models.CharField(max_length=32)
    count = models.PositiveIntegerField(default=0)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["venue_account", "symbol"], name="foreign_conditionals_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.count} in {self.symbol}"
