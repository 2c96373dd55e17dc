"""Request weight and order count, shared by all processes through Redis.

The venue counts weight per address and unfilled orders per account, and says both in the headers
of every reply; a process that ignores a 429 gets the whole address banned (418). So each call
first spends from this budget: one Lua call to Redis, which also carries the figures of this
process's last reply. Nothing is sent while the venue has told anyone of us to wait.

Who may spend how far (share of the limit): entries and plain reads stop at 90 %, heavy listings
at 70 %; cancels, exits, protection and queries of single orders may use all of it.

When Redis is away the budget goes on with what this process itself has seen: the venue's weight
header counts the whole address, so it stays true; only a stop that another process was told of
is missed, at the price of one refused call. Reads and exits keep their share; entries and
listings stop at half. It says so at ERROR, at most every 30 seconds, and tries again after two.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from exchanges.domain.errors import RateLimited

log = structlog.get_logger(__name__)

# 0: not known yet, not enforced. The day's order limit is left to the venue: fills lower its
# count again without a word to us, so a local refusal could last until midnight for nothing.
DEFAULT_LIMITS = {"weight": 6000, "orders_10s": 0}
WINDOWS_MS = {"weight": 60_000, "orders_10s": 10_000}
HEADERS = {"weight": "X-MBX-USED-WEIGHT-1M", "orders_10s": "X-MBX-ORDER-COUNT-10S"}
REDIS_REST_SECONDS = 2.0
SAY_AGAIN_SECONDS = 30.0


class Share(Enum):
    """How much of the limit a call may use: with Redis, and without it."""

    VITAL = (1.0, 1.0)
    NORMAL = (0.9, 0.9)
    ENTRY = (0.9, 0.5)
    LISTING = (0.7, 0.5)


# KEYS: state hash. ARGV: now_ms, weight, orders, share in permille, own cap, then for weight and
# orders: window ms, default limit, window and count of this process's last reply (count -1: none).
# Answer: {wait_ms, scope, used weight}. A count of an earlier window counts as zero.
# Weight only grows within its window: the greatest figure counts, and what is spent is added at
# once so that calls under way in other processes show. Orders shrink again as they fill: there
# the newest word of the venue counts, and nothing is added.
SPEND = """
local now, weight, orders = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local share, cap = tonumber(ARGV[4]) / 1000, tonumber(ARGV[5])
local f = redis.call('HMGET', KEYS[1], 'stop:all', 'stop:orders', 'stop:scope',
    'weight', 'weight:at', 'orders', 'orders:at', 'limit:weight', 'limit:orders_10s')
local function num(x) return tonumber(x or '0') or 0 end
if num(f[1]) > now then return {num(f[1]) - now, f[3] or 'weight', 0} end
if orders > 0 and num(f[2]) > now then return {num(f[2]) - now, 'orders', 0} end
local function current(at, count, first, newest)
  local window = math.floor(now / tonumber(ARGV[first]))
  local used = (num(at) == window) and num(count) or 0
  local seen = (tonumber(ARGV[first + 2]) == window) and tonumber(ARGV[first + 3]) or -1
  if seen >= 0 and (newest or seen > used) then used = seen end
  return window, used
end
local minute, used = current(f[5], f[4], 6, false)
local ten, placed = current(f[7], f[6], 10, true)
local limit, most = num(f[8]), num(f[9])
if limit == 0 then limit = tonumber(ARGV[7]) end
if most == 0 then most = tonumber(ARGV[11]) end
if cap > 0 and (limit == 0 or cap < limit) then limit = cap end
local wait, scope = 0, ''
if weight > 0 and limit > 0 and used + weight > limit * share then
  wait, scope = (minute + 1) * tonumber(ARGV[6]) - now, 'weight'
elseif orders > 0 and most > 0 and placed + orders > most * share then
  wait, scope = (ten + 1) * tonumber(ARGV[10]) - now, 'orders'
else
  used = used + weight
end
redis.call('HSET', KEYS[1], 'weight', used, 'weight:at', minute, 'orders', placed, 'orders:at', ten)
return {wait, scope, used}
"""

STOP = """
local old = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')
if tonumber(ARGV[2]) > old then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  if ARGV[1] == 'stop:all' then redis.call('HSET', KEYS[1], 'stop:scope', ARGV[3]) end
end
return 1
"""


def connect(url: str) -> redis.Redis:
    """Open a client that gives up fast: the budget must never hold up an exit."""
    return redis.Redis.from_url(
        url,
        socket_timeout=0.25,
        socket_connect_timeout=0.25,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )


@dataclass
class _Seen:
    """The last count of one window this process knows, and the window's number."""

    window: int = -1
    count: int = -1


