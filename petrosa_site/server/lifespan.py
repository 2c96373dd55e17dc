"""Answer the server's start and stop messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from petrosa_site.server.wsgi_bridge import Message, Receive, Send


class Lifespan:
    """An ASGI application for the `lifespan` scope that calls `on_shutdown` once at the end."""

    def __init__(self, *, on_shutdown: Callable[[], None]) -> None:
        self.on_shutdown = on_shutdown

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:  # noqa: ARG002
        while (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await asyncio.to_thread(self.on_shutdown)  # threads still finish answers on the loop
        await send({"type": "lifespan.shutdown.complete"})
