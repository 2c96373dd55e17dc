"""JSON bodies of the API; one nested deeper than anybody means is refused before it is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

MOST_LEVELS = 32
TOO_DEEP = f"JSON parse error - nested deeper than {MOST_LEVELS} levels"


class ShallowJson(JSONParser):
    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the body. Raise ParseError where it is no JSON or nested too deep."""
        try:
            found = super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError(TOO_DEEP) from None
        if _is_deep(found):
            raise ParseError(TOO_DEEP)
        return found


def _is_deep(root: Any) -> bool:
    """Go down level by level, without recursion."""
    level = [root]
    for _ in range(MOST_LEVELS + 1):
        below: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                below.extend(one.values())
            elif isinstance(one, list):
                below.extend(one)
        if not below:
            return False
        level = below
    return True
