"""Reading request parameters: text to typed figures, with the venue's refusals for bad text."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from decimal import Decimal

from exchanges.matching.refusals import illegal_characters, missing
from exchanges.venues.simulator import refusals

DECIMAL_SHAPE = re.compile(r"^([0-9]{1,20})(\.[0-9]{1,20})?$")
WHOLE_SHAPE = re.compile(r"^[0-9]{1,20}$")
DECIMAL_RANGE = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
SECURITY_NAMES = frozenset({"timestamp", "recvWindow", "signature", "apiKey"})


class Params:
    """One request's parameters. Remembers which were read: the venue refuses unknown ones."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._read: set[str] = set()

    def text(self, name: str) -> str | None:
        """Return a parameter's text, None when not sent. Raises -1105 when sent empty."""
        self._read.add(name)
        value = self._values.get(name)
        if value == "":
            raise refusals.empty(name)
        return value

    def require(self, name: str) -> str:
        value = self.text(name) if self._values.get(name) != "" else None
        if value is None:
            self._read.add(name)
            raise missing(name)
        return value

    def decimal(self, name: str) -> Decimal | None:
        value = self.text(name)
        if value is None:
            return None
        if not DECIMAL_SHAPE.match(value):
            raise illegal_characters(name, DECIMAL_RANGE)
        return Decimal(value)

    def whole(self, name: str) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        if not WHOLE_SHAPE.match(value):
            raise illegal_characters(name, "^[0-9]{1,20}$")
        return int(value)

    def limit(self, default: int, most: int) -> int:
        """Return `limit`, capped like the venue caps it. Raises -1130 for zero."""
        value = self.whole("limit")
        if value is None:
            return default
        if value < 1:
            raise refusals.bad_data("limit")
        return min(value, most)

    def flag(self, name: str) -> bool | None:
        value = self.text(name)
        if value is None:
            return None
        if value.lower() not in ("true", "false"):
            raise illegal_characters(name, "^(true|false)$")
        return value.lower() == "true"

    def choice(self, name: str, allowed: Collection[str]) -> str | None:
        value = self.text(name)
        if value is not None and value not in allowed:
            raise refusals.bad_data(name)
        return value

    def refuse_unread(self) -> None:
        """Raise -1104 when something was sent that this endpoint does not know."""
        known = self._read | SECURITY_NAMES
        read = sum(1 for name in self._values if name in known)
        if read != len(self._values):
            raise refusals.unread(read, len(self._values))
