"""The Celery app: signals are acted on in workers, beat keeps the books straight."""

from __future__ import annotations

import os

from celery import Celery
from celery.signals import beat_init, worker_init, worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "petrosa_site.settings")

app = Celery("petrosa")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def refuse_dangerous_settings(**_kwargs: object) -> None:
    """Celery does not stop for Django's check errors, so do it here."""
    from petrosa_site import checks

    checks.refuse_to_start()


def warm_gateway(**_kwargs: object) -> None:
    """Let no signal wait for the imports, the connection and the clock of its gateway."""
    from django.conf import settings

    from exchanges import gateways

    gateways.warm_soon(settings.VENUE_ENVIRONMENT)


worker_init.connect(refuse_dangerous_settings, weak=False)
beat_init.connect(refuse_dangerous_settings, weak=False)
worker_process_init.connect(warm_gateway, weak=False)
