"""Bounded retries with backoff, for reads only. A write is never repeated by us."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenacity import (
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

from exchanges.domain.errors import NotSent, RateLimited

T = TypeVar("T")
ATTEMPTS = 3


def _worth_another_try(error: BaseException) -> bool:
    return isinstance(error, NotSent) and not isinstance(error, RateLimited)


def read(ask: Callable[[], T], *, sleep: Callable[[float], None], patience: float = 20.0) -> T:
    """Call `ask` up to three times within `patience` seconds while it raises plain NotSent.

    A venue that said wait is not asked again: RateLimited goes straight to the caller.
    """
    attempts = Retrying(
        stop=stop_after_attempt(ATTEMPTS) | stop_after_delay(patience),
        wait=wait_random_exponential(multiplier=0.1, max=1.0),
        retry=retry_if_exception(_worth_another_try),
        sleep=sleep,
        reraise=True,
    )
    return attempts(ask)
