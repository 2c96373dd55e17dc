from __future__ import annotations

import re
from typing import Any

from django.apps import AppConfig

KEY = re.compile(r"[0-9a-f]{40}")


def _give_time(using: str, **_kwargs: object) -> None:
    from django.conf import settings

    from petrosa_site import database

    database.lift_for_migrations(using, settings.DATABASE_LONG_STATEMENT_TIMEOUT_SECONDS)


def _take_time_back(using: str, **_kwargs: object) -> None:
    from petrosa_site import database

    database.restore_after_migrations(using)


class PetrosaSiteConfig(AppConfig):
    name = "petrosa_site"

    def ready(self) -> None:
        from django.core.checks import register
        from django.db.models.signals import post_migrate, pre_migrate
        from rest_framework.authtoken.models import Token

        from petrosa_site import checks, people

        register(checks.messages, checks.TAG)
        pre_migrate.connect(_give_time, dispatch_uid="time-for-migrations")
        post_migrate.connect(_take_time_back, dispatch_uid="time-for-migrations")
        people.watch()
        # REST framework names a token by its key, and Django puts that into titles, messages, its
        # log and the list of what goes with a deleted user.
        Token.__str__ = _owned  # type: ignore[method-assign]
        post_migrate.connect(forget_keys, sender=self, dispatch_uid="forget-keys")


def _owned(token: Any) -> str:
    return f"token of {token.user.get_username()}"


def forget_keys(**_kwargs: Any) -> None:
    """Take out of Django's log the keys that earlier versions wrote there."""
    from django.contrib.admin.models import LogEntry

    told = LogEntry.objects.filter(content_type__app_label="authtoken")
    for entry in told.only("object_repr"):
        if KEY.fullmatch(entry.object_repr):
            LogEntry.objects.filter(pk=entry.pk).update(object_repr="a token")
