"""TA-Lib, imported when first asked for: it brings pandas along, which takes over a second.

`ta.RSI(close, timeperiod=14)` and so on. Periods may be floats, as parameters are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any


@cache
def _function(name: str) -> Callable[..., Any]:
    import talib

    wanted: Callable[..., Any] = getattr(talib, name)

    def called(*columns: Any, **options: Any) -> Any:
        return wanted(*columns, **{key: _fitting(key, given) for key, given in options.items()})

    return called


def _fitting(key: str, given: Any) -> Any:
    return int(given) if key.endswith("period") else given


class _Lazy:
    def __getattr__(self, name: str) -> Callable[..., Any]:
        return _function(name)


ta: Any = _Lazy()
