"""Backtests people asked for, and sweeps of many parameters. A row is the queue: it says how far
its work is, and it says so too when its worker was killed."""

from __future__ import annotations

import gzip
from typing import Any

import orjson
from django.db import models


class Job(models.Model):
    """Work that a worker takes once. `seen_at` is its last sign of life."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Waits for a worker"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"
        LOST = "lost", "Lost: its worker ended"

    ACTIVE = (Status.QUEUED, Status.RUNNING)
    AGAIN = (Status.FAILED, Status.CANCELLED, Status.LOST)

    strategy_id = models.CharField(max_length=100)
    symbol = models.CharField(max_length=32)
    interval = models.CharField(max_length=8)
    wish = models.JSONField(help_text="What was asked for.")
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of what was asked for.")
    status = models.CharField(max_length=12, choices=Status, default=Status.QUEUED)
    progress = models.FloatField(default=0, help_text="Share done, 0 to 1.")
    attempt = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True, default="")
    actor = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    queued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @property
    def is_active(self) -> bool:
        return self.status in self.ACTIVE

    @property
    def may_start_again(self) -> bool:
        return self.status in self.AGAIN

    @property
    def percent(self) -> int:
        return round(self.progress * 100)


class BacktestRun(Job):
    """One backtest. `figures` are its metrics, `digest` names its result."""

    figures = models.JSONField(null=True)
    digest = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        ordering = ("-id",)
        verbose_name = "backtest"
        permissions = (("run_backtest", "Can run, cancel and repeat backtests"),)
        constraints = [
            models.UniqueConstraint(
                fields=["fingerprint"],
                condition=models.Q(status__in=["queued", "running"]),
                name="backtest_runs_once_at_a_time",
            )
        ]
        indexes = [models.Index(fields=["status", "id"], name="backtest_status")]

    def __str__(self) -> str:
        return f"{self.strategy_id} {self.symbol} {self.interval} ({self.status})"


class BacktestReport(models.Model):
    """The whole report of a run: gzip-ed JSON, apart from the row that lists are made of."""

    run = models.OneToOneField(BacktestRun, on_delete=models.CASCADE, related_name="report")
    body = models.BinaryField()

    def __str__(self) -> str:
        return f"report of {self.run_id}"

    def told(self) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(gzip.decompress(bytes(self.body)))
        return found

    @staticmethod
    def packed(told: dict[str, Any]) -> bytes:
        return gzip.compress(orjson.dumps(told), compresslevel=6, mtime=0)


class BacktestSweep(Job):
    """Many parameters over windows of time: chosen in-sample, measured out-of-sample."""

    trials_count = models.PositiveIntegerField()
    results = models.JSONField(null=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = "backtest sweep"
        constraints = [
            models.UniqueConstraint(
                fields=["fingerprint"],
                condition=models.Q(status__in=["queued", "running"]),
                name="sweep_runs_once_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.strategy_id} {self.symbol} {self.interval}, {self.trials_count} trials"

    @property
    def trials_done(self) -> int:
        return round(self.progress * self.trials_count)  # it is counted by trials that ended


class BacktestTrial(models.Model):
    """One set of parameters of a sweep. `result` is what it came to, by window and over all."""

    sweep = models.ForeignKey(BacktestSweep, on_delete=models.CASCADE, related_name="trials")
    number = models.PositiveIntegerField()
    params = models.JSONField()
    status = models.CharField(max_length=12, choices=Job.Status, default=Job.Status.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    seen_at = models.DateTimeField(null=True)
    result = models.JSONField(null=True)
    error = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering = ("sweep", "number")
        verbose_name = "trial of a sweep"
        verbose_name_plural = "trials of sweeps"
        constraints = [
            models.UniqueConstraint(fields=["sweep", "number"], name="backtest_trial_once")
        ]

    def __str__(self) -> str:
        return f"trial {self.number} of sweep {self.sweep_id}"
