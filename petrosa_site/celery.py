"""The Celery app: signals are acted on in workers, beat keeps the books straight."""

from __future__ import annotations

import os

from celery import Celery
from celery.signals import beat_init, worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "petrosa_site.settings")

app = Celery("petrosa")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def refuse_dangerous_settings(**_kwargs: object) -> None:
    """Celery does not stop for Django's check errors, so do it here."""
    from petrosa_site import checks

    checks.refuse_to_start()


worker_init.connect(refuse_dangerous_settings, weak=False)
beat_init.connect(refuse_dangerous_settings, weak=False)
