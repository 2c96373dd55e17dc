"""Running the simulator in a process of its own: event loop, signals, orderly end."""

from __future__ import annotations

import asyncio
import signal

from exchanges.venues.simulator.app import serve
from exchanges.venues.simulator.config import SimulatorConfig


def run(config: SimulatorConfig) -> None:
    """Serve until SIGINT or SIGTERM. Raises OSError when the port is taken."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_until_told(config))


async def _until_told(config: SimulatorConfig) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    await serve(config, stopping)


def _loop_factory() -> type[asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        return asyncio.SelectorEventLoop
    return uvloop.Loop
