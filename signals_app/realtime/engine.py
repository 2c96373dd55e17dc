"""Strategies under their settings: a frame goes to those that want it, what they say comes back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import structlog

from exchanges.domain.candles import DAY_MS
from exchanges.domain.venues import Venue
from exchanges.market_data.bus import Kind as Stream
from signals_app.gateways.emitter import Said
from signals_app.models import StrategySetting
from signals_app.realtime.shard import Shard
from signals_app.services.strategy_settings import Setting
from signals_app.strategies import realtime
from signals_app.strategies.realtime.frames import NOT_AHEAD_MS, FrameInvalid

log = structlog.get_logger(__name__)
Mode = StrategySetting.Mode
TOLD_EVERY = 1000  # unreadable frames between two lines of the log


@dataclass(slots=True)
class Running:
    """One strategy with what it counted since the start."""

    strategy: realtime.RealtimeStrategy
    setting: Setting
    messages: int = 0
    signals: int = 0
    errors: int = 0
    last_signal_ms: int | None = None

    @property
    def is_on(self) -> bool:
        return self.setting.mode != Mode.OFF


@dataclass(slots=True)
class Tally:
    """What came of frames so far."""

    messages: dict[str, int] = field(default_factory=dict)  # by kind
    unreadable: int = 0
    errors: int = 0


class Engine:
    """Owns the strategies of one process. No I/O: bytes in, what is to be published out."""

    def __init__(
        self, *, shard: Shard, venue: Venue, clock: Callable[[], float] = time.time
    ) -> None:
        self.shard = shard
        self.environment = venue.environment.value
        self._clock = clock
        self.running: dict[str, Running] = {}
        self.tally = Tally()
        self._routes: dict[tuple[str, str], list[Running]] = {}

    def apply(self, settings: Iterable[Setting]) -> bool:
        """Follow new settings; windows and latches stay. Return whether anything changed."""
        changed = False
        for setting in settings:
            held = self.running.get(setting.strategy_id)
            if held is None:
                made = realtime.made(setting.spec, setting.params)
                self.running[setting.strategy_id] = Running(made, setting)
                changed = True
            elif held.setting != setting:
                held.strategy.tune(setting.params)
                held.setting = setting
                changed = True
                log.info(
                    "strategy_settings_taken",
                    strategy=setting.strategy_id,
                    mode=setting.mode,
                    version=setting.version,
                )
        if changed:
            self._routes = self._routed()
        return changed

    def _routed(self) -> dict[tuple[str, str], list[Running]]:
        routes: dict[tuple[str, str], list[Running]] = {}
        for one in self.running.values():
            if one.is_on:
                for symbol in filter(self.shard.owns, one.setting.symbols):
                    routes.setdefault((symbol, str(one.strategy.stream)), []).append(one)
        return routes

    @property
    def wanted(self) -> set[tuple[str, Stream]]:
        """The (symbol, kind) of the frames that somebody here takes."""
        return {(symbol, Stream(kind)) for symbol, kind in self._routes}

    @property
    def symbols(self) -> list[str]:
        return sorted({symbol for symbol, _ in self._routes})

    def pairs(self) -> Iterator[tuple[realtime.RealtimeStrategy, str]]:
        """Yield every strategy that runs with each of its symbols."""
        for (symbol, _), found in self._routes.items():
            for one in found:
                yield one.strategy, symbol

    def take(self, symbol: str, kind: str, raw: bytes) -> list[Said]:
        """Return what a frame makes the strategies say; trouble with one frame is counted."""
        found: list[Said] = []
        counted = self.tally.messages
        counted[kind] = counted.get(kind, 0) + 1
        for one in self._routes.get((symbol, kind), ()):
            one.messages += 1
            try:
                frame: Any = one.strategy.decode(raw)
                self._check_received(frame.received_ms)
                emission = one.strategy.take(symbol, frame, frame.received_ms)
            except FrameInvalid as error:
                one.errors += 1
                self._unreadable(symbol, kind, error)
                continue
            except Exception:
                one.errors += 1
                self.tally.errors += 1
                log.exception("strategy_failed", strategy=one.setting.strategy_id, symbol=symbol)
                continue
            if emission is not None:
                one.signals += 1
                one.last_signal_ms = emission.at_ms
                setting = one.setting
                is_shadow = setting.mode == Mode.SHADOW
                is_recorded = frame.received_ms - emission.at_ms >= DAY_MS
                heard_ms = frame.received_ms if is_recorded else None
                found.append(Said(emission, is_shadow, setting.version, self.environment, heard_ms))
        return found

    def is_withdrawn(self, said: Said) -> bool:
        """Tell whether what was said live comes of a strategy that is live no more."""
        running = self.running.get(said.emission.strategy_id)
        is_live = running is not None and running.setting.mode == Mode.LIVE
        return not said.is_shadow and not is_live

    def _check_received(self, received_ms: int) -> None:
        """Refuse a frame from the future: a window that took it would wait until then."""
        if received_ms > self._clock() * 1000 + NOT_AHEAD_MS:
            raise FrameInvalid(f"received_ms {received_ms} is ahead of our clock")

    def _unreadable(self, symbol: str, kind: str, error: FrameInvalid) -> None:
        self.tally.unreadable += 1
        if self.tally.unreadable % TOLD_EVERY == 1:
            log.warning(
                "frame_unreadable",
                symbol=symbol,
                kind=kind,
                error=str(error),
                so_far=self.tally.unreadable,
            )
