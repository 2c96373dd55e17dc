from django.apps import AppConfig


class PetrosaSiteConfig(AppConfig):
    name = "petrosa_site"

    def ready(self) -> None:
        from django.core.checks import register

        from petrosa_site import checks

        register(checks.messages, checks.TAG)
