"""Setting limits in tests by the use-case that people use."""

from __future__ import annotations

from trading.services.control import limits


def set_limits(*, scope: str = "global", key: str = "", **values: object) -> None:
    """Set each value in one place; None unsets it there. Raises when FOUR_EYES makes it wait."""
    for name, value in values.items():
        wish = limits.Wish(scope, key, name, value, "for this test")
        change = limits.set_limit(wish, actor="test")
        assert change is None or change.version is not None, f"{name} waits for a second person"
