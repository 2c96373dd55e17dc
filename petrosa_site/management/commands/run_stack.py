"""Run everything on this machine until Ctrl-C."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Start NATS, Redis, the simulator and every process of the Procfile, supervised."
    requires_system_checks = "__all__"

    def handle(self, *args: Any, **options: Any) -> None:
        from petrosa_site.stack import launch

        launch.run(self.say)

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
