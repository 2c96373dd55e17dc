"""The Celery app: signals are acted on in workers, beat keeps the books straight."""

from __future__ import annotations

import os
import sys
from typing import Any

from celery import Celery, Task
from celery.signals import (
    beat_init,
    task_prerun,
    user_preload_options,
    worker_init,
    worker_process_init,
    worker_ready,
)

from petrosa_site.stack import private

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "petrosa_site.settings")

app = Celery("petrosa")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Celery would close the database connection after every task: a new one costs as much as a trade,
# and the server forgets its prepared statements. What is broken or too old is closed below.
app.conf["CELERY_DB_REUSE_MAX"] = sys.maxsize


def write_for_the_owner_alone(**_kwargs: object) -> None:
    """Do for `celery ...` what manage.py does for its commands, before anything is written."""
    os.umask(private.UMASK)


def refuse_dangerous_settings(**_kwargs: object) -> None:
    """Celery does not stop for Django's check errors, so do it here."""
    from petrosa_site import checks

    checks.refuse_to_start()


def start_stopped(**_kwargs: object) -> None:
    """Heed KILL_SWITCH_ENABLED before the first task; leave when that cannot be done."""
    from django.db import connections

    from petrosa_site import boot

    boot.heed_kill_switch()
    connections.close_all()  # what is forked from here must not share a connection


def leave_no_stale_connection(task: Task[..., object], **_kwargs: object) -> None:
    """Do for a task what Django does for a request; an eager task is part of its caller's."""
    from django.db import close_old_connections

    if not task.request.is_eager:
        close_old_connections()


def allow_long_statements(sender: Any, **_kwargs: object) -> None:
    """Give workers that only reckon (analysis, backtests) the long statement timeout."""
    from django.conf import settings

    from petrosa_site import database

    queues = set(sender.app.amqp.queues.consume_from)
    if queues and queues <= {settings.ANALYSIS_QUEUE, settings.BACKTEST_QUEUE}:
        database.be_patient(settings.DATABASE_PATIENT_OPTIONS)


def warm_gateway(**_kwargs: object) -> None:
    """Let no signal wait for the imports, the connection and the clock of its gateway."""

    from exchanges.venues import configured, registry

    registry.warm_soon(configured.venue())


def warm_threads(sender: Any, **_kwargs: object) -> None:
    """A pool of threads starts no process of its own: warm what its threads share."""
    from celery.concurrency.thread import TaskPool

    if isinstance(sender.pool, TaskPool):
        warm_gateway()


user_preload_options.connect(write_for_the_owner_alone, weak=False)
worker_init.connect(refuse_dangerous_settings, weak=False)
worker_init.connect(start_stopped, weak=False)
worker_init.connect(allow_long_statements, weak=False)
beat_init.connect(refuse_dangerous_settings, weak=False)
worker_process_init.connect(warm_gateway, weak=False)
worker_ready.connect(warm_threads, weak=False)
task_prerun.connect(leave_no_stale_connection, weak=False)
