"""The site: settings, wiring, pages. Nothing imports it from below."""

from petrosa_site.celery import app as celery_app

__all__ = ["celery_app"]