@dataclass
class Budget:
    """What may still be sent. One per process and venue account; safe to share by threads.

    `now_ms` is the venue's clock (windows are aligned to it). `max_weight` lowers the venue's
    limit; 0 leaves it. Without `store` the figures are this process's own.
    """

    name: str
    now_ms: Callable[[], int]
    store: redis.Redis | None = None
    max_weight: int = 0
    steady: Callable[[], float] = time.monotonic
    limits: dict[str, int] = field(default_factory=lambda: dict(DEFAULT_LIMITS))
    _seen: dict[str, _Seen] = field(default_factory=lambda: {n: _Seen() for n in WINDOWS_MS})
    _stops: dict[str, tuple[float, str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _store_rests_until: float = 0.0
    _said_at: float = float("-inf")

    def __post_init__(self) -> None:
        self._key = f"petrosa:budget:{self.name}"
        self._spend = self.store.register_script(SPEND) if self.store is not None else None
        self._stop = self.store.register_script(STOP) if self.store is not None else None

    @property
    def is_degraded(self) -> bool:
        """Say whether Redis is wanted but away, so that only this process's view counts."""
        return self.store is not None and self.steady() < self._store_rests_until

    def spend(self, weight: int, share: Share, *, orders: int = 0) -> None:
        """Take `weight` and `orders` from the budget. Raise RateLimited when the call must wait."""
        now = self.now_ms()
        self._heed_own_stops(now, orders)
        answer = self._ask_store(now, weight, share, orders)
        if answer is None:
            self._spend_alone(now, weight, share, orders)
            return
        wait_ms, scope, used = answer
        if wait_ms > 0:
            raise _refusal(wait_ms / 1000, scope, f"{used} weight used")

    def observe(self, headers: Mapping[str, str]) -> None:
        """Remember the counts a reply brought; the next `spend` tells the other processes."""
        now = self.now_ms()
        with self._lock:
            for name, header in HEADERS.items():
                count = headers.get(header, "")
                if count.isdecimal():
                    window = now // WINDOWS_MS[name]
                    self._seen[name] = _Seen(window, self._greater(name, window, int(count)))

    def stop(self, retry_after: float, scope: str) -> None:
        """Send nothing (scope 'orders': no orders) for `retry_after` seconds, in any process."""
        until = self.now_ms() + retry_after * 1000
        field_name = "stop:orders" if scope == "orders" else "stop:all"
        with self._lock:
            self._stops[field_name] = max(self._stops.get(field_name, (0.0, "")), (until, scope))
        log.warning("venue_says_wait", budget=self.name, scope=scope, retry_after=retry_after)
        if self._stop is not None and not self.is_degraded:
            try:
                self._stop(keys=[self._key], args=[field_name, int(until), scope])
            except redis.RedisError as error:
                self._rest_store(error)

    def learn(self, limits: Mapping[str, int]) -> None:
        """Take over the limits exchangeInfo names (`wire.rate_limits`)."""
        self.limits |= {name: limits[name] for name in self.limits if name in limits}
        if self.store is not None and not self.is_degraded and limits:
            try:
                for name, limit in self.limits.items():
                    self.store.hset(self._key, f"limit:{name}", str(limit))
            except redis.RedisError as error:
                self._rest_store(error)

    # ---- inside ---------------------------------------------------------------------------

    def _greater(self, name: str, window: int, count: int) -> int:
        seen = self._seen[name]
        return max(count, seen.count) if name == "weight" and seen.window == window else count

    def _used(self, name: str, now: int) -> int:
        seen = self._seen[name]
        return max(seen.count, 0) if seen.window == now // WINDOWS_MS[name] else 0

    def _heed_own_stops(self, now: float, orders: int) -> None:
        for field_name, (until, scope) in tuple(self._stops.items()):
            if until > now and (field_name == "stop:all" or orders):
                raise _refusal((until - now) / 1000, scope, "the venue said wait")

    def _ask_store(
        self, now: int, weight: int, share: Share, orders: int
    ) -> tuple[float, str, int] | None:
        if self._spend is None or self.is_degraded:
            return None
        args: list[int] = [now, weight, orders, int(share.value[0] * 1000), self.max_weight]
        with self._lock:
            for name, length in WINDOWS_MS.items():
                seen = self._seen[name]
                args += [length, self.limits[name], seen.window, seen.count]
            self._seen["orders_10s"] = _Seen()  # told once; an older word must not come back
        try:
            wait_ms, scope, used = self._spend(keys=[self._key], args=args)
        except redis.RedisError as error:
            self._rest_store(error)
            return None
        return float(wait_ms), str(scope), int(used)

    def _spend_alone(self, now: int, weight: int, share: Share, orders: int) -> None:
        part = share.value[1] if self.store is not None else share.value[0]
        weight_limit = self.limits["weight"]
        if self.max_weight:
            weight_limit = min(weight_limit or self.max_weight, self.max_weight)
        rows = (
            ("weight", weight, weight_limit, "weight"),
            ("orders_10s", orders, self.limits["orders_10s"], "orders"),
        )
        with self._lock:
            for name, cost, limit, scope in rows:
                used = self._used(name, now)
                if limit and cost and used + cost > limit * part:
                    left = WINDOWS_MS[name] - now % WINDOWS_MS[name]
                    raise _refusal(left / 1000, scope, f"{used} of {limit} used")
            self._seen["weight"] = _Seen(
                now // WINDOWS_MS["weight"], self._used("weight", now) + weight
            )

    def _rest_store(self, error: redis.RedisError) -> None:
        now = self.steady()
        self._store_rests_until = now + REDIS_REST_SECONDS
        if now - self._said_at >= SAY_AGAIN_SECONDS:
            self._said_at = now
            log.error(
                "budget_without_redis",
                budget=self.name,
                error=str(error),
                effect="each process counts for itself; entries and listings stop at half",
            )


def _refusal(seconds: float, scope: str, why: str) -> RateLimited:
    wait = max(seconds, 0.001)
    text = f"not sent, our own budget says wait {wait:.1f} s ({scope}: {why})"
    return RateLimited(text, retry_after=wait, scope=scope)
