"""The process's own endpoints: /healthz, /ready, /metrics and /info."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

Told = dict[str, Any]


class Door:
    """A small server beside the work. `ready` returns what is missing, if anything."""

    def __init__(
        self, *, host: str, port: int, ready: Callable[[], list[str]], info: Callable[[], Told]
    ) -> None:
        self.host = host
        self.port = port
        self._ready = ready
        self._info = info
        self._runner: web.AppRunner | None = None

    async def open(self) -> None:
        """Listen. Raise OSError when the port is taken."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/healthz", self._healthz),
                web.get("/ready", self._ready_or_not),
                web.get("/metrics", self._metrics),
                web.get("/info", self._about),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, self.host, self.port).start()

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        return _json({"status": "ok"})

    async def _ready_or_not(self, _: web.Request) -> web.Response:
        missing = self._ready()
        told = {"status": "waiting" if missing else "ready", "missing": missing}
        return _json(told, status=503 if missing else 200)

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    async def _about(self, _: web.Request) -> web.Response:
        return _json(self._info())


def _json(told: Told, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(told), status=status, content_type="application/json")
