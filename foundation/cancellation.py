"""Ending tasks for certain: a cancellation can be lost on its way."""

from __future__ import annotations

import asyncio
from typing import Any

AGAIN_SECONDS = 0.5


async def ended(*tasks: asyncio.Task[Any], again: float = AGAIN_SECONDS) -> None:
    """Cancel tasks and return when all are over, whatever became of them.

    One cancellation is not enough: `asyncio.wait_for` of Python 3.11 and libraries above it lose
    it when their own answer comes in the same moment, and a task that loops then loops for ever.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=again)
    await asyncio.gather(*tasks, return_exceptions=True)  # none is left unlooked at
