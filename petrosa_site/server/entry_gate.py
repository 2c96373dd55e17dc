"""Keep threads free for what leaves: requests that enter never occupy all of them.

POST /trade is carried out in the web process, and a venue may take twelve seconds to answer an
entry. Exits, the kill switch and probes need a thread all the while. So entries get all threads
but a reserve; one that finds none waits on the loop, where waiting costs no thread, and after a
few seconds goes on to be queued: it is stored, handed to the workers and answered with 202.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from signals_app.payload import wire

RESERVED_THREADS = 2
WAIT_SECONDS = 3.0


def is_entry(method: str, path: str, body: bytes) -> bool:
    """Tell a signal that may enter; what does not plainly leave is taken for one."""
    is_trade = method == "POST" and path.rstrip("/").endswith("/trade")
    return is_trade and not wire.looks_like_an_exit(body)


class EntryGate:
    """Lets so many requests that enter run at once."""

    def __init__(
        self,
        most: int,
        *,
        is_entry: Callable[[str, str, bytes], bool] = is_entry,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._slots = asyncio.Semaphore(max(1, most))
        self._is_entry = is_entry
        self._wait_seconds = wait_seconds

    @asynccontextmanager
    async def passing(self, method: str, path: str, body: bytes) -> AsyncIterator[bool]:
        """Yield whether the request may be carried out at once, or is to be queued."""
        if not self._is_entry(method, path, body):
            yield True
            return
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._slots.acquire()
        except TimeoutError:
            yield False
            return
        try:
            yield True
        finally:
            self._slots.release()
