"""Run the guard. Run two: one works, the other takes over within two seconds."""

from __future__ import annotations

import signal
from typing import Any

from django.core.management.base import BaseCommand

from trading.guard import Guard


class Command(BaseCommand):
    help = "Keep the timers of exits and protection, and hold stops that the venue has no room for."

    def handle(self, *args: Any, **options: Any) -> None:
        guard = Guard()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: guard.stop())
        self.stdout.write(f"Guarding as {guard.holder}.")
        guard.run()
