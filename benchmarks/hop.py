"""The desk's own Celery app with one task more, which does nothing but say how late it started."""

from __future__ import annotations

import time

import redis
from django.conf import settings

from petrosa_site.celery import app

NAME = "benchmarks.hop"
KEY = "petrosa:bench:hops"


@app.task(name=NAME)
def hop(published_at: float) -> None:
    late = time.time() - published_at
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.rpush(KEY, late)
