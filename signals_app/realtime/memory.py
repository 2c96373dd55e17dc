"""What outlives a killed process, in Redis: what was said of each symbol, and the windows.

A signal is claimed here before it is published. A crash between the two loses that signal and
doubles none; a second process for the same symbols by mistake finds the claim taken.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import redis.asyncio
import structlog
from redis.exceptions import RedisError

from exchanges.domain.venues import Venue
from signals_app.payload.draft import Action
from signals_app.realtime import process_status
from signals_app.strategies.emission import Emission
from signals_app.strategies.realtime import RealtimeStrategy
from signals_app.strategies.realtime.frames import FrameInvalid
from signals_app.strategies.realtime.moves import BUY, SELL

log = structlog.get_logger(__name__)
PREFIX = "petrosa:strategies"
SAID_SECONDS = 7 * 24 * 3600
WINDOW_SECONDS = 3600
Pair = tuple[RealtimeStrategy, str]

_CLAIM = """
local last = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '')
if last and math.abs(tonumber(ARGV[2]) - last) < tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""


class MemoryUnavailable(ConnectionError):
    """Redis did not do what was asked."""


class Memory:
    """One venue's claims and windows."""

    def __init__(self, *, redis_url: str, venue: Venue) -> None:
        self.venue = venue
        self._redis: Any = redis.asyncio.from_url(
            redis_url, socket_timeout=2, socket_connect_timeout=2
        )
        self._claim = self._redis.register_script(_CLAIM)

    async def claim(self, emission: Emission, *, cooldown_seconds: float) -> bool:
        """Take the right to say this; False when the same was said within the cooldown.

        Raise MemoryUnavailable: then nobody knows.
        """
        apart_ms = max(1, round(cooldown_seconds * 1000))
        key = self._key("said", emission.strategy_id, emission.symbol)
        args = (str(emission.action), emission.at_ms, apart_ms, SAID_SECONDS)
        try:
            return bool(await self._claim(keys=[key], args=args))
        except (RedisError, OSError) as error:
            raise MemoryUnavailable(str(error) or type(error).__name__) from error

    async def recall(self, pairs: Iterable[Pair]) -> int:
        """Give strategies their windows back and what they said last; return how many windows."""
        found = 0
        try:
            for strategy, symbol in pairs:
                name = strategy.spec.strategy_id
                raw = await self._redis.get(self._key("window", name, symbol))
                if raw is not None and _restored(strategy, symbol, raw):
                    found += 1
                said = await self._redis.hgetall(self._key("said", name, symbol))
                for action, side in ((Action.BUY, BUY), (Action.SELL, SELL)):
                    at_ms = said.get(str(action).encode())
                    if at_ms is not None:
                        strategy.adopt(symbol, side, int(at_ms))
        except (RedisError, OSError) as error:
            raise MemoryUnavailable(str(error) or type(error).__name__) from error
        return found

    async def keep(self, pairs: Iterable[Pair]) -> None:
        """Keep the windows as they are now. Raise MemoryUnavailable."""
        pipe = self._redis.pipeline(transaction=False)
        for strategy, symbol in pairs:
            raw = strategy.snapshot(symbol)
            if raw is not None:
                name = strategy.spec.strategy_id
                pipe.set(self._key("window", name, symbol), raw, ex=WINDOW_SECONDS)
        try:
            await pipe.execute()
        except (RedisError, OSError) as error:
            raise MemoryUnavailable(str(error) or type(error).__name__) from error

    async def tell(self, shard: str, status: bytes) -> None:
        """Leave a sign of life. Raise MemoryUnavailable."""
        try:
            await self._redis.hset(process_status.KEY, shard, status)
        except (RedisError, OSError) as error:
            raise MemoryUnavailable(str(error) or type(error).__name__) from error

    async def leave(self, shard: str) -> None:
        """Take the sign of life away: we stop on purpose."""
        try:
            await self._redis.hdel(process_status.KEY, shard)
        except (RedisError, OSError) as error:
            log.info("sign_not_taken_away", error=str(error))

    async def close(self) -> None:
        await self._redis.aclose()

    def _key(self, what: str, strategy_id: str, symbol: str) -> str:
        return f"{PREFIX}:{what}:{self.venue}:{strategy_id}:{symbol}"


def _restored(strategy: RealtimeStrategy, symbol: str, raw: bytes) -> bool:
    try:
        strategy.restore(symbol, raw)
    except FrameInvalid as error:
        log.warning("window_not_restored", strategy=strategy.spec.strategy_id, error=str(error))
        return False
    return True
