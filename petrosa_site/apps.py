from django.apps import AppConfig


class PetrosaSiteConfig(AppConfig):
    name = "petrosa_site"
