"""How often one caller may ask: counted in Redis, one round trip a request."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import redis
import structlog
from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from foundation import redis_client

if TYPE_CHECKING:  # DRF reads its settings, and so this file, while it makes APIView
    from rest_framework.views import APIView

log = structlog.get_logger(__name__)
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
SILENCE_AFTER_FAILURE_SECONDS = 5.0
_not_before = 0.0


class WindowThrottle(BaseThrottle):
    """Fixed windows per caller and `throttle_scope` of the view ("user" when it has none).

    Without Redis nobody is refused: a throttle protects the server, the risk rules protect money.
    """

    retry_after: float | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        scope = getattr(view, "throttle_scope", "user")
        user = getattr(request.user, "pk", None)
        who = f"user-{user}" if user and scope != "login" else f"at-{self.get_ident(request)}"
        is_allowed, self.retry_after = take(scope, who)
        return is_allowed

    def wait(self) -> float | None:
        return self.retry_after


def take(scope: str, who: str) -> tuple[bool, float]:
    """Count one try of `who`; return whether it may go on, and the seconds to the next window."""
    limit, seconds = parse(_rates()[scope])
    now = time.time()
    window = int(now // seconds)
    count = _count(f"petrosa:throttle:{scope}:{who}:{window}", seconds)
    return count <= limit, (window + 1) * seconds - now


def take_login(request: HttpRequest) -> tuple[bool, float]:
    """Count one try to log in by a form, out of the same budget as tokens and JWTs."""
    ident = WindowThrottle().get_ident(cast(Request, request))
    return take("login", f"at-{ident}")


def _rates() -> dict[str, str]:
    rates: Any = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
    return cast(dict[str, str], rates)


@lru_cache(maxsize=32)
def parse(rate: str) -> tuple[int, int]:
    """Read "1200/min" as (1200, 60)."""
    number, _, period = rate.partition("/")
    return int(number), SECONDS[period.strip()[0]]


def _count(key: str, seconds: int) -> int:
    global _not_before
    if time.monotonic() < _not_before:
        return 0
    client = redis_client.patient(0.25)
    try:
        counted = int(client.incr(key))
        if counted == 1:
            client.expire(key, seconds + 1)
    except redis.RedisError as error:
        _not_before = time.monotonic() + SILENCE_AFTER_FAILURE_SECONDS
        log.warning("throttle_not_counted", error=str(error))
        return 0
    return counted
