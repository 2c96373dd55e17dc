"""Limits as they stand, and every change of one: who, why, from what to what."""

from __future__ import annotations

from django.db import models

from trading.domain.risk.limit_book import BY_NAME, Scope


class LimitScope(models.TextChoices):
    CAP = Scope.CAP.value, "Hard cap"
    GLOBAL = Scope.GLOBAL.value, "Everything"
    ACCOUNT = Scope.ACCOUNT.value, "One virtual account"
    STRATEGY = Scope.STRATEGY.value, "One strategy"
    SYMBOL = Scope.SYMBOL.value, "One symbol"


class LimitBook(models.Model):
    """The number of the latest change. One row; whoever changes a limit locks it."""

    version = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"version {self.version}"


class Limit(models.Model):
    """One value that holds now. Unsetting one deletes its row; the changes stay."""

    scope = models.CharField(max_length=16, choices=LimitScope)
    key = models.CharField(max_length=100, blank=True, default="")
    name = models.CharField(max_length=64)
    value = models.CharField(max_length=64)
    version = models.PositiveIntegerField()

    class Meta:
        ordering = ("name", "scope", "key")
        constraints = [
            models.UniqueConstraint(fields=["scope", "key", "name"], name="limit_set_once")
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.scope} {self.key}".strip() + f": {self.value}"


class LimitChange(models.Model):
    """One change asked for. It has a version once it holds; the rows are never changed back."""

    class State(models.TextChoices):
        APPLIED = "applied", "Applied"
        PENDING = "pending", "Waits for a second person"
        DECLINED = "declined", "Declined"

    version = models.PositiveIntegerField(null=True, unique=True)
    scope = models.CharField(max_length=16, choices=LimitScope)
    key = models.CharField(
        max_length=100,
        blank=True,
        default="",
        help_text="The account, strategy or symbol; empty for everything and for the hard cap.",
    )
    name = models.CharField(max_length=64)
    before = models.CharField(max_length=64, blank=True, default="", help_text="Empty: not set.")
    after = models.CharField(
        max_length=64, blank=True, default="", help_text="Empty: no longer set here."
    )
    is_looser = models.BooleanField(help_text="Lets more happen than before.")
    reason = models.CharField(max_length=500)
    author = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=State)
    decided_by = models.CharField(max_length=150, blank=True, default="")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering = ("-id",)
        permissions = [("approve_limitchange", "Can approve a looser limit as a second person")]
        indexes = [models.Index(fields=["name", "scope", "key"], name="limit_change_place")]

    def __str__(self) -> str:
        place = f"{self.scope} {self.key}".strip()
        return f"{self.name} of {place}: {self.before or 'unset'} to {self.after or 'unset'}"

    @property
    def spec(self):  # type: ignore[no-untyped-def]
        return BY_NAME[self.name]
