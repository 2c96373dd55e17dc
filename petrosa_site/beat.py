"""Celery beat without a file: its table is in the settings, and what is due is due at the start."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from celery import beat

from foundation import liveness

LONG_AGO = timedelta(days=1)  # longer than any interval of the table


class Scheduler(beat.Scheduler):
    """Keeps the times of the last runs in memory, and leaves signs of life.

    Beat's own scheduler needs a folder to write to, which a container on a read-only root need not
    have. All that is lost is when a task ran last, so all run once at the start.
    """

    _noted = 0.0

    def setup_schedule(self) -> None:
        super().setup_schedule()
        for entry in self.schedule.values():
            entry.last_run_at = self.app.now() - LONG_AGO

    def tick(self, *args: Any, **kwargs: Any) -> float:
        if time.monotonic() - self._noted >= liveness.EVERY_SECONDS:
            self._noted = time.monotonic()
            liveness.note("beat")
        return float(super().tick(*args, **kwargs))
