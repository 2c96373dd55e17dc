"""The pulse of the workers: a task through their queue, so that one which hangs shows too."""

from __future__ import annotations

from celery import shared_task

from foundation import liveness


@shared_task(name="life.pulse")
def pulse(process: str) -> None:
    liveness.note(process)
