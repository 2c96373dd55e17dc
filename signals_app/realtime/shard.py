"""Which symbols a process owns: whole symbols, since one symbol's frames make one window."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

_FORM = re.compile(r"([1-9]\d{0,3})/([1-9]\d{0,3})")


class ShardInvalid(ValueError):
    """No share of a whole."""


@dataclass(frozen=True, slots=True)
class Shard:
    """The `number`th of `count` shares, counted from 1."""

    number: int
    count: int

    @classmethod
    def parsed(cls, text: str) -> Shard:
        """Read `2/3`. Raise ShardInvalid."""
        found = _FORM.fullmatch(text.strip())
        if found is None or int(found[1]) > int(found[2]):
            raise ShardInvalid(f"{text!r}: write i/n with i from 1 to n, such as 1/1 or 2/3")
        return cls(int(found[1]), int(found[2]))

    def owns(self, symbol: str) -> bool:
        """A symbol's owner hangs on its name alone, whatever else is traded."""
        return zlib.crc32(symbol.encode()) % self.count == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"
