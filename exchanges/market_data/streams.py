"""All market streams of one market: as many connections as their number and the venue ask for.

A connection carries 1,024 names at most, and USD-M serves two sorts of streams under addresses of
their own (`selection.route`). A name stays where it is subscribed for as long as it is wanted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import structlog

from exchanges.domain.venues import Venue
from exchanges.market_data import selection
from exchanges.market_data.connection import LOOK_SECONDS, Connection, Take

log = structlog.get_logger(__name__)
MOST_STREAMS = 1024  # of one connection
MOST_CONNECTIONS = 60  # the venue takes 300 new ones in five minutes from one address


class MarketStreams:
    """Run `run()`; say what is wanted with `want()`; end it with `stop()`."""

    def __init__(
        self,
        *,
        venue: Venue,
        url: str,
        take: Take,
        restarted: Callable[[Iterable[str]], None] = lambda _names: None,
        most_streams: int = MOST_STREAMS,
        **streaming: float,
    ) -> None:
        self._market = venue.market
        self._most = most_streams

        def make(route: str) -> Connection:
            return Connection(
                venue=venue,
                url=f"{url.rstrip('/')}/{route}" if route else url,
                take=take,
                restarted=restarted,
                **streaming,
            )

        self._make = make
        self._connections: list[tuple[str, Connection]] = []
        self._stopping = asyncio.Event()
        self._started: set[Connection] = set()

    @property
    def is_live(self) -> bool:
        """Whether every connection that has something to carry is open."""
        busy = [line for _, line in self._connections if line.wanted]
        return bool(busy) and all(line.is_live for line in busy)

    @property
    def connections(self) -> int:
        return sum(bool(line.wanted) for _, line in self._connections)

    def want(self, names: Iterable[str]) -> None:
        """Say which streams are wanted from now on, whatever is subscribed."""
        left = set(names)
        keeps: dict[Connection, set[str]] = {}
        for _, line in self._connections:
            keeps[line] = set(line.wanted & left)
            left -= line.wanted
        for name in sorted(left):
            room = self._room(selection.route(name, self._market), keeps)
            if room is None:
                log.error("too_many_streams", left=name, most=self._most * MOST_CONNECTIONS)
                break
            keeps.setdefault(room, set()).add(name)
        for line, kept in keeps.items():
            line.want(kept)

    def _room(self, route: str, keeps: dict[Connection, set[str]]) -> Connection | None:
        for known, line in self._connections:
            if known == route and len(keeps.get(line, ())) < self._most:
                return line
        if len(self._connections) >= MOST_CONNECTIONS:
            return None
        self._connections.append((route, self._make(route)))
        return self._connections[-1][1]

    def stop(self) -> None:
        self._stopping.set()
        for _, line in self._connections:
            line.stop()

    async def run(self) -> None:
        """Stream until `stop`."""
        async with asyncio.TaskGroup() as group:
            while not self._stopping.is_set():
                for _, line in self._connections:
                    if line not in self._started:
                        self._started.add(line)
                        group.create_task(line.run())
                try:
                    async with asyncio.timeout(LOOK_SECONDS / 5):
                        await self._stopping.wait()
                except TimeoutError:
                    continue
