"""Acts that one person asked for and another must approve."""

from __future__ import annotations

from django.db import models


class Approval(models.Model):
    """One act that waits, or waited. `wish` is what is done once it is approved."""

    class Kind(models.TextChoices):
        RELEASE_STOP = "release_stop", "Release a stop"
        CHANGE_ACCOUNT = "change_account", "Let an account trade real money"
        MAP_STRATEGY = "map_strategy", "Map a strategy to real money"

    class State(models.TextChoices):
        PENDING = "pending", "Waits for a second person"
        APPROVED = "approved", "Approved and done"
        DECLINED = "declined", "Declined"

    kind = models.CharField(max_length=32, choices=Kind)
    target = models.CharField(max_length=100, help_text="The stop, account or strategy.")
    wish = models.JSONField(default=dict)
    words = models.CharField(max_length=300, help_text="What would be done.")
    reason = models.CharField(max_length=500, blank=True, default="")
    author = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=State, default=State.PENDING)
    decided_by = models.CharField(max_length=150, blank=True, default="")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "target"],
                condition=models.Q(state="pending"),
                name="one_pending_approval",
            )
        ]

    def __str__(self) -> str:
        return self.words
