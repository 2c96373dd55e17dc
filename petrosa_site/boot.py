"""What every process that may send orders does before it takes work."""

from __future__ import annotations

import sys

import structlog
from django.conf import settings
from django.db import DatabaseError

from trading.services.control import kill_switch

log = structlog.get_logger(__name__)


def heed_kill_switch() -> None:
    """Stop new entries when KILL_SWITCH_ENABLED says so. Leave when that cannot be written down."""
    if not settings.KILL_SWITCH_ENABLED:
        return
    try:
        state = kill_switch.stop_at_boot()
    except DatabaseError as error:
        sys.exit(f"Petrosa does not start: KILL_SWITCH_ENABLED cannot be heeded: {error}")
    if state is not None:
        log.warning("started_stopped", state=state.pk)
