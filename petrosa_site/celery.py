"""The Celery app: signals are acted on in workers, beat keeps the books straight."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "petrosa_site.settings")

app = Celery("petrosa")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
