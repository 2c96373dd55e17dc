"""The aiohttp application: every address of the simulator on one port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from exchanges.venues.simulator import signing
from exchanges.venues.simulator.config import SimulatorConfig
from exchanges.venues.simulator.control import Control
from exchanges.venues.simulator.front import CORS, Front, Request
from exchanges.venues.simulator.peers import Peer
from exchanges.venues.simulator.socket_api import SocketApi
from exchanges.venues.simulator.stream_door import StreamDoor
from exchanges.venues.simulator.venue import Venue

JSON = "application/json;charset=UTF-8"
MAX_BODY = 1 << 20
GOODBYE_SECONDS = 0.05
CLOSE_SECONDS = 1.0  # a client that does not answer a close is not waited for any longer


class VenueFailed(RuntimeError):
    """A part the venue cannot do without has died."""

    def __init__(self, part: str, cause: BaseException | None) -> None:
        super().__init__(f"the simulator's {part} died: {cause!r}")
        self.__cause__ = cause


class Simulator:
    """One venue and its doors."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.venue = Venue(config)
        self.failure: asyncio.Future[None] | None = None  # resolves when the venue cannot go on
        self._front = Front(self.venue)

    def application(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY)
        if self.venue.config.faults:
            Control(self.venue).mount(app)
        app.router.add_get("/ws-api/v3", self.socket_api)
        app.router.add_get("/ws-api/v3/", self.socket_api)
        app.router.add_get("/ws", self.raw_streams)
        app.router.add_get("/ws/{names:.*}", self.raw_streams)
        app.router.add_get("/stream", self.combined_streams)
        app.router.add_route("*", "/{path:.*}", self.rest)
        app.cleanup_ctx.append(self._background)
        app.on_shutdown.append(self._say_goodbye)
        return app

    async def _background(self, _app: web.Application) -> AsyncIterator[None]:
        venue = self.venue
        tasks = [
            asyncio.create_task(venue.source.run(venue), name="prices"),
            asyncio.create_task(venue.streams.run(), name="streams"),
        ]
        self.failure = asyncio.get_running_loop().create_future()
        for task in tasks:
            task.add_done_callback(self._note_failure)
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if venue.store:
            venue.store.close(venue.engine)

    async def _say_goodbye(self, _app: web.Application) -> None:
        """Announce the shutdown, then close every socket: open ones would hold up the end."""
        venue = self.venue
        venue.users.announce_shutdown()
        venue.streams.announce_shutdown()
        await asyncio.sleep(GOODBYE_SECONDS)
        peers = [*venue.socket_peers, *venue.market_peers]
        await asyncio.gather(*(peer.close() for peer in peers), return_exceptions=True)

    def _note_failure(self, task: asyncio.Task[None]) -> None:
        """Pass on the death of a background task: a venue with dead prices must not look alive."""
        if task.cancelled() or task.exception() is None:
            return
        if self.failure is not None and not self.failure.done():
            self.failure.set_exception(VenueFailed(task.get_name(), task.exception()))

    async def rest(self, request: web.Request) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        body = (await request.read()).decode() if request.body_exists else ""
        answer = await self._front.answer(
            Request(
                method=request.method,
                path=path,
                params=signing.parse_params(query, body),
                payload=signing.signed_payload(query, body),
                api_key=request.headers.get("X-MBX-APIKEY"),
                address=request.remote or "",
            )
        )
        if answer.broken:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        response = web.Response(
            status=answer.status,
            body=answer.raw(),
            headers={**CORS, **answer.headers},
        )
        response.headers["Content-Type"] = "text/html" if answer.text is not None else JSON
        return response

    async def socket_api(self, request: web.Request) -> web.WebSocketResponse:
        peer = await self._peer(request)
        await SocketApi(self._front, peer).serve()
        return peer.socket

    async def raw_streams(self, request: web.Request) -> web.WebSocketResponse:
        names = unquote(request.match_info.get("names", "")).split("/")
        return await self._streams(request, names, wrapped=False)

    async def combined_streams(self, request: web.Request) -> web.WebSocketResponse:
        names = request.query.get("streams", "").split("/")
        return await self._streams(request, names, wrapped=True)

    async def _streams(
        self, request: web.Request, names: list[str], *, wrapped: bool
    ) -> web.WebSocketResponse:
        peer = await self._peer(request)
        door = StreamDoor(self.venue, peer, wrapped=wrapped)
        await door.serve([name for name in names if name])
        return peer.socket

    async def _peer(self, request: web.Request) -> Peer:
        # Pings and pongs are handled by Peer: they are part of what clients must cope with.
        socket = web.WebSocketResponse(autoping=False, max_msg_size=MAX_BODY, timeout=CLOSE_SECONDS)
        await socket.prepare(request)
        config = self.venue.config
        return Peer(
            socket,
            transport=request.transport,
            address=request.remote or "",
            ping_seconds=config.ping_seconds,
            life_seconds=config.stream_life_seconds,
        )


async def start(simulator: Simulator) -> tuple[web.AppRunner, int]:
    """Start serving. Returns the runner (its `cleanup()` stops everything) and the port taken."""
    config = simulator.venue.config
    runner = web.AppRunner(
        simulator.application(), access_log=None, handle_signals=False, shutdown_timeout=2.0
    )
    await runner.setup()
    site = web.TCPSite(runner, config.host, config.port, backlog=1024)
    await site.start()
    port = int(runner.addresses[0][1])
    return runner, port


async def serve(config: SimulatorConfig, stopping: asyncio.Event) -> None:
    """Serve until `stopping` is set; prints one line with the address once it answers.

    Raises VenueFailed when a background task died, OSError when the port is taken.
    """
    simulator = Simulator(config)
    runner, port = await start(simulator)
    print(f"simulator listening on http://{config.host}:{port}", flush=True)  # noqa: T201
    told = asyncio.create_task(stopping.wait())
    assert simulator.failure is not None, "set when the application started"
    ends: list[asyncio.Future[Any]] = [told, simulator.failure]
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if simulator.failure.done():
            simulator.failure.result()
    finally:
        told.cancel()
        await runner.cleanup()
