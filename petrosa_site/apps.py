from django.apps import AppConfig


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

        from petrosa_site import checks

        register(checks.messages, checks.TAG)
        pre_migrate.connect(_give_time, dispatch_uid="time-for-migrations")
        post_migrate.connect(_take_time_back, dispatch_uid="time-for-migrations")
