"""What the earlier systems got wrong and no other test has for its subject; docs/defects.md lists
all of it."""

from __future__ import annotations

from tests.integration.trading.conftest import send, venue

__all__ = ["send", "venue"]
